//! Nothing spoken is ever on the disk in the clear: every byte that a full
//! session writes is searched for what was said, what it was called, the
//! passphrases, and the sound itself, raw and encoded.

use std::collections::BTreeSet;
use std::fs;

use crate::support::needles::Needles;
use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;
use crate::support::strace::{Call, Trace, writes};
use crate::support::{Home, PASSPHRASE, clip, require_model};

const TITLE: &str = "Quarrelsome platypus";
const TAG: &str = "xylophone";
const NOTE: &str = "the ferryman knows about the umbrella";
const NEW_PASSPHRASE: &str = "gibbous moon over gutter";

/// Words of the two recordings that stand in nothing else.
const SPOKEN: [&str; 6] = [
    "migration",
    "heater",
    "yesterday",
    "platform",
    "hotel",
    "station",
];

/// What a finding is in: a file, or what a person or another program reads.
fn place(call: &Call) -> String {
    call.file.clone().unwrap_or_else(|| call.line.clone())
}

/// Standard output and standard error are for people: pipes here, a terminal
/// elsewhere. Everything else is a place where plaintext must not be.
fn is_for_people(call: &Call) -> bool {
    call.file
        .as_deref()
        .is_some_and(|file| file.starts_with("pipe:"))
}

/// What of the needles went where, over all calls that pass bytes or names to
/// the kernel. What a program is started with was typed by its owner.
fn findings(calls: &[Call], needles: &Needles) -> (BTreeSet<String>, Vec<(String, String)>) {
    let mut told = BTreeSet::new();
    let mut leaked = Vec::new();
    for call in calls.iter().filter(|call| call.name != "execve") {
        for bytes in &call.given {
            let found = needles.found_in(bytes);
            if is_for_people(call) {
                told.extend(found);
            } else {
                leaked.extend(found.into_iter().map(|needle| (place(call), needle)));
            }
        }
    }
    (told, leaked)
}

/// What the exported Ogg Opus file holds, packet by packet, without its headers.
fn opus_packets(file: &std::path::Path) -> Vec<Vec<u8>> {
    let mut reader = ogg::PacketReader::new(fs::File::open(file).unwrap());
    let mut packets = Vec::new();
    while let Some(packet) = reader.read_packet().unwrap() {
        packets.push(packet.data);
    }
    packets.split_off(2)
}

fn needles(home: &Home, sounds: &[Pcm]) -> Needles {
    let mut needles = Needles::default();
    for word in SPOKEN
        .into_iter()
        .chain([TITLE, TAG, NOTE, PASSPHRASE, NEW_PASSPHRASE])
    {
        needles.text(word);
    }
    for sound in sounds {
        let name = |form: &str| format!("sound of {:.1} s as {form}", sound.seconds());
        needles.windows(&name("s16"), &sound.raw(), 2_000);
        // As decoders and encoders have it in memory.
        let floats = sound.samples.iter().map(|x| f32::from(*x) / 32_768.0);
        let floats: Vec<u8> = floats.flat_map(f32::to_le_bytes).collect();
        needles.windows(&name("f32"), &floats, 2_000);
    }
    for file in ["one.opus", "two.opus"] {
        for (number, packet) in opus_packets(&home.path(file)).iter().enumerate() {
            if number % 10 == 3 {
                needles.windows(&format!("packet {number} of {file}"), &packet[4..], 3);
            }
        }
    }
    needles
}

#[test]
fn nothing_of_what_is_said_typed_or_thought_reaches_a_disk_in_the_clear() {
    if !require_model() {
        return;
    }
    let home = quick_home();
    let Some(mut session) = Trace::new(&home, "session") else {
        return;
    };
    let imported = Pcm::decode(&clip("train")).at(16_000);
    let recorded = Pcm::decode(&clip("standup")).at(16_000);
    home.write("memo.wav", &imported.wav());
    home.write("new", NEW_PASSPHRASE.as_bytes());

    // A whole life: made, recorded into, transcribed, edited, searched, read,
    // given another passphrase, shredded.
    let elsewhere = home.path("another-vault").into_os_string();
    session.run(home.voxvault(["init".into(), "--vault".into(), elsewhere]));
    let record = [
        "record", "-", "--format", "s16le", "--title", TITLE, "--tag", TAG,
    ];
    session.run(home.voxvault(record).locked().stdin(recorded.raw()));
    session.run(home.voxvault(["import", "--no-transcribe", "memo.wav"]));
    session.run(home.voxvault(["transcribe"]));
    let (id, other) = (home.id_of(TITLE), home.id_of("memo"));
    session.run(home.voxvault([
        "edit", &other, "--title", TITLE, "--tag", TAG, "--note", NOTE,
    ]));
    session.run(home.voxvault(["list", "--json"]));
    session.run(home.voxvault(["search", "heater"]));
    session.run(home.voxvault(["search", "hotel", "--json"]));
    for id in [&id, &other] {
        session.run(home.voxvault(["show", id, "--format", "json"]));
    }
    session.run(home.voxvault(["shred", &other, "--yes"]));
    session.run(home.voxvault(["passwd", "--new-passphrase-file", "new"]));

    // Elsewhere, a copy is exported: by that it is known what the sound is kept
    // as, and whether the search would find it.
    let Some(mut export) = Trace::new(&home, "export") else {
        return;
    };
    let new = home.path("new");
    let memo = home.voxvault(["import", "--no-transcribe", "memo.wav"]);
    memo.passphrase_file(new.clone()).run().ok();
    for (id, file) in [(id.as_str(), "one.opus"), ("last", "two.opus")] {
        let run = home.voxvault(["export", id, "--format", "opus", "-o", file]);
        export.run(run.passphrase_file(new.clone()));
    }
    let run = home.voxvault(["export", &id, "--format", "txt", "-o", "words.txt"]);
    export.run(run.passphrase_file(new));

    let needles = needles(&home, &[imported, recorded]);
    assert!(
        needles.count_pieces() > 1_000,
        "only {} windows",
        needles.count_pieces()
    );

    let calls = session.calls();
    let (told, leaked) = findings(&calls, &needles);
    assert!(leaked.is_empty(), "{leaked:#?}");
    // The same search over what it said to its owner finds what he asked for.
    for word in SPOKEN.into_iter().chain([TITLE, TAG, NOTE]) {
        assert!(
            told.contains(&word.to_lowercase()),
            "{word} was never printed: {told:?}"
        );
    }
    // And in files, where it was told to write some.
    let (_, exported) = findings(&export.calls(), &needles);
    for (file, what) in [
        ("one.opus", "of one.opus"),
        ("two.opus", "of two.opus"),
        ("words.txt", "heater"),
    ] {
        assert!(
            exported
                .iter()
                .any(|(place, found)| place.contains(file) && found.contains(what)),
            "{what} was not found in what was written to {file}"
        );
    }

    // The session did write: sealed bytes, to the vault.
    let bytes: usize = calls
        .iter()
        .filter(|call| writes(call) && !is_for_people(call))
        .flat_map(|call| &call.given)
        .map(Vec::len)
        .sum();
    assert!(bytes > 1_000_000, "only {bytes} bytes were written");
    assert_no_way_round(&calls);
}

/// Whatever could carry bytes to a file without being seen above.
fn assert_no_way_round(calls: &[Call]) {
    const NEVER: [&str; 8] = [
        "io_uring_setup",
        "io_setup",
        "splice",
        "vmsplice",
        "sendfile",
        "copy_file_range",
        "setxattr",
        "symlink",
    ];
    for call in calls {
        assert!(!NEVER.contains(&call.name.as_str()), "{}", call.line);
        if call.name == "mmap" && call.line.contains("MAP_SHARED") {
            let writable = call.line.contains("PROT_WRITE");
            assert!(
                !writable || call.line.contains("MAP_ANONYMOUS"),
                "{}",
                call.line
            );
        }
        if call.name == "socket" {
            assert!(call.line.starts_with("socket(AF_UNIX"), "{}", call.line);
        }
    }
}

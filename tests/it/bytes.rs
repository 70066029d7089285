//! Bad bytes: files that are no sound, lie about it or are cut off, and vaults
//! whose files were damaged. The right answer or a clear error, never a panic,
//! nothing half-imported, and the damage costs only what it lies in.

use std::fs;
use std::path::{Path, PathBuf};

use voxvault::vault::frame::Kind;
use voxvault::vault::scan;

use crate::support::prepared::{copy_dir, files_below, quick_home};
use crate::support::sound::{Pcm, claiming};
use crate::support::{Finished, Home, clip, require_model};

/// How long the last recording is, in seconds.
fn length_of_last(home: &Home) -> f64 {
    let list = home.list();
    list.first().expect("a recording")["duration_s"]
        .as_f64()
        .unwrap()
}

/// Whether a run ended as CLI.md says that runs end, without a panic.
fn assert_civil(ended: &Finished, what: &str) {
    let code = ended
        .code()
        .unwrap_or_else(|| panic!("{what}: killed by a signal\n{ended}"));
    assert!((0..=9).contains(&code), "{what}\n{ended}");
    for word in ["panicked", "RUST_BACKTRACE", "unreachable", "overflow"] {
        assert!(!ended.stderr.contains(word), "{what}\n{ended}");
    }
    if code != 0 {
        let said = ended
            .stderr
            .lines()
            .any(|line| line.starts_with("voxvault: "));
        assert!(said, "{what}: nothing was said\n{ended}");
    }
}

#[test]
fn what_is_no_sound_is_refused_with_a_reason_and_leaves_nothing() {
    let home = quick_home();
    let wav = Pcm::tone(16_000, 1.0).wav();
    let flac = fs::read(clip("train")).unwrap();
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("empty.wav", Vec::new()),
        ("empty.flac", Vec::new()),
        ("text.wav", b"Dear diary,\n".repeat(40).to_vec()),
        ("text.mp3", b"Dear diary,\n".repeat(40).to_vec()),
        ("header-only.wav", wav[..44].to_vec()),
        ("half-a-header.wav", wav[..20].to_vec()),
        ("four-bytes.opus", flac[..4].to_vec()),
        ("zeros.flac", vec![0; 50_000]),
        ("magic-only.flac", b"fLaC".to_vec()),
        ("magic-only.mp3", b"ID3\x04\0\0\0\0\0\0".to_vec()),
        ("no-channels.wav", {
            let mut wav = wav.clone();
            wav[22] = 0;
            wav
        }),
        ("no-rate.wav", {
            let mut wav = wav.clone();
            wav[24..28].fill(0);
            wav
        }),
        ("unknown-code.wav", {
            let mut wav = wav.clone();
            wav[20] = 0x77;
            wav
        }),
    ];
    for (name, bytes) in bad {
        home.write(name, &bytes);
        let ended = home.voxvault(["import", "--no-transcribe", name]).run();
        assert_civil(&ended, name);
        assert_eq!(ended.code(), Some(1), "{ended}");
        assert!(ended.stderr.contains(name), "the file is named: {ended}");
        assert_eq!(ended.text(), "", "{name} has no id");
        let piped = home
            .voxvault(["record", "-", "--no-transcribe"])
            .stdin(bytes)
            .run();
        assert_civil(&piped, name);
        assert_ne!(piped.code(), Some(0), "{name} through a pipe: {piped}");
    }
    assert!(
        home.list().is_empty(),
        "something was half-imported: {:?}",
        home.list()
    );
    let inbox = home.vault().join("inbox");
    assert_eq!(
        inbox.read_dir().map_or(0, Iterator::count),
        0,
        "something stayed in the inbox"
    );
}

#[test]
fn a_header_that_lies_about_its_length_costs_no_sound() {
    let honest = Pcm::tone(16_000, 3.0);
    for (what, claimed) in [
        ("nothing", 0),
        ("too much", 10_000_000),
        ("two gigabytes", 0x7fff_ffff),
        ("as much as fits", 0xffff_ffff),
        ("an odd number", 96_001),
    ] {
        let home = quick_home();
        home.write("liar.wav", &claiming(honest.wav(), claimed));
        let ended = home
            .voxvault(["import", "--no-transcribe", "liar.wav"])
            .run();
        assert_civil(&ended, what);
        assert_eq!(ended.code(), Some(0), "it claims {what}: {ended}");
        let length = length_of_last(&home);
        assert!(
            (length - 3.0).abs() < 0.001,
            "it claims {what}, {length} s were taken"
        );
    }
}

#[test]
fn telephones_and_studios_and_blinks_are_taken() {
    let home = quick_home();
    let speech = Pcm::decode(&clip("train"));
    home.write("telephone.wav", &speech.at(8_000).mulaw_wav());
    home.write("studio.wav", &Pcm::tone(96_000, 2.0).wide_wav(6));
    home.write("blink.wav", &Pcm::tone(16_000, 0.05).wav());
    for (file, seconds) in [("telephone", 8.7), ("studio", 2.0), ("blink", 0.05)] {
        let name = format!("{file}.wav");
        let ended = home
            .voxvault(["import", "--no-transcribe", &name])
            .run()
            .ok();
        assert_civil(&ended, file);
        let list = home.list();
        let one = list.iter().find(|one| one["title"] == file).unwrap();
        let length = one["duration_s"].as_f64().unwrap();
        assert!((length - seconds).abs() < 0.05, "{file}: {length} s");
        assert!(
            one["signal"]["peak_dbfs"].as_f64().unwrap() > -20.0,
            "{one}"
        );
        let out = format!("{file}-out.wav");
        let id = one["id"].as_str().unwrap();
        home.voxvault(["export", id, "--format", "wav", "-o", &out])
            .run()
            .ok();
        let back = Pcm::decode(&home.path(&out));
        assert!(
            (back.seconds() - length).abs() < 0.001,
            "{file}: {} s came back",
            back.seconds()
        );
    }
    if require_model() {
        home.voxvault(["transcribe"]).run().ok();
        let text = home.text_of(&home.id_of("telephone")).to_lowercase();
        assert!(
            text.contains("hotel") || text.contains("platform"),
            "{text}"
        );
    }
}

#[test]
fn minutes_of_silence_are_silent_and_never_turned_into_words() {
    let home = quick_home();
    home.write("silence.wav", &Pcm::silence(16_000, 240.0).wav());
    let ended = home
        .voxvault(["import", "--json", "silence.wav"])
        .run()
        .ok();
    assert_civil(&ended, "silence");
    let recording = home.list().remove(0);
    assert_eq!(recording["state"], "silent");
    assert_eq!(recording["duration_s"], 240.0);
    assert_eq!(recording["versions"], serde_json::json!([]));
    home.voxvault(["transcribe", "--pending"]).run().ok();
    assert_eq!(home.list()[0]["versions"], serde_json::json!([]));
    if require_model() {
        // Also if asked for by name: a transcript may be made, without a word.
        let ended = home.voxvault(["transcribe", "last"]).run();
        assert_civil(&ended, "silence by name");
        let shown = home.voxvault(["show", "last"]).run();
        assert_eq!(shown.text().trim(), "", "{shown}");
    }
}

#[test]
fn what_was_cut_off_is_kept_as_far_as_it_goes() {
    let home = quick_home();
    // FLAC of our own making, and Ogg Opus as it lies in the examples.
    home.write("whole.wav", &Pcm::decode(&clip("train")).wav());
    home.voxvault(["import", "--no-transcribe", "whole.wav"])
        .run()
        .ok();
    home.voxvault(["export", "last", "--format", "flac", "-o", "whole.flac"])
        .run()
        .ok();
    let opus = fs::read(clip("train")).unwrap();
    let flac = fs::read(home.path("whole.flac")).unwrap();
    let wav = fs::read(home.path("whole.wav")).unwrap();
    for (kind, whole) in [("flac", &flac), ("opus", &opus), ("wav", &wav)] {
        for part in [0.03, 0.5, 0.97] {
            let home = quick_home();
            let name = format!("cut.{kind}");
            home.write(&name, &whole[..(whole.len() as f64 * part) as usize]);
            let ended = home.voxvault(["import", "--no-transcribe", &name]).run();
            assert_civil(&ended, &format!("{part} of {name}"));
            let list = home.list();
            if ended.code() == Some(0) {
                let length = list[0]["duration_s"].as_f64().unwrap();
                let expected = 8.7 * part;
                assert!(
                    (length - expected).abs() < 1.3,
                    "{part} of {name}: {length} s"
                );
                assert!(
                    ended.stderr.contains(&name),
                    "it says that it was cut off: {ended}"
                );
            } else {
                assert!(part < 0.1, "half a file is worth something: {ended}");
                assert!(list.is_empty());
            }
        }
    }
}

#[test]
fn a_noisy_file_of_any_kind_is_refused_or_played_and_never_a_panic() {
    let home = quick_home();
    home.write("whole.wav", &Pcm::tone(44_100, 1.0).wav());
    home.voxvault(["import", "--no-transcribe", "whole.wav"])
        .run()
        .ok();
    home.voxvault(["export", "last", "--format", "flac", "-o", "whole.flac"])
        .run()
        .ok();
    let kinds = [
        ("wav", fs::read(home.path("whole.wav")).unwrap()),
        ("flac", fs::read(home.path("whole.flac")).unwrap()),
        ("opus", fs::read(clip("dentist")).unwrap()),
    ];
    let folder = home.path("noisy");
    fs::create_dir(&folder).unwrap();
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    for (kind, whole) in &kinds {
        for round in 0..40 {
            let mut bytes = whole.clone();
            // The head is where formats are fragile.
            let reach = if round % 2 == 0 { 200 } else { bytes.len() };
            for _ in 0..=round % 5 {
                let at = random(reach.min(bytes.len()));
                bytes[at] = random(256) as u8;
            }
            fs::write(folder.join(format!("{round:02}.{kind}")), bytes).unwrap();
        }
    }
    let ended = home.voxvault(["import", "--no-transcribe", "noisy"]).run();
    assert_civil(&ended, "noisy files");
    let ended = home.voxvault(["list", "--json"]).run();
    assert_civil(&ended, "listing what came of noisy files");
}

/// A small vault with two recordings merged and one in the inbox.
struct Small {
    home: Home,
    whole: PathBuf,
    /// Ids: merged, merged, waiting.
    ids: [String; 3],
}

impl Small {
    fn new() -> Self {
        let home = quick_home();
        let ids = ["first", "second", "waiting"].map(|title| {
            let record = ["record", "-", "--title", title, "--no-transcribe"];
            let tone = Pcm::tone(16_000, 1.5).wav();
            let recorded = home.voxvault(record).locked().stdin(tone).run().ok();
            if title == "second" {
                home.voxvault(["list"]).run().ok();
            }
            recorded.text().trim().to_owned()
        });
        let whole = home.path("whole");
        copy_dir(&home.vault(), &whole);
        Self { home, whole, ids }
    }

    /// Puts the vault back as it was and damages one file.
    fn damage(&self, file: &Path, bytes: &[u8]) {
        fs::remove_dir_all(self.home.vault()).unwrap();
        copy_dir(&self.whole, &self.home.vault());
        fs::write(self.home.vault().join(file), bytes).unwrap();
    }

    /// Whether a look at the whole vault names this file, as it is now.
    fn is_named(&self, file: &str) -> bool {
        let looked = self.home.voxvault(["verify", "--json"]).run();
        assert_civil(&looked, file);
        looked.text().contains(file) || looked.stderr.contains(file)
    }

    /// Tries what people do. Answers which of the recordings can still be taken
    /// out whole; where one can't, that has to be told.
    fn survivors(&self, what: &str) -> [bool; 3] {
        let list = self.home.voxvault(["list", "--json"]).run();
        assert_civil(&list, what);
        let exports = self.ids.each_ref().map(|id| {
            let export = ["export", id, "--format", "wav", "-o", "-"];
            let out = self.home.voxvault(export).run();
            assert_civil(&out, what);
            let whole =
                hound::WavReader::new(&*out.stdout).is_ok_and(|wav| wav.duration() == 72_000);
            // Damage in another recording may be told beside.
            let damaged = out.stderr.contains(&id[..8]);
            (
                matches!(out.code(), Some(0 | 5)) && whole && !damaged,
                out.code(),
            )
        });
        for (id, (whole, code)) in self.ids.iter().zip(exports) {
            let told = [list.code(), code].contains(&Some(5)) || list.stderr.contains(&id[..8]);
            assert!(
                whole || told,
                "{what}: {id} is lost and nobody says so\n{list}"
            );
        }
        exports.map(|(whole, _)| whole)
    }
}

/// Places in a file worth damaging: its ends, and some in between.
fn places(length: usize, count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).map(|part| part * length / count).collect();
    places.extend([
        1,
        8,
        12,
        40,
        70,
        length.saturating_sub(1),
        length.saturating_sub(17),
    ]);
    places.retain(|place| *place < length);
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn damage_to_whatever_is_kept_twice_is_named_and_costs_nothing() {
    let small = Small::new();
    // What a damaged copy is put to, named and then lived with.
    let check = |name: &Path, bytes: &[u8], carries: Carries, what: &str| {
        small.damage(name, bytes);
        let is_named = small.is_named(&name.display().to_string());
        assert!(is_named || carries != Carries::Something, "{what}");
        let is_whole = fs::read(small.whole.join(name)).unwrap() == bytes;
        assert!(!is_named || !is_whole, "{what}");
        small.damage(name, bytes);
        assert_eq!(small.survivors(what), [true; 3], "{what}");
    };
    for file in files_below(&small.whole) {
        let name = file.strip_prefix(&small.whole).unwrap().to_owned();
        let label = name.display().to_string();
        let twice = ["root.", "bag.", "keys/"]
            .iter()
            .any(|start| label.starts_with(start));
        if !twice {
            continue;
        }
        let whole = fs::read(&file).unwrap();
        let check = |bytes: &[u8], what: String| {
            check(
                &name,
                bytes,
                Carries::difference(&label, &whole, bytes),
                &what,
            );
        };
        check(&whole, format!("{label} as it was"));
        for at in places(whole.len(), 3) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            check(&bytes, format!("byte {at} of {label}"));
        }
        for length in [0, 1, whole.len() / 2] {
            check(&whole[..length], format!("{label} cut to {length} bytes"));
        }
    }
}

/// Whether what was changed of a file carries something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Something,
    Noise,
}

impl Carries {
    /// Every byte does, but in the slot of a root that holds no generation.
    fn difference(label: &str, whole: &[u8], now: &[u8]) -> Self {
        let slots = if label.starts_with("root.") { 2 } else { 1 };
        let length = whole.len() / slots;
        let changed = whole.chunks(length).enumerate().any(|(number, slot)| {
            let is_in_force = slots == 1 || slot.starts_with(b"VOXVROOT");
            let span = number * length..(number + 1) * length;
            is_in_force && now.get(span) != Some(slot)
        });
        match changed {
            true => Self::Something,
            false => Self::Noise,
        }
    }
}

#[test]
fn damage_to_a_recording_in_the_inbox_costs_no_other() {
    let small = Small::new();
    let name = PathBuf::from(format!("inbox/{}.rec", small.ids[2]));
    let whole = fs::read(small.whole.join(&name)).unwrap();
    let mut damages: Vec<(String, Vec<u8>)> = Vec::new();
    for at in places(whole.len(), 12) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        damages.push((format!("byte {at} of it changed"), bytes));
    }
    for length in [0, 1, 64, whole.len() / 2, whole.len() - 1] {
        damages.push((
            format!("it was cut to {length} bytes"),
            whole[..length].to_vec(),
        ));
    }
    for (what, bytes) in damages {
        small.damage(&name, &bytes);
        let [first, second, _] = small.survivors(&what);
        assert!(first && second, "{what}, and others are lost");
    }
}

#[test]
fn damage_to_the_store_is_told_and_makes_nothing_worse() {
    let small = Small::new();
    let store = Path::new("store.redb");
    let whole = fs::read(small.whole.join(store)).unwrap();
    for at in places(whole.len(), 40) {
        let what = format!("byte {at} of the store changed");
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        small.damage(store, &bytes);
        small.survivors(&what);
    }
    for length in [0, 1, 64, whole.len() / 2, whole.len() - 1] {
        small.damage(store, &whole[..length]);
        small.survivors(&format!("the store cut to {length} bytes"));
    }

    // A segment of sound of the first recording, wherever it lies.
    let id = small.ids[0].parse().unwrap();
    let frames = scan::frames(&whole).filter(|(_, frame)| {
        frame.facts.id == id && frame.facts.kind == Kind::Sound && frame.facts.number == 1
    });
    let places: Vec<usize> = frames.map(|(at, _)| at + 400).collect();
    assert!(!places.is_empty(), "the segment lies in the store");
    let mut bytes = whole.clone();
    places.iter().for_each(|at| bytes[*at] ^= 1);
    small.damage(store, &bytes);
    let [first, ..] = small.survivors("a segment of the first recording changed");
    assert!(!first, "its sound is not what it was");
    let file = small.home.vault().join(store);
    let mut bytes = fs::read(&file).unwrap();
    places.iter().for_each(|at| bytes[*at] ^= 1);
    fs::write(&file, bytes).unwrap();
    assert_eq!(small.survivors("the segment is back"), [true; 3]);
}

#[test]
fn nothing_is_shredded_by_the_cards_of_a_damaged_store_but_what_is_named() {
    let small = Small::new();
    let store = Path::new("store.redb");
    let mut bytes = fs::read(small.whole.join(store)).unwrap();
    let id = small.ids[1].parse().unwrap();
    let cards = scan::frames(&bytes).filter(|(_, frame)| {
        let facts = frame.facts;
        facts.id == id && facts.kind == Kind::Card
    });
    let places: Vec<usize> = cards.map(|(at, _)| at + 100).collect();
    places.iter().for_each(|at| bytes[*at] ^= 1);
    small.damage(store, &bytes);
    for which in ["last", "after:2020-01-01"] {
        let shred = small.home.voxvault(["shred", which, "--yes"]).run();
        assert_eq!(shred.code(), Some(5), "{shred}");
        assert!(!shred.text().contains("shredded"), "{shred}");
    }
    let shred = ["shred", &small.ids[0], "--yes"];
    let shred = small.home.voxvault(shred).run();
    assert!(shred.text().contains("shredded"), "{shred}");
}

#[test]
fn what_is_damaged_is_named_and_after_a_repair_no_more() {
    let small = Small::new();
    let store = Path::new("store.redb");
    let whole = fs::read(small.whole.join(store)).unwrap();
    let id = &small.ids[0];
    let lies_in = |frame: &voxvault::vault::frame::Frame<'_>| {
        frame.facts.id == id.parse().unwrap() && frame.facts.kind == Kind::Sound
    };
    let segment = scan::frames(&whole)
        .filter(|(_, frame)| lies_in(frame) && frame.facts.number == 0)
        .map(|(at, _)| at)
        .collect::<Vec<_>>();
    assert!(!segment.is_empty());
    let mut bytes = whole.clone();
    segment.iter().for_each(|at| bytes[at + 500] ^= 1);
    small.damage(store, &bytes);
    let verify = |args: &[&str]| {
        let ended = small
            .home
            .voxvault(["verify"].iter().chain(args).copied())
            .run();
        assert_civil(&ended, "verify");
        ended
    };
    let seen = verify(&[]);
    assert_eq!(seen.code(), Some(5), "{seen}");
    assert!(seen.text().contains(&id[..8]), "{seen}");
    assert!(seen.text().contains("0.0 s to 0.8 s"), "{seen}");
    assert_eq!(
        fs::read(small.home.vault().join(store)).unwrap(),
        bytes,
        "looking changes nothing"
    );
    assert_eq!(verify(&["--repair"]).code(), Some(5));
    let again = verify(&[]);
    assert_eq!(again.code(), Some(0), "{again}");
    // As long as it was, with silence where the segment stood.
    let export = ["export", id, "--format", "wav", "-o", "-"];
    let copy = small.home.voxvault(export).run().ok();
    let wav = hound::WavReader::new(&*copy.stdout).unwrap();
    assert_eq!(wav.duration(), 72_000);
    let heard: Vec<i16> = wav.into_samples().map(Result::unwrap).collect();
    assert!(heard[..30_000].iter().all(|sample| *sample == 0));
    assert!(
        heard[50_000..60_000]
            .iter()
            .any(|sample| sample.abs() > 1000)
    );
    for other in &small.ids[1..] {
        let export = ["export", other, "--format", "wav", "-o", "-"];
        small.home.voxvault(export).run().ok();
    }
}

#[test]
fn foreign_files_in_a_vault_do_no_harm() {
    let small = Small::new();
    let vault = small.home.vault();
    let junk: [(&str, &[u8]); 9] = [
        ("inbox/notes.txt", b"what is this"),
        (
            "inbox/00112233445566778899aabbccddeeff.rec",
            b"no frame at all, but the name of one",
        ),
        ("inbox/ffeeddccbbaa99887766554433221100.rec", b""),
        ("inbox/not-an-id.rec", &[0x8f, b'v', b'o', b'x']),
        ("keys/README", b"junk"),
        (
            "keys/other.age",
            b"age-encryption.org/v1\n-> X25519 nothing\n",
        ),
        ("keys/junk.copy.age", &[0xff; 3000]),
        ("bag.999999.a", b"a bag of nobody's"),
        ("core.1234", &[0; 5000]),
    ];
    for (name, bytes) in junk {
        fs::write(vault.join(name), bytes).unwrap();
    }
    fs::create_dir(vault.join("inbox/folder.rec")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", vault.join("keys/link.age")).unwrap();
    for args in [&["list", "--json"][..], &["search", "anything"]] {
        let ended = small.home.voxvault(args.iter().copied()).run();
        assert_civil(&ended, "junk");
        assert!(matches!(ended.code(), Some(0 | 5)), "{ended}");
    }
    for id in &small.ids {
        let ended = small
            .home
            .voxvault(["export", id, "--format", "wav", "-o", "-"])
            .run();
        assert!(matches!(ended.code(), Some(0 | 5)), "{ended}");
        assert!(ended.stdout.starts_with(b"RIFF"), "{ended}");
    }
    let record = small.home.voxvault(["record", "-"]).locked();
    record.stdin(Pcm::tone(16_000, 1.0).wav()).run().ok();
    let shred = small.home.voxvault(["shred", &small.ids[0], "--yes"]).run();
    assert_civil(&shred, "shredding beside junk");
    assert_eq!(
        fs::read(vault.join("inbox/notes.txt")).unwrap(),
        b"what is this",
        "not ours to touch"
    );
}

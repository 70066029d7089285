//! A vault whose files were damaged, or that holds strangers' files.

use std::fs;
use std::path::{Path, PathBuf};

use voxvault::vault::frame::Kind;
use voxvault::vault::scan;

use super::assert_civil;
use crate::support::Home;
use crate::support::prepared::{copy_dir, files_below, quick_home};
use crate::support::sound::Pcm;

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

//! Shredded is shredded: who has the passphrase, every byte of the vault's
//! directory, and every byte that was ever written to it but for the root slots
//! that were overwritten, gets at nothing of it. That the search finds whatever
//! is there to be found is shown on the recordings that live.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use voxvault::crypto::{Asker, Nobody, RecoveryKey, WayKey, WorkFactor};
use voxvault::recording::RecordingId;
use voxvault::vault::bag::WayKind;
use voxvault::vault::frame::Kind;
use voxvault::vault::{NewWay, NotErased, OpenVault, Rekeying, ShredScope, Vault};

use crate::support::forensic::{Evidence, Findings, read_all};
use crate::support::library::{self, assert_whole, record, transcript};
use crate::support::needles::holds;
use crate::support::prepared::{copy_dir, quick_home};
use crate::support::sound::Pcm;
use crate::support::spy::Spy;
use crate::support::strace::{Trace, written_by_file};
use crate::support::{PASSPHRASE, clip};

/// What an attacker gets at who took a copy of the directory and knows what was
/// written before.
fn attack(dir: &Path, spy: &Spy, passphrases: &[&str]) -> Findings {
    let mut evidence = Evidence::of_directory(dir);
    spy.testify(&mut evidence);
    read_all(&evidence, passphrases)
}

/// Adds a transcript and a second card, so that there is more to shred.
fn furnish(open: &OpenVault, id: RecordingId, words: &str) {
    open.add_transcript(id, 0, &transcript(words)).unwrap();
    open.update_card(id, &mut |card| card.note = format!("a note on {words}"))
        .unwrap();
}

/// A vault of which every write is kept.
fn watched(dir: &Path) -> (Spy, OpenVault) {
    let spy = Spy::watching();
    let open = library::init(library::site(dir, spy.clone()));
    (spy, open)
}

/// One recording that is to be shredded, and one that stays.
fn doomed_and_kept(open: &OpenVault) -> [RecordingId; 2] {
    let ids = ["doomed", "kept"].map(|title| record(open.vault(), title, 3));
    open.merge().unwrap();
    furnish(open, ids[0], "the doomed words");
    ids
}

#[test]
fn nothing_of_what_was_shredded_opens_with_any_key_that_can_be_reached() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let spy = Spy::watching();
    let open = library::init(library::site(&dir, spy.clone()));
    let locked = Vault::open_at(library::site(&dir, spy.clone())).unwrap();

    let doomed = record(&locked, "doomed", 12);
    let kept = record(&locked, "kept", 12);
    open.merge().unwrap();
    furnish(&open, doomed, "the doomed words");
    furnish(&open, kept, "the kept words");
    // One more lies in the inbox while the shred happens, and one is running.
    let waiting = record(&locked, "waiting", 3);
    let mut running = library::begin(&locked, "running", 2);

    // The reader finds everything of everybody, before.
    let before = attack(&dir, &spy, &[PASSPHRASE]);
    for id in [doomed, kept] {
        assert_eq!(before.count(id, Kind::Sound), 12);
        assert_eq!(before.count(id, Kind::Words), 1);
        assert_eq!(before.count(id, Kind::Card), 1);
    }
    let said = |found: &Findings, words: &str| {
        found
            .plaintexts
            .iter()
            .any(|plaintext| holds(plaintext, words.as_bytes()))
    };
    assert!(said(&before, "the doomed words") && said(&before, "a note on the doomed words"));
    let roots_before = ["root.a", "root.b"].map(|name| fs::read(dir.join(name)).unwrap());

    let receipt = open
        .shred(&[doomed], ShredScope::Everything, &mut |_, _| {})
        .unwrap();
    assert_eq!(receipt.shredded[0].id, doomed);
    assert!(receipt.not_final.is_none(), "{receipt:?}");

    // A recording that ran through the shred goes on and comes in after it.
    for number in 2..4 {
        let packets = library::packets("running", number);
        running
            .push(&packets, voxvault::recording::SEGMENT_SAMPLES)
            .unwrap();
    }
    let ran = running.finish(&library::card("running", 4)).unwrap();
    let later = record(&locked, "later", 2);
    open.merge().unwrap();

    let mut evidence = Evidence::of_directory(&dir);
    spy.testify(&mut evidence);
    assert!(
        !evidence.frames_of(doomed).is_empty(),
        "its sealed bytes are there to be tried"
    );
    let after = read_all(&evidence, &[PASSPHRASE]);
    assert!(
        !after.reaches(doomed),
        "{:?} of it opened",
        after.records.get(&doomed)
    );
    assert!(!said(&after, "the doomed words") && !said(&after, "doomed"));
    for (id, title, segments) in [
        (kept, "kept", 12),
        (waiting, "waiting", 3),
        (ran, "running", 4),
        (later, "later", 2),
    ] {
        assert_eq!(after.count(id, Kind::Sound), segments as usize, "{title}");
        assert_whole(&open, id, title, segments);
    }
    assert!(said(&after, "the kept words"));

    // The search would have found it: a copy of the two root files from before
    // is all that it takes.
    for (name, bytes) in ["old root.a", "old root.b"].iter().zip(roots_before) {
        evidence.add(name, bytes);
    }
    let with_an_old_copy = read_all(&evidence, &[PASSPHRASE]);
    assert_eq!(with_an_old_copy.count(doomed, Kind::Sound), 12);
    assert!(said(&with_an_old_copy, "the doomed words"));
}

/// Puts copies of root and bag beside them, as people do who are careful, and other
/// things that are none; answers with the copies as they were.
fn put_aside(dir: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let root = |letter| fs::read(dir.join(format!("root.{letter}"))).unwrap();
    let mut bags: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("bag."))
        .collect();
    bags.sort();
    let bag = fs::read(dir.join(&bags[0])).unwrap();
    let slot = root("a").len() / 2;
    let newest = if root("a").starts_with(b"VOXVROOT") {
        0
    } else {
        slot
    };
    let copies = vec![
        ("root.a.bak", root("a")),
        ("root.b~", root("b")),
        ("one-slot", root("b")[newest..newest + slot].to_vec()),
        // In the midst of something else.
        (
            "pile",
            [&[b'x'; 1000], &root("a")[..], &[b'y'; 5000]].concat(),
        ),
        ("inbox/root.a", root("a")),
        ("keys/root.b.old", root("b")),
        ("bag.1.a.bak", bag.clone()),
        ("of any name", bag),
    ];
    for (name, bytes) in &copies {
        fs::write(dir.join(name), bytes).unwrap();
    }
    fs::write(dir.join("notes.txt"), "where the keys are").unwrap();
    copies
}

#[test]
fn copies_of_root_and_bag_that_lie_beside_them_are_gone_with_what_was_shredded() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let (spy, open) = watched(&dir);
    let [doomed, kept] = doomed_and_kept(&open);

    let copies = put_aside(&dir);
    let outside = home.path().join("outside");
    fs::write(&outside, &copies[0].1).unwrap();
    fs::hard_link(dir.join("root.a"), dir.join("another name")).unwrap();
    let before = attack(&dir, &spy, &[PASSPHRASE]);
    assert_eq!(before.count(doomed, Kind::Sound), 3, "the control");
    std::os::unix::fs::symlink(&outside, dir.join("link")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(dir.join("pipe"))
        .status();
    assert!(pipe.unwrap().success());

    let receipt = open
        .shred(&[doomed], ShredScope::Everything, &mut |_, _| {})
        .unwrap();
    assert!(receipt.not_final.is_none(), "{receipt:?}");
    for (name, _) in &copies {
        let place = dir.join(name).display().to_string();
        let said = |line: &String| line.starts_with(&format!("{place}: a copy of an older"));
        assert!(receipt.erased.iter().any(said), "{name}: {receipt:?}");
        assert_eq!(dir.join(name).exists(), *name == "pile", "{name}");
    }
    for name in ["notes.txt", "link", "pipe", "another name"] {
        let place = dir.join(name).display().to_string();
        let is_named = receipt.not_erased.iter().any(|left| left.where_ == place);
        assert!(is_named, "{name}: {receipt:?}");
    }
    // What is none of the vault's is as it was.
    assert_eq!(fs::read(&outside).unwrap(), copies[0].1);
    assert_eq!(
        fs::read(dir.join("notes.txt")).unwrap(),
        b"where the keys are"
    );
    let pile = fs::read(dir.join("pile")).unwrap();
    assert!(pile.starts_with(&[b'x'; 1000]) && pile.ends_with(&[b'y'; 5000]));

    fs::remove_file(dir.join("link")).unwrap();
    fs::remove_file(dir.join("pipe")).unwrap();
    let mut evidence = Evidence::of_directory(&dir);
    spy.testify(&mut evidence);
    let after = read_all(&evidence, &[PASSPHRASE]);
    assert!(!after.reaches(doomed), "{:?}", after.records.get(&doomed));
    assert_whole(&library::unlock(&dir, PASSPHRASE), kept, "kept", 3);
    // Any one copy of a root would have brought it back.
    for (name, bytes) in copies
        .into_iter()
        .filter(|(_, bytes)| bytes.len() > 100_000)
    {
        let mut evidence = Evidence::of_directory(&dir);
        spy.testify(&mut evidence);
        evidence.add(name, bytes);
        let with_it = read_all(&evidence, &[PASSPHRASE]);
        assert_eq!(with_it.count(doomed, Kind::Sound), 3, "{name}");
    }
}

/// Puts copies of root and bag where names are the vault's own, as far as these are free;
/// answers with them.
fn put_under_own_names(dir: &Path) -> Vec<&'static str> {
    let root = fs::read(dir.join("root.a")).unwrap();
    let names = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_bag = |path: &PathBuf| path.display().to_string().contains("/bag.");
    let bag = fs::read(names.filter(is_bag).min().unwrap()).unwrap();
    let roots = [
        "keys/root.age",
        "keys/root.copy.age",
        "lock",
        "restoring",
        "reserve",
        "store.redb.aside",
        "inbox/00000000000000000000000000000007.gone",
        "inbox/00000000000000000000000000000007.rec",
    ];
    let bags = [
        "keys/bag.age",
        "gate",
        "store.redb.aside.2",
        "inbox/00000000000000000000000000000008.open",
        "inbox/00000000000000000000000000000008.rec",
    ];
    for (names, bytes) in [(&roots[..], &root), (&bags[..], &bag)] {
        for name in names {
            fs::write(dir.join(name), bytes).unwrap();
        }
    }
    roots.into_iter().chain(bags).collect()
}

#[test]
fn copies_of_root_and_bag_under_names_of_the_vault_are_gone_as_well() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let (spy, open) = watched(&dir);
    let [doomed, kept] = doomed_and_kept(&open);
    // What is in use beside them.
    let running = library::begin(open.vault(), "running", 3);
    let ran = running.id();
    let waiting = record(open.vault(), "waiting", 3);
    let copies = put_under_own_names(&dir);
    fs::write(dir.join("keys/else.age"), "age-encryption.org/v1\nwhose?").unwrap();
    let before = attack(&dir, &spy, &[PASSPHRASE]);
    assert_eq!(before.count(doomed, Kind::Sound), 3, "the control");
    let slot = fs::read(dir.join("keys/passphrase.age")).unwrap();
    let lock = fs::metadata(dir.join("lock")).unwrap().ino();

    let receipt = open
        .shred(&[doomed], ShredScope::Everything, &mut |_, _| {})
        .unwrap();
    assert!(receipt.not_final.is_none(), "{receipt:?}");
    for name in &copies {
        let place = dir.join(name).display().to_string();
        let said = |line: &String| line.starts_with(&format!("{place}: a copy of an older"));
        assert!(receipt.erased.iter().any(said), "{name}: {receipt:?}");
    }
    let strange = dir.join("keys/else.age").display().to_string();
    let named = |left: &NotErased| left.where_ == strange;
    assert!(receipt.not_erased.iter().any(named), "{receipt:?}");

    // Others may have them open.
    let facts = fs::metadata(dir.join("lock")).unwrap();
    assert_eq!((facts.ino(), facts.len()), (lock, 0));
    assert_eq!(fs::metadata(dir.join("gate")).unwrap().len(), 0);
    for name in ["keys/passphrase.age", "keys/passphrase.copy.age"] {
        assert_eq!(fs::read(dir.join(name)).unwrap(), slot, "{name}");
    }
    let mut evidence = Evidence::of_directory(&dir);
    spy.testify(&mut evidence);
    let after = read_all(&evidence, &[PASSPHRASE]);
    assert!(!after.reaches(doomed), "{:?}", after.records.get(&doomed));
    drop(running);
    let open = library::unlock(&dir, PASSPHRASE);
    open.merge().unwrap();
    assert_whole(&open, kept, "kept", 3);
    assert_whole(&open, waiting, "waiting", 3);
    assert_eq!(after.count(ran, Kind::Sound), 3);
}

#[test]
fn copies_of_root_bag_and_way_in_that_lie_beside_them_open_nothing_after_passwd() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let open = library::init(library::site(&dir, Spy::watching()));
    let kept = record(open.vault(), "kept", 3);
    open.merge().unwrap();
    put_aside(&dir);
    fs::copy(dir.join("keys/passphrase.age"), dir.join("my way in")).unwrap();
    let control = read_all(&Evidence::of_directory(&dir), &[PASSPHRASE]);
    assert_eq!(control.count(kept, Kind::Sound), 3);

    let new = library::passphrase("another passphrase entirely");
    open.change_passphrase_with(&new, WorkFactor::NONE).unwrap();
    let directory = Evidence::of_directory(&dir);
    let old = read_all(&directory, &[PASSPHRASE]);
    assert_eq!(old.opened, 0, "{:?}", old.plaintexts);
    let new = read_all(&directory, &["another passphrase entirely"]);
    assert_eq!(new.count(kept, Kind::Sound), 3);
}

#[test]
fn a_recording_shredded_before_it_was_ever_merged_is_gone_as_well() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let spy = Spy::watching();
    let open = library::init(library::site(&dir, spy.clone()));
    let locked = Vault::open_at(library::site(&dir, spy.clone())).unwrap();
    let doomed = record(&locked, "doomed", 3);
    let interrupted = library::begin(&locked, "interrupted", 3);
    let interrupted_id = interrupted.id();
    drop(interrupted);

    let before = attack(&dir, &spy, &[PASSPHRASE]);
    assert_eq!(before.count(doomed, Kind::Sound), 3);
    assert_eq!(before.count(interrupted_id, Kind::Sound), 3);

    open.shred(
        &[doomed, interrupted_id],
        ShredScope::Everything,
        &mut |_, _| {},
    )
    .unwrap();

    let after = attack(&dir, &spy, &[PASSPHRASE]);
    assert!(!after.reaches(doomed) && !after.reaches(interrupted_id));
    open.merge().unwrap();
    assert!(open.recordings().unwrap().is_empty());
}

#[test]
fn shredded_sound_is_gone_and_the_words_stay() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let spy = Spy::watching();
    let open = library::init(library::site(&dir, spy.clone()));
    let locked = Vault::open_at(library::site(&dir, spy.clone())).unwrap();
    let id = record(&locked, "an interview", 12);
    open.merge().unwrap();
    furnish(&open, id, "what was said");

    open.shred(&[id], ShredScope::Sound, &mut |_, _| {})
        .unwrap();

    let after = attack(&dir, &spy, &[PASSPHRASE]);
    assert_eq!(after.count(id, Kind::Sound), 0);
    assert_eq!(after.count(id, Kind::Words), 1);
    assert_eq!(open.transcript(id, 1).unwrap().text(), "what was said");
    assert_eq!(open.recording(id).unwrap().audio_bytes, 0);
    assert!(open.sound(id).is_err());
    // The key that sealed the sound was in the inbox file too, beside the
    // others: it must not have stayed reachable there.
    let sealed_sound = {
        let mut evidence = Evidence::of_directory(&dir);
        spy.testify(&mut evidence);
        evidence.frames_of(id).len()
    };
    assert!(sealed_sound > 12, "the sealed sound is there to be tried");
}

#[test]
fn an_old_passphrase_opens_nothing_that_is_in_the_directory() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let spy = Spy::watching();
    let open = library::init(library::site(&dir, spy.clone()));
    let id = record(open.vault(), "kept", 3);
    open.merge().unwrap();
    let shredded = record(open.vault(), "doomed", 3);
    open.merge().unwrap();

    let new = library::passphrase("another passphrase entirely");
    open.change_passphrase_with(&new, WorkFactor::NONE).unwrap();
    open.shred(&[shredded], ShredScope::Everything, &mut |_, _| {})
        .unwrap();

    let directory = Evidence::of_directory(&dir);
    let old = read_all(&directory, &[PASSPHRASE]);
    assert_eq!(old.opened, 0, "{:?}", old.plaintexts);
    let new = read_all(&directory, &["another passphrase entirely"]);
    assert_eq!(new.count(id, Kind::Sound), 3);
    // Who has both, and everything ever written, still gets at nothing shredded.
    let both = attack(&dir, &spy, &[PASSPHRASE, "another passphrase entirely"]);
    assert_eq!(both.count(id, Kind::Sound), 3);
    assert!(!both.reaches(shredded));
}

#[test]
fn a_recovery_key_that_was_removed_opens_nothing_that_is_in_the_directory() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let spy = Spy::watching();
    let open = library::init(library::site(&dir, spy.clone()));
    let id = record(open.vault(), "kept", 3);
    open.merge().unwrap();
    let key = RecoveryKey::generate();
    let nobody: Arc<dyn Asker> = Arc::new(Nobody);
    open.add_way(&NewWay {
        name: "recovery",
        kind: WayKind::Recovery,
        key: WayKey::Recipient(&key.recipient(), &nobody),
        now_ms: 0,
    })
    .unwrap();
    let identity = key.to_identity();
    let with_it = read_all(&Evidence::of_directory(&dir), &[&identity]);
    assert_eq!(with_it.count(id, Kind::Sound), 3, "the control");

    let passphrase = library::passphrase(PASSPHRASE);
    open.rekey(&Rekeying {
        passphrases: BTreeMap::from([("passphrase".to_owned(), &passphrase)]),
        dropped: BTreeSet::from(["recovery".to_owned()]),
        work: WorkFactor::NONE,
        ..Rekeying::default()
    })
    .unwrap();
    let directory = Evidence::of_directory(&dir);
    let without = read_all(&directory, &[&identity]);
    assert_eq!(without.opened, 0, "{:?}", without.plaintexts);
    assert_eq!(
        read_all(&directory, &[PASSPHRASE]).count(id, Kind::Sound),
        3
    );
    // Nor does it with everything that was ever written, but for the roots.
    assert!(!attack(&dir, &spy, &[&identity]).reaches(id));
}

/// The same on the program itself: what it wrote is what strace saw.
#[test]
fn the_program_leaves_nothing_of_what_it_shredded_in_all_it_ever_wrote() {
    let home = quick_home();
    let Some(mut trace) = Trace::new(&home, "trace") else {
        return;
    };
    let kept = clip("train").into_os_string();
    let doomed = home
        .write("doomed.wav", &Pcm::tone(16_000, 3.0).wav())
        .into_os_string();
    let import = ["import".into(), "--no-transcribe".into(), kept, doomed];
    trace.run(home.voxvault(import));
    let note = ["edit", "title:doomed", "--note", "a marked note"];
    // Filters name recordings for `export` and `shred`; `edit` wants an id.
    let id = home.id_of("doomed");
    trace.run(home.voxvault(["edit", &id, note[2], note[3]]));
    let old = home.path("old");
    copy_dir(&home.vault(), &old);
    trace.run(home.voxvault(["shred", &id, "--yes"]));
    let stdin = Pcm::tone(8_000, 2.0).wav();
    trace.run(
        home.voxvault(["record", "-", "--title", "later"])
            .locked()
            .stdin(stdin),
    );
    trace.run(home.voxvault(["list"]));

    let vault = home.vault().display().to_string();
    let mut evidence = Evidence::of_directory(&home.vault());
    for (file, writes) in written_by_file(&trace.calls()) {
        let is_root = file.starts_with(&format!("{vault}/root."));
        if file.starts_with(&vault) && !is_root {
            // Every write by itself, and all of them as one run of bytes.
            evidence.add(&format!("all writes to {file}"), writes.concat());
            for write in writes {
                evidence.add(&format!("a write to {file}"), write);
            }
        }
    }
    let [doomed, kept, later] =
        [id, home.id_of("train"), home.id_of("later")].map(|id| id.parse::<RecordingId>().unwrap());
    assert!(
        evidence.frames_of(doomed).len() > 8,
        "its sealed bytes are there to be tried"
    );
    let found = read_all(&evidence, &[PASSPHRASE]);
    assert!(!found.reaches(doomed), "{:?}", found.records.get(&doomed));
    assert!(found.count(kept, Kind::Sound) >= 10);
    assert_eq!(found.count(later, Kind::Sound), 3);
    // A copy of the directory from before still opens what it held then.
    let old = read_all(&Evidence::of_directory(&old), &[PASSPHRASE]);
    assert_eq!(old.count(doomed, Kind::Sound), 4);
    assert!(
        old.plaintexts
            .iter()
            .any(|plaintext| holds(plaintext, b"a marked note"))
    );
}

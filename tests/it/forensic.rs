//! Shredded is shredded: who has the passphrase, every byte of the vault's
//! directory, and every byte that was ever written to it but for the root slots
//! that were overwritten, gets at nothing of it. That the search finds whatever
//! is there to be found is shown on the recordings that live.

mod copies;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use voxvault::crypto::{Asker, Nobody, RecoveryKey, WayKey, WorkFactor};
use voxvault::recording::RecordingId;
use voxvault::vault::bag::WayKind;
use voxvault::vault::frame::Kind;
use voxvault::vault::{NewWay, OpenVault, Rekeying, ShredScope, Vault};

use crate::support::forensic::{Evidence, Findings, read_all};
use crate::support::library::{self, assert_whole, record, transcript};
use crate::support::prepared::{copy_dir, quick_home};
use crate::support::sound::Pcm;
use crate::support::spy::Spy;
use crate::support::strace::Trace;
use crate::support::{PASSPHRASE, clip};

/// A vault of which every write is kept.
struct Watched {
    /// Its directory goes with it.
    home: TempDir,
    spy: Spy,
    open: OpenVault,
}

impl Watched {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let spy = Spy::watching();
        let open = library::init(library::site(&home.path().join("vault"), spy.clone()));
        Self { home, spy, open }
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("vault")
    }

    /// The vault as somebody has it who has no key.
    fn locked(&self) -> Vault {
        Vault::open_at(library::site(&self.dir(), self.spy.clone())).unwrap()
    }

    /// One recording that is to be shredded, and one that stays.
    fn doomed_and_kept(&self) -> [RecordingId; 2] {
        let ids = ["doomed", "kept"].map(|title| record(self.open.vault(), title, 3));
        self.open.merge().unwrap();
        furnish(&self.open, ids[0], "the doomed words");
        ids
    }

    /// A copy of the directory, and what was written to it before.
    fn evidence(&self) -> Evidence {
        let mut evidence = Evidence::of_directory(&self.dir());
        self.spy.testify(&mut evidence);
        evidence
    }

    /// What an attacker gets at who has both.
    fn attack(&self, passphrases: &[&str]) -> Findings {
        read_all(&self.evidence(), passphrases)
    }
}

/// Adds a transcript and a second card, so that there is more to shred.
fn furnish(open: &OpenVault, id: RecordingId, words: &str) {
    open.add_transcript(id, 0, &transcript(words)).unwrap();
    open.update_card(id, &mut |card| card.note = format!("a note on {words}"))
        .unwrap();
}

#[test]
fn nothing_of_what_was_shredded_opens_with_any_key_that_can_be_reached() {
    let watched = Watched::new();
    let (dir, open, locked) = (watched.dir(), &watched.open, watched.locked());

    let doomed = record(&locked, "doomed", 12);
    let kept = record(&locked, "kept", 12);
    open.merge().unwrap();
    furnish(open, doomed, "the doomed words");
    furnish(open, kept, "the kept words");
    // One more lies in the inbox while the shred happens, and one is running.
    let waiting = record(&locked, "waiting", 3);
    let mut running = library::begin(&locked, "running", 2);

    // The reader finds everything of everybody, before.
    let before = watched.attack(&[PASSPHRASE]);
    for id in [doomed, kept] {
        assert_eq!(before.count(id, Kind::Sound), 12);
        assert_eq!(before.count(id, Kind::Words), 1);
        assert_eq!(before.count(id, Kind::Card), 1);
    }
    assert!(before.says("the doomed words") && before.says("a note on the doomed words"));
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

    let mut evidence = watched.evidence();
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
    assert!(!after.says("the doomed words") && !after.says("doomed"));
    for (id, title, segments) in [
        (kept, "kept", 12),
        (waiting, "waiting", 3),
        (ran, "running", 4),
        (later, "later", 2),
    ] {
        assert_eq!(after.count(id, Kind::Sound), segments as usize, "{title}");
        assert_whole(open, id, title, segments);
    }
    assert!(after.says("the kept words"));

    // The search would have found it: a copy of the two root files from before
    // is all that it takes.
    for (name, bytes) in ["old root.a", "old root.b"].iter().zip(roots_before) {
        evidence.add(name, bytes);
    }
    let with_an_old_copy = read_all(&evidence, &[PASSPHRASE]);
    assert_eq!(with_an_old_copy.count(doomed, Kind::Sound), 12);
    assert!(with_an_old_copy.says("the doomed words"));
}

#[test]
fn a_recording_shredded_before_it_was_ever_merged_is_gone_as_well() {
    let watched = Watched::new();
    let (open, locked) = (&watched.open, watched.locked());
    let doomed = record(&locked, "doomed", 3);
    let interrupted = library::begin(&locked, "interrupted", 3);
    let interrupted_id = interrupted.id();
    drop(interrupted);

    let before = watched.attack(&[PASSPHRASE]);
    assert_eq!(before.count(doomed, Kind::Sound), 3);
    assert_eq!(before.count(interrupted_id, Kind::Sound), 3);

    open.shred(
        &[doomed, interrupted_id],
        ShredScope::Everything,
        &mut |_, _| {},
    )
    .unwrap();

    let after = watched.attack(&[PASSPHRASE]);
    assert!(!after.reaches(doomed) && !after.reaches(interrupted_id));
    open.merge().unwrap();
    assert!(open.recordings().unwrap().is_empty());
}

#[test]
fn shredded_sound_is_gone_and_the_words_stay() {
    let watched = Watched::new();
    let (open, locked) = (&watched.open, watched.locked());
    let id = record(&locked, "an interview", 12);
    open.merge().unwrap();
    furnish(open, id, "what was said");

    open.shred(&[id], ShredScope::Sound, &mut |_, _| {})
        .unwrap();

    let after = watched.attack(&[PASSPHRASE]);
    assert_eq!(after.count(id, Kind::Sound), 0);
    assert_eq!(after.count(id, Kind::Words), 1);
    assert_eq!(open.transcript(id, 1).unwrap().text(), "what was said");
    assert_eq!(open.recording(id).unwrap().audio_bytes, 0);
    assert!(open.sound(id).is_err());
    // The key that sealed the sound was in the inbox file too, beside the
    // others: it must not have stayed reachable there.
    let sealed_sound = watched.evidence().frames_of(id).len();
    assert!(sealed_sound > 12, "the sealed sound is there to be tried");
}

#[test]
fn an_old_passphrase_opens_nothing_that_is_in_the_directory() {
    let watched = Watched::new();
    let (dir, open) = (watched.dir(), &watched.open);
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
    let both = watched.attack(&[PASSPHRASE, "another passphrase entirely"]);
    assert_eq!(both.count(id, Kind::Sound), 3);
    assert!(!both.reaches(shredded));
}

#[test]
fn a_recovery_key_that_was_removed_opens_nothing_that_is_in_the_directory() {
    let watched = Watched::new();
    let (dir, open) = (watched.dir(), &watched.open);
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
    assert!(!watched.attack(&[&identity]).reaches(id));
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

    let mut evidence = Evidence::of_directory(&home.vault());
    trace.testify(&home, &mut evidence);
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
    assert!(old.says("a marked note"));
}

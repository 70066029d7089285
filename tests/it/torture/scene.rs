//! A vault with something of everything, to be worked on in fresh copies, and
//! what has to hold of it whatever became of the work.

use std::fs;
use std::path::PathBuf;

use voxvault::recording::RecordingId;
use voxvault::vault::frame::Kind;
use voxvault::vault::{Error, OpenVault, ShredScope, Vault};

use crate::support::forensic::{Evidence, Findings, read_all};
use crate::support::library::{self, record, transcript};
use crate::support::prepared::copy_dir;
use crate::support::sound::Pcm;
use crate::support::spy::Spy;
use crate::support::strace::Trace;
use crate::support::tally::of_the_shredded;
use crate::support::{Home, PASSPHRASE};

/// The passphrase that `passwd` changes to.
pub(super) const NEW_PASSPHRASE: &str = "another passphrase entirely";

/// Two merged recordings with words, one that waits in the inbox, and one whose
/// recorder was killed.
pub(super) struct Scene {
    pub(super) home: Home,
    /// What was ever written to it before the work begins.
    spy: Spy,
    before: PathBuf,
    pub(super) doomed: RecordingId,
    pub(super) kept: RecordingId,
    waiting: RecordingId,
    interrupted: RecordingId,
}

impl Scene {
    /// In memory: what is tried on it proves nothing by a sync.
    pub(super) fn new() -> Self {
        let home = Home::in_memory();
        home.write("new-passphrase", NEW_PASSPHRASE.as_bytes());
        home.write("tone.wav", &Pcm::tone(16_000, 2.0).wav());
        let before = home.path("before");
        let spy = Spy::watching();
        let open = library::init(library::site(&before, spy.clone()));
        let doomed = record(open.vault(), "doomed", 11);
        let kept = record(open.vault(), "kept", 2);
        // A child that another thread is just starting has the recorder's lock as well,
        // until it is another program: the recorder seems to run still.
        for _ in 0..1_000 {
            open.merge().unwrap();
            if [doomed, kept].iter().all(|id| open.recording(*id).is_ok()) {
                break;
            }
        }
        for (id, words) in [(doomed, "the doomed words"), (kept, "the kept words")] {
            open.add_transcript(id, 0, &transcript(words)).unwrap();
        }
        let waiting = record(open.vault(), "waiting", 2);
        let interrupted = library::begin(open.vault(), "interrupted", 2).id();
        let scene = Self {
            home,
            spy,
            before,
            doomed,
            kept,
            waiting,
            interrupted,
        };
        scene.reset();
        scene
    }

    /// The vault as it was before anything was tried on it.
    pub(super) fn reset(&self) {
        for left in [self.home.vault(), self.home.path("state/voxvault")] {
            fs::remove_dir_all(left).ok();
        }
        copy_dir(&self.before, &self.home.vault());
    }

    /// The next start. Which of the two passphrases opens it is told as well.
    pub(super) fn restart(&self, what: &str) -> (OpenVault, &'static str) {
        let vault = Vault::open(&self.home.vault())
            .unwrap_or_else(|error| panic!("{what}: can't be opened: {error}"));
        let mut opened = Vec::new();
        for with in [PASSPHRASE, NEW_PASSPHRASE] {
            match vault.unlock(&library::passphrase(with)) {
                Ok(open) => opened.push((open, with)),
                Err(Error::WrongPassphrase { .. }) => {}
                Err(error) => panic!("{what}: can't be unlocked: {error}"),
            }
        }
        assert_eq!(opened.len(), 1, "{what}: so many passphrases open it");
        let (open, with) = opened.remove(0);
        let report = open
            .merge()
            .unwrap_or_else(|error| panic!("{what}: can't be merged: {error}"));
        assert!(report.refused.is_empty(), "{what}: {report:?}");
        assert!(report.damaged.is_empty(), "{what}: {report:?}");
        assert!(report.running.is_empty(), "{what}: {report:?}");
        (open, with)
    }

    /// Everything but the doomed one is there, whatever happened.
    pub(super) fn assert_rest(&self, open: &OpenVault, what: &str) {
        for (id, title) in [
            (self.kept, "kept"),
            (self.waiting, "waiting"),
            (self.interrupted, "interrupted"),
        ] {
            assert_titled(open, id, &[title], 2, what);
        }
        let words = open.transcript(self.kept, 1).unwrap().text();
        assert_eq!(words, "the kept words", "{what}");
    }

    /// The doomed one is there whole, under one of these titles.
    pub(super) fn assert_doomed(&self, open: &OpenVault, titles: &[&str], what: &str) {
        assert_titled(open, self.doomed, titles, 11, what);
        let words = open.transcript(self.doomed, 1).unwrap().text();
        assert_eq!(words, "the doomed words", "{what}");
    }

    /// Shreds the doomed one for good, as its owner does when he was told that
    /// the first time was not final, or not told anything.
    pub(super) fn shred_again(&self, open: &OpenVault, what: &str) {
        let receipt = open
            .shred(&[self.doomed], ShredScope::Everything, &mut |_, _| {})
            .unwrap_or_else(|error| panic!("{what}: can't be shredded again: {error}"));
        assert_eq!(receipt.not_final, None, "{what}");
    }

    /// What somebody gets at who has the passphrases, every byte of the
    /// directory, and every byte that was ever written to it, but for roots.
    pub(super) fn attack(&self, trace: Option<&Trace>) -> Findings {
        let mut evidence = Evidence::of_directory(&self.home.vault());
        self.spy.testify(&mut evidence);
        if let Some(trace) = trace {
            trace.testify(&self.home, &mut evidence);
        }
        assert!(
            !evidence.frames_of(self.doomed).is_empty(),
            "its sealed bytes are there to be tried"
        );
        let found = read_all(&evidence, &[PASSPHRASE, NEW_PASSPHRASE]);
        assert_eq!(
            found.count(self.kept, Kind::Sound),
            2,
            "the attacker does not even find what is there"
        );
        found
    }

    /// Nothing of the doomed one can be got at.
    pub(super) fn assert_gone(&self, trace: Option<&Trace>, what: &str) {
        let found = self.attack(trace);
        let records = found.records.get(&self.doomed);
        of_the_shredded(|| assert!(!found.reaches(self.doomed), "{what}: {records:?}"));
    }
}

fn assert_titled(open: &OpenVault, id: RecordingId, titles: &[&str], segments: u32, what: &str) {
    let card = open
        .recording(id)
        .unwrap_or_else(|error| panic!("{what}: {titles:?}: {error}"))
        .card;
    assert!(titles.contains(&&*card.title), "{what}: {}", card.title);
    // Its sound was made for the first of its titles.
    let mut sound = open.sound(id).unwrap();
    for number in 0..segments {
        let segment = sound
            .next_segment()
            .unwrap_or_else(|error| panic!("{what}: {titles:?}: {error}"))
            .unwrap_or_else(|| panic!("{what}: {titles:?} ends before segment {number}"));
        let spoken = library::packets(titles[0], number);
        assert_eq!(*segment.packets, spoken, "{what}: {titles:?}, {number}");
    }
    assert!(sound.next_segment().unwrap().is_none(), "{what}");
}

//! A vault of the real program all of whose writes are seen, and the attacker who
//! has them: with the passphrases, every byte of the directory, and every byte that
//! any process ever wrote to it but for root slots.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::time::Duration;

use voxvault::recording::RecordingId;
use voxvault::vault::Vault;

use super::scene::NEW_PASSPHRASE;
use super::sound::steps;
use crate::support::forensic::{Evidence, Findings, read_all};
use crate::support::prepared::make_quick_vault;
use crate::support::spy::Spy;
use crate::support::strace::Trace;
use crate::support::tally::of_the_shredded;
use crate::support::{Finished, Home, PASSPHRASE, Running, Voxvault, eventually, library};

/// A vault all of whose writes are seen.
pub(super) struct Watched {
    pub(super) home: Home,
    pub(super) trace: Mutex<Trace>,
    /// What the test itself writes, through the library.
    spy: Spy,
}

impl Watched {
    /// An empty vault; `None`, after saying so, where there is no strace.
    pub(super) fn new() -> Option<Self> {
        let home = Home::in_memory();
        make_quick_vault(&home.vault());
        home.write("new-passphrase", NEW_PASSPHRASE.as_bytes());
        let trace = Mutex::new(Trace::new(&home, "trace")?);
        let spy = Spy::watching();
        Some(Self { home, trace, spy })
    }

    pub(super) fn watch(&self, run: Voxvault) -> Voxvault {
        self.trace.lock().unwrap().watch(run)
    }

    pub(super) fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Finished {
        self.watch(self.home.voxvault(args)).run()
    }

    /// Takes in so many seconds of sound under a title.
    pub(super) fn import(&self, title: &str, seconds: f64) -> RecordingId {
        let file = format!("{title}.wav");
        self.home.write(&file, &steps(seconds).wav());
        id_of(&self.run(["import", "--no-transcribe", &file]).ok())
    }

    /// A recorder whose input stays open.
    pub(super) fn begin(&self, title: &str) -> Running {
        let record = ["record", "-", "--format", "s16le", "--title", title];
        self.watch(self.home.voxvault(record).locked())
            .spawn_with_open_stdin()
    }

    /// Gives a recording a transcript that says this.
    pub(super) fn transcribe(&self, id: RecordingId, words: &str) {
        let site = library::site(&self.home.vault(), self.spy.clone());
        let vault = Vault::open_at(site).unwrap();
        let open = vault.unlock(&library::passphrase(PASSPHRASE)).unwrap();
        open.add_transcript(id, 0, &library::transcript(words))
            .unwrap();
    }

    pub(super) fn shred(&self, id: RecordingId) -> Finished {
        self.run(["shred", &id.to_string(), "--yes"])
    }

    pub(super) fn attack(&self) -> Findings {
        let mut evidence = Evidence::of_directory(&self.home.vault());
        let trace = self.trace.lock().unwrap();
        trace.testify(&self.home, &mut evidence);
        drop(trace);
        self.spy.testify(&mut evidence);
        read_all(&evidence, &[PASSPHRASE, NEW_PASSPHRASE])
    }

    /// Ids and lengths of what is there, as the next start tells.
    pub(super) fn listed(&self) -> BTreeMap<RecordingId, f64> {
        let list = self.home.list();
        let entry = |one: &serde_json::Value| {
            let id = one["id"].as_str().unwrap().parse().unwrap();
            (id, one["duration_s"].as_f64().unwrap())
        };
        list.iter().map(entry).collect()
    }

    /// Waits until so many segments of recordings in progress are on the disk.
    pub(super) fn wait_for_segments(&self, count: u64) {
        eventually("sound is on the disk", Duration::from_secs(30), || {
            let vault = Vault::open(&self.home.vault()).unwrap();
            let inbox = vault.inbox().unwrap();
            let running = inbox.iter().filter(|entry| entry.running);
            (running.map(|entry| entry.segments).sum::<u64>() >= count).then_some(())
        });
    }
}

pub(super) fn id_of(ended: &Finished) -> RecordingId {
    let text = ended.text();
    let id = text.lines().next().unwrap_or_else(|| panic!("{ended}"));
    id.parse().unwrap()
}

pub(super) fn assert_gone(found: &Findings, id: RecordingId, what: &str) {
    let records = found.records.get(&id);
    of_the_shredded(|| assert!(!found.reaches(id), "{what}: {records:?}"));
}

/// Segments of a sound so long.
pub(super) fn segments(seconds: f64) -> usize {
    (seconds / 0.8).ceil() as usize
}

/// The same for sound of any length. The samples that a decoder drops at the start,
/// 6.5 ms of them, may take another segment; in what was interrupted they don't.
pub(super) fn segments_of_any(seconds: f64) -> RangeInclusive<usize> {
    segments(seconds)..=segments(seconds + 0.0065)
}

//! Promises of verify and repair, on a disk in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and figures are for who reads them"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Flaw, Verified};
use crate::crypto::{Passphrase, WorkFactor};
use crate::error::{Exit, Failure};
use crate::recording::{Moment, RecordingId};
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::ground::site::{NoObserver, Site};
use crate::vault::init::{InitOptions, Placement};
use crate::vault::tests::{
    assert_sound, moment, packets, passphrase, record, stopped_clock, transcript,
};
use crate::vault::{OpenVault, Result, Vault};

use crate::vault::torture::tally;

mod bad_sector;
mod exchanged;
mod kept;
mod last_change;
mod rolled_back;
mod torture;
mod usable;
mod waiting;

const DIR: &str = "/vault";

fn site(disk: &SimDisk) -> Site {
    Site {
        disk: Arc::new(disk.clone()),
        dir: DIR.into(),
        state_dir: None,
        observer: Arc::new(NoObserver),
        clock: stopped_clock(),
    }
}

fn open(disk: &SimDisk) -> Result<OpenVault> {
    Vault::open_at(site(disk))?.unlock(&passphrase())
}

fn new_vault(disk: &SimDisk) -> OpenVault {
    let options = InitOptions {
        placement: Placement::Anywhere,
        work: WorkFactor::NONE,
    };
    Vault::init_at(site(disk), &passphrase(), options).unwrap()
}

fn verify(open: &OpenVault) -> Verified {
    open.verify(&|_, _| ()).unwrap()
}

fn now() -> Moment {
    moment(1_763_900_000_000)
}

fn repair(open: &OpenVault) -> Verified {
    open.repair(now(), &|_, _| ()).unwrap()
}

/// A small vault: two merged recordings with a transcript each, one that waits.
struct Small {
    disk: SimDisk,
    merged: [(RecordingId, u8, u32); 2],
    waiting: (RecordingId, u8, u32),
}

impl Small {
    fn new() -> Self {
        let disk = SimDisk::default();
        let open = new_vault(&disk);
        let merged = [(1, 12), (2, 3)].map(|(recording, segments)| {
            let id = record(open.vault(), recording, segments);
            (id, recording, segments)
        });
        open.merge().unwrap();
        for (id, recording, _) in merged {
            let text = transcript(&format!("said in {recording}"));
            open.add_transcript(id, 0, &text).unwrap();
        }
        let waiting = (record(open.vault(), 3, 2), 3, 2);
        Self {
            disk,
            merged,
            waiting,
        }
    }

    fn all(&self) -> [(RecordingId, u8, u32); 3] {
        [self.merged[0], self.merged[1], self.waiting]
    }

    /// The vault on another disk, with this done to a file of it.
    fn with(&self, file: &Path, change: impl FnOnce(&mut Vec<u8>)) -> SimDisk {
        let disk = self.disk.fork();
        disk.tamper(file, change);
        disk
    }
}

/// What a recording gives to who reads all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whole {
    /// All of it, as it was recorded and written.
    All,
    /// Not all of it; what it gives is right.
    Part,
}

/// Reads all of a recording. Nothing that it gives is wrong: that is asserted.
fn read(open: &OpenVault, (id, recording, segments): (RecordingId, u8, u32)) -> Whole {
    let mut whole = Whole::All;
    match open.recording(id) {
        Ok(found) if found.card.title == format!("recording {recording}") => {}
        _ => whole = Whole::Part,
    }
    let Ok(mut sound) = open.sound(id) else {
        return Whole::Part;
    };
    for segment in 0..segments {
        match sound.next_segment() {
            Ok(Some(read)) if read.packets.is_empty() => whole = Whole::Part,
            Ok(Some(read)) => assert_eq!(*read.packets, packets(recording, segment)),
            Ok(None) | Err(_) => whole = Whole::Part,
        }
    }
    if !matches!(sound.next_segment(), Ok(None)) {
        whole = Whole::Part;
    }
    if recording < 3 {
        match open.transcript(id, 1) {
            Ok(text) => assert_eq!(text.text(), format!("said in {recording}")),
            Err(_) => whole = Whole::Part,
        }
    }
    whole
}

#[test]
fn a_sound_vault_is_without_a_flaw_and_looking_changes_not_a_byte() {
    let small = Small::new();
    let open = open(&small.disk).unwrap();
    let before = small.disk.files();
    let verified = verify(&open);
    assert_eq!(verified.flaws, []);
    assert_eq!(verified.notes, [] as [String; 0]);
    assert_eq!(verified.recordings, 3);
    // Sound, words, cards; in the inbox keys, sound and card.
    assert_eq!(verified.records, 15 + 2 + 2 + 4);
    let bytes: usize = before.values().map(Vec::len).sum();
    assert_eq!(verified.bytes, bytes as u64);
    assert!(verified.idle_bytes > 0 && verified.idle_bytes < verified.bytes);
    assert!(before == small.disk.files(), "looking changed something");
}

#[test]
fn a_lost_segment_is_named_once_and_silence_stands_in_for_it() {
    let small = Small::new();
    let (id, recording, segments) = small.merged[0];
    let store = PathBuf::from(DIR).join("store.redb");
    let disk = small.with(&store, |bytes| {
        let places: Vec<usize> = crate::vault::scan::frames(bytes)
            .filter(|(_, frame)| {
                frame.facts.id == id
                    && frame.facts.kind == crate::vault::frame::Kind::Sound
                    && frame.facts.number == 4
            })
            .map(|(at, _)| at + 1000)
            .collect();
        assert!(!places.is_empty());
        places.iter().for_each(|at| bytes[*at] ^= 1);
    });
    let open = open(&disk).unwrap();
    let named = |verified: &Verified| {
        verified
            .flaws
            .iter()
            .any(|flaw| flaw.id == Some(id) && flaw.what.contains("segment 4 (3.2 s to 4.0 s)"))
    };
    assert!(named(&verify(&open)), "{:?}", verify(&open).flaws);
    let repaired = repair(&open);
    assert!(named(&repaired), "{:?}", repaired.flaws);
    for flaw in &repaired.flaws {
        assert_eq!(flaw.mended, flaw.id.is_none(), "{flaw:?}");
    }
    assert_eq!(verify(&open).flaws, [], "it is said once");
    let mut sound = open.sound(id).unwrap();
    for segment in 0..segments {
        let read = sound.next_segment().unwrap().expect("a segment");
        match segment {
            4 => assert!(read.packets.is_empty()),
            _ => assert_eq!(*read.packets, packets(recording, segment)),
        }
    }
    assert!(sound.next_segment().unwrap().is_none());
    let gaps = open.recording(id).unwrap().card.gaps;
    assert_eq!((gaps.len(), gaps[0].at_sample), (1, 4 * 38_400));
    for other in [small.merged[1], small.waiting] {
        assert_eq!(read(&open, other), Whole::All);
    }
}

#[test]
fn a_repair_without_room_changes_nothing_and_ends_with_9() {
    let small = Small::new();
    let store = PathBuf::from(DIR).join("store.redb");
    let disk = small.with(&store, |bytes| bytes[0] ^= 1);
    let open = open(&disk).unwrap();
    let before = disk.files();
    disk.leave_room(100_000);
    let error = open.repair(now(), &|_, _| ()).unwrap_err();
    let failure = Failure::from(error);
    assert_eq!(failure.exit, Exit::NoSpace);
    let hint = failure.hint.unwrap();
    assert!(hint.contains("run it again"), "{hint}");
    assert!(!hint.contains("recorded"), "nothing was: {hint}");
    assert!(before == disk.files());
    disk.leave_room(100_000_000);
    assert!(repair(&open).flaws.iter().all(|flaw| flaw.mended));
    for one in small.all() {
        assert_eq!(read(&open, one), Whole::All);
    }
}

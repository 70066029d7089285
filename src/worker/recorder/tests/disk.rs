//! A disk that becomes full while something is recorded.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{now, only, vault_on};
use crate::audio::simulated;
use crate::error::Exit;
use crate::recording::State;
use crate::vault::Vault;
use crate::vault::disk::{Access, Disk, DiskFile, Hold, RealDisk};
use crate::worker::recorder::{Options, Phase, Recorder};

/// The machine's disk, with as much room as a test leaves.
#[derive(Debug, Clone)]
struct Scarce(Arc<Room>);

#[derive(Debug)]
struct Room {
    bytes: AtomicU64,
    /// Whether it says how much is left, as a quota does not.
    tells: AtomicBool,
    writing: Mutex<()>,
}

impl Scarce {
    fn plenty() -> Self {
        Self(Arc::new(Room {
            bytes: AtomicU64::new(1 << 40),
            tells: AtomicBool::new(true),
            writing: Mutex::new(()),
        }))
    }

    fn leave(&self, bytes: u64) {
        self.0.bytes.store(bytes, Ordering::SeqCst);
    }

    fn hide(&self) {
        self.0.tells.store(false, Ordering::SeqCst);
    }
}

impl Disk for Scarce {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let file = RealDisk.open(path, access)?;
        Ok(Box::new(ScarceFile {
            file,
            room: Arc::clone(&self.0),
        }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        RealDisk.unlink(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }
    fn make_private(&self, path: &Path) -> io::Result<()> {
        RealDisk.make_private(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }
    fn space(&self, _dir: &Path) -> io::Result<u64> {
        match self.0.tells.load(Ordering::SeqCst) {
            true => Ok(self.0.bytes.load(Ordering::SeqCst)),
            false => Ok(1 << 40),
        }
    }
}

#[derive(Debug)]
struct ScarceFile {
    file: Box<dyn DiskFile>,
    room: Arc<Room>,
}

impl ScarceFile {
    fn grow(&self, length: u64, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let _one_at_a_time = self.room.writing.lock().unwrap();
        let more = length.saturating_sub(self.file.len()?);
        let left = self.room.bytes.load(Ordering::SeqCst);
        if more > left {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room.bytes.fetch_sub(more, Ordering::SeqCst);
        write()
    }
}

impl DiskFile for ScarceFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, bytes)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let write = || self.file.write_at(offset, bytes);
        self.grow(offset + bytes.len() as u64, write)
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        self.grow(length, || self.file.set_len(length))
    }
    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
    fn try_lock(&self, hold: Hold) -> io::Result<bool> {
        self.file.try_lock(hold)
    }
}

fn start(vault: &Vault, seconds: u64) -> (Recorder, simulated::Speaker) {
    let (microphone, speaker) = simulated::microphone(seconds);
    let options = Options::default();
    let recorder =
        Recorder::listen(vault, Box::new(microphone), options, Box::new(now), None).unwrap();
    (recorder, speaker)
}

fn wait_for(recorder: &Recorder, what: &str, is_so: impl Fn(&Recorder) -> bool) {
    for _ in 0..6_000 {
        if is_so(recorder) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{what}: {:?}", recorder.status());
}

fn is_full(recorder: &Recorder) -> bool {
    recorder.status().phase == Phase::DiskFull
}

fn has(recorder: &Recorder, seconds: f64) -> bool {
    recorder.status().elapsed_s >= seconds
}

#[test]
fn a_full_disk_ends_a_recording_and_all_before_is_kept_and_merges_later() {
    for tells in [true, false] {
        let disk = Scarce::plenty();
        let (_dir, open) = vault_on(disk.clone());
        let (recorder, _speaker) = start(open.vault(), 600);
        if !tells {
            disk.hide();
        }
        disk.leave(100_000);
        wait_for(&recorder, "it is said at once", is_full);
        // The clock stands where the sound on the disk ends.
        let shown_s = recorder.status().elapsed_s;
        wait_for(&recorder, "it ends", |recorder| recorder.status().has_ended);
        let recorded = recorder.stop().unwrap();
        assert_eq!(recorded.state, State::Interrupted);
        assert!((recorded.duration.as_secs_f64() - shown_s).abs() < 1e-6);
        let failure = recorded.shortfall.unwrap();
        assert_eq!(failure.exit, Exit::NoSpace);
        assert_eq!(failure.why, "the disk is full");
        // 100,000 bytes hold 34 segments of 2,800, sealed.
        assert!((24.0..28.0).contains(&shown_s), "{shown_s}");

        disk.leave(1 << 30);
        let recording = only(&open);
        assert_eq!(recording.id, recorded.id);
        assert_eq!(recording.card.duration(), recorded.duration);
        assert_eq!(recording.state(), State::Interrupted);
    }
}

#[test]
fn room_that_is_made_in_time_costs_not_a_sample() {
    let disk = Scarce::plenty();
    let (_dir, open) = vault_on(disk.clone());
    let (recorder, speaker) = start(open.vault(), 120);
    disk.leave(50_000);
    wait_for(&recorder, "it is full", is_full);
    let kept_s = recorder.status().elapsed_s;
    disk.leave(1 << 30);
    wait_for(&recorder, "it goes on", |recorder| has(recorder, 120.0));
    assert!(kept_s < 60.0, "{kept_s}");
    let recorded = recorder.stop().unwrap();
    assert!(recorded.shortfall.is_none());
    assert_eq!(recorded.state, State::Pending);
    let card = only(&open).card;
    assert_eq!((card.samples, card.gaps), (speaker.delivered(), vec![]));
}

#[test]
fn what_is_left_is_told_in_the_sound_that_it_holds() {
    let disk = Scarce::plenty();
    let (_dir, open) = vault_on(disk.clone());
    let (recorder, _speaker) = start(open.vault(), 60);
    wait_for(&recorder, "all is in", |recorder| has(recorder, 60.0));
    disk.leave(1_000_000);
    // An earlier figure may still be there.
    wait_for(&recorder, "it is told", |recorder| {
        let left = recorder.status().space_left.unwrap().as_secs();
        // 2,800 bytes of sound and what seals it, every 0.8 s, and drafts.
        (240..290).contains(&left)
    });
    recorder.stop().unwrap();
}

#[test]
fn nothing_is_begun_without_room() {
    let disk = Scarce::plenty();
    let (dir, open) = vault_on(disk.clone());
    disk.leave(10_000);
    let (microphone, _speaker) = simulated::microphone(5);
    let options = Options::default();
    let begun = Recorder::listen(
        open.vault(),
        Box::new(microphone),
        options,
        Box::new(now),
        None,
    );
    let failure = begun.err().unwrap();
    assert_eq!(failure.exit, Exit::NoSpace);
    let inbox = dir.path().join("vault/inbox");
    assert_eq!(inbox.read_dir().map_or(0, Iterator::count), 0);
}

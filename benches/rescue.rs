//! How long it takes to build a damaged store anew: a vault of ten years, ten
//! short recordings a day.
//!
//! Makes a store of 36,500 recordings, wipes the page from which redb would find
//! its tree, and has it built anew by scanning for sealed records. `cat` and
//! `sha256sum` read the same file in the same run. `RESCUE_RECORDINGS` makes it
//! smaller. Nothing is synced while the vault is made, which is not what is timed.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench is a program that reports"
)]

mod support;

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use support::{fill, init, report_rate, timed, transcript, unlock};
use voxvault::vault::OpenVault;
use voxvault::vault::disk::{Access, Disk, DiskFile, Hold, RealDisk};
use voxvault::vault::site::Site;

const RECORDINGS: usize = 36_500;
const SEGMENTS: u32 = 3;

fn main() {
    let recordings = std::env::var("RESCUE_RECORDINGS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(RECORDINGS);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("vault");
    let store = dir.join("store.redb");
    let (open, took) = timed(|| make(&dir, recordings));
    let bytes = fs::metadata(&store).unwrap().len();
    println!(
        "{recordings} recordings of {SEGMENTS} segments: a store of {} MB, made in {took:.0?}",
        bytes >> 20
    );

    let (sound, took) = timed(|| open.verify(&|_, _| ()).unwrap());
    assert!(sound.flaws.is_empty());
    report_rate("verify, sound", bytes, took);

    // The first page says where the tree begins; another one lies in the middle.
    let mut damaged = fs::read(&store).unwrap();
    damaged[..4096].fill(0);
    fs::write(&store, &damaged).unwrap();
    drop(damaged);

    for peer in ["cat", "sha256sum"] {
        let run = || {
            Command::new(peer)
                .arg(&store)
                .stdout(Stdio::null())
                .status()
        };
        // Once for the page cache.
        match run().map(|_| timed(run)) {
            Ok((_, took)) => report_rate(peer, bytes, took),
            Err(error) => println!("{peer}: {error}"),
        }
    }
    let open = unlock(site(&dir));
    let (rescued, took) = timed(|| open.rebuild_store().unwrap());
    report_rate("rescue", bytes, took);
    println!(
        "{} records, peak memory of all of it {} MB",
        rescued.records,
        peak_kb() / 1024
    );
    let (after, took) = timed(|| open.verify(&|_, _| ()).unwrap());
    report_rate("verify, rescued", fs::metadata(&store).unwrap().len(), took);
    assert!(after.flaws.is_empty(), "{:?}", after.flaws);
    assert_eq!(after.recordings, recordings as u64);
}

fn peak_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

fn site(dir: &Path) -> Site {
    Site {
        disk: Arc::new(Unsynced),
        ..Site::new(dir, None)
    }
}

fn make(dir: &Path, recordings: usize) -> OpenVault {
    let open = init(site(dir));
    let ids = fill(&open, 0..recordings, SEGMENTS);
    // Every twentieth has a transcript: each is a commit of its own.
    for id in ids.iter().step_by(20) {
        let text = transcript(SEGMENTS, 200);
        open.add_transcript(*id, 0, &text).unwrap();
    }
    open
}

/// The machine's own disk, on which nothing is ever synced.
#[derive(Debug)]
struct Unsynced;

#[derive(Debug)]
struct UnsyncedFile(Box<dyn DiskFile>);

impl Disk for Unsynced {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(UnsyncedFile(RealDisk.open(path, access)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        RealDisk.unlink(path)
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
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
}

impl DiskFile for UnsyncedFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, bytes)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self, hold: Hold) -> io::Result<bool> {
        self.0.try_lock(hold)
    }
}

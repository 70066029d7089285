//! What it costs to destroy one recording: in a vault of three months and of ten
//! years, with little sound in it and with much.
//!
//! Each vault is filled through the recorder and the merge, without waiting for the
//! disk; then one recording after the other is shredded and timed, with every sync
//! real. The peer is the disk itself, in the same run: as many bare writes of the
//! same sizes, each synced, and GNU shred over a file of a recording's size.
//! `VOXVAULT_BENCH_DIR` says on which disk; `VOXVAULT_BENCH_SMALL` leaves the large
//! vaults out, `VOXVAULT_BENCH_VAULT=36500x1` takes one of them alone. With
//! `VOXVAULT_BENCH_KEEP` they are filled into that directory, and taken from there,
//! less what was shredded, the next time.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench is a program that reports"
)]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::{fill, init, samples, unlock};
use voxvault::recording::{Recording, RecordingId};
use voxvault::vault::disk::{Access, Disk, DiskFile, Hold, RealDisk};
use voxvault::vault::site::Site;
use voxvault::vault::{OpenVault, ShredScope};

/// Recordings, and segments of 0.8 s in each.
const VAULTS: [(usize, u32); 4] = [(1_000, 1), (1_000, 300), (36_500, 1), (36_500, 20)];
/// Shreds that are timed in each vault.
const SHREDS: usize = 100;
/// Segments of an hour.
const HOUR: u32 = 4_500;

fn main() {
    let base =
        std::env::var_os("VOXVAULT_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let small = std::env::var_os("VOXVAULT_BENCH_SMALL").is_some();
    let only = std::env::var("VOXVAULT_BENCH_VAULT").ok();
    let keep = std::env::var_os("VOXVAULT_BENCH_KEEP").map(PathBuf::from);
    for (recordings, segments) in VAULTS {
        let name = format!("{recordings}x{segments}");
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        if small && recordings * segments as usize > 1_000 {
            continue;
        }
        if let Some(keep) = &keep {
            measure(&keep.join(name), recordings, segments);
            continue;
        }
        let dir = tempfile::tempdir_in(&base).unwrap();
        measure(dir.path(), recordings, segments);
    }
    against_gnu_shred(&base);
}

fn measure(dir: &Path, recordings: usize, segments: u32) {
    let meter = Meter::default();
    let site = Site {
        disk: Arc::new(meter.clone()),
        ..Site::new(&dir.join("vault"), Some(dir.join("state")))
    };
    let began = Instant::now();
    if !site.dir.exists() {
        let open = init(site.clone());
        fill(&open, 0..recordings, segments);
        fill(&open, recordings..recordings + 3, HOUR);
        drop(open);
        rustix::fs::sync();
    }
    let store = fs::metadata(site.dir.join("store.redb")).unwrap().len();
    println!(
        "\n{recordings} recordings of {segments} segments, store of {} MB (filled in {:.0?})",
        store >> 20,
        began.elapsed()
    );

    meter.count();
    let open = unlock(site);
    let listed = open.recordings().unwrap();
    let is_hour = |one: &&Recording| one.card.samples == samples(HOUR);
    let hour = listed.iter().find(is_hour).map(|one| one.id);
    let ids: Vec<_> = listed.iter().filter(|one| !is_hour(one)).collect();
    println!("  {} recordings in it", listed.len());
    let mut ids = ids.into_iter().map(|one| one.id);
    let mut shred_next = || {
        let id = ids.next().unwrap();
        let _ = meter.take();
        time(|| shred(&open, id))
    };
    println!(
        "  the first of a process, which looks the store through: {:.1?}",
        shred_next()
    );
    let mut times: Vec<Duration> = (0..SHREDS).map(|_| shred_next()).collect();
    let last = meter.take();
    report("shred of one recording", &mut times);
    let waited: Duration = last.iter().map(|sync| sync.took).sum();
    let bytes: usize = last.iter().map(|sync| sync.bytes).sum();
    println!(
        "  of which the last: {} syncs, {} KB written, {:.1?} in syncs",
        last.len(),
        bytes >> 10,
        waited
    );
    let mut bare: Vec<Duration> = (0..SHREDS / 4).map(|_| bare(dir, &last)).collect();
    report("the peer: the same writes and syncs, bare", &mut bare);
    if let Some(hour) = hour {
        let took = time(|| shred(&open, hour));
        println!("  shred of a recording of an hour: {took:.1?}");
    }
}

fn shred(open: &OpenVault, id: RecordingId) {
    let receipt = open
        .shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    assert!(receipt.not_final.is_none(), "{receipt:?}");
}

/// Writes and syncs as many bytes as often, into files of their own.
fn bare(dir: &Path, syncs: &[Sync]) -> Duration {
    let path = |number: usize| dir.join(format!("bare.{number}"));
    let noise = vec![0xa5; syncs.iter().map(|sync| sync.bytes).max().unwrap_or(0)];
    let took = time(|| {
        for (number, sync) in syncs.iter().enumerate() {
            let mut options = OpenOptions::new();
            let file = options
                .create(true)
                .truncate(false)
                .write(true)
                .open(path(number));
            let file = file.unwrap();
            file.write_all_at(&noise[..sync.bytes], 0).unwrap();
            file.sync_all().unwrap();
        }
    });
    for number in 0..syncs.len() {
        fs::remove_file(path(number)).unwrap();
    }
    took
}

/// A file as large as an hour of sound, overwritten as GNU shred does it.
fn against_gnu_shred(base: &Path) {
    println!();
    for (name, segments) in [("16 s", 20), ("an hour", HOUR)] {
        let mut times = Vec::new();
        for _ in 0..10 {
            let file = tempfile::NamedTempFile::new_in(base).unwrap();
            let bytes = vec![0x5a; segments as usize * 3_081];
            file.as_file().write_all_at(&bytes, 0).unwrap();
            file.as_file().sync_all().unwrap();
            let path = file.into_temp_path().keep().unwrap();
            let began = Instant::now();
            match Command::new("shred").arg("-u").arg(&path).status() {
                Ok(status) if status.success() => times.push(began.elapsed()),
                _ => {
                    println!("GNU shred is not there: not compared");
                    fs::remove_file(path).unwrap();
                    return;
                }
            }
        }
        report(&format!("GNU shred -u of a file of {name}"), &mut times);
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    println!("  {what}: p50 {:.1?}, p99 {:.1?}", at(50), at(99));
}

/// One sync, and what was written before it.
#[derive(Debug)]
struct Sync {
    bytes: usize,
    took: Duration,
}

/// The machine's own disk, with what is asked of it counted. Until it counts it
/// lets every sync pass undone.
#[derive(Debug, Clone, Default)]
struct Meter(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    counts: AtomicBool,
    syncs: Mutex<(usize, Vec<Sync>)>,
}

impl Meter {
    fn count(&self) {
        self.0.counts.store(true, Ordering::SeqCst);
    }

    fn take(&self) -> Vec<Sync> {
        let mut syncs = self.0.syncs.lock().unwrap();
        syncs.0 = 0;
        std::mem::take(&mut syncs.1)
    }

    fn wrote(&self, bytes: usize) {
        self.0.syncs.lock().unwrap().0 += bytes;
    }

    fn sync(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if !self.0.counts.load(Ordering::SeqCst) {
            return Ok(());
        }
        let began = Instant::now();
        sync()?;
        let took = began.elapsed();
        let mut syncs = self.0.syncs.lock().unwrap();
        let bytes = std::mem::take(&mut syncs.0);
        syncs.1.push(Sync { bytes, took });
        Ok(())
    }
}

impl Disk for Meter {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(Metered {
            file: RealDisk.open(path, access)?,
            meter: self.clone(),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        RealDisk.unlink(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.sync(|| File::open(dir)?.sync_all())
    }

    fn sync_together(&self, files: &[&dyn DiskFile], dir: &Path) -> io::Result<()> {
        match self.0.counts.load(Ordering::SeqCst) {
            true => {
                RealDisk.sync_together(files, dir)?;
                // That of the directory; the files count themselves.
                self.sync(|| Ok(()))
            }
            false => Ok(()),
        }
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

#[derive(Debug)]
struct Metered {
    file: Box<dyn DiskFile>,
    meter: Meter,
}

impl DiskFile for Metered {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, bytes)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.meter.wrote(bytes.len());
        self.file.write_at(offset, bytes)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.meter.sync(|| self.file.sync())
    }

    fn try_lock(&self, hold: Hold) -> io::Result<bool> {
        self.file.try_lock(hold)
    }
}

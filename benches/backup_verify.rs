//! How fast a backup is verified, beside what `age` and `sha256sum` take for the same
//! bytes.
//!
//! Makes a vault of hours of sound, in memory where that can be had, and a backup of
//! it. `BACKUP_HOURS` is how many; 16 make about 200 MB. Everything is read once before
//! it is timed, so that the disk has no part in it. What is verified is what
//! `age -d | tar t` and `sha256sum` do together, and both hashes of every file.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench is a program that reports"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use voxvault::backup::verify::{Known, Opener, verify};
use voxvault::backup::write::{Order, Watch, to_folder};
use voxvault::backup::{Error, Trust};
use voxvault::crypto::{Passphrase, WorkFactor};
use voxvault::recording::{Card, Ending, Moment, SEGMENT_SAMPLES, Signal, Source};
use voxvault::vault::{InitOptions, OpenVault, Placement, Vault};

const HOURS: u32 = 16;

/// Segments of 0.8 s in an hour.
const SEGMENTS: u32 = 4_500;

const AT: Moment = Moment {
    unix_ms: 1_763_800_000_000,
    offset_s: 3600,
};

fn main() {
    let hours = std::env::var("BACKUP_HOURS").ok();
    let hours = hours.and_then(|text| text.parse().ok()).unwrap_or(HOURS);
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.unwrap();
    let vault = make(&folder.path().join("vault"), hours);
    let dir = folder.path().join("backup");
    let order = Order {
        recipients: Vec::new(),
        now: &|| AT,
    };
    let (_, took) = timed(|| to_folder(&vault, &dir, order, &Unwatched).unwrap());
    let segments = segments(&dir);
    let bytes: u64 = segments
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    println!(
        "{hours} hours in {} segments, {} MB",
        segments.len(),
        bytes / 1_000_000
    );
    report("backup", bytes, took);

    let keys = vault.backup_keys().unwrap();
    let identity = folder.path().join("identity");
    fs::write(&identity, keys.identities[0].to_text().as_bytes()).unwrap();
    let trust = Trust::Vault {
        vault: keys.vault,
        signer: keys.signer,
    };
    let known = Known {
        trust: &trust,
        backup: None,
    };
    let run = || verify(&dir, Opener::Vault(&keys.identities), known, &|_, _| ()).unwrap();
    assert_eq!(run().damage, []);
    let (_, own) = timed(run);
    report("verify", bytes, own);

    let list = segments.iter().map(|path| path.display().to_string());
    let list = list.collect::<Vec<_>>().join(" ");
    let identity = identity.display();
    let age = format!("for s in {list}; do age -d -i {identity} $s > /dev/null; done");
    let listed = format!("for s in {list}; do age -d -i {identity} $s | tar t > /dev/null; done");
    let hashed = format!("sha256sum {list} > /dev/null");
    for (name, script) in [
        ("age -d", age),
        ("age -d | tar t", listed),
        ("sha256sum", hashed),
    ] {
        if let Some(took) = shell(&script) {
            report(name, bytes, took);
            let share = took.as_secs_f64() / own.as_secs_f64() * 100.0;
            println!("{:>16}  verify is as fast as {share:.0} % of it", "");
        } else {
            println!("{name}: it can't be run here");
        }
    }
}

fn shell(script: &str) -> Option<Duration> {
    let run = || Command::new("sh").args(["-c", script]).status();
    // Once for the page cache.
    run().ok().filter(std::process::ExitStatus::success)?;
    Some(timed(run).1)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

fn report(what: &str, bytes: u64, took: Duration) {
    let rate = bytes as f64 / 1e6 / took.as_secs_f64();
    println!(
        "{what:>16}  {:>7.2} s  {rate:>6.0} MB/s",
        took.as_secs_f64()
    );
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".tar.age"))
        .collect();
    found.sort();
    found
}

fn make(dir: &Path, hours: u32) -> OpenVault {
    let options = InitOptions {
        placement: Placement::Anywhere,
        work: WorkFactor::NONE,
    };
    let secret = Passphrase::new("a bench has no secrets".to_owned());
    let open = Vault::init(dir, &secret, options).unwrap();
    for hour in 0..hours {
        let card = card(hour);
        let mut writer = open.vault().begin_copy(&card).unwrap();
        for segment in 0..SEGMENTS {
            let packets: Vec<u8> = (0..2_800_u32)
                .map(|at| (at.wrapping_mul(segment + 1) >> 3) as u8)
                .collect();
            writer.push(&packets, SEGMENT_SAMPLES).unwrap();
        }
        writer.finish(&card).unwrap();
    }
    assert_eq!(open.merge().unwrap().merged.len(), hours as usize);
    open
}

fn card(hour: u32) -> Card {
    Card {
        title: format!("hour {hour}"),
        recorded_at: AT,
        added_at: AT,
        tags: Vec::new(),
        note: String::new(),
        pinned: false,
        source: Source::Mic,
        device: None,
        samples: u64::from(SEGMENTS) * u64::from(SEGMENT_SAMPLES),
        pre_skip: 312,
        signal: Signal {
            peak_dbfs: -6.0,
            rms_dbfs: -24.0,
            silent_fraction: 0.0,
            clipped_fraction: 0.0,
        },
        gaps: Vec::new(),
        markers: Vec::new(),
        content_hash: None,
        ending: Ending::Complete,
        failure: None,
    }
}

/// Hears of nothing.
struct Unwatched;

impl Watch for Unwatched {
    fn done(&self, _bytes: u64, _of_bytes: u64) {}

    fn damaged(&self, error: Error) {
        println!("damaged: {error}");
    }

    fn note(&self, _message: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}

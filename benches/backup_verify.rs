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

mod support;

use std::fs;
use std::process::Command;
use std::time::Duration;

use support::{Unwatched, fill, init, moment, report_rate, segments_of, timed};

use voxvault::backup::Trust;
use voxvault::backup::verify::{Known, Opener, verify};
use voxvault::backup::write::{Order, to_folder};
use voxvault::vault::site::Site;

const HOURS: usize = 16;

/// Segments of 0.8 s in an hour.
const SEGMENTS: u32 = 4_500;

fn main() {
    let hours = std::env::var("BACKUP_HOURS").ok();
    let hours = hours.and_then(|text| text.parse().ok()).unwrap_or(HOURS);
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.unwrap();
    let vault = init(Site::new(&folder.path().join("vault"), None));
    fill(&vault, 0..hours, SEGMENTS);
    let dir = folder.path().join("backup");
    let order = Order::at(&|| moment(0));
    let (_, took) = timed(|| to_folder(&vault, &dir, order, &Unwatched).unwrap());
    let segments = segments_of(&dir);
    let bytes: u64 = segments
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    println!(
        "{hours} hours in {} segments, {} MB",
        segments.len(),
        bytes / 1_000_000
    );
    report_rate("backup", bytes, took);

    let keys = vault.backup_keys().unwrap();
    let identity = folder.path().join("identity");
    fs::write(&identity, keys.identities[0].to_text().as_bytes()).unwrap();
    let trust = Trust::Vault {
        vault: keys.vault,
        signer: keys.signer,
    };
    let known = Known {
        trust: &trust,
        own: None,
        opened: None,
    };
    let run = || verify(&dir, Opener::Vault(&keys.identities), known, &|_, _| ()).unwrap();
    assert_eq!(run().damage, []);
    let (_, own) = timed(run);
    report_rate("verify", bytes, own);

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
            report_rate(name, bytes, took);
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

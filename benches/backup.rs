//! What a backup costs: one new recording onto ten years of them (N7), and all of a
//! vault (N8, writing).
//!
//! The peer of the first is `age` over the bytes that were added, that of the second
//! `tar | age` over the same files, unpacked: in the same run, to the same disk.
//! `VOXVAULT_BENCH_DIR` says on which; `VOXVAULT_BENCH_SMALL` takes a tenth of
//! everything.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench is a program that reports"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use support::{Unwatched, fill, init, moment, segments_of, timed, transcript};
use voxvault::backup::write::{Order, Outcome, to_folder};
use voxvault::vault::OpenVault;
use voxvault::vault::site::Site;

/// Recordings of ten years, ten a day.
const MANY: usize = 36_500;
/// Segments of 0.8 s in each of these.
const SHORT: u32 = 20;
/// Recordings for the full backup, and segments in each: two minutes.
const FEW: usize = 600;
const LONG: u32 = 150;
/// Words of each transcript.
const WORDS: u32 = 200;
/// Runs of which the middle one counts.
const RUNS: usize = 5;
fn main() {
    let base =
        std::env::var_os("VOXVAULT_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let part = match std::env::var_os("VOXVAULT_BENCH_SMALL") {
        Some(_) => 10,
        None => 1,
    };
    whole(&base, FEW / part);
    one_more(&base, MANY / part);
}

/// N8: all of a vault.
fn whole(base: &Path, recordings: usize) {
    let dir = tempfile::tempdir_in(base).unwrap();
    let vault = vault(dir.path());
    for id in fill(&vault, 0..recordings, LONG) {
        vault
            .add_transcript(id, 0, &transcript(LONG, WORDS))
            .unwrap();
    }
    let (key, recipient) = keys(&vault, dir.path());
    let mut ours = Vec::new();
    for run in 0..RUNS {
        let folder = dir.path().join(format!("backup.{run}"));
        let (outcome, took) = timed(|| back_up(&vault, &folder));
        assert_eq!(outcome.holds, recordings);
        ours.push(took);
        if run + 1 < RUNS {
            fs::remove_dir_all(folder).unwrap();
        }
    }
    let folder = dir.path().join(format!("backup.{}", RUNS - 1));
    let plain = dir.path().join("plain");
    fs::create_dir(&plain).unwrap();
    for segment in segments_of(&folder) {
        let script = "age -d -i \"$1\" \"$2\" | tar x -C \"$3\"";
        shell(script, &[&key, &segment, &plain]);
    }
    let bytes: u64 = segments_of(&folder).iter().map(|path| length(path)).sum();
    println!(
        "\nfull backup: {recordings} recordings of {:.0} s with {WORDS} words each, {:.0} MB",
        f64::from(LONG) * 0.8,
        bytes as f64 / 1e6
    );
    let rate = |took: Duration| bytes as f64 / 1e6 / took.as_secs_f64();
    let ours = middle(ours);
    println!("  voxvault backup: {ours:.2?}, {:.0} MB/s", rate(ours));
    let out = dir.path().join("peer.tar.age");
    let theirs = |script: &str, args: &[&Path]| {
        let times = (0..RUNS).map(|_| timed(|| shell(script, args)).1);
        middle(times.collect())
    };
    let recipient = PathBuf::from(recipient);
    let script = "tar c -C \"$1\" . | age -r \"$2\" > \"$3\" && sync \"$3\"";
    let peer = theirs(script, &[&plain, &recipient, &out]);
    println!("  the peer, tar | age: {peer:.2?}, {:.0} MB/s", rate(peer));
    let tar = dir.path().join("peer.tar");
    shell("tar cf \"$2\" -C \"$1\" .", &[&plain, &tar]);
    let script = "age -r \"$2\" \"$1\" > \"$3\" && sync \"$3\"";
    let age = theirs(script, &[&tar, &recipient, &out]);
    println!("  the peer, age alone: {age:.2?}, {:.0} MB/s", rate(age));
    println!(
        "  of age's rate: {:.0} %; of tar | age's: {:.0} %",
        100.0 * age.as_secs_f64() / ours.as_secs_f64(),
        100.0 * peer.as_secs_f64() / ours.as_secs_f64()
    );
}

/// N7: one new recording onto many.
fn one_more(base: &Path, recordings: usize) {
    let dir = tempfile::tempdir_in(base).unwrap();
    let vault = vault(dir.path());
    fill(&vault, 0..recordings, SHORT);
    let folder = dir.path().join("backup");
    let (outcome, took) = timed(|| back_up(&vault, &folder));
    let (_, recipient) = keys(&vault, dir.path());
    println!(
        "\none new recording of {:.0} s onto {recordings} ({} segments, first run {took:.0?})",
        f64::from(SHORT) * 0.8,
        outcome.added.len()
    );
    let (mut times, mut added, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS {
        fill(&vault, recordings + run..recordings + run + 1, SHORT);
        let (outcome, took) = timed(|| back_up(&vault, &folder));
        assert_eq!(outcome.recordings, 1);
        times.push(took);
        let segment = segments_of(&folder).pop().unwrap();
        added.push(length(&segment));
        let out = dir.path().join("peer.age");
        let recipient = PathBuf::from(&recipient);
        let script = "age -r \"$2\" \"$1\" > \"$3\" && sync \"$3\"";
        peers.push(timed(|| shell(script, &[&segment, &recipient, &out])).1);
    }
    added.sort_unstable();
    println!(
        "  voxvault backup: {:.0?}, {} bytes written to the folder",
        middle(times),
        added[RUNS / 2]
    );
    println!("  the peer, age over those bytes: {:.0?}", middle(peers));
}

fn back_up(vault: &OpenVault, folder: &Path) -> Outcome {
    let order = Order::at(&|| moment(0));
    to_folder(vault, folder, order, &Unwatched).unwrap()
}

fn vault(dir: &Path) -> OpenVault {
    init(Site::new(&dir.join("vault"), Some(dir.join("state"))))
}

/// The backups' identity as a file, and its recipient.
fn keys(vault: &OpenVault, dir: &Path) -> (PathBuf, String) {
    let identity = vault.backup_identity().unwrap();
    let path = dir.join("identity");
    fs::write(&path, identity.to_text().as_bytes()).unwrap();
    (path, identity.recipient())
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn shell(script: &str, args: &[&Path]) {
    let status = Command::new("sh")
        .args(["-c", script, "sh"])
        .args(args)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{script}");
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

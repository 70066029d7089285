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

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use voxvault::backup::Error;
use voxvault::backup::write::{Order, Outcome, Watch, to_folder};
use voxvault::crypto::{Passphrase, WorkFactor};
use voxvault::recording::{Card, Ending, Moment, SEGMENT_SAMPLES, Signal, Source};
use voxvault::transcript::{Segment, Transcript, Word};
use voxvault::vault::site::Site;
use voxvault::vault::{InitOptions, OpenVault, Vault};

/// Recordings of ten years, ten a day.
const MANY: usize = 36_500;
/// Segments of 0.8 s in each of these.
const SHORT: u32 = 20;
/// Recordings for the full backup, and segments in each: two minutes.
const FEW: usize = 600;
const LONG: u32 = 150;
/// Words of each transcript.
const WORDS: usize = 200;
/// Runs of which the middle one counts.
const RUNS: usize = 5;
/// Recordings that are merged at once: each holds a file open.
const AT_ONCE: usize = 500;
const SEGMENT_BYTES: usize = 2_800;

struct Silent;

impl Watch for Silent {
    fn done(&self, _bytes: u64, _of_bytes: u64) {}

    fn damaged(&self, error: Error) {
        println!("  {error}");
    }

    fn note(&self, message: &str) {
        println!("  {message}");
    }

    fn cancelled(&self) -> bool {
        false
    }
}

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
    fill(&vault, 0..recordings, LONG);
    let (key, recipient) = keys(&vault, dir.path());
    let mut ours = Vec::new();
    for run in 0..RUNS {
        let folder = dir.path().join(format!("backup.{run}"));
        let (outcome, took) = time(|| back_up(&vault, &folder));
        assert_eq!(outcome.holds, recordings);
        ours.push(took);
        if run + 1 < RUNS {
            fs::remove_dir_all(folder).unwrap();
        }
    }
    let folder = dir.path().join(format!("backup.{}", RUNS - 1));
    let plain = dir.path().join("plain");
    fs::create_dir(&plain).unwrap();
    for segment in segments(&folder) {
        let script = "age -d -i \"$1\" \"$2\" | tar x -C \"$3\"";
        shell(script, &[&key, &segment, &plain]);
    }
    let bytes: u64 = segments(&folder).iter().map(|path| length(path)).sum();
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
        let times = (0..RUNS).map(|_| time(|| shell(script, args)).1);
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
    let (outcome, took) = time(|| back_up(&vault, &folder));
    let (_, recipient) = keys(&vault, dir.path());
    println!(
        "\none new recording of {:.0} s onto {recordings} ({} segments, first run {took:.0?})",
        f64::from(SHORT) * 0.8,
        outcome.added.len()
    );
    let (mut times, mut added, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS {
        fill(&vault, recordings + run..recordings + run + 1, SHORT);
        let (outcome, took) = time(|| back_up(&vault, &folder));
        assert_eq!(outcome.recordings, 1);
        times.push(took);
        let segment = segments(&folder).pop().unwrap();
        added.push(length(&segment));
        let out = dir.path().join("peer.age");
        let recipient = PathBuf::from(&recipient);
        let script = "age -r \"$2\" \"$1\" > \"$3\" && sync \"$3\"";
        peers.push(time(|| shell(script, &[&segment, &recipient, &out])).1);
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
    let now = Moment {
        unix_ms: 1_795_335_120_042,
        offset_s: 0,
    };
    let order = Order {
        recipients: Vec::new(),
        now: &|| now,
    };
    to_folder(vault, folder, order, &Silent).unwrap()
}

fn vault(dir: &Path) -> OpenVault {
    let options = InitOptions {
        work: WorkFactor::NONE,
        ..InitOptions::default()
    };
    let passphrase = Passphrase::new("heater landlord migration".to_owned());
    let site = Site::new(&dir.join("vault"), Some(dir.join("state")));
    Vault::init_at(site, &passphrase, options).unwrap()
}

/// The backups' identity as a file, and its recipient.
fn keys(vault: &OpenVault, dir: &Path) -> (PathBuf, String) {
    let identity = vault.backup_identity().unwrap();
    let path = dir.join("identity");
    fs::write(&path, identity.to_text().as_bytes()).unwrap();
    (path, identity.recipient())
}

fn fill(vault: &OpenVault, numbers: std::ops::Range<usize>, segments: u32) {
    let mut packets = vec![0; SEGMENT_BYTES];
    let (mut from, end) = (numbers.start, numbers.end);
    while from < end {
        let mut ids = Vec::new();
        for number in from..end.min(from + AT_ONCE) {
            let card = card(number, segments);
            let mut writer = vault.vault().begin_copy(&card).unwrap();
            for segment in 0..segments {
                packets[..8].copy_from_slice(&(number as u64).to_le_bytes());
                packets[8..12].copy_from_slice(&segment.to_le_bytes());
                writer.push(&packets, SEGMENT_SAMPLES).unwrap();
            }
            ids.push(writer.finish(&card).unwrap());
        }
        vault.merge().unwrap();
        // A commit for each transcript would take most of the time.
        if end - numbers.start <= FEW {
            for id in ids {
                vault.add_transcript(id, 0, &transcript(segments)).unwrap();
            }
        }
        from += AT_ONCE;
    }
}

fn transcript(segments: u32) -> Transcript {
    let step = segments * 800 / WORDS as u32;
    let words = (0..WORDS as u32).map(|number| Word {
        start_ms: number * step,
        end_ms: (number + 1) * step,
        text: format!("word{number}"),
        confidence: 0.875,
    });
    let words: Vec<Word> = words.collect();
    let text: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    Transcript {
        model: "tiny.en".to_owned(),
        settings: String::new(),
        language: "en".to_owned(),
        made_at: card(0, 1).added_at,
        segments: vec![Segment {
            start_ms: 0,
            end_ms: segments * 800,
            text: text.join(" "),
            words,
        }],
    }
}

fn card(number: usize, segments: u32) -> Card {
    let moment = Moment {
        unix_ms: 1_763_800_000_000 + number as i64 * 1_000,
        offset_s: 0,
    };
    Card {
        title: format!("memo {number}"),
        recorded_at: moment,
        added_at: moment,
        tags: vec!["bench".to_owned()],
        note: String::new(),
        pinned: false,
        source: Source::Import,
        device: None,
        samples: u64::from(segments) * u64::from(SEGMENT_SAMPLES),
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

fn segments(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_segment = |path: &PathBuf| path.to_string_lossy().ends_with(".tar.age");
    let mut paths: Vec<PathBuf> = paths.filter(is_segment).collect();
    paths.sort();
    paths
}

fn length(path: &Path) -> u64 {
    File::open(path).unwrap().metadata().unwrap().len()
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

fn time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

//! What the benches of the vault and of backups share: a vault that opens at once, full
//! of recordings that sound like nothing, and what is timed how.

#![allow(dead_code, reason = "no bench needs all of it")]

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use voxvault::backup::Error;
use voxvault::backup::write::Watch;
use voxvault::crypto::{Passphrase, WorkFactor};
use voxvault::recording::{Card, Ending, Moment, RecordingId, SEGMENT_SAMPLES, Signal, Source};
use voxvault::transcript::{Segment, Transcript, Word};
use voxvault::vault::site::Site;
use voxvault::vault::{InitOptions, OpenVault, Placement, Vault};

/// Bytes of a segment of 0.8 s.
const SEGMENT_BYTES: usize = 2_800;

/// Recordings that are merged at once: each holds a file open.
const AT_ONCE: usize = 500;

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new("a bench has no secrets".to_owned())
}

/// Makes a vault whose passphrase takes no time.
pub(crate) fn init(site: Site) -> OpenVault {
    let options = InitOptions {
        placement: Placement::Anywhere,
        work: WorkFactor::NONE,
    };
    Vault::init_at(site, &passphrase(), options).unwrap()
}

pub(crate) fn unlock(site: Site) -> OpenVault {
    let vault = Vault::open_at(site).unwrap();
    vault.unlock(&passphrase()).unwrap()
}

/// Records with these numbers, so many segments each, and merges them.
pub(crate) fn fill(open: &OpenVault, numbers: Range<usize>, segments: u32) -> Vec<RecordingId> {
    let mut ids = Vec::with_capacity(numbers.len());
    let mut packets = vec![0; SEGMENT_BYTES];
    for number in numbers {
        let card = card(number, segments);
        let mut writer = open.vault().begin_copy(&card).unwrap();
        for segment in 0..segments {
            packets[..8].copy_from_slice(&(number as u64).to_le_bytes());
            packets[8..12].copy_from_slice(&segment.to_le_bytes());
            writer.push(&packets, SEGMENT_SAMPLES).unwrap();
        }
        ids.push(writer.finish(&card).unwrap());
        if ids.len().is_multiple_of(AT_ONCE) {
            open.merge().unwrap();
        }
    }
    open.merge().unwrap();
    ids
}

pub(crate) fn moment(number: usize) -> Moment {
    Moment {
        unix_ms: 1_763_800_000_000 + number as i64 * 1_000,
        offset_s: 0,
    }
}

pub(crate) fn samples(segments: u32) -> u64 {
    u64::from(segments) * u64::from(SEGMENT_SAMPLES)
}

fn card(number: usize, segments: u32) -> Card {
    Card {
        title: format!("recording {number}"),
        recorded_at: moment(number),
        added_at: moment(number),
        tags: vec!["minutes".to_owned()],
        note: String::new(),
        pinned: false,
        source: Source::Mic,
        device: None,
        samples: samples(segments),
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

/// A transcript of so many words over so many segments.
pub(crate) fn transcript(segments: u32, words: u32) -> Transcript {
    let step = segments * 800 / words;
    let words = (0..words).map(|number| Word {
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
        made_at: moment(0),
        segments: vec![Segment {
            start_ms: 0,
            end_ms: segments * 800,
            text: text.join(" "),
            words,
        }],
    }
}

/// The segments of a backup, in order.
pub(crate) fn segments_of(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_segment = |path: &PathBuf| path.to_string_lossy().ends_with(".tar.age");
    let mut paths: Vec<PathBuf> = paths.filter(is_segment).collect();
    paths.sort();
    paths
}

/// Hears of a backup, and says what it should not have heard.
pub(crate) struct Unwatched;

impl Watch for Unwatched {
    fn done(&self, _bytes: u64, _of_bytes: u64) {}

    fn damaged(&self, error: Error) {
        println!("  damaged: {error}");
    }

    fn note(&self, message: &str) {
        println!("  {message}");
    }

    fn cancelled(&self) -> bool {
        false
    }
}

pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

/// What so many bytes took, and their rate.
pub(crate) fn report_rate(what: &str, bytes: u64, took: Duration) {
    let rate = bytes as f64 / 1e6 / took.as_secs_f64();
    println!(
        "{what:>16}  {:>7.2} s  {rate:>6.0} MB/s",
        took.as_secs_f64()
    );
}

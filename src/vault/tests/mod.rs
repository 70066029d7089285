//! Promises of the whole vault, shown with real files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

use std::path::Path;

use tempfile::TempDir;

use super::InitOptions;
use super::OpenVault;
use super::Vault;
use super::ground::site::{Clock, Site};
use crate::crypto::{Passphrase, WorkFactor};
use crate::recording::{
    Card, Ending, Moment, RecordingId, SEGMENT_SAMPLES, Signal, Source, sample,
};
use crate::transcript::{Segment, Transcript};

mod beside;
mod crash;
mod cycle;
mod damage;
mod forensic;
mod in_vain;
mod interrupted;
mod log;
pub(super) mod mended;
mod read_only;
mod redact;
mod restore;
mod retention;
mod scrub;
mod shredding;
mod together;
mod ways;
mod wiping;

pub(super) const PASSPHRASE: &str = "six words that nobody guesses";

pub(super) fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.to_owned())
}

fn new_vault() -> (TempDir, OpenVault) {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::new(&dir.path().join("vault"), None);
    let options = InitOptions {
        work: WorkFactor::NONE,
        ..InitOptions::default()
    };
    let open = Vault::init_at(site, &passphrase(), options).unwrap();
    (dir, open)
}

/// The same vault as another process would open it.
fn again(open: &OpenVault) -> OpenVault {
    Vault::open(open.vault().dir())
        .unwrap()
        .unlock(&passphrase())
        .unwrap()
}

pub(super) fn moment(unix_ms: i64) -> Moment {
    Moment {
        unix_ms,
        offset_s: 3600,
    }
}

/// A clock that stands at the moment at which everything here is recorded.
pub(super) fn stopped_clock() -> Clock {
    Clock::new(|| moment(RECORDED_MS))
}

pub(super) const RECORDED_MS: i64 = 1_763_800_000_000;

pub(super) fn card(title: &str) -> Card {
    Card {
        title: title.to_owned(),
        tags: vec!["minutes".to_owned()],
        device: Some("USB microphone".to_owned()),
        samples: 0,
        ..sample::card(moment(RECORDED_MS))
    }
}

/// 2,800 bytes that are like no other segment's.
pub(super) fn packets(recording: u8, segment: u32) -> Vec<u8> {
    let mut state = u64::from(recording) << 32 | u64::from(segment) | 1 << 63;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(2800).collect()
}

/// Records so many segments and ends the recording.
pub(super) fn record(vault: &Vault, recording: u8, segments: u32) -> RecordingId {
    let card = Card {
        samples: u64::from(segments) * u64::from(SEGMENT_SAMPLES),
        ..card(&format!("recording {recording}"))
    };
    let mut writer = vault.begin(&card).unwrap();
    for segment in 0..segments {
        writer
            .push(&packets(recording, segment), SEGMENT_SAMPLES)
            .unwrap();
    }
    writer.finish(&card).unwrap()
}

/// Reads all of the sound and compares it.
pub(super) fn assert_sound(open: &OpenVault, id: RecordingId, recording: u8, segments: u32) {
    let mut sound = open.sound(id).unwrap();
    for segment in 0..segments {
        let read = sound.next_segment().unwrap().expect("a segment");
        assert_eq!(
            *read.packets,
            packets(recording, segment),
            "segment {segment}"
        );
    }
    assert!(sound.next_segment().unwrap().is_none());
}

pub(super) fn transcript(text: &str) -> Transcript {
    Transcript {
        model: "base.en".to_owned(),
        settings: "beam 5".to_owned(),
        language: "en".to_owned(),
        made_at: moment(1_763_800_100_000),
        segments: vec![Segment {
            start_ms: 0,
            end_ms: 900,
            text: text.to_owned(),
            words: Vec::new(),
        }],
    }
}

pub(super) fn inbox_file(dir: &Path, id: RecordingId) -> std::path::PathBuf {
    super::inbox::path(dir, id)
}

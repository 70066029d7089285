//! A recording and its transcript as JSON shows them.
//!
//! The field names are a contract with scripts: they may gain, not change.

use serde::Serialize;

use crate::recording::{Gap, Recording, Signal, Source, State, VersionInfo, length_of};
use crate::time::seconds;
use crate::transcript::Transcript;
use crate::transcript::json::SegmentView;

/// A recording with the field names of `list --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordingView<'a> {
    /// 32 hexadecimal digits.
    pub id: String,
    /// RFC 3339 with offset.
    pub recorded_at: String,
    /// Length of the sound, seconds.
    pub duration_s: f64,
    /// The name its owner gave it.
    pub title: &'a str,
    /// Labels.
    pub tags: &'a [String],
    /// Free text.
    pub note: &'a str,
    /// Of the newest transcript.
    pub language: Option<&'a str>,
    /// Where the sound came from.
    pub source: Source,
    /// The microphone's name.
    pub device: Option<&'a str>,
    /// Retention rules leave it alone.
    pub pinned: bool,
    /// RFC 3339 with offset; none is forever.
    pub keep_audio_until: Option<String>,
    /// RFC 3339 with offset; none is forever.
    pub keep_text_until: Option<String>,
    /// Where it stands.
    pub state: State,
    /// How loud it is.
    pub signal: SignalView,
    /// Where sound was lost, while it was recorded or since; empty once it was shredded.
    pub gaps: Vec<GapView>,
    /// Bytes of sealed sound; 0 once the sound was shredded, or all of it is lost.
    pub audio_bytes: u64,
    /// What was shredded of it: `sound`, `text`.
    pub shredded: Vec<&'static str>,
    /// Its transcripts, oldest first.
    pub versions: Vec<VersionView<'a>>,
}

/// Levels with the field names of `list --json`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SignalView {
    /// Loudest sample, dBFS.
    pub peak_dbfs: f32,
    /// Mean power, dBFS.
    pub rms_dbfs: f32,
    /// 0 to 1.
    pub silent_fraction: f32,
    /// 0 to 1.
    pub clipped_fraction: f32,
}

/// Lost sound with the field names of `list --json`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GapView {
    /// Where in the recording, seconds.
    pub at_s: f64,
    /// How much is missing there, seconds.
    pub missing_s: f64,
}

impl From<&Gap> for GapView {
    fn from(gap: &Gap) -> Self {
        Self {
            at_s: seconds(length_of(gap.at_sample)),
            missing_s: seconds(length_of(gap.samples)),
        }
    }
}

/// A transcript version with the field names of `list --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionView<'a> {
    /// 1 for the first.
    pub number: u32,
    /// The speech model's name.
    pub model: &'a str,
    /// ISO 639-1.
    pub language: &'a str,
    /// RFC 3339 with offset.
    pub made_at: String,
}

/// A recording with one of its transcripts: `show --format json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TranscriptView<'a> {
    /// The fields of a recording.
    #[serde(flatten)]
    pub recording: RecordingView<'a>,
    /// What was said, in order.
    pub segments: Vec<SegmentView<'a>>,
}

impl<'a> RecordingView<'a> {
    /// The view of a recording that has ended.
    #[must_use]
    pub fn new(recording: &'a Recording) -> Self {
        let (card, kept) = (&recording.card, recording.kept_until);
        Self {
            id: recording.id.to_string(),
            recorded_at: card.recorded_at.to_string(),
            duration_s: seconds(card.duration()),
            title: &card.title,
            tags: &card.tags,
            note: &card.note,
            language: recording.language(),
            source: card.source,
            device: card.device.as_deref(),
            pinned: card.pinned,
            keep_audio_until: kept.audio.map(|moment| moment.to_string()),
            keep_text_until: kept.text.map(|moment| moment.to_string()),
            state: recording.state(),
            signal: card.signal.into(),
            gaps: recording.gaps().iter().map(GapView::from).collect(),
            audio_bytes: recording.audio_bytes,
            shredded: shredded(recording),
            versions: recording.versions.iter().map(VersionView::from).collect(),
        }
    }
}

fn shredded(recording: &Recording) -> Vec<&'static str> {
    let sound = recording.sound_shredded.then_some("sound");
    let text = recording.text_shredded.then_some("text");
    sound.into_iter().chain(text).collect()
}

impl<'a> TranscriptView<'a> {
    /// The view of a recording and what was said in it.
    #[must_use]
    pub fn new(recording: RecordingView<'a>, transcript: &'a Transcript) -> Self {
        Self {
            recording,
            segments: transcript.segments.iter().map(SegmentView::from).collect(),
        }
    }
}

impl From<Signal> for SignalView {
    fn from(signal: Signal) -> Self {
        Self {
            peak_dbfs: signal.peak_dbfs,
            rms_dbfs: signal.rms_dbfs,
            silent_fraction: signal.silent_fraction,
            clipped_fraction: signal.clipped_fraction,
        }
    }
}

impl<'a> From<&'a VersionInfo> for VersionView<'a> {
    fn from(version: &'a VersionInfo) -> Self {
        Self {
            number: version.number,
            model: &version.model,
            language: &version.language,
            made_at: version.made_at.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;
    use crate::recording::KeptUntil;
    use crate::transcript::samples::{recording, spoken};

    #[test]
    fn sound_that_was_shredded_has_no_gaps() {
        let mut recording = recording();
        recording.card.gaps = vec![Gap {
            at_sample: 0,
            samples: 48_000,
        }];
        assert_eq!(RecordingView::new(&recording).gaps.len(), 1);
        (recording.sound_shredded, recording.audio_bytes) = (true, 0);
        let view = RecordingView::new(&recording);
        assert_eq!((view.gaps, view.shredded), (vec![], vec!["sound"]));
    }

    #[test]
    fn show_prints_the_fields_that_scripts_rely_on() {
        let mut recording = recording();
        let transcript = spoken(&[(7_200, 9_000, "Ask not")]);
        recording.kept_until = KeptUntil {
            audio: Some(recording.card.recorded_at),
            text: None,
        };
        let view = TranscriptView::new(RecordingView::new(&recording), &transcript);
        assert_eq!(
            serde_json::to_value(view).unwrap(),
            json!({
                "id": "07".repeat(16), "recorded_at": "2026-11-22T09:12:00+01:00",
                "duration_s": 192.0, "title": "Standup with Ana", "tags": ["work"], "note": "",
                "language": "en", "source": "mic", "device": "Built-in", "pinned": false,
                "keep_audio_until": "2026-11-22T09:12:00+01:00", "keep_text_until": null,
                "state": "transcribed",
                "signal": {"peak_dbfs": -6.0, "rms_dbfs": -20.0, "silent_fraction": 0.25, "clipped_fraction": 0.0},
                "gaps": [],
                "audio_bytes": 672_000,
                "shredded": [],
                "versions": [{"number": 1, "model": "tiny.en", "language": "en", "made_at": "2026-11-22T09:12:00+01:00"}],
                "segments": [{"start_s": 7.2, "end_s": 9.0, "text": "Ask not", "words": [
                    {"start_s": 7.2, "end_s": 8.1, "text": "Ask", "confidence": 0.9_f32},
                    {"start_s": 8.1, "end_s": 9.0, "text": "not", "confidence": 0.9_f32},
                ]}],
            })
        );
    }
}

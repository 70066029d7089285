//! A transcript: what was said, in segments and words with their times.
//!
//! Plain data, without I/O. Times count from the start of the recording.
//! The submodules write it in the formats of `show` and `export`, compare two
//! versions, make one of what a person corrected, and take a span out, however
//! wrong the times of its words are, also by what was heard in it; nothing here reads a format back.

pub mod diff;
pub mod json;
pub mod markdown;
pub mod srt;
pub mod text;
pub mod vtt;

mod beside;
mod cue;
mod edited;
mod heard;
mod possible;
mod redacted;
#[cfg(test)]
pub(crate) mod samples;

pub use heard::Heard;
pub use redacted::{MARK as REDACTED, Outtake};
use serde::{Deserialize, Serialize};

use crate::recording::{Moment, VersionInfo};

/// One word as it was heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// When it begins, milliseconds.
    pub start_ms: u32,
    /// When it ends, milliseconds.
    pub end_ms: u32,
    /// The word with its punctuation, without white space around it.
    pub text: String,
    /// How sure the model was, 0 to 1.
    pub confidence: f32,
}

/// A stretch of speech, about a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// When it begins, milliseconds.
    pub start_ms: u32,
    /// When it ends, milliseconds.
    pub end_ms: u32,
    /// What was said, without white space around it.
    pub text: String,
    /// Its words, in order; empty where the source of the text gave no times.
    pub words: Vec<Word>,
}

/// One version of the transcript of a recording. Never overwritten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The speech model's name.
    pub model: String,
    /// The settings that matter for the result, for people to read.
    pub settings: String,
    /// ISO 639-1 code of what was spoken, chosen or detected.
    pub language: String,
    /// When it was made.
    pub made_at: Moment,
    /// What was said, in order.
    pub segments: Vec<Segment>,
}

impl Transcript {
    /// All that was said, one line per segment.
    #[must_use]
    pub fn text(&self) -> String {
        let lines: Vec<&str> = self
            .segments
            .iter()
            .map(|segment| segment.text.as_str())
            .collect();
        lines.join("\n")
    }

    /// The facts about this version that a listing shows.
    #[must_use]
    pub fn info(&self, number: u32) -> VersionInfo {
        VersionInfo {
            number,
            model: self.model.clone(),
            language: self.language.clone(),
            made_at: self.made_at,
        }
    }
}

/// Seconds, as JSON and people want them.
#[must_use]
pub fn seconds(ms: u32) -> f64 {
    f64::from(ms) / 1000.0
}

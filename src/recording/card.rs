//! What is known about a recording, and the card that stands in for one that was damaged.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Moment, length_of};

/// Where the sound of a recording came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A microphone of this machine.
    Mic,
    /// Standard input.
    Stdin,
    /// A sound file.
    Import,
    /// A microphone, kept only while somebody spoke.
    Listen,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mic => "mic",
            Self::Stdin => "stdin",
            Self::Import => "import",
            Self::Listen => "listen",
        })
    }
}

/// How loud a recording is, over all of it. Levels are relative to full scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Loudest sample, dBFS; -120 for digital silence.
    pub peak_dbfs: f32,
    /// Mean power, dBFS; -120 for digital silence.
    pub rms_dbfs: f32,
    /// Part of the time (0 to 1) in which nothing could be heard.
    pub silent_fraction: f32,
    /// Part of the samples (0 to 1) at full scale.
    pub clipped_fraction: f32,
}

impl Signal {
    /// Every sample is zero, as no microphone gives them that is heard.
    #[must_use]
    pub fn is_zeros(&self) -> bool {
        self.peak_dbfs <= -120.0
    }

    /// Nothing in the recording could be heard.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.silent_fraction >= 1.0
    }
}

/// How a recording came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It was stopped or its source ended.
    Complete,
    /// The program was killed, the power failed, or the microphone was lost.
    Interrupted,
}

/// A span in which sound was lost on its way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Where in the recording, samples at 48 kHz.
    pub at_sample: u64,
    /// How much was lost, samples at 48 kHz.
    pub samples: u64,
}

/// What is known about a recording. Sealed with the clip's card key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The name its owner gave it, or the imported file's.
    pub title: String,
    /// When it was spoken, as far as that is known.
    pub recorded_at: Moment,
    /// When it entered the vault.
    pub added_at: Moment,
    /// Labels, without `#`, in the order in which they were given.
    pub tags: Vec<String>,
    /// Free text.
    pub note: String,
    /// Retention rules leave it alone.
    pub pinned: bool,
    /// Where its sound came from.
    pub source: Source,
    /// The microphone's name, where there was one.
    pub device: Option<String>,
    /// Length of the sound: samples, mono, at 48 kHz.
    pub samples: u64,
    /// Samples at 48 kHz that a decoder drops at the start (Opus pre-skip).
    pub pre_skip: u16,
    /// How loud it is.
    pub signal: Signal,
    /// Where sound was lost while recording.
    pub gaps: Vec<Gap>,
    /// Moments its owner marked, samples at 48 kHz.
    pub markers: Vec<u64>,
    /// SHA-256 of the sound as it came in, by which a second import is noticed.
    pub content_hash: Option<[u8; 32]>,
    /// How it ended.
    pub ending: Ending,
    /// Why the last attempt to transcribe it failed, if it did.
    pub failure: Option<String>,
}

/// The title of a card that was made anew in the place of one that was damaged.
pub const RECOVERED_TITLE: &str = "recovered recording";

impl Card {
    /// Length of the sound.
    #[must_use]
    pub fn duration(&self) -> Duration {
        length_of(self.samples)
    }

    /// Whether it was made anew because the one that was there could not be read, whatever
    /// its owner has made of it since.
    #[must_use]
    pub fn is_recovered(&self) -> bool {
        self.signal == RECOVERED_SIGNAL
    }

    /// The card that was there, in the place of this one that was made anew; what its owner
    /// has given this one since stays.
    #[must_use]
    pub fn replaced_by(&self, was: Self) -> Self {
        let title = Some(&self.title).filter(|title| *title != RECOVERED_TITLE);
        let note = Some(&self.note).filter(|note| *note != RECOVERED_NOTE);
        let tags = Some(&self.tags).filter(|tags| !tags.is_empty());
        Self {
            title: title.cloned().unwrap_or(was.title),
            note: note.cloned().unwrap_or(was.note),
            tags: tags.cloned().unwrap_or(was.tags),
            ..was
        }
    }

    /// How much sound was lost while it was recorded, samples at 48 kHz.
    #[must_use]
    pub fn missing(&self) -> u64 {
        let gaps = self.gaps.iter().map(|gap| gap.samples);
        gaps.fold(0, u64::saturating_add)
    }
}

/// The level of a card that was made anew: less than any that is measured, by which it is
/// known.
pub const RECOVERED_SIGNAL: Signal = Signal {
    peak_dbfs: -121.0,
    rms_dbfs: -121.0,
    silent_fraction: 0.0,
    clipped_fraction: 0.0,
};

/// The note of a card that was made anew in the place of one that could not be read.
pub const RECOVERED_NOTE: &str =
    "its card was damaged: title, date, tags, note and level are lost, so it is pinned";

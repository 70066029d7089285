//! A version of the transcript in `meta.json`, whole or as far as it is known.

use serde::{Deserialize, Serialize};

use crate::backup::written;
use crate::recording::{Moment, VersionInfo};
use crate::transcript::{Segment, Transcript};

/// One version of the transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionMeta {
    /// 1 for the first.
    pub number: u32,
    /// The speech model's name.
    pub model: String,
    /// The settings that matter for the result.
    pub settings: String,
    /// ISO 639-1 code of what was spoken.
    pub language: String,
    /// When it was made.
    #[serde(with = "written::moment")]
    pub made_at: Moment,
    /// What was said, in order, with the words and their times (milliseconds).
    pub segments: Vec<Segment>,
}

/// What is known of a transcript that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostVersion {
    /// Its number.
    pub number: u32,
    /// The speech model's name.
    pub model: String,
    /// ISO 639-1 code of what was spoken.
    pub language: String,
    /// When it was made.
    #[serde(with = "written::moment")]
    pub made_at: Moment,
}

impl VersionMeta {
    pub(super) fn of((number, transcript): (u32, Transcript)) -> Self {
        let Transcript {
            model,
            settings,
            language,
            made_at,
            mut segments,
        } = transcript;
        for word in segments.iter_mut().flat_map(|segment| &mut segment.words) {
            if !word.confidence.is_finite() {
                word.confidence = 0.0;
            }
        }
        Self {
            number,
            model,
            settings,
            language,
            made_at,
            segments,
        }
    }

    pub(super) fn info(&self) -> VersionInfo {
        VersionInfo {
            number: self.number,
            model: self.model.clone(),
            language: self.language.clone(),
            made_at: self.made_at,
        }
    }

    pub(super) fn into_parts(self) -> (u32, Transcript) {
        let transcript = Transcript {
            model: self.model,
            settings: self.settings,
            language: self.language,
            made_at: self.made_at,
            segments: self.segments,
        };
        (self.number, transcript)
    }
}

impl LostVersion {
    pub(super) fn of(info: &VersionInfo) -> Self {
        Self {
            number: info.number,
            model: info.model.clone(),
            language: info.language.clone(),
            made_at: info.made_at,
        }
    }

    pub(super) fn info(&self) -> VersionInfo {
        VersionInfo {
            number: self.number,
            model: self.model.clone(),
            language: self.language.clone(),
            made_at: self.made_at,
        }
    }
}

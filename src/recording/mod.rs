//! A recording: its id, what is known about it, and the state it is in.
//!
//! Plain data, without I/O. What is said in a recording is in
//! [`transcript`](crate::transcript); how it is sealed and kept is in `vault`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

mod card;
mod fold;
mod id;
mod moment;
mod tag;

pub use card::{
    Card, Ending, Gap, RECOVERED_NOTE, RECOVERED_SIGNAL, RECOVERED_TITLE, Signal, Source,
};
pub(crate) use fold::is_apostrophe;
pub use fold::{fold, fold_into};
pub use id::{NotAnId, RecordingId};
pub use moment::Moment;
pub use tag::{hides_something, is_same_tag, shown_tag};

/// Samples per second of stored sound. Opus works at 48 kHz whatever came in.
pub const STORED_RATE_HZ: u32 = 48_000;

/// Samples (mono, 48 kHz) in one full sound segment: 0.8 s.
pub const SEGMENT_SAMPLES: u32 = 38_400;

/// The length of so many samples at 48 kHz.
#[must_use]
pub fn length_of(samples: u64) -> Duration {
    Duration::from_secs_f64(samples as f64 / f64::from(STORED_RATE_HZ))
}

/// Where a recording stands on its way to being found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Somebody is still recording it.
    Recording,
    /// It ended unexpectedly and has no transcript yet.
    Interrupted,
    /// It waits to be transcribed.
    Pending,
    /// It has at least one transcript, or its transcripts were shredded.
    Transcribed,
    /// There was nothing to hear in it.
    Silent,
    /// Transcribing it failed, or can't be done any more: its sound was shredded or lost
    /// before.
    Failed,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recording => "recording",
            Self::Interrupted => "interrupted",
            Self::Pending => "pending",
            Self::Transcribed => "transcribed",
            Self::Silent => "silent",
            Self::Failed => "failed",
        })
    }
}

/// One transcript of a recording, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionInfo {
    /// 1 for the first.
    pub number: u32,
    /// The speech model's name.
    pub model: String,
    /// ISO 639-1 code of what was spoken.
    pub language: String,
    /// When it was made.
    pub made_at: Moment,
}

/// Until when the retention rules leave a recording alone; none is forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptUntil {
    /// Its sound.
    pub audio: Option<Moment>,
    /// Its transcripts.
    pub text: Option<Moment>,
}

/// What there is of the sound of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundLeft {
    /// All of it, or what the gaps on its card leave.
    Here,
    /// Nothing: it was shredded, and does not come back.
    Shredded,
    /// Nothing: all of it was damaged. A backup may bring it back.
    Lost,
}

/// A recording as the vault lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Its name for good.
    pub id: RecordingId,
    /// Counts the times its keys were replaced (redaction).
    pub epoch: u32,
    /// What is known about it.
    pub card: Card,
    /// Its transcripts, oldest first.
    pub versions: Vec<VersionInfo>,
    /// Bytes of sealed sound; 0 once the sound was shredded, or all of it is lost.
    pub audio_bytes: u64,
    /// Its sound was shredded, and does not come back.
    pub sound_shredded: bool,
    /// Its transcripts were shredded, and there will be none any more.
    pub text_shredded: bool,
    /// From when its age counts for how long it is kept: the later of its date and the
    /// moment it entered the vault.
    pub kept_from: Moment,
    /// Until when the retention rules leave it alone.
    pub kept_until: KeptUntil,
}

impl Recording {
    /// Where it stands. A recording in progress is not in the store, so this
    /// never answers [`State::Recording`].
    ///
    /// What its card knows stays so when a part of it is shredded. One of which the card
    /// knows nothing else waits for nothing any more then: without its text it counts as
    /// transcribed, without its sound as failed.
    #[must_use]
    pub fn state(&self) -> State {
        if !self.versions.is_empty() {
            State::Transcribed
        } else if self.card.failure.is_some() {
            State::Failed
        } else if self.card.signal.is_silent() {
            State::Silent
        } else if self.card.ending == Ending::Interrupted {
            State::Interrupted
        } else if self.text_shredded {
            State::Transcribed
        } else if self.audio_bytes == 0 {
            State::Failed
        } else {
            State::Pending
        }
    }

    /// What there is of its sound.
    #[must_use]
    pub fn sound_left(&self) -> SoundLeft {
        match (self.sound_shredded, self.audio_bytes) {
            (true, _) => SoundLeft::Shredded,
            // One that has only begun has none yet.
            (false, 0) if self.card.samples > 0 => SoundLeft::Lost,
            (false, _) => SoundLeft::Here,
        }
    }

    /// Why there is no sound of it, in words.
    #[must_use]
    pub fn why_no_sound(&self) -> Option<&'static str> {
        match self.sound_left() {
            SoundLeft::Here => None,
            SoundLeft::Shredded => Some("its sound was shredded"),
            SoundLeft::Lost => Some("its sound is lost: it was damaged"),
        }
    }

    /// What of it was shredded or is lost and is not to be seen from its state, in words.
    #[must_use]
    pub fn lacks(&self) -> Option<&'static str> {
        match (self.sound_left(), self.text_shredded) {
            (SoundLeft::Here, false) => None,
            (SoundLeft::Shredded, false) => Some("sound shredded"),
            (SoundLeft::Lost, false) => Some("sound lost"),
            (SoundLeft::Here, true) => Some("text shredded"),
            (SoundLeft::Shredded, true) => Some("sound and text shredded"),
            (SoundLeft::Lost, true) => Some("sound lost, text shredded"),
        }
    }

    /// Where its sound has gaps: nowhere once it was shredded, for then there is nothing
    /// that some of could be missing.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        match self.sound_shredded {
            true => &[],
            false => &self.card.gaps,
        }
    }

    /// How much of its sound is missing, in words, where it is worth one.
    #[must_use]
    pub fn missing_in_words(&self) -> Option<String> {
        let missing = self.gaps().iter().map(|gap| gap.samples);
        let missing_s = length_of(missing.fold(0, u64::saturating_add)).as_secs_f64();
        (missing_s >= 0.1).then(|| format!("{missing_s:.1} s of its sound are missing"))
    }

    /// Whether transcribing it failed and it has nothing but its sound: a rule that takes
    /// that leaves nothing of what was said.
    #[must_use]
    pub fn failed_with_sound(&self) -> bool {
        self.card.failure.is_some() && self.is_untranscribed()
    }

    /// Whether the transcriber should take it up by itself.
    #[must_use]
    pub fn waits_for_transcript(&self) -> bool {
        self.is_untranscribed() && matches!(self.state(), State::Pending | State::Interrupted)
    }

    /// Whether it has no transcript and there may be one yet: without its sound, or the
    /// key to its text, there will be none.
    #[must_use]
    pub fn is_untranscribed(&self) -> bool {
        self.versions.is_empty() && self.audio_bytes > 0 && !self.text_shredded
    }

    /// The language of the newest transcript.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.versions
            .last()
            .map(|version| version.language.as_str())
    }
}

/// What tests begin with where they care about few of its fields: a segment of sound
/// without a title, recorded at this moment.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    pub(crate) fn card(at: Moment) -> Card {
        Card {
            title: String::new(),
            recorded_at: at,
            added_at: at,
            tags: Vec::new(),
            note: String::new(),
            pinned: false,
            source: Source::Mic,
            device: None,
            samples: u64::from(SEGMENT_SAMPLES),
            pre_skip: 312,
            signal: Signal {
                peak_dbfs: -6.0,
                rms_dbfs: -20.0,
                silent_fraction: 0.25,
                clipped_fraction: 0.0,
            },
            gaps: Vec::new(),
            markers: Vec::new(),
            content_hash: None,
            ending: Ending::Complete,
            failure: None,
        }
    }

    pub(crate) fn recording(at: Moment) -> Recording {
        Recording {
            id: RecordingId::from_bytes([1; 16]),
            epoch: 0,
            card: card(at),
            versions: Vec::new(),
            audio_bytes: 2800,
            sound_shredded: false,
            text_shredded: false,
            kept_from: at,
            kept_until: KeptUntil::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shredded_of_a_recording_makes_nothing_else_of_what_its_card_knows() {
        let whole = |change: &dyn Fn(&mut Card)| {
            let mut one = sample::recording(Moment {
                unix_ms: 0,
                offset_s: 0,
            });
            change(&mut one.card);
            one
        };
        let of = |one: &Recording| (one.state(), one.waits_for_transcript(), one.lacks());
        let complete = whole(&|_| ());
        let interrupted = whole(&|card| card.ending = Ending::Interrupted);
        let silent = whole(&|card| card.signal.silent_fraction = 1.0);
        let failed = whole(&|card| card.failure = Some("no memory".to_owned()));
        let cases = [
            (complete, State::Pending, State::Failed, State::Transcribed),
            (
                interrupted,
                State::Interrupted,
                State::Interrupted,
                State::Interrupted,
            ),
            (silent, State::Silent, State::Silent, State::Silent),
            (failed, State::Failed, State::Failed, State::Failed),
        ];
        for (one, before, without_sound, without_text) in cases {
            let waits = matches!(before, State::Pending | State::Interrupted);
            assert_eq!(of(&one), (before, waits, None));
            let deaf = Recording {
                audio_bytes: 0,
                sound_shredded: true,
                ..one.clone()
            };
            assert_eq!(of(&deaf), (without_sound, false, Some("sound shredded")));
            // What is lost nobody shredded.
            let lost = Recording {
                sound_shredded: false,
                ..deaf
            };
            assert_eq!(of(&lost), (without_sound, false, Some("sound lost")));
            let mute = Recording {
                text_shredded: true,
                ..one
            };
            assert_eq!(of(&mute), (without_text, false, Some("text shredded")));
        }
    }
}

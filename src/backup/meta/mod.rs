//! `meta.json`: all that the vault knows of one recording, with every version of its
//! transcript whole, for people, for other programs, and to be taken back.

mod version;

use serde::{Deserialize, Serialize};

pub use self::version::{LostVersion, VersionMeta};
use super::error::{Error, Result};
use super::layout::Member;
use super::written::{self, Hash};
use crate::recording::{
    Card, Ending, Gap, KeptUntil, Moment, Recording, RecordingId, Signal, Source, VersionInfo,
    length_of,
};
use crate::transcript::Transcript;

/// The format that this version writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// A `meta.json` longer than this is not read: the words of a day take a tenth.
pub const MOST_BYTES: u64 = 256 << 20;

/// Everything about a recording but its sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// [`FORMAT`].
    pub format: u32,
    /// Its name for good.
    #[serde(with = "written::id")]
    pub id: RecordingId,
    /// How often its keys had been replaced.
    pub epoch: u32,
    /// How often its card had been rewritten.
    pub revision: u32,
    /// The name its owner gave it.
    pub title: String,
    /// When it was spoken.
    #[serde(with = "written::moment")]
    pub recorded_at: Moment,
    /// When it entered the vault.
    #[serde(with = "written::moment")]
    pub added_at: Moment,
    /// How long it is, for people; `samples` says it exactly.
    pub duration_s: f64,
    /// Labels.
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
    /// Samples at 48 kHz that a decoder drops at the start.
    pub pre_skip: u16,
    /// Bytes of its sealed sound in the vault; 0 once the sound was shredded, or all of it
    /// is lost.
    pub audio_bytes: u64,
    /// How loud it is.
    pub signal: Signal,
    /// Where sound was lost before it was stored, or after.
    pub gaps: Vec<Gap>,
    /// Moments its owner marked, samples at 48 kHz.
    pub markers: Vec<u64>,
    /// SHA-256 of the sound as it came in.
    pub content_hash: Option<Hash>,
    /// How it ended.
    pub ending: EndingMeta,
    /// Why the last attempt to transcribe it failed, if it did.
    pub failure: Option<String>,
    /// Its transcripts, oldest first.
    pub versions: Vec<VersionMeta>,
    /// Its sound was shredded, and does not come back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sound_shredded: bool,
    /// Its transcripts were shredded, and there will be none any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub text_shredded: bool,
    /// Transcripts that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_versions: Vec<LostVersion>,
    /// The highest number that a transcript of it was ever given, where a later one than those
    /// above had it; absent where none had, and once they were shredded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbered: Option<u32>,
}

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndingMeta {
    /// It was stopped or its source ended.
    Complete,
    /// Something cut it short.
    Interrupted,
}

impl Meta {
    /// Of a recording, the revision of its card, and its transcripts as far as they
    /// could be read. What of its sound could not, the manifest says: that is known
    /// only behind the sound.
    #[must_use]
    pub fn of(recording: &Recording, revision: u32, transcripts: Vec<(u32, Transcript)>) -> Self {
        let card = recording.card.clone();
        let is_lost = |info: &&VersionInfo| !transcripts.iter().any(|(n, _)| *n == info.number);
        let lost_versions = recording.versions.iter().filter(is_lost);
        Self {
            format: FORMAT,
            id: recording.id,
            epoch: recording.epoch,
            revision,
            lost_versions: lost_versions.map(LostVersion::of).collect(),
            numbered: None,
            duration_s: length_of(card.samples).as_secs_f64(),
            title: card.title,
            recorded_at: card.recorded_at,
            added_at: card.added_at,
            tags: card.tags,
            note: card.note,
            pinned: card.pinned,
            source: card.source,
            device: card.device,
            samples: card.samples,
            pre_skip: card.pre_skip,
            audio_bytes: recording.audio_bytes,
            signal: finite(card.signal),
            gaps: card.gaps,
            markers: card.markers,
            content_hash: card.content_hash.map(written::Digits),
            ending: match card.ending {
                Ending::Complete => EndingMeta::Complete,
                Ending::Interrupted => EndingMeta::Interrupted,
            },
            failure: card.failure,
            sound_shredded: recording.sound_shredded,
            text_shredded: recording.text_shredded,
            versions: transcripts.into_iter().map(VersionMeta::of).collect(),
        }
    }

    /// The same of a recording of which transcripts were numbered up to this.
    #[must_use]
    pub fn numbered_up_to(mut self, numbered: u32) -> Self {
        let is_later = numbered > self.highest() && !self.text_shredded;
        self.numbered = is_later.then_some(numbered);
        self
    }

    /// The highest number that a transcript of it is known to have had; 0 if there is none.
    #[must_use]
    pub fn highest(&self) -> u32 {
        let read = self.versions.iter().map(|one| one.number);
        let lost = self.lost_versions.iter().map(|one| one.number);
        let all = read.chain(lost).chain(self.numbered);
        all.max().unwrap_or(0)
    }

    /// The recording and its transcripts, as [`of`](Self::of) was given them.
    #[must_use]
    pub fn into_parts(self) -> (Recording, Vec<(u32, Transcript)>) {
        let read = self.versions.iter().map(VersionMeta::info);
        let mut versions: Vec<VersionInfo> = read
            .chain(self.lost_versions.iter().map(LostVersion::info))
            .collect();
        versions.sort_by_key(|version| version.number);
        let card = Card {
            title: self.title,
            recorded_at: self.recorded_at,
            added_at: self.added_at,
            tags: self.tags,
            note: self.note,
            pinned: self.pinned,
            source: self.source,
            device: self.device,
            samples: self.samples,
            pre_skip: self.pre_skip,
            signal: self.signal,
            gaps: self.gaps,
            markers: self.markers,
            content_hash: self.content_hash.map(|written::Digits(bytes)| bytes),
            ending: match self.ending {
                EndingMeta::Complete => Ending::Complete,
                EndingMeta::Interrupted => Ending::Interrupted,
            },
            failure: self.failure,
        };
        let recording = Recording {
            id: self.id,
            epoch: self.epoch,
            versions,
            audio_bytes: self.audio_bytes,
            sound_shredded: self.sound_shredded,
            text_shredded: self.text_shredded,
            kept_from: card.recorded_at.max(card.added_at),
            kept_until: KeptUntil::default(),
            card,
        };
        let transcripts = self.versions.into_iter().map(VersionMeta::into_parts);
        (recording, transcripts.collect())
    }

    /// The file.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it can't be written as JSON, which none is.
    pub fn write(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)
            .map_err(|error| Error::damaged(Member::Meta(self.id), error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The reverse of [`write`](Self::write). `which` is the place it was read from.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is no such file, [`Error::Newer`] if this version does
    /// not know its format.
    pub fn read(which: &str, bytes: &[u8]) -> Result<Self> {
        let damaged = |error: serde_json::Error| Error::damaged(which, error);
        let Format { format } = serde_json::from_slice(bytes).map_err(damaged)?;
        if format != FORMAT {
            return Err(Error::Newer {
                which: which.to_owned(),
                format,
            });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }
}

/// JSON has no numbers that are none; nothing that measures sound gives one.
fn finite(signal: Signal) -> Signal {
    let level = |dbfs: f32| if dbfs.is_finite() { dbfs } else { -120.0 };
    let part = |fraction: f32| if fraction.is_finite() { fraction } else { 0.0 };
    Signal {
        peak_dbfs: level(signal.peak_dbfs),
        rms_dbfs: level(signal.rms_dbfs),
        silent_fraction: part(signal.silent_fraction),
        clipped_fraction: part(signal.clipped_fraction),
    }
}

/// What is read of a file before anything else.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::transcript::samples::{any_transcript, spoken};

    fn card() -> Card {
        let at = Moment {
            unix_ms: 1_795_335_120_042,
            offset_s: 3600,
        };
        Card {
            title: "minutes".into(),
            recorded_at: at,
            added_at: at,
            tags: vec!["work".into(), "tägs".into()],
            note: "two\nlines \u{1f399}".into(),
            pinned: true,
            source: Source::Listen,
            device: Some("desk".into()),
            samples: 1_234_567,
            pre_skip: 312,
            signal: Signal {
                peak_dbfs: -3.1,
                rms_dbfs: -20.77,
                silent_fraction: 0.1,
                clipped_fraction: 0.0001,
            },
            gaps: vec![Gap {
                at_sample: 38_400,
                samples: 76_800,
            }],
            markers: vec![48_000],
            content_hash: Some([9; 32]),
            ending: Ending::Interrupted,
            failure: Some("no model".into()),
        }
    }

    proptest! {
        #[test]
        fn everything_about_a_recording_comes_back(
            one in any_transcript(),
            two in any_transcript(),
            levels in any::<[f32; 4]>(),
        ) {
            let mut card = card();
            card.signal = finite(Signal {
                peak_dbfs: levels[0],
                rms_dbfs: levels[1],
                silent_fraction: levels[2],
                clipped_fraction: levels[3],
            });
            let recording = Recording {
                id: RecordingId::from_bytes([5; 16]),
                epoch: 2,
                versions: vec![one.info(1), two.info(3), one.info(4)],
                audio_bytes: 77,
                sound_shredded: true,
                text_shredded: true,
                kept_from: card.recorded_at.max(card.added_at),
                kept_until: KeptUntil::default(),
                card,
            };
            let transcripts = vec![(1, one), (3, two)];
            let meta = Meta::of(&recording, 6, transcripts.clone());
            prop_assert_eq!(meta.lost_versions.len(), 1);
            let read = Meta::read("meta.json", &meta.write().unwrap()).unwrap();
            prop_assert_eq!(&read, &meta);
            prop_assert_eq!(read.into_parts(), (recording, transcripts));
        }
    }

    #[test]
    fn how_far_transcripts_were_numbered_is_told_where_the_versions_do_not_say_it() {
        let said = spoken(&[(0, 900, "said")]);
        let mut recording = Recording {
            id: RecordingId::from_bytes([5; 16]),
            epoch: 0,
            kept_from: card().added_at,
            kept_until: KeptUntil::default(),
            card: card(),
            versions: vec![said.info(1), said.info(2)],
            audio_bytes: 0,
            sound_shredded: false,
            text_shredded: false,
        };
        let written = |recording: &Recording, numbered| {
            let meta = Meta::of(recording, 0, vec![(1, said.clone())]).numbered_up_to(numbered);
            (meta.numbered, meta.highest())
        };
        // The second one could not be read, and is told as lost.
        assert_eq!(written(&recording, 2), (None, 2));
        assert_eq!(written(&recording, 7), (Some(7), 7));
        recording.text_shredded = true;
        assert_eq!(written(&recording, 7), (None, 2));
    }

    #[test]
    fn a_newer_format_is_named_and_anything_else_is_damage() {
        let recording = Recording {
            id: RecordingId::from_bytes([5; 16]),
            epoch: 0,
            kept_from: card().added_at,
            kept_until: KeptUntil::default(),
            card: card(),
            versions: Vec::new(),
            audio_bytes: 0,
            sound_shredded: false,
            text_shredded: false,
        };
        let mut meta = Meta::of(&recording, 0, Vec::new());
        meta.format = 2;
        assert!(matches!(
            Meta::read("meta.json", &meta.write().unwrap()),
            Err(Error::Newer { format: 2, .. })
        ));
        assert!(matches!(
            Meta::read("meta.json", b"{\"format\":1}"),
            Err(Error::Damaged { .. })
        ));
    }
}

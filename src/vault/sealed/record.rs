//! Sealed records: what stands in the body of a frame, per kind.
//!
//! ```text
//! every plaintext   0  32  the facts of the frame, compared on opening
//! sound            32   4  how many of the segment's samples count
//!                  36   …  Opus packets
//! card, words, log 32   2  encoding, 1
//!                  34   4  length of what follows, without the padding
//!                  38   …  postcard; then zeros up to a multiple of 1 KiB
//!                          (log: 256 bytes)
//! ```

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use super::frame::{self, FACTS_BYTES, Facts, Frame};
use crate::crypto::{self, ClipKey, RecordKey};
use crate::recording::{Card, SEGMENT_SAMPLES, VersionInfo};
use crate::vault::error::{Error, Result};

/// Cards and words are padded to multiples of this, so that their sizes don't
/// tell how much was said.
const PAD_STEP_BYTES: usize = 1024;

const ENCODING: u16 = 1;
const TEXT_HEAD_BYTES: usize = FACTS_BYTES + 6;

/// A segment of sound as the decoder wants it.
pub struct SoundSegment {
    /// Opus packets, 20 ms each, all of the same size; none where the segment is
    /// gone for good and the card says so: silence stands in for it.
    pub packets: Zeroizing<Vec<u8>>,
    /// How many of its samples (mono, 48 kHz) count; fewer than a full
    /// segment's only in the last one.
    pub samples: u32,
}

impl SoundSegment {
    /// One that is gone for good.
    pub(crate) fn gap() -> Self {
        Self {
            packets: Zeroizing::default(),
            samples: SEGMENT_SAMPLES,
        }
    }
}

/// What a card row holds: everything a listing shows, so that listing a vault
/// opens one record per recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CardRecord {
    /// What is known about the recording.
    pub card: Card,
    /// Its transcripts, oldest first.
    pub versions: Vec<VersionInfo>,
    /// Bytes of its sealed sound, frames included.
    pub audio_bytes: u64,
    /// The highest number that a transcript of it was ever given. None is given twice: a
    /// backup may have what was lost under one.
    pub numbered: u32,
}

impl CardRecord {
    /// A card with the transcripts of a recording, none of which was lost.
    pub(crate) fn new(card: Card, versions: Vec<VersionInfo>, audio_bytes: u64) -> Self {
        let mut record = Self {
            card,
            versions: Vec::new(),
            audio_bytes,
            numbered: 0,
        };
        record.name_only(versions);
        record
    }

    /// Names one more transcript.
    pub(crate) fn name(&mut self, version: VersionInfo) {
        self.numbered = self.numbered.max(version.number);
        self.versions.push(version);
    }

    /// Names these transcripts, and no others.
    pub(crate) fn name_only(&mut self, versions: Vec<VersionInfo>) {
        self.versions.clear();
        versions.into_iter().for_each(|version| self.name(version));
    }
}

impl<'de> Deserialize<'de> for CardRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(4, Fields)
    }
}

/// The fields of a [`CardRecord`]; one that was sealed before the last was there ends
/// without it.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = CardRecord;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a card")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<CardRecord, A::Error> {
        let missing = |at| A::Error::invalid_length(at, &self);
        let card = fields.next_element()?.ok_or_else(|| missing(0))?;
        let versions = fields.next_element()?.ok_or_else(|| missing(1))?;
        let audio_bytes = fields.next_element()?.ok_or_else(|| missing(2))?;
        let numbered = fields.next_element().ok().flatten();
        let mut record = CardRecord::new(card, versions, audio_bytes);
        record.numbered = record.numbered.max(numbered.unwrap_or(0));
        Ok(record)
    }
}

/// Seals one segment of sound into a frame.
pub(crate) fn seal_sound(
    key: &ClipKey,
    facts: &Facts,
    packets: &[u8],
    samples: u32,
) -> Result<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(FACTS_BYTES + 4 + packets.len()));
    plain.extend_from_slice(&facts.to_bytes());
    plain.extend_from_slice(&samples.to_le_bytes());
    plain.extend_from_slice(packets);
    frame_of(facts, &seal_with(key, facts, &plain)?)
}

/// Opens one segment of sound.
pub(crate) fn open_sound(key: &ClipKey, frame: &Frame<'_>) -> Result<SoundSegment> {
    let plain = open_plain(key, frame)?;
    let Some((samples, packets)) = plain[FACTS_BYTES..].split_first_chunk::<4>() else {
        return Err(damaged(&frame.facts, "the segment is too short"));
    };
    Ok(SoundSegment {
        packets: Zeroizing::new(packets.to_vec()),
        samples: u32::from_le_bytes(*samples),
    })
}

/// Seals a card or a transcript into a frame, padded.
pub(crate) fn seal_text<T: Serialize>(key: &ClipKey, facts: &Facts, value: &T) -> Result<Vec<u8>> {
    seal_padded(key, facts, value, PAD_STEP_BYTES)
}

/// The same, padded to a multiple of so many bytes.
pub(crate) fn seal_padded<T: Serialize>(
    key: &impl RecordKey,
    facts: &Facts,
    value: &T,
    step_bytes: usize,
) -> Result<Vec<u8>> {
    let refused = |why: String| Error::Seal {
        which: place(facts),
        why,
    };
    let size = postcard::experimental::serialized_size(value)
        .map_err(|error| refused(error.to_string()))?;
    let length = u32::try_from(size).map_err(|_| refused("it is too long".into()))?;
    // Reserved at once: a growing buffer would leave copies of the text behind.
    let padded = (TEXT_HEAD_BYTES + size).next_multiple_of(step_bytes);
    let mut plain = Zeroizing::new(vec![0; padded]);
    plain[..FACTS_BYTES].copy_from_slice(&facts.to_bytes());
    plain[FACTS_BYTES..FACTS_BYTES + 2].copy_from_slice(&ENCODING.to_le_bytes());
    plain[FACTS_BYTES + 2..TEXT_HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
    postcard::to_slice(value, &mut plain[TEXT_HEAD_BYTES..])
        .map_err(|error| refused(error.to_string()))?;
    frame_of(facts, &seal_with(key, facts, &plain)?)
}

/// Opens a card, a transcript or an entry of the log.
pub(crate) fn open_text<T: DeserializeOwned>(key: &impl RecordKey, frame: &Frame<'_>) -> Result<T> {
    let plain = open_plain(key, frame)?;
    let refused = |why: &str| damaged(&frame.facts, why);
    let Some(([a, b, length @ ..], text)) = plain[FACTS_BYTES..].split_first_chunk::<6>() else {
        return Err(refused("the record is too short"));
    };
    if u16::from_le_bytes([*a, *b]) != ENCODING {
        return Err(refused("its encoding is not known"));
    }
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let text = text
        .get(..length)
        .ok_or_else(|| refused("the record is too short"))?;
    postcard::from_bytes(text).map_err(|error| refused(&error.to_string()))
}

/// Opens a record and gives its plaintext, facts included, once they are those
/// of the frame.
fn open_plain(key: &impl RecordKey, frame: &Frame<'_>) -> Result<Zeroizing<Vec<u8>>> {
    let plain = crypto::open(key, frame.body).map_err(|error| damaged(&frame.facts, error))?;
    match plain.first_chunk::<FACTS_BYTES>() {
        Some(inside) if *inside == frame.facts.to_bytes() => Ok(plain),
        _ => Err(damaged(&frame.facts, "the record belongs to another place")),
    }
}

fn seal_with(key: &impl RecordKey, facts: &Facts, plain: &[u8]) -> Result<Vec<u8>> {
    crypto::seal(key, plain).map_err(|error| Error::Seal {
        which: place(facts),
        why: error.to_string(),
    })
}

pub(crate) fn frame_of(facts: &Facts, body: &[u8]) -> Result<Vec<u8>> {
    frame::encode(facts, body).map_err(|error| Error::Seal {
        which: place(facts),
        why: error.to_string(),
    })
}

/// A record as messages name it.
pub(crate) fn place(facts: &Facts) -> String {
    use frame::Kind;
    let Facts { id, number, .. } = facts;
    match facts.kind {
        Kind::Keys => format!("{id}, keys"),
        Kind::Sound => format!("{id}, sound segment {number}"),
        Kind::Words => format!("{id}, transcript {number}"),
        Kind::Card | Kind::Draft => format!("{id}, card"),
        Kind::Log => format!("log entry {number}"),
    }
}

pub(crate) fn damaged(facts: &Facts, why: impl ToString) -> Error {
    Error::damaged(place(facts), why)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::recording::Moment;
    use crate::recording::sample::card;

    #[test]
    fn a_card_that_was_sealed_before_cards_counted_transcripts_counts_those_it_names() {
        let made_at = Moment {
            unix_ms: 1_763_900_000_000,
            offset_s: 3600,
        };
        let card = card(made_at);
        let versions = vec![VersionInfo {
            number: 3,
            model: "tiny.en".into(),
            language: "en".into(),
            made_at,
        }];
        let former = postcard::to_stdvec(&(&card, &versions, 7_u64)).unwrap();
        let read: CardRecord = postcard::from_bytes(&former).unwrap();
        assert_eq!(read, CardRecord::new(card, versions, 7));
        let counts = CardRecord {
            numbered: 5,
            ..read
        };
        let sealed = postcard::to_stdvec(&counts).unwrap();
        assert_eq!(postcard::from_bytes::<CardRecord>(&sealed), Ok(counts));
        for cut in 0..former.len() {
            assert!(postcard::from_bytes::<CardRecord>(&former[..cut]).is_err());
        }
    }
}

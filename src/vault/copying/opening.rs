//! Opens what was fetched: away from the store, and without the vault's lock.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{Rows, Sealed, seen};
use crate::crypto::ClipKey;
use crate::recording::Recording;
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::sealed::frame::{self, Frame, Kind};
use crate::vault::sealed::{record, scan};
use crate::vault::store::rows::SEGMENTS_PER_ROW;
use crate::vault::store::{gaps, library, opened};

/// A portion that was opened.
pub enum Opened {
    /// Card and transcripts.
    Head(Box<Head>),
    /// Segments of sound, as packets, or why one can't be read.
    Sound(Vec<Result<Zeroizing<Vec<u8>>>>),
}

/// All that is known of a recording but its sound.
pub struct Head {
    /// The recording.
    pub recording: Recording,
    /// How often its card was rewritten.
    pub revision: u32,
    /// The checksum of its card.
    pub mark: [u8; 16],
    /// The highest number that a transcript of it was ever given, lost ones too.
    pub numbered: u32,
    /// The transcripts that could be read, with their numbers.
    pub transcripts: Vec<(u32, Transcript)>,
    /// Why others could not.
    pub damaged: Vec<Error>,
    /// Segments that are gone for good, as the card says: there is no damage in
    /// their being missing.
    pub gone: Vec<Range<u64>>,
}

impl Sealed {
    /// Opens it.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the card can't be read. Of a transcript or a segment
    /// that can't be, what is opened says so.
    pub fn open(&self) -> Result<Opened> {
        match &self.rows {
            Rows::Head { card, words } => {
                let row = card.as_ref().ok_or_else(|| opened::no_card(self.at.id))?;
                let head = self.open_head(row, words)?;
                Ok(Opened::Head(Box::new(head)))
            }
            Rows::Sound { segments, rows } => {
                let none = || Error::NoSound { id: self.at.id };
                let key = self.clip.sound.as_ref().ok_or_else(none)?;
                Ok(Opened::Sound(self.open_sound(key, segments, rows)))
            }
        }
    }

    fn open_head(&self, row: &[u8], words: &[(u32, Vec<u8>)]) -> Result<Head> {
        let opened::FoundCard { record, .. } = opened::card_in(self.at, &self.clip, row)?;
        // As the stock tells it, so that the two can be compared.
        let (revision, mark) = seen(row).unwrap_or_default();
        let numbered = record.numbered;
        // Until when it is kept is not written down: rules change.
        let recording = library::recording(self.at, &self.clip, record, &[]);
        let (mut transcripts, mut damaged) = (Vec::new(), Vec::new());
        for version in &recording.versions {
            let number = version.number;
            let row = words.iter().find(|(found, _)| *found == number);
            let opened = row
                .ok_or(Error::NoTranscript {
                    id: self.at.id,
                    number,
                })
                .and_then(|(_, row)| opened::open_words(self.at, number, &self.clip, row));
            match opened {
                Ok(transcript) => transcripts.push((number, transcript)),
                Err(Error::NoTranscript { id, number }) => damaged.push(Error::damaged(
                    format!("{id}, transcript {number}"),
                    "it is missing from the store",
                )),
                Err(error) => damaged.push(error),
            }
        }
        let gone = gaps::segments_of(&recording.card.gaps);
        Ok(Head {
            recording,
            revision,
            mark,
            numbered,
            transcripts,
            damaged,
            gone,
        })
    }

    /// What each segment holds, in order. That they are those of this recording and
    /// stand in their places is sealed in each.
    fn open_sound(
        &self,
        key: &ClipKey,
        segments: &Range<u64>,
        rows: &[(u32, Vec<u8>)],
    ) -> Vec<Result<Zeroizing<Vec<u8>>>> {
        let mut opened: Vec<Option<Result<Zeroizing<Vec<u8>>>>> = Vec::new();
        opened.resize_with((segments.end - segments.start) as usize, || None);
        for (_, row) in rows {
            for frame in frames_in(row) {
                let facts = frame.facts;
                let number = u64::from(facts.number);
                let is_ours = facts.kind == Kind::Sound
                    && (facts.id, facts.epoch) == (self.at.id, self.at.epoch)
                    && segments.contains(&number);
                if is_ours {
                    let sound = record::open_sound(key, &frame).map(|sound| sound.packets);
                    opened[(number - segments.start) as usize] = Some(sound);
                }
            }
        }
        let missing = |(at, one): (usize, Option<_>)| {
            one.unwrap_or_else(|| {
                let number = segments.start + at as u64;
                let place = format!("{}, sound segment {number}", self.at.id);
                Err(Error::damaged(
                    place,
                    "it is damaged or missing from the store",
                ))
            })
        };
        opened.into_iter().enumerate().map(missing).collect()
    }
}

/// The frames of a row. Where they stand one behind the other their checksums are
/// not asked: what is sealed in them says more. Else they are searched for.
fn frames_in(row: &[u8]) -> Vec<Frame<'_>> {
    let mut found = Vec::with_capacity(SEGMENTS_PER_ROW as usize);
    let mut rest = row;
    while !rest.is_empty() {
        let Some(frame) = frame::unchecked(rest) else {
            return scan::frames(row).map(|(_, frame)| frame).collect();
        };
        rest = &rest[frame.bytes.len()..];
        found.push(frame);
    }
    found
}

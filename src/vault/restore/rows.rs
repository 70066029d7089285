//! The rows of a recording on its way back: sealed here, under new keys, and written
//! as many at a time as go into one transaction.

use std::collections::BTreeSet;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::Returning;
use crate::crypto::ClipKeys;
use crate::recording::{Card, RecordingId, SEGMENT_SAMPLES};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::{Clip, Extent};
use crate::vault::sealed::frame::{Facts, Kind};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::session::Held;
use crate::vault::store::gaps;
use crate::vault::store::rows::{ClipId, SEGMENTS_PER_ROW};

/// Seals one recording.
pub(super) struct Sealing<'a> {
    at: ClipId,
    recording: &'a Returning,
    card: Card,
    keys: ClipKeys,
    has_sound: bool,
    /// Segments that its card notes as gone: no row is written of them.
    gaps: Vec<Range<u64>>,
    /// The number of the next segment, and the frames of its row so far.
    next: u32,
    row: Vec<u8>,
    audio_bytes: u64,
    hash: Sha256,
}

impl<'a> Sealing<'a> {
    pub(super) fn new(at: ClipId, recording: &'a Returning) -> Result<Self> {
        let keys = ClipKeys::generate().map_err(|error| Error::Seal {
            which: at.id.to_string(),
            why: error.to_string(),
        })?;
        Ok(Self {
            at,
            recording,
            card: recording.card.clone(),
            keys,
            has_sound: true,
            gaps: gaps::segments_of(&recording.card.gaps),
            next: 0,
            row: Vec::new(),
            audio_bytes: 0,
            hash: Sha256::new(),
        })
    }

    pub(super) fn without_sound(&mut self) {
        self.has_sound = false;
    }

    /// Notes all of its sound as lost.
    pub(super) fn lose_sound(&mut self) {
        let card = &mut self.card;
        let decoded = card.samples.saturating_add(card.pre_skip.into());
        let all = 0..decoded.div_ceil(SEGMENT_SAMPLES.into());
        gaps::put_in(&mut card.gaps, &[all]);
        // What it was made of must not pass for being here already.
        card.content_hash = None;
    }

    /// Takes the next segment; a row, if the one before was the last in it.
    pub(super) fn segment(&mut self, packets: &[u8]) -> Result<Option<(u32, Vec<u8>)>> {
        let number = self.next;
        let full = match number.is_multiple_of(SEGMENTS_PER_ROW) {
            true => self.last_row(),
            false => None,
        };
        self.next = number
            .checked_add(1)
            .ok_or_else(|| Error::damaged(self.at.id, "no recording has so many segments"))?;
        if self.gaps.iter().any(|gap| gap.contains(&number.into())) {
            return Ok(full);
        }
        let before = u64::from(number) * u64::from(SEGMENT_SAMPLES);
        let left = self.recording.card.samples.saturating_sub(before);
        let samples = u32::try_from(left).map_or(SEGMENT_SAMPLES, |left| left.min(SEGMENT_SAMPLES));
        let facts = self.facts(Kind::Sound, number);
        let frame = record::seal_sound(&self.keys.sound, &facts, packets, samples)?;
        self.hash.update(&frame);
        self.audio_bytes += frame.len() as u64;
        self.row.extend(frame);
        Ok(full)
    }

    /// The row that was begun and has not been given yet.
    pub(super) fn last_row(&mut self) -> Option<(u32, Vec<u8>)> {
        let last = self.next.checked_sub(1)?;
        let frames = std::mem::take(&mut self.row);
        (!frames.is_empty()).then_some((last / SEGMENTS_PER_ROW, frames))
    }

    pub(super) fn words(&self, number: u32, transcript: &Transcript) -> Result<Vec<u8>> {
        let facts = self.facts(Kind::Words, number);
        record::seal_text(&self.keys.words, &facts, transcript)
    }

    /// Its keys, and its card.
    pub(super) fn end(self) -> Result<(Clip, Vec<u8>)> {
        let facts = self.facts(Kind::Card, self.next);
        let versions = self.recording.words.iter().flatten();
        let versions = versions.map(|(number, transcript)| transcript.info(*number));
        let mut card = CardRecord::new(self.card, versions.collect(), self.audio_bytes);
        card.numbered = card.numbered.max(self.recording.numbered);
        let frame = record::seal_text(&self.keys.card, &facts, &card)?;
        let mut clip = Clip {
            epoch: self.at.epoch,
            sound: self.has_sound.then_some(self.keys.sound),
            words: self.recording.words.is_some().then_some(self.keys.words),
            card: self.keys.card,
            extent: Some(Extent {
                segments: self.next.into(),
                hash: self.hash.finalize().into(),
            }),
            since: 0,
            came: 0,
            kept_from: card.card.added_at,
            pinned: false,
        };
        clip.learn(&card.card);
        Ok((clip, frame))
    }

    fn facts(&self, kind: Kind, number: u32) -> Facts {
        Facts {
            kind,
            id: self.at.id,
            epoch: self.at.epoch,
            number,
            revision: 0,
        }
    }
}

/// Rows that wait for a transaction.
#[derive(Default)]
pub(super) struct Pending {
    rows: Vec<(ClipId, Place, Vec<u8>)>,
    bytes: usize,
    /// Recordings of which nothing was written yet.
    new: Vec<RecordingId>,
    /// Recordings of which something was, and whose note must still be there.
    begun: BTreeSet<RecordingId>,
}

#[derive(Clone, Copy)]
enum Place {
    Sound(u32),
    Words(u32),
    Card,
}

impl Pending {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn begin(&mut self, at: ClipId) {
        self.new.push(at.id);
    }

    pub(super) fn sound(&mut self, at: ClipId, row: u32, frames: Vec<u8>) {
        self.add(at, Place::Sound(row), frames);
    }

    pub(super) fn words(&mut self, at: ClipId, number: u32, frame: Vec<u8>) {
        self.add(at, Place::Words(number), frame);
    }

    pub(super) fn card(&mut self, at: ClipId, frame: Vec<u8>) {
        self.add(at, Place::Card, frame);
    }

    fn add(&mut self, at: ClipId, place: Place, row: Vec<u8>) {
        self.bytes += row.len();
        self.rows.push((at, place, row));
    }

    /// Takes out what waits of a recording. What was written of it stays noted.
    pub(super) fn forget(&mut self, id: RecordingId) {
        self.new.retain(|one| *one != id);
        self.rows.retain(|(at, ..)| at.id != id);
        self.bytes = self.rows.iter().map(|(.., row)| row.len()).sum();
    }

    /// Writes what waits, in one transaction. What can't be written waits on.
    pub(super) fn write(&mut self, held: &Held<'_>) -> Result<()> {
        if self.rows.is_empty() && self.new.is_empty() {
            return Ok(());
        }
        held.store().write(held.lock(), |rows| {
            for id in &self.new {
                // What an earlier life left of it may lie in the place of these.
                rows.delete_all(*id)?;
                rows.note_restoring(*id)?;
            }
            for (at, place, row) in &self.rows {
                // Without its note nobody would ever settle them.
                if self.begun.contains(&at.id) && !rows.is_restoring(at.id)? {
                    continue;
                }
                match place {
                    Place::Sound(number) => rows.add_sound(*at, *number, row).map(drop),
                    Place::Words(number) => rows.add_words(*at, *number, row).map(drop),
                    Place::Card => rows.put_card(*at, row),
                }?;
            }
            Ok(())
        })?;
        self.begun.extend(self.new.drain(..));
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }

    /// All that was begun has come to its end.
    pub(super) fn end(&mut self) {
        self.begun.clear();
    }
}

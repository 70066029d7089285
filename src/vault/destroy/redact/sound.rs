//! The sound of a recording that is redacted, row for row: opened with the keys of before,
//! silenced, and sealed with the new ones.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::Redaction;
use super::rekeying::Rekeying;
use crate::crypto::ClipKey;
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::Extent;
use crate::vault::sealed::frame::{Facts, Kind};
use crate::vault::sealed::{record, scan};
use crate::vault::store::digest::SoundDigest;
use crate::vault::store::rows::{ClipId, SEGMENTS_PER_ROW, Writing};

/// Rows of sound in one transaction: about 8 MB, and as much of the new epoch.
const ROWS_PER_COMMIT: usize = 256;

/// Rows of sound in memory at once.
const ROWS_AT_ONCE: usize = 16;

/// The sound as it came over.
pub(super) struct Moved {
    pub(super) extent: Extent,
    pub(super) audio_bytes: u64,
    pub(super) missing: Vec<Range<u64>>,
    pub(super) is_as_recorded: bool,
}

/// The sound of a recording on its way into its next epoch.
pub(super) struct Sound<'a> {
    redaction: &'a dyn Redaction,
    from: ClipId,
    to: ClipId,
    old: &'a ClipKey,
    new: &'a ClipKey,
    pub(super) segments: u32,
    /// What its frames are to be together, and which of them its card notes as lost.
    due: Extent,
    noted: Vec<Range<u64>>,
    /// The next row to take, and the next segment.
    row: u32,
    next: u32,
    missing: Vec<Range<u64>>,
    audio_bytes: u64,
    hash_before: SoundDigest,
    hash: Sha256,
}

impl<'a> Sound<'a> {
    pub(super) fn new(
        rekeying: &Rekeying<'a>,
        noted: Vec<Range<u64>>,
        old: &'a ClipKey,
        new: &'a ClipKey,
    ) -> Result<Self> {
        let id = rekeying.from.id;
        let extent = rekeying.before.extent.ok_or(Error::NoRecording { id })?;
        let segments = u32::try_from(extent.segments)
            .map_err(|_| Error::damaged(id, "no recording has so many segments"))?;
        Ok(Self {
            redaction: rekeying.redaction,
            from: rekeying.from,
            to: rekeying.to,
            old,
            new,
            segments,
            due: extent,
            noted,
            row: 0,
            next: 0,
            missing: Vec::new(),
            audio_bytes: 0,
            hash_before: SoundDigest::new(),
            hash: Sha256::new(),
        })
    }

    /// The next rows, as many as go into one transaction; which segment is next,
    /// or `None` behind the last row.
    pub(super) fn write_some(&mut self, rows: &Writing) -> Result<Option<u32>> {
        for _ in 0..ROWS_PER_COMMIT / ROWS_AT_ONCE {
            let batch = rows.sound(self.from, self.row, ROWS_AT_ONCE)?;
            let Some((last, _)) = batch.last() else {
                return Ok(None);
            };
            self.row = last.saturating_add(1);
            for (row, frames) in &batch {
                let frames = self.take(*row, frames)?;
                if !frames.is_empty() {
                    rows.add_sound(self.to, *row, &frames)?;
                }
            }
        }
        Ok(Some(self.next))
    }

    /// The frames of a row, sealed anew. What does not open is lost already.
    fn take(&mut self, row: u32, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut frames = Vec::with_capacity(bytes.len());
        for (_, frame) in scan::frames(bytes) {
            let number = frame.facts.number;
            let expected = Facts {
                kind: Kind::Sound,
                id: self.from.id,
                epoch: self.from.epoch,
                number,
                revision: frame.facts.revision,
            };
            let is_due = frame.facts == expected
                && number / SEGMENTS_PER_ROW == row
                && (self.next..self.segments).contains(&number);
            let Some(mut segment) = is_due
                .then(|| record::open_sound(self.old, &frame).ok())
                .flatten()
            else {
                continue;
            };
            let is_in_gap = self.noted.iter().any(|gap| gap.contains(&number.into()));
            self.hash_before.add(frame.bytes, is_in_gap);
            self.redaction.silence(number, &mut segment.packets);
            let facts = Facts {
                epoch: self.to.epoch,
                ..expected
            };
            let sealed = record::seal_sound(self.new, &facts, &segment.packets, segment.samples)?;
            self.hash.update(&sealed);
            self.audio_bytes += sealed.len() as u64;
            self.miss_up_to(number);
            self.next = number + 1;
            frames.extend(sealed);
        }
        Ok(frames)
    }

    /// Nothing came over between the next segment and this one.
    fn miss_up_to(&mut self, number: u32) {
        if self.next < number {
            self.missing.push(self.next.into()..number.into());
        }
    }

    pub(super) fn end(mut self) -> Moved {
        self.miss_up_to(self.segments);
        Moved {
            extent: Extent {
                segments: self.segments.into(),
                hash: self.hash.finalize().into(),
            },
            audio_bytes: self.audio_bytes,
            missing: self.missing,
            is_as_recorded: self.hash_before.is_of(&self.due),
        }
    }
}

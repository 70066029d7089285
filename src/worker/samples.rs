//! The samples of a recording, from its start or from anywhere in it. Silence stands
//! in for what is damaged, so that all else stays where it was.

use super::pieces::{Piece, Pieces, Silenced};
use crate::audio::{AudioError, StoredRate, StoredShape, StoredSound};
use crate::error::Failure;
use crate::recording::{Card, Recording};
use crate::vault::OpenVault;

/// Decodes segment by segment: memory does not grow with the length.
pub(super) struct Samples {
    pieces: Pieces,
    shape: StoredShape,
    rate: StoredRate,
    /// None once it has given its last sample.
    decoder: Option<StoredSound>,
}

impl Samples {
    /// From this sample (at 48 kHz) on; nothing if it is beyond the end.
    ///
    /// # Errors
    /// When the sound was shredded, or the store can't be read.
    pub(super) fn of(
        vault: &OpenVault,
        recording: &Recording,
        rate: StoredRate,
        start: u64,
    ) -> Result<Self, Failure> {
        let mut samples = Self {
            pieces: Pieces::new(vault.sound(recording.id)?),
            shape: shape_of(&recording.card),
            rate,
            decoder: None,
        };
        samples.seek(start)?;
        Ok(samples)
    }

    /// Goes on from this sample (at 48 kHz).
    ///
    /// # Errors
    /// [`AudioError::Codec`] if libopus refuses to start.
    pub(super) fn seek(&mut self, start: u64) -> Result<(), AudioError> {
        let decoder = StoredSound::from_sample(self.shape, self.rate, start)?;
        match decoder.next_segment() {
            Some(number) => self.pieces.seek(number),
            None => self.pieces.seek_end(),
        }
        self.decoder = Some(decoder);
        Ok(())
    }

    /// Appends the next ones to `out`, mono in -1..1; `false` when those were the last.
    ///
    /// # Errors
    /// When the recording was shredded meanwhile, or none of it can be read.
    pub(super) fn next(&mut self, out: &mut Vec<f32>) -> Result<bool, Failure> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(false);
        };
        match self.pieces.next()? {
            Some(Piece::Segment(segment)) => decoder.push(&segment.packets, out)?,
            Some(Piece::Lost) => decoder.skip_lost(out)?,
            None => {
                if let Some(decoder) = self.decoder.take() {
                    decoder.finish(out);
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What silence stood in for so far.
    pub(super) fn silenced(&self) -> Silenced {
        self.pieces.silenced()
    }
}

/// What a decoder has to know of a stored recording.
pub(super) fn shape_of(card: &Card) -> StoredShape {
    StoredShape {
        samples: card.samples,
        pre_skip: card.pre_skip,
    }
}

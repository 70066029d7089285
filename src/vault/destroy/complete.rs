//! Whether all rows of a recording were found that the bag and its card say there are.
//!
//! Damage to the tree of a large store can hide rows from who reads it without a word.
//! Who is about to overwrite the only copy asks here first. Rows are counted, not opened,
//! but for the card.

use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::Clip;
use crate::vault::store::rows::{ClipId, SEGMENTS_PER_ROW};
use crate::vault::store::{gaps, opened};

/// Rows of one recording that were found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In order.
    pub(super) sound: Vec<u32>,
    /// In order.
    pub(super) words: Vec<u32>,
    pub(super) card: Option<Vec<u8>>,
}

impl Found {
    /// # Errors
    /// [`Error::Damaged`] if a row is missing that is not noted as gone.
    pub(super) fn check(&self, at: ClipId, clip: &Clip) -> Result<()> {
        let card = self.card.as_ref().ok_or_else(|| opened::no_card(at.id))?;
        let card = opened::open_card(at, clip, card)?;
        let per_row = u64::from(SEGMENTS_PER_ROW);
        let segments = match (&clip.sound, clip.extent) {
            (Some(_), Some(extent)) => extent.segments,
            _ => 0,
        };
        let noted = gaps::segments_of(&card.card.gaps);
        for row in 0..segments.div_ceil(per_row) {
            let is_found = |row: u64| {
                let row = u32::try_from(row).ok();
                row.is_some_and(|row| self.sound.binary_search(&row).is_ok())
            };
            let inside = row * per_row..segments.min((row + 1) * per_row);
            if !is_found(row) && !gaps::outside(&inside, &noted).is_empty() {
                return Err(missing(
                    at.id,
                    &format!("the sound from segment {}", inside.start),
                ));
            }
        }
        let versions = card.versions.iter().filter(|_| clip.words.is_some());
        for number in versions.map(|version| version.number) {
            if self.words.binary_search(&number).is_err() {
                return Err(missing(at.id, &format!("transcript {number}")));
            }
        }
        Ok(())
    }
}

fn missing(id: RecordingId, what: &str) -> Error {
    Error::damaged(id, format!("{what} is not in the store"))
}

//! Rows about to be changed.

use std::cell::Cell;
use std::ops::RangeInclusive;

use redb::{ReadableTable, TableDefinition, TableError, WriteTransaction};

use super::{
    CARD, ClipId, META, REKEYED, RESTORING, REVISION, SOUND, WORDS, numbered_rows, range_of,
};
use crate::crypto::fill_random;
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::store::Trouble;

/// Whether a row was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// It was absent and is there now.
    Now,
    /// It was there already and stays as it is.
    WasThere,
}

/// Rows about to be changed; nothing counts before the commit.
pub(crate) struct Writing {
    /// The highest entry of the log that was put in.
    pub(in crate::vault::store) logged: Cell<u32>,
    pub(in crate::vault) txn: WriteTransaction,
    pub(in crate::vault) trouble: Trouble,
}

impl Writing {
    /// The frame of the card, as this transaction sees it.
    pub(crate) fn card(&self, clip: ClipId) -> Result<Option<Vec<u8>>> {
        let table = self.table(CARD)?;
        let found = table
            .get(&clip.key())
            .map_err(|error| self.trouble.of(error))?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    /// Sound rows from one on, at most so many, as this transaction sees them.
    pub(crate) fn sound(
        &self,
        clip: ClipId,
        from: u32,
        most: usize,
    ) -> Result<Vec<(u32, Vec<u8>)>> {
        numbered_rows(&self.table(SOUND)?, &self.trouble, clip, from, most)
    }

    /// Transcripts from one version on, at most so many.
    pub(crate) fn words_from(
        &self,
        clip: ClipId,
        from: u32,
        most: usize,
    ) -> Result<Vec<(u32, Vec<u8>)>> {
        numbered_rows(&self.table(WORDS)?, &self.trouble, clip, from, most)
    }

    /// Puts a card in the place of the one before it.
    pub(crate) fn put_card(&self, clip: ClipId, frame: &[u8]) -> Result<()> {
        let mut table = self.table(CARD)?;
        table
            .insert(&clip.key(), frame)
            .map_err(|error| self.trouble.of(error))?;
        Ok(())
    }

    /// Adds a transcript; one that is there is never overwritten.
    pub(crate) fn add_words(&self, clip: ClipId, number: u32, frame: &[u8]) -> Result<Added> {
        let mut table = self.table(WORDS)?;
        self.insert_absent(&mut table, clip.row(number), frame)
    }

    /// Adds a row of sound; one that is there is never overwritten.
    pub(crate) fn add_sound(&self, clip: ClipId, row: u32, frames: &[u8]) -> Result<Added> {
        let mut table = self.table(SOUND)?;
        self.insert_absent(&mut table, clip.row(row), frames)
    }

    /// Puts a row of sound in the place of the one before it, which it has to hold.
    pub(crate) fn put_sound(&self, clip: ClipId, row: u32, frames: &[u8]) -> Result<()> {
        let mut table = self.table(SOUND)?;
        table
            .insert(&clip.row(row), frames)
            .map_err(|error| self.trouble.of(error))?;
        Ok(())
    }

    /// Deletes the sound of a recording, of every epoch; how many rows it had.
    pub(crate) fn delete_sound(&self, id: RecordingId) -> Result<u64> {
        self.delete(SOUND, id)
    }

    /// Deletes the transcripts of a recording, of every epoch; how many it had.
    pub(crate) fn delete_words(&self, id: RecordingId) -> Result<u64> {
        self.delete(WORDS, id)
    }

    /// Deletes all rows of a recording, of every epoch; how many it had.
    pub(crate) fn delete_all(&self, id: RecordingId) -> Result<u64> {
        Ok(self.delete(SOUND, id)? + self.delete(WORDS, id)? + self.delete(CARD, id)?)
    }

    /// Deletes all rows of a recording that are of another epoch than this one;
    /// how many there were.
    pub(crate) fn delete_other_epochs(&self, kept: ClipId) -> Result<u64> {
        let (start, end) = kept.id_range();
        let mut deleted = 0;
        if let Some(before) = kept.epoch.checked_sub(1) {
            let to = ClipId {
                epoch: before,
                ..kept
            };
            deleted += self.delete_between(start, to)?;
        }
        if let Some(after) = kept.epoch.checked_add(1) {
            let from = ClipId {
                epoch: after,
                ..kept
            };
            deleted += self.delete_between(from, end)?;
        }
        Ok(deleted)
    }

    /// Notes that rows under new keys are about to be written for a recording:
    /// whatever becomes of that, the rows of one epoch are left over.
    pub(crate) fn note_rekeyed(&self, to: ClipId) -> Result<()> {
        let key = format!("{REKEYED}{}", to.id);
        self.table(META)?
            .insert(key.as_str(), u64::from(to.epoch))
            .map_err(|error| self.trouble.of(error))?;
        Ok(())
    }

    /// Takes that note away: nothing is left over any more.
    pub(crate) fn forget_rekeyed(&self, id: RecordingId) -> Result<()> {
        let key = format!("{REKEYED}{id}");
        self.table(META)?
            .remove(key.as_str())
            .map_err(|error| self.trouble.of(error))?;
        Ok(())
    }

    /// Notes that a restore is about to write rows of a recording: they are waste
    /// until its keys are in the bag.
    pub(crate) fn note_restoring(&self, id: RecordingId) -> Result<()> {
        let key = format!("{RESTORING}{id}");
        self.table(META)?
            .insert(key.as_str(), 0)
            .map_err(|error| self.trouble.of(error))?;
        Ok(())
    }

    /// Whether that is noted.
    pub(crate) fn is_restoring(&self, id: RecordingId) -> Result<bool> {
        let key = format!("{RESTORING}{id}");
        let table = self.table(META)?;
        let found = table
            .get(key.as_str())
            .map_err(|error| self.trouble.of(error))?;
        Ok(found.is_some())
    }

    /// Takes that note away.
    pub(crate) fn forget_restoring(&self, id: RecordingId) -> Result<()> {
        let key = format!("{RESTORING}{id}");
        self.table(META)?
            .remove(key.as_str())
            .map_err(|error| self.trouble.of(error))?;
        Ok(())
    }

    /// Makes the tables, so that readers find them.
    pub(in crate::vault) fn make_tables(&self) -> Result<()> {
        self.table(META)?;
        self.table(SOUND)?;
        self.table(WORDS)?;
        self.table(CARD)?;
        self.make_log()?;
        // A store that takes the place of another must not count through the
        // same numbers again.
        let mut start = [0; 8];
        fill_random(&mut start[..4]).map_err(|error| Error::Seal {
            which: "the store".into(),
            why: error.to_string(),
        })?;
        let start = u64::from_le_bytes(start) << 16;
        self.table(META)?
            .insert(REVISION, start)
            .map_err(|error| self.trouble.of(error))?;
        Ok(())
    }

    pub(in crate::vault) fn count_commit(&self) -> Result<()> {
        let mut table = self.table(META)?;
        let revision = table
            .get(REVISION)
            .map_err(|e| self.trouble.of(e))?
            .map_or(0, |value| value.value());
        table
            .insert(REVISION, revision.wrapping_add(1))
            .map_err(|e| self.trouble.of(e))?;
        Ok(())
    }

    fn insert_absent(
        &self,
        table: &mut redb::Table<'_, &'static [u8; 24], &'static [u8]>,
        key: [u8; 24],
        value: &[u8],
    ) -> Result<Added> {
        if table
            .get(&key)
            .map_err(|error| self.trouble.of(error))?
            .is_some()
        {
            return Ok(Added::WasThere);
        }
        table
            .insert(&key, value)
            .map_err(|error| self.trouble.of(error))?;
        Ok(Added::Now)
    }

    fn delete_between(&self, from: ClipId, to: ClipId) -> Result<u64> {
        let (first, last) = (from.row(0), to.row(u32::MAX));
        Ok(self.delete_range(SOUND, first..=last)?
            + self.delete_range(WORDS, first..=last)?
            + self.delete_range(CARD, from.key()..=to.key())?)
    }

    fn delete<const N: usize>(
        &self,
        definition: TableDefinition<'static, &'static [u8; N], &'static [u8]>,
        id: RecordingId,
    ) -> Result<u64> {
        let (mut low, mut high) = ([0; N], [0xff; N]);
        low[..16].copy_from_slice(id.as_bytes());
        high[..16].copy_from_slice(id.as_bytes());
        self.delete_range(definition, low..=high)
    }

    fn delete_range<const N: usize>(
        &self,
        definition: TableDefinition<'static, &'static [u8; N], &'static [u8]>,
        range: RangeInclusive<[u8; N]>,
    ) -> Result<u64> {
        let mut deleted = 0;
        let every = |_: &[u8; N], _: &[u8]| {
            deleted += 1;
            false
        };
        let mut table = self.table(definition)?;
        table
            .retain_in::<&[u8; N], _>(range_of(&range), every)
            .map_err(|e| self.trouble.of(e))?;
        Ok(deleted)
    }

    fn table<K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<redb::Table<'_, K, V>> {
        self.txn
            .open_table(definition)
            .map_err(|error: TableError| self.trouble.of(error))
    }
}

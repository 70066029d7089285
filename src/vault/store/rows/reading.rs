//! The rows as one transaction sees them.

use redb::{ReadTransaction, TableDefinition, TableHandle};

use super::{
    CARD, ClipId, META, REKEYED, RESTORING, REVISION, SOUND, Share, WORDS, numbered_rows, range_of,
};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::store::Trouble;
use crate::vault::store::log::LOG;

/// The rows as one transaction sees them.
pub(crate) struct Reading {
    pub(in crate::vault) txn: ReadTransaction,
    pub(in crate::vault) trouble: Trouble,
}

impl Reading {
    /// Counts the commits of this store.
    pub(crate) fn revision(&self) -> Result<u64> {
        let table = self.table(META)?;
        let found = table
            .get(REVISION)
            .map_err(|error| self.trouble.of(error))?;
        Ok(found.map_or(0, |value| value.value()))
    }

    /// The frame of the card.
    pub(crate) fn card(&self, clip: ClipId) -> Result<Option<Vec<u8>>> {
        let found = self
            .table(CARD)?
            .get(&clip.key())
            .map_err(|error| self.trouble.of(error))?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    /// The frame of one transcript.
    pub(crate) fn words(&self, clip: ClipId, number: u32) -> Result<Option<Vec<u8>>> {
        let table = self.table(WORDS)?;
        let found = table
            .get(&clip.row(number))
            .map_err(|error| self.trouble.of(error))?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    /// Sound rows from one on, at most so many, each with its number.
    pub(crate) fn sound(
        &self,
        clip: ClipId,
        from: u32,
        most: usize,
    ) -> Result<Vec<(u32, Vec<u8>)>> {
        numbered_rows(&self.table(SOUND)?, &self.trouble, clip, from, most)
    }

    /// Transcripts from one version on, at most so many, each with its number.
    pub(crate) fn words_from(
        &self,
        clip: ClipId,
        from: u32,
        most: usize,
    ) -> Result<Vec<(u32, Vec<u8>)>> {
        numbered_rows(&self.table(WORDS)?, &self.trouble, clip, from, most)
    }

    /// Refuses a store that holds more than this version would take along.
    pub(crate) fn refuse_strange_tables(&self) -> Result<()> {
        let known = [
            META.name(),
            SOUND.name(),
            WORDS.name(),
            CARD.name(),
            LOG.name(),
        ];
        let tables = self
            .txn
            .list_tables()
            .map_err(|error| self.trouble.of(error))?;
        for table in tables {
            if !known.contains(&table.name()) {
                let why = format!("this version does not know its table {}", table.name());
                return Err(Error::damaged(crate::vault::store::FILE, why));
            }
        }
        Ok(())
    }

    /// Recordings of which a redaction began to write rows under new keys and
    /// did not come to its end, as far as this store knows.
    pub(crate) fn rekeyed(&self) -> Result<Vec<RecordingId>> {
        self.noted(REKEYED)
    }

    /// Recordings of which a restore began to write rows, as far as this store
    /// knows.
    pub(crate) fn restoring(&self) -> Result<Vec<RecordingId>> {
        self.noted(RESTORING)
    }

    /// The recordings of all notes of a kind.
    fn noted(&self, kind: &'static str) -> Result<Vec<RecordingId>> {
        let table = self.table(META)?;
        let rows = table
            .range(kind..)
            .map_err(|error| self.trouble.of(error))?;
        let mut ids = Vec::new();
        for row in rows {
            let (key, _) = row.map_err(|error| self.trouble.of(error))?;
            let Some(id) = key.value().strip_prefix(kind) else {
                break;
            };
            ids.extend(id.parse::<RecordingId>());
        }
        Ok(ids)
    }

    /// Every card of a share of the ids.
    pub(crate) fn each_card(
        &self,
        share: Share,
        mut each: impl FnMut(ClipId, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let range = share.range();
        let rows = self
            .table(CARD)?
            .range::<&[u8; 20]>(range_of(&range))
            .map_err(|e| self.trouble.of(e))?;
        for row in rows {
            let (key, value) = row.map_err(|error| self.trouble.of(error))?;
            each(ClipId::of_key(key.value()), value.value())?;
        }
        Ok(())
    }

    /// Every row of sound of a share of the ids, with its number.
    pub(crate) fn each_sound(
        &self,
        share: Share,
        each: impl FnMut(ClipId, u32, &[u8]) -> Result<()>,
    ) -> Result<()> {
        self.each_row(SOUND, share, each)
    }

    /// Every transcript of a share of the ids, with its number.
    pub(crate) fn each_words(
        &self,
        share: Share,
        each: impl FnMut(ClipId, u32, &[u8]) -> Result<()>,
    ) -> Result<()> {
        self.each_row(WORDS, share, each)
    }

    fn each_row(
        &self,
        definition: TableDefinition<'static, &'static [u8; 24], &'static [u8]>,
        share: Share,
        mut each: impl FnMut(ClipId, u32, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let range = share.range();
        let rows = self
            .table(definition)?
            .range::<&[u8; 24]>(range_of(&range))
            .map_err(|error| self.trouble.of(error))?;
        for row in rows {
            let (key, value) = row.map_err(|error| self.trouble.of(error))?;
            let (clip, number) = ClipId::of_row(key.value());
            each(clip, number, value.value())?;
        }
        Ok(())
    }

    /// The newest transcript of every recording in a share of the ids.
    pub(crate) fn each_newest_words(
        &self,
        share: Share,
        mut each: impl FnMut(ClipId, u32, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let range = share.range();
        let rows = self
            .table(WORDS)?
            .range::<&[u8; 24]>(range_of(&range))
            .map_err(|e| self.trouble.of(e))?;
        let mut newest = None;
        for row in rows {
            let (key, value) = row.map_err(|error| self.trouble.of(error))?;
            let (clip, number) = ClipId::of_row(key.value());
            match newest.replace((clip, number, value)) {
                Some((before, number, value)) if before != clip => {
                    each(before, number, value.value())?;
                }
                _ => {}
            }
        }
        newest.map_or(Ok(()), |(clip, number, value)| {
            each(clip, number, value.value())
        })
    }

    fn table<K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<redb::ReadOnlyTable<K, V>> {
        self.txn
            .open_table(definition)
            .map_err(|error| self.trouble.of(error))
    }
}

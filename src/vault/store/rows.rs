//! The tables of the store: which key leads to which frames.
//!
//! ```text
//! meta   "revision"                 u64; counts commits
//!        "rekeyed <id>"             u64; the epoch that a redaction gives it
//!        "restoring <id>"           u64, 0; a restore writes rows of it
//! sound  id 16, epoch 4, row 4      frames of up to ten segments, as they came
//! words  id 16, epoch 4, number 4   one frame
//! card   id 16, epoch 4             one frame
//! log    number 4                   one frame; see `log`
//! ```
//!
//! Integers in keys are big-endian, so that rows lie in order. Rows hold sealed
//! frames only; nothing here has a key.

use std::cell::Cell;
use std::ops::RangeInclusive;

use redb::{
    ReadTransaction, ReadableTable, TableDefinition, TableError, TableHandle, WriteTransaction,
};

use crate::crypto::fill_random;
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::store::Trouble;
use crate::vault::store::log::LOG;

/// Segments in one row: redb rounds large values up to a power of two, and ten
/// frames fill 32 KiB best.
pub(crate) const SEGMENTS_PER_ROW: u32 = 10;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const SOUND: TableDefinition<'_, &[u8; 24], &[u8]> = TableDefinition::new("sound");
const WORDS: TableDefinition<'_, &[u8; 24], &[u8]> = TableDefinition::new("words");
const CARD: TableDefinition<'_, &[u8; 20], &[u8]> = TableDefinition::new("card");
const REVISION: &str = "revision";
const REKEYED: &str = "rekeyed ";
const RESTORING: &str = "restoring ";

/// A recording under one set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClipId {
    pub id: RecordingId,
    pub epoch: u32,
}

impl ClipId {
    fn key(self) -> [u8; 20] {
        let mut key = [0; 20];
        key[..16].copy_from_slice(self.id.as_bytes());
        key[16..].copy_from_slice(&self.epoch.to_be_bytes());
        key
    }

    fn row(self, number: u32) -> [u8; 24] {
        let mut key = [0; 24];
        key[..20].copy_from_slice(&self.key());
        key[20..].copy_from_slice(&number.to_be_bytes());
        key
    }

    /// The first and the last that a recording can have.
    fn id_range(self) -> (Self, Self) {
        let of = |epoch| Self { epoch, ..self };
        (of(0), of(u32::MAX))
    }

    fn of_key(key: &[u8; 20]) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&key[..16]);
        let epoch = u32::from_be_bytes([key[16], key[17], key[18], key[19]]);
        Self {
            id: RecordingId::from_bytes(id),
            epoch,
        }
    }

    fn of_row(key: &[u8; 24]) -> (Self, u32) {
        let mut clip = [0; 20];
        clip.copy_from_slice(&key[..20]);
        (
            Self::of_key(&clip),
            u32::from_be_bytes([key[20], key[21], key[22], key[23]]),
        )
    }
}

/// A part of all ids. Ids are random, so equal parts hold about equally many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    first: u8,
    last: u8,
}

impl Share {
    /// All ids in so many parts, at most 256.
    pub(crate) fn split(parts: usize) -> Vec<Self> {
        let parts = parts.clamp(1, 256);
        let edge = |part: usize| part * 256 / parts;
        // Both edges are below 256 once the one is taken off.
        (0..parts)
            .map(|part| Self {
                first: edge(part) as u8,
                last: (edge(part + 1) - 1) as u8,
            })
            .collect()
    }

    /// Whether this part has the id.
    pub(crate) fn holds(self, id: &RecordingId) -> bool {
        (self.first..=self.last).contains(&id.as_bytes()[0])
    }

    fn range<const N: usize>(self) -> RangeInclusive<[u8; N]> {
        let (mut low, mut high) = ([0; N], [0xff; N]);
        low[0] = self.first;
        high[0] = self.last;
        low..=high
    }
}

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

/// Rows about to be changed; nothing counts before the commit.
pub(crate) struct Writing {
    /// The highest entry of the log that was put in.
    pub(super) logged: Cell<u32>,
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

/// Whether a row was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// It was absent and is there now.
    Now,
    /// It was there already and stays as it is.
    WasThere,
}

/// The rows of a recording from a number on, at most so many.
fn numbered_rows(
    table: &impl ReadableTable<&'static [u8; 24], &'static [u8]>,
    trouble: &Trouble,
    clip: ClipId,
    from: u32,
    most: usize,
) -> Result<Vec<(u32, Vec<u8>)>> {
    let range = clip.row(from)..=clip.row(u32::MAX);
    let rows = table
        .range::<&[u8; 24]>(range_of(&range))
        .map_err(|error| trouble.of(error))?;
    rows.take(most)
        .map(|row| {
            let (key, value) = row.map_err(|error| trouble.of(error))?;
            Ok((ClipId::of_row(key.value()).1, value.value().to_vec()))
        })
        .collect()
}

fn range_of<const N: usize>(range: &RangeInclusive<[u8; N]>) -> RangeInclusive<&[u8; N]> {
    range.start()..=range.end()
}

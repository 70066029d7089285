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

mod reading;
mod writing;

use std::ops::RangeInclusive;

use redb::{ReadableTable, TableDefinition};

pub(crate) use self::reading::Reading;
pub(crate) use self::writing::{Added, Writing};
use crate::recording::RecordingId;
use crate::vault::error::Result;
use crate::vault::store::Trouble;

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

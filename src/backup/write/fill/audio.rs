//! The sound of a recording, or a stretch of it, on its way into a segment. Silence stands in
//! for what can't be read.

use std::collections::BTreeSet;
use std::ops::Range;

use zeroize::Zeroizing;

use super::is_damage;
use crate::audio::{OggOpusWriter, StoredShape};
use crate::backup::error::Result;
use crate::backup::manifest::{self, Entry};
use crate::backup::write::task::Stretch;
use crate::vault;

/// A stretch of sound that is being written.
pub(super) struct Audio {
    ogg: OggOpusWriter<Vec<u8>>,
    /// Segments that are written. An interrupted recording may have one fewer than
    /// its length says: it lacks what the encoder still held.
    segments: u64,
    /// The next segment.
    next: u64,
    lost: BTreeSet<u64>,
    why: Option<vault::Error>,
}

/// What a stretch came to.
pub(super) struct Ended {
    /// The bytes that end it.
    pub(super) rest: Vec<u8>,
    /// Segments that could not be read, and why the first of them could not.
    pub(super) lost: BTreeSet<u64>,
    /// See `lost`.
    pub(super) why: Option<vault::Error>,
}

impl Audio {
    /// A stretch of this shape.
    pub(super) fn of(stretch: Stretch, shape: StoredShape) -> Result<Self> {
        Ok(Self {
            ogg: OggOpusWriter::chained(Vec::new(), shape, stretch.number)?,
            segments: stretch.from + shape.segments(),
            next: stretch.from,
            lost: BTreeSet::new(),
            why: None,
        })
    }

    /// Takes the next segments, as packets; how many of them there are to be. For those that
    /// are `gone` for good `silence` is no loss.
    pub(super) fn take(
        &mut self,
        segments: Vec<Result<Zeroizing<Vec<u8>>, vault::Error>>,
        gone: &[Range<u64>],
        silence: &[u8],
    ) -> Result<u64> {
        let mut taken = 0;
        for segment in segments {
            let number = self.next;
            self.next += 1;
            if number >= self.segments {
                continue;
            }
            match segment {
                Ok(packets) if !packets.is_empty() => self.ogg.push(&packets)?,
                Ok(_) => self.ogg.push(silence)?,
                Err(error) if !is_damage(&error) => return Err(error.into()),
                Err(error) => {
                    self.ogg.push(silence)?;
                    if !gone.iter().any(|span| span.contains(&number)) {
                        self.lost.insert(number);
                        self.why.get_or_insert(error);
                    }
                }
            }
            taken += 1;
        }
        Ok(taken)
    }

    /// The bytes of it that are ready, for who writes them to clear.
    pub(super) fn ready(&mut self) -> &mut Vec<u8> {
        self.ogg.get_mut()
    }

    /// Fills up with silence what is missing at the end.
    pub(super) fn end(mut self, silence: &[u8]) -> Result<Ended> {
        while self.next < self.segments {
            self.ogg.push(silence)?;
            self.lost.insert(self.next);
            self.next += 1;
        }
        Ok(Ended {
            rest: self.ogg.finish()?,
            lost: self.lost,
            why: self.why,
        })
    }
}

/// What of these spans lies in a stretch.
fn within(stretch: Stretch, spans: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let cut = spans
        .iter()
        .map(|(from, to)| (*from.max(&stretch.from), *to.min(&stretch.to)));
    cut.filter(|(from, to)| from < to).collect()
}

/// A stretch as the manifest has it.
pub(super) fn written(stretch: Stretch, entry: Entry) -> manifest::Stretch {
    manifest::Stretch {
        id: entry.id,
        epoch: entry.epoch,
        number: stretch.number,
        span: (stretch.from, stretch.to),
        gone: within(stretch, &entry.gone),
        lost: entry.lost,
    }
}

//! The stored sound of a recording, piece by piece, past what is damaged.

use crate::error::{Exit, Failure};
use crate::vault::{Error, SoundReader, SoundSegment};

/// What comes next.
pub(super) enum Piece {
    /// A segment as it was recorded.
    Segment(SoundSegment),
    /// A segment that is damaged or missing; silence stands in for it.
    Lost,
}

/// Segments that silence stands in for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silenced {
    /// Damaged or missing.
    pub lost: u64,
    /// Of these, those that the disk may give again some day.
    pub unread: u64,
    /// Gone for good, which the recording's card says.
    pub gone: u64,
}

/// Reads on behind damage, and counts what was lost.
pub(super) struct Pieces {
    reader: SoundReader,
    /// Number of the one that comes next.
    next: u64,
    read: u64,
    silenced: Silenced,
}

impl Pieces {
    pub(super) fn new(reader: SoundReader) -> Self {
        Self {
            reader,
            next: 0,
            read: 0,
            silenced: Silenced::default(),
        }
    }

    /// Goes on with the segment of this number.
    pub(super) fn seek(&mut self, number: u64) {
        self.reader.seek(number);
        self.next = number;
    }

    /// Goes on behind the last segment.
    pub(super) fn seek_end(&mut self) {
        self.seek(self.reader.segments());
    }

    /// The next piece; `None` behind the last one.
    ///
    /// # Errors
    /// When the recording was shredded meanwhile, or none of it can be read.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, Failure> {
        let (failure, is_unread) = match self.reader.next_segment() {
            Ok(None) => return Ok(None),
            Ok(Some(segment)) => {
                self.next += 1;
                self.read += 1;
                self.silenced.gone += u64::from(segment.packets.is_empty());
                return Ok(Some(Piece::Segment(segment)));
            }
            Err(error) => {
                let is_unread = matches!(error, Error::Unread { .. });
                (Failure::from(error), is_unread)
            }
        };
        let segments = self.reader.segments();
        let is_last_hope = self.read == 0 && self.next + 1 >= segments;
        if failure.exit != Exit::Damaged || self.next >= segments || is_last_hope {
            return Err(failure);
        }
        self.next += 1;
        self.silenced.lost += 1;
        self.silenced.unread += u64::from(is_unread);
        Ok(Some(Piece::Lost))
    }

    /// What silence stood in for so far.
    pub(super) fn silenced(&self) -> Silenced {
        self.silenced
    }
}

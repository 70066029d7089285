//! Reads the sound of a recording, segment by segment, from the store.
//!
//! How many segments there are, and the hash over them, stands in the bag, so
//! sound that was cut off, reordered or exchanged is refused with the place. A
//! segment that the card notes as lost is a gap, and no damage any more.
//! The vault's lock is held only while a batch of rows is fetched.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::digest::SoundDigest;
use super::rows::{ClipId, SEGMENTS_PER_ROW};
use crate::crypto::ClipKey;
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::Extent;
use crate::vault::sealed::frame::{Frame, Kind};
use crate::vault::sealed::record::{self, SoundSegment};
use crate::vault::sealed::scan;
use crate::vault::session::Session;

/// Rows fetched at once: 32 s of sound, 128 KiB.
const BATCH_ROWS: usize = 4;

/// The sound of one recording, from its start or from where it was sought to.
pub struct SoundReader {
    session: Arc<Session>,
    clip: ClipId,
    key: ClipKey,
    extent: Extent,
    /// Segments that are gone for good, in order.
    gaps: Vec<Range<u64>>,
    next: u64,
    rows: BTreeMap<u32, Vec<u8>>,
    /// Whether the disk did not give a sector while these were fetched.
    is_unread: bool,
    /// Over all frames so far; `None` once one was passed over.
    digest: Option<SoundDigest>,
}

impl SoundReader {
    pub(in crate::vault) fn new(
        session: Arc<Session>,
        clip: ClipId,
        key: ClipKey,
        extent: Extent,
        gaps: Vec<Range<u64>>,
    ) -> Self {
        Self {
            session,
            clip,
            key,
            extent,
            gaps,
            next: 0,
            rows: BTreeMap::new(),
            is_unread: false,
            digest: Some(SoundDigest::new()),
        }
    }

    /// How many segments there are.
    #[must_use]
    pub fn segments(&self) -> u64 {
        self.extent.segments
    }

    /// Goes on with this segment; past the end there is nothing more.
    pub fn seek(&mut self, segment: u64) {
        if segment != self.next {
            self.next = segment;
            self.digest = None;
        }
    }

    /// The next segment; `None` behind the last one.
    ///
    /// # Errors
    /// [`Error::Damaged`] names the recording and the segment, and [`Error::Unread`] one that
    /// the disk may give again some day; the next call goes on behind it. [`Error::Outdated`] if the recording was shredded meanwhile.
    pub fn next_segment(&mut self) -> Result<Option<SoundSegment>> {
        if self.next >= self.extent.segments {
            return self.check_whole().map(|()| None);
        }
        let number = u32::try_from(self.next)
            .map_err(|_| Error::damaged(self.clip.id, "no recording has so many segments"))?;
        match self.fetch(number) {
            Err(error @ Error::Unread { .. }) => {
                self.seek(self.next + 1);
                return Err(error);
            }
            fetched => fetched?,
        }
        self.next += 1;
        let mut digest = self.digest.take();
        let (segment, frame) = self.open(number)?;
        if let Some(digest) = &mut digest {
            digest.add(frame, self.is_gap(number));
        }
        self.digest = digest;
        Ok(Some(segment))
    }

    fn is_gap(&self, number: u32) -> bool {
        let number = u64::from(number);
        self.gaps.iter().any(|gap| gap.contains(&number))
    }

    /// A segment and its frame, which of a gap has no byte.
    fn open(&self, number: u32) -> Result<(SoundSegment, &[u8])> {
        let id = self.clip.id;
        let refuse = |why: &str| match self.is_unread {
            true => Err(Error::Unread { id, number }),
            false => Err(Error::damaged(format!("{id}, sound segment {number}"), why)),
        };
        let Some(row) = self.rows.get(&(number / SEGMENTS_PER_ROW)) else {
            if self.is_gap(number) {
                return Ok((SoundSegment::gap(), &[]));
            }
            return refuse("it is missing from the store");
        };
        // A damaged frame must not hide those behind it, so the row is scanned.
        let found: Vec<Frame<'_>> = scan::frames(row).map(|(_, frame)| frame).collect();
        let strange = found.iter().any(|frame| {
            let facts = frame.facts;
            facts.kind != Kind::Sound || (facts.id, facts.epoch) != (self.clip.id, self.clip.epoch)
        });
        if strange {
            return refuse("a record of another recording lies in its place");
        }
        if !found.is_sorted_by(|one, two| one.facts.number < two.facts.number) {
            return refuse("the segments are not in order");
        }
        match found.iter().find(|frame| frame.facts.number == number) {
            Some(frame) => Ok((record::open_sound(&self.key, frame)?, frame.bytes)),
            None if self.is_gap(number) => Ok((SoundSegment::gap(), &[])),
            None => refuse("it is damaged or missing from the store"),
        }
    }

    /// Fetches the row of a segment, and some that follow.
    fn fetch(&mut self, number: u32) -> Result<()> {
        let row = number / SEGMENTS_PER_ROW;
        if self.rows.contains_key(&row) {
            return Ok(());
        }
        let fetched = self.session.sound_rows(self.clip, row, BATCH_ROWS)?;
        self.is_unread = fetched.is_unread;
        self.rows = match fetched.rows {
            Err(Error::StoreDamaged { .. }) if self.is_unread => {
                let id = self.clip.id;
                return Err(Error::Unread { id, number });
            }
            rows => rows?.into_iter().collect(),
        };
        Ok(())
    }

    /// Behind the last segment: all of them together are those that were merged.
    fn check_whole(&mut self) -> Result<()> {
        let Some(digest) = self.digest.take() else {
            return Ok(());
        };
        if digest.is_of(&self.extent) {
            return Ok(());
        }
        Err(Error::damaged(
            self.clip.id,
            "the sound is not the one that was recorded",
        ))
    }
}

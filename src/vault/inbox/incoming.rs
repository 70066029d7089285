//! The last part of a merge: rows into the store, then the inbox files away.
//!
//! Segments go in as they were sealed by the recorder, ten to a row; nothing is
//! sealed anew but the card.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use super::intake::{FIRST_EPOCH, Frames, Next};
use super::merge::{Waiting, open};
use crate::vault::error::{Error, Result};
use crate::vault::inbox::{self, Sequential};
use crate::vault::sealed::frame::{Facts, Kind};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::session::Held;
use crate::vault::store::rows::{ClipId, SEGMENTS_PER_ROW, Writing};

/// Rows that go into one transaction: about 16 MB.
const ROWS_PER_COMMIT: u32 = 512;

/// Recordings that go into one transaction; each keeps a file open.
const RECORDINGS_PER_COMMIT: usize = 128;

/// Puts everything into the store, as many short recordings in a transaction as
/// fit one, and removes their files once it is durable.
pub(in crate::vault) fn insert_all(held: &Held<'_>, waiting: &[Waiting]) -> Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    held.store().change(held.lock(), |store| {
        let mut rest = waiting;
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at(batch_len(rest));
            let mut incoming = batch
                .iter()
                .map(|one| Incoming::open(held, one))
                .collect::<Result<Vec<_>>>()?;
            for one in &mut incoming {
                while one.rows.len() as u32 > ROWS_PER_COMMIT {
                    store.commit(|writing| one.insert(writing, ROWS_PER_COMMIT))?;
                }
            }
            store.commit(|writing| {
                incoming
                    .iter_mut()
                    .try_for_each(|one| one.insert_rest(writing))
            })?;
            inbox::destroy(held.disk(), held.dir(), batch.iter().map(|one| one.id))?;
            rest = behind;
        }
        Ok(())
    })
}

/// How many of the first fit one transaction; at least one.
fn batch_len(waiting: &[Waiting]) -> usize {
    let mut rows = 0;
    let fits = |one: &&Waiting| {
        rows += one.extent.segments.div_ceil(SEGMENTS_PER_ROW.into());
        rows <= ROWS_PER_COMMIT.into()
    };
    waiting
        .iter()
        .take(RECORDINGS_PER_COMMIT)
        .take_while(fits)
        .count()
        .max(1)
}

/// A recording on its way into the store.
struct Incoming {
    clip: ClipId,
    /// Rows that are still to be inserted.
    rows: Range<u32>,
    sound: Sound,
    card: Vec<u8>,
}

impl Incoming {
    fn open(held: &Held<'_>, one: &Waiting) -> Result<Self> {
        let clip = ClipId {
            id: one.id,
            epoch: FIRST_EPOCH,
        };
        let segments = u32::try_from(one.extent.segments)
            .map_err(|_| Error::damaged(one.id, "no recording has so many segments"))?;
        let facts = Facts {
            kind: Kind::Card,
            id: one.id,
            epoch: FIRST_EPOCH,
            number: segments,
            revision: 0,
        };
        let card = CardRecord {
            card: one.card.clone(),
            versions: Vec::new(),
            audio_bytes: one.audio_bytes,
        };
        Ok(Self {
            clip,
            rows: 0..segments.div_ceil(SEGMENTS_PER_ROW),
            sound: Sound {
                frames: Frames::new(Sequential::new(open(held, one.id)?)),
                passed_over: one.passed_over.clone(),
                ahead: None,
                left: one.found,
                path: inbox::path(held.dir(), one.id),
            },
            card: record::seal_text(&one.keys.card, &facts, &card)?,
        })
    }

    /// The next rows, at most so many: up to ten frames each, as they stand in the
    /// file. One whose segments are all lost is left out.
    fn insert(&mut self, writing: &Writing, most: u32) -> Result<()> {
        for row in self.rows.by_ref().take(most as usize) {
            let mut frames = Vec::new();
            while let Some(frame) = self.sound.next_of(row)? {
                frames.extend(frame);
            }
            if !frames.is_empty() {
                writing.add_sound(self.clip, row, &frames)?;
            }
        }
        Ok(())
    }

    /// What is left of the sound, and the card.
    fn insert_rest(&mut self, writing: &Writing) -> Result<()> {
        self.insert(writing, u32::MAX)?;
        self.sound.is_done()?;
        match writing.card(self.clip)? {
            Some(_) => Ok(()),
            None => writing.put_card(self.clip, &self.card),
        }
    }
}

/// The frames of an inbox file that were counted.
struct Sound {
    frames: Frames<Sequential>,
    passed_over: BTreeSet<u64>,
    /// One that belongs into a later row than the last one asked for.
    ahead: Option<(u32, Vec<u8>)>,
    /// How many are still to come.
    left: u32,
    path: PathBuf,
}

impl Sound {
    /// The next frame, if it belongs into this row.
    fn next_of(&mut self, row: u32) -> Result<Option<Vec<u8>>> {
        let next = match self.ahead.take() {
            Some(next) => Some(next),
            None => self.next()?,
        };
        match next {
            Some((number, frame)) if number / SEGMENTS_PER_ROW == row => Ok(Some(frame)),
            Some((number, _)) if number / SEGMENTS_PER_ROW < row => Err(self.changed()),
            other => {
                self.ahead = other;
                Ok(None)
            }
        }
    }

    fn next(&mut self) -> Result<Option<(u32, Vec<u8>)>> {
        while self.left > 0 {
            match self.frames.next().map_err(Error::io("read", &self.path))? {
                Next::Frame(frame, at)
                    if frame.facts.kind == Kind::Sound && !self.passed_over.contains(&at) =>
                {
                    self.left -= 1;
                    return Ok(Some((frame.facts.number, frame.bytes.to_vec())));
                }
                Next::Frame(..) => {}
                Next::Damaged(_) => self.resume()?,
                Next::End | Next::Torn => return Err(self.changed()),
            }
        }
        Ok(None)
    }

    fn resume(&mut self) -> Result<()> {
        match self
            .frames
            .resume()
            .map_err(Error::io("read", &self.path))?
        {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }

    /// All that was counted went in.
    fn is_done(&self) -> Result<()> {
        match (self.left, &self.ahead) {
            (0, None) => Ok(()),
            _ => Err(self.changed()),
        }
    }

    fn changed(&self) -> Error {
        Error::damaged(self.path.display(), "it changed while it was read")
    }
}

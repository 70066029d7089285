//! The last part of a merge: rows into the store, then the inbox files away.
//!
//! Segments go in as they were sealed by the recorder, ten to a row; nothing is
//! sealed anew but the card, and transcripts that came with the sound.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use super::frames::{Frames, Next};
use super::intake::FIRST_EPOCH;
use super::merge::{Waiting, reopen};
use super::sequential::Sequential;
use crate::crypto::ClipKey;
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::inbox;
use crate::vault::open::seal_words;
use crate::vault::sealed::frame::{Facts, Kind};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::session::Held;
use crate::vault::store::rows::{ClipId, SEGMENTS_PER_ROW, Writing};

/// Rows that go into one transaction: about 16 MB.
const ROWS_PER_COMMIT: u32 = 512;

/// Recordings that go into one transaction; each keeps a file open.
const RECORDINGS_PER_COMMIT: usize = 128;

/// Puts everything into the store, as many short recordings in a transaction as
/// fit one, and removes their files once it is durable. Answers with what of these could
/// not be removed.
pub(in crate::vault) fn insert_all(held: &Held<'_>, waiting: &[Waiting]) -> Result<Vec<Error>> {
    let mut left = Vec::new();
    if waiting.is_empty() {
        return Ok(left);
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
            let ids = batch.iter().map(|one| one.id);
            left.extend(inbox::destroy(held.disk(), held.dir(), ids));
            rest = behind;
        }
        Ok(())
    })?;
    Ok(left)
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
struct Incoming<'a> {
    one: &'a Waiting,
    clip: ClipId,
    /// Rows that are still to be inserted.
    rows: Range<u32>,
    sound: Sound,
}

impl<'a> Incoming<'a> {
    fn open(held: &Held<'_>, one: &'a Waiting) -> Result<Self> {
        let clip = ClipId {
            id: one.id,
            epoch: FIRST_EPOCH,
        };
        let segments = u32::try_from(one.extent.segments)
            .map_err(|_| Error::damaged(one.id, "no recording has so many segments"))?;
        Ok(Self {
            one,
            clip,
            rows: 0..segments.div_ceil(SEGMENTS_PER_ROW),
            sound: Sound {
                frames: Frames::new(Sequential::new(reopen(held, one)?)),
                passed_over: one.passed_over.clone(),
                ahead: None,
                left: one.found,
                path: inbox::path(held.dir(), one.id),
            },
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
                put_fuller(writing, self.clip, row, &frames)?;
            }
        }
        Ok(())
    }

    /// What is left of the sound, the transcripts, and the card.
    fn insert_rest(&mut self, writing: &Writing) -> Result<()> {
        self.insert(writing, u32::MAX)?;
        self.sound.is_done()?;
        if writing.card(self.clip)?.is_some() {
            return Ok(());
        }
        let mut versions = Vec::new();
        while versions.len() < self.one.transcripts as usize {
            let transcript = self.sound.next_words(&self.one.keys.words)?;
            let number = versions.len() as u32 + 1;
            let frame = seal_words(&self.one.keys.words, self.clip, number, &transcript)?;
            writing.add_words(self.clip, number, &frame)?;
            versions.push(transcript.info(number));
        }
        let segments = u32::try_from(self.one.extent.segments)
            .map_err(|_| Error::damaged(self.one.id, "no recording has so many segments"))?;
        let facts = Facts {
            kind: Kind::Card,
            id: self.one.id,
            epoch: FIRST_EPOCH,
            number: segments,
            revision: 0,
        };
        let card = CardRecord::new(self.one.card.clone(), versions, self.one.audio_bytes);
        let card = record::seal_text(&self.one.keys.card, &facts, &card)?;
        writing.put_card(self.clip, &card)
    }
}

/// Puts a row. One that lies there was put by a merge that was cut off. If that read past
/// bad sectors, it may lack what can be read now: of two the fuller one stays, as long as
/// no card says what there is.
fn put_fuller(writing: &Writing, clip: ClipId, row: u32, frames: &[u8]) -> Result<()> {
    if writing.card(clip)?.is_some() {
        return writing.add_sound(clip, row, frames).map(drop);
    }
    let there = writing.sound(clip, row, 1)?;
    let is_fuller =
        |(number, there): &(u32, Vec<u8>)| *number == row && there.len() >= frames.len();
    match there.iter().any(is_fuller) {
        true => Ok(()),
        false => writing.put_sound(clip, row, frames),
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
                Next::End | Next::Torn(_) => return Err(self.changed()),
            }
        }
        Ok(None)
    }

    /// The next transcript behind the sound. There is one: it was counted.
    fn next_words(&mut self, key: &ClipKey) -> Result<Transcript> {
        loop {
            match self.frames.next().map_err(Error::io("read", &self.path))? {
                Next::Frame(frame, at)
                    if frame.facts.kind == Kind::Words && !self.passed_over.contains(&at) =>
                {
                    return record::open_text(key, &frame);
                }
                Next::Frame(..) => {}
                Next::Damaged(_) => self.resume()?,
                Next::End | Next::Torn(_) => return Err(self.changed()),
            }
        }
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

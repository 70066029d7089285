//! The last part of a merge: rows into the store, then the inbox files away.
//!
//! Segments go in as they were sealed by the recorder, ten to a row; nothing is
//! sealed anew but the card.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::frame::{Facts, Kind};
use super::inbox::{self, Sequential};
use super::intake::{FIRST_EPOCH, Frames, Next};
use super::merge::{Waiting, open};
use super::record::{self, CardRecord};
use super::rows::{ClipId, SEGMENTS_PER_ROW, Writing};
use super::session::Held;

/// Rows that go into one transaction: about 16 MB.
const ROWS_PER_COMMIT: u32 = 512;

/// Recordings that go into one transaction; each keeps a file open.
const RECORDINGS_PER_COMMIT: usize = 128;

/// Puts everything into the store, as many short recordings in a transaction as
/// fit one, and removes their files once it is durable.
pub(super) fn insert_all(held: &Held<'_>, waiting: &[Waiting]) -> Result<()> {
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
    segments: u32,
    /// Rows that are still to be inserted.
    rows: Range<u32>,
    sound: Frames<Sequential>,
    card: Vec<u8>,
    path: PathBuf,
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
            segments,
            rows: 0..segments.div_ceil(SEGMENTS_PER_ROW),
            sound: Frames::new(Sequential::new(open(held, one.id)?)),
            card: record::seal_text(&one.keys.card, &facts, &card)?,
            path: inbox::path(held.dir(), one.id),
        })
    }

    /// The next rows, at most so many: ten frames each, as they stand in the file.
    fn insert(&mut self, writing: &Writing, most: u32) -> Result<()> {
        for row in self.rows.by_ref().take(most as usize) {
            let first = row * SEGMENTS_PER_ROW;
            let mut frames = Vec::new();
            for _ in first..self.segments.min(first + SEGMENTS_PER_ROW) {
                append_next(&mut self.sound, &mut frames, &self.path)?;
            }
            writing.add_sound(self.clip, row, &frames)?;
        }
        Ok(())
    }

    /// What is left of the sound, and the card.
    fn insert_rest(&mut self, writing: &Writing) -> Result<()> {
        self.insert(writing, u32::MAX)?;
        match writing.card(self.clip)? {
            Some(_) => Ok(()),
            None => writing.put_card(self.clip, &self.card),
        }
    }
}

fn append_next(sound: &mut Frames<Sequential>, row: &mut Vec<u8>, path: &Path) -> Result<()> {
    loop {
        match sound.next().map_err(Error::io("read", path))? {
            Next::Frame(frame) if frame.facts.kind == Kind::Sound => {
                row.extend_from_slice(frame.bytes);
                return Ok(());
            }
            Next::Frame(_) => {}
            Next::End | Next::Torn | Next::Damaged(_) => {
                return Err(Error::damaged(
                    path.display(),
                    "it changed while it was read",
                ));
            }
        }
    }
}

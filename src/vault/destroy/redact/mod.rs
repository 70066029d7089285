//! Takes a span out of a recording, for good.
//!
//! The recording gets new keys and the next epoch. Its rows are written anew
//! under them, without what is to go; one rotation puts the new keys in the
//! place of the old ones, and the rows of the epoch before are as dead as those
//! of a recording that was shredded. A tombstone keeps that epoch from coming
//! back.
//!
//! Both epochs lie in the store side by side for a while, and the bag in force
//! says which of them counts:
//!
//! | the power is cut | the bag in force has | the store holds |
//! |---|---|---|
//! | while rows are written | the old epoch | it, and a part of the new one |
//! | before the commit | the old epoch | both |
//! | before rows are deleted | the new epoch | both |
//! | later | the new epoch | it |
//!
//! The rows are written before the rotation begins: however long the recording
//! is, nobody who wants to begin another one waits for that. A note in the store
//! says that a recording has rows of two epochs, until [`settle`] has deleted
//! those that do not count. They open with no key: keys of an epoch that did not
//! come into force were never written down.
//!
//! What is silence, and which words go, is not known here: see [`Redaction`].

mod rekeying;
mod sound;

use super::receipt::{NotErased, Receipt};
use super::shred;
use crate::recording::{Card, RecordingId};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::Hold;
use crate::vault::inbox::{self, Claim, merge};
use crate::vault::keys::bag::Tombstone;
use crate::vault::log::{Deed, Draft, book};
use crate::vault::session::Held;
use crate::vault::store;
use rekeying::Rekeying;

/// What is taken out of a recording, by those who know sound and words.
pub trait Redaction {
    /// Puts silence in the place of what is to go among the packets of this
    /// segment, which keep their size.
    fn silence(&self, segment: u32, packets: &mut [u8]);

    /// The transcript of this number without what is to go; `None` if nothing in
    /// it is.
    fn blank(&self, number: u32, transcript: &Transcript) -> Option<Transcript>;

    /// Takes out of the card what speaks of the span.
    fn trim(&self, card: &mut Card);
}

/// What was taken out, and what is out of reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The recording.
    pub id: RecordingId,
    /// Transcripts of which something was blanked.
    pub transcripts: u32,
    /// Segments of sound that were damaged or missing and are noted as gaps now;
    /// those that the card had noted before don't count.
    pub lost_segments: u64,
    /// Transcripts that were damaged; there is nothing left of them.
    pub lost_transcripts: u32,
    /// What was erased, and what could not be.
    pub receipt: Receipt,
}

/// Redacts a recording. `progress` hears of segments done and segments in all.
pub(crate) fn redact(
    held: &mut Held<'_>,
    id: RecordingId,
    redaction: &dyn Redaction,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Redacted> {
    let waited = come_in(held, id)?;
    let (at, clip) = held.clip(id)?;
    let before = clip.duplicate();
    let mut rekeying = Rekeying::new(at, &before, redaction)?;
    if let Err(error) = rekeying.write(held, progress) {
        // What was written is left over; if it can't be deleted now, it is later.
        let _ = settle(held);
        return Err(error);
    }
    let Rekeying {
        mut after, counted, ..
    } = rekeying;
    // An error leaves the rows where they are: the keys in force are read anew
    // before anybody settles which ones count.
    let draft = Draft::done(Deed::Redact, &[id]);
    let rotated = held.rotate_logged(draft, |bag| {
        let missing = Error::NoRecording { id };
        let place = bag.clips.get_mut(&id).ok_or(missing)?;
        std::mem::swap(place, &mut after);
        bag.tombstones.insert(Tombstone {
            id,
            epoch: at.epoch,
        });
        Ok(())
    })?;
    let keys = "the keys to the recording as it was before";
    let receipt = Receipt::of_keys(held, keys, rotated);
    let mut receipt = receipt.held_since(held, before.since);
    match settle(held) {
        Ok(rows) => receipt.erased.push(format!(
            "{rows} rows of store.redb; sealed bytes may stay in its free pages, without a key"
        )),
        Err(error) => receipt.not_erased.push(NotErased {
            what: "sealed rows, without a key".into(),
            where_: store::FILE.into(),
            why: error.to_string(),
        }),
    }
    if waited {
        // It came in, and its file may have stayed.
        shred::destroy_inbox_file(held, id, &mut receipt);
    }
    Ok(Redacted {
        id,
        transcripts: counted.transcripts,
        lost_segments: counted.lost_segments,
        lost_transcripts: counted.lost_transcripts,
        receipt,
    })
}

/// Takes the recording out of the inbox, if it is still there; whether it was.
///
/// # Errors
/// [`Error::Damaged`] if it could not be taken out: nothing of it can be redacted then.
fn come_in(held: &mut Held<'_>, id: RecordingId) -> Result<bool> {
    match inbox::claim(held.disk(), held.dir(), id, Hold::Shared) {
        Ok(Claim::Running) => Err(Error::Running { id }),
        Ok(Claim::Left(file)) => {
            drop(file);
            match merge::merge(held)?.refused_file(id).is_some() {
                true => Err(Error::damaged(id, "it can't be taken out of the inbox yet")),
                false => Ok(true),
            }
        }
        Ok(Claim::Absent) => Ok(false),
        // It is in the vault, whatever has the name of its file.
        Err(_) if held.clip(id).is_ok() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes what redactions left over, whether they came to their end or not: rows
/// of an epoch that is not in the bag. How many there were.
pub(crate) fn settle(held: &Held<'_>) -> Result<u64> {
    let ids = held
        .store()
        .read(held.lock(), |store| store.begin()?.rekeyed())?;
    if ids.is_empty() {
        return Ok(0);
    }
    held.store().write(held.lock(), |rows| {
        book::put_carried(rows, held.bag())?;
        let mut deleted = 0;
        for id in ids {
            deleted += match held.clip(id) {
                Ok((at, _)) => rows.delete_other_epochs(at)?,
                // It was shredded since.
                Err(_) => rows.delete_all(id)?,
            };
            rows.forget_rekeyed(id)?;
        }
        Ok(deleted)
    })
}

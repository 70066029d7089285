//! Destroys recordings for good, and says what could not be reached.
//!
//! Shredding is a rotation: a new bag without the recordings' keys, under a new
//! bag key and a new inbox key, and the old generation overwritten. After that
//! nothing sealed for them opens any more, wherever its bytes still lie; rows
//! and inbox files are removed for tidiness.

use super::receipt::{NotErased, Receipt, Shredded};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::Hold;
use crate::vault::inbox::intake::FIRST_EPOCH;
use crate::vault::inbox::merge;
use crate::vault::inbox::{self, Claim};
use crate::vault::keys::bag::{Bag, Tombstone};
use crate::vault::keys::rotation::Rotated;
use crate::vault::session::Held;
use crate::vault::store::library;
use crate::vault::store::rows::ClipId;

/// How much of a recording is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShredScope {
    /// All of it.
    Everything,
    /// Its sound; words and card stay.
    Sound,
}

/// Destroys recordings; one rotation for all of them. `progress` hears of steps
/// done and steps in all.
pub(crate) fn shred(
    held: &mut Held<'_>,
    ids: &[RecordingId],
    scope: ShredScope,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Receipt> {
    let steps = 2 + ids.len() as u64;
    progress(0, steps);
    let waiting = waiting_of(held, ids)?;
    if scope == ShredScope::Sound && !waiting.is_empty() {
        // Its words and card are to stay, so it has to come in first.
        merge::merge(held)?;
    }
    let shredded = ids
        .iter()
        .map(|id| tally(held, *id, scope))
        .collect::<Result<Vec<_>>>()?;

    let rotated = destroy_keys(held, ids, scope)?;
    let not_final = rotated
        .leftovers
        .first()
        .map(|leftover| leftover.why.to_string());
    progress(1, steps);
    let mut receipt = begin_receipt(held, ids, shredded, scope, not_final);
    delete_rows(held, ids, scope, &mut receipt);
    progress(2, steps);
    for (done, id) in ids.iter().enumerate() {
        if scope == ShredScope::Everything {
            destroy_inbox_file(held, *id, &mut receipt);
        }
        progress(3 + done as u64, steps);
    }
    Ok(receipt)
}

/// Those that still have a file in the inbox.
///
/// # Errors
/// [`Error::Running`] if one of them is being recorded.
fn waiting_of(held: &Held<'_>, ids: &[RecordingId]) -> Result<Vec<RecordingId>> {
    let mut waiting = Vec::new();
    for id in ids {
        let claim = match inbox::claim(held.disk(), held.dir(), *id, Hold::Shared) {
            // Its keys can be destroyed whatever has the name of its file.
            Err(Error::Io { .. }) if is_known(held.bag(), *id) => continue,
            claim => claim?,
        };
        match claim {
            Claim::Running => return Err(Error::Running { id: *id }),
            Claim::Left(_) => waiting.push(*id),
            Claim::Absent if is_known(held.bag(), *id) => {}
            Claim::Absent => return Err(Error::NoRecording { id: *id }),
        }
    }
    Ok(waiting)
}

/// In the vault; or shredded before, since shredding again finishes what a crash
/// or an error left over.
fn is_known(bag: &Bag, id: RecordingId) -> bool {
    bag.clips.contains_key(&id) || bag.is_tombstoned(id, FIRST_EPOCH)
}

/// What is about to be destroyed, as far as it can be read.
fn tally(held: &Held<'_>, id: RecordingId, scope: ShredScope) -> Result<Shredded> {
    let nothing = Shredded {
        id,
        audio_bytes: 0,
        transcripts: 0,
    };
    let Some(clip) = held.bag().clips.get(&id) else {
        return Ok(nothing);
    };
    let at = ClipId {
        id,
        epoch: clip.epoch,
    };
    let row = held
        .store()
        .read(held.lock(), |store| store.begin()?.card(at));
    // Damage must not keep anybody from destroying what is damaged.
    let Ok(Some(row)) = row else {
        return Ok(nothing);
    };
    let Ok(card) = library::open_card(at, clip, &row) else {
        return Ok(nothing);
    };
    let recording = library::recording(at, clip, card);
    Ok(Shredded {
        audio_bytes: recording.audio_bytes,
        transcripts: match scope {
            ShredScope::Everything => u32::try_from(recording.versions.len()).unwrap_or(u32::MAX),
            ShredScope::Sound => 0,
        },
        ..nothing
    })
}

fn destroy_keys(held: &mut Held<'_>, ids: &[RecordingId], scope: ShredScope) -> Result<Rotated> {
    held.rotate(|bag| {
        for id in ids {
            match scope {
                ShredScope::Everything => {
                    if !bag.bury(*id) && !bag.is_tombstoned(*id, FIRST_EPOCH) {
                        // A file of the inbox that this vault's key does not open.
                        bag.tombstones.insert(Tombstone {
                            id: *id,
                            epoch: FIRST_EPOCH,
                        });
                    }
                }
                ShredScope::Sound => {
                    if let Some(clip) = bag.clips.get_mut(id) {
                        clip.sound = None;
                    }
                }
            }
        }
        Ok(())
    })
}

fn begin_receipt(
    held: &Held<'_>,
    ids: &[RecordingId],
    shredded: Vec<Shredded>,
    scope: ShredScope,
    not_final: Option<String>,
) -> Receipt {
    let keys = match scope {
        ShredScope::Everything => "sound, words and card",
        ShredScope::Sound => "sound",
    };
    let many = ids.len();
    let recordings = if many == 1 { "recording" } else { "recordings" };
    let keys = format!("the keys to the {keys} of {many} {recordings}");
    Receipt {
        shredded,
        ..Receipt::of_keys(held, &keys, not_final)
    }
}

/// The keys are gone by now: what fails here is told, and nothing more.
fn delete_rows(held: &Held<'_>, ids: &[RecordingId], scope: ShredScope, receipt: &mut Receipt) {
    let deleted = held.store().write(held.lock(), |rows| {
        let mut deleted = 0;
        for id in ids {
            deleted += match scope {
                ShredScope::Everything => rows.delete_all(*id)?,
                ShredScope::Sound => rows.delete_sound(*id)?,
            };
        }
        Ok(deleted)
    });
    match deleted {
        Ok(rows) => receipt.erased.push(format!(
            "{rows} rows of store.redb; sealed bytes may stay in its free pages, without a key"
        )),
        Err(error) => receipt.not_erased.push(NotErased {
            what: "sealed rows, without a key".into(),
            where_: crate::vault::store::FILE.into(),
            why: error.to_string(),
        }),
    }
}

fn destroy_inbox_file(held: &Held<'_>, id: RecordingId, receipt: &mut Receipt) {
    let path = inbox::path(held.dir(), id);
    if matches!(held.disk().exists(&path), Ok(false)) {
        return;
    }
    match inbox::destroy(held.disk(), held.dir(), [id]) {
        Ok(()) => receipt
            .erased
            .push(format!("inbox/{id}.rec: overwritten and removed")),
        Err(error) => receipt.not_erased.push(NotErased {
            what: "a sealed inbox file, without a key".into(),
            where_: path.display().to_string(),
            why: error.to_string(),
        }),
    }
}

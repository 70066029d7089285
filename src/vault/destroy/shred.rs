//! Destroys recordings for good, and says what could not be reached.
//!
//! Shredding is a rotation: a new bag without the recordings' keys, under a new
//! bag key and a new inbox key, and the old generation overwritten. After that
//! nothing sealed for them opens any more, wherever its bytes still lie; rows
//! and inbox files are removed for tidiness.

use super::receipt::{NotErased, Receipt, Shredded};
use super::tally;
use crate::recording::RecordingId;
use crate::retention::Going;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::Hold;
use crate::vault::inbox::intake::FIRST_EPOCH;
use crate::vault::inbox::merge;
use crate::vault::inbox::{self, Claim};
use crate::vault::keys::bag::{Bag, Tombstone};
use crate::vault::keys::rotation::Rotated;
use crate::vault::log::{Deed, Draft, book};
use crate::vault::session::Held;
use crate::vault::store::library;

/// How much of a recording is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShredScope {
    /// All of it.
    Everything,
    /// Its sound; words and card stay.
    Sound,
}

impl ShredScope {
    /// As a receipt and the log name it.
    pub(in crate::vault) fn name(self) -> &'static str {
        match self {
            Self::Everything => "sound, words and card",
            Self::Sound => "sound",
        }
    }

    fn going(self) -> Going {
        match self {
            Self::Everything => Going::Everything,
            Self::Sound => Going::Audio,
        }
    }
}

/// Destroys recordings because somebody said so.
pub(crate) fn shred(
    held: &mut Held<'_>,
    ids: &[RecordingId],
    scope: ShredScope,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Receipt> {
    let draft = Draft::done(Deed::Shred, ids).detail(scope.name());
    shred_as(held, ids, scope, draft, progress)
}

/// Destroys recordings; one rotation for all of them, with this entry in the log.
/// `progress` hears of steps done and steps in all.
pub(crate) fn shred_as(
    held: &mut Held<'_>,
    ids: &[RecordingId],
    scope: ShredScope,
    draft: Draft,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Receipt> {
    let mut steps = Steps::of(ids.len(), progress);
    let waiting = waiting_of(held, ids)?;
    if scope == ShredScope::Sound && !waiting.is_empty() {
        // Its words and card are to stay, so it has to come in first.
        let report = merge::merge(held)?;
        // One that could not would lose them with the only key that opens them.
        let is_out =
            |id: &&RecordingId| held.clip(**id).is_err() || report.refused_file(**id).is_some();
        if let Some(id) = waiting.iter().find(is_out) {
            let why = "it can't be taken out of the inbox yet; nothing was destroyed";
            return Err(Error::damaged(id, why));
        }
    }
    let shredded = library::pick(held, ids)
        .into_iter()
        .inspect(|_| steps.step())
        .map(|(id, found)| tally::of(held, id, found.ok().as_ref(), scope.going()))
        .collect();
    let since = oldest(held.bag(), ids);
    let rotated = destroy_keys(held, ids, scope, draft)?;
    steps.step();
    let receipt = begin_receipt(held, ids, shredded, scope, rotated);
    let mut receipt = receipt.held_since(held, since);
    delete_rows(held, ids, scope, &mut receipt, &mut steps);
    for id in ids {
        // Of one that came in the file may have stayed, with all its sound.
        if scope == ShredScope::Everything || waiting.contains(id) {
            destroy_inbox_file(held, *id, &mut receipt);
        }
        steps.step();
    }
    Ok(receipt)
}

/// The generation with which the first of these came: backups that are older hold none
/// of them. What was shredded before may be in any; what lies in the inbox is in none.
fn oldest(bag: &Bag, ids: &[RecordingId]) -> u64 {
    let since = |id: &RecordingId| match bag.clips.get(id) {
        Some(clip) => clip.in_backups_since(),
        None => 0,
    };
    ids.iter().map(since).min().unwrap_or(u64::MAX)
}

/// Where a shred stands. For each recording its card is read, its rows are
/// deleted and its inbox file is overwritten; the rotation is one for all.
struct Steps<'a> {
    done: u64,
    all: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl<'a> Steps<'a> {
    fn of(recordings: usize, progress: &'a mut dyn FnMut(u64, u64)) -> Self {
        let all = 3 * recordings as u64 + 1;
        progress(0, all);
        Self {
            done: 0,
            all,
            progress,
        }
    }

    fn step(&mut self) {
        self.done += 1;
        (self.progress)(self.done, self.all);
    }
}

/// Whether these can be shredded now: they are there, and none of them runs.
pub(crate) fn check(held: &Held<'_>, ids: &[RecordingId]) -> Result<()> {
    waiting_of(held, ids).map(drop)
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

fn destroy_keys(
    held: &mut Held<'_>,
    ids: &[RecordingId],
    scope: ShredScope,
    draft: Draft,
) -> Result<Rotated> {
    held.rotate_logged(draft, |bag| {
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
    rotated: Rotated,
) -> Receipt {
    let keys = scope.name();
    let many = ids.len();
    let recordings = if many == 1 { "recording" } else { "recordings" };
    let keys = format!("the keys to the {keys} of {many} {recordings}");
    Receipt {
        shredded,
        ..Receipt::of_keys(held, &keys, rotated)
    }
}

/// The keys are gone by now: what fails here is told, and nothing more.
fn delete_rows(
    held: &Held<'_>,
    ids: &[RecordingId],
    scope: ShredScope,
    receipt: &mut Receipt,
    steps: &mut Steps<'_>,
) {
    let deleted = held.store().write(held.lock(), |rows| {
        // The entry that came with the rotation goes where the others are.
        book::put_carried(rows, held.bag())?;
        let mut deleted = 0;
        for id in ids {
            deleted += match scope {
                ShredScope::Everything => rows.delete_all(*id)?,
                ShredScope::Sound => rows.delete_sound(*id)?,
            };
            steps.step();
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

pub(super) fn destroy_inbox_file(held: &Held<'_>, id: RecordingId, receipt: &mut Receipt) {
    let path = inbox::path(held.dir(), id);
    if matches!(held.disk().exists(&path), Ok(false)) {
        return;
    }
    match inbox::destroy(held.disk(), held.dir(), [id]).first() {
        None => receipt
            .erased
            .push(format!("inbox/{id}.rec: overwritten and removed")),
        Some(error) => receipt.not_erased.push(NotErased {
            what: Receipt::INBOX_FILE.into(),
            where_: path.display().to_string(),
            why: error.to_string(),
        }),
    }
}

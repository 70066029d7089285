//! Recordings that no merge took out of the inbox yet, as their owner sees them.
//!
//! On a full disk, or a read-only one, they wait. Who destroys by a filter has to find
//! them all the same, and to hear of those that can't be looked at.

use super::content::{self, Begun};
use super::intake::FIRST_EPOCH;
use super::running;
use crate::recording::{Recording, RecordingId};
use crate::vault::error::Result;
use crate::vault::ground::disk::Hold;
use crate::vault::inbox::{self, Claim};
use crate::vault::session::Held;
use crate::vault::store::rows::ClipId;

/// What waits in the inbox.
#[derive(Debug, Clone, Default)]
pub struct Unmerged {
    /// What is known of each; in no order.
    pub recordings: Vec<Recording>,
    /// Those of which nothing is known: the file can't be read, or its card does not
    /// open.
    pub unread: Vec<RecordingId>,
}

impl Unmerged {
    /// How many wait.
    #[must_use]
    pub fn count(&self) -> usize {
        self.recordings.len() + self.unread.len()
    }
}

/// Looks at every file of the inbox that a merge is still to take in.
pub(crate) fn look(held: &Held<'_>) -> Result<Unmerged> {
    let mut found = Unmerged::default();
    for id in waiting(held)? {
        let end = content::end_of(held, id)?;
        match content::begin(held, id, end) {
            // It ends before its first frame does: nothing of it is there.
            Begun::Empty => {}
            Begun::Refused(_) => found.unread.push(id),
            Begun::With(..) => match running::so_far(held, id) {
                Ok(Some(recording)) => found.recordings.push(recording),
                Ok(None) | Err(_) => found.unread.push(id),
            },
        }
    }
    Ok(found)
}

/// Those whose recorder is gone, and that are neither in the store nor shredded.
fn waiting(held: &Held<'_>) -> Result<Vec<RecordingId>> {
    let bag = held.bag();
    let mut ids = inbox::names(held.disk(), held.dir())?.recordings;
    ids.retain(|id| !bag.is_tombstoned(*id, FIRST_EPOCH));
    ids.retain(|id| {
        !matches!(
            inbox::claim(held.disk(), held.dir(), *id, Hold::Shared),
            Ok(Claim::Running | Claim::Absent)
        )
    });
    if ids.iter().all(|id| held.clip(*id).is_err()) {
        return Ok(ids);
    }
    // Of some the keys were kept, and perhaps the rows as well.
    held.store().read(held.lock(), |store| {
        let rows = store.begin()?;
        let mut waiting = Vec::new();
        for id in ids {
            let epoch = held.clip(id).map(|(ClipId { epoch, .. }, _)| epoch);
            let is_in = match epoch {
                Ok(epoch) => rows.card(ClipId { id, epoch })?.is_some(),
                Err(_) => false,
            };
            if !is_in {
                waiting.push(id);
            }
        }
        Ok(waiting)
    })
}

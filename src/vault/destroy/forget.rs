//! Forgets what a card said before it was edited.
//!
//! redb leaves older revisions of a row in its free pages, and the card key in
//! the bag opens all of them. So the card gets another key: it is sealed anew
//! under it, and one rotation takes the old key out of every bag there is.
//!
//! Only the card is given a new key, and the recording's epoch stays. What an
//! edit changes (title, tags, note, pin) stands in the card and nowhere else,
//! and the keys to sound and words open no revision of it; a transcript is never
//! overwritten, so it has no older revision. With the epoch the sound would have
//! to be sealed anew too, which costs what the recording is long, and a
//! transcriber that is at work would lose its result for nothing.
//!
//! What tells the old card from the new one, between the row's being written and
//! the commit, is therefore not its place but the key that opens it. The row
//! holds both for that while ([`opened::card_in`] takes the one that opens):
//!
//! | the power is cut | the bag in force has | the row holds |
//! |---|---|---|
//! | before the row | the old key | the old card |
//! | before the commit | the old key | both; the old one opens |
//! | before the row is tidied | the new key | both; the new one opens |
//! | later | the new key | the new card |
//!
//! Whoever edits the card next writes the one that opened, alone. Nobody without
//! a key can turn this back: what the bag's key does not open counts as absent.

use super::strangers;
use crate::crypto::{ClipKey, CryptoError};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::ground::lock::Lock;
use crate::vault::keys::bag::{Bag, Clip};
use crate::vault::keys::rotation::{Change, Rotated};
use crate::vault::log::{Deed, Draft, book};
use crate::vault::sealed::frame::Facts;
use crate::vault::sealed::record;
use crate::vault::session::Held;
use crate::vault::store::Store;
use crate::vault::store::opened;
use crate::vault::store::rows::ClipId;

/// Gives a card another key, so that no earlier revision of it opens any more.
///
/// # Errors
/// [`Error::NoRecording`]; [`Error::Damaged`] if the card can't be read, which
/// then stays as it is.
pub(crate) fn forget(held: &mut Held<'_>, id: RecordingId) -> Result<Rotated> {
    let draft = Draft::done(Deed::Forget, &[id]);
    let mut rotated = held.rotate_rows_logged(draft, |store, lock| NewCardKey {
        store,
        lock,
        id,
        before: None,
        card: Vec::new(),
    })?;
    strangers::overwrite(held, &mut rotated);
    Ok(rotated)
}

/// The rotation's change.
struct NewCardKey<'a> {
    store: &'a Store,
    lock: &'a Lock,
    id: RecordingId,
    /// The recording with the key that is about to go.
    before: Option<Clip>,
    /// The frame of the card under the new key, once it is sealed.
    card: Vec<u8>,
}

impl Change for NewCardKey<'_> {
    fn change(&mut self, bag: &mut Bag) -> Result<()> {
        let clip = bag
            .clips
            .get_mut(&self.id)
            // Without an extent it is still in the inbox.
            .filter(|clip| clip.extent.is_some())
            .ok_or(Error::NoRecording { id: self.id })?;
        self.before = Some(clip.duplicate());
        clip.card = ClipKey::generate().map_err(|error| self.no_key(&error))?;
        Ok(())
    }

    fn write_rows(&mut self, bag: &Bag) -> Result<()> {
        let missing = || Error::NoRecording { id: self.id };
        let before = self.before.as_ref().ok_or_else(missing)?;
        let after = bag.clips.get(&self.id).ok_or_else(missing)?;
        let at = self.at(after);
        self.card = self.store.write(self.lock, |rows| {
            let row = rows.card(at)?.ok_or_else(|| opened::no_card(self.id))?;
            let found = opened::card_in(at, before, &row)?;
            let facts = Facts {
                revision: found.frame.facts.revision.wrapping_add(1),
                ..found.frame.facts
            };
            let card = record::seal_text(&after.card, &facts, &found.record)?;
            rows.put_card(at, &[found.frame.bytes, &card].concat())?;
            Ok(card)
        })?;
        Ok(())
    }

    fn delete_rows(&mut self, bag: &Bag) -> Result<()> {
        let Some(clip) = bag.clips.get(&self.id) else {
            return Ok(());
        };
        let at = self.at(clip);
        self.store.write(self.lock, |rows| {
            book::put_carried(rows, bag)?;
            rows.put_card(at, &self.card)
        })
    }
}

impl NewCardKey<'_> {
    fn at(&self, clip: &Clip) -> ClipId {
        ClipId {
            id: self.id,
            epoch: clip.epoch,
        }
    }

    fn no_key(&self, error: &CryptoError) -> Error {
        Error::Seal {
            which: format!("{}, card", self.id),
            why: error.to_string(),
        }
    }
}

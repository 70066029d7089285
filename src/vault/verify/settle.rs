//! Notes what is gone for good of recordings, so that what is left of them counts
//! as whole from then on.
//!
//! The bag gets the extent of the sound that is there, by a rotation; the card gets
//! the gaps, and names the transcripts that can be read. A card that is lost is made
//! anew from what is known. Its key stays: a store that is put back from a copy
//! some day still opens.

use super::recording::Condition;
use crate::recording::{
    Card, Ending, Moment, RECOVERED_NOTE, RECOVERED_SIGNAL, RECOVERED_TITLE, Source,
};
use crate::vault::error::Result;
use crate::vault::ground::lock::Lock;
use crate::vault::keys::bag::Bag;
use crate::vault::keys::rotation::Change;
use crate::vault::sealed::frame::{Facts, Kind};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::session::Held;
use crate::vault::store::{Store, gaps};

/// What every recording of ours was encoded with, and its card would say.
const PRE_SKIP: u16 = 312;

/// Why something of a recording is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It is damaged.
    Damage,
    /// The disk did not give all of the store, and may give it another day. No rule destroys
    /// what is left by a transcript that may have been made without the rest.
    Unread,
}

/// Rows before the commit, as everywhere: cut short in between, the next repair
/// finds the gaps noted and the extent still to be changed.
pub(super) fn settle(
    held: &mut Held<'_>,
    conditions: &[Condition],
    cause: Cause,
    now: Moment,
) -> Result<()> {
    if conditions.is_empty() {
        return Ok(());
    }
    // What could not be overwritten holds nothing that is to be gone; the next
    // unlock tries again.
    held.rotate_rows(|store, lock| Settling {
        store,
        lock,
        conditions,
        cause,
        now,
    })
    .map(drop)
}

struct Settling<'a> {
    store: &'a Store,
    lock: &'a Lock,
    conditions: &'a [Condition],
    cause: Cause,
    now: Moment,
}

impl Change for Settling<'_> {
    fn change(&mut self, bag: &mut Bag) -> Result<()> {
        for condition in self.conditions {
            let Some(clip) = bag.clips.get_mut(&condition.at.id) else {
                continue;
            };
            if let Some(extent) = condition.extent {
                clip.extent = Some(extent);
            }
            // The card that is made anew says so, and damage to it takes no pin off.
            clip.pinned |= condition.card.is_none() || self.cause == Cause::Unread;
        }
        Ok(())
    }

    fn write_rows(&mut self, bag: &Bag) -> Result<()> {
        self.store.write(self.lock, |rows| {
            for condition in self.conditions {
                let Some(clip) = bag.clips.get(&condition.at.id) else {
                    continue;
                };
                let facts = Facts {
                    kind: Kind::Card,
                    id: condition.at.id,
                    epoch: condition.at.epoch,
                    number: u32::try_from(condition.segments).unwrap_or(u32::MAX),
                    revision: match &condition.card {
                        Some((_, revision)) => revision.wrapping_add(1),
                        None => 0,
                    },
                };
                let mut card = settled(condition, self.now);
                card.card.pinned |= self.cause == Cause::Unread;
                if clip.sound.is_some() {
                    card.audio_bytes = condition.audio_bytes;
                }
                let frame = record::seal_text(&clip.card, &facts, &card)?;
                rows.put_card(condition.at, &frame)?;
            }
            Ok(())
        })
    }
}

/// So many numbers of transcripts are passed over where a card is lost, which knew how many
/// there had been: a backup may have some that the vault has nothing of any more.
const UNKNOWN_VERSIONS: u32 = 100;

fn settled(condition: &Condition, now: Moment) -> CardRecord {
    let mut record = match &condition.card {
        Some((record, _)) => record.clone(),
        None => recovered(condition, now),
    };
    if !condition.lost.is_empty() {
        // What it was made of must not pass for being here already.
        record.card.content_hash = None;
        record
            .card
            .gaps
            .extend(condition.lost.iter().map(gaps::gap_of));
        record.card.gaps.sort_unstable_by_key(|gap| gap.at_sample);
    }
    record.name_only(condition.versions.clone());
    let passed_over = match condition.card {
        Some(_) => 0,
        None => UNKNOWN_VERSIONS,
    };
    record.numbered = record
        .numbered
        .max(condition.numbered.saturating_add(passed_over));
    record
}

/// A card in the place of one that is lost. What it does not know it says so.
fn recovered(condition: &Condition, now: Moment) -> CardRecord {
    let first = condition.versions.iter().map(|one| one.made_at).min();
    let at = first.unwrap_or(now);
    let card = Card {
        title: RECOVERED_TITLE.into(),
        recorded_at: at,
        added_at: at,
        tags: Vec::new(),
        note: RECOVERED_NOTE.into(),
        // Nor does anybody know which rules it fell under: none destroys it before
        // somebody has looked.
        pinned: true,
        source: Source::Mic,
        device: None,
        samples: condition.samples,
        pre_skip: PRE_SKIP,
        signal: RECOVERED_SIGNAL,
        gaps: Vec::new(),
        markers: Vec::new(),
        content_hash: None,
        ending: Ending::Interrupted,
        failure: None,
    };
    CardRecord::new(card, Vec::new(), condition.audio_bytes)
}

//! Brings back what the vault lost of its recordings from another store of its own: the very
//! records, under the keys that it has.
//!
//! A repair that could not read all of a store keeps it. What was missing then may be read
//! another day, and goes the way of what comes back from a backup: see [`mend`].

use std::collections::BTreeMap;

use super::BYTES_PER_COMMIT;
use super::filling::{self, Filling};
use super::lacks::{Holding, Stand};
use super::left::{self, read};
use super::mend::{self, Waiting};
use crate::crypto::ClipKey;
use crate::recording::{Card, RecordingId};
use crate::transcript::Transcript;
use crate::vault::error::Result;
use crate::vault::ground::disk::DiskFile;
use crate::vault::log::{Deed, Draft};
use crate::vault::sealed::frame::{self, Kind};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::session::Held;
use crate::vault::store::finding::{Found, Records};
use crate::vault::store::rows::ClipId;

/// Puts back what these records of another store have of what recordings lack; answers with
/// the recordings that got something. Rules leave them alone from then on: a transcript may
/// have been made without what came back.
///
/// # Errors
/// Why the vault can't be written. What can't be read of the other store is passed over.
pub(in crate::vault) fn take_in(
    held: &mut Held<'_>,
    records: &Records,
    file: &dyn DiskFile,
) -> Result<Vec<RecordingId>> {
    let stand = Stand::of(held)?;
    let mut others = left::other_words(held, &stand, records, file)?;
    let mut waiting = BTreeMap::new();
    let same = |one: &Found, two: &Found| records.clip(one) == records.clip(two);
    for found in records.found.chunk_by(same) {
        let at = records.clip(&found[0]);
        let Some(holding) = stand.holding(at) else {
            continue;
        };
        let lacking = Lacking { held, at, holding };
        let others = others.remove(&at.id).unwrap_or_default();
        if let Some(one) = lacking.taken(found, others, file)? {
            waiting.insert(at.id, one);
        }
    }
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let ready = mend::judge(held, &waiting)?;
    let ids: Vec<RecordingId> = mend::ids(&ready).collect();
    let draft = Draft::done(Deed::Repair, &ids).detail("what was missing came back");
    held.rotate_logged(draft, |bag| {
        mend::count(bag, &ready, &waiting);
        Ok(())
    })?;
    mend::write(held, &ready, &waiting)?;
    Ok(ids)
}

/// A recording and what the vault lacks of it.
struct Lacking<'a, 'h> {
    held: &'a Held<'h>,
    at: ClipId,
    holding: &'a Holding,
}

impl Lacking<'_, '_> {
    /// Takes what it lacks from these records of it, and the `others` whose numbers are
    /// taken; `None` where there is nothing of that.
    fn taken(
        &self,
        found: &[Found],
        others: Vec<Transcript>,
        file: &dyn DiskFile,
    ) -> Result<Option<Waiting>> {
        let mut waiting = Waiting::of(self.at.epoch);
        waiting.is_to_be_pinned = true;
        waiting.renumbered = others;
        let of = |kind: Kind| found.iter().filter(move |one| one.kind == kind);
        let is_filled = self.fill(&mut of(Kind::Sound), file)?;
        waiting.filled = is_filled.then_some(self.holding.segments);
        for one in of(Kind::Words).filter(|one| self.holding.lacks_words(one.number)) {
            self.take_words(one, file, &mut waiting)?;
        }
        if let Some(card) = of(Kind::Card).find_map(|one| self.card(one, file)) {
            waiting.content_hash = card.content_hash;
            waiting.card = self.holding.is_recovered.then_some(card);
        }
        let has_words = !waiting.words.is_empty() || !waiting.renumbered.is_empty();
        let has_any = is_filled || has_words || waiting.card.is_some();
        Ok(has_any.then_some(waiting))
    }

    /// Puts lost segments where they lay; whether there was one.
    fn fill(&self, found: &mut dyn Iterator<Item = &Found>, file: &dyn DiskFile) -> Result<bool> {
        let Self { held, at, holding } = *self;
        let key = mend::clip(held, at)?.sound.as_ref();
        let Some(key) = key.map(ClipKey::duplicate) else {
            return Ok(false);
        };
        let mut found = found
            .filter(|one| holding.lacks_segment(one.number))
            .peekable();
        if found.peek().is_none() {
            return Ok(false);
        }
        filling::note_counted(held, at, &key, holding.segments)?;
        let mut filling = Filling::new(at, key.duplicate());
        let mut is_filled = false;
        for one in found {
            let Some(bytes) = read(file, one) else {
                continue;
            };
            if frame::parse(&bytes).is_ok_and(|frame| record::open_sound(&key, &frame).is_ok()) {
                filling.frame(one.number, bytes);
                is_filled = true;
            }
            if filling.bytes() >= BYTES_PER_COMMIT {
                filling.write(held)?;
            }
        }
        filling.write(held)?;
        Ok(is_filled)
    }

    fn take_words(&self, found: &Found, file: &dyn DiskFile, waiting: &mut Waiting) -> Result<()> {
        let clip = mend::clip(self.held, self.at)?;
        let Some((key, bytes)) = clip.words.as_ref().zip(read(file, found)) else {
            return Ok(());
        };
        let opened = frame::parse(&bytes).ok();
        let opened = opened.and_then(|frame| record::open_text::<Transcript>(key, &frame).ok());
        if let Some(transcript) = opened {
            let number = found.number;
            waiting
                .words
                .insert(number, (transcript.info(number), bytes));
        }
        Ok(())
    }

    /// The card, if it is one that was not made anew itself.
    fn card(&self, found: &Found, file: &dyn DiskFile) -> Option<Card> {
        let clip = mend::clip(self.held, self.at).ok()?;
        let bytes = read(file, found)?;
        let frame = frame::parse(&bytes).ok()?;
        let record = record::open_text::<CardRecord>(&clip.card, &frame).ok()?;
        let card = Some(record.card).filter(|card| !card.is_recovered())?;
        Some(Card {
            pinned: true,
            ..card
        })
    }
}

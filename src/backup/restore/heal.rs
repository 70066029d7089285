//! Brings back what the vault lost of the recordings that it holds.
//!
//! What is lost is what the vault has noted: a card that was made anew, segments of
//! sound that the card calls gone, transcripts that the backup has and the vault has
//! not. What was destroyed is not lost, and does not come back.

use std::ops::Range;

use super::choice::Lacks;
use super::recording::LOST;
use super::work::Work;
use crate::backup::error::Result;
use crate::backup::read::plan::Listed;
use crate::backup::verify::{Damage, Kind};
use crate::recording::{Card, RecordingId};
use crate::vault::{self, Holding, Mending, Returned, lost_segments, segments_outside};

/// What is said of a recording of which the vault does not know what it lost.
pub(super) const REPAIR_FIRST: &str =
    "`voxvault verify --repair` notes what is lost, and restoring again then brings it back";

/// Where damage lies that is none of the backup.
pub(super) const THE_VAULT: &str = "the vault";

impl Work<'_> {
    /// Mends a recording that the vault holds, if it lost some of it. Whether that waits
    /// for a commit.
    pub(super) fn mend(&mut self, id: RecordingId) -> Result<bool> {
        if let Some(why) = self.restoring.damage(id) {
            let what = format!("{why}; {REPAIR_FIRST}");
            let damage = Damage::new(Kind::Altered, THE_VAULT, what);
            self.outcome.damage.push(damage.of(Some(id)));
            return Ok(false);
        }
        let holding = self.restoring.holding(id).cloned();
        let Some(holding) = holding.filter(|one| !self.plan.is_destroyed(id, one.epoch)) else {
            self.outcome.there += 1;
            return Ok(false);
        };
        if !self.kin.may_mend(id, &holding) {
            match holding.is_damaged() {
                true => self.note(
                    id,
                    "the vault lost some of it; this is no backup that can say what",
                ),
                false => self.outcome.there += 1,
            }
            return Ok(false);
        }
        let entries = self.of_epoch(id, holding.epoch);
        let lacking = self.plan.lacking(id, holding.epoch);
        let lost = match lacking.sound {
            true => Vec::new(),
            false => holding.lost.clone(),
        };
        let lacks = Lacks {
            card: holding.is_recovered,
            words_but: holding.versions.clone().filter(|_| !lacking.words),
        };
        let is_damaged = lacks.card || !lost.is_empty();
        let mut mending = self.gather(id, &entries, lacks)?;
        let is_filled = self.fill((id, holding.epoch), id, lost, &mut mending)?;
        if mending.card.is_none() && mending.words.is_empty() && !is_filled {
            match is_damaged {
                true => self.note(id, "the backup does not have what the vault lost of it"),
                false => self.outcome.there += 1,
            }
            return Ok(false);
        }
        self.restoring.mend(id, mending)?;
        if self.restoring.is_full() {
            self.commit()?;
        }
        Ok(true)
    }

    /// Fills in what is lost of the sound of recordings that just came back, from the other
    /// copies of it.
    pub(super) fn join(&mut self) -> Result<()> {
        let partial = std::mem::take(&mut self.partial);
        if partial.is_empty() {
            return Ok(());
        }
        self.restoring.look_again()?;
        for (from, to) in partial {
            let Some(holding) = self.restoring.holding(to) else {
                continue;
            };
            let (lost, mut mending) = (holding.lost.clone(), Mending::default());
            match self.fill(from, to, lost, &mut mending)? {
                true => self.restoring.mend(to, mending)?,
                false => self.note(to, LOST),
            }
        }
        self.commit()
    }

    /// Fills in lost segments of a recording in the vault, as far as copies of the sound of
    /// that epoch of it have them. Whether any did.
    fn fill(
        &mut self,
        (from, epoch): (RecordingId, u32),
        id: RecordingId,
        mut lost: Vec<Range<u64>>,
        mending: &mut Mending,
    ) -> Result<bool> {
        if lost.is_empty() {
            return Ok(false);
        }
        let holding = self.restoring.holding(id);
        let is_soundless = holding.is_some_and(Holding::is_soundless);
        let mut is_filled = false;
        for copy in self.copies(from, epoch, None)? {
            let is_useless = segments_outside(&lost, &copy.lost).is_empty();
            if is_useless && (is_filled || !is_soundless) {
                continue;
            }
            let Some(segments) = self.whole(from, copy.lies, &copy.card)? else {
                continue;
            };
            if !is_filled && is_soundless {
                // How long it was says the copy.
                lost = std::iter::once(0..segments).collect();
            }
            let wanted = segments_outside(&lost, &copy.lost);
            if wanted.is_empty() {
                continue;
            }
            let filled = self.with_sound(from, copy.lies, &copy.card, |restoring, sound| {
                restoring.fill(id, &copy.card, &wanted, sound)
            });
            match filled {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    self.outcome.damaged(from, error)?;
                    continue;
                }
                // It was shredded meanwhile.
                Err(crate::backup::Error::Vault(
                    vault::Error::Outdated { .. } | vault::Error::NoSound { .. },
                )) => return Ok(is_filled),
                Err(error) => return Err(error),
            }
            is_filled = true;
            lost = segments_outside(&lost, &wanted);
            if lost_segments(&copy.card).is_empty() {
                mending.content_hash = mending.content_hash.or(copy.card.content_hash);
            }
            if lost.is_empty() {
                return Ok(true);
            }
        }
        if is_filled {
            self.note(id, "some of its sound is in no copy of it that can be read");
        }
        Ok(is_filled)
    }

    /// Reads all of a copy, before anything of it is believed; how many segments it has.
    fn whole(&mut self, id: RecordingId, lies: &Listed, card: &Card) -> Result<Option<u64>> {
        let read = self.with_sound(id, lies, card, |_, sound: &mut dyn Returned| {
            let mut segments = 0;
            while sound.next_segment()?.is_some() {
                segments += 1;
            }
            Ok(segments)
        })?;
        match read {
            Ok(segments) => Ok(Some(segments)),
            Err(error) => self.outcome.damaged(id, error).map(|()| None),
        }
    }

    fn note(&mut self, id: RecordingId, what: &str) {
        self.outcome.notes.push(format!("{}: {what}", id.short()));
    }
}

//! Brings back what the vault lost of the recordings that it holds.
//!
//! What is lost is what the vault has noted: a card that was made anew, segments of
//! sound that the card calls gone, transcripts that the backup has and the vault has
//! not. What was destroyed is not lost, and does not come back.

use std::ops::Range;

use super::folder::Work;
use super::recording::LOST;
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

/// What the vault lacks of a recording and the backup may have.
struct Lost {
    card: bool,
    words: bool,
    sound: Vec<Range<u64>>,
}

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
        let lost = Lost {
            card: holding.is_recovered,
            words: !lacking.words && entries.iter().any(|one| has_more_words(one, &holding)),
            sound: match lacking.sound {
                true => Vec::new(),
                false => holding.lost.clone(),
            },
        };
        if !lost.card && !lost.words && lost.sound.is_empty() {
            self.outcome.there += 1;
            return Ok(false);
        }
        let mut mending = Mending::default();
        for listed in entries {
            let wants_card = lost.card && mending.card.is_none();
            let wants_words = lost.words && has_more_words(listed, &holding);
            if !wants_card && !wants_words {
                continue;
            }
            let Some(taken) = self.meta_or_damage(id, listed)? else {
                continue;
            };
            let returning = taken.returning;
            if wants_card && !returning.card.is_recovered() {
                mending.card = Some(returning.card);
            }
            if let (true, Some(held)) = (wants_words, &holding.versions) {
                for (number, transcript) in returning.words.into_iter().flatten() {
                    if !held.contains(&number) {
                        mending.words.entry(number).or_insert(transcript);
                    }
                }
            }
        }
        let is_filled = self.fill((id, holding.epoch), id, lost.sound, &mut mending)?;
        if mending.card.is_none() && mending.words.is_empty() && !is_filled {
            match holding.is_damaged() {
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
                    self.damaged(from, error)?;
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
            Err(error) => self.damaged(id, error).map(|()| None),
        }
    }

    fn note(&mut self, id: RecordingId, what: &str) {
        self.outcome.notes.push(format!("{}: {what}", id.short()));
    }
}

/// Whether an entry has transcripts that the vault has not and may have.
fn has_more_words(listed: &Listed, holding: &Holding) -> bool {
    let held = holding.versions.as_ref();
    held.is_some_and(|held| listed.versions.iter().any(|number| !held.contains(number)))
}

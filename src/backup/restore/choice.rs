//! Which entry of a recording gives what, where a backup has several of one epoch.
//!
//! The newest one counts. But it may be of a vault that was damaged by then: its card
//! made anew, transcripts gone, segments of sound noted as lost. Then an older entry
//! has more. Within an epoch nothing is taken out of a recording but by destroying it,
//! which the manifests say, so whatever an entry has more was lost and not taken out.

use std::collections::BTreeSet;
use std::ops::Range;

use super::recording::{MOST_VERSION, Taken, spans};
use super::work::Work;
use crate::backup::error::Result;
use crate::backup::manifest::SoundAt;
use crate::backup::read::plan::{Listed, Parts};
use crate::backup::verify::{Damage, Kind};
use crate::recording::{Card, RecordingId};
use crate::vault::{Mending, lost_segments, segments_outside};

/// What a recording lacks beside sound.
pub(super) struct Lacks {
    /// Its card, since the one that there is was made anew.
    pub(super) card: bool,
    /// Transcripts but for those of these numbers; `None` if none is wanted.
    pub(super) words_but: Option<BTreeSet<u32>>,
}

/// A copy of the sound of a recording.
pub(super) struct SoundCopy<'p> {
    /// The entry that has it.
    pub(super) lies: &'p Listed,
    /// The card beside it.
    pub(super) card: Card,
    /// The segments in the place of which it has silence, in order.
    pub(super) lost: Vec<Range<u64>>,
}

/// Whether one of these copies has a segment that this one lacks.
pub(super) fn have_more(copies: &[SoundCopy<'_>], lost: &[Range<u64>]) -> bool {
    let has_more = |copy: &SoundCopy<'_>| !segments_outside(lost, &copy.lost).is_empty();
    copies.iter().any(has_more)
}

impl SoundCopy<'_> {
    fn lacks(&self) -> u64 {
        self.lost.iter().map(|span| span.end - span.start).sum()
    }
}

impl<'a> Work<'a> {
    /// The entries of an epoch of a recording, the newest first.
    pub(super) fn of_epoch(&self, id: RecordingId, epoch: u32) -> Vec<&'a Listed> {
        let entries = self.plan.entries(id).iter();
        entries.filter(|one| one.epoch == epoch).collect()
    }

    /// The entries of the same epoch that are older than this one, the newest first.
    fn behind(&self, id: RecordingId, listed: &Listed) -> Vec<&'a Listed> {
        let all = self.of_epoch(id, listed.epoch).into_iter();
        let behind = all.skip_while(|one| one.segment != listed.segment);
        behind.skip(1).collect()
    }

    /// The highest number that a transcript of a recording is known to have had, as the
    /// manifests say.
    pub(super) fn numbered(&self, id: RecordingId) -> u32 {
        let all = self.plan.entries(id).iter().map(|one| one.numbered);
        all.max().unwrap_or(0).min(MOST_VERSION)
    }

    /// Takes from older entries than this one what it lacks: the card, if its own was
    /// made anew, and transcripts. None that is made later takes a number that one had.
    pub(super) fn complete(
        &mut self,
        id: RecordingId,
        listed: &Listed,
        lacking: Parts,
        taken: &mut Taken,
    ) -> Result<()> {
        let returning = &mut taken.returning;
        returning.numbered = returning.numbered.max(self.numbered(id));
        let words = returning.words.as_ref().filter(|_| !lacking.words);
        let wanted = Lacks {
            card: returning.card.is_recovered(),
            words_but: words.map(|words| words.keys().copied().collect()),
        };
        let found = self.gather(id, &self.behind(id, listed), wanted)?;
        if let Some(card) = found.card {
            returning.card = returning.card.replaced_by(card);
        }
        if let Some(words) = &mut returning.words {
            words.extend(found.words);
        }
        Ok(())
    }

    /// What the first of these entries have that can be read and that is lacking. None is
    /// read that has nothing of it.
    pub(super) fn gather(
        &mut self,
        id: RecordingId,
        entries: &[&Listed],
        lacks: Lacks,
    ) -> Result<Mending> {
        let mut found = Mending::default();
        for listed in entries {
            let wants_card = lacks.card && found.card.is_none();
            let lacks_words = |number: &u32| {
                let held = lacks.words_but.as_ref();
                held.is_some_and(|held| !held.contains(number)) && !found.words.contains_key(number)
            };
            if !wants_card && !listed.versions.iter().any(lacks_words) {
                continue;
            }
            let Some(taken) = self.meta_or_damage(id, listed)? else {
                continue;
            };
            let returning = taken.returning;
            if wants_card && !returning.card.is_recovered() {
                found.card = Some(returning.card);
            }
            if let Some(held) = &lacks.words_but {
                for (number, transcript) in returning.words.into_iter().flatten() {
                    if !held.contains(&number) {
                        found.words.entry(number).or_insert(transcript);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The copies of the sound of an epoch of a recording, the newest first. `card` is the
    /// recording's, if it is known and whole.
    pub(super) fn copies(
        &mut self,
        id: RecordingId,
        epoch: u32,
        card: Option<&Card>,
    ) -> Result<Vec<SoundCopy<'a>>> {
        let mut copies = Vec::new();
        for lies in self.of_epoch(id, epoch) {
            if lies.sound != SoundAt::Here {
                continue;
            }
            let card = match card {
                Some(card) => card.clone(),
                None => match self.meta_or_damage(id, lies)? {
                    Some(taken) => taken.returning.card,
                    None => continue,
                },
            };
            let lost = spans(&lies.lost).and_then(|mut lost| {
                lost.extend(spans(&lies.gone)?);
                Ok(lost)
            });
            match lost {
                Ok(mut lost) => {
                    lost.sort_unstable_by_key(|span| (span.start, span.end));
                    copies.push(SoundCopy { lies, card, lost });
                }
                Err(why) => {
                    let damage = Damage::new(Kind::Altered, self.shelf.name(lies.segment), why);
                    self.outcome.damage.push(damage.of(Some(id)));
                }
            }
        }
        Ok(copies)
    }

    /// The same for a recording that comes back with this card, those first that lack the
    /// fewest segments.
    pub(super) fn best_copies(
        &mut self,
        id: RecordingId,
        epoch: u32,
        card: &Card,
    ) -> Result<Vec<SoundCopy<'a>>> {
        // One of a vault that was damaged by then does not know the sound as it was.
        let is_whole = !card.is_recovered() && lost_segments(card).is_empty();
        let mut copies = self.copies(id, epoch, is_whole.then_some(card))?;
        if copies.is_empty() {
            copies = self.copies(id, epoch, Some(card))?;
        }
        // Stable: of two that lack the same the newer one stays first.
        copies.sort_by_key(SoundCopy::lacks);
        Ok(copies)
    }

    /// The card and words of an entry; if they can't be read, that is noted.
    pub(super) fn meta_or_damage(
        &mut self,
        id: RecordingId,
        listed: &Listed,
    ) -> Result<Option<Taken>> {
        match self.meta(id, listed) {
            Ok(taken) => Ok(Some(taken)),
            Err(error) => self.outcome.damaged(id, error).map(|()| None),
        }
    }
}

//! A restore from segments that lie there: recording by recording, in the newest state of
//! each that can be read.

use super::choice::{SoundCopy, have_more};
use super::kin::Kin;
use super::recording::Taken;
use super::shelf::Shelf;
use super::{Outcome, Tell};
use crate::backup::error::Result;
use crate::backup::layout::Member;
use crate::backup::manifest::SoundAt;
use crate::backup::read::plan::{Listed, Parts, Plan};
use crate::backup::segment::place;
use crate::backup::verify::{Damage, Kind};
use crate::recording::RecordingId;
use crate::vault::{Fate, Restoring, ReturnedSound};

/// Recordings that come back with one rotation.
const MOST_IN_BATCH: usize = 4096;

/// A restore under way.
pub(super) struct Work<'a> {
    pub(super) plan: &'a Plan,
    pub(super) kin: Kin,
    pub(super) shelf: Shelf<'a>,
    pub(super) restoring: Restoring,
    pub(super) outcome: Outcome,
    /// What of the backup came back with less sound than all copies of it have together:
    /// its name and epoch there, and its name in the vault.
    pub(super) partial: Vec<((RecordingId, u32), RecordingId)>,
}

impl Work<'_> {
    /// Puts every recording that is not there and was not destroyed.
    pub(super) fn all(&mut self, tell: Tell<'_>) -> Result<()> {
        // As they lie there, so that each segment is read from its start to its end.
        let mut order: Vec<_> = self
            .plan
            .newest()
            .map(|(id, listed)| (listed.segment, listed.meta.map(|place| place.at), id))
            .collect();
        order.sort_unstable();
        let all = order.len() as u64;
        tell(0, all)?;
        let mut waiting = 0;
        for (done, (_, _, id)) in order.into_iter().enumerate() {
            waiting += usize::from(self.one(id)?);
            if waiting >= MOST_IN_BATCH {
                self.commit()?;
                waiting = 0;
            }
            tell(done as u64 + 1, all)?;
        }
        self.commit()
    }

    pub(super) fn commit(&mut self) -> Result<()> {
        let done = self.restoring.commit()?;
        self.outcome.take(done);
        Ok(())
    }

    /// Puts a recording, in the newest state of it that can be read. Whether it waits
    /// for a commit.
    fn one(&mut self, id: RecordingId) -> Result<bool> {
        for (age, listed) in self.plan.entries(id).iter().enumerate() {
            match self.restoring.fate(id, listed.epoch) {
                Fate::IsThere => return self.mend(id),
                Fate::Destroyed => {
                    // Every earlier state of it was, too.
                    self.outcome.destroyed += u64::from(age == 0);
                    return Ok(false);
                }
                Fate::Waits => {}
            }
            if self.put(id, listed, id, listed.epoch)? {
                if age > 0 {
                    self.outcome.notes.push(format!(
                        "{}: an earlier state of it came back, from {}",
                        id.short(),
                        self.shelf.name(listed.segment)
                    ));
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Brings one back under a new id, once the others came: in the newest state of it that
    /// was destroyed. One that is there has come back as itself.
    pub(super) fn resurrect(&mut self, id: RecordingId) -> Result<()> {
        let new = Restoring::new_id()?;
        for listed in self.plan.entries(id) {
            match self.restoring.fate(id, listed.epoch) {
                Fate::IsThere => {
                    self.outcome.note_alive(id);
                    return Ok(());
                }
                // It could not be read before either.
                Fate::Waits => continue,
                Fate::Destroyed => {}
            }
            if self.put(id, listed, new, 0)? {
                let before = self.outcome.restored.len();
                self.commit()?;
                let is_back = self.outcome.restored.len() > before;
                self.outcome.resurrected = is_back.then_some(new);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Puts what one entry says, and what older ones have more; `false` if its card can't
    /// be read. Sound that can't be read is left out, and named.
    fn put(
        &mut self,
        id: RecordingId,
        listed: &Listed,
        to: RecordingId,
        epoch: u32,
    ) -> Result<bool> {
        let mut taken = match self.meta(id, listed) {
            Ok(taken) => taken,
            Err(error) => return self.outcome.damaged(id, error).map(|()| false),
        };
        // An earlier state may have what was destroyed of it since.
        let lacking = match to == id {
            true => self.plan.lacking(id, listed.epoch),
            false => Parts::default(),
        };
        self.complete(id, listed, lacking, &mut taken)?;
        if lacking.words {
            taken.returning.words = None;
        }
        (taken.returning.id, taken.returning.epoch) = (to, epoch);
        if lacking.sound || listed.sound == SoundAt::Gone {
            let shredded = ReturnedSound::Shredded;
            self.restoring.put(&taken.returning, shredded)?;
        } else {
            let copies = self.best_copies(id, listed.epoch, &taken.returning.card)?;
            self.put_sound(id, listed, &copies, &mut taken)?;
        }
        for note in taken.notes() {
            self.outcome.notes.push(format!("{}: {note}", id.short()));
        }
        Ok(true)
    }

    /// Puts a recording with the first of these copies of its sound that can be read, or
    /// without any.
    fn put_sound(
        &mut self,
        id: RecordingId,
        listed: &Listed,
        copies: &[SoundCopy<'_>],
        taken: &mut Taken,
    ) -> Result<()> {
        let own_hash = taken.returning.card.content_hash;
        let mut damage = Vec::new();
        for copy in copies {
            let returning = &mut taken.returning;
            // A card that noted a loss has none any more.
            returning.card.content_hash = own_hash.or(copy.card.content_hash);
            returning.lose(&copy.lost);
            let put = self.with_sound(id, copy.lies, &copy.card, |restoring, sound| {
                restoring.put(returning, ReturnedSound::Segments(sound))
            })?;
            match put {
                Ok(_) => {
                    let is_partial = have_more(copies, &copy.lost);
                    if is_partial {
                        let to = taken.returning.id;
                        self.partial.push(((id, listed.epoch), to));
                    }
                    taken.is_sound_lost = !is_partial && !copy.lost.is_empty();
                    self.outcome.damage.extend(damage);
                    return Ok(());
                }
                Err(error) => damage.push(Damage::from_error(error)?.of(Some(id))),
            }
        }
        let lies = match listed.sound {
            SoundAt::Here => Some(listed.segment),
            SoundAt::Segment(number) => Some(number),
            SoundAt::Gone | SoundAt::Lost => None,
        };
        match lies.filter(|_| damage.is_empty()) {
            Some(segment) => {
                let which = place(&self.shelf.name(segment), &Member::Audio(id));
                let what = "it is not there";
                damage.push(Damage::new(Kind::Altered, which, what).of(Some(id)));
            }
            None => taken.is_sound_lost = damage.is_empty(),
        }
        if let Some(last) = damage.last_mut() {
            last.what.push_str("; its words came back without it");
        }
        self.outcome.damage.extend(damage);
        self.restoring.put(&taken.returning, ReturnedSound::Lost)?;
        Ok(())
    }
}

//! From a folder, or from one segment in a file: what is wanted is read from where it
//! lies.

use std::io::Read;
use std::path::Path;

use super::choice::{SoundCopy, have_more};
use super::kin::Kin;
use super::recording::{self, Sound, Taken};
use super::{Outcome, Tell, Wanted};
use crate::backup::error::{Error, Result};
use crate::backup::layout::{Member, segment_name};
use crate::backup::manifest::SoundAt;
use crate::backup::read::places::{self, Segment};
use crate::backup::read::plan::{Listed, Parts, Plan};
use crate::backup::read::{Keys, SegmentFile, Source};
use crate::backup::segment::place;
use crate::backup::verify::{Damage, Kind};
use crate::recording::{Card, RecordingId};
use crate::vault::{self, Fate, OpenVault, Restoring, Returned, ReturnedSound};

/// Segments that are open at once.
const MOST_OPEN: usize = 4;

/// Recordings that come back with one rotation.
const MOST_IN_BATCH: usize = 4096;

/// Restores what a folder or a file holds. `tell` hears of recordings done and
/// recordings in all.
///
/// # Errors
/// If there is no backup, no key opens any of it, it is another vault's, or the vault
/// can't be written. Damage is no error: it is in the outcome, and what is sound comes
/// back.
pub fn from_folder(
    vault: &OpenVault,
    at: &Path,
    keys: &Keys<'_>,
    wanted: &Wanted<'_>,
    tell: Tell<'_>,
) -> Result<Outcome> {
    let source = Source::find(at)?;
    let mut outcome = Outcome::default();
    outcome.notes.extend(source.notes());
    for gone in source.missing() {
        // Whether it is gone by right, a manifest says.
        outcome
            .damage
            .push(Damage::new(Kind::Missing, gone, "it is not there"));
    }
    let (plan, readable) = survey(&source, keys, wanted, &mut outcome)?;
    if let Some(id) = wanted.resurrect
        && !plan.recordings().any(|(one, _)| one == id)
    {
        return Err(Error::NotInBackup { id });
    }
    // Before what was destroyed elsewhere counts here, too.
    let kin = Kin::of(vault, &plan, &outcome)?;
    let mut restoring = vault.begin_restore()?;
    outcome.kept = super::forbid(&mut restoring, plan.tombstones())?;
    let mut newest = plan.newest();
    // Also of what is there already: it may be mended, or have come from it before.
    let comes = newest.any(|(id, one)| restoring.fate(id, one.epoch) != Fate::Destroyed);
    if let Some((backup, made_at)) = outcome.backup
        && (comes || wanted.resurrect.is_some())
    {
        let path = source.place().display().to_string();
        let generation = match kin.is_own() {
            true => plan.states.generation,
            false => 0,
        };
        super::remember(vault, backup, &path, made_at, generation)?;
    }
    let mut work = Work {
        plan: &plan,
        kin,
        shelf: Shelf {
            keys,
            files: readable,
            open: Vec::new(),
        },
        restoring,
        outcome,
        partial: Vec::new(),
    };
    work.all(tell)?;
    if let Some(id) = wanted.resurrect {
        work.resurrect(id)?;
    }
    work.join()?;
    Ok(work.outcome)
}

/// Reads all manifests. A segment whose manifest can't be read, or is not believed,
/// costs itself.
fn survey(
    source: &Source,
    keys: &Keys<'_>,
    wanted: &Wanted<'_>,
    outcome: &mut Outcome,
) -> Result<(Plan, Vec<(u32, SegmentFile)>)> {
    let mut plan = Plan::default();
    let mut readable = Vec::new();
    let (mut locked, mut refused) = (None, None);
    for file in source.segments() {
        let signed = match places::manifest(file, keys) {
            Ok(signed) => signed,
            Err(error) => {
                let mut damage = Damage::from_error(error)?;
                if damage.kind == Kind::Closed {
                    locked.get_or_insert(file.which.clone());
                }
                let unknown = "; whether it says that something was shredded is not known";
                damage.what.push_str(unknown);
                outcome.damage.push(damage);
                continue;
            }
        };
        if let Err(why) = outcome.accept(wanted.trust, &signed) {
            refused.get_or_insert((file.which.clone(), why));
            outcome
                .damage
                .push(Damage::new(Kind::Added, &file.which, why));
            continue;
        }
        let says = signed.manifest.segment;
        if file.number.is_some_and(|number| number != says) {
            let what = format!("it says that it is {}", segment_name(says));
            outcome
                .damage
                .push(Damage::new(Kind::Altered, &file.which, what));
            continue;
        }
        for dropped in &signed.manifest.dropped {
            let name = segment_name(dropped.segment);
            outcome
                .damage
                .retain(|damage| damage.kind != Kind::Missing || damage.place != name);
        }
        plan.add(says, &signed.manifest);
        readable.push((says, file.clone()));
    }
    match (readable.is_empty(), locked, refused) {
        (true, Some(which), _) => Err(Error::Locked { which }),
        (true, None, Some((which, why))) => Err(Error::Refused { which, why }),
        _ => Ok((plan, readable)),
    }
}

/// Segments by their numbers, a few of them open.
pub(super) struct Shelf<'k> {
    keys: &'k Keys<'k>,
    files: Vec<(u32, SegmentFile)>,
    open: Vec<(u32, Segment<'k>)>,
}

impl<'k> Shelf<'k> {
    fn segment(&mut self, number: u32) -> Result<&mut Segment<'k>> {
        if let Some(at) = self.open.iter().position(|(open, _)| *open == number) {
            let found = self.open.remove(at);
            self.open.push(found);
        } else {
            let file = self.files.iter().find(|(one, _)| *one == number);
            let (_, file) = file.ok_or_else(|| gone(number))?;
            if self.open.len() >= MOST_OPEN {
                self.open.remove(0);
            }
            self.open.push((number, Segment::open(file, self.keys)?));
        }
        match self.open.last_mut() {
            Some((_, segment)) => Ok(segment),
            None => Err(Error::damaged(segment_name(number), "it can't be read")),
        }
    }

    /// A segment for oneself.
    fn own(&self, number: u32) -> Result<Segment<'k>> {
        let file = self.files.iter().find(|(one, _)| *one == number);
        let (_, file) = file.ok_or_else(|| gone(number))?;
        Segment::open(file, self.keys)
    }

    pub(super) fn name(&self, number: u32) -> String {
        let file = self.files.iter().find(|(one, _)| *one == number);
        file.map_or_else(|| segment_name(number), |(_, file)| file.which.clone())
    }
}

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
    fn all(&mut self, tell: Tell<'_>) -> Result<()> {
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

    /// Brings one back under a new id.
    fn resurrect(&mut self, id: RecordingId) -> Result<()> {
        let new = Restoring::new_id()?;
        for listed in self.plan.entries(id) {
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
            Err(error) => {
                let damage = Damage::from_error(error)?;
                self.outcome.damage.push(damage.of(Some(id)));
                return Ok(false);
            }
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

    /// Does something with a copy of the sound, or says what is wrong with that.
    pub(super) fn with_sound<T>(
        &mut self,
        id: RecordingId,
        lies: &Listed,
        card: &Card,
        with: impl FnOnce(&mut Restoring, &mut dyn Returned) -> vault::Result<T>,
    ) -> Result<Result<T>> {
        match lies.stretches.is_empty() {
            true => self.with_whole(id, lies, card, with),
            false => self.with_stretches(id, lies, card, with),
        }
    }

    /// The same for one that lies in one segment.
    fn with_whole<T>(
        &mut self,
        id: RecordingId,
        lies: &Listed,
        card: &Card,
        with: impl FnOnce(&mut Restoring, &mut dyn Returned) -> vault::Result<T>,
    ) -> Result<Result<T>> {
        let member = Member::Audio(id);
        let which = place(&self.shelf.name(lies.segment), &member);
        let Some(audio) = lies.audio else {
            return Ok(Err(Error::damaged(&which, "it is not there")));
        };
        let part = self.shelf.segment(lies.segment);
        let part = part.and_then(|segment| segment.part(member, &audio));
        let sound = part.and_then(|part| Sound::new(which, part, card));
        heard(&mut self.restoring, sound, with)
    }

    /// The same for a long one, the stretches of which lie in a segment each.
    fn with_stretches<T>(
        &mut self,
        id: RecordingId,
        last: &Listed,
        card: &Card,
        with: impl FnOnce(&mut Restoring, &mut dyn Returned) -> vault::Result<T>,
    ) -> Result<Result<T>> {
        let before = (1..).zip(&last.stretches).map(|(number, segment)| {
            let lies = self.plan.stretch(id, last.epoch, number, *segment);
            (number, *segment, lies)
        });
        let end = (last.number(), last.segment, last.audio);
        let shelf = &self.shelf;
        let mut stretches = before.chain([end]).map(|(number, segment, lies)| {
            let member = Member::stretch(id, number);
            let which = place(&shelf.name(segment), &member);
            let lies = lies.ok_or_else(|| Error::damaged(&which, "it is not there"))?;
            let part = shelf.own(segment)?.into_part(member, &lies)?;
            Ok((which, part))
        });
        let mut next = move || stretches.next().transpose();
        let sound = match next() {
            Ok(Some((which, part))) => Sound::new(which, part, card),
            Ok(None) => Err(gone(last.segment)),
            Err(error) => Err(error),
        };
        heard(
            &mut self.restoring,
            sound.map(|sound| sound.and(next)),
            with,
        )
    }

    pub(super) fn meta(&mut self, id: RecordingId, listed: &Listed) -> Result<Taken> {
        let member = Member::Meta(id);
        let which = place(&self.shelf.name(listed.segment), &member);
        let lies = listed
            .meta
            .ok_or_else(|| Error::damaged(&which, "it is not there"))?;
        let bytes = self.shelf.segment(listed.segment)?.whole(member, &lies)?;
        let taken = recording::read(&which, id, &bytes)?;
        match taken.returning.epoch == listed.epoch {
            true => Ok(taken),
            false => Err(Error::damaged(which, "it is about another epoch")),
        }
    }
}

fn gone(number: u32) -> Error {
    Error::damaged(segment_name(number), "it is missing or can't be read")
}

/// Does something with sound, or says what is wrong with that.
fn heard<R: Read, T>(
    restoring: &mut Restoring,
    sound: Result<Sound<'_, R>>,
    with: impl FnOnce(&mut Restoring, &mut dyn Returned) -> vault::Result<T>,
) -> Result<Result<T>> {
    let mut sound = match sound {
        Ok(sound) => sound,
        Err(error) => return Ok(Err(error)),
    };
    let done = with(restoring, &mut sound);
    match (done, sound.failed) {
        (Ok(done), _) => Ok(Ok(done)),
        (Err(_), Some(failed)) => Ok(Err(failed)),
        (Err(error), None) => Err(error.into()),
    }
}

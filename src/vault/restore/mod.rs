//! Puts recordings back that a backup held.
//!
//! Every one gets new keys, and its rows are sealed and written before the bag knows
//! of it; then one rotation for a batch brings the keys into force. Until then the
//! rows open with no key, for theirs was never written down, and a note in the store
//! says whose they are:
//!
//! | the power is cut | the bag in force has | the store holds |
//! |---|---|---|
//! | while rows are written | nothing of it | a part of it, and the note |
//! | before the commit | nothing of it | all of it, and the note |
//! | later | its keys | all of it, and the note until [`settle`] |
//!
//! [`settle`] takes the notes away, with the rows of what did not come into force. The
//! vault's lock is held only while rows are written, so the file `restoring` says with
//! an flock that somebody is still at it, and that his notes are his.
//!
//! What was destroyed does not come back: tombstones come first ([`Restoring::forbid`])
//! and are asked once more in the rotation. What is there is never changed; what of it
//! was lost to damage comes back in its place, see [`mend`]. Where the recordings come
//! from, and whether that is to be trusted, is not known here.

mod filling;
mod hold;
mod kept;
mod lacks;
mod left;
mod mend;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use self::hold::Hold;
use self::lacks::Stand;
use self::rows::{Pending, Sealing};
use super::error::{Error, Result};
use super::keys::bag::{Clip, Tombstone};
use super::log::{Deed, Draft};
use super::session::{Held, Session};
use super::store::gaps;
use super::store::rows::ClipId;
use crate::crypto::fill_random;
use crate::recording::{Card, RecordingId};
use crate::transcript::Transcript;

pub(in crate::vault) use self::hold::RESTORING_FILE;
pub(in crate::vault) use self::kept::take_in;
pub use self::lacks::Holding;
pub(in crate::vault) use self::left::left_out;
pub use self::mend::Mending;

/// Sealed rows that wait in memory for one transaction; few enough in tests that a
/// short recording takes several.
const BYTES_PER_COMMIT: usize = if cfg!(test) { 64 << 10 } else { 8 << 20 };

/// A recording on its way back.
#[derive(Debug, Clone, PartialEq)]
pub struct Returning {
    /// Its name.
    pub id: RecordingId,
    /// How often its keys had been replaced.
    pub epoch: u32,
    /// What is known about it.
    pub card: Card,
    /// Its transcripts by their numbers, from 1; `None` if they were destroyed.
    pub words: Option<BTreeMap<u32, Transcript>>,
    /// The highest number that a transcript of it is known to have had, lost ones too: none
    /// of up to there is given to a new one.
    pub numbered: u32,
}

/// The sound of a recording on its way back, segment by segment.
pub trait Returned {
    /// The next segment, of the size that the vault keeps; `None` behind the last.
    ///
    /// # Errors
    /// If it can't be read; then nothing of the recording comes back.
    fn next_segment(&mut self) -> Result<Option<Vec<u8>>>;
}

/// What there is of the sound of a recording on its way back.
pub enum ReturnedSound<'a> {
    /// It was destroyed, and does not come back.
    Shredded,
    /// It can't be read: its key and its place are kept for a better copy of it.
    Lost,
    /// These segments.
    Segments(&'a mut dyn Returned),
}

/// What becomes of a recording that is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It comes back with the next commit.
    Waits,
    /// The vault holds it, in this epoch or another, and it stays as it is.
    IsThere,
    /// It was destroyed, and the vault holds no later epoch of it.
    Destroyed,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Recordings that are in the vault now.
    pub restored: Vec<RecordingId>,
    /// Recordings that the vault held, and of which it has again what it had lost.
    pub mended: Vec<RecordingId>,
    /// Recordings that came into the vault by another way meanwhile.
    pub there: Vec<RecordingId>,
    /// Recordings that turned out to be destroyed.
    pub destroyed: Vec<RecordingId>,
    /// Recordings whose rows another process took for waste, because it wrote the
    /// store anew meanwhile. They can be put again.
    pub disturbed: Vec<RecordingId>,
}

/// Somebody who puts recordings back. Only one at a time; what is not committed
/// when it is dropped does not come back.
pub struct Restoring {
    session: Arc<Session>,
    waiting: BTreeMap<RecordingId, Clip>,
    pending: Pending,
    /// What the vault holds and has destroyed, as it was lately.
    known: Known,
    /// What it lacks of what it holds, as it was when this began.
    stand: Stand,
    mending: BTreeMap<RecordingId, mend::Waiting>,
    mending_bytes: usize,
    /// Let go of after all else.
    _hold: Hold,
}

impl Returning {
    /// Notes these segments as the ones that are lost of its sound, in the place of those
    /// that its card notes.
    pub fn lose(&mut self, lost: &[Range<u64>]) {
        gaps::put_in(&mut self.card.gaps, lost);
        if !lost.is_empty() {
            // What it was made of must not pass for being here already.
            self.card.content_hash = None;
        }
    }
}

/// The segments of its sound that a card notes as lost, in order.
#[must_use]
pub fn lost_segments(card: &Card) -> Vec<Range<u64>> {
    gaps::segments_of(&card.gaps)
}

/// What of these segments lies in none of the spans, which are in order.
#[must_use]
pub fn segments_outside(segments: &[Range<u64>], spans: &[Range<u64>]) -> Vec<Range<u64>> {
    let left = segments.iter().flat_map(|one| gaps::outside(one, spans));
    left.collect()
}

impl Restoring {
    /// Begins, and clears away what an earlier one left that did not come to its end.
    ///
    /// # Errors
    /// [`Error::Busy`] if somebody else is at it.
    pub(super) fn begin(session: &Arc<Session>) -> Result<Self> {
        let (hold, known, stand) = session.with(|held| {
            let hold = Hold::take(held.disk(), held.dir())?;
            clear(held)?;
            Ok((hold, Known::of(held), Stand::of(held)?))
        })?;
        Ok(Self {
            session: Arc::clone(session),
            waiting: BTreeMap::new(),
            pending: Pending::default(),
            known,
            stand,
            mending: BTreeMap::new(),
            mending_bytes: 0,
            _hold: hold,
        })
    }

    /// A new id, for one that was destroyed and is wanted all the same.
    pub fn new_id() -> Result<RecordingId> {
        let mut id = [0; 16];
        fill_random(&mut id).map_err(|error| Error::Seal {
            which: "a new recording".into(),
            why: error.to_string(),
        })?;
        Ok(RecordingId::from_bytes(id))
    }

    /// Takes over what was destroyed elsewhere: none of it comes back from now on.
    /// What the vault holds all the same is left as it is, and answered with.
    pub fn forbid(&mut self, destroyed: &BTreeSet<Tombstone>) -> Result<Vec<RecordingId>> {
        let session = Arc::clone(&self.session);
        session.with(|held| {
            let is_news = |one: &&Tombstone| !held.bag().is_tombstoned(one.id, one.epoch);
            // What the vault holds all the same is news every time, and no change.
            let is_there = |one: &Tombstone| {
                let clip = held.bag().clips.get(&one.id);
                clip.is_some_and(|clip| clip.epoch <= one.epoch)
            };
            let news = destroyed.iter().filter(is_news);
            let (there, news): (Vec<&Tombstone>, Vec<_>) = news.partition(|one| is_there(one));
            if news.is_empty() {
                return Ok(there.iter().map(|one| one.id).collect());
            }
            let mut kept = Vec::new();
            let draft = Draft::done(Deed::Restore, &[]).detail(taken_over(news.len()));
            // What could not be overwritten holds nothing that is to be gone; the
            // next unlock tries again.
            let rotated = held.rotate_logged(draft, |bag| {
                for one in destroyed {
                    let has = bag.clips.get(&one.id);
                    match has.is_some_and(|clip| clip.epoch <= one.epoch) {
                        true => kept.push(one.id),
                        false if bag.is_tombstoned(one.id, one.epoch) => {}
                        false => drop(bag.tombstones.insert(*one)),
                    }
                }
                Ok(())
            });
            rotated?;
            self.known = Known::of(held);
            Ok(kept)
        })
    }

    /// Puts a recording. It is there once it was committed.
    ///
    /// # Errors
    /// Whatever `sound` says, or why the vault can't be written. Nothing of this
    /// recording comes back then; others are not concerned.
    pub fn put(&mut self, recording: &Returning, sound: ReturnedSound<'_>) -> Result<Fate> {
        let fate = self.fate(recording.id, recording.epoch);
        if fate != Fate::Waits {
            return Ok(fate);
        }
        let id = recording.id;
        match self.write(recording, sound) {
            Ok(clip) => {
                self.waiting.insert(id, clip);
                Ok(Fate::Waits)
            }
            Err(error) => {
                // Its rows open with no key any more; the next commit settles them.
                self.pending.forget(id);
                Err(error)
            }
        }
    }

    /// What would become of this epoch of a recording, as far as is known now; a
    /// commit asks again.
    #[must_use]
    pub fn fate(&self, id: RecordingId, epoch: u32) -> Fate {
        let destroyed = self.known.destroyed.get(&id);
        let is_destroyed = destroyed.is_some_and(|last| epoch <= *last);
        // Of what was redacted the vault holds a later epoch.
        match (self.known.there.contains(&id), is_destroyed) {
            (true, _) => Fate::IsThere,
            (false, true) => Fate::Destroyed,
            (false, false) if self.waiting.contains_key(&id) => Fate::IsThere,
            (false, false) => Fate::Waits,
        }
    }

    /// Takes back that a recording was put. What was written of it is settled by the
    /// next commit.
    pub fn withdraw(&mut self, id: RecordingId) {
        self.pending.forget(id);
        self.waiting.remove(&id);
    }

    fn write(&mut self, recording: &Returning, sound: ReturnedSound<'_>) -> Result<Clip> {
        let at = ClipId {
            id: recording.id,
            epoch: recording.epoch,
        };
        self.pending.begin(at);
        let mut sealing = Sealing::new(at, recording)?;
        match sound {
            ReturnedSound::Segments(sound) => {
                while let Some(segment) = sound.next_segment()? {
                    if let Some((row, frames)) = sealing.segment(&segment)? {
                        self.pending.sound(at, row, frames);
                        self.flush_if_full()?;
                    }
                }
                if let Some((row, frames)) = sealing.last_row() {
                    self.pending.sound(at, row, frames);
                }
            }
            ReturnedSound::Lost => sealing.lose_sound(),
            ReturnedSound::Shredded => sealing.without_sound(),
        }
        for (number, transcript) in recording.words.iter().flatten() {
            let frame = sealing.words(*number, transcript)?;
            self.pending.words(at, *number, frame);
            self.flush_if_full()?;
        }
        let (clip, card) = sealing.end()?;
        self.pending.card(at, card);
        self.flush_if_full()?;
        Ok(clip)
    }

    fn flush_if_full(&mut self) -> Result<()> {
        match self.pending.bytes() >= BYTES_PER_COMMIT {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        let pending = &mut self.pending;
        self.session.with(|held| pending.write(held))
    }

    /// Brings what was put into force, by one rotation for all of it.
    ///
    /// # Errors
    /// Why the vault can't be written. Then nothing of it came back, and it can be
    /// committed again.
    pub fn commit(&mut self) -> Result<Restored> {
        self.flush()?;
        let (waiting, session) = (&mut self.waiting, &self.session);
        let mending = &self.mending;
        let (done, known) = session.with(|held| {
            let mut done = judge(held, waiting)?;
            let ready = mend::judge(held, mending)?;
            done.mended = mend::ids(&ready).collect();
            let all: Vec<_> = done.restored.iter().chain(&done.mended).copied().collect();
            if !all.is_empty() {
                // What could not be overwritten holds nothing that is to be gone; the
                // next unlock tries again.
                let draft = Draft::done(Deed::Restore, &all);
                let came = held.generation() + 1;
                let now_ms = held.now().unix_ms;
                held.rotate_logged(draft, |bag| {
                    for id in &done.restored {
                        let Some(clip) = waiting.get(id) else {
                            continue;
                        };
                        let mut clip = Clip {
                            // The backup that it came from holds it, however old.
                            since: 0,
                            came,
                            ..clip.duplicate()
                        };
                        clip.enter(bag.settings.last_seen_ms.max(now_ms));
                        bag.clips.insert(*id, clip);
                    }
                    mend::count(bag, &ready, mending);
                    Ok(())
                })?;
                mend::write(held, &ready, mending)?;
            }
            // They are in force: what is left over is the next one's to settle.
            let _ = clear(held);
            Ok((done, Known::of(held)))
        })?;
        self.known = known;
        self.waiting.clear();
        self.mending.clear();
        self.mending_bytes = 0;
        self.pending.end();
        Ok(done)
    }
}

/// For the log: a backup that brings nothing back may change what can come back later.
fn taken_over(many: usize) -> String {
    let recordings = if many == 1 { "recording" } else { "recordings" };
    format!("{many} {recordings} destroyed elsewhere can't come back any more")
}

/// What a vault holds and has destroyed.
struct Known {
    there: BTreeSet<RecordingId>,
    /// The last epoch that was.
    destroyed: BTreeMap<RecordingId, u32>,
}

impl Known {
    fn of(held: &Held<'_>) -> Self {
        let bag = held.bag();
        // In their order, so that the last epoch stays.
        let destroyed = bag.tombstones.iter().map(|one| (one.id, one.epoch));
        Self {
            there: bag.clips.keys().copied().collect(),
            destroyed: destroyed.collect(),
        }
    }
}

/// What is to become of each that waits, by the keys as they are now.
fn judge(held: &Held<'_>, waiting: &BTreeMap<RecordingId, Clip>) -> Result<Restored> {
    let mut done = Restored::default();
    if waiting.is_empty() {
        return Ok(done);
    }
    let noted = held
        .store()
        .read(held.lock(), |store| store.begin()?.restoring())?;
    let noted: BTreeSet<RecordingId> = noted.into_iter().collect();
    for (id, clip) in waiting {
        let bag = held.bag();
        let list = if bag.clips.contains_key(id) {
            &mut done.there
        } else if bag.is_tombstoned(*id, clip.epoch) {
            &mut done.destroyed
        } else if !noted.contains(id) {
            &mut done.disturbed
        } else {
            &mut done.restored
        };
        list.push(*id);
    }
    Ok(done)
}

/// Deletes what a restore left over that did not come to its end, unless one is at
/// it. How many rows there were.
pub(super) fn settle(held: &Held<'_>) -> Result<u64> {
    let noted = held
        .store()
        .read(held.lock(), |store| store.begin()?.restoring())?;
    if noted.is_empty() || Hold::is_taken(held.disk(), held.dir())? {
        return Ok(0);
    }
    clear(held)
}

/// Takes away the notes, and the rows of what is not in force.
fn clear(held: &Held<'_>) -> Result<u64> {
    let noted = held
        .store()
        .read(held.lock(), |store| store.begin()?.restoring())?;
    if noted.is_empty() {
        return Ok(0);
    }
    held.store().write(held.lock(), |rows| {
        let mut deleted = 0;
        for id in noted {
            deleted += match held.clip(id) {
                Ok((at, _)) => rows.delete_other_epochs(at)?,
                Err(_) => rows.delete_all(id)?,
            };
            rows.forget_restoring(id)?;
        }
        Ok(deleted)
    })
}

//! Brings back what the vault lost of a recording that it holds: in its place, under
//! the keys that it has.
//!
//! | the power is cut | the bag in force has | the store holds |
//! |---|---|---|
//! | while sound is written | the old extent | some of it; the card notes it as lost |
//! | behind the rotation | the new extent | all of it; the card notes it as lost |
//! | later | the new extent | all of it, and the card that says so |
//!
//! In each case the extent counts all that is there, or all of it that lies in no gap of
//! the card, see [`SoundDigest`](crate::vault::store::digest). So what is cut short is
//! no damage, and the same restore once more goes on. Nothing that is there is ever
//! overwritten: a segment is put beside those of its row, a transcript where none lies,
//! and a card only in the place of one that was made anew.

use std::collections::BTreeMap;
use std::ops::Range;

use super::filling::{self, Filling, Heard, heard};
use super::lacks::{Holding, Stand};
use super::{BYTES_PER_COMMIT, Restoring, Returned};
use crate::crypto::ClipKey;
use crate::recording::{Card, RecordingId, VersionInfo};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::{Bag, Clip};
use crate::vault::open::add_words;
use crate::vault::sealed::frame::{Facts, Kind};
use crate::vault::sealed::record;
use crate::vault::session::Held;
use crate::vault::store::rows::{Added, ClipId, Writing};
use crate::vault::store::{gaps, opened};

/// More of cards and words does not wait for a commit.
const MOST_WAITING_BYTES: usize = 64 << 20;

/// What a backup has of what the vault lacks, but for the sound.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mending {
    /// Its card, if the one here was made anew.
    pub card: Option<Card>,
    /// Transcripts by their numbers.
    pub words: BTreeMap<u32, Transcript>,
    /// SHA-256 of the sound as it came in, should nothing of it be lacking any more.
    pub content_hash: Option<[u8; 32]>,
}

/// What waits for the commit.
pub(super) struct Waiting {
    epoch: u32,
    pub(super) card: Option<Card>,
    pub(super) content_hash: Option<[u8; 32]>,
    pub(super) words: BTreeMap<u32, (VersionInfo, Vec<u8>)>,
    /// Transcripts whose numbers others have: they get new ones.
    pub(super) renumbered: Vec<Transcript>,
    /// Whether no rule is to take it from then on.
    pub(super) is_to_be_pinned: bool,
    /// How many segments its sound has, where some of it was filled in.
    pub(super) filled: Option<u64>,
}

impl Waiting {
    /// Nothing yet.
    pub(super) fn of(epoch: u32) -> Self {
        Self {
            epoch,
            card: None,
            content_hash: None,
            words: BTreeMap::new(),
            renumbered: Vec::new(),
            is_to_be_pinned: false,
            filled: None,
        }
    }
}

/// What waits, as it is once the lock is held.
pub(super) struct Ready {
    id: RecordingId,
    sound: Option<Heard>,
}

impl Restoring {
    /// What the vault holds of a recording, as far as its card can be read.
    #[must_use]
    pub fn holding(&self, id: RecordingId) -> Option<&Holding> {
        self.stand.holdings.get(&id)
    }

    /// Takes note of what the vault holds by now, and what it lacks of that.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn look_again(&mut self) -> Result<()> {
        self.stand = self.session.with(|held| Stand::of(held))?;
        Ok(())
    }

    /// Why its card can't be read, if the vault holds it and that is so: nothing of it can
    /// be mended until a repair has noted what is lost.
    #[must_use]
    pub fn damage(&self, id: RecordingId) -> Option<&str> {
        self.stand.damaged.get(&id).map(String::as_str)
    }

    /// Puts lost segments of a recording back: those of `wanted`. The `sound` has to have
    /// been read to its end before, since what was taken of it can't be taken back.
    ///
    /// # Errors
    /// Whatever `sound` says, why the vault can't be written, or [`Error::Outdated`] if it
    /// was shredded meanwhile.
    pub fn fill(
        &mut self,
        id: RecordingId,
        card: &Card,
        wanted: &[Range<u64>],
        sound: &mut dyn Returned,
    ) -> Result<()> {
        let holding = self.holding(id).ok_or(Error::NoRecording { id })?;
        let (epoch, mut segments) = (holding.epoch, holding.segments);
        let is_soundless = holding.is_soundless();
        let at = ClipId { id, epoch };
        let key = self.sound_key(at)?;
        self.session
            .with(|held| filling::note_counted(held, at, &key, segments))?;
        let mut filling = Filling::new(at, key);
        let mut number: u32 = 0;
        while let Some(packets) = sound.next_segment()? {
            let this = u64::from(number);
            let is_lost = is_soundless || this < segments;
            if is_lost && wanted.iter().any(|span| span.contains(&this)) {
                filling.segment(number, card, &packets)?;
                if filling.bytes() >= BYTES_PER_COMMIT {
                    self.session.with(|held| filling.write(held))?;
                }
            }
            number = number
                .checked_add(1)
                .ok_or_else(|| Error::damaged(id, "no recording has so many segments"))?;
        }
        if is_soundless {
            // How long it was is known by now.
            segments = number.into();
        }
        self.session.with(|held| filling.write(held))?;
        self.mending(at).filled = Some(segments);
        Ok(())
    }

    /// Has the next commit put what is lacking, and say of the sound what is there.
    ///
    /// # Errors
    /// Why it can't be sealed.
    pub fn mend(&mut self, id: RecordingId, mending: Mending) -> Result<()> {
        let epoch = self.holding(id).ok_or(Error::NoRecording { id })?.epoch;
        let at = ClipId { id, epoch };
        let key = self.session.with(|held| {
            let words = clip(held, at)?.words.as_ref();
            Ok(words.map(ClipKey::duplicate))
        })?;
        let mut words = BTreeMap::new();
        for (number, transcript) in mending.words {
            let Some(key) = &key else { break };
            let frame = record::seal_text(key, &facts(at, Kind::Words, number), &transcript)?;
            self.mending_bytes += frame.len();
            words.insert(number, (transcript.info(number), frame));
        }
        let waiting = self.mending(at);
        waiting.card = mending.card;
        waiting.content_hash = mending.content_hash;
        waiting.words = words;
        Ok(())
    }

    /// Whether so much waits that it is better committed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.mending_bytes >= MOST_WAITING_BYTES
    }

    fn mending(&mut self, at: ClipId) -> &mut Waiting {
        let waiting = self.mending.entry(at.id);
        waiting.or_insert_with(|| Waiting::of(at.epoch))
    }

    fn sound_key(&self, at: ClipId) -> Result<ClipKey> {
        self.session.with(|held| {
            let key = clip(held, at)?.sound.as_ref();
            key.map(ClipKey::duplicate)
                .ok_or(Error::NoSound { id: at.id })
        })
    }
}

/// The keys of a recording, if they are still the same.
pub(super) fn clip<'h>(held: &'h Held<'_>, at: ClipId) -> Result<&'h Clip> {
    match held.clip(at.id) {
        Ok((now, clip)) if now == at => Ok(clip),
        _ => Err(Error::Outdated {
            id: at.id,
            epoch: at.epoch,
        }),
    }
}

pub(super) fn facts(at: ClipId, kind: Kind, number: u32) -> Facts {
    Facts {
        kind,
        id: at.id,
        epoch: at.epoch,
        number,
        revision: 0,
    }
}

/// What of that which waits can be put, by the keys as they are now.
pub(super) fn judge(
    held: &Held<'_>,
    waiting: &BTreeMap<RecordingId, Waiting>,
) -> Result<Vec<Ready>> {
    let mut ready = Vec::new();
    for (id, one) in waiting {
        let (id, epoch) = (*id, one.epoch);
        let at = ClipId { id, epoch };
        // Shredded or redacted meanwhile, it lacks nothing any more.
        let Ok(clip) = clip(held, at) else { continue };
        let sound = match (&clip.sound, one.filled) {
            (Some(key), Some(segments)) => Some(heard(held, at, key, segments)?),
            _ => None,
        };
        ready.push(Ready { id, sound });
    }
    Ok(ready)
}

/// Their names.
pub(super) fn ids(ready: &[Ready]) -> impl Iterator<Item = RecordingId> {
    ready.iter().map(|one| one.id)
}

/// Has the bag count what is there.
pub(super) fn count(bag: &mut Bag, ready: &[Ready], waiting: &BTreeMap<RecordingId, Waiting>) {
    for Ready { id, sound } in ready {
        let Some(clip) = bag.clips.get_mut(id) else {
            continue;
        };
        if let Some(Heard { extent, .. }) = sound {
            clip.extent = Some(*extent);
        }
        if let Some(card) = waiting.get(id).and_then(|one| one.card.as_ref()) {
            clip.pinned = card.pinned;
        }
        clip.pinned |= waiting.get(id).is_some_and(|one| one.is_to_be_pinned);
    }
}

/// Puts words and cards.
pub(super) fn write(
    held: &Held<'_>,
    ready: &[Ready],
    waiting: &BTreeMap<RecordingId, Waiting>,
) -> Result<()> {
    if ready.is_empty() {
        return Ok(());
    }
    held.store().write(held.lock(), |rows| {
        for Ready { id, sound } in ready {
            if let (Ok((at, clip)), Some(one)) = (held.clip(*id), waiting.get(id)) {
                put(rows, at, clip, one, sound.as_ref())?;
            }
        }
        Ok(())
    })
}

pub(super) fn put(
    rows: &Writing,
    at: ClipId,
    clip: &Clip,
    one: &Waiting,
    sound: Option<&Heard>,
) -> Result<()> {
    let row = rows.card(at)?.ok_or_else(|| opened::no_card(at.id))?;
    let found = opened::card_in(at, clip, &row)?;
    let revision = found.frame.facts.revision.wrapping_add(1);
    let mut record = found.record;
    let mut lost = gaps::segments_of(&record.card.gaps);
    let is_recovered = record.card.is_recovered();
    if let Some(card) = one.card.as_ref().filter(|_| is_recovered) {
        record.card = record.card.replaced_by(card.clone());
    }
    if let Some(heard) = sound {
        lost.clone_from(&heard.lost);
        record.audio_bytes = heard.bytes;
    }
    gaps::put_in(&mut record.card.gaps, &lost);
    let hash = record.card.content_hash.or(one.content_hash);
    // What it was made of must not pass for being here already.
    record.card.content_hash = hash.filter(|_| lost.is_empty());
    // As in the bag: the next change of the card would take the pin off there.
    record.card.pinned |= one.is_to_be_pinned;
    if let Some(key) = &clip.words {
        for (number, (info, frame)) in &one.words {
            if rows.add_words(at, *number, frame)? == Added::Now {
                record.versions.retain(|one| one.number != *number);
                record.name(info.clone());
            }
        }
        for transcript in &one.renumbered {
            let number = add_words(rows, at, key, record.numbered, transcript)?;
            record.name(transcript.info(number));
        }
        record.versions.sort_by_key(|one| one.number);
    }
    let segments = clip.extent.map_or(0, |extent| extent.segments);
    let facts = Facts {
        revision,
        ..facts(at, Kind::Card, u32::try_from(segments).unwrap_or(u32::MAX))
    };
    rows.put_card(at, &record::seal_text(&clip.card, &facts, &record)?)
}

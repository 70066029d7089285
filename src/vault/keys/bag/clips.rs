//! The recordings of a bag: the keys to each, and what is known of it without its
//! card.
//!
//! A rotation changes a second bag and keeps the first until the change is in force.
//! The two share what is the same in both, so a change costs what it touches, not what
//! there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::crypto::{ClipKey, ClipKeys};
use crate::recording::{Card, Moment, RecordingId};

/// How much sound there is, so that a recording can't be cut short unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Segments of sound.
    pub segments: u64,
    /// SHA-256 over them, as the merge counted it.
    pub hash: [u8; 32],
}

/// What the bag knows of one recording.
pub struct Clip {
    /// Counts how often its keys were replaced.
    pub epoch: u32,
    /// Opens its sound; gone once the sound was shredded.
    pub sound: Option<ClipKey>,
    /// Opens its transcripts; gone once they were shredded.
    pub words: Option<ClipKey>,
    /// Opens its card.
    pub card: ClipKey,
    /// Its sound as it was merged; `None` while it still lies in the inbox.
    pub extent: Option<Extent>,
    /// The generation with which it was merged: no backup of an earlier one holds
    /// it. 0 until then.
    pub since: u64,
    /// The generation with which it came in, merged or brought back: a backup that was
    /// finished with this one or later holds it. 0 until then.
    pub came: u64,
    /// From when its age counts: the later of its date and the moment it entered the
    /// vault, which is never before the last time that the vault had seen. It
    /// changes once it was merged only where a clock is put right, so it is known also where the card is damaged.
    pub kept_from: Moment,
    /// Whether its card says that it is pinned, for the same reason.
    pub pinned: bool,
}

impl Clip {
    /// A recording as it is adopted from the inbox; `last_seen_ms` is the latest time
    /// that the vault had seen before.
    #[must_use]
    pub fn adopted(keys: ClipKeys, last_seen_ms: i64) -> Self {
        Self {
            epoch: 0,
            sound: Some(keys.sound),
            words: Some(keys.words),
            card: keys.card,
            extent: None,
            since: 0,
            came: 0,
            kept_from: Moment {
                unix_ms: last_seen_ms,
                offset_s: 0,
            },
            pinned: false,
        }
    }

    /// It comes back at this moment, which is the later of what the clock says and the
    /// latest time that the vault had seen: its age counts from then, so that no rule
    /// takes at once what was just put back.
    pub fn enter(&mut self, at_ms: i64) {
        self.kept_from.unix_ms = self.kept_from.unix_ms.max(at_ms);
    }

    /// The generation before which no backup holds it; none does while it still lies in
    /// the inbox.
    #[must_use]
    pub fn in_backups_since(&self) -> u64 {
        self.extent.map_or(u64::MAX, |_| self.since)
    }

    /// Takes in what its card says about keeping it.
    pub fn learn(&mut self, card: &Card) {
        let latest = self.kept_from.max(card.recorded_at).max(card.added_at);
        self.kept_from = Moment {
            unix_ms: latest.unix_ms,
            offset_s: card.added_at.offset_s,
        };
        self.pinned = card.pinned;
    }

    /// Whether one of its keys is not in `after`.
    fn loses_a_key_in(&self, after: &Self) -> bool {
        after.epoch != self.epoch
            || after.card.expose() != self.card.expose()
            || (self.sound.is_some() && after.sound.is_none())
            || (self.words.is_some() && after.words.is_none())
    }

    /// A second one of the same.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            epoch: self.epoch,
            sound: self.sound.as_ref().map(ClipKey::duplicate),
            words: self.words.as_ref().map(ClipKey::duplicate),
            card: self.card.duplicate(),
            extent: self.extent,
            since: self.since,
            came: self.came,
            kept_from: self.kept_from,
            pinned: self.pinned,
        }
    }
}

/// Recordings by id. Ids are random, so their first bytes part them evenly.
pub struct Clips(Vec<Arc<Shard>>);

/// How many parts there are: one for each first byte.
const SHARDS: usize = 256;

/// The recordings whose ids begin with the same byte. Two bags may share it; the one
/// that changes it takes a second one.
#[derive(Default)]
struct Shard(BTreeMap<RecordingId, Clip>);

impl Clone for Shard {
    fn clone(&self) -> Self {
        let clips = self.0.iter().map(|(id, clip)| (*id, clip.duplicate()));
        Self(clips.collect())
    }
}

impl Default for Clips {
    fn default() -> Self {
        let none = || Arc::new(Shard::default());
        Self((0..SHARDS).map(|_| none()).collect())
    }
}

impl Clips {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.0.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|shard| shard.0.is_empty())
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: &RecordingId) -> Option<&Clip> {
        self.shard(id).0.get(id)
    }

    /// One of them, to change. Who shares it keeps it as it was.
    pub fn get_mut(&mut self, id: &RecordingId) -> Option<&mut Clip> {
        match self.contains_key(id) {
            true => self.own(id).get_mut(id),
            false => None,
        }
    }

    /// One of them, to change; `make` it if it is not there.
    pub fn get_or_insert_with(
        &mut self,
        id: RecordingId,
        make: impl FnOnce() -> Clip,
    ) -> &mut Clip {
        self.own(&id).entry(id).or_insert_with(make)
    }

    /// Whether it is there.
    #[must_use]
    pub fn contains_key(&self, id: &RecordingId) -> bool {
        self.shard(id).0.contains_key(id)
    }

    /// Puts one in, in the place of the one that had this id.
    pub fn insert(&mut self, id: RecordingId, clip: Clip) {
        self.own(&id).insert(id, clip);
    }

    /// Takes one out, if it is there.
    pub fn remove(&mut self, id: &RecordingId) -> Option<Clip> {
        match self.contains_key(id) {
            true => self.own(id).remove(id),
            false => None,
        }
    }

    /// Takes out those that `keep` refuses.
    pub fn retain(&mut self, mut keep: impl FnMut(&RecordingId, &Clip) -> bool) {
        for shard in &mut self.0 {
            if shard.0.iter().any(|(id, clip)| !keep(id, clip)) {
                Arc::make_mut(shard).0.retain(|id, clip| keep(id, clip));
            }
        }
    }

    /// Their ids, in order.
    pub fn keys(&self) -> impl Iterator<Item = &RecordingId> {
        self.iter().map(|(id, _)| id)
    }

    /// All of them, in the order of their ids.
    pub fn values(&self) -> impl Iterator<Item = &Clip> {
        self.iter().map(|(_, clip)| clip)
    }

    /// All of them, to change.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Clip> {
        let shards = self.0.iter_mut();
        shards.flat_map(|shard| Arc::make_mut(shard).0.values_mut())
    }

    /// All of them with their ids, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&RecordingId, &Clip)> + Clone {
        self.0.iter().flat_map(|shard| &shard.0)
    }

    /// The same ones once more, shared.
    #[must_use]
    pub fn share(&self) -> Self {
        Self(self.0.clone())
    }

    /// Whether a key of these is not in `new`.
    #[must_use]
    pub fn lose_a_key_in(&self, new: &Self) -> bool {
        let shards = self.0.iter().zip(&new.0);
        let changed = shards.filter(|(before, after)| !Arc::ptr_eq(before, after));
        changed
            .flat_map(|(before, after)| before.0.iter().map(|(id, clip)| (clip, after.0.get(id))))
            .any(|(before, after)| after.is_none_or(|after| before.loses_a_key_in(after)))
    }

    fn shard(&self, id: &RecordingId) -> &Shard {
        &self.0[shard_of(id)]
    }

    /// The shard of this id, this bag's own.
    fn own(&mut self, id: &RecordingId) -> &mut BTreeMap<RecordingId, Clip> {
        &mut Arc::make_mut(&mut self.0[shard_of(id)]).0
    }
}

fn shard_of(id: &RecordingId) -> usize {
    usize::from(id.as_bytes()[0])
}

impl FromIterator<(RecordingId, Clip)> for Clips {
    fn from_iter<I: IntoIterator<Item = (RecordingId, Clip)>>(clips: I) -> Self {
        let mut all = Self::default();
        clips
            .into_iter()
            .for_each(|(id, clip)| all.insert(id, clip));
        all
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_change_of_a_shared_clip_is_seen_by_one_of_the_two_alone() {
        let id = |number| RecordingId::from_bytes([number; 16]);
        let clip = || Clip::adopted(ClipKeys::generate().unwrap(), 0);
        let before: Clips = (1..=3).map(|number| (id(number), clip())).collect();
        let mut after = before.share();
        assert!(!before.lose_a_key_in(&after));
        after.get_mut(&id(2)).unwrap().pinned = true;
        assert!(!before.get(&id(2)).unwrap().pinned && !before.lose_a_key_in(&after));
        after.get_mut(&id(2)).unwrap().sound = None;
        assert!(before.get(&id(2)).unwrap().sound.is_some() && before.lose_a_key_in(&after));
        assert!(!after.lose_a_key_in(&before));

        let mut after = before.share();
        assert!(after.remove(&id(3)).is_some());
        assert!(before.contains_key(&id(3)) && before.lose_a_key_in(&after));

        let mut after = before.share();
        after.retain(|_, clip| !clip.pinned);
        assert!(!before.lose_a_key_in(&after) && after.len() == 3);
        after.retain(|one, _| *one != id(1));
        assert_eq!(after.keys().collect::<Vec<_>>(), [&id(2), &id(3)]);
        assert_eq!(before.len(), 3);
    }
}

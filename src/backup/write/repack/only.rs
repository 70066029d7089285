//! What only the segments that are to go have: the newest entry of a recording may be of a
//! vault that had lost some of it by then, and an older one has more.

use std::collections::BTreeSet;
use std::ops::Range;

use super::view::{Laid, Survivor, View};
use crate::backup::manifest::SoundAt;
use crate::vault::segments_outside;

impl View<'_> {
    /// What is copied of a recording that has these entries, the newest of which is the last:
    /// that one, and the older ones that go and have something that nothing which stays has.
    pub(super) fn staying<'e>(
        &self,
        entries: &[Laid<'e>],
        doomed: &BTreeSet<u32>,
    ) -> Vec<Survivor<'e>> {
        let Some((newest, older)) = entries.split_last() else {
            return Vec::new();
        };
        let (id, epoch) = (newest.entry.id, newest.entry.epoch);
        if self.is_destroyed(id, epoch) {
            return Vec::new();
        }
        // The sound of what is copied comes along, wherever it lies.
        let sound = |one: Laid<'_>| self.sound_of(one.number, one.entry);
        let stays = |laid| (laid, sound(laid));
        let left = |laid| (laid, sound(laid).filter(|lies| !doomed.contains(lies)));
        let same = older.iter().filter(|one| one.entry.epoch == epoch);
        let (going, kept): (Vec<_>, Vec<_>) = same.partition(|one| doomed.contains(&one.number));
        let mut stay: Vec<_> = kept.into_iter().copied().map(left).collect();
        stay.push(stays(*newest));
        let mut copied = vec![*newest];
        for one in going.into_iter().rev() {
            if stay.iter().all(|other| self.has_more(*one, *other)) {
                stay.push(stays(*one));
                copied.push(*one);
            }
        }
        copied.reverse();
        let last = copied.len() - 1;
        let survivor = |(round, laid)| Survivor {
            laid,
            round,
            is_newest: round == last,
        };
        copied.into_iter().enumerate().map(survivor).collect()
    }

    /// The segments in which an entry and the sound beside it lie.
    fn parts(laid: Laid<'_>) -> impl Iterator<Item = u32> {
        let stretches = laid.entry.stretches.iter().copied();
        std::iter::once(laid.number).chain(stretches)
    }

    /// Whether an entry has something that another has not, and that may come back; `sound`
    /// is where the sound of the other lies that stays.
    fn has_more(&self, one: Laid<'_>, (other, sound): (Laid<'_>, Option<u32>)) -> bool {
        let (id, epoch) = (one.entry.id, one.entry.epoch);
        let has_version = |version: &u32| other.entry.versions.contains(version);
        let has_words = one.entry.versions.iter().all(has_version) || self.is_wordless(id, epoch);
        // An older card says less, though it was whole.
        let is_newer = other.age() >= one.age();
        let has_card = (!other.entry.recovered && is_newer) || one.entry.recovered;
        let has_sound = one.entry.sound != SoundAt::Here
            || self.is_silent(id, epoch)
            || match sound {
                // It is the sound that stays.
                Some(there) if there == one.number => true,
                Some(number) => self.sound_in(number, id).is_some_and(|entry| {
                    let lost = self.lost_of(Laid { number, entry });
                    segments_outside(&lost, &self.lost_of(one)).is_empty()
                }),
                None => false,
            };
        !(has_words && has_card && has_sound)
    }

    /// The segments of the store for which the sound of an entry has silence, in order.
    pub(super) fn lost_of(&self, laid: Laid<'_>) -> Vec<Range<u64>> {
        let entry = laid.entry;
        let manifests = Self::parts(laid).filter_map(|one| self.held.manifests.get(&one));
        let stretches = manifests.flat_map(|manifest| &manifest.stretches);
        let of_it = stretches.filter(|one| (one.id, one.epoch) == (entry.id, entry.epoch));
        let more = of_it.flat_map(|one| one.gone.iter().chain(&one.lost));
        let all = entry.gone.iter().chain(&entry.lost).chain(more);
        let mut lost: Vec<Range<u64>> = all.map(|(from, to)| *from..*to).collect();
        lost.sort_unstable_by_key(|span| (span.start, span.end));
        lost
    }
}

#[cfg(test)]
mod tests;

//! What only the segments that are to go have: a repack copies the newest entry of each
//! recording, and an older one may have more than that, of a vault that had lost it by then.

use std::collections::BTreeSet;
use std::ops::Range;

use super::view::View;
use crate::backup::manifest::{Entry, SoundAt};
use crate::vault::segments_outside;

impl View<'_> {
    /// Whether one of these segments has a card, words or sound that would be lost with it.
    pub(super) fn loses_more(&self, doomed: &BTreeSet<u32>) -> bool {
        let kept = self.survivors(doomed);
        self.held.manifests.iter().any(|(number, manifest)| {
            manifest.recordings.iter().any(|entry| {
                let goes = self.parts(*number, entry).any(|one| doomed.contains(&one));
                let newest = kept.iter().find(|(_, newest)| newest.id == entry.id);
                let newest = newest.filter(|(at, one)| at != number && one.epoch == entry.epoch);
                goes && newest
                    .is_some_and(|(at, newest)| self.has_more(*number, entry, *at, newest))
            })
        })
    }

    /// The segments in which an entry and the sound beside it lie.
    fn parts<'e>(&self, number: u32, entry: &'e Entry) -> impl Iterator<Item = u32> + 'e {
        let stretches = entry.stretches.iter().copied();
        std::iter::once(number).chain(stretches)
    }

    /// Whether an older entry has something that the newest has not, and may come back.
    fn has_more(&self, number: u32, entry: &Entry, at: u32, newest: &Entry) -> bool {
        let (id, epoch) = (entry.id, entry.epoch);
        let has_version = |version: &u32| newest.versions.contains(version);
        let has_words = entry.versions.iter().all(has_version) || self.is_wordless(id, epoch);
        let has_card = !newest.recovered || entry.recovered;
        let has_sound = entry.sound != SoundAt::Here
            || self.is_silent(id, epoch)
            || match self.sound_of(at, newest) {
                // It is the sound that stays.
                Some(there) if there == number => true,
                Some(there) => self.sound_in(there, id).is_some_and(|sound| {
                    let lost = self.lost_of(there, sound);
                    segments_outside(&lost, &self.lost_of(number, entry)).is_empty()
                }),
                None => false,
            };
        !(has_words && has_card && has_sound)
    }

    /// The segments of the store for which the sound of an entry has silence, in order.
    fn lost_of(&self, number: u32, entry: &Entry) -> Vec<Range<u64>> {
        let parts = self.parts(number, entry);
        let manifests = parts.filter_map(|one| self.held.manifests.get(&one));
        let stretches = manifests.flat_map(|manifest| &manifest.stretches);
        let of_it = stretches.filter(|one| (one.id, one.epoch) == (entry.id, entry.epoch));
        let more = of_it.flat_map(|one| one.gone.iter().chain(&one.lost));
        let all = entry.gone.iter().chain(&entry.lost).chain(more);
        let mut lost: Vec<Range<u64>> = all.map(|(from, to)| *from..*to).collect();
        lost.sort_unstable_by_key(|span| (span.start, span.end));
        lost
    }
}

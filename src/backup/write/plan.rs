//! What has to be written: what the vault holds, against what the backup holds.
//!
//! Nothing is opened for that. The sound of a recording is never written twice: the
//! card or the text may change, the sound only with the epoch.

use std::collections::{BTreeMap, BTreeSet};

use crate::backup::manifest::{Entry, Lacking, Manifest, SoundAt, Tombstone};
use crate::backup::written::Digits;
use crate::recording::RecordingId;
use crate::vault::copying::{self, Stock, Stocked, Words};

/// A recording that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub stocked: Stocked,
    pub sound: Sound,
    /// What is known to be missing of the sound that lies in an earlier segment.
    pub lost: Vec<(u64, u64)>,
}

/// What becomes of its sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// It is written.
    Here,
    /// It lies in the segment of this number.
    At(u32),
    /// There is none.
    Gone,
}

/// What a backup holds: the newest entry of each recording, and where its sound is.
#[derive(Debug, Default)]
pub(super) struct Holding {
    newest: BTreeMap<RecordingId, (Entry, Option<u32>)>,
    tombstones: BTreeSet<Tombstone>,
    /// Whether the segment before the last says the same of them.
    is_said_twice: bool,
    /// What it ever had of a recording, in an epoch.
    had: BTreeMap<(RecordingId, u32), Had>,
    /// How many segments say that these parts must not come back.
    said: BTreeMap<Lacking, usize>,
    segments: BTreeSet<u32>,
}

/// Which parts of a recording a backup has, or had.
#[derive(Debug, Clone, Copy, Default)]
struct Had {
    sound: bool,
    words: bool,
}

/// In how many segments it is said that something must not come back: with one of them
/// damaged, the other still says it.
const SAID_IN: usize = 2;

impl Holding {
    /// Takes in a segment that was read; in the order of their numbers.
    pub(super) fn add(&mut self, manifest: Manifest) {
        let number = manifest.segment;
        self.segments.insert(number);
        let tombstones: BTreeSet<_> = manifest.tombstones.into_iter().collect();
        self.is_said_twice = self.tombstones == tombstones;
        self.tombstones = tombstones;
        for lacking in manifest.lacking {
            *self.said.entry(lacking).or_default() += 1;
        }
        for entry in manifest.recordings {
            let had = self.had.entry((entry.id, entry.epoch)).or_default();
            had.sound |= entry.sound == SoundAt::Here;
            had.words |= !entry.versions.is_empty();
            let sound = match entry.sound {
                SoundAt::Here => Some(number),
                SoundAt::Segment(number) => Some(number),
                SoundAt::Gone => None,
            };
            self.newest.insert(entry.id, (entry, sound));
        }
    }

    /// How many recordings it holds.
    pub(super) fn recordings(&self) -> usize {
        let destroyed = |id: &RecordingId, epoch| {
            let (from, to) = (Tombstone { id: *id, epoch }, u32::MAX);
            let all_later = from..=Tombstone { id: *id, epoch: to };
            self.tombstones.range(all_later).next().is_some()
        };
        let alive = |(id, (entry, _)): &(&RecordingId, &(Entry, _))| !destroyed(id, entry.epoch);
        self.newest.iter().filter(alive).count()
    }

    /// Whether its last two segments say the same of what must not come back. What
    /// one of them alone says would come back with that one damaged.
    pub(super) fn buries(&self, tombstones: impl Iterator<Item = Tombstone>) -> bool {
        let is_known = self.is_said_twice || self.tombstones.is_empty();
        is_known && self.tombstones.iter().copied().eq(tombstones)
    }

    /// Of these, what it ever had and does not say often enough to be gone.
    pub(super) fn unsaid(&self, lacking: &[copying::Lacking]) -> Vec<Lacking> {
        let all = lacking.iter().map(|one| Lacking::from(*one));
        all.filter(|one| {
            let had = self.had.get(&(one.id, one.epoch));
            let was_here =
                had.is_some_and(|had| (one.sound && had.sound) || (one.words && had.words));
            was_here && self.said.get(one).is_none_or(|times| *times < SAID_IN)
        })
        .collect()
    }

    /// What of the vault it lacks, and those of which only less of the sound than
    /// there is may have been written. What was merged later than `generation` is
    /// left for another time.
    pub(super) fn lacks(&self, stock: &Stock, generation: u64) -> (Vec<Task>, Vec<Task>) {
        let (mut tasks, mut doubtful) = (Vec::new(), Vec::new());
        for one in stock.held.iter().filter(|one| one.since <= generation) {
            let prior = self.newest.get(&one.id);
            let prior = prior.filter(|(entry, _)| entry.epoch == one.epoch);
            // A segment that is gone took the sound with it.
            let lies = prior.and_then(|(_, lies)| *lies);
            let lies = lies.filter(|number| self.segments.contains(number));
            let lost = prior.map_or(&[][..], |(entry, _)| &entry.lost);
            let (sound, lost) = match (one.segments, lies) {
                (0, _) => (Sound::Gone, Vec::new()),
                (_, Some(number)) if lost.is_empty() => (Sound::At(number), Vec::new()),
                (_, _) => (Sound::Here, lost.to_vec()),
            };
            let task = Task {
                stocked: *one,
                sound,
                lost,
            };
            match prior {
                Some((entry, was)) if is_same(one, entry, *was) => match sound {
                    Sound::Here if lies.is_some() => doubtful.push(task),
                    Sound::Here => tasks.push(task),
                    Sound::At(_) | Sound::Gone => {}
                },
                _ => tasks.push(task),
            }
        }
        (tasks, doubtful)
    }
}

/// Whether nothing of a recording changed since this entry was written.
fn is_same(now: &Stocked, then: &Entry, sound_lay: Option<u32>) -> bool {
    let has_words = |words| words == Words::Kept || then.versions.is_empty();
    then.card == Digits(now.mark)
        && (now.segments > 0) == sound_lay.is_some()
        && has_words(now.words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::backup::manifest::FORMAT;
    use crate::crypto::VaultId;
    use crate::recording::Moment;

    fn id(number: u8) -> RecordingId {
        RecordingId::from_bytes([number; 16])
    }

    fn stocked(number: u8) -> Stocked {
        Stocked {
            id: id(number),
            epoch: 0,
            since: 2,
            revision: 1,
            mark: [number; 16],
            segments: 9,
            words: Words::Kept,
        }
    }

    fn stock(held: Vec<Stocked>) -> Stock {
        Stock {
            vault: VaultId::from_bytes([1; 16]),
            generation: 5,
            latest: 2,
            signer: crate::crypto::SigningSeed::from_bytes(&[1; 32]).public(),
            tombstones: BTreeSet::new(),
            lacking: Vec::new(),
            held,
            damaged: Vec::new(),
        }
    }

    fn manifest(segment: u32, recordings: Vec<Entry>) -> Manifest {
        Manifest {
            format: FORMAT,
            vault: VaultId::from_bytes([1; 16]),
            backup: Digits([2; 16]),
            generation: 5,
            made_at: Moment {
                unix_ms: 0,
                offset_s: 0,
            },
            segment,
            before: None,
            files: Vec::new(),
            recordings,
            dropped: Vec::new(),
            tombstones: vec![Tombstone {
                id: id(9),
                epoch: 0,
            }],
            lacking: Vec::new(),
        }
    }

    fn entry(number: u8, sound: SoundAt) -> Entry {
        Entry {
            id: id(number),
            epoch: 0,
            revision: 1,
            card: Digits([number; 16]),
            versions: vec![1],
            sound,
            lost: Vec::new(),
        }
    }

    fn sounds(holding: &Holding, held: Vec<Stocked>) -> Vec<Sound> {
        let (tasks, doubtful) = holding.lacks(&stock(held), 5);
        assert!(doubtful.is_empty());
        tasks.iter().map(|task| task.sound).collect()
    }

    #[test]
    fn what_did_not_change_is_not_written_again() {
        let mut holding = Holding::default();
        holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
        assert!(sounds(&holding, vec![stocked(1)]).is_empty());
        assert_eq!(
            sounds(&holding, vec![stocked(1), stocked(2)]),
            [Sound::Here]
        );
        assert_eq!(holding.recordings(), 1);
    }

    #[test]
    fn what_must_not_come_back_is_said_by_two_segments() {
        let buried = Tombstone {
            id: id(9),
            epoch: 0,
        };
        let mut holding = Holding::default();
        assert!(holding.buries(std::iter::empty()));
        holding.add(manifest(1, Vec::new()));
        assert!(!holding.buries([buried].into_iter()));
        holding.add(manifest(2, Vec::new()));
        assert!(holding.buries([buried].into_iter()));
        assert!(!holding.buries(std::iter::empty()));
    }

    #[test]
    fn another_card_is_written_without_the_sound_and_another_epoch_with_it() {
        let mut holding = Holding::default();
        holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
        let mut edited = stocked(1);
        edited.mark = [77; 16];
        assert_eq!(sounds(&holding, vec![edited]), [Sound::At(1)]);
        holding.add(manifest(
            2,
            vec![Entry {
                card: Digits([77; 16]),
                ..entry(1, SoundAt::Segment(1))
            }],
        ));
        assert!(sounds(&holding, vec![edited]).is_empty());
        let redacted = Stocked { epoch: 1, ..edited };
        assert_eq!(sounds(&holding, vec![redacted]), [Sound::Here]);
    }

    #[test]
    fn sound_and_words_that_were_shredded_are_written_as_gone() {
        let mut holding = Holding::default();
        holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
        let silent = Stocked {
            segments: 0,
            ..stocked(1)
        };
        assert_eq!(sounds(&holding, vec![silent]), [Sound::Gone]);
        let wordless = Stocked {
            words: Words::Shredded,
            ..stocked(1)
        };
        assert_eq!(sounds(&holding, vec![wordless]), [Sound::At(1)]);
    }

    #[test]
    fn that_a_part_is_gone_is_said_by_two_segments_where_the_backup_had_it() {
        let gone = copying::Lacking {
            id: id(1),
            epoch: 0,
            sound: true,
            words: false,
        };
        let never_here = copying::Lacking { id: id(2), ..gone };
        let other_epoch = copying::Lacking { epoch: 1, ..gone };
        let mut holding = Holding::default();
        holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
        let unsaid = holding.unsaid(&[gone, never_here, other_epoch]);
        assert_eq!(unsaid, [Lacking::from(gone)]);
        for segment in 2..=3 {
            assert_eq!(holding.unsaid(&[gone]).len(), 1);
            holding.add(Manifest {
                lacking: holding.unsaid(&[gone]),
                ..manifest(segment, Vec::new())
            });
        }
        assert!(holding.unsaid(&[gone]).is_empty());
        // Then the words go, too.
        let both = copying::Lacking {
            words: true,
            ..gone
        };
        assert_eq!(holding.unsaid(&[both]), [Lacking::from(both)]);
    }

    #[test]
    fn what_lay_in_a_segment_that_is_gone_is_written_again() {
        let mut holding = Holding::default();
        holding.add(manifest(2, vec![entry(1, SoundAt::Segment(1))]));
        assert_eq!(sounds(&holding, vec![stocked(1)]), [Sound::Here]);
    }

    #[test]
    fn sound_that_was_not_whole_is_looked_at_again() {
        let mut holding = Holding::default();
        let torn = Entry {
            lost: vec![(3, 4)],
            ..entry(1, SoundAt::Here)
        };
        holding.add(manifest(1, vec![torn]));
        let (tasks, doubtful) = holding.lacks(&stock(vec![stocked(1)]), 5);
        assert!(tasks.is_empty());
        assert_eq!(
            (doubtful[0].sound, &*doubtful[0].lost),
            (Sound::Here, &[(3, 4)][..])
        );
        let mut edited = stocked(1);
        edited.mark = [77; 16];
        assert_eq!(sounds(&holding, vec![edited]), [Sound::Here]);
    }

    #[test]
    fn what_came_after_the_backup_was_noted_is_left_for_the_next_one() {
        let holding = Holding::default();
        let later = Stocked {
            since: 6,
            ..stocked(1)
        };
        assert!(sounds(&holding, vec![later]).is_empty());
    }
}

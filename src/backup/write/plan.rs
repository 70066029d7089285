//! What has to be written: what the vault holds, against what the backup holds.
//!
//! Nothing is opened for that. The sound of a recording is never written twice: the
//! card or the text may change, the sound only with the epoch.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::backup::layout::Lengths;
use crate::backup::manifest::{self, Entry, Lacking, Manifest, SoundAt, Tombstone};
use crate::backup::written::Digits;
use crate::recording::RecordingId;
use crate::vault::copying::{self, Head, Kept, Stock, Stocked};

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
    /// It is written, or this stretch of it.
    Here(Stretch),
    /// It lies in the segment of this number.
    At(u32),
    /// It was shredded.
    Gone,
    /// The vault has lost it, and so far no segment has it.
    Lost,
}

/// A stretch of the sound of a recording: all of it, unless that is too long for a
/// segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its number, from 1, and how many there are.
    pub number: u32,
    pub of: u32,
    /// The segments of sound in it.
    pub from: u64,
    pub to: u64,
}

impl Stretch {
    /// All of the sound.
    pub(super) fn whole(stocked: &Stocked) -> Self {
        Self {
            number: 1,
            of: 1,
            from: 0,
            to: stocked.segments,
        }
    }

    /// Whether the words are written with it.
    pub(super) fn is_last(self) -> bool {
        self.number == self.of
    }

    pub(super) fn span(self) -> Range<u64> {
        self.from..self.to
    }
}

/// A stretch that a backup holds.
#[derive(Debug)]
struct Stretched {
    segment: u32,
    span: (u64, u64),
    lost: Vec<(u64, u64)>,
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
    /// Stretches of long recordings, by their numbers.
    stretches: BTreeMap<(RecordingId, u32, u32), Stretched>,
    /// What is said of the sound that lies in a segment, or ends there.
    sounds: BTreeMap<(RecordingId, u32), Laid>,
}

/// Sound as it was written.
#[derive(Debug)]
struct Laid {
    /// Where the stretches lie that stand before the last one.
    stretches: Vec<u32>,
    /// What the vault had lost by then, for which there is silence.
    gone: Vec<(u64, u64)>,
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
        for stretch in manifest.stretches {
            let manifest::Stretch {
                id,
                epoch,
                number: at,
                span,
                lost,
            } = stretch;
            self.had.entry((id, epoch)).or_default().sound = true;
            let stretched = Stretched {
                segment: number,
                span,
                lost,
            };
            self.stretches.insert((id, epoch, at), stretched);
        }
        for entry in manifest.recordings {
            let had = self.had.entry((entry.id, entry.epoch)).or_default();
            had.sound |= entry.sound == SoundAt::Here;
            had.words |= !entry.versions.is_empty();
            let sound = match entry.sound {
                SoundAt::Here => {
                    let laid = Laid {
                        stretches: entry.stretches.clone(),
                        gone: entry.gone.clone(),
                    };
                    self.sounds.insert((entry.id, number), laid);
                    Some(number)
                }
                SoundAt::Segment(number) => Some(number),
                SoundAt::Gone | SoundAt::Lost => None,
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
            let lies = lies.filter(|number| self.has_all(one.id, *number));
            let lost = prior.map_or(&[][..], |(entry, _)| &entry.lost);
            // Where silence was written for what was lost, another card may mean that it
            // was brought back since.
            let is_torn = lies.is_some_and(|number| {
                let laid = self.sounds.get(&(one.id, number));
                laid.is_some_and(|laid| !laid.gone.is_empty())
            });
            let is_other = prior.is_none_or(|(entry, _)| entry.card != Digits(one.mark));
            let (sound, lost) = match (one.segments, lies) {
                _ if one.sound == Kept::Shredded => (Sound::Gone, Vec::new()),
                // What the vault has lost, the backup does not lose with it.
                (0, Some(number)) => (Sound::At(number), lost.to_vec()),
                (0, None) => (Sound::Lost, Vec::new()),
                (_, Some(number)) if lost.is_empty() && !(is_torn && is_other) => {
                    (Sound::At(number), Vec::new())
                }
                (_, _) => (Sound::Here(Stretch::whole(one)), lost.to_vec()),
            };
            let task = Task {
                stocked: *one,
                sound,
                lost,
            };
            match prior {
                Some((entry, _)) if is_same(one, entry) => match sound {
                    Sound::Here(_) if lies.is_some() => doubtful.push(task),
                    Sound::Here(_) => tasks.push(task),
                    Sound::At(_) | Sound::Gone | Sound::Lost => {}
                },
                _ => tasks.push(task),
            }
        }
        (tasks, doubtful)
    }

    /// Whether all segments are there in which the sound lies that ends in this one.
    fn has_all(&self, id: RecordingId, last: u32) -> bool {
        let laid = self.sounds.get(&(id, last)).into_iter();
        let mut all = laid.flat_map(|laid| &laid.stretches).chain([&last]);
        all.all(|number| self.segments.contains(number))
    }

    /// The same tasks, those with long sound as one for each stretch that the backup
    /// lacks. The last one brings the words, too, and is there in any case.
    pub(super) fn in_stretches(&self, tasks: Vec<Task>, lengths: Lengths) -> Vec<Task> {
        let parted = |task: Task| {
            let Sound::Here(whole) = task.sound else {
                return vec![task];
            };
            let Stocked { id, epoch, .. } = task.stocked;
            let spans: Vec<_> = lengths.stretches(whole.to).collect();
            let of = u32::try_from(spans.len()).unwrap_or(u32::MAX);
            let stretches = (1..).zip(spans).map(|(number, span)| Stretch {
                number,
                of,
                from: span.start,
                to: span.end,
            });
            let lacks = |stretch: &Stretch| {
                let held = self.stretches.get(&(id, epoch, stretch.number));
                let is_it = |held: &Stretched| {
                    held.span == (stretch.from, stretch.to) && held.lost.is_empty()
                };
                stretch.is_last() || !held.is_some_and(is_it)
            };
            let task = |stretch| Task {
                sound: Sound::Here(stretch),
                ..task.clone()
            };
            stretches.filter(lacks).map(task).collect()
        };
        tasks.into_iter().flat_map(parted).collect()
    }

    /// What of a recording this backup has that the vault has lost by now, by the card that
    /// it has: that must not be hidden by what is left.
    pub(super) fn outlives(&self, task: &Task, head: &Head) -> Option<&'static str> {
        if matches!(task.sound, Sound::Here(_)) {
            return None;
        }
        let (prior, _) = self.newest.get(&task.stocked.id)?;
        let prior = Some(prior).filter(|prior| prior.epoch == task.stocked.epoch)?;
        let newest = |numbers: &mut dyn Iterator<Item = u32>| numbers.max().unwrap_or(0);
        let now = newest(&mut head.transcripts.iter().map(|(number, _)| *number));
        let then = newest(&mut prior.versions.iter().copied());
        if head.recording.card.is_recovered() && !prior.recovered {
            Some("title, date, tags and note")
        } else if task.stocked.words == Kept::Kept && now < then {
            Some("the newest transcript")
        } else {
            None
        }
    }

    /// Whether sound of these spans, which the vault has lost, lies in an earlier segment.
    pub(super) fn has_sound(&self, task: &Task, gone: &[Range<u64>]) -> bool {
        let Sound::At(number) = task.sound else {
            return false;
        };
        let laid = self.sounds.get(&(task.stocked.id, number));
        let silent = laid.map_or(&[][..], |laid| &laid.gone);
        let is_silent = |span: &Range<u64>| {
            let behind = silent.iter().fold(span.start, |at, silent| match silent {
                (from, to) if *from <= at => at.max(*to),
                _ => at,
            });
            behind >= span.end
        };
        !gone.iter().all(is_silent)
    }

    /// Where the stretches before this last one lie, and what of them is lost; nothing if
    /// one is not there.
    pub(super) fn before(&self, stocked: &Stocked, last: Stretch) -> Option<Before> {
        let mut before = Before::default();
        let mut from = 0;
        for number in 1..last.number {
            let key = (stocked.id, stocked.epoch, number);
            let held = self.stretches.get(&key)?;
            if held.span.0 != from {
                return None;
            }
            from = held.span.1;
            before.segments.push(held.segment);
            before.lost.extend(&held.lost);
        }
        (from == last.from).then_some(before)
    }
}

/// What stands before the last stretch of a long recording.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The segments in which the stretches lie, in order.
    pub segments: Vec<u32>,
    /// What of them is lost.
    pub lost: Vec<(u64, u64)>,
}

/// Whether nothing of a recording changed since this entry was written.
fn is_same(now: &Stocked, then: &Entry) -> bool {
    let has_words = |words| words == Kept::Kept || then.versions.is_empty();
    let has_sound = match then.sound {
        SoundAt::Here | SoundAt::Segment(_) => now.sound == Kept::Kept,
        SoundAt::Lost => now.sound == Kept::Kept && now.segments == 0,
        SoundAt::Gone => now.sound == Kept::Shredded,
    };
    then.card == Digits(now.mark) && has_sound && has_words(now.words)
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
            sound: Kept::Kept,
            segments: 9,
            words: Kept::Kept,
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
            stretches: Vec::new(),
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
            stretches: Vec::new(),
            gone: Vec::new(),
            recovered: false,
            lost: Vec::new(),
        }
    }

    /// All of the sound that a recording has here.
    const WHOLE: Sound = Sound::Here(Stretch {
        number: 1,
        of: 1,
        from: 0,
        to: 9,
    });

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
        assert_eq!(sounds(&holding, vec![stocked(1), stocked(2)]), [WHOLE]);
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
        assert_eq!(sounds(&holding, vec![redacted]), [WHOLE]);
    }

    #[test]
    fn sound_and_words_that_were_shredded_are_written_as_gone() {
        let mut holding = Holding::default();
        holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
        let silent = Stocked {
            sound: Kept::Shredded,
            segments: 0,
            ..stocked(1)
        };
        assert_eq!(sounds(&holding, vec![silent]), [Sound::Gone]);
        let wordless = Stocked {
            words: Kept::Shredded,
            ..stocked(1)
        };
        assert_eq!(sounds(&holding, vec![wordless]), [Sound::At(1)]);
    }

    #[test]
    fn what_the_vault_has_lost_stays_in_the_backup_that_has_it() {
        let mut holding = Holding::default();
        let lost = Stocked {
            segments: 0,
            mark: [77; 16],
            ..stocked(1)
        };
        assert_eq!(sounds(&holding, vec![lost]), [Sound::Lost]);
        holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
        assert_eq!(sounds(&holding, vec![lost]), [Sound::At(1)]);
        // Silence was written for what was lost then; by another card it may be back.
        let torn = Entry {
            gone: vec![(3, 4)],
            ..entry(1, SoundAt::Here)
        };
        holding.add(manifest(2, vec![torn]));
        assert!(sounds(&holding, vec![stocked(1)]).is_empty());
        let mended = Stocked {
            mark: [77; 16],
            ..stocked(1)
        };
        assert_eq!(sounds(&holding, vec![mended]), [WHOLE]);
        // Of which no segment has anything, comes once it is there.
        holding.add(manifest(3, vec![entry(2, SoundAt::Lost)]));
        let still = Stocked {
            segments: 0,
            ..stocked(2)
        };
        assert!(sounds(&holding, vec![still]).is_empty());
        assert_eq!(sounds(&holding, vec![stocked(2)]), [WHOLE]);
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
        assert_eq!(sounds(&holding, vec![stocked(1)]), [WHOLE]);
    }

    #[test]
    fn long_sound_is_written_in_stretches_and_goes_on_where_it_stopped() {
        let lengths = Lengths {
            whole: 4,
            stretch: 4,
        };
        let spans = |holding: &Holding| -> Vec<_> {
            let (tasks, _) = holding.lacks(&stock(vec![stocked(1)]), 5);
            let tasks = holding.in_stretches(tasks, lengths);
            let spans = tasks.iter().filter_map(|task| match task.sound {
                Sound::Here(stretch) => Some((stretch.number, stretch.of, stretch.span())),
                Sound::At(_) | Sound::Gone | Sound::Lost => None,
            });
            spans.collect()
        };
        let stretch = |number, span, lost: &[(u64, u64)]| manifest::Stretch {
            id: id(1),
            epoch: 0,
            number,
            span,
            lost: lost.to_vec(),
        };
        let with = |segment, stretch| Manifest {
            stretches: vec![stretch],
            ..manifest(segment, Vec::new())
        };
        let last = Stretch {
            number: 3,
            of: 3,
            from: 8,
            to: 9,
        };
        let mut holding = Holding::default();
        let all = [(1, 3, 0..4), (2, 3, 4..8), (3, 3, 8..9)];
        assert_eq!(spans(&holding), all);
        holding.add(with(1, stretch(1, (0, 4), &[])));
        assert_eq!(spans(&holding), all[1..]);
        assert!(holding.before(&stocked(1), last).is_none());
        // What could not be read then is tried again; of another length it is no use.
        holding.add(with(2, stretch(2, (4, 8), &[(5, 6)])));
        assert_eq!(spans(&holding), all[1..]);
        assert_eq!(
            holding.before(&stocked(1), last).unwrap().lost,
            [(5, 6)],
            "and counts if it can't be read again"
        );
        holding.add(with(3, stretch(2, (4, 7), &[])));
        assert_eq!(spans(&holding), all[1..]);
        assert!(holding.before(&stocked(1), last).is_none());
        holding.add(with(4, stretch(2, (4, 8), &[])));
        assert_eq!(spans(&holding), all[2..]);
        let before = holding.before(&stocked(1), last).unwrap();
        assert_eq!((&*before.segments, &*before.lost), (&[1, 4][..], &[][..]));
        // And once it is whole, nothing is written.
        let whole = Entry {
            stretches: before.segments,
            ..entry(1, SoundAt::Here)
        };
        holding.add(manifest(5, vec![whole]));
        assert!(spans(&holding).is_empty());
        holding.segments.remove(&4);
        assert_eq!(spans(&holding).last(), Some(&all[2]));
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
            (WHOLE, &[(3, 4)][..])
        );
        let mut edited = stocked(1);
        edited.mark = [77; 16];
        assert_eq!(sounds(&holding, vec![edited]), [WHOLE]);
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

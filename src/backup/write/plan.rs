//! What has to be written: what the vault holds, against what the backup holds.
//!
//! Nothing is opened for that. The sound of a recording is never written twice: the
//! card or the text may change, the sound only with the epoch.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::task::{Sound, Stretch, Task};
use crate::backup::layout::Lengths;
use crate::backup::manifest::{self, Entry, Lacking, Manifest, SoundAt, Tombstone};
use crate::backup::written::Digits;
use crate::recording::RecordingId;
use crate::vault::copying::{self, Head, Kept, Stock, Stocked};

/// A stretch that a backup holds.
#[derive(Debug)]
struct Stretched {
    segment: u32,
    span: (u64, u64),
    lost: Vec<(u64, u64)>,
    /// Whether there is silence in it for what the vault had lost by then.
    is_torn: bool,
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
                gone,
                lost,
            } = stretch;
            self.had.entry((id, epoch)).or_default().sound = true;
            let stretched = Stretched {
                segment: number,
                span,
                lost,
                is_torn: !gone.is_empty(),
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
            // What was carried over is older than all else that there is of it.
            if entry.carried_from.is_none() || !self.newest.contains_key(&entry.id) {
                self.newest.insert(entry.id, (entry, sound));
            }
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
                    held.span == (stretch.from, stretch.to) && held.lost.is_empty() && !held.is_torn
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
pub(super) mod tests;

//! What the segments of a backup hold together: of each recording every entry, the
//! newest first, and all that must not come back.

use std::collections::{BTreeMap, BTreeSet};

use super::places::{Place, places};
use crate::backup::layout::Member;
use crate::backup::manifest::{self, Entry, Manifest, SoundAt, Stretch};
use crate::backup::state::States;
use crate::recording::RecordingId;
use crate::vault::bag;

/// A recording in one segment.
#[derive(Debug, Clone)]
pub(in crate::backup) struct Listed {
    pub(in crate::backup) segment: u32,
    /// The segment that it was first written in: the later, the newer it is.
    first_in: u32,
    pub(in crate::backup) epoch: u32,
    pub(in crate::backup) sound: SoundAt,
    /// The numbers of its transcripts.
    pub(in crate::backup) versions: Vec<u32>,
    /// The highest number that one is known to have had.
    pub(in crate::backup) numbered: u32,
    /// Where the stretches of long sound lie that stand before the one here.
    pub(in crate::backup) stretches: Vec<u32>,
    /// Segments of the sound here that could not be read.
    pub(in crate::backup) lost: Vec<(u64, u64)>,
    /// Those that the vault had noted as lost by then.
    pub(in crate::backup) gone: Vec<(u64, u64)>,
    /// Where its files lie, as far as the manifest says.
    pub(in crate::backup) meta: Option<Place>,
    pub(in crate::backup) audio: Option<Place>,
}

impl Listed {
    /// The number of the stretch of long sound that lies here.
    pub(in crate::backup) fn number(&self) -> u32 {
        manifest::number_behind(&self.stretches)
    }
}

/// The recordings of a backup.
#[derive(Debug, Default)]
pub(in crate::backup) struct Plan {
    recordings: BTreeMap<RecordingId, Vec<Listed>>,
    /// Stretches of long sound, by recording, epoch, number and segment.
    stretches: BTreeMap<(RecordingId, u32, u32, u32), Option<Place>>,
    /// The states of the vault that the segments are of, with all that must not come back.
    pub(in crate::backup) states: States,
    /// Of a recording in an epoch, what must not come back: its sound, its words.
    lacking: BTreeMap<(RecordingId, u32), Parts>,
}

/// Parts of a recording that were destroyed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::backup) struct Parts {
    pub(in crate::backup) sound: bool,
    pub(in crate::backup) words: bool,
}

impl Plan {
    /// Takes a manifest in; those of later segments come later.
    pub(in crate::backup) fn add(&mut self, segment: u32, manifest: &Manifest) {
        self.forbid(manifest);
        let wanted = |member: &Member| {
            matches!(
                member,
                Member::Meta(_) | Member::Audio(_) | Member::Stretch(..)
            )
        };
        let mut lie: BTreeMap<Member, Place> = places(&manifest.files)
            .filter(|(member, _)| wanted(member))
            .collect();
        for stretch in &manifest.stretches {
            let Stretch {
                id, epoch, number, ..
            } = *stretch;
            let place = lie.remove(&Member::stretch(id, number));
            self.stretches.insert((id, epoch, number, segment), place);
        }
        for entry in &manifest.recordings {
            let Entry {
                id, epoch, sound, ..
            } = *entry;
            let first_in = entry.carried_from.unwrap_or(segment);
            let listed = Listed {
                segment,
                first_in,
                epoch,
                sound,
                versions: entry.versions.clone(),
                numbered: entry.highest(),
                lost: entry.lost.clone(),
                gone: entry.gone.clone(),
                meta: lie.remove(&Member::Meta(id)),
                audio: lie.remove(&entry.audio()),
                stretches: entry.stretches.clone(),
            };
            let all = self.recordings.entry(id).or_default();
            // A later segment may hold an earlier epoch, where a vault was put back from
            // a copy.
            let is_newer = |one: &&Listed| (one.epoch, one.first_in) > (epoch, first_in);
            let behind = all.iter().take_while(is_newer).count();
            all.insert(behind, listed);
        }
    }

    /// Takes of a manifest only what it says must not come back.
    pub(in crate::backup) fn forbid(&mut self, manifest: &Manifest) {
        self.states.add(manifest);
        for one in &manifest.lacking {
            let parts = self.lacking.entry((one.id, one.epoch)).or_default();
            parts.sound |= one.sound;
            parts.words |= one.words;
        }
        let entries = manifest.recordings.iter();
        for one in entries.filter(|one| one.sound == SoundAt::Gone) {
            self.lacking.entry((one.id, one.epoch)).or_default().sound = true;
        }
    }

    /// Everything that must not come back.
    pub(in crate::backup) fn tombstones(&self) -> &BTreeSet<bag::Tombstone> {
        &self.states.tombstones
    }

    /// What of this epoch of a recording must not come back, whatever it has of it.
    pub(in crate::backup) fn lacking(&self, id: RecordingId, epoch: u32) -> Parts {
        self.lacking.get(&(id, epoch)).copied().unwrap_or_default()
    }

    /// Every recording with its entries, the newest first.
    pub(in crate::backup) fn recordings(&self) -> impl Iterator<Item = (RecordingId, &[Listed])> {
        let all = self.recordings.iter();
        all.map(|(id, listed)| (*id, listed.as_slice()))
    }

    /// The entries of one recording, the newest first.
    pub(in crate::backup) fn entries(&self, id: RecordingId) -> &[Listed] {
        self.recordings.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The newest entry of every recording.
    pub(in crate::backup) fn newest(&self) -> impl Iterator<Item = (RecordingId, &Listed)> {
        self.recordings()
            .filter_map(|(id, listed)| Some((id, listed.first()?)))
    }

    /// The entry with the sound of a recording that lies in a segment, or ends there.
    pub(in crate::backup) fn sound(&self, id: RecordingId, segment: u32) -> Option<&Listed> {
        let mut entries = self.recordings.get(&id)?.iter();
        entries.find(|one| one.segment == segment && one.sound == SoundAt::Here)
    }

    /// Whether a segment says that it has this stretch of long sound.
    pub(in crate::backup) fn has_stretch(
        &self,
        id: RecordingId,
        epoch: u32,
        number: u32,
        segment: u32,
    ) -> bool {
        self.stretches.contains_key(&(id, epoch, number, segment))
    }

    /// Where that stretch lies.
    pub(in crate::backup) fn stretch(
        &self,
        id: RecordingId,
        epoch: u32,
        number: u32,
        segment: u32,
    ) -> Option<Place> {
        let key = (id, epoch, number, segment);
        self.stretches.get(&key).copied().flatten()
    }

    /// Whether this epoch of a recording must not come back.
    pub(in crate::backup) fn is_destroyed(&self, id: RecordingId, epoch: u32) -> bool {
        let later = bag::Tombstone { id, epoch }..=bag::Tombstone {
            id,
            epoch: u32::MAX,
        };
        self.tombstones().range(later).next().is_some()
    }

    /// How many recordings there are that may come back.
    pub(in crate::backup) fn alive(&self) -> usize {
        let alive = |(id, one): &(RecordingId, &Listed)| !self.is_destroyed(*id, one.epoch);
        self.newest().filter(alive).count()
    }
}

//! What a backup holds, what of it was destroyed since, and what is to stay.

use std::collections::{BTreeMap, BTreeSet};

use crate::backup::error::{Error, Result};
use crate::backup::layout::{Member, segment_name};
use crate::backup::manifest::{Entry, Lacking, Manifest, SoundAt, Stretch};
use crate::backup::read::places::{self, Place};
use crate::backup::read::{Keys, Source, Trust};
use crate::backup::state::States;
use crate::backup::write::Watch;
use crate::backup::written::{BackupId, Hash};
use crate::recording::RecordingId;
use crate::vault::OpenVault;
use crate::vault::bag;
use crate::vault::copying::{Kept, Stock, Stocked};

/// What the manifests say.
pub(super) struct Held {
    pub(super) backup: BackupId,
    pub(super) manifests: BTreeMap<u32, Manifest>,
    /// The states of the vault that they are of.
    pub(super) states: States,
    /// Segments of which nobody knows what they hold.
    pub(super) unread: usize,
    pub(super) dropped: BTreeMap<u32, Hash>,
    /// Which parts must not come back, as any of them says.
    pub(super) lacking: BTreeSet<Lacking>,
}

/// Reads all manifests. A segment whose manifest can't be read stays where it is, for
/// nobody knows what it holds.
pub(super) fn read(
    vault: &OpenVault,
    source: &Source,
    keys: &Keys<'_>,
    watch: &dyn Watch,
) -> Result<Held> {
    let own = vault.backup_keys()?;
    let trust = Trust::Vault {
        vault: own.vault,
        signer: own.signer,
    };
    let mut manifests = BTreeMap::new();
    let (mut dropped, mut lacking) = (BTreeMap::new(), BTreeSet::new());
    let (mut unread, mut locked) = (0, Vec::new());
    let mut states = States::default();
    for file in source.segments() {
        let signed = match places::manifest(file, keys) {
            Ok(signed) => signed,
            Err(error @ Error::Newer { .. }) => return Err(error),
            Err(Error::Locked { which }) => {
                locked.push(which);
                unread += 1;
                continue;
            }
            Err(error) => {
                watch.damaged(error);
                unread += 1;
                continue;
            }
        };
        trust.accepts(&signed).map_err(|why| Error::Refused {
            which: file.which.clone(),
            why,
        })?;
        let manifest = signed.manifest;
        if file.number != Some(manifest.segment) {
            let why = format!("it says that it is {}", segment_name(manifest.segment));
            return Err(Error::damaged(&file.which, why));
        }
        dropped.extend(manifest.dropped.iter().map(|one| (one.segment, one.sha256)));
        states.add(&manifest);
        lacking.extend(manifest.lacking.iter().copied());
        manifests.insert(manifest.segment, manifest);
    }
    if locked.len() == source.segments().len()
        && let Some(which) = locked.first().cloned()
    {
        // Wrong keys are no damage.
        return Err(Error::Locked { which });
    }
    for which in locked {
        watch.damaged(Error::damaged(which, "no key of this vault opens it"));
    }
    let newest = manifests.last_key_value();
    let (_, newest) =
        newest.ok_or_else(|| Error::damaged("the backup", "none of it can be read"))?;
    Ok(Held {
        backup: newest.backup,
        states,
        unread,
        manifests,
        dropped,
        lacking,
    })
}

/// An entry, and the number of the segment that it is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Laid<'a> {
    pub(super) number: u32,
    pub(super) entry: &'a Entry,
}

impl Laid<'_> {
    /// The segment that it was first written in: the later, the newer it is.
    pub(super) fn age(&self) -> u32 {
        self.entry.carried_from.unwrap_or(self.number)
    }
}

/// An entry that is copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Survivor<'a> {
    pub(super) laid: Laid<'a>,
    /// How many older ones of its recording are copied: a segment takes one of each.
    pub(super) round: usize,
    /// Whether it is the newest of its recording.
    pub(super) is_newest: bool,
}

/// What a backup holds, beside what the vault says of it.
pub(super) struct View<'a> {
    pub(super) stock: &'a Stock,
    pub(super) held: &'a Held,
}

impl View<'_> {
    pub(super) fn stocked(&self, id: RecordingId, epoch: u32) -> Option<&Stocked> {
        let at = self
            .stock
            .held
            .binary_search_by_key(&id, |one| one.id)
            .ok()?;
        self.stock.held.get(at).filter(|one| one.epoch == epoch)
    }

    pub(super) fn is_destroyed(&self, id: RecordingId, epoch: u32) -> bool {
        let later = bag::Tombstone { id, epoch }..=bag::Tombstone {
            id,
            epoch: u32::MAX,
        };
        self.stock.tombstones.range(later).next().is_some()
    }

    /// Whether the sound of this epoch was destroyed, and the rest was not.
    pub(super) fn is_silent(&self, id: RecordingId, epoch: u32) -> bool {
        self.stocked(id, epoch)
            .is_some_and(|one| one.sound == Kept::Shredded)
    }

    pub(super) fn is_wordless(&self, id: RecordingId, epoch: u32) -> bool {
        let stocked = self.stocked(id, epoch);
        stocked.is_some_and(|one| one.words == Kept::Shredded)
    }

    /// Segments that hold something that was destroyed.
    pub(super) fn doomed(&self) -> BTreeSet<u32> {
        let manifests = self.held.manifests.iter();
        manifests
            .filter(|(number, _)| !self.held.dropped.contains_key(number))
            .filter(|(_, manifest)| self.outlived(manifest).next().is_some())
            .map(|(number, _)| *number)
            .collect()
    }

    /// The recordings of which something in this segment was destroyed.
    fn outlived<'m>(&'m self, manifest: &'m Manifest) -> impl Iterator<Item = RecordingId> + 'm {
        let entries = manifest.recordings.iter();
        let entries = entries.filter(|one| self.outlives(one)).map(|one| one.id);
        let is_gone = |one: &&Stretch| {
            self.is_destroyed(one.id, one.epoch) || self.is_silent(one.id, one.epoch)
        };
        let stretches = manifest.stretches.iter();
        entries.chain(stretches.filter(is_gone).map(|one| one.id))
    }

    /// Whether this entry holds something that was destroyed.
    fn outlives(&self, entry: &Entry) -> bool {
        let Entry { id, epoch, .. } = *entry;
        self.is_destroyed(id, epoch)
            || (entry.sound == SoundAt::Here && self.is_silent(id, epoch))
            || (!entry.versions.is_empty() && self.is_wordless(id, epoch))
    }

    /// How many recordings were destroyed, whole or in part, of which these segments hold
    /// what was.
    pub(super) fn destroyed_in(&self, segments: &BTreeSet<u32>) -> usize {
        let manifests = segments
            .iter()
            .filter_map(|number| self.held.manifests.get(number));
        let ids = manifests.flat_map(|manifest| self.outlived(manifest));
        ids.collect::<BTreeSet<RecordingId>>().len()
    }

    /// What is to stay of the recordings of which something lies in these segments: the
    /// newest entry of each, and behind those that only they have something of.
    pub(super) fn survivors(&self, doomed: &BTreeSet<u32>) -> Vec<Survivor<'_>> {
        let mut entries: BTreeMap<RecordingId, Vec<Laid<'_>>> = BTreeMap::new();
        for (number, manifest) in &self.held.manifests {
            for entry in &manifest.recordings {
                let number = *number;
                entries
                    .entry(entry.id)
                    .or_default()
                    .push(Laid { number, entry });
            }
        }
        let is_touched = |all: &&mut Vec<Laid<'_>>| {
            let mut all = all.iter();
            all.any(|one| doomed.contains(&one.number))
        };
        let mut survivors = Vec::new();
        for all in entries.values_mut().filter(is_touched) {
            // Of what was carried over twice the later copy stays.
            all.sort_by_key(|one| (one.age(), one.number));
            survivors.extend(self.staying(all, doomed));
        }
        survivors.sort_by_key(|one| (one.round, one.laid.number, one.laid.entry.id));
        survivors
    }

    /// The entry with the sound of a recording that lies in a segment, or ends there.
    pub(super) fn sound_in(&self, segment: u32, id: RecordingId) -> Option<&Entry> {
        let mut entries = self.held.manifests.get(&segment)?.recordings.iter();
        entries.find(|one| one.id == id && one.sound == SoundAt::Here)
    }

    /// Where the sound of an entry lies, or ends.
    pub(super) fn sound_of(&self, number: u32, entry: &Entry) -> Option<u32> {
        match entry.sound {
            SoundAt::Here => Some(number),
            SoundAt::Segment(earlier) => Some(earlier),
            SoundAt::Gone | SoundAt::Lost => None,
        }
        .filter(|_| !self.is_silent(entry.id, entry.epoch))
    }

    pub(super) fn place(&self, number: u32, member: Member) -> Option<Place> {
        let manifest = self.held.manifests.get(&number)?;
        places::find(&manifest.files, member)
    }
}

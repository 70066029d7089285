//! What lies in a folder already: reads the manifests of its segments, and decides
//! whether it is the place for a backup of this vault.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use age::Identity;

use super::folder::{Folder, Others};
use super::plan::Holding;
use crate::backup::error::{Error, Result};
use crate::backup::layout::{gaps, segment_name};
use crate::backup::manifest::{Manifest, Signed};
use crate::backup::state::States;
use crate::backup::written::BackupId;
use crate::backup::{plain, segment};
use crate::crypto::{BackupIdentity, SignerKey, VaultId};
use crate::vault::SlotFile;
use crate::vault::bag::KnownBackup;

/// More would wait for each other at the disk.
const MOST_THREADS: usize = 8;

/// Whose backup is looked for.
pub(super) struct Owner<'a> {
    pub vault: VaultId,
    pub signer: SignerKey,
    pub identities: &'a [BackupIdentity],
    /// The backups that the vault knows.
    pub known: &'a [KnownBackup],
    /// The ways into the vault.
    pub slots: &'a [SlotFile],
    /// Whether this vault is in the last of these states, or came of it.
    pub is_in: &'a dyn Fn(&States) -> Result<bool>,
}

/// What was found.
pub(super) struct Earlier {
    pub holding: Holding,
    /// The name of the backup, where it has one.
    pub id: Option<BackupId>,
    /// The highest number of a segment, 0 where there is none.
    pub last: u32,
    /// Segments that can't be relied on.
    pub damage: Vec<Error>,
}

impl Earlier {
    /// Reads what lies there.
    ///
    /// # Errors
    /// [`Error::Unusable`] if it is something else than a backup of this vault,
    /// [`Error::Newer`].
    pub(super) fn read(folder: &Folder, owner: &Owner<'_>) -> Result<Self> {
        let unusable = |why, hint| Error::Unusable {
            dir: folder.dir().to_owned(),
            why,
            hint,
        };
        const CHOOSE: &str = "give another folder, one that is empty or is not there yet";
        let mut earlier = Self {
            holding: Holding::default(),
            id: None,
            last: folder.segments.last().copied().unwrap_or(0),
            damage: Vec::new(),
        };
        let (mut ours, mut closed) = (Vec::new(), 0);
        for (number, read) in manifests(folder, owner.identities)? {
            match read.and_then(|signed| theirs(number, signed, owner)) {
                Ok(Some(manifest)) => ours.push(manifest),
                Ok(None) => return Err(unusable("it holds the backup of another vault", CHOOSE)),
                Err(error @ Error::Newer { .. }) => return Err(error),
                Err(Error::Locked { which }) => {
                    closed += 1;
                    let why = "no key of this vault opens it";
                    earlier.damage.push(Error::damaged(which, why));
                }
                Err(error) => earlier.damage.push(error),
            }
        }
        let path = folder.dir().display().to_string();
        let is_known = owner.known.iter().any(|known| known.path == path);
        if ours.is_empty() && closed > 0 {
            let why = "it holds a backup that the keys of this vault do not open";
            return Err(unusable(why, CHOOSE));
        }
        if ours.is_empty() && !is_known {
            if !folder.segments.is_empty() {
                let why = "what lies there can't be read, and this vault knows of no backup there";
                return Err(unusable(why, CHOOSE));
            }
            // A run that was killed before its first segment was whole left copies
            // of the ways in.
            let is_ours = owner
                .slots
                .iter()
                .any(|slot| folder.read_slot(&slot.name).as_ref() == Some(&slot.sealed));
            if folder.others == Others::Some || !(folder.is_bare() || is_ours) {
                return Err(unusable("it is not empty, and holds no backup", CHOOSE));
            }
        }
        let mut states = States::default();
        ours.iter().for_each(|manifest| states.add(manifest));
        if !(owner.is_in)(&states)? {
            return Err(Error::of_later_state(folder.dir()));
        }
        let mut dropped = BTreeSet::new();
        for manifest in ours {
            earlier.id = Some(manifest.backup);
            dropped.extend(manifest.dropped.iter().map(|one| one.segment));
            earlier.holding.add(manifest);
        }
        earlier.tell_of_gaps(folder, owner, &dropped);
        Ok(earlier)
    }

    /// Segments of it that are not there, and did not go by right.
    fn tell_of_gaps(&mut self, folder: &Folder, owner: &Owner<'_>, dropped: &BTreeSet<u32>) {
        let there: BTreeSet<u32> = folder.segments.iter().copied().collect();
        let known = self.id.and_then(|id| {
            let mut known = owner.known.iter();
            known.find(|known| known.id == id.0)
        });
        if folder.segments.is_empty() && !folder.slots.is_empty() {
            self.damage.extend(all_gone(folder, owner));
        }
        let end = known.and_then(|known| known.end);
        let end = end.map_or(self.last, |end| end.segments.max(self.last));
        let by_right = |number: &u32| there.contains(number) || dropped.contains(number);
        for gone in gaps(end, by_right) {
            let which = segment_name(gone);
            self.damage.push(match gone > self.last {
                true => Error::Behind { which },
                false => Error::damaged(which, "it is missing, and there are later ones"),
            });
        }
    }
}

/// Where copies of the ways in lie and no segment does, and every backup that the vault
/// knows here had some. Without the copies it may be another disk; and a first run that
/// was cut short is known and had none.
fn all_gone(folder: &Folder, owner: &Owner<'_>) -> Option<Error> {
    let path = folder.dir().display().to_string();
    let here = owner.known.iter().filter(|known| known.path == path);
    let ends: Option<Vec<_>> = here.map(|known| known.end).collect();
    let last = ends?.into_iter().map(|end| end.segments).max()?;
    let why = format!(
        "no segment is there, and the vault remembers some up to {}",
        segment_name(last)
    );
    Some(Error::damaged(path, why))
}

/// The manifest, if it is one of this vault; nothing if it is another's.
fn theirs(number: u32, signed: Signed, owner: &Owner<'_>) -> Result<Option<Manifest>> {
    let Signed { manifest, signer } = signed;
    let strange = |why| Err(Error::damaged(segment_name(number), why));
    if manifest.vault != owner.vault {
        return Ok(None);
    }
    if signer != owner.signer {
        return strange("it is not signed by this vault");
    }
    if manifest.segment != number {
        return strange("it is a segment of another number");
    }
    Ok(Some(manifest))
}

/// The manifest of every segment, in order, or why it can't be read.
fn manifests(folder: &Folder, identities: &[BackupIdentity]) -> Result<Vec<(u32, Result<Signed>)>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = folder
        .segments
        .len()
        .div_ceil(threads.min(MOST_THREADS))
        .max(1);
    thread::scope(|scope| {
        let running: Vec<_> = folder
            .segments
            .chunks(share)
            .map(|numbers| {
                let files: Vec<(u32, PathBuf)> = numbers
                    .iter()
                    .map(|number| (*number, folder.segment(*number)))
                    .collect();
                thread::Builder::new()
                    .name("manifests".into())
                    .spawn_scoped(scope, move || {
                        let keys: Vec<Box<dyn Identity>> =
                            identities.iter().map(BackupIdentity::to_age).collect();
                        let read =
                            |(number, path): (u32, PathBuf)| (number, one(&path, number, &keys));
                        files.into_iter().map(read).collect::<Vec<_>>()
                    })
                    .map_err(Error::io("start a thread for", folder.dir()))
            })
            .collect::<Result<_>>()?;
        let mut all = Vec::new();
        for thread in running {
            all.extend(thread.join().map_err(|_| {
                Error::damaged(folder.dir().display(), "a manifest made a library panic")
            })?);
        }
        Ok(all)
    })
}

fn one(path: &std::path::Path, number: u32, keys: &[Box<dyn Identity>]) -> Result<Signed> {
    let which = segment_name(number);
    let file = plain::open(&which, path)?;
    let keys = keys.iter().map(|key| &**key);
    segment::manifest(&which, file, keys)
}

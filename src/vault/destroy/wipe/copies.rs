//! What lies in the vault's directory under names that are not the vault's: copies of the
//! keys, which go with them, and what is left.
//!
//! Copies are known by what is in them and without a key: root slots by the vault's id, a
//! bag by the hash that a slot has of it, a way in because it is the same as one in `keys`.
//! All of that is told by files that are about to be destroyed, so what tells it is learned
//! first, and copies of a root go before the root.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::EMPTY;
use super::parts::{Part, Target, Whose, is_link, is_ours};
use crate::crypto::{SlotSecrets, VaultId};
use crate::vault::destroy::receipt::{NotErased, Receipt};
use crate::vault::destroy::strangers::look::{self, Looked, is_named_like_a_bag, look};
use crate::vault::ground::disk::{self, Access, Disk};
use crate::vault::inbox;
use crate::vault::keys::keyslots;
use crate::vault::keys::recover::Survey;
use crate::vault::sealed::scan;

/// Up to this length files are looked into before anything is destroyed, so that what kills
/// is not kept waiting.
pub(super) const SOON_BYTES: u64 = 1 << 20;
/// And up to this one afterwards.
pub(super) const MOST_BYTES: u64 = look::MOST_BYTES;

/// What tells a copy of the keys from any other file.
#[derive(Default)]
pub(super) struct Known {
    /// Those that the root slots name: one, unless somebody put another's root there.
    vaults: Vec<VaultId>,
    bags: BTreeSet<[u8; 32]>,
    ways: BTreeSet<[u8; 32]>,
}

impl Known {
    /// Adds what root and ways in tell, as they are now.
    pub(super) fn learn(&mut self, disk: &dyn Disk, dir: &Path) {
        if let Ok(survey) = Survey::read(disk, dir) {
            for (_, slot) in survey.whole() {
                let facts = slot.facts();
                self.bags.insert(facts.bag_hash);
                if !self.vaults.contains(&facts.vault) {
                    self.vaults.push(facts.vault);
                }
            }
        }
        let keys = dir.join(keyslots::DIR);
        let names = disk.list(&keys).unwrap_or_default().into_iter();
        let ours = names.filter(|name| is_ours(Part::KeySlot, name));
        let sealed = ours.filter_map(|name| {
            disk::read_at_most(disk, &keys.join(name), keyslots::MOST_BYTES).ok()
        });
        let slots = sealed.filter(|sealed| SlotSecrets::look(sealed).is_ok());
        self.ways
            .extend(slots.map(|sealed| keyslots::hash(&sealed)));
    }

    /// The vault, where its root tells it.
    pub(super) fn vault(&self) -> Option<VaultId> {
        self.vaults.first().copied()
    }

    /// What it is a copy of.
    fn part(&self, path: &Path, looked: &Looked) -> Option<Part> {
        match looked {
            Looked::Slots { .. } => Some(Part::Root),
            Looked::Age { slot, .. } if self.ways.contains(slot) => Some(Part::KeySlot),
            Looked::Age { hash, .. } if self.bags.contains(hash) || is_named_like_a_bag(path) => {
                Some(Part::Bag)
            }
            _ => None,
        }
    }
}

/// A file that is not the vault's by its name, and what it turned out to be.
pub(super) struct Stranger {
    path: PathBuf,
    looked: io::Result<Looked>,
    copy: Option<Part>,
}

impl Stranger {
    /// It as something to be destroyed, if it is a copy of the keys.
    pub(super) fn target(&self) -> Option<Target> {
        let whose = match &self.looked {
            Ok(Looked::Slots {
                at, is_all: false, ..
            }) => Whose::Within(at.clone()),
            _ => Whose::Copy,
        };
        Some(Target {
            part: self.copy?,
            whose,
            path: self.path.clone(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether root slots are in it that may be this vault's.
    pub(super) fn may_be_root(&self, known: &Known) -> bool {
        known.vaults.is_empty() && matches!(self.looked, Ok(Looked::OtherSlots))
    }

    /// The line of the receipt for one that was left alone; `None` where it has gone by itself,
    /// and where nothing is to be said of one `within` which root slots were overwritten.
    pub(super) fn line(
        &self,
        disk: &dyn Disk,
        known: &Known,
        within: &BTreeSet<PathBuf>,
    ) -> Option<NotErased> {
        const NOT_OURS: &str = "a file that is not the vault's";
        let (what, why) = match &self.looked {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.has_its_name() => {
                return None;
            }
            Err(error) => (
                "something that was not looked into, and may be the vault's",
                format!("it can't be read: {error}"),
            ),
            Ok(Looked::NotLookedInto | Looked::OtherName) => (
                "something that was not looked into, and may be the vault's",
                "it is no file, or too long; it was left alone, whatever it holds".into(),
            ),
            Ok(Looked::OtherSlots) if self.may_be_root(known) => (
                Receipt::UNTOLD_ROOT,
                "whether of this one could not be told, since its own root can't be read; with \
                 a bag and a way in they open it"
                    .into(),
            ),
            Ok(Looked::OtherSlots) => (
                NOT_OURS,
                "it holds root slots of another vault; it was left alone".into(),
            ),
            Ok(Looked::Age {
                is_like_slot: true, ..
            }) => (
                "an age file that may be a copy of a way in",
                "whose it is can't be told without its key, so it was left alone; it opens \
                 backups and copies of the vault, if it is one, and by itself no recording"
                    .into(),
            ),
            Ok(Looked::Age { .. }) => (
                "an age file that is not known",
                "it was left alone; if it is a copy of an older bag, only an old copy of the \
                 root opens it"
                    .into(),
            ),
            Ok(Looked::Slots { .. } | Looked::Nothing) if self.holds_records(disk) => (
                "sealed records under a name that is not the vault's",
                "it was left alone, a copy of a store or of a recording: without the keys \
                 nothing in it opens"
                    .into(),
            ),
            Ok(Looked::Slots { .. } | Looked::Nothing) if within.contains(&self.path) => {
                return None;
            }
            Ok(Looked::Slots { .. } | Looked::Nothing) => (
                NOT_OURS,
                "no keys and no sealed record were found in it; it was left alone".into(),
            ),
        };
        Some(NotErased {
            what: what.into(),
            where_: self.path.display().to_string(),
            why,
        })
    }

    /// A name that is no text is not the one that was looked for.
    fn has_its_name(&self) -> bool {
        !self.path.to_string_lossy().contains('\u{FFFD}')
    }

    fn holds_records(&self, disk: &dyn Disk) -> bool {
        let bytes = disk::read_at_most(disk, &self.path, MOST_BYTES);
        bytes.is_ok_and(|bytes| scan::next_magic(&bytes, 0).is_some())
    }
}

/// Looks into everything of up to so many bytes that has not a name of the vault's.
pub(super) fn strangers(
    disk: &dyn Disk,
    dir: &Path,
    known: &mut Known,
    most_bytes: u64,
) -> Vec<Stranger> {
    let mut found: Vec<Stranger> = paths(disk, dir)
        .map(|path| Stranger {
            looked: look(disk, &path, &known.vaults, most_bytes),
            path,
            copy: None,
        })
        .collect();
    for one in &found {
        // A copy of a bag may have any name; the copies of its slots tell its hash.
        if let Ok(Looked::Slots { bags, .. }) = &one.looked {
            known.bags.extend(bags);
        }
    }
    for one in &mut found {
        let looked = one.looked.as_ref().ok();
        one.copy = looked.and_then(|looked| known.part(&one.path, looked));
    }
    found
}

/// What lies there under names that are not the vault's.
fn paths(disk: &dyn Disk, dir: &Path) -> impl Iterator<Item = PathBuf> {
    let is_own = |name: &str| {
        [keyslots::DIR, inbox::DIR].contains(&name)
            || (EMPTY.contains(&name) && is_empty_file(disk, &dir.join(name)))
    };
    let names = |folder: &Path| disk.list(folder).unwrap_or_default().into_iter();
    let top = names(dir).filter(|name| Part::of(name).is_none() && !is_own(name));
    let mut paths: Vec<PathBuf> = top.map(|name| dir.join(name)).collect();
    for (folder, part) in [(keyslots::DIR, Part::KeySlot), (inbox::DIR, Part::Inbox)] {
        let folder = dir.join(folder);
        if is_link(&folder) {
            continue;
        }
        let others = names(&folder).filter(|name| !is_ours(part, name));
        paths.extend(others.map(|name| folder.join(name)));
    }
    paths.into_iter()
}

/// Whether it is a regular file that holds nothing, as `init` and the locks are.
pub(super) fn is_empty_file(disk: &dyn Disk, path: &Path) -> bool {
    let opened = disk.open(path, Access::Read);
    opened.and_then(|file| file.is_empty()).unwrap_or(false)
}

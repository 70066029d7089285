//! Reads the root without a key, chooses the generation in force, and mends
//! what needs no key.
//!
//! A slot's hash is no proof of who made it, so nothing that a whole slot
//! vouches for is ever overwritten here: neither another whole slot, nor a bag
//! that one names. What is older is overwritten only after unlocking, in
//! `keyring`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::root::{self, Copy, NoSlot, Position, RootFacts, RootSlot};
use crate::crypto::InboxPublic;
use crate::crypto::root_seal::root_hash;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Disk};
use crate::vault::ground::lock::{Gate, Lock};
use crate::vault::notice::Notice;

/// A bag file's hash; `None` where it is missing or can't be read.
type BagHash = Option<[u8; 32]>;

/// What stands in the root, and which bags are there for it.
pub struct Survey {
    slots: [(Position, Result<RootSlot, NoSlot>); 4],
    /// Of each generation that a slot names, the hash of both bag files.
    bags: BTreeMap<u64, [(Copy, BagHash); 2]>,
    /// The first file that the system refused to open, and its number for why.
    refused: Option<(PathBuf, i32)>,
}

/// Whether there is a vault in the directory, whole or damaged.
pub fn exists(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
    Ok(disk.exists(&Copy::A.root_file(dir))? || disk.exists(&Copy::B.root_file(dir))?)
}

impl Survey {
    /// Reads root and bags.
    ///
    /// # Errors
    /// [`Error::NoVault`] if there is no root file.
    pub fn read(disk: &dyn Disk, dir: &Path) -> Result<Self> {
        if !exists(disk, dir).map_err(Error::io("read", dir))? {
            return Err(Error::NoVault {
                dir: dir.to_owned(),
            });
        }
        let mut refused = None;
        let mut refusals = |path: PathBuf, error: &io::Error| {
            if let Some(number) = error.raw_os_error().filter(|_| disk::is_refused(error)) {
                refused.get_or_insert((path, number));
            }
        };
        // A file that is missing, too short or can't be read is damage, not an error: the
        // other copy is there for that.
        let slots = Position::ALL.map(|position| {
            let bytes = position.read_bytes(disk, dir).inspect_err(|error| {
                refusals(position.copy.root_file(dir), error);
            });
            let slot = bytes.map_or(Err(NoSlot::Damaged), RootSlot::decode);
            (position, slot)
        });
        let mut hash = |generation| {
            Copy::BOTH.map(|copy| {
                let path = copy.bag_file(dir, generation);
                let bytes = disk::read(disk, &path).inspect_err(|error| refusals(path, error));
                (copy, bytes.ok().map(|bytes| root_hash(&bytes)))
            })
        };
        let generations = slots
            .iter()
            .filter_map(|(_, slot)| Some(slot.as_ref().ok()?.facts().generation));
        let bags = generations
            .map(|generation| (generation, hash(generation)))
            .collect();
        Ok(Self {
            slots,
            bags,
            refused,
        })
    }

    /// The four places and what stands there.
    pub fn slots(&self) -> impl Iterator<Item = (Position, Result<&RootSlot, NoSlot>)> {
        self.slots
            .iter()
            .map(|(position, slot)| (*position, slot.as_ref().map_err(|why| *why)))
    }

    /// The whole slots.
    pub fn whole(&self) -> impl Iterator<Item = (Position, &RootSlot)> {
        self.slots()
            .filter_map(|(position, slot)| Some((position, slot.ok()?)))
    }

    /// The bag files that a slot means.
    pub fn bags_of(&self, facts: &RootFacts) -> impl Iterator<Item = Copy> {
        let bags = self.bags.get(&facts.generation).into_iter().flatten();
        let wanted = Some(facts.bag_hash);
        bags.filter(move |(_, hash)| *hash == wanted)
            .map(|(copy, _)| *copy)
    }

    /// What the highest slot says that is whole and has its bag. Nothing but a
    /// guess until the master key was asked.
    ///
    /// # Errors
    /// [`Error::Newer`] if a newer version wrote the root, [`Error::Io`] if this user may
    /// not read it, [`Error::Damaged`] if nothing whole is left of it.
    pub fn newest(&self, dir: &Path) -> Result<&RootFacts> {
        if let Some(newer) = self.newer_in_both_copies(dir) {
            return Err(newer);
        }
        let with_bag = |facts: &&RootFacts| self.bags_of(facts).next().is_some();
        let whole = self.whole().map(|(_, slot)| slot.facts()).filter(with_bag);
        // The first of equals: root.a is written first.
        let higher = |best: &'_ RootFacts, next: &'_ RootFacts| next.generation > best.generation;
        if let Some(facts) = whole.reduce(|best, next| if higher(best, next) { next } else { best })
        {
            return Ok(facts);
        }
        for (position, slot) in self.slots() {
            if let Err(NoSlot::Newer(version)) = slot {
                return Err(Error::Newer {
                    path: position.copy.root_file(dir),
                    version,
                });
            }
        }
        if let Some((path, number)) = &self.refused {
            let error = io::Error::from_raw_os_error(*number);
            return Err(Error::io("read", path)(error));
        }
        Err(Error::damaged(
            dir.join("root.a").display(),
            "neither root.a nor root.b names a set of keys that is there",
        ))
    }

    /// Whether some slot claims to be of a newer version. One alone may be a
    /// damaged byte.
    pub fn has_newer(&self) -> bool {
        self.slots()
            .any(|(_, slot)| matches!(slot, Err(NoSlot::Newer(_))))
    }

    /// A newer version writes both copies; damage that makes the same of both
    /// is not to be expected.
    fn newer_in_both_copies(&self, dir: &Path) -> Option<Error> {
        let versions = |wanted: Copy| {
            self.slots().filter_map(move |(position, slot)| match slot {
                Err(NoSlot::Newer(version)) if position.copy == wanted => Some(version),
                _ => None,
            })
        };
        let version = versions(Copy::A).find(|version| versions(Copy::B).any(|b| b == *version))?;
        Some(Error::Newer {
            path: Copy::A.root_file(dir),
            version,
        })
    }

    /// Copies the newest generation over copies of it that are missing or
    /// damaged. Needs no key, and so overwrites only what is nothing.
    pub fn mend(&self, disk: &dyn Disk, dir: &Path, _lock: &Lock) -> Result<Vec<Notice>> {
        let facts = self.newest(dir)?;
        let rivals = self
            .whole()
            .any(|(_, slot)| slot.facts().generation >= facts.generation && slot.facts() != facts);
        if rivals {
            // Two whole slots contradict each other, or a higher one lost its
            // bag: only the key can tell, and nothing is mended from a lower one.
            return Ok(Vec::new());
        }
        let mut notices = self.mend_bags(disk, dir, facts);
        notices.extend(self.mend_slots(disk, dir, facts, &|_| true));
        Ok(notices)
    }

    /// Makes both bag files of these facts alike, if one of them is right.
    pub fn mend_bags(&self, disk: &dyn Disk, dir: &Path, facts: &RootFacts) -> Vec<Notice> {
        let Some(good) = self.bags_of(facts).next() else {
            return Vec::new();
        };
        let vouched = |hash: &[u8; 32]| {
            self.whole().any(|(_, slot)| {
                slot.facts().generation == facts.generation && slot.facts().bag_hash == *hash
            })
        };
        let mut notices = Vec::new();
        for (copy, hash) in self.bags.get(&facts.generation).into_iter().flatten() {
            if hash.as_ref().is_some_and(vouched) {
                continue;
            }
            let path = copy.bag_file(dir, facts.generation);
            let mended = disk::read(disk, &good.bag_file(dir, facts.generation))
                .and_then(|bytes| disk::write(disk, &path, &bytes))
                .and_then(|()| disk.sync_dir(dir));
            notices.push(Notice::of_mending(mended, path));
        }
        notices
    }

    /// Makes the slots of these facts alike where one of them is no slot, or one
    /// that is not `authentic`: its MAC, which no hash covers, is damaged. All of it
    /// is told, but for a second copy that a rotation had not come to.
    pub fn mend_slots(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        facts: &RootFacts,
        authentic: &dyn Fn(&RootSlot) -> bool,
    ) -> Vec<Notice> {
        let is_good = |slot: &RootSlot| slot.facts() == facts && authentic(slot);
        let Some((_, good)) = self.whole().find(|(_, slot)| is_good(slot)) else {
            return Vec::new();
        };
        let mut notices = Vec::new();
        for (position, slot) in self.slots() {
            if position != Position::of(position.copy, facts.generation) {
                continue;
            }
            let why = match slot {
                Ok(slot) if slot.facts() == facts && !is_good(slot) => NoSlot::Damaged,
                Err(why @ (NoSlot::Noise | NoSlot::Damaged)) => why,
                _ => continue,
            };
            let path = position.copy.root_file(dir);
            let mended = write_slot(position, disk, dir, good);
            let was_not_come_to =
                why == NoSlot::Noise && position.copy == Copy::B && self.was_cut_short(facts);
            match mended {
                Ok(()) if was_not_come_to => {}
                Err(error) if was_not_come_to => notices.push(Notice::not_done(&error, path)),
                mended => notices.push(Notice::of_mending(mended, path)),
            }
        }
        notices
    }

    /// Writes the slot of these facts into a place that was just wiped of an earlier one,
    /// and tells it: the rotation that should have done so could not.
    pub fn write_copy(
        &self,
        at: Position,
        disk: &dyn Disk,
        dir: &Path,
        facts: &RootFacts,
        authentic: &dyn Fn(&RootSlot) -> bool,
    ) -> Option<Notice> {
        let mut whole = self.whole().map(|(_, slot)| slot);
        let good = whole.find(|slot| slot.facts() == facts && authentic(slot))?;
        let written = write_slot(at, disk, dir, good);
        Some(Notice::of_mending(written, at.copy.root_file(dir)))
    }

    /// Whether the rotation to these facts was cut short between its commit and its second
    /// copy. Then the generation before is whole in both copies and has its bag: it is
    /// overwritten only once the second copy is written. In a vault that was in order no
    /// damage leaves that, for there the generation before is gone.
    fn was_cut_short(&self, facts: &RootFacts) -> bool {
        let before = |copy| {
            let slots = self.whole().filter(|(place, _)| place.copy == copy);
            let mut facts_of = slots.map(|(_, slot)| slot.facts());
            facts_of.find(|slot| {
                slot.vault == facts.vault
                    && slot.generation.checked_add(1) == Some(facts.generation)
            })
        };
        match (before(Copy::A), before(Copy::B)) {
            (Some(a), Some(b)) => a == b && self.bags_of(a).next().is_some(),
            _ => false,
        }
    }
}

/// Writes a slot durably, also where its file is missing or cut off.
fn write_slot(at: Position, disk: &dyn Disk, dir: &Path, slot: &RootSlot) -> io::Result<()> {
    root::make_file(disk, &at.copy.root_file(dir))?;
    at.write(disk, dir, slot)?;
    disk.sync_dir(dir)
}

impl Notice {
    /// What came of making a damaged copy anew.
    pub(in crate::vault) fn of_mending(done: io::Result<()>, path: PathBuf) -> Self {
        match done {
            Ok(()) => Self::Mended { path },
            Err(error) => Self::NotMended {
                path,
                why: error.to_string(),
            },
        }
    }

    /// Something could not be overwritten.
    pub(in crate::vault) fn not_done(error: &impl ToString, path: PathBuf) -> Self {
        Self::NotDone {
            path,
            why: error.to_string(),
        }
    }
}

/// The inbox key of the generation in force, for a recorder. It shows the gate:
/// no rotation can pass between this answer and the first frame.
///
/// A rotation that was killed may have left its slot in the page cache only: what is
/// sealed to it is acknowledged soon, so the slot is made durable first.
pub fn inbox_key(disk: &dyn Disk, dir: &Path, _gate: &Gate) -> Result<InboxPublic> {
    let survey = Survey::read(disk, dir)?;
    let facts = survey.newest(dir)?;
    for (position, _) in survey.whole().filter(|(_, slot)| slot.facts() == facts) {
        let path = position.copy.root_file(dir);
        let file = disk.open(&path, disk::Access::Read);
        file.and_then(|file| file.sync())
            .map_err(Error::io("sync", &path))?;
    }
    Ok(facts.inbox.clone())
}

/// Opens a vault without a key: reads the root and mends what can be mended. On
/// a disk that can't be written, or while another process holds the lock, it
/// only reads.
pub fn open(disk: &dyn Disk, dir: &Path) -> Result<(RootFacts, Vec<Notice>)> {
    let first = Survey::read(disk, dir)?;
    let lock = match Lock::take_within(disk, dir, Duration::ZERO) {
        Ok(lock) => lock,
        // Another process may be in the middle of a rotation: what can't be
        // read now is read again when it is done.
        Err(Error::Busy { .. }) => match first.newest(dir) {
            Ok(facts) => return Ok((facts.clone(), Vec::new())),
            Err(_) => Lock::take(disk, dir)?,
        },
        Err(_) => return Ok((first.newest(dir)?.clone(), Vec::new())),
    };
    let survey = Survey::read(disk, dir)?;
    let notices = survey.mend(disk, dir, &lock)?;
    Ok((survey.newest(dir)?.clone(), notices))
}

//! The rotation: the one way in which the bag changes.
//!
//! Every change makes a new generation, with a new bag key and a new inbox key,
//! commits it in `root.a`, and overwrites the one before. Who holds the
//! passphrase and everything that was ever written, except the root slots that
//! were overwritten, still does not get at the keys that a change left out.

use std::io;
use std::path::{Path, PathBuf};

use super::bag::{Bag, Clip};
use super::keyring::KeyRing;
use super::reserve;
use super::root::{Copy, Handover, Position, RootFacts, RootSlot};
use super::seen;
use crate::crypto::root_seal::root_hash;
use crate::crypto::{BackupIdentity, BagKey, CryptoError, InboxIdentity, MasterKey};
use crate::retention::Trust;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, DiskFile};
use crate::vault::ground::lock::{Gate, Lock};
use crate::vault::ground::site::{Site, Step};
use crate::vault::inbox::intake::FIRST_EPOCH;
use crate::vault::inbox::{self, Adoptable, Unreadable};

/// What a rotation is for.
pub trait Change {
    /// Step 1: changes the bag, in memory. The inbox's keys are in it already.
    fn change(&mut self, bag: &mut Bag) -> Result<()>;

    /// Step 2: writes rows under new clip keys into the store, durably.
    fn write_rows(&mut self, _bag: &Bag) -> Result<()> {
        Ok(())
    }

    /// Step 7: deletes the rows that the change left without a key.
    fn delete_rows(&mut self, _bag: &Bag) -> Result<()> {
        Ok(())
    }
}

/// A change of the bag alone.
impl<F: FnMut(&mut Bag) -> Result<()>> Change for F {
    fn change(&mut self, bag: &mut Bag) -> Result<()> {
        self(bag)
    }
}

/// Something that is due to be overwritten or deleted and could not be. The
/// change is in force all the same, but not final.
#[derive(Debug)]
pub struct Leftover {
    /// What it is and what happened.
    pub why: Error,
}

/// What a rotation did.
#[derive(Debug)]
pub struct Rotated {
    /// What is not final; empty when all went well.
    pub leftovers: Vec<Leftover>,
}

impl Rotated {
    /// The rotation, if nothing of the generation before is left.
    ///
    /// # Errors
    /// Why the first of the leftovers is one.
    pub fn finally(mut self) -> Result<Self> {
        if self.leftovers.is_empty() {
            Ok(self)
        } else {
            Err(self.leftovers.swap_remove(0).why)
        }
    }

    fn left(&mut self, path: PathBuf, done: io::Result<()>) {
        if let Err(source) = done {
            let why = Error::NotFinal { path, source };
            self.leftovers.push(Leftover { why });
        }
    }
}

/// What follows on the master key and the backup identity.
pub(in crate::vault) struct Successor {
    /// The new master key.
    pub master: MasterKey,
    /// The new backup identity.
    pub backup: BackupIdentity,
}

impl KeyRing {
    /// Changes the bag. On an error nothing is changed, in memory or on the
    /// disk; once the change is in force, what could not be overwritten is told
    /// in [`Rotated::leftovers`].
    pub fn rotate(&mut self, site: &Site, lock: &Lock, change: &mut dyn Change) -> Result<Rotated> {
        self.rotate_to(site, lock, change, None)
    }

    pub(in crate::vault) fn rotate_to(
        &mut self,
        site: &Site,
        lock: &Lock,
        change: &mut dyn Change,
        successor: Option<Successor>,
    ) -> Result<Rotated> {
        let (disk, dir) = (&*site.disk, site.dir.as_path());
        let reached = |step| site.observer.reached(step);

        // 1. The gate keeps recorders from beginning with the inbox key that
        // is about to be forgotten.
        let gate = Gate::close(disk, dir, lock)?;
        let mut bag = self.bag.duplicate();
        let unreadable = adopt(site, &mut bag)?;
        change.change(&mut bag)?;
        for Unreadable { id, path, source } in unreadable {
            // One that is being shredded need not be readable for that.
            if !bag.is_tombstoned(id, FIRST_EPOCH) {
                return Err(Error::HoldsUp { id, path, source });
            }
        }
        bag.inbox = InboxIdentity::generate();
        let earliest_ms = site.clock.earliest_ms();
        bag.see(site.clock.now(), Trust::IfPlausible, earliest_ms);
        if successor.is_some() {
            // Who had a way in that is gone may have this key.
            bag.renew_log().map_err(|error| Error::Seal {
                which: "the bag".into(),
                why: error.to_string(),
            })?;
        }
        reached(Step::Adopted)?;

        // 2.
        change.write_rows(&bag)?;
        reached(Step::RowsWritten)?;

        // 3.
        let old = self.facts.generation;
        let master = successor.as_ref().map_or(&self.master, |next| &next.master);
        let handover = match successor {
            Some(_) => Handover::From(&self.master),
            None => Handover::None,
        };
        let next = Next::make(self.facts.clone(), master, handover, &bag)?;
        let reserve = match successor.is_some() || destroys(&self.bag, &bag) {
            true => Reserve::Spend,
            false => Reserve::Keep,
        };
        write_bag(site, &next, reserve)?;
        reached(Step::BagWritten)?;

        // 4. The commit.
        let generation = next.facts.generation;
        if let Err(error) = next.write_slot(site, Copy::A) {
            // Half a commit is none: without its bag the slot counts nowhere.
            let _ = Position::of(Copy::A, generation).wipe(disk, dir);
            discard_bag(site, generation);
            return Err(Error::io("write", &Copy::A.root_file(dir))(error));
        }
        reached(Step::Committed)?;

        // 5. From here on there is no way back: what fails is told, not undone.
        let mut done = Rotated {
            leftovers: Vec::new(),
        };
        done.left(Copy::B.root_file(dir), next.write_slot(site, Copy::B));
        reached(Step::Doubled)?;

        // 6.
        let old_bags = overwrite(site, old, &mut done);
        reached(Step::Wiped)?;
        drop(gate);

        // 7.
        for path in old_bags {
            let removed = disk.unlink(&path);
            done.left(path, removed);
        }
        done.left(dir.to_owned(), disk.sync_dir(dir));
        if let Err(why) = change.delete_rows(&bag) {
            done.leftovers.push(Leftover { why });
        }
        let _ = reserve::keep(site, next.sealed.len() as u64);
        let facts = next.facts;
        if let Some(Successor { master, backup }) = successor {
            (self.master, self.backup) = (master, backup);
        }
        seen::note(site, facts.vault, generation);
        self.adopt(site, facts, bag);
        reached(Step::Cleaned)?;
        Ok(done)
    }
}

/// How much of a bag is overwritten: the block with its header, in which alone age
/// keeps the key to what is behind it. All of it would be no more gone, at a cost that
/// grows with the vault.
const BAG_START_LEN: u64 = 4096;

/// Overwrites a generation, its slots and the start of its bags, with one sync for all
/// of them: none has to be gone before another. Which bags are overwritten and can lose
/// their names.
fn overwrite(site: &Site, generation: u64, done: &mut Rotated) -> Vec<PathBuf> {
    let (disk, dir) = (&*site.disk, site.dir.as_path());
    let slots = Copy::BOTH.map(|copy| {
        let position = Position::of(copy, generation);
        let begun = position.wipe_pad(disk, dir).map(Some);
        (copy.root_file(dir), Some(position), begun)
    });
    let bags = Copy::BOTH.map(|copy| {
        let path = copy.bag_file(dir, generation);
        let begun = disk::begin_overwrite(disk, &path, BAG_START_LEN);
        (path, None, begun)
    });
    let mut begun = Vec::new();
    for (path, position, file) in slots.into_iter().chain(bags) {
        match file {
            Ok(file) => begun.extend(file.map(|file| (path, position, file))),
            Err(error) => done.left(path, Err(error)),
        }
    }
    let files: Vec<&dyn DiskFile> = begun.iter().map(|(.., file)| &**file).collect();
    let synced = disk.sync_each(&files);
    let mut old_bags = Vec::new();
    for ((path, position, file), synced) in begun.into_iter().zip(synced) {
        match (synced, position) {
            (Ok(()), Some(position)) => done.left(path, position.wipe_start(&*file)),
            (Ok(()), None) => old_bags.push(path),
            (error, _) => done.left(path, error),
        }
    }
    old_bags
}

/// Takes the keys of everything in the inbox into the bag, so that the private
/// half that opens them need not be kept. Answers which ones could not be read.
fn adopt(site: &Site, bag: &mut Bag) -> Result<Vec<Unreadable>> {
    // What waits entered the vault after that.
    let last_seen_ms = bag.settings.last_seen_ms;
    let known = |id| bag.is_tombstoned(id, FIRST_EPOCH) || bag.clips.contains_key(&id);
    let found = inbox::adoptable(&*site.disk, &site.dir, &bag.inbox, &known)?;
    for Adoptable { id, keys } in found.adoptable {
        bag.clips.insert(id, Clip::adopted(keys, last_seen_ms));
    }
    Ok(found.unreadable)
}

/// A generation that is about to be written.
pub(in crate::vault) struct Next {
    /// What its slots say.
    pub facts: RootFacts,
    /// Its bag as it is written.
    pub sealed: Vec<u8>,
    slots: [RootSlot; 2],
}

impl Next {
    /// The generation after `facts`, with this bag under a new key.
    pub(in crate::vault) fn make(
        before: RootFacts,
        master: &MasterKey,
        handover: Handover<'_>,
        bag: &Bag,
    ) -> Result<Self> {
        let make = || -> Result<Self, CryptoError> {
            let key = BagKey::generate()?;
            let sealed = bag.seal(&key)?;
            let facts = RootFacts {
                generation: before.generation + 1,
                fingerprint: master.fingerprint()?,
                inbox: bag.inbox.public(),
                bag_hash: root_hash(&sealed),
                ..before
            };
            let slot = |copy| RootSlot::make(facts.clone(), copy, master, handover, &key);
            let slots = [slot(Copy::A)?, slot(Copy::B)?];
            Ok(Self {
                facts,
                sealed,
                slots,
            })
        };
        make().map_err(|error| Error::Seal {
            which: "the bag".into(),
            why: error.to_string(),
        })
    }

    /// Writes both copies of the bag, durably.
    pub(in crate::vault) fn write_bag(&self, disk: &dyn disk::Disk, dir: &Path) -> Result<()> {
        let put = |copy: Copy| {
            let path = copy.bag_file(dir, self.facts.generation);
            disk::put(disk, &path, &self.sealed).map_err(Error::io("write", &path))
        };
        let (a, b) = (put(Copy::A)?, put(Copy::B)?);
        // Nothing names them yet, so which of them lasts first does not matter.
        disk.sync_together(&[&*a, &*b], dir)
            .map_err(Error::io("sync", dir))
    }

    /// Writes a root slot, durably.
    pub(in crate::vault) fn write_slot(&self, site: &Site, copy: Copy) -> io::Result<()> {
        let position = Position::of(copy, self.facts.generation);
        position.write(&*site.disk, &site.dir, self.slot(copy))
    }

    /// A copy's root slot.
    pub(in crate::vault) fn slot(&self, copy: Copy) -> &RootSlot {
        let [a, b] = &self.slots;
        match copy {
            Copy::A => a,
            Copy::B => b,
        }
    }
}

/// Whether the room that is kept for a full disk may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reserve {
    Keep,
    Spend,
}

/// Whether a key of the old bag is not in the new one, or a recording was buried
/// whose key had not come into any bag yet.
fn destroys(old: &Bag, new: &Bag) -> bool {
    let buries = !new.tombstones.is_subset(&old.tombstones);
    buries || old.clips.lose_a_key_in(&new.clips)
}

fn write_bag(site: &Site, next: &Next, reserve: Reserve) -> Result<()> {
    let write = || next.write_bag(&*site.disk, &site.dir);
    let mut written = write();
    let full = matches!(&written, Err(error) if error.is_no_space());
    if full && reserve == Reserve::Spend {
        reserve::spend(site).map_err(Error::io("remove", &site.path(reserve::FILE)))?;
        written = write();
    }
    if written.is_err() {
        discard_bag(site, next.facts.generation);
    }
    written
}

/// Takes away what was written of a generation that did not come into force.
/// What stays, because the disk fails, is a stray that unlocking removes.
fn discard_bag(site: &Site, generation: u64) {
    for copy in Copy::BOTH {
        let _ = disk::erase(&*site.disk, &copy.bag_file(&site.dir, generation));
    }
    let _ = site.disk.sync_dir(&site.dir);
}

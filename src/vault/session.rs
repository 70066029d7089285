//! One operation on an unlocked vault: the lock taken, the keys as they are now.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::{Error, Result};
use super::ground::disk::Disk;
use super::ground::lock::Lock;
use super::ground::site::Site;
use super::inbox;
use super::keys::bag::{Bag, Clip, Way};
use super::keys::keyring::KeyRing;
use super::keys::rotation::{Change, Rotated};
use super::keys::ways::Sealed;
use super::log::Draft;
use super::log::book::{self, Anchor};
use super::notice::Notice;
use super::store::newest::Newest;
use super::store::rows::ClipId;
use super::store::{Made, Store};
use crate::crypto::{BackupIdentity, SlotSecrets, VaultId};
use crate::recording::{Moment, RecordingId};

/// What an unlocked vault keeps between operations.
pub(crate) struct Session {
    site: Site,
    store: Store,
    ring: Mutex<KeyRing>,
    notices: Mutex<Vec<Notice>>,
}

impl Session {
    /// Takes over the keys and makes the store if there is none.
    pub(super) fn begin(site: &Site, ring: KeyRing, notices: Vec<Notice>) -> Result<Self> {
        let store = Store::new(Arc::clone(&site.disk), &site.dir);
        let (ring, notices) = (Mutex::new(ring), Mutex::new(notices));
        let session = Self {
            site: site.clone(),
            store,
            ring,
            notices,
        };
        match session.with(|held| held.store.make(&held.lock))? {
            Made::WasThere => session.put_newest_in_force()?,
            Made::Now => {
                let path = site.path(super::store::FILE);
                session.tell(Notice::StoreMissing { path });
            }
            Made::Unfinished(why) => session.tell(Notice::NotDone {
                path: site.path(super::store::replace::OLD_FILE),
                why: why.to_string(),
            }),
        }
        Ok(session)
    }

    /// Does something under the vault's lock.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process holds it for too long,
    /// [`Error::KeysReplaced`] if another process changed the passphrase.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Held<'_>) -> Result<T>) -> Result<T> {
        // Threads of this process wait for each other here, for as long as it
        // takes; the patience of the lock is for other processes.
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = Lock::take(&*self.site.disk, &self.site.dir)?;
        let (_, notices) = ring.refresh(&self.site, &lock)?;
        let (site, store) = (&self.site, &self.store);
        self.notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(notices);
        work(&mut Held {
            site,
            store,
            lock,
            ring: &mut ring,
            clock: self.clock(),
        })
    }

    /// What the clock says.
    pub(super) fn clock(&self) -> Moment {
        self.site.clock.now()
    }

    /// The date of what is done now.
    pub(super) fn now(&self) -> Moment {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.bag().settings.dated(self.clock())
    }

    /// See [`Newest`]. What can't be written is named, and the store still opens.
    fn put_newest_in_force(&self) -> Result<()> {
        let path = self.site.path(super::store::FILE);
        match self.with(|held| Ok(held.store.put_newest_in_force(&held.lock)))? {
            Ok(Newest::InForce) => {}
            Ok(Newest::PutInForce) => self.tell(Notice::PutInForce { path }),
            Ok(Newest::Unfinished) => self.tell(Notice::Unfinished { path }),
            Err(why) => self.tell(Notice::EarlierInForce {
                path,
                why: why.to_string(),
            }),
        }
        Ok(())
    }

    fn tell(&self, notice: Notice) {
        self.notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(notice);
    }

    /// What unlocking, and reading the keys anew since, found.
    pub(super) fn notices(&self) -> Vec<Notice> {
        self.notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sound rows from one on.
    ///
    /// # Errors
    /// [`Error::Outdated`] if the recording or its sound was destroyed meanwhile.
    pub(crate) fn sound_rows(&self, at: ClipId, from: u32, most: usize) -> Result<SoundRows> {
        self.with(|held| {
            let outdated = || Error::Outdated {
                id: at.id,
                epoch: at.epoch,
            };
            let (now, clip) = held.clip(at.id).map_err(|_| outdated())?;
            if now != at || clip.sound.is_none() {
                return Err(outdated());
            }
            let (rows, is_unread) = held.store().read_noting(|store| {
                store.read_what_is_there(held.lock(), |rows| rows.begin()?.sound(at, from, most))
            });
            Ok(SoundRows { rows, is_unread })
        })
    }
}

/// Rows of sound that were asked for.
pub(crate) struct SoundRows {
    /// Each with its number, or why they can't be read.
    pub(crate) rows: Result<Vec<(u32, Vec<u8>)>>,
    /// Whether the disk did not give a sector of the store meanwhile.
    pub(crate) is_unread: bool,
}

/// The vault while its lock is held.
pub(crate) struct Held<'a> {
    site: &'a Site,
    store: &'a Store,
    lock: Lock,
    ring: &'a mut KeyRing,
    clock: Moment,
}

impl Held<'_> {
    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.site.disk
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.site.dir
    }

    pub(crate) fn lock(&self) -> &Lock {
        &self.lock
    }

    pub(crate) fn store(&self) -> &Store {
        self.store
    }

    /// The keys, for who looks whether what is on the disk is what they say.
    pub(super) fn ring(&self) -> &KeyRing {
        self.ring
    }

    pub(crate) fn bag(&self) -> &Bag {
        self.ring.bag()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.ring.generation()
    }

    /// The date of this operation: when it began.
    pub(crate) fn now(&self) -> Moment {
        self.bag().settings.dated(self.clock)
    }

    /// The vault's name for good.
    pub(crate) fn vault_id(&self) -> VaultId {
        self.ring.vault_id()
    }

    /// What backups are sealed to.
    pub(crate) fn backup_identity(&self) -> &BackupIdentity {
        self.ring.backup_identity()
    }

    /// A recording that was merged, and its keys.
    ///
    /// # Errors
    /// [`Error::NoRecording`].
    pub(crate) fn clip(&self, id: RecordingId) -> Result<(ClipId, &Clip)> {
        // Without an extent it is still in the inbox.
        let merged = self
            .bag()
            .clips
            .get(&id)
            .filter(|clip| clip.extent.is_some());
        let clip = merged.ok_or(Error::NoRecording { id })?;
        Ok((
            ClipId {
                id,
                epoch: clip.epoch,
            },
            clip,
        ))
    }

    /// Writes an entry of the log, of something that takes no rotation and is about to
    /// begin. It is durable when this returns.
    pub(crate) fn log(&self, draft: &Draft) -> Result<()> {
        book::write(self, draft)
    }

    /// Changes the bag by a rotation. Keys that an earlier rotation adopted and
    /// whose recording was discarded since go with it.
    pub(crate) fn rotate(&mut self, edit: impl FnOnce(&mut Bag) -> Result<()>) -> Result<Rotated> {
        self.rotate_with(None, edit)
    }

    /// The same, with an entry of the log that is in force if and only if the change
    /// is.
    pub(crate) fn rotate_logged(
        &mut self,
        draft: Draft,
        edit: impl FnOnce(&mut Bag) -> Result<()>,
    ) -> Result<Rotated> {
        self.rotate_with(Some(draft), edit)
    }

    fn rotate_with(
        &mut self,
        draft: Option<Draft>,
        edit: impl FnOnce(&mut Bag) -> Result<()>,
    ) -> Result<Rotated> {
        let mut edit = Some(edit);
        self.rotate_rows_with(draft, |_, _| {
            move |bag: &mut Bag| edit.take().map_or(Ok(()), |edit| edit(bag))
        })
    }

    /// The same for a change that `make` gives, which rewrites rows of the store
    /// on the way.
    pub(crate) fn rotate_rows<'b, C: Change>(
        &'b mut self,
        make: impl FnOnce(&'b Store, &'b Lock) -> C,
    ) -> Result<Rotated> {
        self.rotate_rows_with(None, make)
    }

    /// The same, with an entry of the log.
    pub(crate) fn rotate_rows_logged<'b, C: Change>(
        &'b mut self,
        draft: Draft,
        make: impl FnOnce(&'b Store, &'b Lock) -> C,
    ) -> Result<Rotated> {
        self.rotate_rows_with(Some(draft), make)
    }

    fn rotate_rows_with<'b, C: Change>(
        &'b mut self,
        draft: Option<Draft>,
        make: impl FnOnce(&'b Store, &'b Lock) -> C,
    ) -> Result<Rotated> {
        let anchor = self.anchor(draft)?;
        let Self {
            site,
            store,
            lock,
            ring,
            ..
        } = self;
        let lock: &Lock = lock;
        let mut change = Tidying {
            site,
            anchor,
            change: make(store, lock),
        };
        ring.rotate(site, lock, &mut change)
    }

    /// Where it lies, and on what disk.
    pub(super) fn site(&self) -> &Site {
        self.site
    }

    /// Adds a way in that was sealed to `secrets`, with an entry of the log.
    pub(super) fn add_way(
        &mut self,
        draft: Draft,
        secrets: &SlotSecrets,
        new: Sealed,
    ) -> Result<Rotated> {
        let mut anchor = self.anchor(Some(draft))?;
        let edit = &mut |bag: &mut Bag| anchor.put(bag);
        self.ring.add_way(self.site, &self.lock, secrets, new, edit)
    }

    /// Replaces the master key and the ways in, with an entry of the log.
    pub(super) fn replace_master(
        &mut self,
        draft: Draft,
        before: &BTreeMap<String, Way>,
        secrets: SlotSecrets,
        slots: &[Sealed],
    ) -> Result<Rotated> {
        let mut anchor = self.anchor(Some(draft))?;
        let edit = &mut |bag: &mut Bag| anchor.put(bag);
        self.ring
            .replace_master(self.site, &self.lock, before, secrets, slots, edit)
    }

    /// What every rotation does to the log.
    fn anchor(&self, draft: Option<Draft>) -> Result<Anchor> {
        Anchor::look(self.store, &self.lock, self.ring.bag(), draft, self.clock)
    }
}

/// A change that also takes out the keys of what is in the vault no more, and anchors
/// the log.
struct Tidying<'a, C> {
    site: &'a Site,
    anchor: Anchor,
    change: C,
}

impl<C: Change> Change for Tidying<'_, C> {
    fn change(&mut self, bag: &mut Bag) -> Result<()> {
        let present = inbox::names(&*self.site.disk, &self.site.dir)?.recordings;
        bag.clips
            .retain(|id, clip| clip.extent.is_some() || present.binary_search(id).is_ok());
        self.change.change(bag)?;
        self.anchor.put(bag)
    }

    fn write_rows(&mut self, bag: &Bag) -> Result<()> {
        self.change.write_rows(bag)
    }

    fn delete_rows(&mut self, bag: &Bag) -> Result<()> {
        self.change.delete_rows(bag)
    }
}

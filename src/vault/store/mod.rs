//! The store: one redb file of sealed records, opened for the length of one
//! operation by whoever holds the vault's lock.
//!
//! redb does not erase what is deleted, which is why no key is ever in here. A
//! damaged file can make it panic; every call is fenced, and what it panics
//! over is reported as damage.

pub(super) mod digest;
pub(super) mod finding;
pub(super) mod gaps;
pub(super) mod library;
pub(super) mod log;
pub(super) mod newest;
pub(super) mod opened;
mod opening;
mod overlay;
pub(super) mod replace;
pub(super) mod rescue;
pub(super) mod rows;
pub(super) mod sound;

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{Database, Durability, ReadableDatabase};

use self::opening::{BadSectors, Opened, Unread, builder};
use self::overlay::Overlay;
use self::rows::{Reading, Writing};
use crate::fence::fenced;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, Disk};
use crate::vault::ground::lock::Lock;

/// The file's name in the vault.
pub(crate) const FILE: &str = "store.redb";

pub(in crate::vault) const NEW_FILE: &str = "store.redb.new";

/// A store that a repair replaced and did not overwrite; a further one has a number
/// behind its name.
pub(in crate::vault) const ASIDE_FILE: &str = "store.redb.aside";

/// The store of one vault.
pub(crate) struct Store {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    path: PathBuf,
    checked: AtomicBool,
    /// What is wrong with the file as a whole, where much of it can be read all the same.
    flaw: Mutex<Option<String>>,
    /// Up to which entry of the log this process knows that it is durable.
    durable_log: AtomicU32,
    /// Reads that met a sector which the disk does not give.
    unread: Unread,
}

/// What came of making the store.
pub(crate) enum Made {
    /// It is new, and empty.
    Now,
    /// It was there.
    WasThere,
    /// It was there, and the one that it replaced still is, because of this.
    Unfinished(Error),
}

impl Store {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path) -> Self {
        let (dir, path) = (dir.to_owned(), dir.join(FILE));
        Self {
            disk,
            dir,
            path,
            checked: AtomicBool::new(false),
            flaw: Mutex::default(),
            durable_log: AtomicU32::new(0),
            unread: Unread::default(),
        }
    }

    /// Makes the file if there is none.
    pub(crate) fn make(&self, lock: &Lock) -> Result<Made> {
        let found = self.disk.exists(&self.path);
        if !(found.map_err(Error::io("look for", &self.path))? || self.put_back(lock)?) {
            return self.build(lock, |_| Ok(())).map(|()| Made::Now);
        }
        // What can't be overwritten now is the next one's.
        match self.finish(lock, &mut |_| ()) {
            Err(why) if !matches!(self.disk.exists(&self.old()), Ok(false)) => {
                Ok(Made::Unfinished(why))
            }
            _ => Ok(Made::WasThere),
        }
    }

    /// Makes a new file, lets `fill` put rows into it, and puts it in the place
    /// of the one that is there. A half-made database can't be opened, so it has
    /// another name until it is done.
    pub(crate) fn build(
        &self,
        lock: &Lock,
        fill: impl FnOnce(&Changes<'_>) -> Result<()>,
    ) -> Result<()> {
        self.write_new(lock, fill)?;
        let new = self.dir.join(NEW_FILE);
        self.disk
            .rename(&new, &self.path)
            .map_err(Error::io("rename", &new))?;
        self.forget_flaw();
        self.sync_names()
    }

    /// Makes a new file beside the one that is there, durable but for its name.
    fn write_new(&self, _lock: &Lock, fill: impl FnOnce(&Changes<'_>) -> Result<()>) -> Result<()> {
        let new = self.dir.join(NEW_FILE);
        self.remove_new()?;
        let file = self
            .disk
            .open(&new, Access::Create)
            .map_err(Error::io("create", &new))?;
        self.fenced(|| {
            let db = builder()
                .create_with_backend(self.backend(file, BadSectors::Damage))
                .map_err(|error| self.trouble(error))?;
            let changes = Changes {
                db: &db,
                store: self,
            };
            changes.commit(|rows| rows.make_tables())?;
            fill(&changes)?;
            db.close().map_err(|error| self.trouble(error))
        })
    }

    fn sync_names(&self) -> Result<()> {
        self.disk
            .sync_dir(&self.dir)
            .map_err(Error::io("sync", &self.dir))
    }

    /// Reads in one transaction.
    pub(crate) fn read<T>(
        &self,
        lock: &Lock,
        look: impl FnOnce(&Snapshots<'_>) -> Result<T>,
    ) -> Result<T> {
        self.fenced(|| {
            let db = self.open_to_read(lock)?;
            look(&Snapshots {
                db: &db,
                store: self,
            })
        })
    }

    /// The same, and where the file is damaged as a whole, what of it can be read. Nothing
    /// may be destroyed for what this answers.
    pub(crate) fn read_what_is_there<T>(
        &self,
        lock: &Lock,
        look: impl FnOnce(&Snapshots<'_>) -> Result<T>,
    ) -> Result<T> {
        self.fenced(|| {
            let db = self.open_damaged_or_not(lock)?;
            look(&Snapshots {
                db: &db,
                store: self,
            })
        })
    }

    /// What is read, and whether the disk did not give a sector of the file meanwhile. Where
    /// something is missing then, it may be there again some day.
    pub(crate) fn read_noting<T>(
        &self,
        read: impl FnOnce(&Self) -> Result<T>,
    ) -> (Result<T>, bool) {
        let before = self.unread.count();
        let done = read(self);
        (done, self.unread.count() > before)
    }

    /// What is wrong with the file as a whole, where much of it can be read all the same.
    ///
    /// # Errors
    /// [`Error::StoreDamaged`] if nothing can.
    pub(crate) fn flaw(&self, lock: &Lock) -> Result<Option<Error>> {
        // Another process may have repaired it.
        self.forget_flaw();
        self.read_what_is_there(lock, |store| store.begin()?.revision())?;
        if !self.checked.load(Ordering::Acquire) && self.known_flaw().is_none() {
            // Read-only, and not checked for that.
            let checked = self.fenced(|| self.check_aside(lock));
            if let Err(Error::StoreDamaged { why, .. }) = checked {
                *self.known_flaw() = Some(why);
            }
        }
        let known = self.known_flaw().clone();
        Ok(known.map(|why| Error::store_damaged(&self.path, why)))
    }

    fn known_flaw(&self) -> MutexGuard<'_, Option<String>> {
        self.flaw.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another file has the store's name: what is known of the old one is forgotten.
    fn forget_flaw(&self) {
        *self.known_flaw() = None;
    }

    /// Opens the store for as many transactions as `change` commits.
    pub(crate) fn change<T>(
        &self,
        lock: &Lock,
        change: impl FnOnce(&Changes<'_>) -> Result<T>,
    ) -> Result<T> {
        self.fenced(|| {
            let db = self.open_to_write(lock)?;
            let changed = change(&Changes {
                db: &db,
                store: self,
            })?;
            db.close().map_err(|error| self.trouble(error))?;
            Ok(changed)
        })
    }

    /// Changes rows in one transaction, durable when this returns. Nothing is
    /// changed if `change` fails.
    pub(crate) fn write<T>(
        &self,
        lock: &Lock,
        change: impl FnOnce(&Writing) -> Result<T>,
    ) -> Result<T> {
        self.write_aside(lock, |rows| {
            let changed = change(rows)?;
            rows.count_commit()?;
            Ok(changed)
        })
    }

    /// The same for rows that nobody shows: the revision stays, so that no interface
    /// reads everything anew.
    pub(crate) fn write_aside<T>(
        &self,
        lock: &Lock,
        change: impl FnOnce(&Writing) -> Result<T>,
    ) -> Result<T> {
        // Closing redb ends with a durable commit of its own: the rows go with
        // it, and one fsync is spared.
        let (changed, logged) = self.change(lock, |changes| {
            changes.commit_as(Durability::None, |rows| {
                Ok((change(rows)?, rows.logged.get()))
            })
        })?;
        self.durable_log.fetch_max(logged, Ordering::AcqRel);
        Ok(changed)
    }

    /// Makes durable what another process may have left in the page cache when it was
    /// killed, if this one does not know that the log is durable up to there.
    pub(crate) fn keep_log(&self, lock: &Lock, number: u32) -> Result<()> {
        if self.durable_log.load(Ordering::Acquire) >= number {
            return Ok(());
        }
        let file = self.open_file(lock, Access::Write)?;
        file.sync().map_err(Error::io("sync", &self.path))?;
        self.durable_log.fetch_max(number, Ordering::AcqRel);
        Ok(())
    }

    /// Reads the store after redb has checked all of it, however large it is, and
    /// changes not a byte of the file: what redb writes while it checks stays in
    /// memory. `read` hears how many bytes were checked.
    pub(crate) fn examine<T>(
        &self,
        lock: &Lock,
        read: &(dyn Fn(u64) + Sync),
        look: impl FnOnce(&Snapshots<'_>) -> Result<T>,
    ) -> Result<T> {
        self.fenced(|| {
            let file = self.open_file(lock, Access::Read)?;
            let bytes = self.usable_len(&*file)?;
            let aside = Overlay::over(file, &self.unread).map_err(Error::io("open", &self.path))?;
            let db = builder()
                .set_check_integrity_on_open(true)
                .create_with_backend(aside)
                .map_err(|error| self.trouble(error))?;
            read(bytes);
            look(&Snapshots {
                db: &Opened::ToWrite(db),
                store: self,
            })
        })
    }

    fn trouble(&self, error: impl Into<redb::Error>) -> Error {
        Trouble(self.path.clone()).of(error)
    }

    fn fenced<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        fenced(work).unwrap_or_else(|| Err(Error::store_damaged(&self.path, "its tree is damaged")))
    }
}

/// Read transactions over one opening of the store; one per thread.
pub(crate) struct Snapshots<'a> {
    db: &'a Opened,
    store: &'a Store,
}

impl Snapshots<'_> {
    /// How many bytes of the file hold nothing: pages that are free.
    pub(crate) fn idle_bytes(&self) -> Result<u64> {
        let Opened::ToWrite(db) = self.db else {
            return Ok(0);
        };
        let trouble = |error: redb::Error| self.store.trouble(error);
        let txn = db.begin_write().map_err(|error| trouble(error.into()))?;
        let stats = txn.stats().map_err(|error| trouble(error.into()))?;
        txn.abort().map_err(|error| trouble(error.into()))?;
        let used = stats.allocated_pages() * stats.page_size() as u64;
        let file = self
            .store
            .disk
            .open(&self.store.path, Access::Read)
            .and_then(|file| file.len())
            .map_err(Error::io("read", &self.store.path))?;
        // The first page is the header's.
        Ok(file.saturating_sub(used + stats.page_size() as u64))
    }

    pub(crate) fn begin(&self) -> Result<Reading> {
        let txn = match self.db {
            Opened::ToRead(db) => db.begin_read(),
            Opened::ToWrite(db) => db.begin_read(),
        };
        let txn = txn.map_err(|error| self.store.trouble(error))?;
        Ok(Reading {
            txn,
            trouble: Trouble(self.store.path.clone()),
        })
    }
}

/// Transactions over one opening of the store.
pub(crate) struct Changes<'a> {
    db: &'a Database,
    store: &'a Store,
}

impl Changes<'_> {
    /// Changes rows in one transaction, durable when this returns. Nothing is
    /// changed if `change` fails.
    pub(crate) fn commit<T>(&self, change: impl FnOnce(&Writing) -> Result<T>) -> Result<T> {
        self.commit_as(Durability::Immediate, |rows| {
            let changed = change(rows)?;
            rows.count_commit()?;
            Ok(changed)
        })
    }

    fn commit_as<T>(
        &self,
        durability: Durability,
        change: impl FnOnce(&Writing) -> Result<T>,
    ) -> Result<T> {
        let mut txn = self
            .db
            .begin_write()
            .map_err(|error| self.store.trouble(error))?;
        txn.set_durability(durability)
            .map_err(|error| self.store.trouble(error))?;
        // Pages first, and the header that names them once they are durable. With one
        // sync for both, one that fails leaves a header and pages in memory that count
        // as clean: redb's next repair, in any process, takes them for durable and
        // commits over them, and power that goes then takes the tree with it.
        txn.set_two_phase_commit(true);
        let rows = Writing {
            logged: Cell::new(0),
            txn,
            trouble: Trouble(self.store.path.clone()),
        };
        let changed = change(&rows)?;
        rows.txn
            .commit()
            .map_err(|error| self.store.trouble(error))?;
        Ok(changed)
    }
}

/// Tells what redb says as what it means for the vault.
pub(in crate::vault) struct Trouble(PathBuf);

impl Trouble {
    pub(in crate::vault) fn of(&self, error: impl Into<redb::Error>) -> Error {
        use redb::Error as Redb;
        match error.into() {
            // A file that ends too early is damage, not trouble with the disk.
            Redb::Io(source)
                if !matches!(
                    source.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Error::io("use", &self.0)(source)
            }
            Redb::DatabaseAlreadyOpen | Redb::LockProtocolMismatch => Error::Busy {
                path: self.0.clone(),
            },
            other => Error::store_damaged(&self.0, other),
        }
    }
}

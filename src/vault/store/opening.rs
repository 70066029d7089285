//! The ways to open the store's file: to read, to write, in memory only, or as it is where
//! redb finds it damaged.

use std::io;
use std::sync::atomic::Ordering;

use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase, StorageBackend};

use super::Store;
use super::overlay::Overlay;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Access, DiskFile};
use crate::vault::ground::lock::Lock;

/// redb's own default is 1 GiB.
const CACHE_BYTES: usize = 8 << 20;

/// Up to this size the whole file is checked when a process first opens it,
/// about 0.5 ms per MB. Beyond it, damage is found where it is read.
const CHECKED_BYTES: u64 = 512 << 20;

/// The store, open.
pub(super) enum Opened {
    ToRead(ReadOnlyDatabase),
    ToWrite(Database),
}

/// What every opening has in common.
pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

impl Store {
    /// The length of the file.
    ///
    /// # Errors
    /// [`Error::StoreDamaged`] if redb would take it for a new file, and so hide what
    /// is gone.
    pub(super) fn usable_len(&self, file: &dyn DiskFile) -> Result<u64> {
        let bytes = file.len().map_err(Error::io("read", &self.path))?;
        if bytes == 0 {
            return Err(Error::store_damaged(&self.path, "the file is empty"));
        }
        Ok(bytes)
    }

    pub(super) fn open_to_read(&self, lock: &Lock) -> Result<Opened> {
        if !self.checked.load(Ordering::Acquire) {
            match self.open_to_write(lock) {
                Ok(db) => return Ok(Opened::ToWrite(db)),
                // The check would write.
                Err(error) if error.is_read_only() => {}
                Err(error) => return Err(error),
            }
        }
        let file = self.open_file(lock, Access::Read)?;
        self.usable_len(&*file)?;
        match builder().open_read_only_with_backend(Backend(file)) {
            Ok(db) => Ok(Opened::ToRead(db)),
            // The last one to write was killed; redb repairs the file.
            Err(DatabaseError::RepairAborted) => match self.open_to_write(lock) {
                Err(error) if error.is_read_only() => self.open_aside(lock).map(Opened::ToWrite),
                opened => opened.map(Opened::ToWrite),
            },
            Err(error) => Err(self.trouble(error)),
        }
    }

    /// Opens a file that redb finds damaged as it is, without asking redb whether it is
    /// whole: what lies beyond the damage still opens, and what was sealed shows itself
    /// whether it is what it was.
    pub(super) fn open_damaged_or_not(&self, lock: &Lock) -> Result<Opened> {
        let damage = match *self.known_flaw() {
            Some(_) => None,
            None => match self.fenced(|| self.open_to_read(lock)) {
                Err(Error::StoreDamaged { path, why }) => Some((path, why)),
                opened => return opened,
            },
        };
        let file = self.open_file(lock, Access::Read)?;
        match (builder().open_read_only_with_backend(Backend(file)), damage) {
            (Ok(db), damage) => {
                if let Some((_, why)) = damage {
                    *self.known_flaw() = Some(why);
                }
                Ok(Opened::ToRead(db))
            }
            (Err(_), Some((path, why))) => Err(Error::StoreDamaged { path, why }),
            (Err(error), None) => Err(self.trouble(error)),
        }
    }

    /// Has redb check a file that can't be written, in memory.
    pub(super) fn check_aside(&self, lock: &Lock) -> Result<()> {
        let file = self.open_file(lock, Access::Read)?;
        if self.usable_len(&*file)? <= CHECKED_BYTES {
            let aside = Overlay::over(file).map_err(Error::io("open", &self.path))?;
            let checked = builder()
                .set_check_integrity_on_open(true)
                .create_with_backend(aside);
            checked.map_err(|error| self.trouble(error))?;
        }
        self.checked.store(true, Ordering::Release);
        Ok(())
    }

    /// Opens a file that has to be repaired and can't be written: the repair is
    /// done in memory.
    pub(super) fn open_aside(&self, lock: &Lock) -> Result<Database> {
        let file = self.open_file(lock, Access::Read)?;
        self.usable_len(&*file)?;
        let aside = Overlay::over(file).map_err(Error::io("open", &self.path))?;
        builder()
            .create_with_backend(aside)
            .map_err(|error| self.trouble(error))
    }

    pub(super) fn open_to_write(&self, lock: &Lock) -> Result<Database> {
        let file = self.open_file(lock, Access::Write)?;
        let bytes = self.usable_len(&*file)?;
        self.keep_name()?;
        let check = bytes <= CHECKED_BYTES && !self.checked.load(Ordering::Acquire);
        let db = builder()
            .set_check_integrity_on_open(check)
            .create_with_backend(Backend(file))
            .map_err(|error| self.trouble(error))?;
        self.checked.store(true, Ordering::Release);
        Ok(db)
    }

    /// Makes the file's name durable before anything is promised in it, where who
    /// exchanged it was killed and that may not have been done.
    fn keep_name(&self) -> Result<()> {
        let old = self.old();
        let found = self.disk.exists(&old);
        match found.map_err(Error::io("look for", &old))? {
            true => self.sync_names(),
            false => Ok(()),
        }
    }

    pub(super) fn open_file(&self, lock: &Lock, access: Access) -> Result<Box<dyn DiskFile>> {
        let opened = match self.disk.open(&self.path, access) {
            // Another process was killed while it exchanged the file.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.put_back(lock)? => {
                self.disk.open(&self.path, access)
            }
            opened => opened,
        };
        opened.map_err(|error| match disk::is_no_file(&error) {
            true => Error::store_damaged(&self.path, error),
            false => Error::io("open", &self.path)(error),
        })
    }
}

/// redb's view of a file of the vault. It takes no lock of its own: the vault's
/// lock is held whenever the store is open.
#[derive(Debug)]
pub(super) struct Backend(pub(super) Box<dyn DiskFile>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, data)
    }
}

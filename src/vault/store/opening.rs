//! The ways to open the store's file: to read, to write, in memory only, or as it is where
//! redb finds it damaged.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
        self.open_to_see(lock, BadSectors::Damage)
    }

    fn open_to_see(&self, lock: &Lock, bad: BadSectors) -> Result<Opened> {
        if !self.checked.load(Ordering::Acquire) {
            match self.open_to_write(lock) {
                // All of it was read, or whoever asks does not want what can't be.
                Ok(db) if bad == BadSectors::Damage || !self.is_large(lock)? => {
                    return Ok(Opened::ToWrite(db));
                }
                Ok(_) => {}
                // The check would write.
                Err(error) if error.is_read_only() => {}
                Err(error) => return Err(error),
            }
        }
        let file = self.open_file(lock, Access::Read)?;
        self.usable_len(&*file)?;
        match builder().open_read_only_with_backend(self.backend(file, bad)) {
            Ok(db) => Ok(Opened::ToRead(db)),
            // The last one to write was killed; redb repairs the file.
            Err(DatabaseError::RepairAborted) => match self.open_to_write(lock) {
                Err(error) if error.is_read_only() => self.open_aside(lock).map(Opened::ToWrite),
                opened => opened.map(Opened::ToWrite),
            },
            Err(error) => Err(self.trouble(error)),
        }
    }

    /// redb's view of the file.
    pub(super) fn backend(&self, file: Box<dyn DiskFile>, bad: BadSectors) -> Backend {
        Backend::new(file, bad, &self.unread)
    }

    fn is_large(&self, lock: &Lock) -> Result<bool> {
        let file = self.open_file(lock, Access::Read)?;
        Ok(self.usable_len(&*file)? > CHECKED_BYTES)
    }

    /// Opens a file that redb finds damaged as it is, without asking redb whether it is
    /// whole: what lies beyond the damage still opens, and what was sealed shows itself
    /// whether it is what it was.
    pub(super) fn open_damaged_or_not(&self, lock: &Lock) -> Result<Opened> {
        let bad = BadSectors::Zeros;
        let damage = match *self.known_flaw() {
            Some(_) => None,
            None => match self.fenced(|| self.open_to_see(lock, bad)) {
                Err(Error::StoreDamaged { path, why }) => Some((path, why)),
                opened => return opened,
            },
        };
        let file = self.open_file(lock, Access::Read)?;
        let backend = self.backend(file, bad);
        match (builder().open_read_only_with_backend(backend), damage) {
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
            let aside = Overlay::over(file, &self.unread).map_err(Error::io("open", &self.path))?;
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
        let aside = Overlay::over(file, &self.unread).map_err(Error::io("open", &self.path))?;
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
            .create_with_backend(self.backend(file, BadSectors::Damage))
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

/// What is made of a sector that the disk does not give any more. It is damage like bytes
/// that it gives wrong, and no trouble that keeps anybody from the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadSectors {
    /// Reading fails, as where redb finds a page damaged.
    Damage,
    /// Zeros, for who reads past damage: no record is in them that opens. Nothing may be
    /// written for what this answers.
    Zeros,
}

/// As much is given up at once where a disk fails.
const SECTOR: u64 = 4096;

impl BadSectors {
    /// Reads a part of the file, and counts where that fails.
    pub(super) fn read(
        self,
        file: &dyn DiskFile,
        at: u64,
        out: &mut [u8],
        unread: &Unread,
    ) -> io::Result<()> {
        match file.read_at(at, out) {
            Err(error) if disk::is_bad_sector(&error) => {
                unread.0.fetch_add(1, Ordering::Relaxed);
                match self {
                    Self::Damage => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
                    Self::Zeros => read_around(file, at, out),
                }
            }
            read => read,
        }
    }
}

/// Counts the reads of a store that met a sector which the disk does not give: what is
/// missed by one of them may be there again some day, and what is damaged is not.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<AtomicU64>);

impl Unread {
    /// How many there were so far.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Reads a sector at a time; those that the disk does not give are zeros.
fn read_around(file: &dyn DiskFile, at: u64, out: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < out.len() {
        let at = at + done as u64;
        let to_edge = (SECTOR - at % SECTOR) as usize;
        let end = (done + to_edge).min(out.len());
        let piece = &mut out[done..end];
        match file.read_at(at, piece) {
            Err(error) if disk::is_bad_sector(&error) => piece.fill(0),
            read => read?,
        }
        done = end;
    }
    Ok(())
}

/// redb's view of a file of the vault. It takes no lock of its own: the vault's
/// lock is held whenever the store is open.
#[derive(Debug)]
pub(super) struct Backend {
    file: Box<dyn DiskFile>,
    bad: BadSectors,
    unread: Unread,
}

impl Backend {
    pub(super) fn new(file: Box<dyn DiskFile>, bad: BadSectors, unread: &Unread) -> Self {
        let unread = unread.clone();
        Self { file, bad, unread }
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.bad.read(&*self.file, offset, out, &self.unread)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, data)
    }
}

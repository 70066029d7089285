//! A disk in memory whose power can be cut after any operation.
//!
//! It knows what was synced and what was not. After a cut it comes back as a
//! killed process leaves it, without anything unsynced, or with any part of
//! that: whole blocks of a write, and whole operations on names. What loses its
//! name stays on the platter, where a test can look for it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Access, Disk, DiskFile, Hold};

const BLOCK: usize = 4096;

/// What survives a cut of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All of it, as after `kill -9`.
    Kill,
    /// Nothing of it.
    LoseUnsynced,
    /// Some of it; the number chooses what.
    Tear(u64),
}

#[derive(Debug, Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Clone, Default)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Debug, Clone)]
enum Naming {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl Naming {
    fn is_in(&self, dir: &Path) -> bool {
        match self {
            Self::Link(path, _) | Self::Unlink(path) | Self::Rename(path, _) => {
                path.parent() == Some(dir)
            }
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Platter {
    inodes: Vec<Inode>,
    now: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    naming: Vec<Naming>,
    dirs: BTreeSet<PathBuf>,
    /// Operations left until the power is cut.
    left: Option<usize>,
    cut: bool,
    /// Bytes that all files together may have.
    room: Option<usize>,
    /// A file of which no byte can be written.
    broken: Option<PathBuf>,
    /// Bytes of a file that can't be read until they are written again.
    unreadable: Option<(usize, Range<usize>)>,
}

/// The disk. Clones share it; [`after`](Self::after) makes another one.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimDisk(Arc<Mutex<Platter>>);

impl SimDisk {
    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A disk of the same content, apart from this one.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.platter().clone())))
    }

    /// Cuts the power after so many more changing operations.
    pub(crate) fn cut_after(&self, operations: usize) {
        self.platter().left = Some(operations);
    }

    /// Whether the power was cut.
    pub(crate) fn was_cut(&self) -> bool {
        self.platter().cut
    }

    /// Lets the files together grow by so many bytes and no more.
    pub(crate) fn leave_room(&self, bytes: usize) {
        let mut platter = self.platter();
        let used: usize = platter.used();
        platter.room = Some(used + bytes);
    }

    /// Makes every write to this file fail; `None` mends it.
    pub(crate) fn break_writes(&self, path: Option<&Path>) {
        self.platter().broken = path.map(Path::to_owned);
    }

    /// Makes these bytes of a file a bad sector: they can't be read until they are
    /// written again.
    pub(crate) fn break_reads(&self, path: &Path, bytes: Range<usize>) {
        let mut platter = self.platter();
        platter.unreadable = platter.now.get(path).map(|inode| (*inode, bytes));
    }

    /// What a machine finds that starts after the power was cut now.
    pub(crate) fn after(&self, cut: Cut) -> Self {
        let mut platter = self.platter().clone();
        let mut dice = match cut {
            Cut::Tear(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            Cut::Kill | Cut::LoseUnsynced => 0,
        };
        let mut survives = || match cut {
            Cut::Kill => true,
            Cut::LoseUnsynced => false,
            Cut::Tear(_) => {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                dice & 0x100 != 0
            }
        };
        for inode in &mut platter.inodes {
            for pending in std::mem::take(&mut inode.pending) {
                match pending {
                    Pending::Write(at, bytes) => {
                        for (number, block) in bytes.chunks(BLOCK).enumerate() {
                            if survives() {
                                put(&mut inode.durable, at + number * BLOCK, block);
                            }
                        }
                    }
                    Pending::Length(length) => {
                        if survives() {
                            inode.durable.resize(length, 0);
                        }
                    }
                }
            }
            inode.now = inode.durable.clone();
        }
        for naming in std::mem::take(&mut platter.naming) {
            if survives() {
                naming.apply(&mut platter.durable);
            }
        }
        platter.now = platter.durable.clone();
        (platter.left, platter.cut) = (None, false);
        Self(Arc::new(Mutex::new(platter)))
    }

    /// Every file by its name, as it is now.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let platter = self.platter();
        platter
            .now
            .iter()
            .map(|(path, at)| (path.clone(), platter.inodes[*at].now.clone()))
            .collect()
    }

    /// What the platter holds of every file there ever was, named or not, as
    /// it is and as it was last synced.
    pub(crate) fn remains(&self) -> Vec<Vec<u8>> {
        let platter = self.platter();
        platter
            .inodes
            .iter()
            .flat_map(|inode| [inode.now.clone(), inode.durable.clone()])
            .collect()
    }

    /// Changes a file behind the vault's back.
    pub(crate) fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut platter = self.platter();
        if let Some(at) = platter.now.get(path).copied() {
            let inode = &mut platter.inodes[at];
            change(&mut inode.now);
            inode.durable = inode.now.clone();
        }
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    if bytes.len() < at + new.len() {
        bytes.resize(at + new.len(), 0);
    }
    bytes[at..at + new.len()].copy_from_slice(new);
}

impl Platter {
    fn used(&self) -> usize {
        self.now.values().map(|at| self.inodes[*at].now.len()).sum()
    }

    /// Counts a changing operation, and refuses it once the power is cut.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.left {
            Some(0) => {
                self.cut = true;
                Err(io::Error::other("the power is cut"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn touches_bad(&self, inode: usize, bytes: Range<usize>) -> bool {
        let bad = self.unreadable.as_ref().filter(|(bad, _)| *bad == inode);
        bad.is_some_and(|(_, bad)| bad.start < bytes.end && bytes.start < bad.end)
    }

    fn rename_or(&mut self, naming: Naming) {
        naming.apply(&mut self.now);
        self.naming.push(naming);
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut platter = self.platter();
        let there = platter.now.get(path).copied();
        let at = match (access, there) {
            (Access::Create, Some(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            (_, Some(at)) => at,
            (Access::Read | Access::Write, None) => return Err(io::ErrorKind::NotFound.into()),
            (Access::Create | Access::WriteOrCreate, None) => {
                if !path.parent().is_some_and(|dir| platter.dirs.contains(dir)) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                platter.change()?;
                platter.inodes.push(Inode::default());
                let at = platter.inodes.len() - 1;
                platter.rename_or(Naming::Link(path.to_owned(), at));
                at
            }
        };
        Ok(Box::new(SimFile {
            disk: self.clone(),
            path: path.to_owned(),
            at,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut platter = self.platter();
        if !platter.now.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        platter.change()?;
        platter.rename_or(Naming::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        let mut platter = self.platter();
        if !platter.now.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        platter.change()?;
        platter.rename_or(Naming::Unlink(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut platter = self.platter();
        platter.change()?;
        let (synced, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut platter.naming)
            .into_iter()
            .partition(|naming| naming.is_in(dir));
        platter.naming = rest;
        synced
            .iter()
            .for_each(|naming| naming.apply(&mut platter.durable));
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let platter = self.platter();
        if !platter.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = |path: &&PathBuf| path.parent() == Some(dir);
        let name = |path: &PathBuf| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        Ok(platter
            .now
            .keys()
            .chain(&platter.dirs)
            .filter(inside)
            .filter_map(name)
            .collect())
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut platter = self.platter();
        if !platter.dirs.contains(dir) {
            platter.change()?;
            platter.dirs.extend(dir.ancestors().map(Path::to_owned));
        }
        Ok(())
    }

    fn make_private(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let platter = self.platter();
        Ok(platter.now.contains_key(path) || platter.dirs.contains(path))
    }

    fn space(&self, _dir: &Path) -> io::Result<u64> {
        let platter = self.platter();
        let room = platter.room.ok_or(io::ErrorKind::Unsupported)?;
        Ok(room.saturating_sub(platter.used()) as u64)
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    path: PathBuf,
    at: usize,
}

impl SimFile {
    fn write(&self, grown: usize, pending: Pending) -> io::Result<()> {
        let mut platter = self.disk.platter();
        if platter.broken.as_ref() == Some(&self.path) {
            return Err(io::Error::from_raw_os_error(5));
        }
        let more = grown.saturating_sub(platter.inodes[self.at].now.len());
        if platter
            .room
            .is_some_and(|room| more > 0 && platter.used() + more > room)
        {
            return Err(io::ErrorKind::StorageFull.into());
        }
        // The operation in which the power is cut may be done in part.
        let inode_at = self.at;
        let counted = platter.change();
        if counted.is_ok() {
            if let Pending::Write(at, bytes) = &pending
                && platter.touches_bad(inode_at, *at..at + bytes.len())
            {
                platter.unreadable = None;
            }
            let inode = &mut platter.inodes[inode_at];
            match &pending {
                Pending::Write(at, bytes) => put(&mut inode.now, *at, bytes),
                Pending::Length(length) => inode.now.resize(*length, 0),
            }
            inode.pending.push(pending);
        }
        counted
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.platter().inodes[self.at].now.len() as u64)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let platter = self.disk.platter();
        let from = offset as usize;
        if platter.touches_bad(self.at, from..from + bytes.len()) {
            return Err(io::Error::from_raw_os_error(5));
        }
        let there = platter.inodes[self.at].now.get(from..from + bytes.len());
        bytes.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let at = offset as usize;
        self.write(at + bytes.len(), Pending::Write(at, bytes.to_vec()))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.write(length as usize, Pending::Length(length as usize))
    }

    fn sync(&self) -> io::Result<()> {
        let mut platter = self.disk.platter();
        platter.change()?;
        let inode = &mut platter.inodes[self.at];
        inode.durable = inode.now.clone();
        inode.pending.clear();
        Ok(())
    }

    fn try_lock(&self, _hold: Hold) -> io::Result<bool> {
        Ok(true)
    }
}

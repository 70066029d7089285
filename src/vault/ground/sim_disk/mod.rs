//! A disk in memory that does what disks do to those who trust them.
//!
//! It knows what was synced and what was not. Its power can be cut after any
//! operation and inside of one; it then comes back with any part of what was
//! pending: blocks of 4 KiB or sectors of 512 bytes of a write, lengths, names,
//! all in any order. Any operation can be made to fail. After a failed sync the
//! pages count as clean, whether they got to the disk or not. What loses its
//! name stays on the platter, and every byte that was ever written is kept in a
//! log, where a test can look for it.
//!
//! Not modelled: a disk that loses what it said was synced, and bytes that
//! change by themselves (a test does that with [`SimDisk::tamper`]).

mod content;
mod cut;
mod fault;
mod file;
mod flocks;
mod platter;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::cut::{Cut, Dice};
use self::fault::{Does, Faults};
pub(crate) use self::fault::{Lasting, Trouble};
use self::file::SimFile;
use self::flocks::Flocks;
pub(crate) use self::platter::Written;
use self::platter::{Naming, Platter};
use super::disk::{Access, Disk, DiskFile};

/// A disk in a machine that runs.
#[derive(Debug, Default)]
struct Machine {
    platter: Platter,
    faults: Faults,
    flocks: Flocks,
    /// The disk before each change, once it is asked for.
    trace: Option<Vec<Platter>>,
}

/// The disk. Clones share it; [`after`](Self::after) makes another one.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimDisk(Arc<Mutex<Machine>>);

impl SimDisk {
    fn of(platter: Platter) -> Self {
        let machine = Machine {
            platter,
            ..Machine::default()
        };
        Self(Arc::new(Mutex::new(machine)))
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A disk of the same content, apart from this one, in a machine where
    /// nobody holds a file and nothing fails. What was pending still is.
    pub(crate) fn fork(&self) -> Self {
        Self::of(self.machine().platter.clone())
    }

    /// Cuts the power after so many more changing operations.
    pub(crate) fn cut_after(&self, operations: usize) {
        self.machine().faults.cut_after(operations);
    }

    /// Whether the power was cut.
    pub(crate) fn was_cut(&self) -> bool {
        self.machine().faults.was_cut()
    }

    /// Lets the files together grow by so many bytes and no more.
    pub(crate) fn leave_room(&self, bytes: usize) {
        let mut machine = self.machine();
        let used = machine.platter.used();
        machine.platter.room = Some(used + bytes);
    }

    /// Makes every write to this file fail; `None` mends it.
    pub(crate) fn break_writes(&self, path: Option<&Path>) {
        self.machine().faults.break_writes(path);
    }

    /// Makes these bytes of a file a bad sector: they can't be read until they are
    /// written again.
    pub(crate) fn break_reads(&self, path: &Path, bytes: Range<usize>) {
        let platter = &mut self.machine().platter;
        platter.unreadable = platter.now.files.get(path).map(|inode| (*inode, bytes));
    }

    /// Makes an operation fail, counted from the first on this machine.
    pub(crate) fn fail(&self, operation: usize, trouble: Trouble, lasting: Lasting) {
        self.machine().faults.fail(operation, trouble, lasting);
    }

    /// How many operations were made to fail.
    pub(crate) fn failed(&self) -> usize {
        self.machine().faults.hit()
    }

    /// How many operations there were on this machine, those that only look
    /// included.
    pub(crate) fn operations(&self) -> usize {
        self.machine().faults.operations
    }

    /// How many changing operations there were on this machine.
    pub(crate) fn changes(&self) -> usize {
        self.machine().faults.changes
    }

    /// Keeps what the disk is like before each change from now on.
    pub(crate) fn trace(&self) {
        self.machine().trace = Some(Vec::new());
    }

    /// The disk before each change since [`trace`](Self::trace), and as it is.
    pub(crate) fn traced(&self) -> Vec<Self> {
        let machine = self.machine();
        let before = machine.trace.iter().flatten();
        before
            .chain([&machine.platter])
            .map(|platter| Self::of(platter.clone()))
            .collect()
    }

    /// What a machine finds that starts after the power was cut now.
    pub(crate) fn after(&self, cut: Cut) -> Self {
        Self::of(self.machine().platter.after(cut))
    }

    /// What may have survived a cut now: every subset of a few pending changes;
    /// of many both ends, single ones, and some by chance, so many at most.
    pub(crate) fn cuts(&self, seed: u64, most: usize) -> Vec<Cut> {
        self.machine().platter.cuts(seed, most)
    }

    /// Is the same for two images that are known to hold the same.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.machine().platter.fingerprint()
    }

    /// Every file by its name, as it is now.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let platter = &self.machine().platter;
        let named = platter.now.files.iter();
        named
            .map(|(path, at)| (path.clone(), platter.inodes[*at].now.bytes()))
            .collect()
    }

    /// What the platter holds of every file there ever was, named or not, as
    /// it is and as it was last synced.
    pub(crate) fn remains(&self) -> Vec<Vec<u8>> {
        let platter = &self.machine().platter;
        let inodes = platter.inodes.iter();
        inodes
            .flat_map(|inode| [inode.now.bytes(), inode.durable.bytes()])
            .collect()
    }

    /// Pieces of the platter that begin, with a block, with these bytes: so long
    /// each, of every file there ever was, as it is and as it was last synced.
    pub(crate) fn pieces(&self, start: &[u8], length: usize) -> Vec<Vec<u8>> {
        let platter = &self.machine().platter;
        let mut pieces = Vec::new();
        for inode in &platter.inodes {
            for content in [&inode.now, &inode.durable] {
                for at in content.blocks_starting(start) {
                    let mut piece = vec![0; length];
                    if content.read(at, &mut piece) && !pieces.contains(&piece) {
                        pieces.push(piece);
                    }
                }
            }
        }
        pieces
    }

    /// Every write there ever was, the first of them left out.
    pub(crate) fn written_since(&self, first: usize) -> Vec<Written> {
        let machine = self.machine();
        machine.platter.written.get(first..).unwrap_or(&[]).to_vec()
    }

    /// Changes a file behind the vault's back.
    pub(crate) fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut machine = self.machine();
        let platter = &mut machine.platter;
        if let Some(at) = platter.now.files.get(path).copied() {
            let inode = platter.inode(at);
            let mut bytes = inode.now.bytes();
            change(&mut bytes);
            inode.set_len(bytes.len());
            inode.write(0, &bytes);
            inode.settle();
        }
    }
}

impl Machine {
    /// Counts an operation that changes something, and keeps what was before.
    fn change(&mut self, path: &Path, does: Does) -> io::Result<()> {
        self.faults.count(path, does)?;
        if let Some(trace) = &mut self.trace {
            trace.push(self.platter.clone());
        }
        Ok(())
    }

    fn has(&self, path: &Path) -> io::Result<()> {
        match self.platter.now.files.contains_key(path) {
            true => Ok(()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut machine = self.machine();
        let there = machine.platter.now.files.get(path).copied();
        let at = match (access, there) {
            (Access::Create, Some(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            (_, Some(at)) => {
                machine.faults.count(path, Does::Look)?;
                at
            }
            (Access::Read | Access::Write, None) => return Err(io::ErrorKind::NotFound.into()),
            (Access::Create | Access::WriteOrCreate, None) => {
                let names = &machine.platter.now;
                if !path.parent().is_some_and(|dir| names.has_dir(dir)) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                machine.change(path, Does::Grow)?;
                machine.platter.inodes.push(Arc::default());
                let at = machine.platter.inodes.len() - 1;
                let naming = Naming::Link(path.to_owned(), at);
                machine.platter.rename_or(naming);
                at
            }
        };
        let opener = machine.flocks.opener();
        Ok(Box::new(SimFile::new(self.clone(), path, at, opener)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        machine.has(from)?;
        machine.change(from, Does::Grow)?;
        let naming = Naming::Rename(from.to_owned(), to.to_owned());
        machine.platter.rename_or(naming);
        Ok(())
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        machine.has(path)?;
        machine.change(path, Does::Remove)?;
        machine.platter.rename_or(Naming::Unlink(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        machine.change(dir, Does::Grow)?;
        machine.platter.sync_dir(dir);
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut machine = self.machine();
        machine.faults.count(dir, Does::Look)?;
        let names = &machine.platter.now;
        if !names.has_dir(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = names.files.keys().chain(&names.dirs);
        let mut listed: Vec<String> = inside
            .filter(|path| path.parent() == Some(dir))
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        listed.sort_unstable();
        Ok(listed)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        let above: Vec<PathBuf> = dir.ancestors().map(Path::to_owned).collect();
        for path in above.into_iter().rev() {
            if !machine.platter.now.has_dir(&path) {
                machine.change(&path, Does::Grow)?;
                machine.platter.rename_or(Naming::Dir(path));
            }
        }
        Ok(())
    }

    fn make_private(&self, path: &Path) -> io::Result<()> {
        self.machine().faults.count(path, Does::Look)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut machine = self.machine();
        machine.faults.count(path, Does::Look)?;
        let names = &machine.platter.now;
        Ok(names.files.contains_key(path) || names.has_dir(path))
    }

    fn space(&self, _dir: &Path) -> io::Result<u64> {
        let platter = &self.machine().platter;
        let room = platter.room.ok_or(io::ErrorKind::Unsupported)?;
        Ok(room.saturating_sub(platter.used()) as u64)
    }
}

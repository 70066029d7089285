//! An open file of the disk in memory.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use super::fault::Does;
use super::platter::Written;
use super::{Machine, SimDisk};
use crate::vault::ground::disk::{DiskFile, Hold};

/// The file stays what it is when its name goes.
#[derive(Debug)]
pub(super) struct SimFile {
    disk: SimDisk,
    path: Arc<Path>,
    at: usize,
    opener: u64,
}

impl SimFile {
    pub(super) fn new(disk: SimDisk, path: &Path, at: usize, opener: u64) -> Self {
        let path = path.into();
        Self {
            disk,
            path,
            at,
            opener,
        }
    }

    /// Counts a change that makes the file so long. One that fails is done in
    /// part, by `part`.
    fn change(&self, length: usize, part: impl FnOnce(&mut Machine)) -> io::Result<()> {
        let mut machine = self.disk.machine();
        let grows = length > machine.platter.inodes[self.at].now.len();
        let does = if grows { Does::Grow } else { Does::Change };
        let more = length.saturating_sub(machine.platter.inodes[self.at].now.len());
        let room = machine.platter.room;
        if room.is_some_and(|room| more > 0 && machine.platter.used() + more > room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let counted = machine.change(&self.path, does);
        // Once the power is gone nothing is done; what was begun is pending.
        if counted.is_err() && !machine.faults.was_cut() {
            part(&mut machine);
        }
        counted
    }

    fn put(&self, machine: &mut Machine, offset: usize, bytes: &[u8]) {
        let written = offset..offset + bytes.len();
        if machine.platter.touches_bad(self.at, written) {
            machine.platter.unreadable = None;
        }
        machine.platter.inode(self.at).write(offset, bytes);
        machine.platter.written.push(Written {
            path: Arc::clone(&self.path),
            bytes: bytes.into(),
        });
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        let mut machine = self.disk.machine();
        machine.faults.count(&self.path, Does::Look)?;
        Ok(machine.platter.inodes[self.at].now.len() as u64)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let mut machine = self.disk.machine();
        machine.faults.count(&self.path, Does::Look)?;
        let from = offset as usize;
        if machine
            .platter
            .touches_bad(self.at, from..from + bytes.len())
        {
            return Err(Errno::IO.into());
        }
        let content = &machine.platter.inodes[self.at].now;
        match content.read(from, bytes) {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = offset as usize;
        self.change(offset + bytes.len(), |machine| {
            self.put(machine, offset, &bytes[..bytes.len() / 2]);
        })?;
        self.put(&mut self.disk.machine(), offset, bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(length as usize, |_| ())?;
        let mut machine = self.disk.machine();
        machine.platter.inode(self.at).set_len(length as usize);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut machine = self.disk.machine();
        let counted = machine.change(&self.path, Does::Grow);
        let was_cut = machine.faults.was_cut();
        let inode = machine.platter.inode(self.at);
        match &counted {
            Ok(()) => inode.sync(),
            Err(_) if was_cut => {}
            Err(_) => inode.fail_to_sync(),
        }
        counted
    }

    fn try_lock(&self, hold: Hold) -> io::Result<bool> {
        let mut machine = self.disk.machine();
        Ok(machine.flocks.try_lock(self.at, self.opener, hold))
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.disk.machine().flocks.close(self.at, self.opener);
    }
}

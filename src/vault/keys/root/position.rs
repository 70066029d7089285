//! The places in which slots stand, and how they are read, written and wiped there.

use std::io;
use std::path::Path;

use super::{Copy, HASH_AT, RootSlot, SLOT_LEN, START_LEN};
use crate::crypto::root_seal::TAG_LEN;
use crate::vault::ground::disk::{self, Access, Disk, DiskFile};

/// One of the four places a slot can stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Which file.
    pub copy: Copy,
    /// Which of its two slots: generation mod 2.
    pub parity: u64,
}

impl Position {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self {
            copy: Copy::A,
            parity: 0,
        },
        Self {
            copy: Copy::A,
            parity: 1,
        },
        Self {
            copy: Copy::B,
            parity: 0,
        },
        Self {
            copy: Copy::B,
            parity: 1,
        },
    ];

    /// Where a generation stands in a copy.
    #[must_use]
    pub const fn of(copy: Copy, generation: u64) -> Self {
        Self {
            copy,
            parity: generation % 2,
        }
    }

    const fn offset(self) -> u64 {
        self.parity * SLOT_LEN as u64
    }

    /// What stands here, where a file that can't be read is as good as damaged.
    #[cfg(test)]
    pub fn read(self, disk: &dyn Disk, dir: &Path) -> Result<RootSlot, super::NoSlot> {
        self.read_bytes(disk, dir)
            .map_or(Err(super::NoSlot::Damaged), RootSlot::decode)
    }

    /// The bytes that stand here, as [`RootSlot::decode`] takes them.
    pub fn read_bytes(self, disk: &dyn Disk, dir: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; SLOT_LEN];
        disk.open(&self.copy.root_file(dir), Access::Read)?
            .read_at(self.offset(), &mut bytes)?;
        Ok(bytes)
    }

    /// The hash and MAC that stand here, as a cheap way to see a change.
    pub fn read_stamp(self, disk: &dyn Disk, dir: &Path) -> io::Result<[u8; 2 * TAG_LEN]> {
        let mut stamp = [0; 2 * TAG_LEN];
        disk.open(&self.copy.root_file(dir), Access::Read)?
            .read_at(self.offset() + HASH_AT as u64, &mut stamp)?;
        Ok(stamp)
    }

    /// Writes a slot here and syncs the file.
    pub fn write(self, disk: &dyn Disk, dir: &Path, slot: &RootSlot) -> io::Result<()> {
        self.write_to(&*disk.open(&self.copy.root_file(dir), Access::Write)?, slot)
    }

    /// Writes a slot here, in a root file that is open, and syncs the file.
    pub fn write_to(self, file: &dyn DiskFile, slot: &RootSlot) -> io::Result<()> {
        file.write_at(self.offset(), slot.bytes())?;
        file.sync()
    }

    /// Overwrites what stands here with random bytes and syncs the file.
    ///
    /// The block with the start of the slot goes last, and only once the pad behind
    /// it, without which nothing of the slot opens, is gone for good. So a wipe that
    /// was cut short or failed always leaves something that looks like a slot, and
    /// unlocking does it again; what looks like noise never comes back.
    pub fn wipe(self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        let file = self.wipe_pad(disk, dir)?;
        file.sync()?;
        self.wipe_start(&*file)
    }

    /// The first half of [`wipe`](Self::wipe): all but the start. To be synced.
    pub fn wipe_pad(self, disk: &dyn Disk, dir: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = disk.open(&self.copy.root_file(dir), Access::Write)?;
        let (start, rest) = (self.offset(), (SLOT_LEN - START_LEN) as u64);
        disk::overwrite_range(&*file, start + START_LEN as u64, rest)?;
        Ok(file)
    }

    /// The second half, once the first is on the disk. Need not be synced.
    pub fn wipe_start(self, file: &dyn DiskFile) -> io::Result<()> {
        disk::overwrite_range(file, self.offset(), START_LEN as u64)
    }
}

/// Makes a root file full of random bytes, or lengthens one that is too short,
/// and syncs it. Its name is durable once the directory is synced.
pub fn make_file(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let file = disk.open(path, Access::WriteOrCreate)?;
    let (there, whole) = (file.len()?, 2 * SLOT_LEN as u64);
    if there < whole {
        disk::overwrite_range(&*file, there, whole - there)?;
    }
    file.sync()
}

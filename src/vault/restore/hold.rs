//! Says that somebody puts recordings back: an flock on a file of its own.
//!
//! What he wrote so far looks like what a restore that was killed left over. Who is
//! about to clear that away asks here first. The kernel drops the flock with the
//! process; the file stays, and holds nothing.

use std::io;
use std::path::Path;

use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Access, Disk, DiskFile};

/// The file's name in the vault.
pub(in crate::vault) const RESTORING_FILE: &str = "restoring";

/// Held as long as recordings are put back.
#[derive(Debug)]
pub(super) struct Hold(#[expect(dead_code, reason = "held, not used")] Box<dyn DiskFile>);

impl Hold {
    /// # Errors
    /// [`Error::Busy`] if somebody else has it.
    pub(super) fn take(disk: &dyn Disk, dir: &Path) -> Result<Self> {
        let path = dir.join(RESTORING_FILE);
        let opened = disk.open(&path, Access::WriteOrCreate);
        let file = opened.map_err(Error::io("open", &path))?;
        let taken = file.try_lock(disk::Hold::Exclusive);
        match taken.map_err(Error::io("lock", &path))? {
            true => Ok(Self(file)),
            false => Err(Error::Busy { path }),
        }
    }

    /// Whether somebody has it, this process or another.
    pub(super) fn is_taken(disk: &dyn Disk, dir: &Path) -> Result<bool> {
        let path = dir.join(RESTORING_FILE);
        match disk.open(&path, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("open", &path)(error)),
            Ok(file) => {
                let free = file.try_lock(disk::Hold::Exclusive);
                free.map(|free| !free).map_err(Error::io("lock", &path))
            }
        }
    }
}

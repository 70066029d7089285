//! A disk that does not do what it is told.

use std::io;
use std::path::{Path, PathBuf};

use crate::vault::disk::Disk;
use crate::vault::ground::disk::{Access, DiskFile};
use crate::vault::ground::sim_disk::SimDisk;

/// A disk with a folder that can't be listed, and files that come back at once when
/// they are removed.
#[derive(Debug, Clone)]
pub(super) struct Odd {
    pub(super) disk: SimDisk,
    pub(super) closed: Option<PathBuf>,
    pub(super) back: Vec<PathBuf>,
}

impl Disk for Odd {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        self.disk.open(path, access)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        match self.back.contains(&path.to_owned()) {
            true => Ok(()),
            false => self.disk.unlink(path),
        }
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        match self.closed.as_deref() == Some(dir) {
            true => Err(io::ErrorKind::PermissionDenied.into()),
            false => self.disk.list(dir),
        }
    }
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }
    fn make_private(&self, path: &Path) -> io::Result<()> {
        self.disk.make_private(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }
}

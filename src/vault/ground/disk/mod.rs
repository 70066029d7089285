//! Everything the vault asks of a file system, and nothing more.
//!
//! All of the vault's files go through [`Disk`], so that a test can put a disk
//! in its place that stops, fills up or loses what was not synced, after any
//! operation. That is why syncs are operations of their own here, and why
//! nothing is buffered.

use std::fmt::Debug;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustix::io::Errno;

pub use self::real::RealDisk;
use crate::crypto::fill_noise;
use crate::vault::error::NOT_A_FILE;

mod real;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading what is there.
    Read,
    /// Reading and writing what is there.
    Write,
    /// Reading and writing; made (0600) where it is not there.
    WriteOrCreate,
    /// Reading and writing a new file (0600); refused if it is there.
    Create,
}

/// How an flock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Beside others who share it.
    Shared,
    /// Alone.
    Exclusive,
}

/// An open file. Every method takes `&self`: offsets are explicit.
pub trait DiskFile: Debug + Send + Sync {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Fills `bytes` from `offset`; an error where the file ends before.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`. Durable after [`sync`](Self::sync).
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file, or lengthens it with zeros.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Makes all that was written to this file durable, its length too; its times
    /// need not be.
    fn sync(&self) -> io::Result<()>;

    /// Takes an flock if that is possible at once; `false` if somebody holds
    /// it. It lasts as long as this file is open.
    fn try_lock(&self, hold: Hold) -> io::Result<bool>;

    /// Nothing is in it.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Writes at the end, as it is now. Durable after [`sync`](Self::sync).
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_at(self.len()?, bytes)
    }
}

/// A file system. Names become durable with [`sync_dir`](Self::sync_dir) only.
pub trait Disk: Debug + Send + Sync {
    /// Opens a file.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name; what had that name is gone.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a name. The bytes of the file stay where they are: see [`erase`].
    fn unlink(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes files, and the names in a directory, durable, none of them before
    /// another. All of it is tried; answers with what failed.
    fn sync_together(&self, files: &[&dyn DiskFile], dir: &Path) -> io::Result<()> {
        let synced = files.iter().map(|file| file.sync());
        let synced = synced.fold(Ok(()), io::Result::and);
        synced.and(self.sync_dir(dir))
    }

    /// Makes files durable, none of them before another. All of it is tried; what
    /// came of each, in their order.
    fn sync_each(&self, files: &[&dyn DiskFile]) -> Vec<io::Result<()>> {
        files.iter().map(|file| file.sync()).collect()
    }

    /// The names in a directory, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes a directory (0700), with those above it; fine if it is there.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the rights of everybody else away: 0700 for a directory, 0600 for
    /// a file.
    fn make_private(&self, path: &Path) -> io::Result<()>;

    /// Whether there is something of this name.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Bytes that this user may still write where a directory is. A quota that
    /// the file system does not count here shows only when a write fails.
    ///
    /// # Errors
    /// `Unsupported` where that can't be told.
    fn space(&self, _dir: &Path) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Whether files may be made in a directory, without making one.
    ///
    /// # Errors
    /// `ReadOnlyFilesystem`, or `PermissionDenied`.
    fn may_write(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// What opening answers where something else than a regular file has the name.
const NO_FILE: io::ErrorKind = io::ErrorKind::InvalidInput;

/// Whether a file could not be opened because something else has its name: a
/// directory, a link, a pipe, a device.
pub(crate) fn is_no_file(error: &io::Error) -> bool {
    let is = |errno: Errno| error.raw_os_error() == Some(errno.raw_os_error());
    error.kind() == NO_FILE || is(Errno::LOOP) || is(Errno::NXIO) || is(Errno::ISDIR)
}

/// Whether the medium does not give what lies there: the disk, or a file system that keeps
/// checksums.
pub(crate) fn is_bad_sector(error: &io::Error) -> bool {
    let is = |errno: Errno| error.raw_os_error() == Some(errno.raw_os_error());
    // What ext4 and xfs call a structure that needs cleaning.
    #[cfg(target_os = "linux")]
    let is_unclean = is(Errno::UCLEAN);
    #[cfg(not(target_os = "linux"))]
    let is_unclean = false;
    is(Errno::IO) || is(Errno::BADMSG) || is_unclean
}

/// Whether the system refused to open a file, to this user or for now: that says nothing
/// of what is in it.
pub(crate) fn is_refused(error: &io::Error) -> bool {
    const REFUSALS: [Errno; 4] = [Errno::ACCESS, Errno::PERM, Errno::MFILE, Errno::NFILE];
    let is = |errno: &Errno| error.raw_os_error() == Some(errno.raw_os_error());
    REFUSALS.iter().any(is)
}

/// The same error for each of them, which says what it is.
fn no_file(path: &Path) -> io::Error {
    let what = match fs::symlink_metadata(path).map(|found| found.file_type()) {
        Ok(kind) if kind.is_dir() => "a folder",
        Ok(kind) if kind.is_symlink() => "a symbolic link, which is never followed",
        Ok(kind) if kind.is_fifo() => "a named pipe",
        Ok(kind) if kind.is_socket() => "a socket",
        _ => "something else",
    };
    io::Error::new(NO_FILE, format!("{NOT_A_FILE} {what}"))
}

/// More than any file that is read in one piece has: a bag of a million recordings
/// takes less. What claims to be longer must not cost the memory.
const MOST_BYTES: u64 = 256 << 20;

/// All of a file.
pub fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    read_at_most(disk, path, MOST_BYTES)
}

/// All of a file that has no more than so many bytes.
pub(crate) fn read_at_most(disk: &dyn Disk, path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = disk.open(path, Access::Read)?;
    let length = file.len()?;
    if length > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; length as usize];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// All of a file, or `None` if it is not there.
pub fn read_if_there(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match read(disk, path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file whole and syncs it; its name is durable after the directory
/// is synced. What was there under this name is overwritten first to last.
pub fn write(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(disk, path, bytes)?.sync()
}

/// The same without the sync; the file.
pub(crate) fn put(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
    let file = disk.open(path, Access::WriteOrCreate)?;
    file.write_at(0, bytes)?;
    if file.len()? != bytes.len() as u64 {
        file.set_len(bytes.len() as u64)?;
    }
    Ok(file)
}

/// Overwrites all of a file with random bytes, in place, and syncs it.
pub fn overwrite(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    overwrite_telling(disk, path, &mut |_| ())
}

/// The same for a large file; `progress` hears how many bytes are done.
pub fn overwrite_telling(
    disk: &dyn Disk,
    path: &Path,
    progress: &mut dyn FnMut(u64),
) -> io::Result<()> {
    const STRIDE_BYTES: u64 = 64 << 20;
    let file = disk.open(path, Access::Write)?;
    let length = file.len()?;
    let mut done = 0;
    while done < length {
        let stride = STRIDE_BYTES.min(length - done);
        overwrite_range(&*file, done, stride)?;
        done += stride;
        progress(done);
    }
    file.sync()
}

/// Overwrites the first bytes of a file with random ones, in place, and leaves the sync
/// to the caller; `None` if it is not there.
pub fn begin_overwrite(
    disk: &dyn Disk,
    path: &Path,
    most: u64,
) -> io::Result<Option<Box<dyn DiskFile>>> {
    let file = match disk.open(path, Access::Write) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    overwrite_range(&*file, 0, file.len()?.min(most))?;
    Ok(Some(file))
}

/// Overwrites `length` bytes from `offset` with noise, which no file system can store as
/// nothing. Not synced.
pub fn overwrite_range(file: &dyn DiskFile, offset: u64, length: u64) -> io::Result<()> {
    const PIECE: u64 = 64 * 1024;
    let mut noise = vec![0; PIECE.min(length) as usize];
    let mut done = 0;
    while done < length {
        let piece = &mut noise[..PIECE.min(length - done) as usize];
        fill_noise(piece).map_err(io::Error::other)?;
        file.write_at(offset + done, piece)?;
        done += piece.len() as u64;
    }
    Ok(())
}

/// Overwrites a file, syncs it, and removes its name; fine if it is not there.
/// The directory is synced by the caller.
pub fn erase(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match overwrite(disk, path) {
        Ok(()) => disk.unlink(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use super::*;

    #[test]
    fn a_length_that_nothing_of_ours_has_is_refused_and_costs_no_memory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bag.1.a");
        fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let error = read(&RealDisk, &path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_no_regular_file_is_neither_followed_nor_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name| dir.path().join(name);
        fs::create_dir(path("dir")).unwrap();
        fs::write(path("file"), "").unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(path("pipe"))
            .status();
        assert!(made.unwrap().success());
        let kinds = [
            ("dir", "a folder"),
            ("link", "a symbolic link"),
            ("pipe", "a named pipe"),
        ];
        for (name, what) in kinds {
            for access in [Access::Read, Access::Write] {
                let error = RealDisk.open(&path(name), access).unwrap_err();
                assert!(is_no_file(&error), "{name}: {error:?}");
                assert!(error.to_string().contains(what), "{name}: {error}");
            }
        }
        assert!(RealDisk.open(&path("file"), Access::Read).is_ok());
    }
}

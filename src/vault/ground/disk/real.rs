//! The machine's own file system.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::thread;

use rustix::fs::{Access as Permission, FlockOperation, OFlags, access, flock, statvfs};
use rustix::io::Errno;

use super::{Access, Disk, DiskFile, Hold, is_no_file, no_file};

/// The machine's own file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIR: u32 = 0o700;

impl Disk for RealDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).mode(PRIVATE_FILE);
        // A symbolic link in the place of a file is never followed, and a pipe
        // not waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits() as i32);
        match access {
            Access::Read => {}
            Access::Write => {
                options.write(true);
            }
            Access::WriteOrCreate => {
                options.write(true).create(true).truncate(false);
            }
            Access::Create => {
                options.write(true).create_new(true);
            }
        }
        let file = match options.open(path) {
            Err(error) if is_no_file(&error) => return Err(no_file(path)),
            opened => opened?,
        };
        match file.metadata()?.is_file() {
            true => Ok(Box::new(file)),
            false => Err(no_file(path)),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            // A read-only file system says so before it looks for the name.
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                match self.exists(path)? {
                    true => Err(error),
                    false => Err(io::ErrorKind::NotFound.into()),
                }
            }
            done => done,
        }
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn sync_together(&self, files: &[&dyn DiskFile], dir: &Path) -> io::Result<()> {
        let (synced, names) = sync_beside(files, || self.sync_dir(dir));
        synced.into_iter().fold(Ok(()), io::Result::and).and(names)
    }

    fn sync_each(&self, files: &[&dyn DiskFile]) -> Vec<io::Result<()>> {
        sync_beside(files, || ()).0
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            // What is not UTF-8 was not put there by us; that it is there counts.
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE_DIR)
            .create(dir)
    }

    fn make_private(&self, path: &Path) -> io::Result<()> {
        let mode = if fs::metadata(path)?.is_dir() {
            PRIVATE_DIR
        } else {
            PRIVATE_FILE
        };
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn space(&self, dir: &Path) -> io::Result<u64> {
        let file_system = statvfs(dir)?;
        // What is kept for root is not counted, also where root asks.
        Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
    }

    fn may_write(&self, dir: &Path) -> io::Result<()> {
        let wanted = Permission::WRITE_OK | Permission::EXEC_OK;
        Ok(access(dir, wanted)?)
    }
}

/// Syncs files at the same time, so that a journal commits once for all of them, and
/// does something else meanwhile.
fn sync_beside<T>(
    files: &[&dyn DiskFile],
    meanwhile: impl FnOnce() -> T,
) -> (Vec<io::Result<()>>, T) {
    thread::scope(|scope| {
        let sync = |file: &'_ &dyn DiskFile| file.sync();
        let running: Vec<_> = files
            .iter()
            .map(|file| {
                let thread = thread::Builder::new().name("sync".into());
                let began = thread.spawn_scoped(scope, move || sync(file));
                // Where no thread can be had it is done here.
                began.map_err(|_| sync(file))
            })
            .collect();
        let answer = meanwhile();
        let synced = running.into_iter().map(|one| match one {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err(died())),
            Err(done) => done,
        });
        (synced.collect(), answer)
    })
}

fn died() -> io::Error {
    io::Error::other("the thread that synced has died")
}

impl DiskFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        Self::set_len(self, length)
    }

    fn sync(&self) -> io::Result<()> {
        // Whoever overwrites in place spares the journal the new times.
        self.sync_data()
    }

    fn try_lock(&self, hold: Hold) -> io::Result<bool> {
        let operation = match hold {
            Hold::Shared => FlockOperation::NonBlockingLockShared,
            Hold::Exclusive => FlockOperation::NonBlockingLockExclusive,
        };
        match flock(self, operation) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

//! Who may work in the vault: `lock` and `gate`, both plain flocks, which the
//! kernel drops with the process.
//!
//! `lock` keeps two processes from changing keys or store at once; `gate` keeps
//! a rotation and the start of a recording apart. The order is lock, then gate:
//! a [`Gate`] held alone is only given to who shows a [`Lock`].

use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::disk::{Access, Disk, DiskFile, Hold};
use crate::vault::error::{Error, Result};

/// How long somebody waits for a lock before it is called busy.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is tried meanwhile: flock can't wait for a limited time.
const RETRY: Duration = Duration::from_millis(5);

/// The name of the lock file.
pub(crate) const LOCK_FILE: &str = "lock";
/// The name of the gate file.
pub(crate) const GATE_FILE: &str = "gate";

/// The right to change the vault; nobody else has it. Dropping it lets go.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not used")] Box<dyn DiskFile>);

/// The gate, shared by recorders that start or held alone by a rotation.
#[derive(Debug)]
pub struct Gate(#[expect(dead_code, reason = "held, not used")] Box<dyn DiskFile>);

impl Lock {
    /// Takes the lock, waiting up to [`PATIENCE`].
    ///
    /// # Errors
    /// [`Error::Busy`] if another holds it for longer.
    pub fn take(disk: &dyn Disk, dir: &Path) -> Result<Self> {
        take(disk, &dir.join(LOCK_FILE), Hold::Exclusive, PATIENCE).map(Self)
    }

    /// Takes the lock, waiting for as long as told.
    pub fn take_within(disk: &dyn Disk, dir: &Path, patience: Duration) -> Result<Self> {
        take(disk, &dir.join(LOCK_FILE), Hold::Exclusive, patience).map(Self)
    }
}

impl Gate {
    /// Takes the gate beside other recorders. For the start of a recording.
    pub fn share(disk: &dyn Disk, dir: &Path) -> Result<Self> {
        take(disk, &dir.join(GATE_FILE), Hold::Shared, PATIENCE).map(Self)
    }

    /// Takes the gate alone. The lock is shown, not used: it must be held first.
    pub fn close(disk: &dyn Disk, dir: &Path, lock: &Lock) -> Result<Self> {
        Self::close_within(disk, dir, lock, PATIENCE)
    }

    /// The same, waiting for as long as told.
    pub fn close_within(
        disk: &dyn Disk,
        dir: &Path,
        _lock: &Lock,
        patience: Duration,
    ) -> Result<Self> {
        take(disk, &dir.join(GATE_FILE), Hold::Exclusive, patience).map(Self)
    }
}

fn take(disk: &dyn Disk, path: &Path, hold: Hold, patience: Duration) -> Result<Box<dyn DiskFile>> {
    let file = match disk.open(path, Access::WriteOrCreate) {
        // A vault that can't be written can still be read, and flock takes
        // a file that is open for reading.
        Err(error) if is_read_only(&error) => disk.open(path, Access::Read),
        // Without the directory there is no vault, whatever there was before.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::NoVault {
                dir: path.parent().unwrap_or(path).to_owned(),
            });
        }
        answer => answer,
    };
    let file = file.map_err(Error::io("open", path))?;
    let start = Instant::now();
    while !file.try_lock(hold).map_err(Error::io("lock", path))? {
        if start.elapsed() >= patience {
            return Err(Error::Busy {
                path: path.to_owned(),
            });
        }
        thread::sleep(RETRY);
    }
    Ok(file)
}

fn is_read_only(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), ReadOnlyFilesystem | PermissionDenied)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::vault::ground::disk::RealDisk;

    #[test]
    fn a_second_one_waits_and_then_hears_that_the_vault_is_busy() {
        let dir = tempfile::tempdir().unwrap();
        let held = Lock::take(&RealDisk, dir.path()).unwrap();
        let short = Duration::from_millis(30);
        let answer = Lock::take_within(&RealDisk, dir.path(), short);
        assert!(matches!(answer, Err(Error::Busy { .. })));
        drop(held);
        assert!(Lock::take_within(&RealDisk, dir.path(), short).is_ok());
    }

    #[test]
    fn recorders_share_the_gate_and_a_rotation_has_it_alone() {
        let dir = tempfile::tempdir().unwrap();
        let one = Gate::share(&RealDisk, dir.path()).unwrap();
        let two = Gate::share(&RealDisk, dir.path()).unwrap();
        let gate = RealDisk
            .open(&dir.path().join(GATE_FILE), Access::Write)
            .unwrap();
        assert!(!gate.try_lock(Hold::Exclusive).unwrap());
        drop((one, two));
        assert!(gate.try_lock(Hold::Exclusive).unwrap());
    }

    #[test]
    fn what_waits_gets_the_lock_once_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let held = Lock::take(&RealDisk, dir.path()).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::take(&RealDisk, dir.path()));
            thread::sleep(Duration::from_millis(20));
            drop(held);
            assert!(waiting.join().unwrap().is_ok());
        });
    }
}

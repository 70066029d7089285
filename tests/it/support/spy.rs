//! A disk that remembers every byte that was ever written to it, and that can
//! be made to die in the middle of any operation, as a killed process does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use voxvault::vault::disk::{Access, Disk, DiskFile, Hold, RealDisk};

use super::forensic::Evidence;

/// The machine's own disk, watched.
#[derive(Debug, Clone)]
pub(crate) struct Spy(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    written: Mutex<Vec<(PathBuf, Vec<u8>)>>,
    /// Changes made so far, torn ones and refused ones too.
    changes: AtomicUsize,
    /// The change in the middle of which it dies.
    dies_at: usize,
}

impl Spy {
    /// One that lives.
    pub(crate) fn watching() -> Self {
        Self::dying_at(usize::MAX)
    }

    /// One that does so many changes whole, the next one by half, and nothing
    /// from then on.
    pub(crate) fn dying_at(change: usize) -> Self {
        Self(Arc::new(Shared {
            written: Mutex::new(Vec::new()),
            changes: AtomicUsize::new(0),
            dies_at: change,
        }))
    }

    /// How many changes were asked for so far.
    pub(crate) fn changes(&self) -> usize {
        self.0.changes.load(Ordering::SeqCst)
    }

    /// Whether it died.
    pub(crate) fn is_dead(&self) -> bool {
        self.changes() > self.0.dies_at
    }

    /// Adds everything that was ever written, but for root slots, which are all
    /// that a vault relies on to be overwritten.
    pub(crate) fn testify(&self, evidence: &mut Evidence) {
        for (path, bytes) in self.0.written.lock().unwrap().iter() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !name.starts_with("root.") {
                evidence.add(&format!("written to {name}"), bytes.clone());
            }
        }
    }

    /// How far the next change gets.
    fn next(&self) -> Fate {
        match self.0.changes.fetch_add(1, Ordering::SeqCst) {
            before if before < self.0.dies_at => Fate::Whole,
            before if before == self.0.dies_at => Fate::Torn,
            _ => Fate::Dead,
        }
    }

    fn change<T>(&self, change: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.next() {
            Fate::Whole => change(),
            Fate::Torn | Fate::Dead => Err(dead()),
        }
    }

    fn look<T>(&self, look: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.is_dead() { Err(dead()) } else { look() }
    }
}

enum Fate {
    Whole,
    Torn,
    Dead,
}

fn dead() -> io::Error {
    io::Error::other("the process was killed")
}

impl Disk for Spy {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let makes = match access {
            Access::Create => true,
            Access::WriteOrCreate => !RealDisk.exists(path)?,
            Access::Read | Access::Write => false,
        };
        let open = || RealDisk.open(path, access);
        let inner = if makes {
            self.change(open)?
        } else {
            self.look(open)?
        };
        Ok(Box::new(SpyFile {
            inner,
            path: path.to_owned(),
            spy: self.clone(),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|| RealDisk.rename(from, to))
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.change(|| RealDisk.unlink(path))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.change(|| RealDisk.sync_dir(dir))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.look(|| RealDisk.list(dir))
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.change(|| RealDisk.create_dir(dir))
    }

    fn make_private(&self, path: &Path) -> io::Result<()> {
        self.change(|| RealDisk.make_private(path))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.look(|| RealDisk.exists(path))
    }
}

#[derive(Debug)]
struct SpyFile {
    inner: Box<dyn DiskFile>,
    path: PathBuf,
    spy: Spy,
}

impl DiskFile for SpyFile {
    fn len(&self) -> io::Result<u64> {
        self.spy.look(|| self.inner.len())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.spy.look(|| self.inner.read_at(offset, bytes))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (done, fate) = match self.spy.next() {
            Fate::Whole => (bytes, Ok(())),
            Fate::Torn => (&bytes[..bytes.len() / 2], Err(dead())),
            Fate::Dead => return Err(dead()),
        };
        let mut written = self.spy.0.written.lock().unwrap();
        written.push((self.path.clone(), done.to_vec()));
        self.inner.write_at(offset, done)?;
        fate
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.spy.change(|| self.inner.set_len(length))
    }

    fn sync(&self) -> io::Result<()> {
        self.spy.change(|| self.inner.sync())
    }

    fn try_lock(&self, hold: Hold) -> io::Result<bool> {
        self.spy.look(|| self.inner.try_lock(hold))
    }
}

#[test]
fn a_dying_disk_tears_one_write_and_does_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let spy = Spy::dying_at(2);
    let file = spy.open(&path, Access::Create).unwrap();
    file.write_at(0, b"first ").unwrap();
    assert!(file.write_at(6, b"second").is_err());
    assert!(spy.is_dead());
    assert!(file.write_at(9, b"third").is_err());
    assert!(spy.unlink(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"first sec");
}

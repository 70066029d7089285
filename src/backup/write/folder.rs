//! The folder of a backup while a backup is written to it.
//!
//! Segments appear whole: under another name until they are durable. Nothing that
//! lies there is ever changed, but for the copies of the ways in, which are put in
//! the place of older ones.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::backup::error::{Error, Result};
use crate::backup::layout::{Found, MOST_SLOT_BYTES, part_names, segment_name, slot_name};
use crate::backup::plain::{self, NO_FILE};

/// The head of an age file that holds the key to the rest is within this.
const HEAD_BYTES: usize = 32 * 1024;

const CHOOSE: &str = "give a folder that is empty, or is not there yet";

/// A folder, which nobody else writes a backup to.
pub(super) struct Folder {
    dir: PathBuf,
    /// The numbers of the segments, in order.
    pub segments: Vec<u32>,
    /// The slots of which there are copies.
    pub slots: Vec<String>,
    parts: Vec<String>,
    /// Whether something else lies there.
    pub others: Others,
    /// Holds the lock.
    _lock: File,
}

/// What lies in a folder that is no part of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Nothing, or what file systems and programs that carry folders put there.
    None,
    /// Something.
    Some,
}

impl Folder {
    /// Opens it, and makes it if it is not there.
    ///
    /// # Errors
    /// [`Error::Unusable`] if it lies in the vault, or around it, or is no folder;
    /// [`Error::Busy`] if another process writes there.
    pub(super) fn open(dir: &Path, vault: &Path) -> Result<Self> {
        let dir = whereto(dir)?;
        let vault = fs::canonicalize(vault).map_err(Error::io("find", vault))?;
        let unusable = |why| Error::Unusable {
            dir: dir.clone(),
            why,
            hint: CHOOSE,
        };
        if dir.starts_with(&vault) {
            return Err(unusable("it lies in the vault"));
        }
        if vault.starts_with(&dir) {
            return Err(unusable("the vault lies in it"));
        }
        match fs::metadata(&dir) {
            Ok(found) if !found.is_dir() => return Err(unusable("it is no folder")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&dir)?,
            Err(error) => return Err(Error::io("read", &dir)(error)),
        }
        let lock = File::open(&dir).map_err(Error::io("open", &dir))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => {
                return Err(Error::Busy { dir });
            }
            // There are file systems without locks.
            Ok(()) | Err(_) => {}
        }
        let mut folder = Self {
            dir,
            segments: Vec::new(),
            slots: Vec::new(),
            parts: Vec::new(),
            others: Others::None,
            _lock: lock,
        };
        folder.look()?;
        Ok(folder)
    }

    fn look(&mut self) -> Result<()> {
        let list = || Error::io("list", &self.dir);
        for entry in fs::read_dir(&self.dir).map_err(list())? {
            let name = entry.map_err(list())?.file_name();
            let name = name.to_string_lossy();
            match Found::parse(&name) {
                Found::Segment(number) => self.segments.push(number),
                Found::Slot(slot) => self.slots.push(slot),
                Found::Part => self.parts.push(name.into_owned()),
                Found::Foreign if name.starts_with('.') || name == "lost+found" => {}
                Found::Foreign => self.others = Others::Some,
            }
        }
        self.segments.sort_unstable();
        self.slots.sort_unstable();
        Ok(())
    }

    /// Where it is, without links.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether nothing of a backup lies there.
    pub(super) fn is_bare(&self) -> bool {
        self.segments.is_empty() && self.slots.is_empty() && self.parts.is_empty()
    }

    /// A segment's file.
    pub(super) fn segment(&self, number: u32) -> PathBuf {
        self.dir.join(segment_name(number))
    }

    /// Takes away what a run that was killed left. A folder in which something lies is
    /// none of it, and stays.
    pub(super) fn clear(&mut self, damaged: &dyn Fn(Error)) -> Result<()> {
        for name in std::mem::take(&mut self.parts) {
            let path = self.dir.join(&name);
            match discard(&path) {
                Err(_) if is_folder(&path) => damaged(Error::damaged(name, NO_FILE)),
                discarded => discarded.map_err(Error::io("remove", &path))?,
            }
        }
        Ok(())
    }

    /// A segment that is not there yet.
    pub(super) fn part(&self, number: u32) -> Result<Part> {
        Part::create(&self.dir, &segment_name(number))
    }

    /// What a copy of a way in holds.
    pub(super) fn read_slot(&self, slot: &str) -> Option<Vec<u8>> {
        let name = slot_name(slot);
        let mut bytes = Vec::new();
        let opened = plain::open(&name, &self.dir.join(&name)).ok()?;
        let read = opened.take(MOST_SLOT_BYTES).read_to_end(&mut bytes);
        read.ok().map(|_| bytes)
    }

    /// Puts a copy of a way in there, in the place of an older one.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a folder lies in its place.
    pub(super) fn put_slot(&self, slot: &str, sealed: &[u8]) -> Result<()> {
        let name = slot_name(slot);
        if is_folder(&self.dir.join(&name)) {
            return Err(Error::damaged(name, NO_FILE));
        }
        let mut part = Part::create(&self.dir, &name)?;
        part.write_all(sealed)
            .map_err(Error::io("write", &part.path.clone()))?;
        part.publish()
    }

    /// Takes a segment away, of which what still counts was written anew.
    pub(super) fn remove_segment(&self, number: u32) -> Result<()> {
        self.remove(&segment_name(number))
    }

    /// Takes the copy of a way in away that the vault does not have any more.
    pub(super) fn remove_slot(&self, slot: &str) -> Result<()> {
        self.remove(&slot_name(slot))
    }

    /// It loses its name before it is overwritten: half of it must not pass for one
    /// that was altered. The next run clears away what a cut leaves.
    fn remove(&self, name: &str) -> Result<()> {
        let path = self.dir.join(name);
        if is_folder(&path) {
            return Err(Error::damaged(name, NO_FILE));
        }
        let part = free_part(&self.dir, name).map_err(Error::io("remove", &path))?;
        match fs::rename(&path, &part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed.map_err(Error::io("remove", &path))?,
        }
        sync(&self.dir)?;
        discard(&part).map_err(Error::io("remove", &part))?;
        sync(&self.dir)
    }
}

/// The folder that is meant, without links, as far as it is there.
fn whereto(dir: &Path) -> Result<PathBuf> {
    let whole = std::path::absolute(dir).map_err(Error::io("find", dir))?;
    let mut missing = Vec::new();
    let mut there = whole.as_path();
    loop {
        match fs::canonicalize(there) {
            Ok(mut found) => {
                found.extend(missing.iter().rev());
                return Ok(found);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (Some(name), Some(above)) = (there.file_name(), there.parent()) else {
                    return Err(Error::io("find", dir)(error));
                };
                missing.push(name);
                there = above;
            }
            Err(error) => return Err(Error::io("find", dir)(error)),
        }
    }
}

fn make(dir: &Path) -> Result<()> {
    let missing = dir.ancestors().take_while(|one| !one.exists()).count();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(Error::io("make", dir))?;
    // Each name that was made is durable, and that of a folder which was there.
    let parents = dir.ancestors().skip(1).take(missing.max(1));
    parents.into_iter().try_for_each(sync)
}

fn sync(dir: &Path) -> Result<()> {
    File::open(dir)
        .and_then(|opened| opened.sync_all())
        .map_err(Error::io("sync", dir))
}

/// A file that is being written. It is gone when this is dropped before it was
/// published.
pub(super) struct Part {
    file: File,
    path: PathBuf,
    whole: PathBuf,
    is_published: bool,
}

impl Part {
    fn create(dir: &Path, name: &str) -> Result<Self> {
        let whole = dir.join(name);
        let path = free_part(dir, name).map_err(Error::io("create", &whole))?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(Error::io("create", &path))?;
        Ok(Self {
            file,
            path,
            whole,
            is_published: false,
        })
    }

    /// Makes it durable, and then gives it its name.
    pub(super) fn publish(mut self) -> Result<()> {
        self.file
            .sync_all()
            .map_err(Error::io("sync", &self.path))?;
        fs::rename(&self.path, &self.whole).map_err(Error::io("rename", &self.path))?;
        self.is_published = true;
        self.whole.parent().map_or(Ok(()), sync)
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_published {
            // What can't be removed now is in the way of nobody: the next run does.
            let _ = discard(&self.path);
        }
    }
}

/// The name for a file that is not whole, at which nothing lies any more; another than
/// the usual one where a folder is there in which something lies.
fn free_part(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let [usual, other] = part_names(name).map(|name| dir.join(name));
    match discard(&usual) {
        Ok(()) => Ok(usual),
        Err(_) if is_folder(&usual) => discard(&other).map(|()| other),
        Err(error) => Err(error),
    }
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Removes a file of which nobody is to read what it held: its head has the key to
/// it. Fine if it is not there. A pipe is not waited for, and a folder goes if it is
/// empty.
fn discard(path: &Path) -> io::Result<()> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new()
        .write(true)
        .custom_flags(flags.bits() as i32)
        .open(path);
    match opened {
        // The name goes also where the head can't be overwritten, on a disk that is
        // full and never overwrites in place.
        Ok(file) => {
            let _ = wipe_head(file);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) if is_folder(path) => return fs::remove_dir(path),
        // A link, or something that can't be written: the name goes.
        Err(_) => {}
    }
    fs::remove_file(path)
}

fn wipe_head(mut file: File) -> io::Result<()> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Ok(());
    }
    let head = found.len().min(HEAD_BYTES as u64) as usize;
    file.write_all(&vec![0; head])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn scene() -> (tempfile::TempDir, PathBuf) {
        let scratch = tempfile::tempdir().unwrap();
        let vault = scratch.path().join("vault");
        fs::create_dir(&vault).unwrap();
        (scratch, vault)
    }

    #[test]
    fn a_folder_in_the_vault_or_around_it_is_refused_however_it_is_named() {
        let (scratch, vault) = scene();
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink(&vault, &link).unwrap();
        for dir in [
            vault.clone(),
            vault.join("backup"),
            vault.join("a/b/c"),
            link.join("backup"),
            scratch.path().join("vault/../vault/backup"),
            scratch.path().to_owned(),
        ] {
            let refused = Folder::open(&dir, &vault);
            assert!(matches!(refused, Err(Error::Unusable { .. })), "{dir:?}");
        }
        assert!(!vault.join("backup").exists());
        // Next to it is fine.
        Folder::open(&scratch.path().join("vault-backup"), &vault).unwrap();
    }

    #[test]
    fn one_process_writes_to_a_folder_at_a_time() {
        let (scratch, vault) = scene();
        let dir = scratch.path().join("backup");
        let held = Folder::open(&dir, &vault).unwrap();
        assert!(matches!(
            Folder::open(&dir, &vault),
            Err(Error::Busy { .. })
        ));
        drop(held);
        Folder::open(&dir, &vault).unwrap();
    }

    #[test]
    fn a_part_is_gone_unless_it_was_published() {
        let (scratch, vault) = scene();
        let mut folder = Folder::open(&scratch.path().join("backup"), &vault).unwrap();
        let mut part = folder.part(1).unwrap();
        part.write_all(b"sealed").unwrap();
        drop(part);
        assert_eq!(fs::read_dir(folder.dir()).unwrap().count(), 0);
        let mut part = folder.part(1).unwrap();
        part.write_all(b"sealed").unwrap();
        part.publish().unwrap();
        fs::write(folder.dir().join("0002.tar.age.part"), b"killed").unwrap();
        folder.put_slot("passphrase", b"old").unwrap();
        folder.put_slot("passphrase", b"new").unwrap();
        folder.look().unwrap();
        assert_eq!(folder.segments, [1]);
        let told = std::cell::RefCell::new(Vec::new());
        let tell = |error: Error| told.borrow_mut().push(error.to_string());
        folder.clear(&tell).unwrap();
        assert!(told.borrow().is_empty(), "{told:?}");
        let mut names: Vec<_> = fs::read_dir(folder.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["0001.tar.age", "passphrase.age"]);
        assert_eq!(folder.read_slot("passphrase").unwrap(), b"new");
        folder.remove_slot("passphrase").unwrap();
        assert!(folder.read_slot("passphrase").is_none());
        // A folder that is in the way stays, and the part gets another name.
        let in_the_way = folder.dir().join("0002.tar.age.part");
        fs::create_dir(&in_the_way).unwrap();
        fs::write(in_the_way.join("letter.txt"), "dear").unwrap();
        folder.part(2).unwrap().publish().unwrap();
        fs::write(folder.dir().join("0003.tar.age.2.part"), b"killed").unwrap();
        folder.look().unwrap();
        assert_eq!(folder.segments.last(), Some(&2));
        folder.clear(&tell).unwrap();
        assert_eq!(*told.borrow(), [format!("0002.tar.age.part: {NO_FILE}")]);
        assert!(in_the_way.join("letter.txt").exists());
        assert!(!folder.dir().join("0003.tar.age.2.part").exists());
    }
}

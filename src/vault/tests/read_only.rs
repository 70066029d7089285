//! A vault on a disk that can't be written: what is there can be read, what
//! writes is refused with words, and nothing changes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::{assert_sound, card, moment, new_vault, passphrase, record, transcript};
use crate::error::{Exit, Failure};
use crate::vault::disk::{Access, Disk, DiskFile, RealDisk};
use crate::vault::site::Site;
use crate::vault::store::Store;
use crate::vault::{Error, OpenVault, ShredScope, Vault};

/// The machine's disk, which answers this to everything that writes, and may say before
/// that it would not.
#[derive(Debug)]
struct ReadOnly {
    errno: Errno,
    lets_on: bool,
}

impl ReadOnly {
    fn no<T>(&self) -> io::Result<T> {
        Err(self.errno.into())
    }
}

impl Disk for ReadOnly {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        match access {
            Access::Read => RealDisk.open(path, access),
            Access::Write if !path.exists() => Err(io::ErrorKind::NotFound.into()),
            Access::Write | Access::WriteOrCreate | Access::Create => self.no(),
        }
    }
    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        self.no()
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        match path.exists() {
            true => self.no(),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        match dir.exists() {
            true => Ok(()),
            false => self.no(),
        }
    }
    fn make_private(&self, _path: &Path) -> io::Result<()> {
        self.no()
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }
    fn space(&self, _dir: &Path) -> io::Result<u64> {
        Ok(0)
    }
    fn may_write(&self, _dir: &Path) -> io::Result<()> {
        match self.lets_on {
            true => self.no(),
            false => Ok(()),
        }
    }
}

fn only_to_read(dir: &Path, errno: Errno) -> OpenVault {
    let lets_on = true;
    opened_on(ReadOnly { errno, lets_on }, dir)
}

fn opened_on(disk: ReadOnly, dir: &Path) -> OpenVault {
    let site = Site {
        disk: Arc::new(disk),
        ..Site::new(dir, None)
    };
    Vault::open_at(site).unwrap().unlock(&passphrase()).unwrap()
}

/// Every file of the vault and what is in it.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn what_is_there_is_read_and_what_writes_is_refused_and_changes_nothing() {
    for (errno, why) in [
        (Errno::ROFS, "the file system is read-only"),
        (Errno::ACCESS, "Permission denied"),
    ] {
        let (_dir, open) = new_vault();
        let dir = open.vault().dir().to_owned();
        let kept = record(open.vault(), 1, 7);
        open.merge().unwrap();
        open.add_transcript(kept, 0, &transcript("the heater"))
            .unwrap();
        let waiting = record(open.vault(), 2, 3);
        drop(open);
        let before = files(&dir);

        let open = only_to_read(&dir, errno);
        assert!(open.vault().may_write().is_err());
        assert_eq!(open.notices(), []);
        let ids: Vec<_> = open.recordings().unwrap().iter().map(|it| it.id).collect();
        assert_eq!(ids, [kept]);
        assert_sound(&open, kept, 1, 7);
        assert_eq!(open.transcript(kept, 1).unwrap(), transcript("the heater"));
        assert_eq!(open.vault().inbox().unwrap().len(), 1, "it waits");

        let refused = |what: &str, error: Error| {
            assert!(error.is_read_only(), "{what}: {error:?}");
            let failure = Failure::from(error);
            assert_eq!(failure.exit, Exit::Failed, "{what}");
            assert!(failure.why.contains(why), "{what}: {failure}");
            assert!(failure.hint.is_some(), "{what}");
        };
        refused("merge", open.merge().unwrap_err());
        let title = open.update_card(kept, &mut |card| card.title = "other".into());
        refused("edit", title.unwrap_err());
        let words = open.add_transcript(kept, 0, &transcript("boiler"));
        refused("transcribe", words.unwrap_err());
        let sound = open.verify(&|_, _| ()).unwrap();
        assert_eq!((sound.flaws.len(), sound.recordings), (0, 2), "{sound:?}");
        let repaired = open.repair(moment(1), &|_, _| ());
        refused("repair", repaired.unwrap_err());
        let shredded = open.shred(&[kept], ShredScope::Everything, &mut |_, _| {});
        refused("shred", shredded.unwrap_err());
        refused("record", open.vault().begin(&card("new")).unwrap_err());
        refused("scrub", open.scrub(&mut |_, _| ()).unwrap_err());
        drop(open);
        assert_eq!(files(&dir), before);

        // Once it can be written again, all goes on.
        let open = Vault::open(&dir).unwrap().unlock(&passphrase()).unwrap();
        assert_eq!(open.merge().unwrap().merged, [waiting]);
        assert_sound(&open, waiting, 2, 3);
    }
}

#[test]
fn what_a_repair_can_not_write_is_no_damage() {
    let (_dir, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    record(open.vault(), 1, 3);
    drop(open);
    let disk = ReadOnly {
        errno: Errno::ROFS,
        lets_on: false,
    };
    let open = opened_on(disk, &dir);
    let repaired = open.repair(moment(1), &|_, _| ()).unwrap();
    assert_eq!((&repaired.flaws, repaired.recordings), (&vec![], 1));
    let failure = repaired.undone.first().unwrap();
    assert_eq!(failure.exit, Exit::Failed);
    assert!(failure.why.contains("read-only"), "{failure}");
}

#[test]
fn a_store_that_was_left_open_by_a_kill_is_read_all_the_same() {
    let (_dir, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    let kept = record(open.vault(), 1, 4);
    open.merge().unwrap();
    // The file as it is while a change is made: what a kill leaves behind.
    let store = Store::new(Arc::new(RealDisk), &dir);
    let path = dir.join("store.redb");
    let killed = open
        .session()
        .with(|held| store.change(held.lock(), |_| Ok(fs::read(&path).unwrap())))
        .unwrap();
    drop(open);
    let whole = fs::read(&path).unwrap();
    assert!(killed != whole, "it is closed as it was open");
    fs::write(&path, &killed).unwrap();

    let open = only_to_read(&dir, Errno::ROFS);
    assert_eq!(open.recordings().unwrap().len(), 1);
    assert_sound(&open, kept, 1, 4);
    drop(open);
    assert_eq!(
        fs::read(&path).unwrap(),
        killed,
        "nothing was repaired on the disk"
    );
}

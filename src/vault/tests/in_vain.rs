//! Promises about a way in that the vault did not take: its key opens nothing, and what
//! was prepared for it does not stay.

use std::path::Path;
use std::sync::Arc;

use super::crash::{fresh, reopen, site};
use super::*;
use crate::crypto::{Asker, Identities, Nobody, RecoveryKey, WayKey};
use crate::vault::bag::WayKind;
use crate::vault::ground::disk::Disk;
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::ground::site::{Observer, Step};
use crate::vault::{Error, NewWay, Notice, Result};

fn nobody() -> Arc<dyn Asker> {
    Arc::new(Nobody)
}

fn add(open: &OpenVault, name: &str, key: &RecoveryKey) -> Result<()> {
    open.add_way(&NewWay {
        name,
        kind: WayKind::Age,
        key: WayKey::Recipient(&key.recipient(), &nobody()),
        now_ms: 7,
    })
}

fn unlock(disk: &SimDisk, key: &RecoveryKey) -> Result<OpenVault> {
    let identities = Identities::read(key.to_identity().as_bytes(), "key", &nobody());
    Vault::open_at(site(disk))?.unlock(&identities.ok().unwrap())
}

/// A slot with the keys in force, sealed to this key, that no bag knows.
fn sealed_to(open: &OpenVault, key: &RecoveryKey) -> Vec<u8> {
    let secrets = open.session().with(|held| Ok(held.ring().secrets()));
    let (recipient, asker) = (key.recipient(), nobody());
    let sealed = secrets
        .unwrap()
        .seal_for(&WayKey::Recipient(&recipient, &asker));
    sealed.ok().unwrap()
}

fn put(disk: &SimDisk, name: &str, bytes: &[u8]) {
    let path = Path::new("/vault/keys").join(name);
    crate::vault::ground::disk::write(disk, &path, bytes).unwrap();
    disk.sync_dir(Path::new("/vault/keys")).unwrap();
}

fn slots(disk: &SimDisk) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = disk.files().into_iter();
    files
        .filter(|(path, _)| path.starts_with("/vault/keys"))
        .collect()
}

#[test]
fn a_way_in_that_was_refused_leaves_no_file_behind() {
    for broken in ["root.a", "a", "b"] {
        let (disk, open) = fresh();
        let before = slots(&disk);
        let generation = open.session().with(|held| Ok(held.generation())).unwrap();
        let broken = match broken {
            "root.a" => "/vault/root.a".to_owned(),
            copy => format!("/vault/bag.{}.{copy}", generation + 1),
        };
        let broken = Path::new(&broken);
        let key = RecoveryKey::generate();
        disk.break_writes(Some(broken));
        add(&open, "phone", &key).unwrap_err();
        let refused = open.change_passphrase_with(
            &Passphrase::new("another passphrase".to_owned()),
            WorkFactor::NONE,
        );
        refused.unwrap_err();
        assert!(slots(&disk) == before, "{}", broken.display());
        disk.break_writes(None);
        assert!(matches!(
            unlock(&disk, &key),
            Err(Error::WrongIdentity { .. })
        ));
        // Nothing else hindered it.
        add(&open, "phone", &key).unwrap();
        assert_eq!(unlock(&disk, &key).unwrap().own_way().unwrap(), "phone");
    }
}

#[test]
fn a_slot_that_the_bag_does_not_know_opens_nothing_though_the_right_keys_are_in_it() {
    let (disk, open) = fresh();
    let key = RecoveryKey::generate();
    let sealed = sealed_to(&open, &key);
    let zeros = "00".repeat(16);
    for name in [
        format!("phone.{zeros}.new.age"),
        format!("passphrase.{zeros}.new.age"),
        "phone.age".to_owned(),
        "passphrase.copy.age".to_owned(),
    ] {
        put(&disk, &name, &sealed);
        let opened = unlock(&disk, &key);
        assert!(matches!(opened, Err(Error::WrongIdentity { .. })), "{name}");
        disk.unlink(&Path::new("/vault/keys").join(&name)).unwrap();
        reopen(&disk);
    }
    // The control: the same file opens where its way in has no whole one left.
    put(&disk, "passphrase.age", &sealed);
    put(&disk, "passphrase.copy.age", &sealed);
    let opened = unlock(&disk, &key).unwrap();
    let name = "passphrase".to_owned();
    assert_eq!(opened.notices(), [Notice::WayLost { name }]);
}

#[test]
fn a_slot_that_the_bag_knows_opens_under_whatever_name_it_lies() {
    let (disk, open) = fresh();
    let key = RecoveryKey::generate();
    add(&open, "phone", &key).unwrap();
    let bytes = disk.files()[Path::new("/vault/keys/phone.age")].clone();
    // As a crash right behind the commit leaves it, or somebody who made a copy.
    let zeros = "00".repeat(16);
    for name in [format!("phone.{zeros}.new.age"), "mine.age".to_owned()] {
        for own in ["phone.age", "phone.copy.age"] {
            disk.unlink(&Path::new("/vault/keys").join(own)).unwrap();
        }
        put(&disk, &name, &bytes);
        if name == "mine.age" {
            // Nothing is mended from a name that is no way in's.
            let opened = unlock(&disk, &key).unwrap();
            assert_eq!(opened.own_way().unwrap(), "phone");
            continue;
        }
        assert_eq!(unlock(&disk, &key).unwrap().own_way().unwrap(), "phone");
        let settled = disk.files();
        assert!(settled.contains_key(Path::new("/vault/keys/phone.age")));
        assert!(!settled.contains_key(&Path::new("/vault/keys").join(&name)));
    }
}

/// Takes the new slots away once nothing but their places is missing.
#[derive(Debug)]
struct Thief(SimDisk);

impl Observer for Thief {
    fn reached(&self, step: Step) -> Result<()> {
        if step == Step::Cleaned {
            let files = self.0.files().into_keys();
            for path in files.filter(|path| path.to_string_lossy().contains(".new.")) {
                self.0.unlink(&path).unwrap();
            }
        }
        Ok(())
    }
}

#[test]
fn a_new_passphrase_whose_files_are_lost_is_not_told_as_done() {
    let (disk, _) = fresh();
    let observer = Arc::new(Thief(disk.clone()));
    let site = Site {
        observer,
        ..site(&disk)
    };
    let open = Vault::open_at(site).unwrap().unlock(&passphrase()).unwrap();
    let new = Passphrase::new("another passphrase".to_owned());
    let changed = open.change_passphrase_with(&new, WorkFactor::NONE);
    assert!(
        matches!(changed, Err(Error::NotFinal { .. })),
        "{changed:?}"
    );
}

#[test]
fn a_listing_of_the_keys_that_fails_is_not_told_as_done() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::new(&dir.path().join("vault"), None);
    let options = InitOptions {
        work: WorkFactor::NONE,
        ..InitOptions::default()
    };
    let open = Vault::init_at(site.clone(), &passphrase(), options).unwrap();
    let settings = open.settings().unwrap();
    let settle = || crate::vault::keys::settle::settle(&site, &settings);
    assert_eq!(settle(), [], "the control");
    // No folder any more, so it can't be listed.
    let keys = dir.path().join("vault/keys");
    std::fs::rename(&keys, dir.path().join("kept")).unwrap();
    std::fs::write(&keys, b"").unwrap();
    assert!(matches!(settle().as_slice(), [Notice::NotDone { path, .. }] if *path == keys));
}

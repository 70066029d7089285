//! Copies of the keys that somebody has put into the vault's directory, beside them or
//! under names of the vault's own, are no way round a shred or a new passphrase.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use voxvault::crypto::WorkFactor;
use voxvault::vault::frame::Kind;
use voxvault::vault::{NotErased, ShredScope};

use super::Watched;
use crate::support::PASSPHRASE;
use crate::support::forensic::{Evidence, read_all};
use crate::support::library::{self, assert_whole, record};

/// Puts copies of root and bag beside them, as people do who are careful, and other
/// things that are none; answers with the copies as they were.
fn put_aside(dir: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let root = |letter| fs::read(dir.join(format!("root.{letter}"))).unwrap();
    let mut bags: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("bag."))
        .collect();
    bags.sort();
    let bag = fs::read(dir.join(&bags[0])).unwrap();
    let slot = root("a").len() / 2;
    let newest = if root("a").starts_with(b"VOXVROOT") {
        0
    } else {
        slot
    };
    let copies = vec![
        ("root.a.bak", root("a")),
        ("root.b~", root("b")),
        ("one-slot", root("b")[newest..newest + slot].to_vec()),
        // In the midst of something else.
        (
            "pile",
            [&[b'x'; 1000], &root("a")[..], &[b'y'; 5000]].concat(),
        ),
        ("inbox/root.a", root("a")),
        ("keys/root.b.old", root("b")),
        ("bag.1.a.bak", bag.clone()),
        ("of any name", bag),
    ];
    for (name, bytes) in &copies {
        fs::write(dir.join(name), bytes).unwrap();
    }
    fs::write(dir.join("notes.txt"), "where the keys are").unwrap();
    copies
}

#[test]
fn copies_of_root_and_bag_that_lie_beside_them_are_gone_with_what_was_shredded() {
    let watched = Watched::new();
    let (dir, open) = (watched.dir(), &watched.open);
    let [doomed, kept] = watched.doomed_and_kept();

    let copies = put_aside(&dir);
    let outside = watched.home.path().join("outside");
    fs::write(&outside, &copies[0].1).unwrap();
    fs::hard_link(dir.join("root.a"), dir.join("another name")).unwrap();
    let before = watched.attack(&[PASSPHRASE]);
    assert_eq!(before.count(doomed, Kind::Sound), 3, "the control");
    std::os::unix::fs::symlink(&outside, dir.join("link")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(dir.join("pipe"))
        .status();
    assert!(pipe.unwrap().success());

    let receipt = open
        .shred(&[doomed], ShredScope::Everything, &mut |_, _| {})
        .unwrap();
    assert!(receipt.not_final.is_none(), "{receipt:?}");
    for (name, _) in &copies {
        let place = dir.join(name).display().to_string();
        let said = |line: &String| line.starts_with(&format!("{place}: a copy of an older"));
        assert!(receipt.erased.iter().any(said), "{name}: {receipt:?}");
        assert_eq!(dir.join(name).exists(), *name == "pile", "{name}");
    }
    for name in ["notes.txt", "link", "pipe", "another name"] {
        let place = dir.join(name).display().to_string();
        let is_named = receipt.not_erased.iter().any(|left| left.where_ == place);
        assert!(is_named, "{name}: {receipt:?}");
    }
    // What is none of the vault's is as it was.
    assert_eq!(fs::read(&outside).unwrap(), copies[0].1);
    assert_eq!(
        fs::read(dir.join("notes.txt")).unwrap(),
        b"where the keys are"
    );
    let pile = fs::read(dir.join("pile")).unwrap();
    assert!(pile.starts_with(&[b'x'; 1000]) && pile.ends_with(&[b'y'; 5000]));

    fs::remove_file(dir.join("link")).unwrap();
    fs::remove_file(dir.join("pipe")).unwrap();
    let after = watched.attack(&[PASSPHRASE]);
    assert!(!after.reaches(doomed), "{:?}", after.records.get(&doomed));
    assert_whole(&library::unlock(&dir, PASSPHRASE), kept, "kept", 3);
    // Any one copy of a root would have brought it back.
    for (name, bytes) in copies
        .into_iter()
        .filter(|(_, bytes)| bytes.len() > 100_000)
    {
        let mut evidence = watched.evidence();
        evidence.add(name, bytes);
        let with_it = read_all(&evidence, &[PASSPHRASE]);
        assert_eq!(with_it.count(doomed, Kind::Sound), 3, "{name}");
    }
}

/// Puts copies of root and bag where names are the vault's own, as far as these are free;
/// answers with them.
fn put_under_own_names(dir: &Path) -> Vec<&'static str> {
    let root = fs::read(dir.join("root.a")).unwrap();
    let names = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_bag = |path: &PathBuf| path.display().to_string().contains("/bag.");
    let bag = fs::read(names.filter(is_bag).min().unwrap()).unwrap();
    let roots = [
        "keys/root.age",
        "keys/root.copy.age",
        "lock",
        "restoring",
        "reserve",
        "store.redb.aside",
        "inbox/00000000000000000000000000000007.gone",
        "inbox/00000000000000000000000000000007.rec",
    ];
    let bags = [
        "keys/bag.age",
        "gate",
        "store.redb.aside.2",
        "inbox/00000000000000000000000000000008.open",
        "inbox/00000000000000000000000000000008.rec",
    ];
    for (names, bytes) in [(&roots[..], &root), (&bags[..], &bag)] {
        for name in names {
            fs::write(dir.join(name), bytes).unwrap();
        }
    }
    roots.into_iter().chain(bags).collect()
}

#[test]
fn copies_of_root_and_bag_under_names_of_the_vault_are_gone_as_well() {
    let watched = Watched::new();
    let (dir, open) = (watched.dir(), &watched.open);
    let [doomed, kept] = watched.doomed_and_kept();
    // What is in use beside them.
    let running = library::begin(open.vault(), "running", 3);
    let ran = running.id();
    let waiting = record(open.vault(), "waiting", 3);
    let copies = put_under_own_names(&dir);
    fs::write(dir.join("keys/else.age"), "age-encryption.org/v1\nwhose?").unwrap();
    let before = watched.attack(&[PASSPHRASE]);
    assert_eq!(before.count(doomed, Kind::Sound), 3, "the control");
    let slot = fs::read(dir.join("keys/passphrase.age")).unwrap();
    let lock = fs::metadata(dir.join("lock")).unwrap().ino();

    let receipt = open
        .shred(&[doomed], ShredScope::Everything, &mut |_, _| {})
        .unwrap();
    assert!(receipt.not_final.is_none(), "{receipt:?}");
    for name in &copies {
        let place = dir.join(name).display().to_string();
        let said = |line: &String| line.starts_with(&format!("{place}: a copy of an older"));
        assert!(receipt.erased.iter().any(said), "{name}: {receipt:?}");
    }
    let strange = dir.join("keys/else.age").display().to_string();
    let named = |left: &NotErased| left.where_ == strange;
    assert!(receipt.not_erased.iter().any(named), "{receipt:?}");

    // Others may have them open.
    let facts = fs::metadata(dir.join("lock")).unwrap();
    assert_eq!((facts.ino(), facts.len()), (lock, 0));
    assert_eq!(fs::metadata(dir.join("gate")).unwrap().len(), 0);
    for name in ["keys/passphrase.age", "keys/passphrase.copy.age"] {
        assert_eq!(fs::read(dir.join(name)).unwrap(), slot, "{name}");
    }
    let after = watched.attack(&[PASSPHRASE]);
    assert!(!after.reaches(doomed), "{:?}", after.records.get(&doomed));
    drop(running);
    let open = library::unlock(&dir, PASSPHRASE);
    open.merge().unwrap();
    assert_whole(&open, kept, "kept", 3);
    assert_whole(&open, waiting, "waiting", 3);
    assert_eq!(after.count(ran, Kind::Sound), 3);
}

#[test]
fn copies_of_root_bag_and_way_in_that_lie_beside_them_open_nothing_after_passwd() {
    let watched = Watched::new();
    let (dir, open) = (watched.dir(), &watched.open);
    let kept = record(open.vault(), "kept", 3);
    open.merge().unwrap();
    put_aside(&dir);
    fs::copy(dir.join("keys/passphrase.age"), dir.join("my way in")).unwrap();
    let control = read_all(&Evidence::of_directory(&dir), &[PASSPHRASE]);
    assert_eq!(control.count(kept, Kind::Sound), 3);

    let new = library::passphrase("another passphrase entirely");
    open.change_passphrase_with(&new, WorkFactor::NONE).unwrap();
    let directory = Evidence::of_directory(&dir);
    let old = read_all(&directory, &[PASSPHRASE]);
    assert_eq!(old.opened, 0, "{:?}", old.plaintexts);
    let new = read_all(&directory, &["another passphrase entirely"]);
    assert_eq!(new.count(kept, Kind::Sound), 3);
}

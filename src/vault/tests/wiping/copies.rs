//! Copies of the keys under names that are not the vault's go with it; what may be one, and
//! what is none, is left and named.

use super::*;
use crate::crypto::{SlotSecrets, VaultId};
use crate::vault::ground::disk;
use crate::vault::keys::root;

const OLD_ROOT: &str = "/vault/old-root";
/// More than is looked into before the vault's own keys are gone.
const LONG: usize = 3 << 20;

fn put(disk: &SimDisk, path: &str, bytes: &[u8]) {
    disk::write(disk, Path::new(path), bytes).unwrap();
    disk.sync_dir(Path::new(path).parent().unwrap()).unwrap();
}

fn bytes_of(disk: &SimDisk, name: &str) -> Vec<u8> {
    let (_, bytes) = disk
        .files()
        .into_iter()
        .find(|(path, _)| path.to_string_lossy().starts_with(name))
        .unwrap();
    bytes
}

/// The vault as it is after somebody careful has been there, and the names of his copies.
fn with_copies() -> (SimDisk, Vec<&'static str>) {
    let disk = simulated();
    let root = bytes_of(&disk, "/vault/root.a");
    let (bag, slot) = (
        bytes_of(&disk, "/vault/bag."),
        bytes_of(&disk, "/vault/keys/passphrase.age"),
    );
    let copies = [
        (OLD_ROOT, &root),
        ("/vault/inbox/zzz", &root),
        ("/vault/restoring", &root),
        ("/vault/bag.bak", &bag),
        ("/vault/keys/me.bak", &slot),
        ("/vault/slot.bak", &slot),
    ];
    for (path, bytes) in copies {
        put(&disk, path, bytes);
    }
    (disk, copies.map(|(path, _)| path).to_vec())
}

/// How many root slots begin anywhere on the platter.
fn slots(disk: &SimDisk) -> usize {
    let remains = disk.remains();
    remains
        .iter()
        .map(|bytes| root::starts(bytes).count())
        .sum()
}

/// The same of those that stand where a slot of a root file does, which is soon told.
fn whole_slots(disk: &SimDisk) -> usize {
    let begins = |slot: &&[u8]| slot.starts_with(b"VOXVROOT");
    let count = |bytes: &Vec<u8>| bytes.chunks(SLOT_LEN).filter(begins).count();
    disk.remains().iter().map(count).sum()
}

fn named<'r>(
    receipt: &'r crate::vault::Receipt,
    path: &str,
) -> Option<&'r crate::vault::NotErased> {
    receipt.not_erased.iter().find(|left| left.where_ == path)
}

#[test]
fn copies_of_root_bag_and_way_in_go_with_them_whatever_they_are_called() {
    let (disk, copies) = with_copies();
    let receipt = wipe(&site(&disk), &mut nobody).unwrap();
    assert_eq!(receipt.not_final, None);
    is_gone(&disk);
    assert_eq!(slots(&disk), 0);
    for path in copies {
        let says = |line: &String| line.starts_with(&format!("{path}: a copy of "));
        assert!(receipt.erased.iter().any(says), "{path}: {receipt:?}");
        assert!(named(&receipt, path).is_none(), "{path}: {receipt:?}");
    }
}

#[test]
fn root_slots_in_the_midst_of_other_things_are_overwritten_there() {
    let disk = simulated();
    let root = bytes_of(&disk, "/vault/root.a");
    for (path, length) in [("/vault/pile", 1000), ("/vault/heap", LONG)] {
        put(
            &disk,
            path,
            &[&vec![b'x'; length], &root[..], b"the end"].concat(),
        );
    }
    assert!(slots(&disk) > 2, "the control");
    let receipt = wipe(&site(&disk), &mut nobody).unwrap();
    assert_eq!(receipt.not_final, None);
    assert_eq!(slots(&disk), 0);
    for path in ["/vault/pile", "/vault/heap"] {
        let left = &disk.files()[Path::new(path)];
        assert!(left.starts_with(b"xxx") && left.ends_with(b"the end"));
        let says = |line: &String| line.starts_with(path) && line.contains("was left");
        assert!(receipt.erased.iter().any(says), "{receipt:?}");
        // And not that there were none.
        assert!(named(&receipt, path).is_none(), "{receipt:?}");
    }
}

#[test]
fn wherever_it_is_cut_once_more_finishes_the_copies_of_the_root_as_well() {
    let (disk, _) = with_copies();
    assert!(whole_slots(&disk) > 4, "the control");
    for operations in (0..).step_by(3) {
        let run = disk.fork();
        run.cut_after(operations);
        let _ = wipe(&site(&run), &mut nobody);
        let cut = run.was_cut();
        // Every step in all three ways is tried elsewhere, without copies.
        let kind = match operations / 3 % 3 {
            0 => Cut::Kill,
            1 => Cut::LoseUnsynced,
            _ => Cut::Tear(operations as u64),
        };
        let left = run.after(kind);
        match wipe(&site(&left), &mut nobody) {
            Ok(receipt) => assert_eq!(receipt.not_final, None, "{kind:?} {operations}"),
            Err(Error::NoVault { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        assert_eq!(whole_slots(&left), 0, "{kind:?} {operations}");
        if !cut {
            break;
        }
    }
}

#[test]
fn what_may_be_a_copy_and_what_is_none_is_left_and_named_for_what_it_is() {
    let disk = simulated();
    // A way in of before, which nothing tells from somebody's own file.
    let slot = |disk: &SimDisk| bytes_of(disk, "/vault/keys/passphrase.age");
    let before = slot(&disk);
    let open = opens(&disk).unwrap();
    open.change_passphrase_with(&passphrase(), WorkFactor::NONE)
        .unwrap();
    drop(open);
    assert!(before != slot(&disk), "the control");
    assert!(SlotSecrets::look(&before).is_ok(), "the control");
    // Of another vault.
    let mut other = bytes_of(&disk, "/vault/root.a");
    let first = root::starts(&other).next().unwrap();
    let another = VaultId::from_bytes([7; 16]);
    for at in root::starts(&other)
        .map(|start| start.at)
        .collect::<Vec<_>>()
    {
        let id = other[at..]
            .windows(16)
            .position(|id| id == first.vault.as_bytes());
        let id = at + id.unwrap();
        other[id..id + 16].copy_from_slice(another.as_bytes());
    }
    let store = bytes_of(&disk, "/vault/store.redb");
    let age = [crate::vault::scan::AGE_MAGIC, b"-> X25519 mine"].concat();
    let files: [(&str, &[u8], &str); 5] = [
        ("/vault/slot.bak", &before, "may be a copy of a way in"),
        ("/vault/mine.txt.age", &age, "an age file that is not known"),
        ("/vault/theirs", &other, "not the vault's"),
        ("/vault/copy.redb", &store, "sealed records"),
        ("/vault/letter.txt", b"mine", "not the vault's"),
    ];
    for (path, bytes, _) in files {
        put(&disk, path, bytes);
    }
    let receipt = wipe(&site(&disk), &mut nobody).unwrap();
    assert_eq!(receipt.not_final, None);
    for (path, bytes, what) in files {
        assert!(disk.files()[Path::new(path)] == bytes, "{path}");
        let left = named(&receipt, path).unwrap();
        assert!(left.what.contains(what), "{left:?}");
    }
}

#[test]
fn a_root_that_can_not_be_told_from_anothers_is_left_and_makes_it_not_final() {
    let (disk, _) = with_copies();
    for name in ["/vault/root.a", "/vault/root.b"] {
        disk.tamper(Path::new(name), |bytes| bytes.fill(0));
    }
    let receipt = wipe(&site(&disk), &mut nobody).unwrap();
    let why = receipt.not_final.clone().unwrap();
    assert!(why.contains("may still open"), "{why}");
    let left = named(&receipt, OLD_ROOT).unwrap();
    assert_eq!(left.what, "root slots of a vault");
    assert!(disk.files().contains_key(Path::new(OLD_ROOT)));
}

#[test]
fn nor_is_it_said_to_be_shut_where_a_bag_can_not_be_overwritten_either() {
    let (disk, _) = with_copies();
    for name in ["/vault/root.a", "/vault/root.b"] {
        disk.tamper(Path::new(name), |bytes| bytes.fill(0));
    }
    let is_bag = |path: &PathBuf| path.to_string_lossy().starts_with("/vault/bag.");
    let bag = disk.files().into_keys().find(is_bag).unwrap();
    disk.break_writes(Some(&bag));
    let receipt = wipe(&site(&disk), &mut nobody).unwrap();
    let stays = |left: &crate::vault::NotErased| left.where_ == bag.to_string_lossy();
    assert!(receipt.not_erased.iter().any(stays), "the control");
    let why = receipt.not_final.unwrap();
    assert!(
        why.contains(OLD_ROOT) && why.contains("may still open"),
        "{why}"
    );
}

#[test]
fn root_slots_beside_the_locks_that_a_wipe_has_left_are_not_passed_over() {
    let disk = simulated();
    let root = bytes_of(&disk, "/vault/root.a");
    wipe(&site(&disk), &mut nobody).unwrap();
    assert!(wipe(&site(&disk), &mut nobody).is_err(), "the control");
    for name in ["/vault/lock", "/vault/gate"] {
        put(&disk, name, &[]);
    }
    put(&disk, "/vault/mine", &vec![b'x'; LONG]);
    assert!(wipe(&site(&disk), &mut nobody).is_err(), "the control");
    put(
        &disk,
        "/vault/heap",
        &[&vec![b'x'; LONG], &root[..]].concat(),
    );
    let receipt = wipe(&site(&disk), &mut nobody).unwrap();
    let why = receipt.not_final.clone().unwrap();
    assert!(why.contains("may still open"), "{why}");
    assert!(named(&receipt, "/vault/heap").is_some(), "{receipt:?}");
}

#[test]
fn a_copy_that_can_not_be_overwritten_is_named_and_not_final() {
    let (disk, _) = with_copies();
    disk.break_writes(Some(Path::new(OLD_ROOT)));
    let receipt = wipe(&site(&disk), &mut nobody).unwrap();
    let why = receipt.not_final.unwrap();
    assert!(
        why.contains(OLD_ROOT) && why.contains("no recording opens"),
        "{why}"
    );
    assert_eq!(receipt.not_erased[0].where_, OLD_ROOT);
}

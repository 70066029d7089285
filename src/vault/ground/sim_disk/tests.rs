//! The disk does what it is there for: it loses, tears and fails.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use super::*;
use crate::vault::ground::disk::Hold;

const FILE: &str = "/file";

/// A file of three blocks of ones that is durable, name and all.
fn disk() -> (SimDisk, Box<dyn DiskFile>) {
    let disk = SimDisk::default();
    let file = disk.open(FILE.as_ref(), Access::Create).unwrap();
    file.write_at(0, &[1; 3 * 4096]).unwrap();
    file.sync().unwrap();
    disk.sync_dir("/".as_ref()).unwrap();
    (disk, file)
}

fn content(disk: &SimDisk) -> Vec<u8> {
    disk.files()[Path::new(FILE)].clone()
}

/// The first byte of each block.
fn blocks(disk: &SimDisk) -> Vec<u8> {
    content(disk).chunks(4096).map(|block| block[0]).collect()
}

#[test]
fn of_what_was_not_synced_every_subset_may_survive() {
    let (disk, file) = disk();
    file.write_at(0, &[2; 3 * 4096]).unwrap();
    let cuts = disk.cuts(1, 16).into_iter();
    let found: BTreeSet<Vec<u8>> = cuts
        .filter(|cut| !matches!(cut, Cut::Tear(_)))
        .map(|cut| blocks(&disk.after(cut)))
        .collect();
    assert_eq!(found.len(), 8, "{found:?}");
    file.sync().unwrap();
    assert_eq!(blocks(&disk.after(Cut::LoseUnsynced)), [2, 2, 2]);
}

#[test]
fn a_write_may_be_torn_within_a_block_and_never_within_a_sector() {
    let (disk, file) = disk();
    file.write_at(0, &[2; 3 * 4096]).unwrap();
    let mut torn = 0;
    for seed in 0..50 {
        let after = content(&disk.after(Cut::Tear(seed)));
        for block in after.chunks(4096) {
            torn += usize::from(block.iter().any(|byte| *byte != block[0]));
        }
        for sector in after.chunks(512) {
            assert!(sector.iter().all(|byte| *byte == sector[0]));
        }
    }
    assert!(torn > 5, "{torn}");
}

#[test]
fn a_length_may_survive_without_its_bytes_and_a_name_without_its_file() {
    let (disk, file) = disk();
    file.write_at(3 * 4096, &[2; 4096]).unwrap();
    let cuts = disk.cuts(1, 16).into_iter();
    let found: BTreeSet<Vec<u8>> = cuts.map(|cut| blocks(&disk.after(cut))).collect();
    let all = [vec![1, 1, 1], vec![1, 1, 1, 0], vec![1, 1, 1, 2]];
    assert_eq!(found, BTreeSet::from(all));

    let new = disk.open("/new".as_ref(), Access::Create).unwrap();
    new.write_at(0, &[3; 4096]).unwrap();
    disk.rename("/new".as_ref(), FILE.as_ref()).unwrap();
    disk.sync_dir("/".as_ref()).unwrap();
    assert!(content(&disk.after(Cut::LoseUnsynced)).is_empty());
}

#[test]
fn after_a_failed_sync_only_writing_again_makes_it_durable() {
    let (disk, file) = disk();
    file.write_at(0, &[2; 4096]).unwrap();
    disk.fail(disk.operations(), Trouble::Broken, Lasting::Once);
    assert!(file.sync().is_err());
    // It says that all is well now.
    file.sync().unwrap();
    assert_eq!(blocks(&disk), [2, 1, 1]);
    assert_eq!(blocks(&disk.after(Cut::LoseUnsynced)), [1, 1, 1]);
    assert_eq!(blocks(&disk.after(Cut::Kill)), [2, 1, 1]);
    file.write_at(0, &[2; 4096]).unwrap();
    file.sync().unwrap();
    assert_eq!(blocks(&disk.after(Cut::LoseUnsynced)), [2, 1, 1]);
}

#[test]
fn operations_fail_once_or_from_then_on_and_only_those_that_need_room_for_want_of_it() {
    let (disk, file) = disk();
    disk.fail(disk.operations(), Trouble::Broken, Lasting::Once);
    assert!(file.len().is_err() && file.len().is_ok());
    disk.fail(disk.operations(), Trouble::Full, Lasting::FromThenOn);
    assert!(file.write_at(0, &[2; 4096]).is_ok());
    for _ in 0..2 {
        let full = file.write_at(3 * 4096, &[2; 4096]).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    }
    assert!(file.len().is_ok());
    assert!(disk.failed() >= 2);
}

#[test]
fn everything_that_was_ever_written_stays_in_the_log() {
    let (disk, file) = disk();
    file.write_at(0, b"a secret").unwrap();
    file.write_at(0, b"overwritten").unwrap();
    disk.unlink(FILE.as_ref()).unwrap();
    let after = disk.after(Cut::LoseUnsynced);
    let all = after.written_since(1);
    assert_eq!(&*all[0].bytes, b"a secret");
    assert_eq!((all.len(), &*all[1].path), (2, Path::new(FILE)));
}

#[test]
fn flocks_exclude_each_other_and_go_with_the_file() {
    let (disk, one) = disk();
    let open = || disk.open(FILE.as_ref(), Access::Read).unwrap();
    let (two, three) = (open(), open());
    assert!(one.try_lock(Hold::Shared).unwrap());
    assert!(two.try_lock(Hold::Shared).unwrap());
    assert!(!three.try_lock(Hold::Exclusive).unwrap());
    drop(one);
    assert!(two.try_lock(Hold::Exclusive).unwrap());
    assert!(!three.try_lock(Hold::Shared).unwrap());
    drop(two);
    assert!(three.try_lock(Hold::Exclusive).unwrap());
}

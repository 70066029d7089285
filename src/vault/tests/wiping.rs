//! The panic button: what is left is whole or dead, wherever it is stopped, and
//! pressing it again finishes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::odd::Odd;
use super::*;
use crate::error::Exit;
use crate::vault::disk::Disk;
use crate::vault::ground::disk::Access;
use crate::vault::ground::lock::Lock;
use crate::vault::ground::medium::{Medium, Overwriting};
use crate::vault::ground::sim_disk::{Cut, SimDisk};
use crate::vault::ground::site::NoObserver;
use crate::vault::keys::root::{RootSlot, SLOT_LEN};
use crate::vault::{Error, require, wipe};

mod copies;
mod folders;
mod odd;

fn nobody(_: u64, _: u64) {}

fn site(disk: &SimDisk) -> Site {
    site_on(disk.clone())
}

fn site_on(disk: impl Disk + 'static) -> Site {
    Site {
        disk: Arc::new(disk),
        dir: "/vault".into(),
        state_dir: Some("/state".into()),
        observer: Arc::new(NoObserver),
        clock: stopped_clock(),
    }
}

/// A vault with two recordings, one of them in the inbox, and a slot that waits.
fn simulated() -> SimDisk {
    let disk = SimDisk::default();
    let options = InitOptions {
        work: WorkFactor::NONE,
        ..InitOptions::default()
    };
    let open = Vault::init_at(site(&disk), &passphrase(), options).unwrap();
    record(open.vault(), 1, 2);
    open.merge().unwrap();
    record(open.vault(), 2, 2);
    let waiting = Path::new("/vault/keys/passphrase.00.new.age");
    let file = disk.open(waiting, Access::Create).unwrap();
    file.write_at(0, b"a slot that waits").unwrap();
    disk
}

fn opens(disk: &SimDisk) -> Result<OpenVault, Error> {
    Vault::open_at(site(disk))?.unlock(&passphrase())
}

/// Nothing of the vault has a name, and no root slot is anywhere on the platter. The
/// empty locks may be there yet, and outside the generation of a vault whose root can't
/// be read.
fn is_gone(disk: &SimDisk) {
    let harmless = |path: &Path| {
        path.ends_with("lock") || path.ends_with("gate") || path.starts_with("/state")
    };
    let named = disk.files().into_keys().filter(|path| !harmless(path));
    let named: Vec<_> = named.collect();
    assert!(named.is_empty(), "{named:?}");
    for bytes in disk.remains() {
        for slot in bytes.chunks_exact(SLOT_LEN) {
            assert!(RootSlot::decode(slot.to_vec()).is_err());
        }
    }
}

#[test]
fn wherever_the_power_is_cut_what_is_left_is_whole_or_dead_and_once_more_finishes_it() {
    let disk = simulated();
    let slots = |disk: &SimDisk| {
        let remains = disk.remains();
        let all = remains
            .iter()
            .flat_map(|bytes| bytes.chunks_exact(SLOT_LEN));
        all.filter(|slot| RootSlot::decode(slot.to_vec()).is_ok())
            .count()
    };
    assert!(slots(&disk) > 0, "the control");
    let (mut whole, mut dead) = (0, 0);
    for operations in 0.. {
        let run = disk.fork();
        run.cut_after(operations);
        let done = wipe(&site(&run), &mut nobody);
        let cut = run.was_cut();
        for kind in [Cut::Kill, Cut::LoseUnsynced, Cut::Tear(operations as u64)] {
            let left = run.after(kind);
            match opens(&left.fork()) {
                Ok(open) => {
                    open.merge().unwrap();
                    assert_eq!(open.recordings().unwrap().len(), 2, "{kind:?} {operations}");
                    whole += 1;
                }
                Err(_) => dead += 1,
            }
            match wipe(&site(&left), &mut nobody) {
                Ok(receipt) => assert_eq!(receipt.not_final, None),
                Err(Error::NoVault { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            is_gone(&left);
        }
        if !cut {
            assert_eq!(done.unwrap().not_final, None);
            break;
        }
    }
    assert!(whole > 3 && dead > 20, "{whole} whole, {dead} dead");
}

#[test]
fn it_needs_no_room_and_no_whole_file() {
    let disk = simulated();
    disk.leave_room(0);
    for file in ["/vault/root.a", "/vault/root.b", "/vault/store.redb"] {
        disk.tamper(Path::new(file), |bytes| bytes.truncate(100));
    }
    assert!(opens(&disk).is_err(), "the control");
    wipe(&site(&disk), &mut nobody).unwrap();
    is_gone(&disk);
    let again = wipe(&site(&disk), &mut nobody);
    assert!(matches!(again, Err(Error::NoVault { .. })));
}

#[test]
fn what_cannot_be_overwritten_is_named_and_everything_else_is_destroyed() {
    let disk = simulated();
    disk.break_writes(Some(Path::new("/vault/root.b")));
    let receipt = wipe(&site(&disk), &mut nobody).unwrap();
    let why = receipt.not_final.unwrap();
    assert!(
        why.contains("/vault/root.b") && why.contains("no recording opens"),
        "{why}"
    );
    assert_eq!(receipt.not_erased[0].where_, "/vault/root.b");
    assert!(opens(&disk).is_err());
    let left: Vec<_> = disk.files().into_keys().collect();
    assert!(
        left.contains(&"/vault/root.b".into()) && left.len() <= 3,
        "{left:?}"
    );
    disk.break_writes(None);
    assert_eq!(wipe(&site(&disk), &mut nobody).unwrap().not_final, None);
    is_gone(&disk);
}

#[test]
fn a_recorder_and_an_open_vault_end_by_saying_so_and_bring_nothing_back() {
    let (home, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    let id = record(open.vault(), 1, 2);
    open.merge().unwrap();
    let mut writer = open.vault().begin(&card("running")).unwrap();
    writer.push(&packets(2, 0), SEGMENT_SAMPLES).unwrap();

    wipe(&Site::new(&dir, None), &mut nobody).unwrap();
    let failed = writer.push(&packets(2, 1), SEGMENT_SAMPLES).unwrap_err();
    assert!(matches!(failed, Error::TakenAway { .. }), "{failed}");
    let failed = writer.finish(&card("running")).unwrap_err();
    assert!(matches!(failed, Error::TakenAway { .. }), "{failed}");
    let no_vault = |error: Error| crate::error::Failure::from(error).exit == Exit::NotFound;
    assert!(no_vault(open.merge().unwrap_err()));
    assert!(no_vault(open.recordings().unwrap_err()));
    assert!(no_vault(
        open.shred(&[id], crate::vault::ShredScope::Everything, &mut nobody)
            .unwrap_err()
    ));
    assert!(no_vault(
        open.change_passphrase_with(&passphrase(), WorkFactor::NONE)
            .unwrap_err()
    ));
    assert!(no_vault(open.vault().begin(&card("later")).unwrap_err()));
    assert!(no_vault(Vault::open(&dir).unwrap_err()));
    assert!(
        require(&dir).is_err() && !dir.exists(),
        "{:?}",
        fs::read_dir(home.path()).unwrap().collect::<Vec<_>>()
    );
}

#[test]
fn a_lock_that_another_holds_is_waited_for_and_then_gone_over() {
    let (_home, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    record(open.vault(), 1, 1);
    open.merge().unwrap();
    let slot = fs::read(dir.join("keys/passphrase.age")).unwrap();
    let disk = crate::vault::disk::RealDisk;
    let held = Lock::take(&disk, &dir).unwrap();
    let keys = dir.join("keys/passphrase.age");
    let receipt = std::thread::scope(|scope| {
        // The other one puts a key slot back in the middle of it, and lets go.
        scope.spawn(move || {
            while keys.exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
            fs::write(&keys, &slot).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            drop(held);
        });
        wipe(&Site::new(&dir, None), &mut nobody).unwrap()
    });
    assert_eq!(receipt.not_final, None);
    assert!(
        require(&dir).is_err(),
        "what came back is destroyed as well"
    );
    assert!(
        !receipt
            .not_erased
            .iter()
            .any(|left| left.what.contains("another process"))
    );
}

#[test]
fn what_another_process_puts_back_to_the_end_is_not_final() {
    let disk = simulated();
    let slot = PathBuf::from("/vault/keys/passphrase.age");
    let mut odd = Odd {
        disk: disk.clone(),
        closed: None,
        back: vec![slot.clone()],
    };
    let receipt = wipe(&site_on(odd.clone()), &mut nobody).unwrap();
    let why = receipt.not_final.unwrap();
    assert!(
        why.contains("no recording opens") && why.contains("put it back"),
        "{why}"
    );
    assert_eq!(receipt.not_erased[0].where_, slot.display().to_string());
    odd.back.clear();
    let receipt = wipe(&site_on(odd), &mut nobody).unwrap();
    assert_eq!(receipt.not_final, None);
    is_gone(&disk);
}

#[test]
fn a_lock_held_to_the_end_is_named_and_it_is_final_if_nothing_came_back() {
    let disk = simulated();
    let _held = Lock::take(&disk, Path::new("/vault")).unwrap();
    let receipt = wipe(&site(&disk), &mut nobody).unwrap();
    assert_eq!(receipt.not_final, None);
    let mut lines = receipt.not_erased.iter();
    let line = lines.find(|left| left.what.contains("another process"));
    let why = &line.unwrap().why;
    assert!(why.contains("nothing was there at the last look"), "{why}");
    is_gone(&disk);
}

#[test]
fn a_file_of_whatever_length_keeps_no_other_from_its_turn() {
    let disk = simulated();
    let files: Vec<PathBuf> = disk.files().into_keys().collect();
    let of = |text: &str| {
        let mut found = files.iter();
        found
            .find(|path| path.to_string_lossy().contains(text))
            .unwrap()
    };
    let slots = 2 * SLOT_LEN;
    let (root, waiting) = (of("root.a"), of(".rec"));
    for path in [root, of("/bag."), waiting] {
        disk.tamper(path, |bytes| bytes.resize(slots + (8 << 20), 0));
    }
    let before = disk.written_since(0).len();
    let mut told = (0, 0);
    let receipt = wipe(&site(&disk), &mut |done, all| told = (done, all)).unwrap();
    assert_eq!(receipt.not_final, None);
    assert_eq!(told.0, told.1);
    is_gone(&disk);

    let written = disk.written_since(before);
    let writes = |path: &Path| {
        let all = written.iter().enumerate();
        let of_it = all.filter(move |(_, write)| &*write.path == path);
        of_it
            .map(|(at, write)| (at, write.bytes.len()))
            .collect::<Vec<_>>()
    };
    let is_key = |path: &&PathBuf| {
        let text = path.to_string_lossy();
        ["/root.", "/bag.", "/keys/"]
            .iter()
            .any(|part| text.contains(part))
    };
    let keys: Vec<_> = files.iter().filter(is_key).collect();
    assert!(keys.len() >= 6, "{keys:?}");
    let last_begun = keys.iter().map(|path| writes(path)[0].0).max().unwrap();
    for path in &files {
        let so_far = writes(path).into_iter().filter(|(at, _)| *at < last_begun);
        let bytes: usize = so_far.map(|(_, bytes)| bytes).sum();
        assert!(bytes <= slots, "{}: {bytes}", path.display());
    }
    let in_root: usize = writes(root).into_iter().map(|(_, bytes)| bytes).sum();
    assert!((slots..=2 * slots).contains(&in_root), "{in_root}");
    let behind = |left: &crate::vault::NotErased| {
        left.where_ == root.to_string_lossy() && left.what.starts_with("8388608 bytes behind")
    };
    assert!(receipt.not_erased.iter().any(behind), "{receipt:?}");
    // Of what holds no keys the longest is the last.
    assert_eq!(&*written.last().unwrap().path, waiting.as_path());
}

#[test]
fn what_the_file_system_keeps_is_told_as_it_was_while_the_vault_was_there() {
    let (_home, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    drop(open);
    let unknown = |dir: &Path| matches!(Medium::of(dir).overwriting, Overwriting::Unknown);
    let before = unknown(&dir);
    let receipt = wipe(&Site::new(&dir, None), &mut nobody).unwrap();
    let mut lines = receipt.not_erased.iter();
    let told = lines.any(|left| left.why.starts_with("it is not known"));
    assert_eq!(told, before, "{receipt:?}");
    assert!(unknown(&dir), "the control: it can't be told any more");
}

//! Promises of init, rotation, passwd and recovery, on a disk in memory. What a
//! power cut in the middle of them does is shown in `vault::torture`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod forged;
mod second_root;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bag::{Bag, Clip, Way};
use super::keyring::{Freshness, KeyRing};
use super::keyslots;
use super::recover::{self, Survey};
use super::root::{Copy, Position, RootSlot, SLOT_LEN};
use super::rotation::Rotated;
use super::ways::Sealed;
use crate::crypto::{ClipKeys, Passphrase, WorkFactor};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, Disk};
use crate::vault::ground::lock::Lock;
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::ground::site::{NoObserver, Observer, Site, Step};
use crate::vault::init::{FirstWays, InitOptions, Placement, init};
use crate::vault::notice::Notice;
use crate::vault::tests::stopped_clock;

const DIR: &str = "/vault";
const CHEAP: InitOptions = InitOptions {
    placement: Placement::Anywhere,
    work: WorkFactor::NONE,
};

fn site(disk: &SimDisk) -> Site {
    Site {
        disk: Arc::new(disk.clone()),
        dir: DIR.into(),
        state_dir: Some("/state".into()),
        observer: Arc::new(NoObserver),
        clock: stopped_clock(),
    }
}

fn old() -> Passphrase {
    Passphrase::new("the old passphrase".into())
}

fn new() -> Passphrase {
    Passphrase::new("the new passphrase".into())
}

fn id(number: u8) -> RecordingId {
    RecordingId::from_bytes([number; 16])
}

fn lock(site: &Site) -> Lock {
    Lock::take(&*site.disk, &site.dir).unwrap()
}

fn make(disk: &SimDisk) -> Result<KeyRing> {
    init(&site(disk), &FirstWays::of(&old()), CHEAP, &mut |_| Ok(()))
}

/// As the vault's own passwd does it, in one go.
fn change(site: &Site, ring: &mut KeyRing, lock: &Lock) -> Result<Rotated> {
    let (before, secrets) = (
        ring.bag().settings.ways.clone(),
        ring.next_secrets().unwrap(),
    );
    let bytes = secrets.seal(&new(), WorkFactor::NONE).unwrap();
    let way = Way {
        hash: keyslots::hash(&bytes),
        ..before[keyslots::PASSPHRASE].clone()
    };
    let name = keyslots::PASSPHRASE.to_owned();
    let slots = [Sealed { name, way, bytes }];
    ring.replace_master(site, lock, &before, secrets, &slots, &mut |_| Ok(()))
}

fn add(site: &Site, ring: &mut KeyRing, number: u8) -> Result<()> {
    let lock = Lock::take(&*site.disk, &site.dir)?;
    let mut change = |bag: &mut Bag| {
        bag.clips
            .insert(id(number), Clip::adopted(ClipKeys::generate().unwrap(), 0));
        Ok(())
    };
    ring.rotate(site, &lock, &mut change)?.finally().map(drop)
}

fn shred(site: &Site, ring: &mut KeyRing, number: u8) -> Result<()> {
    let lock = Lock::take(&*site.disk, &site.dir)?;
    let mut change = |bag: &mut Bag| {
        bag.bury(id(number));
        Ok(())
    };
    ring.rotate(site, &lock, &mut change)?.finally().map(drop)
}

/// A vault with recordings 1, 2 and 3 on a disk that lost nothing.
fn vault() -> (SimDisk, KeyRing) {
    let disk = SimDisk::default();
    let mut ring = make(&disk).unwrap();
    for number in 1..=3 {
        add(&site(&disk), &mut ring, number).unwrap();
    }
    (disk, ring)
}

fn unlock(disk: &SimDisk, passphrase: &Passphrase) -> Result<(KeyRing, Vec<Notice>)> {
    let site = site(disk);
    recover::open(&*site.disk, &site.dir)?;
    KeyRing::unlock(&site, passphrase)
}

fn holds(ring: &KeyRing) -> Vec<u8> {
    ring.bag().clips.keys().map(|id| id.as_bytes()[0]).collect()
}

/// Nothing on the platter, named or not, is a root slot of another generation
/// than this, and no bag file of another one has a name.
fn only_this_generation_is_left(disk: &SimDisk, ring: &KeyRing) {
    for bytes in disk.remains() {
        for slot in bytes.chunks_exact(SLOT_LEN) {
            if let Ok(slot) = RootSlot::decode(slot.to_vec()) {
                assert_eq!(slot.facts().generation, ring.generation());
            }
        }
    }
    let bags: Vec<PathBuf> = disk
        .files()
        .into_keys()
        .filter(|path| path.to_string_lossy().contains("/bag."))
        .collect();
    let wanted = Copy::BOTH.map(|copy| copy.bag_file(Path::new(DIR), ring.generation()));
    assert_eq!(bags, wanted);
}

/// Everything in the vault's own directory, without the reserve, whose bytes
/// mean nothing.
fn content(disk: &SimDisk) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = disk.files();
    files.retain(|path, _| !path.ends_with("reserve"));
    files
}

/// Opens a vault after a cut, and checks what holds after every cut.
fn recovered(disk: &SimDisk, passphrase: &Passphrase) -> Result<KeyRing> {
    let site = site(disk);
    let (facts, _) = recover::open(&*site.disk, &site.dir)?;
    // What a recorder would seal to now must open after unlocking.
    let recorded_to = facts.inbox;
    let (ring, notices) = KeyRing::unlock(&site, passphrase)?;
    assert!(ring.bag().inbox.public() == recorded_to);
    for notice in notices {
        assert!(matches!(notice, Notice::Mended { .. }), "{notice:?}");
    }
    only_this_generation_is_left(disk, &ring);
    let before = content(disk);
    let (again, notices) = unlock(disk, passphrase)?;
    assert_eq!(notices, []);
    assert!(content(disk) == before, "a second unlock changed something");
    assert_eq!(again.generation(), ring.generation());
    Ok(ring)
}

#[derive(Debug)]
struct StopAfter(Step);

impl Observer for StopAfter {
    fn reached(&self, step: Step) -> Result<()> {
        let stop = || Error::damaged("a test", "stopped here");
        if step == self.0 { Err(stop()) } else { Ok(()) }
    }
}

#[test]
fn stopped_after_any_step_a_shred_is_in_force_from_the_commit_on() {
    for step in Step::ALL {
        let (disk, mut ring) = vault();
        let watched = Site {
            observer: Arc::new(StopAfter(step)),
            ..site(&disk)
        };
        shred(&watched, &mut ring, 2).unwrap_err();
        let ring = recovered(&disk, &old()).unwrap();
        let expected: &[u8] = if step < Step::Committed {
            &[1, 2, 3]
        } else {
            &[1, 3]
        };
        assert_eq!(holds(&ring), expected, "{step:?}");
    }
}

#[test]
fn the_old_passphrase_is_refused_from_the_commit_on() {
    for step in [Step::Committed, Step::Doubled, Step::Wiped] {
        let (disk, mut ring) = vault();
        let watched = Site {
            observer: Arc::new(StopAfter(step)),
            ..site(&disk)
        };
        let held = lock(&watched);
        change(&watched, &mut ring, &held).unwrap_err();
        drop(held);
        assert!(
            matches!(unlock(&disk, &old()), Err(Error::WrongPassphrase { .. })),
            "{step:?}"
        );
        recovered(&disk, &new()).unwrap();
    }
}

#[test]
fn a_missing_or_cut_off_copy_of_any_file_is_made_anew() {
    let (disk, ring) = vault();
    let dir = Path::new(DIR);
    let mut paths = vec![
        dir.join("keys/passphrase.age"),
        dir.join("keys/passphrase.copy.age"),
    ];
    for copy in Copy::BOTH {
        paths.extend([copy.root_file(dir), copy.bag_file(dir, ring.generation())]);
    }
    for path in &paths {
        let missing = disk.fork();
        missing.unlink(path).unwrap();
        recovered(&missing, &old()).unwrap();
        assert!(missing.exists(path).unwrap());

        let cut_off = disk.fork();
        cut_off.tamper(path, |bytes| bytes.truncate(bytes.len() / 3));
        recovered(&cut_off, &old()).unwrap();
        assert!(content(&cut_off)[path].len() > content(&disk)[path].len() / 2);
    }
}

#[test]
fn a_generation_that_could_not_be_overwritten_is_told_and_overwritten_later() {
    let (disk, mut ring) = vault();
    let root_b = Copy::B.root_file(Path::new(DIR));
    disk.break_writes(Some(&root_b));
    let error = shred(&site(&disk), &mut ring, 2).unwrap_err();
    assert!(matches!(error, Error::NotFinal { path, .. } if path == root_b));
    assert_eq!(holds(&ring), [1, 3], "it is in force all the same");
    let (ring, notices) = unlock(&disk, &old()).unwrap();
    assert_eq!(holds(&ring), [1, 3]);
    assert!(
        notices
            .iter()
            .any(|n| matches!(n, Notice::NotDone { path, .. } if *path == root_b))
    );
    disk.break_writes(None);
    assert_eq!(holds(&recovered(&disk, &old()).unwrap()), [1, 3]);
}

#[test]
fn a_commit_that_the_disk_refuses_is_no_commit() {
    let (disk, mut ring) = vault();
    disk.break_writes(Some(&Copy::A.root_file(Path::new(DIR))));
    assert!(matches!(
        shred(&site(&disk), &mut ring, 2),
        Err(Error::Io { .. })
    ));
    assert_eq!(holds(&ring), [1, 2, 3]);
    disk.break_writes(None);
    assert_eq!(holds(&recovered(&disk, &old()).unwrap()), [1, 2, 3]);
    shred(&site(&disk), &mut ring, 2).unwrap();
    assert_eq!(holds(&recovered(&disk, &old()).unwrap()), [1, 3]);
}

#[test]
fn on_a_full_disk_a_recording_can_be_shredded_and_not_added() {
    let (disk, mut ring) = vault();
    disk.leave_room(100);
    let error = add(&site(&disk), &mut ring, 4).unwrap_err();
    assert!(error.is_no_space());
    assert_eq!(holds(&ring), [1, 2, 3]);
    shred(&site(&disk), &mut ring, 2).unwrap();
    shred(&site(&disk), &mut ring, 3).unwrap();
    assert_eq!(holds(&recovered(&disk, &old()).unwrap()), [1]);
}

#[test]
fn a_vault_unlocked_here_follows_what_another_process_changed() {
    let (disk, mut one) = vault();
    let site = site(&disk);
    let (mut two, _) = KeyRing::unlock(&site, &old()).unwrap();
    assert_eq!(
        one.refresh(&site, &lock(&site)).unwrap(),
        (Freshness::Same, vec![])
    );
    shred(&site, &mut two, 2).unwrap();
    let held = lock(&site);
    assert_eq!(
        one.refresh(&site, &held).unwrap(),
        (Freshness::Changed, vec![])
    );
    assert_eq!(holds(&one), [1, 3]);
    change(&site, &mut two, &held).unwrap();
    assert!(matches!(
        one.refresh(&site, &held),
        Err(Error::KeysReplaced { .. })
    ));
    assert_eq!(two.refresh(&site, &held).unwrap().0, Freshness::Same);
}

#[test]
fn init_refuses_a_vault_and_what_is_left_of_one() {
    let (disk, ring) = vault();
    assert!(matches!(make(&disk), Err(Error::CannotInit { .. })));
    for copy in Copy::BOTH {
        disk.unlink(&copy.root_file(Path::new(DIR))).unwrap();
    }
    let before = content(&disk);
    assert!(matches!(make(&disk), Err(Error::CannotInit { .. })));
    assert!(content(&disk) == before);
    drop(ring);
}

#[test]
fn each_rotation_has_a_new_inbox_key_and_adopts_under_it() {
    let (disk, mut ring) = vault();
    let before = ring.bag().inbox.public();
    add(&site(&disk), &mut ring, 9).unwrap();
    assert!(ring.bag().inbox.public() != before);
    let survey = Survey::read(&disk, Path::new(DIR)).unwrap();
    assert_eq!(survey.whole().count(), 2);
    assert!(
        disk.open(&Path::new(DIR).join("reserve"), Access::Read)
            .unwrap()
            .len()
            .unwrap()
            > 0
    );
}

#[test]
fn a_way_in_that_cannot_be_read_is_damage_and_no_wrong_passphrase() {
    let (disk, _) = vault();
    let wrong = Passphrase::new("another passphrase".into());
    assert!(matches!(
        unlock(&disk, &wrong),
        Err(Error::WrongPassphrase { .. })
    ));
    for name in ["passphrase.age", "passphrase.copy.age"] {
        disk.tamper(&Path::new(DIR).join("keys").join(name), |bytes| {
            bytes.clear()
        });
    }
    assert!(matches!(unlock(&disk, &old()), Err(Error::Damaged { .. })));
}

#[test]
fn on_a_full_disk_what_no_bag_knew_yet_can_be_shredded() {
    let (disk, mut ring) = vault();
    disk.leave_room(0);
    let site = site(&disk);
    let mut bury = |bag: &mut Bag| {
        bag.tombstones.insert(super::bag::Tombstone {
            id: id(9),
            epoch: 0,
        });
        Ok(())
    };
    ring.rotate(&site, &lock(&site), &mut bury)
        .unwrap()
        .finally()
        .unwrap();
}

#[test]
fn init_leaves_a_directory_alone_that_is_not_empty() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let (home, mode) = (dir.path().join("home"), 0o755);
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::write(home.join("letter"), "mine").unwrap();
    let site = Site::new(&home, None);
    let refused = init(&site, &FirstWays::of(&old()), CHEAP, &mut |_| Ok(()));
    assert!(matches!(refused, Err(Error::CannotInit { .. })));
    let is = std::fs::metadata(&home).unwrap().permissions().mode();
    assert_eq!(is & 0o777, mode);
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 1);
    // A fresh file system is as good as an empty directory.
    std::fs::remove_file(home.join("letter")).unwrap();
    std::fs::create_dir(home.join("lost+found")).unwrap();
    assert!(init(&site, &FirstWays::of(&old()), CHEAP, &mut |_| Ok(())).is_ok());
}

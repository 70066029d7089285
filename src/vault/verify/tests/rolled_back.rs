//! One file put back from an older copy or from another vault, or deleted.

use super::*;
use crate::vault::ground::disk::Disk;
use crate::vault::{Notice, ShredScope};

fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

/// The vault before and after a rotation, a merge and an edit.
struct TwoTimes {
    before: BTreeMap<PathBuf, Vec<u8>>,
    small: Small,
}

impl TwoTimes {
    fn new() -> Self {
        let small = Small::new();
        let before = small.disk.files();
        let open = open(&small.disk).unwrap();
        open.merge().unwrap();
        Self { before, small }
    }

    fn with_old(&self, name: &str) -> SimDisk {
        let file = path(name);
        let old = self.before[&file].clone();
        self.small.with(&file, |bytes| *bytes = old)
    }
}

fn reads_all(open: &OpenVault, small: &Small) -> bool {
    small.all().iter().all(|one| read(open, *one) == Whole::All)
}

fn places(verified: &Verified) -> Vec<&str> {
    verified
        .flaws
        .iter()
        .map(|flaw| flaw.place.as_str())
        .collect()
}

#[test]
fn an_older_root_is_made_anew_from_its_copy() {
    let times = TwoTimes::new();
    for name in ["root.a", "root.b"] {
        let disk = times.with_old(name);
        let vault = open(&disk).unwrap();
        let found = verify(&vault);
        assert_eq!(places(&found), [path(name).to_str().unwrap()], "{found:?}");
        assert!(found.flaws[0].mended);
        assert!(reads_all(&vault, &times.small));
        assert_eq!(verify(&open(&disk).unwrap()).flaws, []);
    }
}

#[test]
fn an_older_bag_is_made_anew_from_its_copy() {
    let times = TwoTimes::new();
    let old = times
        .before
        .iter()
        .find(|(path, _)| {
            path.to_string_lossy().ends_with(".a") && path.to_string_lossy().contains("bag.")
        })
        .map(|(_, bytes)| bytes.clone())
        .unwrap();
    let bags: Vec<PathBuf> = times
        .small
        .disk
        .files()
        .into_keys()
        .filter(|path| path.to_string_lossy().contains("bag."))
        .collect();
    assert_eq!(bags.len(), 2);
    for bag in bags {
        let disk = times.small.with(&bag, |bytes| bytes.clone_from(&old));
        let vault = open(&disk).unwrap();
        let found = verify(&vault);
        assert_eq!(places(&found), [bag.to_str().unwrap()]);
        assert!(found.flaws[0].mended && reads_all(&vault, &times.small));
    }
}

#[test]
fn an_older_store_lacks_what_came_later_and_that_is_named() {
    let times = TwoTimes::new();
    let disk = times.with_old("store.redb");
    let vault = open(&disk).unwrap();
    let found = verify(&vault).flaws;
    let (id, ..) = times.small.waiting;
    assert!(found.iter().all(|flaw| flaw.id == Some(id)), "{found:?}");
    assert!(
        found.iter().any(|flaw| flaw.what.contains("card")),
        "{found:?}"
    );
    for one in times.small.merged {
        assert_eq!(read(&vault, one), Whole::All);
    }
    repair(&vault);
    assert_eq!(verify(&vault).flaws, []);
    assert_eq!(
        vault.recording(id).unwrap().card.title,
        "recovered recording"
    );
    // The right store is back: its keys were kept.
    let right = times.small.disk.files()[&path("store.redb")].clone();
    disk.tamper(&path("store.redb"), |bytes| *bytes = right);
    let vault = open(&disk).unwrap();
    repair(&vault);
    assert!(reads_all(&vault, &times.small));
    assert_eq!(verify(&vault).flaws, []);
}

#[test]
fn an_older_way_in_is_mended_from_its_twin_and_alone_opens_nothing() {
    let small = Small::new();
    let before = small.disk.files();
    let vault = open(&small.disk).unwrap();
    let new = Passphrase::new("another passphrase altogether".into());
    vault
        .change_passphrase_with(&new, WorkFactor::NONE)
        .unwrap();
    let unlock = |disk: &SimDisk, passphrase: &Passphrase| {
        Vault::open_at(site(disk)).and_then(|vault| vault.unlock(passphrase))
    };
    let files = ["keys/passphrase.age", "keys/passphrase.copy.age"].map(path);
    for file in &files {
        let disk = small.with(file, |bytes| bytes.clone_from(&before[file]));
        let vault = unlock(&disk, &new).unwrap();
        let found = verify(&vault);
        assert_eq!(places(&found), [file.to_str().unwrap()]);
        assert!(found.flaws[0].mended);
        assert!(unlock(&disk, &passphrase()).is_err());
    }
    let disk = small.disk.fork();
    for file in &files {
        disk.tamper(file, |bytes| bytes.clone_from(&before[file]));
    }
    let untouched = disk.files();
    for one in [passphrase(), new] {
        let refused = unlock(&disk, &one).err().map(Failure::from);
        assert_eq!(refused.map(|failure| failure.exit), Some(Exit::Locked));
    }
    assert!(untouched == disk.files(), "nothing is overwritten for it");
}

#[test]
fn an_old_inbox_file_of_a_merged_or_shredded_recording_comes_to_nothing() {
    let times = TwoTimes::new();
    let (id, ..) = times.small.waiting;
    let file = crate::vault::inbox::path(Path::new(DIR), id);
    let old = times.before[&file].clone();
    let put_back = |disk: &SimDisk| {
        let made = disk
            .open(&file, crate::vault::disk::Access::Create)
            .unwrap();
        made.append(&old).unwrap();
    };
    let disk = times.small.disk.fork();
    put_back(&disk);
    let vault = open(&disk).unwrap();
    let found = verify(&vault);
    assert_eq!(found.flaws, []);
    assert!(found.notes[0].contains("in the store already"), "{found:?}");
    vault.merge().unwrap();
    assert!(reads_all(&vault, &times.small));
    assert!(!disk.exists(&file).unwrap());

    vault
        .shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    put_back(&disk);
    let found = verify(&vault);
    assert!(found.notes[0].contains("shredded"), "{found:?}");
    vault.merge().unwrap();
    assert!(vault.recording(id).is_err() && !disk.exists(&file).unwrap());
}

#[test]
fn a_file_of_another_vault_is_named_and_nothing_is_taken_from_it() {
    let (small, other) = (Small::new(), Small::new());
    let theirs = other.disk.files();
    for file in small.disk.files().into_keys() {
        let name = file.to_string_lossy().into_owned();
        let twin = theirs.get(&file).or_else(|| {
            let ending = if name.ends_with(".rec") {
                ".rec"
            } else {
                "none"
            };
            theirs
                .iter()
                .find(|(path, _)| path.to_string_lossy().ends_with(ending))
                .map(|(_, bytes)| bytes)
        });
        let Some(twin) = twin else { continue };
        let carries = ["root.", "bag.", "keys/", "store", ".rec"]
            .iter()
            .any(|part| name.contains(part));
        let disk = small.with(&file, |bytes| bytes.clone_from(twin));
        let vault = open(&disk).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = verify(&vault);
        assert_eq!(!found.flaws.is_empty(), carries, "{name}: {found:?}");
        repair(&vault);
        if name.contains("store") {
            assert!(
                disk.files()[&path("store.redb.aside")] == *twin,
                "it is not ours to overwrite"
            );
        } else {
            for one in small.merged {
                assert_eq!(read(&vault, one), Whole::All, "{name}");
            }
        }
        for one in other.all() {
            assert!(vault.recording(one.0).is_err(), "{name}");
        }
    }
}

#[test]
fn a_damaged_store_that_is_newer_than_the_keys_is_kept_and_one_that_is_not_is_overwritten() {
    let times = TwoTimes::new();
    let store = path("store.redb");
    let damage = |bytes: &mut Vec<u8>| bytes[0] ^= 1;
    // The keys as they were before the last recording came in.
    let older = times.small.disk.fork();
    for file in times.small.disk.files().into_keys() {
        let name = file.to_string_lossy().into_owned();
        if name.contains("bag.") {
            older.unlink(&file).unwrap();
        } else if let Some(old) = times.before.get(&file).filter(|_| name.contains("root.")) {
            older.tamper(&file, |bytes| bytes.clone_from(old));
        }
    }
    for (file, bytes) in &times.before {
        if file.to_string_lossy().contains("bag.") {
            let made = older.open(file, crate::vault::disk::Access::Create);
            made.unwrap().append(bytes).unwrap();
        }
    }
    older.tamper(&store, damage);
    let (damaged, aside) = (older.files()[&store].clone(), path("store.redb.aside"));
    let vault = open(&older).unwrap();
    assert!(!vault.ids().unwrap().contains(&times.small.waiting.0));
    let repaired = repair(&vault);
    let is_named = |note: &String| note.contains("is kept as /vault/store.redb.aside");
    assert!(repaired.notes.iter().any(is_named), "{repaired:?}");
    assert!(older.files()[&aside] == damaged);
    for one in times.small.merged {
        assert_eq!(read(&vault, one), Whole::All);
    }
    // What is kept keeps its name, whatever else comes to be kept.
    older.tamper(&store, |bytes| bytes.clone_from(&damaged));
    repair(&open(&older).unwrap());
    assert!(older.files()[&aside] == damaged);
    assert!(older.files()[&path("store.redb.aside.2")] == damaged);

    let disk = times.small.with(&store, damage);
    let before = disk.files()[&store].clone();
    repair(&open(&disk).unwrap());
    assert!(!disk.files().contains_key(&aside));
    assert!(!disk.remains().contains(&before));
}

#[test]
fn an_earlier_store_that_is_still_whole_is_kept_by_a_repair() {
    let small = Small::new();
    let (store, old) = (path("store.redb"), path("store.redb.old"));
    let whole = small.disk.files()[&store].clone();
    let made = small.disk.open(&old, crate::vault::disk::Access::Create);
    made.unwrap().append(&whole).unwrap();
    let disk = small.with(&store, |bytes| bytes.fill(0));
    let vault = open(&disk).unwrap();
    assert!(disk.files()[&old] == whole, "the control");
    let repaired = repair(&vault);
    let aside = path("store.redb.aside");
    assert!(disk.files()[&aside] == whole && !disk.files().contains_key(&old));
    let is_named = |note: &String| note.contains("is kept as /vault/store.redb.aside");
    assert!(repaired.notes.iter().any(is_named), "{repaired:?}");
}

#[test]
fn a_store_of_another_vault_is_never_overwritten_wherever_its_repair_is_cut() {
    use crate::vault::ground::sim_disk::Cut;
    let (small, other) = (Small::new(), Small::new());
    let (store, aside) = (path("store.redb"), path("store.redb.aside"));
    let theirs = other.disk.files()[&store].clone();
    let disk = small.with(&store, |bytes| bytes.clone_from(&theirs));
    let work = disk.fork();
    work.trace();
    repair(&open(&work).unwrap());
    let mut put_back = 0;
    for (at, disk) in work.traced().into_iter().enumerate() {
        for cut in disk.cuts(at as u64, 2).into_iter().map(Some).chain([None]) {
            let when = format!("{cut:?} after {at}");
            let left = match cut {
                Some(cut) => disk.after(cut),
                None => disk.fork(),
            };
            put_back += usize::from(!left.files().contains_key(&store));
            drop(open(&left).unwrap());
            let left = left.after(Cut::LoseUnsynced);
            let vault = open(&left).unwrap();
            let kept = |left: &SimDisk| {
                let files = left.files();
                let frames = |path| {
                    files
                        .get(path)
                        .map(|bytes| crate::vault::scan::frames(bytes))
                };
                let ids = [&store, &aside].into_iter().filter_map(frames).flatten();
                ids.filter(|(_, frame)| frame.facts.id == other.merged[0].0)
                    .count()
            };
            assert!(kept(&left) > 12, "{when}: {:?}", left.files().keys());
            let mut notices = vault.notices();
            // What a kill leaves of a change.
            notices.retain(|notice| !matches!(notice, Notice::Unfinished { .. }));
            assert!(notices.is_empty(), "{when}: {notices:?}");
        }
    }
    assert!(put_back > 0);
}

#[test]
fn a_deleted_file_is_named_where_anything_knows_of_it() {
    let small = Small::new();
    for file in small.disk.files().into_keys() {
        let name = file.to_string_lossy().into_owned();
        let disk = small.disk.fork();
        disk.unlink(&file).unwrap();
        let vault = open(&disk).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = verify(&vault);
        // Nothing but its own file knows of a recording that waits. What is only
        // locked or kept free is made again.
        let knows = ["root.", "bag.", "keys/", "store"]
            .iter()
            .any(|part| name.contains(part));
        assert_eq!(!found.flaws.is_empty(), knows, "{name}: {found:?}");
        repair(&vault);
        let vault = open(&disk).unwrap();
        assert_eq!(verify(&vault).flaws, [], "{name}");
        for one in small.merged {
            assert!(vault.recording(one.0).is_ok(), "{name}");
            assert!(
                name.contains("store") || read(&vault, one) == Whole::All,
                "{name}"
            );
        }
    }
}

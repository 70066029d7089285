//! `kill -9` at every write of a restore and of a repack, and calls that fail. However far
//! it came, the vault and the backup are as good as before, and the next run ends what it
//! began.

use std::fs;

use super::repacked::lies_in;
use super::{Owner, segments};
use crate::support::prepared::copy_dir;
use crate::support::tally::of_the_shredded;
use crate::support::{Home, PASSPHRASE, library, require_tool};
use crate::torture::torment::torment;

fn scene() -> Owner {
    let mut owner = Owner::new();
    let doomed = owner.record("doomed", 2);
    owner.record("kept", 12);
    owner.merge();
    owner.back_up();
    owner.record("later", 1);
    owner.merge();
    owner.shred(&[doomed]);
    owner.back_up();
    copy_dir(
        &owner.home.path("backup"),
        &owner.home.path("backup-before"),
    );
    drop(owner.other_vault("other-before"));
    copy_dir(&owner.home.vault(), &owner.home.path("vault-before"));
    owner
}

fn put_back(home: &Home, name: &str) {
    let to = match name {
        "vault" => home.vault(),
        _ => home.path(name),
    };
    fs::remove_dir_all(&to).ok();
    copy_dir(&home.path(format!("{name}-before")), &to);
}

#[test]
fn a_restore_that_is_killed_at_any_write_leaves_a_whole_vault_and_the_next_ends_it() {
    if !require_tool("strace") {
        return;
    }
    let owner = scene();
    let other = owner.home.path("other");
    let args = ["--vault", "other", "restore", "backup"];
    let run = || {
        put_back(&owner.home, "other");
        owner.home.voxvault(args)
    };
    torment(
        "kills in a restore",
        &owner.home,
        &[other.to_str().unwrap()],
        &run,
        &|place| {
            let open = library::unlock(&other, PASSPHRASE);
            let report = open.merge().unwrap();
            assert!(report.damaged.is_empty() && report.refused.is_empty());
            for recording in open.recordings().unwrap() {
                let held = owner.held.get(&recording.id);
                let (title, segments) = held.unwrap_or_else(|| panic!("{place:?}"));
                super::assert_heard(&open, recording.id, title, *segments);
            }
            let verified = open.verify(&|_, _| ()).unwrap();
            // A second copy that a failing call left unwritten is made anew and told, once.
            let mended = verified.flaws.iter().all(|flaw| flaw.mended);
            assert!(mended, "{place:?}: {verified:?}");
            drop(open);
            owner.home.voxvault(args).run().ok();
            let open = library::unlock(&other, PASSPHRASE);
            owner.assert_held(&open, &[]);
            let verified = open.verify(&|_, _| ()).unwrap();
            assert!(verified.flaws.is_empty(), "{place:?}: {verified:?}");
        },
    );
}

#[test]
fn a_repack_that_is_killed_at_any_write_loses_nothing_and_the_next_ends_it() {
    if !require_tool("strace") {
        return;
    }
    let owner = scene();
    let backup = owner.home.path("backup");
    let doomed = lies_in(&owner)
        .into_iter()
        .find(|id| !owner.held.contains_key(id))
        .expect("the doomed one is in the backup");
    let run = || {
        put_back(&owner.home, "backup");
        put_back(&owner.home, "vault");
        owner.home.voxvault(["backup", "repack", "backup"])
    };
    let vault = owner.home.vault();
    torment(
        "kills in a repack",
        &owner.home,
        &[backup.to_str().unwrap(), vault.to_str().unwrap()],
        &run,
        &|place| {
            let verify = ["backup", "verify", "backup", "--json"];
            let found = owner.home.voxvault(verify).run().ok().json();
            assert_eq!(found["checked"]["recordings"], 2, "{place:?}");
            owner
                .home
                .voxvault(["backup", "repack", "backup"])
                .run()
                .ok();
            of_the_shredded(|| assert!(!lies_in(&owner).contains(&doomed), "{place:?}"));
            let found = owner.home.voxvault(verify).run().ok().json();
            assert_eq!(found["checked"]["recordings"], 2, "{place:?}");
            // Two, one that says again what must not come back, and where the first
            // run was killed behind it, one more that does.
            assert!(segments(&backup).len() <= 4, "{place:?}");
        },
    );
    // All of it comes back in the end.
    put_back(&owner.home, "other");
    let restore = ["--vault", "other", "restore", "backup"];
    owner.home.voxvault(restore).run().ok();
    let open = library::unlock(&owner.home.path("other"), PASSPHRASE);
    owner.assert_held(&open, &[]);
}

//! `kill -9` wherever a backup changes its folder or the vault, and calls that fail: the
//! next run completes it, and all of it opens.

use std::fs;

use voxvault::backup::manifest::Tombstone;

use super::{Scene, names, segments, unpack};
use crate::support::prepared::copy_dir;
use crate::support::require_tool;
use crate::torture::torment::torment;

/// Kills a backup wherever it changes its folder or the vault, each time from where the
/// scene stands now, and has `check` look at what is left.
fn killed(test: &str, scene: &Scene, check: &dyn Fn(&str)) {
    let (vault, dir) = (scene.home.vault(), scene.dir());
    let kept = ["vault-kept", "bk-kept"].map(|name| scene.home.path(name));
    fs::create_dir_all(&dir).unwrap();
    copy_dir(&vault, &kept[0]);
    copy_dir(&dir, &kept[1]);
    let run = || {
        for (place, kept) in [&vault, &dir].into_iter().zip(&kept) {
            fs::remove_dir_all(place).unwrap();
            copy_dir(kept, place);
        }
        scene.home.voxvault(["backup", "bk"])
    };
    let paths = [&vault, &dir].map(|path| path.to_str().unwrap());
    torment(test, &scene.home, &paths, &run, &|place| {
        check(&format!("{place:?}"));
    });
}

#[test]
fn a_backup_that_is_killed_at_any_write_is_completed_by_the_next_run() {
    if !require_tool("strace") || !require_tool("age") {
        return;
    }
    let scene = Scene::new();
    let ids = [
        scene.import("dream", "a dream"),
        scene.import("dentist", "a tooth"),
        scene.import("train", "a train"),
    ];
    scene.run(["list"]).ok();
    let identity = scene.identity();
    killed("kills in a backup", &scene, &|place| {
        scene.backup().ok();
        let left = names(&scene.dir());
        assert_eq!(left, ["0001.tar.age", "passphrase.age"], "{place}");
        let out = scene.home.path("out");
        fs::remove_dir_all(&out).ok();
        for segment in segments(&scene.dir()) {
            assert!(unpack(&identity, &segment, &out), "{place}");
        }
        for id in ids {
            assert!(out.join(id.to_string()).join("audio.opus").exists());
        }
    });
}

#[test]
fn a_run_that_adds_to_a_backup_and_is_killed_at_any_write_leaves_it_whole() {
    if !require_tool("strace") {
        return;
    }
    let scene = Scene::new();
    let gone = scene.import("dream", "a dream");
    scene.import("dentist", "a tooth");
    scene.backup().ok();
    let before = fs::read(scene.dir().join("0001.tar.age")).unwrap();
    scene.import("train", "a train");
    scene.run(["shred", &gone.to_string(), "--yes"]).ok();
    let verified = || {
        let verify = scene.run(["backup", "verify", "bk", "--json"]);
        verify.ok().json()["checked"]["recordings"]
            .as_u64()
            .unwrap()
    };
    killed("kills in a run that adds to a backup", &scene, &|place| {
        // Two that it held before, or one of them and the new one.
        assert_eq!(verified(), 2, "{place}");
        scene.backup().ok();
        let due = [
            "0001.tar.age",
            "0002.tar.age",
            "0003.tar.age",
            "passphrase.age",
        ];
        assert_eq!(names(&scene.dir()), due, "{place}");
        assert!(fs::read(scene.dir().join("0001.tar.age")).unwrap() == before);
        let [_, added, closing] = &scene.manifests()[..] else {
            panic!("{place}");
        };
        assert_eq!(added.recordings.len(), 1, "{place}");
        let tombstone = Tombstone { id: gone, epoch: 0 };
        for manifest in [added, closing] {
            assert_eq!(manifest.tombstones, [tombstone], "{place}");
        }
    });
    assert_eq!(verified(), 2);
}

//! `kill -9` at every write to the folder: the next run completes it, and all of it
//! opens.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use voxvault::backup::manifest::Tombstone;

use super::{Scene, names, segments, unpack};
use crate::support::prepared::copy_dir;
use crate::support::require_tool;
use crate::support::tally::{Begun, Budget};

/// What is done to the files of a backup: by which something is written, and the rest.
const CALLS: [&str; 6] = ["write", "fsync", "rename", "openat", "flock", "unlink"];
const WRITES: usize = 3;

/// Kills a backup at its calls that touch these files, each time from where the scene
/// stands now, and has `check` look at what is left. Of each call every so many are tried;
/// how many runs were killed is counted.
fn killed(tally: &mut Begun, scene: &Scene, files: &[&str], every: usize, check: &dyn Fn(&str)) {
    let (vault, dir) = (scene.home.vault(), scene.dir());
    let kept = ["vault-kept", "bk-kept"].map(|name| scene.home.path(name));
    fs::create_dir_all(&dir).unwrap();
    copy_dir(&vault, &kept[0]);
    copy_dir(&dir, &kept[1]);
    let whole = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let mut watched = vec![whole(dir.clone())];
    watched.extend(files.iter().map(|name| whole(dir.join(name))));
    let is_long = Budget::begin().is_long();
    let (calls, every) = match is_long {
        true => (&CALLS[..], 1),
        false => (&CALLS[..WRITES], every),
    };
    for call in calls {
        for when in (1..).step_by(every) {
            for (place, kept) in [&vault, &dir].into_iter().zip(&kept) {
                fs::remove_dir_all(place).unwrap();
                copy_dir(kept, place);
            }
            let inject = format!("inject={call}:signal=KILL:when={when}");
            let trace = format!("trace={call}");
            let mut args = vec!["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            for path in &watched {
                args.extend(["-P", path]);
            }
            let run = scene.home.voxvault(["backup", "bk"]);
            let ended = run.under("strace", args).run();
            if ended.code() == Some(0) {
                break;
            }
            assert_eq!(ended.status().signal(), Some(9), "{ended}");
            tally.kills += 1;
            check(&format!("{call} {when}"));
        }
    }
}

#[test]
fn a_backup_that_is_killed_at_any_write_is_completed_by_the_next_run() {
    if !require_tool("strace") || !require_tool("age") {
        return;
    }
    let mut tally = Begun::new("kills in a backup");
    let scene = Scene::new();
    let ids = [
        scene.import("dream", "a dream"),
        scene.import("dentist", "a tooth"),
        scene.import("train", "a train"),
    ];
    scene.run(["list"]).ok();
    let identity = scene.identity();
    let files = ["0001.tar.age.part", "0001.tar.age", "passphrase.age.part"];
    killed(&mut tally, &scene, &files, 1, &|place| {
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
    assert!(tally.kills > 8, "only {} kills", tally.kills);
    tally.report();
}

#[test]
fn a_run_that_adds_to_a_backup_and_is_killed_at_any_write_leaves_it_whole() {
    if !require_tool("strace") {
        return;
    }
    let mut tally = Begun::new("kills in a run that adds to a backup");
    let scene = Scene::new();
    let gone = scene.import("dream", "a dream");
    scene.import("dentist", "a tooth");
    scene.backup().ok();
    let before = fs::read(scene.dir().join("0001.tar.age")).unwrap();
    scene.import("train", "a train");
    scene.run(["shred", &gone.to_string(), "--yes"]).ok();
    let files = ["0002.tar.age", "0003.tar.age"];
    let parts = files.map(|name| format!("{name}.part"));
    let files: Vec<&str> = files
        .into_iter()
        .chain(parts.iter().map(|part| &**part))
        .collect();
    let verified = || {
        let verify = scene.run(["backup", "verify", "bk", "--json"]);
        verify.ok().json()["checked"]["recordings"]
            .as_u64()
            .unwrap()
    };
    killed(&mut tally, &scene, &files, 3, &|place| {
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
    assert!(tally.kills > 4, "only {} kills", tally.kills);
    tally.report();
}

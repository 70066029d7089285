//! `kill -9` at every write to the folder: the next run completes it, and all of it
//! opens.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use super::{Scene, names, segments, unpack};
use crate::support::prepared::copy_dir;
use crate::support::require_tool;
use crate::support::tally::{Budget, Tally};

/// What is done to the files of a backup: by which something is written, and the rest.
const CALLS: [&str; 6] = ["write", "fsync", "rename", "openat", "flock", "unlink"];
const WRITES: usize = 3;

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
    let (vault, kept) = (scene.home.vault(), scene.home.path("kept"));
    copy_dir(&vault, &kept);
    let identity = scene.identity();
    let dir = scene.dir();
    let watched = [
        "",
        "0001.tar.age.part",
        "0001.tar.age",
        "passphrase.age.part",
    ]
    .map(|name| {
        dir.join(name)
            .to_str()
            .unwrap()
            .trim_end_matches('/')
            .to_owned()
    });
    let mut tally = Tally::default();
    let calls = match Budget::begin().is_long() {
        true => &CALLS[..],
        false => &CALLS[..WRITES],
    };
    for call in calls {
        for when in 1.. {
            fs::remove_dir_all(&dir).ok();
            fs::remove_dir_all(&vault).unwrap();
            copy_dir(&kept, &vault);
            let inject = format!("inject={call}:signal=KILL:when={when}");
            let trace = format!("trace={call}");
            let mut args = vec!["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            for path in &watched {
                args.extend(["-P", path]);
            }
            let ended = scene
                .home
                .voxvault(["backup", "bk"])
                .under("strace", args)
                .run();
            if ended.code() == Some(0) {
                break;
            }
            assert_eq!(ended.status().signal(), Some(9), "{ended}");
            tally.kills += 1;
            scene.backup().ok();
            let left = names(&dir);
            assert_eq!(left, ["0001.tar.age", "passphrase.age"], "{call} {when}");
            let out = scene.home.path("out");
            fs::remove_dir_all(&out).ok();
            for segment in segments(&dir) {
                assert!(unpack(&identity, &segment, &out), "{call} {when}");
            }
            for id in ids {
                assert!(out.join(id.to_string()).join("audio.opus").exists());
            }
        }
    }
    assert!(tally.kills > 8, "only {} kills", tally.kills);
    tally.report("a_backup_that_is_killed_at_any_write_is_completed_by_the_next_run");
}

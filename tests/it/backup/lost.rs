//! Segments that are gone: a backup says so each time, and writes again what lay in them;
//! and one that is an earlier state of itself is told, whatever else lay in its place.

use std::fs;

use voxvault::backup::SoundAt;
use voxvault::recording::RecordingId;

use super::{Scene, manifest, names, segments};
use crate::support::prepared::copy_dir;

/// A backup of three segments, with one recording in each.
fn three(scene: &Scene) -> [RecordingId; 3] {
    ["dream", "dentist", "train"].map(|name| {
        let id = scene.import(name, name);
        scene.backup().ok();
        id
    })
}

#[test]
fn a_segment_that_is_gone_is_named_by_every_run_and_what_lay_in_it_is_written_again() {
    // One between others, and the newest, which only the vault remembers.
    for gone in [2, 3] {
        let scene = Scene::new();
        let ids = three(&scene);
        scene.backup().ok();
        let name = format!("000{gone}.tar.age");
        fs::remove_file(scene.dir().join(&name)).unwrap();
        let told = scene.backup().ended_with(5);
        assert!(told.stderr.contains(&name), "{told}");
        assert!(told.stderr.contains("missing"), "{told}");
        let newest = manifest(&scene.open(), &scene.dir().join("0004.tar.age"));
        let [entry] = &newest.recordings[..] else {
            panic!("{newest:?}");
        };
        assert_eq!(
            (entry.id, entry.sound),
            (ids[gone - 1], SoundAt::Here),
            "{name}"
        );
        // Said once more, and nothing more is written.
        let there = names(&scene.dir());
        let again = scene.backup().ended_with(5);
        assert!(again.stderr.contains(&name), "{again}");
        assert_eq!(names(&scene.dir()), there);
    }
}

#[test]
fn a_backup_of_which_all_segments_are_gone_says_so_and_is_begun_anew() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    scene.backup().ok();
    fs::remove_file(scene.dir().join("0001.tar.age")).unwrap();
    let told = scene.backup().ended_with(5);
    assert!(told.stderr.contains("no segment is there"), "{told}");
    assert_eq!(names(&scene.dir()), ["0001.tar.age", "passphrase.age"]);
    scene.run(["backup", "verify", "bk"]).ok();
    scene.backup().ok();
    // An empty place may be another disk's.
    fs::remove_dir_all(scene.dir()).unwrap();
    fs::create_dir(scene.dir()).unwrap();
    scene.backup().ok();
}

#[test]
fn a_segment_that_a_repack_took_away_is_not_missed() {
    let scene = Scene::new();
    let [kept, doomed, _] = three(&scene);
    scene.run(["shred", &doomed.to_string(), "--yes"]).ok();
    scene.run(["backup", "repack", "bk"]).ok();
    assert!(!scene.dir().join("0002.tar.age").exists(), "the control");
    let kept = kept.to_string();
    scene.run(["edit", &kept, "--title", "a nightmare"]).ok();
    scene.backup().ok();
    scene.backup().ok();
}

#[test]
fn an_earlier_state_of_a_backup_is_told_though_another_was_made_in_its_place_since() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    scene.backup().ok();
    let earlier = scene.home.path("earlier");
    copy_dir(&scene.dir(), &earlier);
    scene.import("dentist", "a tooth");
    scene.backup().ok();
    // As with two disks that are mounted there in turn.
    let first = scene.home.path("first");
    fs::rename(scene.dir(), &first).unwrap();
    scene.backup().ok();
    let verify = || scene.run(["backup", "verify", "bk"]);
    verify().ok();
    let second = scene.home.path("second");
    fs::rename(scene.dir(), &second).unwrap();
    copy_dir(&first, &scene.dir());
    verify().ok();
    // The newest of the first one is gone, and a copy of it as it was.
    fs::remove_file(segments(&scene.dir()).pop().unwrap()).unwrap();
    let told = verify().ended_with(5);
    assert!(format!("{told}").contains("rolled back"), "{told}");
    fs::remove_dir_all(scene.dir()).unwrap();
    copy_dir(&earlier, &scene.dir());
    let told = verify().ended_with(5);
    assert!(format!("{told}").contains("rolled back"), "{told}");
}

#[test]
fn an_earlier_state_is_told_where_the_folder_was_moved_and_of_a_copy_that_lags_behind() {
    let scene = Scene::new();
    three(&scene);
    let copy = scene.home.path("copy");
    copy_dir(&scene.dir(), &copy);
    let moved = scene.home.path("moved");
    fs::rename(scene.dir(), &moved).unwrap();
    let verify = |dir: &str| scene.run(["backup", "verify", dir]);
    for dir in ["moved", "copy"] {
        verify(dir).ok();
    }
    for lost in ["0003.tar.age", "0002.tar.age"] {
        fs::remove_file(moved.join(lost)).unwrap();
        let told = verify("moved").ended_with(5).to_string();
        assert!(told.contains("rolled back"), "{told}");
        assert!(
            told.contains("the vault remembers 0003.tar.age at "),
            "{told}"
        );
    }
    // A segment alone is checked by itself.
    verify("moved/0001.tar.age").ok();

    copy_dir(&copy, &scene.dir());
    scene.import("garden-sensor", "a garden");
    scene.backup().ok();
    let told = verify("copy").ended_with(5).to_string();
    let due = "it ends with 0003.tar.age; the vault remembers 0004.tar.age at ";
    assert!(told.contains(due), "{told}");
    verify("bk").ok();
}

#[test]
fn of_two_copies_that_are_used_in_turn_each_lacks_what_the_other_got_until_it_is_copied() {
    const MAY_BE: &str = "hint: this may be an older copy of the folder, or one of two that are";
    let scene = Scene::new();
    scene.import("dream", "a dream");
    scene.backup().ok();
    let [one, other] = ["bk", "other"].map(|name| scene.home.path(name));
    copy_dir(&one, &other);
    scene.import("dentist", "a tooth");
    scene.backup().ok();
    let verified = scene.run(["backup", "verify", "other"]).ended_with(5);
    assert!(verified.stderr.contains(MAY_BE), "{verified}");
    scene.import("garden-sensor", "a garden");
    let told = scene.run(["backup", "other"]).ended_with(5);
    let missing = "(0002.tar.age): it is missing, and the vault remembers it";
    assert!(told.stderr.contains(missing), "{told}");
    assert!(told.stderr.contains(MAY_BE), "{told}");
    // As the hint says.
    for (from, to, name) in [
        (&one, &other, "0002.tar.age"),
        (&other, &one, "0003.tar.age"),
    ] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    for name in ["bk", "other"] {
        scene.run(["backup", "verify", name]).ok();
    }
    scene.run(["backup", "other"]).ok();
}

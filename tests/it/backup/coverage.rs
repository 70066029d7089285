//! What the vault knows of its backups: which recordings are in none, and what they
//! still hold that was destroyed.

use std::fs;

use super::Scene;

impl Scene {
    /// Of the first backup what it holds, lacks, and outlives; and how many recordings
    /// are in none.
    fn counted(&self) -> (usize, usize, u32, usize) {
        let coverage = self.open().coverage().unwrap();
        let one = coverage.backups.last().unwrap();
        (one.holds, one.lacks, one.backup.destroyed, coverage.in_none)
    }
}

#[test]
fn recordings_in_no_backup_are_counted_and_so_is_what_a_backup_outlives_until_it_is_repacked() {
    let scene = Scene::new();
    let dream = scene.import("dream", "a dream").to_string();
    let none = scene.open().coverage().unwrap();
    assert_eq!(
        (none.backups.len(), none.recordings, none.in_none),
        (0, 1, 1)
    );
    scene.backup().ok();
    assert_eq!(scene.counted(), (1, 0, 0, 0));
    let tooth = scene.import("dentist", "a tooth").to_string();
    assert_eq!(scene.counted(), (1, 1, 0, 1));
    // In no backup, so none outlives it.
    scene.run(["shred", &tooth, "--yes"]).ok();
    assert_eq!(scene.counted(), (1, 0, 0, 0));
    scene.run(["shred", &dream, "--yes"]).ok();
    assert_eq!(scene.counted(), (0, 0, 1, 0));
    scene.import("train", "a train");
    scene.backup().ok();
    assert_eq!(scene.counted(), (1, 0, 1, 0), "a segment keeps what it has");
    scene.run(["backup", "repack", "bk"]).ok();
    assert_eq!(scene.counted(), (1, 0, 0, 0));
}

#[test]
fn one_that_came_back_from_a_backup_is_in_it_once_the_next_run_has_looked() {
    let scene = Scene::new();
    let dream = scene.import("dream", "a dream").to_string();
    scene.backup().ok();
    scene.run(["shred", &dream, "--yes"]).ok();
    scene.run(["restore", "bk", "--resurrect", &dream]).ok();
    assert_eq!(scene.counted(), (0, 1, 1, 1));
    scene.backup().ok();
    assert_eq!(scene.counted(), (1, 0, 1, 0));
}

#[test]
fn a_run_that_failed_is_no_promise_that_what_is_new_is_in_the_backup() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    scene.backup().ok();
    scene.import("dentist", "a tooth");
    // Wherever the next segment could be written there is something that can't be replaced.
    let in_the_way = ["0002.tar.age.part", "0002.tar.age.2.part"];
    let in_the_way = in_the_way.map(|name| scene.dir().join(name));
    for place in &in_the_way {
        fs::create_dir_all(place.join("full")).unwrap();
    }
    scene.backup().ended_with(1);
    assert_eq!(scene.counted(), (1, 1, 0, 1));
    for place in in_the_way {
        fs::remove_dir_all(place).unwrap();
    }
    scene.backup().ok();
    assert_eq!(scene.counted(), (2, 0, 0, 0), "the control");
}

//! Backups that are no more, and that the vault is told to forget.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::{Scene, names};

/// The paths that a shred of this recording names as still holding it.
fn still_holding(scene: &Scene, id: &str) -> Vec<String> {
    let receipt = scene.run(["shred", id, "--yes", "--json"]).ok().json();
    let backups = receipt["backups_still_holding"].as_array().unwrap();
    let path = |one: &serde_json::Value| one["path"].as_str().unwrap().to_owned();
    backups.iter().map(path).collect()
}

#[test]
fn a_backup_that_is_gone_is_named_until_it_is_forgotten() {
    let scene = Scene::new();
    let [first, second] = ["dream", "dentist"].map(|name| scene.import(name, name).to_string());
    scene.backup().ok();
    let place = scene.dir().canonicalize().unwrap();
    fs::remove_dir_all(&place).unwrap();
    let place = place.to_str().unwrap();
    assert_eq!(still_holding(&scene, &first), [place]);

    // Nobody can be asked here.
    let refused = scene.run(["backup", "forget", place]).ended_with(2);
    assert!(refused.stderr.contains("--yes"), "{refused}");
    let unknown = scene.run(["backup", "forget", "elsewhere", "--yes"]);
    assert!(unknown.ended_with(4).stderr.contains("backup list"));

    // By the name it was made under, though there is nothing of that name now.
    let told = scene.run(["backup", "forget", "bk", "--yes", "--json"]);
    let told = told.ok().json();
    assert_eq!(told["path"], place);
    assert_eq!(told["still_there"], false);
    assert_eq!(scene.run(["backup", "list"]).ok().text(), "");
    assert_eq!(still_holding(&scene, &second), [""; 0]);
    let log = scene.run(["log"]).ok();
    let line = format!("forgotten: {place}");
    assert!(log.text().contains(&line), "{log}");
}

#[test]
fn one_that_is_still_there_is_left_as_it_is_and_known_again_once_it_is_added_to() {
    let scene = Scene::new();
    let id = scene.import("dream", "a dream").to_string();
    scene.backup().ok();
    let before = names(&scene.dir());
    let told = scene.run(["backup", "forget", "bk", "--yes", "--json"]);
    assert_eq!(told.ok().json()["still_there"], true);
    assert_eq!(names(&scene.dir()), before);

    let again = scene.backup().ok();
    assert!(again.text().starts_with("nothing new"), "{again}");
    scene.run(["backup", "verify", "bk"]).ok();
    let place = scene.dir().canonicalize().unwrap();
    assert_eq!(still_holding(&scene, &id), [place.to_str().unwrap()]);
}

#[test]
fn of_two_that_were_made_in_one_place_one_is_named_by_its_id() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    scene.backup().ok();
    // As with two disks that are mounted there in turn.
    fs::rename(scene.dir(), scene.home.path("first")).unwrap();
    scene.backup().ok();
    let list = || scene.run(["backup", "list", "--json"]).ok().json();
    let ids = list()["backups"].clone();
    let ids = [0, 1].map(|at| ids[at]["id"].as_str().unwrap().to_owned());
    let refused = scene.run(["backup", "forget", "bk", "--yes"]).ended_with(2);
    for id in &ids {
        assert!(refused.stderr.contains(id), "{refused}");
    }
    scene.run(["backup", "forget", &ids[0][..8], "--yes"]).ok();
    let left = list();
    assert_eq!(left["backups"].as_array().unwrap().len(), 1);
    assert_eq!(left["backups"][0]["id"], ids[1].as_str());
}

#[test]
fn all_streams_are_forgotten_together() {
    let scene = Scene::new();
    let id = scene.import("dream", "a dream").to_string();
    scene.run(["backup", "-"]).ok();
    scene.run(["backup", "-"]).ok();
    scene.run(["backup", "forget", "-", "--yes"]).ok();
    assert_eq!(still_holding(&scene, &id), [""; 0]);
}

#[test]
fn a_folder_whose_name_is_no_text_is_forgotten_by_it() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    let name = OsStr::from_bytes(b"disk \xff");
    let run = |args: &[&OsStr]| scene.home.voxvault(args.iter().copied()).run();
    run(&["backup".as_ref(), name]).ok();
    let forget: [&OsStr; 5] = [
        "backup".as_ref(),
        "forget".as_ref(),
        name,
        "--yes".as_ref(),
        "--json".as_ref(),
    ];
    let told = run(&forget).ok().json();
    assert_eq!(told["still_there"], true);
    assert_eq!(scene.run(["backup", "list"]).ok().text(), "");
    run(&forget).ended_with(4);
}

//! Where no backup is written.

use std::fs;
use std::time::Duration;

use super::{Scene, names};
use crate::support::prepared::copy_dir;
use crate::support::{Terminal, require_tool};

#[test]
fn a_folder_that_is_no_place_for_it_is_refused_and_left_as_it_is() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    let inside = scene.home.vault().join("bk");
    let inside = inside.to_str().unwrap();
    let refused = scene.run(["backup", inside]).ended_with(1);
    assert!(refused.stderr.contains("lies in the vault"), "{refused}");

    let foreign = scene.home.path("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("letter.txt"), "dear").unwrap();
    let refused = scene.run(["backup", "foreign"]).ended_with(1);
    assert!(refused.stderr.contains("it is not empty"), "{refused}");
    assert_eq!(names(&foreign), ["letter.txt"]);
    scene.run(["backup", "foreign/letter.txt"]).ended_with(1);

    // Another vault's.
    let other = Scene::new();
    other.import("train", "a train");
    other.backup().ok();
    copy_dir(&other.dir(), &scene.home.path("others"));
    let refused = scene.run(["backup", "others"]).ended_with(1);
    assert!(refused.stderr.contains("do not open"), "{refused}");
    // A sound one, to which this vault has no key: no damage, whatever is asked of it.
    scene.run(["backup", "repack", "others"]).ended_with(3);
    scene.run(["backup", "verify", "others"]).ended_with(3);
    assert_eq!(names(&scene.home.path("others")), names(&other.dir()));
}

#[test]
fn recipients_that_are_none_are_refused_before_anything_is_written() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    scene
        .run(["backup", "bk", "-r", "age1nonsense"])
        .ended_with(2);
    scene.home.write("list", b"# nobody\n");
    scene.run(["backup", "bk", "-R", "list"]).ended_with(2);
    scene.run(["backup", "bk", "-R", "missing"]).ended_with(2);
    assert!(!scene.dir().exists());
}

#[test]
fn a_stream_is_not_written_to_a_terminal() {
    let scene = Scene::new();
    let passphrase = scene.home.passphrase_file();
    let args = [
        "--passphrase-file",
        passphrase.to_str().unwrap(),
        "backup",
        "-",
    ];
    let mut terminal = Terminal::voxvault(&scene.home, args, (80, 24), Vec::new());
    terminal.wait_for("redirect it");
    assert_eq!(terminal.wait_for_end(Duration::from_secs(60)), Some(2));
}

#[test]
fn a_full_disk_ends_it_and_leaves_no_part_behind() {
    if !require_tool("strace") {
        return;
    }
    let scene = Scene::new();
    scene.import("dream", "a dream");
    let part = scene.dir().join("0001.tar.age.part");
    let part = part.to_str().unwrap();
    let args = [
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        part,
        "-e",
        "trace=write",
        "-e",
        "inject=write:error=ENOSPC:when=3+",
    ];
    let full = scene
        .home
        .voxvault(["backup", "bk"])
        .under("strace", args)
        .run();
    let full = full.ended_with(9);
    assert!(full.stderr.contains("No space left"), "{full}");
    assert_eq!(names(&scene.dir()), ["passphrase.age"]);
    scene.backup().ok();
    assert_eq!(names(&scene.dir()), ["0001.tar.age", "passphrase.age"]);
}

#[test]
fn a_run_that_a_full_disk_ended_leaves_a_backup_that_verifies_as_before() {
    if !require_tool("strace") {
        return;
    }
    let scene = Scene::new();
    let gone = scene.import("dream", "a dream").to_string();
    scene.backup().ok();
    scene.import("dentist", "a tooth");
    scene.run(["shred", &gone, "--yes"]).ok();
    let segment = |number: u32| format!("000{number}.tar.age");
    // Two are to be written: the first of them can't be, and then the second.
    for number in [2, 3] {
        let part = scene.dir().join(format!("{}.part", segment(number)));
        let part = part.to_str().unwrap();
        let full = "inject=write:error=ENOSPC";
        let args = ["-f", "-qq", "-o", "/dev/null", "-P", part];
        let args = [&args[..], &["-e", "trace=write", "-e", full]].concat();
        let run = scene.home.voxvault(["backup", "bk"]).under("strace", args);
        let full = run.run().ended_with(9);
        assert!(full.stderr.contains("No space left"), "{full}");
        let due: Vec<String> = (1..number).map(segment).collect();
        assert_eq!(
            names(&scene.dir()),
            [&due[..], &["passphrase.age".into()]].concat()
        );
        let verified = scene.run(["backup", "verify", "bk", "--json"]).ok().json();
        assert_eq!(verified["damage"], serde_json::json!([]));
    }
    scene.backup().ok();
    let verified = scene.run(["backup", "verify", "bk", "--json"]).ok().json();
    assert_eq!(verified["checked"]["recordings"], 1);
}

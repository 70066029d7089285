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
    assert_eq!(terminal.wait_for_end(Duration::from_secs(60)), Some(2));
    assert!(terminal.screen().contains("redirect it"));
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

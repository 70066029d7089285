//! Nine: there is no room left, on a small file system, in a pipe, or by the kernel's word.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{complaint, home_with_tone};
use crate::support::prepared::{make_quick_vault, quick_home};
use crate::support::sound::Pcm;
use crate::support::{Home, can_require, require_tool};

/// A file system that holds so much, gone with the test.
struct Tiny(PathBuf);

impl Tiny {
    fn mount(home: &Home, size: &str) -> Option<Self> {
        let place = home.path("tiny");
        fs::create_dir(&place).unwrap();
        let options = format!("size={size},mode=0700");
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tiny"])
            .arg(&place)
            .status();
        let mounted = status.is_ok_and(|status| status.success());
        can_require(mounted, "can't mount a small file system (needs root)").then_some(Self(place))
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

#[test]
fn nine_when_there_is_no_room_for_a_rehearsal_which_leaves_nothing_behind() {
    let home = Home::new();
    make_quick_vault(&home.vault());
    home.write("small.wav", &Pcm::tone(16_000, 2.0).wav());
    home.voxvault(["import", "--no-transcribe", "small.wav"])
        .run()
        .ok();
    home.voxvault(["backup", "backup"]).run().ok();
    let Some(tiny) = Tiny::mount(&home, "700k") else {
        return;
    };
    let tried = home.voxvault(["restore", "backup", "--test"]);
    let (said, hint) = complaint(&tried.env("TMPDIR", &tiny.0).run(), 9);
    assert!(hint.is_some_and(|hint| hint.contains("TMPDIR")), "{said}");
    assert_eq!(tiny.0.read_dir().unwrap().count(), 0);
    drop(tiny);
}

#[test]
fn nine_when_the_disk_is_full_and_what_was_there_stays() {
    let home = Home::new();
    let Some(tiny) = Tiny::mount(&home, "5m") else {
        return;
    };
    let vault = tiny.0.join("vault");
    make_quick_vault(&vault);
    let on_it = |args: &[&str]| {
        let mut args: Vec<&str> = args.to_vec();
        args.extend(["--vault", vault.to_str().unwrap()]);
        home.voxvault(args)
    };
    home.write("small.wav", &Pcm::tone(16_000, 2.0).wav());
    on_it(&["import", "--no-transcribe", "small.wav"])
        .run()
        .ok();

    home.write("large.wav", &Pcm::tone(8_000, 1_500.0).wav());
    let (said, _) = complaint(&on_it(&["import", "--no-transcribe", "large.wav"]).run(), 9);
    assert!(
        said.contains("large.wav") || said.contains("vault"),
        "{said}"
    );
    let list = on_it(&["list", "--json"]).run().ok().json();
    assert_eq!(
        list["recordings"].as_array().unwrap().len(),
        1,
        "nothing half-taken: {list}"
    );

    // What was recorded by then stays, up to the last whole segment.
    let fed = Pcm::tone(8_000, 1_500.0).wav();
    let ended = on_it(&["record", "-", "--title", "long"]).stdin(fed).run();
    let (said, hint) = complaint(&ended, 9);
    assert!(said.contains("the disk is full"), "{said}");
    assert!(hint.is_some_and(|hint| hint.contains("are kept")));
    // It was said before as well, when there was still time.
    assert!(ended.stderr.contains("the disk is nearly full"), "{ended}");
    assert_eq!(ended.text().trim().len(), 32, "the id of what was kept");
    let more = on_it(&["record", "-"]).stdin(Pcm::tone(8_000, 2.0).wav());
    let (said, _) = complaint(&more.run(), 9);
    assert!(said.contains("the disk is full"), "{said}");
    // A full disk still shreds, which makes room.
    on_it(&["shred", "title:small", "--yes"]).run().ok();
    drop(tiny);
}

#[test]
fn nine_when_what_it_prints_has_no_room() {
    let home = home_with_tone();
    let script = r#"exec "$@" >/dev/full"#;
    let full = |args: &[&str]| {
        home.voxvault(args.iter().copied())
            .under("sh", ["-c", script, "sh"])
            .run()
    };
    complaint(&full(&["list", "--json"]), 9);
    complaint(&full(&["export", "last", "--format", "wav", "-o", "-"]), 9);
    complaint(&full(&["play", "last", "--stdout"]), 9);
}

#[test]
fn nine_when_the_kernel_says_so_in_the_middle_of_a_recording() {
    if !require_tool("strace") {
        return;
    }
    let home = quick_home();
    let inject = [
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "inject=pwrite64:error=ENOSPC:when=6+",
    ];
    let ended = home
        .voxvault(["record", "-", "--title", "kept"])
        .locked()
        .stdin(Pcm::tone(16_000, 20.0).wav())
        .under("strace", inject)
        .run();
    complaint(&ended, 9);
    let list = home.list();
    assert_eq!(list.len(), 1, "what was acknowledged is kept: {list:?}");
    assert!(list[0]["duration_s"].as_f64().unwrap() >= 0.8, "{list:?}");
}

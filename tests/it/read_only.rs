//! A vault on a file system that is mounted read-only, with the program as it
//! is: a mount in a name space of its own, which the kernel gives to anybody.

use std::process::Command;

use voxvault::transcript::Segment;

use crate::support::prepared::{files_below, quick_home};
use crate::support::sound::Pcm;
use crate::support::{Home, Key, PASSPHRASE, Terminal, Voxvault, can_require, require_tool};

/// Mounts its first argument read-only over itself, and runs the others.
const SCRIPT: &str = r#"mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@""#;

fn require_name_spaces(home: &Home) -> bool {
    if !require_tool("unshare") {
        return false;
    }
    let status = Command::new("unshare")
        .args(["-rm", "sh", "-c", SCRIPT])
        .arg(home.vault())
        .arg("true")
        .status();
    can_require(
        status.is_ok_and(|status| status.success()),
        "can't mount in a name space of one's own",
    )
}

fn read_only(home: &Home, args: &[&str]) -> Voxvault {
    let vault = home.vault().display().to_string();
    let run = home.voxvault(args.iter().copied());
    run.under("unshare", ["-rm", "sh", "-c", SCRIPT, &vault])
}

/// A home whose vault holds one recording with words, and one in the inbox.
fn home_with_both() -> Home {
    let home = quick_home();
    home.write("tone.wav", &Pcm::tone(16_000, 2.0).wav());
    home.voxvault(["import", "--no-transcribe", "tone.wav"])
        .run()
        .ok();
    let open = crate::support::library::unlock(&home.vault(), PASSPHRASE);
    let recording = open.recordings().unwrap().remove(0);
    let mut words = crate::support::library::transcript("the heater hums");
    words.segments.truncate(1);
    assert!(matches!(words.segments.as_slice(), [Segment { .. }]));
    open.add_transcript(recording.id, recording.epoch, &words)
        .unwrap();
    home.voxvault(["record", "-", "--title", "waits"])
        .locked()
        .stdin(Pcm::tone(16_000, 2.0).wav())
        .run()
        .ok();
    home
}

fn bytes_of(home: &Home) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let read = |path: std::path::PathBuf| (path.clone(), std::fs::read(path).unwrap());
    files_below(&home.vault()).into_iter().map(read).collect()
}

#[test]
fn what_is_there_can_be_listed_found_shown_exported_and_played() {
    let home = home_with_both();
    if !require_name_spaces(&home) {
        return;
    }
    let before = bytes_of(&home);
    let list = read_only(&home, &["list", "--json"]).run().ok();
    assert!(
        list.stderr.contains("read-only: 1 recording waits"),
        "{list}"
    );
    assert!(!list.stderr.contains("put in order"), "{list}");
    let list = list.json();
    let recordings = list["recordings"].as_array().unwrap();
    assert_eq!(recordings.len(), 1, "what waits is not taken in: {list}");
    let found = read_only(&home, &["search", "heater"]).run().ok();
    assert!(found.text().contains("heater"), "{found}");
    let shown = read_only(&home, &["show", "last"]).run().ok();
    assert!(shown.text().contains("hums"), "{shown}");
    let out = home.path("copy.wav").display().to_string();
    let copied = read_only(&home, &["export", "last", "--format", "wav", "-o", &out])
        .run()
        .ok();
    assert!(copied.stderr.contains("not in its log"), "{copied}");
    assert!((Pcm::decode(&home.path("copy.wav")).seconds() - 2.0).abs() < 0.01);
    let played = read_only(&home, &["play", "last", "--stdout"]).run().ok();
    assert!(played.stderr.contains("not in its log"), "{played}");
    assert!(played.stdout == std::fs::read(&out).unwrap());
    assert_eq!(bytes_of(&home), before, "nothing changed");
}

#[test]
fn what_writes_says_that_the_file_system_is_read_only() {
    let home = home_with_both();
    if !require_name_spaces(&home) {
        return;
    }
    let before = bytes_of(&home);
    let refused = |args: &[&str]| {
        let run = read_only(&home, args).stdin(Pcm::tone(16_000, 1.0).wav());
        let ended = run.run().ended_with(1);
        let said = "the file system is read-only";
        assert!(ended.stderr.contains(said), "{args:?}: {ended}");
        assert!(ended.stderr.contains("hint: "), "{args:?}: {ended}");
        assert!(!ended.stderr.contains("damage"), "{args:?}: {ended}");
    };
    refused(&["record"]);
    refused(&["record", "-"]);
    refused(&["edit", "last", "--title", "other"]);
    refused(&["shred", "last", "--yes"]);
    refused(&["transcribe"]);
    refused(&["import", "tone.wav"]);
    assert_eq!(bytes_of(&home), before);
    // The control: the same is done where it can be written.
    home.voxvault(["edit", "last", "--title", "other"])
        .run()
        .ok();
    assert_eq!(home.list().len(), 2);
}

#[test]
fn the_interface_opens_and_says_that_it_only_reads() {
    let home = home_with_both();
    if !require_name_spaces(&home) {
        return;
    }
    let vault = home.vault().into_os_string();
    let program = crate::support::bin().as_os_str().to_owned();
    let mut argv: Vec<std::ffi::OsString> = ["unshare", "-rm", "sh", "-c", SCRIPT]
        .map(Into::into)
        .to_vec();
    argv.extend([vault, program]);
    let terminal = Terminal::open(&home, argv, (80, 24), Vec::new());
    terminal.wait_for("locked · read-only");
    terminal.press(Key::Enter);
    terminal.type_text(PASSPHRASE);
    terminal.press(Key::Enter);
    terminal.wait_for("unlocked · read-only");
    terminal.wait_for("1 recording ·");
    terminal.wait_for("hums");
    terminal.type_text("r");
    terminal.wait_for("the file system is read-only");
    terminal.press(Key::Escape);
    terminal.wait_for_no("the file system is read-only");
    terminal.type_text("D");
    terminal.wait_for("Destroy this recording for good?");
    terminal.press(Key::Tab);
    terminal.press(Key::Enter);
    terminal.wait_for("the file system is read-only");
    terminal.wait_for("1 recording ·");
}

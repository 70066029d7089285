//! Every way to end: its exit code, its one line of error, and its hint. Those that have
//! much to show stand in files of their own.

use std::fs;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::support::library;
use crate::support::prepared::{make_quick_vault, quick_folder, quick_home};
use crate::support::sound::Pcm;
use crate::support::{Finished, Home, require_model};

mod damaged;
mod no_room;
mod stopped;

/// A vault that opens at once, with one short recording in it.
fn home_with_tone() -> Home {
    let home = quick_home();
    home.write("tone.wav", &Pcm::tone(16_000, 1.0).wav());
    home.voxvault(["import", "--no-transcribe", "tone.wav"])
        .run()
        .ok();
    home
}

/// The error line, which stands alone: `voxvault: WHAT (WHICH): WHY`, at most
/// followed by a hint. Notes may come before it.
fn complaint(ended: &Finished, code: i32) -> (String, Option<String>) {
    assert_eq!(ended.code(), Some(code), "{ended}");
    assert!(!ended.stderr.contains("panicked"), "{ended}");
    assert!(!ended.stderr.contains("backtrace"), "{ended}");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let (error, hint) = match lines.as_slice() {
        [.., error, hint] if hint.starts_with("hint: ") => {
            (*error, hint.strip_prefix("hint: ").map(str::to_owned))
        }
        [.., error] => (*error, None),
        [] => panic!("nothing was said\n{ended}"),
    };
    let said = error
        .strip_prefix("voxvault: ")
        .unwrap_or_else(|| panic!("no error line\n{ended}"));
    assert!(said.contains(": "), "no WHY: {error}");
    let period = said.ends_with('.') && !said.ends_with("...");
    assert!(!period, "a message has no period at its end: {error}");
    (said.to_owned(), hint)
}

#[test]
fn nought_when_done_also_when_a_reader_has_seen_enough() {
    let home = home_with_tone();
    let listed = home.voxvault(["list"]).run().ok();
    assert_eq!(listed.stderr, "");
    home.voxvault(["search", "zeppelin"]).run().ok();
    home.voxvault(["list", "tag:nothing"]).run().ok();
    home.voxvault(["--help"]).locked().run().ok();
    home.voxvault(["--version"]).locked().run().ok();
    // `head -c 0` goes at once: the pipe is closed.
    let script = r#"shift; { "$0" "$@"; echo "$?" >&2; } | head -c 0"#;
    let binary = crate::support::bin().to_str().unwrap();
    for command in [["man", ""], ["completions", "bash"], ["list", "--json"]] {
        let args: Vec<&str> = command.into_iter().filter(|arg| !arg.is_empty()).collect();
        let ended = home
            .voxvault(args)
            .under("sh", ["-c", script, binary])
            .run();
        assert_eq!(ended.stderr, "0\n", "{ended}");
    }
    // More than a pipe holds, so that writing it out meets the closed end.
    home.write("long.wav", &Pcm::tone(16_000, 60.0).wav());
    let args = ["import", "--no-transcribe", "long.wav"];
    home.voxvault(args).run().ok();
    let script = script.replace("head -c 0", "head -c 1 >/dev/null");
    for format in ["wav", "flac", "opus"] {
        let ended = home
            .voxvault(["export", "last", "--format", format, "-o", "-"])
            .under("sh", ["-c", &script, binary])
            .run();
        assert!(ended.stderr.ends_with("0\n"), "{format}: {ended}");
        assert!(!ended.stderr.contains("voxvault: "), "{format}: {ended}");
    }
    let played = home.voxvault(["play", "last", "--stdout"]);
    let ended = played.under("sh", ["-c", &script, binary]).run();
    assert_eq!(ended.stderr, "0\n", "{ended}");
}

#[test]
fn one_when_it_failed_or_some_of_several_were_refused() {
    let home = home_with_tone();
    let (said, _) = complaint(&home.voxvault(["init"]).run(), 1);
    assert!(said.contains(home.vault().to_str().unwrap()), "{said}");

    home.write("text.wav", b"this is no sound at all");
    home.write("good.wav", &Pcm::tone(16_000, 1.2).wav());
    let some = home
        .voxvault(["import", "--no-transcribe", "text.wav", "good.wav"])
        .run();
    let (said, _) = complaint(&some, 1);
    assert!(said.contains("text.wav"), "{said}");
    assert_eq!(
        some.text().lines().count(),
        1,
        "the other one is taken: {some}"
    );
    assert_eq!(home.list().len(), 2);

    let (said, _) = complaint(&home.voxvault(["import", "no-such-file.wav"]).run(), 1);
    assert!(said.contains("no-such-file.wav"), "{said}");
}

#[test]
fn two_when_the_arguments_are_unusable() {
    let home = home_with_tone();
    let unusable: [&[&str]; 13] = [
        &["frobnicate"],
        &["list", "--frobnicate"],
        &["show"],
        &["show", "abc"],
        &["show", "not-an-id"],
        &["shred", "free words", "--yes"],
        &["shred", "--yes"],
        &["shred", "last"],
        &["export", "last", "--format", "midi"],
        &["record", "-", "--format", "s16le", "--for", "soon"],
        &["record", "-", "--format", "u99"],
        &["edit", "last"],
        &["edit", "last", "--tag", "+two words"],
    ];
    for args in unusable {
        let ended = home.voxvault(args.iter().copied()).run();
        complaint(&ended, 2);
        assert_eq!(ended.text(), "", "{ended}");
    }
    assert_eq!(home.list().len(), 1);

    let (said, hint) = complaint(&home.voxvault(Vec::<String>::new()).run(), 2);
    assert!(said.contains("terminal"), "{said}");
    assert!(hint.is_some());

    home.write("short", b"seven77");
    let fresh = home
        .voxvault(["init", "--vault", "fresh"])
        .passphrase_file(home.path("short"));
    let (said, hint) = complaint(&fresh.run(), 2);
    assert!(said.contains('8') && hint.is_some(), "{said}");
    assert!(
        !home.path("fresh").exists(),
        "a refused init leaves nothing"
    );

    // Nothing is locked where there is no vault yet.
    home.write("empty", b"");
    let init = || home.voxvault(["init", "--vault", "fresh"]);
    complaint(&init().passphrase_file("empty").run(), 2);
    let (said, hint) = complaint(&init().locked().run(), 2);
    assert!(said.contains("terminal") && hint.is_some(), "{said}");
    let add = ["key", "add", "--new-passphrase-file", "empty"];
    complaint(&home.voxvault(add).run(), 2);
    assert!(!home.path("fresh").exists());

    fs::create_dir_all(home.path("config/voxvault")).unwrap();
    home.write("config/voxvault/config.toml", b"langauge = \"de\"\n");
    let (said, _) = complaint(&home.voxvault(["list"]).run(), 2);
    assert!(said.contains("langauge"), "{said}");
}

#[test]
fn two_when_an_id_is_ambiguous_or_too_short() {
    let home = Home::new();
    let folder = quick_folder();
    let dir = folder.path().join("vault");
    let open = make_quick_vault(&dir);
    // Ids are random: among some hundreds two begin with the same four digits.
    let mut ids: Vec<String> = Vec::new();
    let (one, other) = loop {
        let id = library::record(open.vault(), "one of many", 0).to_string();
        if let Some(other) = ids.iter().find(|other| other[..4] == id[..4]) {
            break (id.clone(), other.clone());
        }
        ids.push(id);
    };
    open.merge().unwrap();
    let show = |id: &str| {
        home.voxvault([
            "edit",
            id,
            "--title",
            "this one",
            "--vault",
            dir.to_str().unwrap(),
        ])
        .run()
    };
    let (said, hint) = complaint(&show(&one[..4]), 2);
    assert!(
        said.contains(&one[..8]) && said.contains(&other[..8]),
        "{said}"
    );
    assert!(hint.is_some());
    show(&one[..8]).ok();
    show(&one.to_uppercase()).ok();
    let (_, hint) = complaint(&show(&one[..3]), 2);
    assert!(hint.is_some_and(|hint| hint.contains('4')));
}

#[test]
fn three_when_locked() {
    let home = home_with_tone();
    let wrong = home.write("wrong", b"not the passphrase");
    for command in ["list", "transcribe"] {
        complaint(
            &home
                .voxvault([command])
                .passphrase_file(wrong.clone())
                .run(),
            3,
        );
        let (_, hint) = complaint(&home.voxvault([command]).locked().run(), 3);
        assert!(hint.is_some_and(|hint| hint.contains("--passphrase-file")));
    }
    complaint(
        &home
            .voxvault(["list"])
            .passphrase_file(home.path("no-such-file"))
            .run(),
        3,
    );
    complaint(
        &home
            .voxvault(["list", "--passphrase-command", "false"])
            .locked()
            .run(),
        3,
    );
    home.voxvault(["list", "--passphrase-command", "cat passphrase"])
        .locked()
        .run()
        .ok();
    // One newline at the end is dropped, no other.
    let with_newline = home.write(
        "newline",
        format!("{}\n", crate::support::PASSPHRASE).as_bytes(),
    );
    home.voxvault(["list"])
        .passphrase_file(with_newline)
        .run()
        .ok();
    let with_two = home.write(
        "newlines",
        format!("{}\n\n", crate::support::PASSPHRASE).as_bytes(),
    );
    complaint(&home.voxvault(["list"]).passphrase_file(with_two).run(), 3);
}

#[test]
fn four_when_there_is_nothing_of_that_name() {
    let empty = Home::new();
    for command in [
        &["list"][..],
        &["record", "-"],
        &["import", "passphrase"],
        &["passwd"],
    ] {
        let (said, hint) = complaint(&empty.voxvault(command.iter().copied()).run(), 4);
        assert!(said.contains(empty.vault().to_str().unwrap()), "{said}");
        assert_eq!(hint.as_deref(), Some("voxvault init"));
    }

    let home = home_with_tone();
    for args in [
        &["show", "ffffffff"][..],
        &["export", "ffffffff", "--format", "wav", "-o", "-"],
        &["edit", "ffffffff", "--title", "x"],
        &["shred", "ffffffff", "--yes"],
        &["shred", "tag:nothing", "--yes"],
        &["export", "tag:nothing", "--format", "wav"],
        &["transcribe", "ffffffff"],
        &["show", "last"],
    ] {
        complaint(&home.voxvault(args.iter().copied()).run(), 4);
    }
    assert_eq!(home.list().len(), 1);
}

#[test]
fn six_when_another_process_holds_the_vault() {
    let home = home_with_tone();
    let lock = fs::File::open(home.vault().join("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let start = Instant::now();
    let (said, hint) = complaint(&home.voxvault(["list"]).run(), 6);
    assert!(said.contains("lock") && hint.is_some(), "{said}");
    let waited = start.elapsed();
    assert!(
        waited > Duration::from_secs(5),
        "it gave up after {waited:?}"
    );
    assert!(
        waited < Duration::from_secs(8),
        "it gave up after {waited:?}"
    );
    // A recording does not need it.
    home.voxvault(["record", "-"])
        .locked()
        .stdin(Pcm::tone(16_000, 1.0).wav())
        .run()
        .ok();
    // Who waits gets it once it is free.
    let waiting = home.voxvault(["list"]).spawn();
    std::thread::sleep(Duration::from_secs(1));
    flock(&lock, FlockOperation::Unlock).unwrap();
    waiting.wait().ok();
}

#[test]
fn seven_when_there_is_no_microphone() {
    let home = home_with_tone();
    // An ALSA that knows no device, so that this holds on every machine.
    let nothing = home.write("alsa.conf", b"");
    let deaf = |args: &[&str]| {
        home.voxvault(args.iter().copied())
            .env("ALSA_CONFIG_PATH", nothing.clone())
            .locked()
            .run()
    };
    let (_, hint) = complaint(&deaf(&["record"]), 7);
    assert!(hint.is_some(), "what to do about it");
    let (said, _) = complaint(&deaf(&["record", "--device", "no such microphone"]), 7);
    assert!(said.contains("no such microphone"), "{said}");
    assert_eq!(home.list().len(), 1, "nothing was begun");
}

#[test]
fn eight_when_there_is_no_speech_model() {
    let home = home_with_tone();
    let none = home.path("no-models");
    fs::create_dir(&none).unwrap();
    let modelless = |args: &[&str]| {
        home.voxvault(args.iter().copied())
            .env("VOXVAULT_MODELS", none.clone())
            .run()
    };
    let (_, hint) = complaint(&modelless(&["transcribe"]), 8);
    assert!(hint.is_some_and(|hint| hint.contains("model import")));
    assert_eq!(home.list()[0]["state"], "pending", "it waits");
    // Everything else works without.
    modelless(&["list"]).ok();
    modelless(&["search", "tone"]).ok();
    home.write("more.wav", &Pcm::tone(16_000, 1.5).wav());
    modelless(&["import", "more.wav"]).ok();
    modelless(&["model", "list"]).ok();
    if require_model() {
        // There is one, but none of that name.
        complaint(
            &home.voxvault(["transcribe", "--model", "no-such"]).run(),
            4,
        );
    }
}

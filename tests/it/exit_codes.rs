//! Every way to end: its exit code, its one line of error, and its hint.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;

use crate::support::library;
use crate::support::prepared::{make_quick_vault, quick_folder, quick_home};
use crate::support::sound::Pcm;
use crate::support::{Finished, Home, can_require, eventually, require_model, require_tool};

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
fn five_when_damage_is_found_and_what_is_sound_is_kept() {
    let home = home_with_tone();
    home.voxvault(["record", "-", "--no-transcribe", "--title", "damaged"])
        .locked()
        .stdin(Pcm::tone(16_000, 2.0).wav())
        .run()
        .ok();
    // A segment in the middle of a recording that is not merged yet.
    let inbox = home
        .vault()
        .join("inbox")
        .read_dir()
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = fs::read(&inbox).unwrap();
    let last = bytes.len() - 4_000;
    bytes[last] ^= 1;
    fs::write(&inbox, bytes).unwrap();

    let ended = home.voxvault(["list"]).run();
    let (said, _) = complaint(&ended, 5);
    let name = inbox.file_stem().unwrap().to_string_lossy().into_owned();
    assert!(
        said.contains(&name[..8]),
        "the damaged one is named: {said}"
    );
    assert_eq!(
        ended.text().lines().count(),
        2,
        "what stands before the damage is kept: {ended}"
    );
    // What lies behind the damage is there too, and where it was.
    for recording in home.list() {
        let id = recording["id"].as_str().unwrap();
        let export = home.voxvault(["export", id, "--format", "wav", "-o", "-"]);
        let exported = export.run();
        // The merge has noted what is lost: it is said, and no damage any more.
        assert_eq!(exported.code(), Some(0), "{exported}");
        let said = exported.stderr.contains("0.8 s of it were lost for good");
        assert_eq!(said, id == name, "{exported}");
        let wanted_s = recording["duration_s"].as_f64().unwrap();
        let bytes = exported.stdout.len() as f64 - 44.0;
        assert!(
            (bytes / 96_000.0 - wanted_s).abs() < 0.01,
            "{bytes} bytes for {wanted_s} s"
        );
    }

    // A key file that was damaged is made anew from its copy, and that is told.
    let slot = home.vault().join("keys/passphrase.age");
    let whole = fs::read(&slot).unwrap();
    fs::write(&slot, &whole[..40]).unwrap();
    let (said, _) = complaint(&home.voxvault(["list"]).run(), 5);
    assert!(said.contains("passphrase.age"), "{said}");
    assert_eq!(fs::read(&slot).unwrap(), whole);
    home.voxvault(["list"]).run().ok();
}

#[test]
fn five_with_a_hint_when_the_store_can_not_be_read_and_recording_goes_on() {
    let home = home_with_tone();
    let id = home.list()[0]["id"].as_str().unwrap().to_owned();
    let store = home.vault().join("store.redb");
    let mut bytes = fs::read(&store).unwrap();
    bytes[..8].fill(0);
    fs::write(&store, bytes).unwrap();
    let commands: [&[&str]; 7] = [
        &["list"],
        &["search", "anything"],
        &["show", &id],
        &["play", &id, "--stdout"],
        &["export", &id, "--format", "wav", "-o", "-"],
        &["edit", &id, "--title", "another"],
        &["verify"],
    ];
    for args in commands {
        let (said, hint) = complaint(&home.voxvault(args.iter().copied()).run(), 5);
        assert!(said.contains("damaged"), "{args:?}: {said}");
        assert_eq!(
            hint.as_deref(),
            Some("voxvault verify --repair"),
            "{args:?}: {said}"
        );
    }
    // Also with the key at hand.
    for locked in [true, false] {
        let record = home.voxvault(["record", "-", "--no-transcribe", "--title", "kept"]);
        let record = if locked { record.locked() } else { record };
        let ended = record.stdin(Pcm::tone(16_000, 1.0).wav()).run();
        assert_eq!(ended.text().trim().len(), 32, "{ended}");
        assert_eq!(ended.code(), Some(if locked { 0 } else { 5 }), "{ended}");
    }
    let repaired = home.voxvault(["verify", "--repair", "--json"]).run();
    let (said, hint) = complaint(&repaired, 5);
    assert!(said.contains("all mended") && hint.is_none(), "{said}");
    let report = repaired.json();
    assert_eq!(report["checked"]["recordings"], 3, "{report}");
    assert!(report["checked"]["records"].as_u64() > Some(5), "{report}");
    let damage = &report["damage"][0];
    assert!(
        damage["where"].as_str().unwrap().ends_with("store.redb"),
        "{report}"
    );
    assert_eq!(damage["mended"], true);
    assert!(damage["what"].is_string() && damage["id"].is_null());
    let sound = home.voxvault(["verify", "--json"]).run().ok().json();
    assert_eq!(sound["damage"], serde_json::json!([]));
    assert_eq!(home.list().len(), 3);
    home.voxvault(["export", &id, "--format", "wav", "-o", "back.wav"])
        .run()
        .ok();
}

#[test]
fn five_when_a_damaged_copy_can_not_be_made_anew_and_the_rest_still_opens() {
    let home = home_with_tone();
    let root = home.vault().join("root.a");
    fs::remove_file(&root).unwrap();
    fs::create_dir(&root).unwrap();
    let ended = home.voxvault(["list"]).run().ended_with(5);
    let said = "root.a): it could not be made anew from its copy";
    assert_eq!(ended.stderr.matches(said).count(), 1, "{ended}");
    assert!(ended.stderr.contains("\nhint: "), "{ended}");
    assert_eq!(ended.text().lines().count(), 1, "{ended}");
    // Once it can be made anew, that is said, and then nothing more.
    fs::remove_dir(&root).unwrap();
    complaint(&home.voxvault(["list"]).run(), 5);
    home.voxvault(["list"]).run().ok();
}

#[test]
fn five_when_the_name_of_the_store_is_something_elses_and_a_repair_changes_nothing() {
    type Make = fn(&Path, &Path);
    let strangers: [(&str, Make); 4] = [
        ("a folder", |place, _| {
            fs::create_dir(place).unwrap();
        }),
        ("a named pipe", |place, _| {
            let mode = rustix::fs::Mode::from(0o600);
            rustix::fs::mkfifoat(rustix::fs::CWD, place, mode).unwrap();
        }),
        ("a symbolic link", |place, store| {
            std::os::unix::fs::symlink(store, place).unwrap();
        }),
        ("a symbolic link", |place, _| {
            std::os::unix::fs::symlink("nowhere", place).unwrap();
        }),
    ];
    let home = home_with_tone();
    let title = home.list()[0]["title"].clone();
    let (store, kept) = (home.vault().join("store.redb"), home.path("kept.redb"));
    let aside = home.path("aside");
    fs::rename(&store, &kept).unwrap();
    let kept_bytes = fs::read(&kept).unwrap();
    for (what, make) in strangers {
        make(&store, &kept);
        let before = files(&home);
        for command in [&["list"][..], &["verify"], &["verify", "--repair"]] {
            let ended = home.voxvault(command).run();
            let (_, hint) = complaint(&ended, 5);
            let all = format!("{}{}", ended.text(), ended.stderr);
            assert!(all.contains("store.redb"), "{what}: {ended}");
            assert!(all.contains(what), "{what}: {ended}");
            let hint = hint.unwrap_or_default();
            assert!(hint.contains("mv away"), "{what}: {ended}");
            if command == ["verify"] {
                // Said once, with the count, and not of each part of each recording.
                let lines: Vec<String> = ended.text().lines().map(str::to_owned).collect();
                let said = "all of the store is missing: 1 recording and the log";
                assert!(lines.len() == 2 && lines[0].ends_with(said), "{ended}");
                assert!(lines[1].starts_with("checked 1 recordings"), "{ended}");
            }
        }
        assert!(files(&home) == before, "{what}: something was changed");
        assert!(fs::read(&kept).unwrap() == kept_bytes, "{what}");
        fs::rename(&store, &aside).unwrap();
        if aside.is_dir() {
            fs::remove_dir(&aside).unwrap();
        }
    }
    // The file itself is there again, and nothing was noted as lost.
    fs::copy(&kept, &store).unwrap();
    home.voxvault(["verify"]).run().ok();
    assert_eq!(home.list()[0]["title"], title);
    // It is really gone.
    fs::remove_file(&store).unwrap();
    let ended = home.voxvault(["verify", "--repair"]).run();
    complaint(&ended, 5);
    home.voxvault(["verify"]).run().ok();
    assert_eq!(home.list()[0]["title"], "recovered recording");
    // The right store is back: its keys were kept.
    fs::rename(&kept, &store).unwrap();
    home.voxvault(["verify", "--repair"]).run().ended_with(5);
    home.voxvault(["verify"]).run().ok();
    assert_eq!(home.list()[0]["title"], title);
}

/// The names in the vault, with the bytes of those that are files.
fn files(home: &Home) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let names = fs::read_dir(home.vault()).unwrap();
    names
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let is_file = fs::symlink_metadata(&path).unwrap().is_file();
            let bytes = is_file.then(|| fs::read(&path).unwrap());
            (path, bytes)
        })
        .collect()
}

#[test]
fn a_stray_file_in_the_inbox_is_named_and_is_no_damage() {
    let home = home_with_tone();
    fs::write(
        home.vault().join("inbox/.DS_Store"),
        "left by a file manager",
    )
    .unwrap();
    let ended = home.voxvault(["list"]).run().ok();
    assert!(
        ended.stderr.contains(".DS_Store in the inbox is no file"),
        "{ended}"
    );
    home.voxvault(["verify"]).run().ok();
    assert!(home.vault().join("inbox/.DS_Store").exists());
}

#[test]
fn a_verify_that_would_take_long_ends_at_once_when_it_is_told_to() {
    let home = home_with_tone();
    let endless = home.vault().join(format!("inbox/{}.rec", "0".repeat(32)));
    let file = fs::File::create(&endless).unwrap();
    file.set_len(1 << 40).unwrap();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let running = home.voxvault(["verify"]).spawn();
        let io = format!("/proc/{}/io", running.pid());
        eventually("it reads", Duration::from_secs(60), || {
            let read = fs::read_to_string(&io).ok()?;
            let read = read.strip_prefix("rchar: ")?.lines().next()?;
            (read.parse::<u64>().ok()? > 64 << 20).then_some(())
        });
        running.signal(signal);
        let ended = running.wait_for(Duration::from_secs(60));
        assert_eq!(ended.code(), Some(130), "{ended}");
    }
    fs::remove_file(endless).unwrap();
    home.voxvault(["verify"]).run().ok();
}

#[test]
fn whatever_waits_for_a_pipe_in_vain_ends_when_it_is_told_to_more_than_once() {
    let home = home_with_tone();
    let pipe = home.path("pipe.wav");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from(0o600)).unwrap();
    for args in [["import", "pipe.wav"], ["restore", "-"]] {
        let mut running = home.voxvault(args).spawn_with_open_stdin();
        let process = format!("/proc/{}", running.pid());
        let sleeps = || {
            let stat = fs::read_to_string(format!("{process}/stat")).unwrap();
            stat.contains(") S ") && fs::read_dir(format!("{process}/task")).unwrap().count() > 1
        };
        // It listens for signals, and does nothing for a while.
        eventually("it waits for a pipe", Duration::from_secs(60), || {
            let calm = (0..20).all(|_| {
                std::thread::sleep(Duration::from_millis(20));
                sleeps()
            });
            calm.then_some(())
        });
        eventually("it ends", Duration::from_secs(60), || {
            running.signal(Signal::TERM);
            std::thread::sleep(Duration::from_millis(400));
            (!running.is_running()).then_some(())
        });
        assert_eq!(running.wait().code(), Some(130), "{args:?}");
    }
    home.voxvault(["verify"]).run().ok();
}

#[test]
fn what_an_import_from_a_pipe_waits_for_is_told_and_then_it_is_taken() {
    let home = home_with_tone();
    home.write("sound.wav", &Pcm::tone(16_000, 2.0).wav());
    let script = r#"mkfifo pipe.wav && { "$@" 2>told & } &&
        until grep -q "pipe.wav is a pipe: waiting for somebody to write" told; do sleep 0.1; done &&
        cat sound.wav > pipe.wav && wait $!"#;
    let import = home.voxvault(["import", "pipe.wav", "--no-transcribe"]);
    import.under("sh", ["-c", script, "sh"]).run().ok();
    assert_eq!(home.list().len(), 2);
    // Of one that is written to at once nothing is told.
    let script = r#"cat sound.wav > pipe.wav & "$@"; ended=$?; wait; exit $ended"#;
    let import = home.voxvault(["import", "pipe.wav", "--no-transcribe", "--title", "again"]);
    let ended = import.under("sh", ["-c", script, "sh"]).run().ok();
    assert!(!ended.stderr.contains("waiting"), "{ended}");
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

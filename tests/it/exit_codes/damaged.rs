//! Five: damage was found. What is sound is kept, and a hint says what mends the rest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{complaint, home_with_tone};
use crate::support::Home;
use crate::support::sound::Pcm;

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

//! What is not as it should be about a vault's own files is said, with what to do, before
//! it costs anything.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, Mode, mkfifoat};
use voxvault::vault::Vault;

use crate::support::library;
use crate::support::prepared::{copy_dir, make_quick_vault, quick_home};
use crate::support::sound::Pcm;
use crate::support::{Finished, Home, require_tool};

fn home_with_tone() -> Home {
    let home = quick_home();
    record(&home).ok();
    home.voxvault(["list"]).run().ok();
    home
}

fn record(home: &Home) -> Finished {
    home.voxvault(["record", "-", "--no-transcribe"])
        .locked()
        .stdin(Pcm::tone(16_000, 1.0).wav())
        .run()
}

/// What the doctor says of the vault, where that is not well.
fn diagnosis(home: &Home) -> Option<String> {
    let told = home.voxvault(["doctor", "--json"]).locked().run().json();
    let checks = told["checks"].as_array().unwrap();
    let vault = checks
        .iter()
        .find(|check| check["name"] == "vault")
        .unwrap();
    (vault["ok"] == false).then(|| format!("{} {}", vault["found"], vault["hint"]))
}

fn pipe(place: &Path) {
    mkfifoat(CWD, place, Mode::from(0o600)).unwrap();
}

#[test]
fn the_doctor_finds_what_would_keep_a_recording_from_being_opened_or_made() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 9] = [
        ("keys", |_| {}),
        ("keys", |place| fs::create_dir(place).unwrap()),
        ("keys", |place| {
            fs::create_dir(place).unwrap();
            fs::write(place.join("passphrase.age"), "no age file").unwrap();
        }),
        ("store.redb", |_| {}),
        ("store.redb", pipe),
        ("inbox", |place| symlink("/nowhere/at/all", place).unwrap()),
        ("gate", pipe),
        ("lock", |place| fs::create_dir(place).unwrap()),
        ("reserve", |place| fs::create_dir(place).unwrap()),
    ];
    let home = home_with_tone();
    assert_eq!(diagnosis(&home), None);
    let kept = home.path("kept");
    for (name, harm) in harms {
        let place = home.vault().join(name);
        fs::rename(&place, &kept).unwrap();
        harm(&place);
        let said = diagnosis(&home).unwrap_or_default();
        assert!(said.contains(&format!("/{name}: ")), "{name}: {said}");
        match fs::symlink_metadata(&place) {
            Ok(there) if there.is_dir() => fs::remove_dir_all(&place).unwrap(),
            Ok(_) => fs::remove_file(&place).unwrap(),
            Err(_) => {}
        }
        fs::rename(&kept, &place).unwrap();
    }
    assert_eq!(diagnosis(&home), None);
}

#[test]
fn what_no_key_opens_is_recorded_all_the_same_and_that_is_said() {
    let home = home_with_tone();
    assert_eq!(record(&home).ok().stderr, "");
    let (keys, kept) = (home.vault().join("keys"), home.path("kept"));
    fs::rename(&keys, &kept).unwrap();
    home.write("tone.wav", &Pcm::tone(16_000, 2.0).wav());
    let import = home.voxvault(["import", "--no-transcribe", "tone.wav"]);
    for ended in [record(&home).ok(), import.locked().run().ok()] {
        assert_eq!(
            ended.stderr.matches("no way in that can be read").count(),
            1,
            "{ended}"
        );
    }
    fs::rename(&kept, &keys).unwrap();
    assert_eq!(home.list().len(), 4);
}

#[test]
fn roots_that_may_not_be_read_are_no_damage() {
    if !require_tool("strace") {
        return;
    }
    let home = home_with_tone();
    let roots = ["root.a", "root.b"].map(|name| home.vault().join(name));
    for (error, why) in [
        ("EACCES", "Permission denied"),
        ("EMFILE", "Too many open files"),
    ] {
        let inject = format!("inject=openat:error={error}");
        let args = |roots: &[std::path::PathBuf]| {
            let mut args = [
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-e",
                "trace=openat",
                "-e",
                &inject,
            ]
            .map(std::ffi::OsString::from)
            .to_vec();
            for root in roots {
                args.extend(["-P".into(), root.clone().into_os_string()]);
            }
            args
        };
        let ended = home.voxvault(["list"]).under("strace", args(&roots)).run();
        assert_eq!(ended.code(), Some(1), "{ended}");
        let said = format!("voxvault: can't read ({}): {why}", roots[0].display());
        assert!(ended.stderr.starts_with(&said), "{ended}");
        assert!(!ended.stderr.contains("from a copy"), "{ended}");
        // One of them is enough.
        let one = home
            .voxvault(["list"])
            .under("strace", args(&roots[..1]))
            .run();
        assert_eq!(one.text().lines().count(), 1, "{one}");
    }
    home.voxvault(["list"]).run().ok();
    home.voxvault(["verify"]).run().ok();
}

#[test]
fn a_reserve_that_gives_no_room_is_named() {
    let home = home_with_tone();
    let reserve = home.vault().join("reserve");
    fs::remove_file(&reserve).unwrap();
    fs::create_dir(&reserve).unwrap();
    let ended = home.voxvault(["verify"]).run().ok();
    let said = format!("{}: it is not a file but a folder", reserve.display());
    let all = format!("{}{}", ended.text(), ended.stderr);
    assert!(all.contains(&said), "{ended}");
}

#[test]
fn an_inbox_that_leads_nowhere_is_not_an_empty_one() {
    let home = home_with_tone();
    let (inbox, kept) = (home.vault().join("inbox"), home.path("kept"));
    record(&home).ok();
    fs::rename(&inbox, &kept).unwrap();
    symlink("/nowhere/at/all", &inbox).unwrap();
    for command in ["list", "verify"] {
        let ended = home.voxvault([command]).run();
        assert!(ended.code() != Some(0), "{ended}");
        assert!(
            ended.stderr.contains("a symbolic link that leads nowhere"),
            "{ended}"
        );
    }
    fs::remove_file(&inbox).unwrap();
    symlink(&kept, &inbox).unwrap();
    assert_eq!(home.list().len(), 2);
}

#[test]
fn a_way_in_of_another_vault_is_named_and_the_right_one_used() {
    let home = home_with_tone();
    let other = home.path("other");
    make_quick_vault(&other);
    let keys = home.vault().join("keys");
    let alien = keys.join("alien.age");
    fs::copy(other.join("keys/passphrase.age"), &alien).unwrap();
    home.voxvault(["list"]).run().ok();
    // Only theirs is left.
    let kept = home.path("kept");
    copy_dir(&keys, &kept);
    for name in ["passphrase.age", "passphrase.copy.age"] {
        fs::remove_file(keys.join(name)).unwrap();
    }
    let ended = home.voxvault(["list"]).run().ended_with(5);
    let said = format!("({}): it is a way in of another vault", alien.display());
    assert!(ended.stderr.contains(&said), "{ended}");
    // A wrong passphrase is a wrong passphrase.
    home.write("wrong", b"something else entirely");
    home.voxvault(["list"])
        .passphrase_file("wrong")
        .run()
        .ended_with(3);
}

#[test]
fn a_way_in_that_is_lost_is_to_be_removed_and_not_repaired() {
    let home = home_with_tone();
    home.voxvault(["key", "add", "--recovery-out", "words"])
        .run()
        .ok();
    for name in ["recovery.age", "recovery.copy.age"] {
        fs::remove_file(home.vault().join("keys").join(name)).unwrap();
    }
    for args in [&["verify"][..], &["verify", "--repair"]] {
        let ended = home.voxvault(args).run().ended_with(5);
        let hint = "hint: voxvault key remove recovery, then voxvault key add";
        assert!(ended.stderr.contains(hint), "{ended}");
    }
    home.voxvault(["key", "remove", "recovery"]).run();
    home.voxvault(["verify"]).run().ok();
}

#[test]
fn a_root_that_is_no_file_is_damage_that_no_repair_takes_away() {
    let home = home_with_tone();
    for name in ["root.a", "root.b"] {
        let place = home.vault().join(name);
        fs::remove_file(&place).unwrap();
        pipe(&place);
        for args in [&["verify"][..], &["verify", "--repair"]] {
            let ended = home.voxvault(args).run().ended_with(5);
            assert!(
                ended.stderr.contains("hint: mv away what has its name"),
                "{ended}"
            );
        }
        fs::remove_file(&place).unwrap();
        home.voxvault(["list"]).run().ended_with(5);
        home.voxvault(["verify"]).run().ok();
    }
}

#[test]
fn one_that_is_being_made_is_told_to_be() {
    let home = home_with_tone();
    let vault = Vault::open(&home.vault()).unwrap();
    let running = library::begin(&vault, "running", 3);
    let id = running.id().to_string();
    let commands: [&[&str]; 6] = [
        &["show", &id],
        &["play", &id, "--stdout"],
        &["export", &id, "--format", "wav", "-o", "-"],
        &["transcribe", &id],
        &["edit", &id, "--title", "a title"],
        &["edit", &id, "--forget"],
    ];
    for args in commands {
        let ended = home.voxvault(args).run().ended_with(1);
        assert!(
            ended
                .stderr
                .contains("): it is being recorded\nhint: stop it first"),
            "{ended}"
        );
    }
    drop(running);
}

//! The panic button and the doctor, from the command line; and that who has the
//! passphrase, and all that was ever written but the root slots, gets at nothing.

use std::fs;

use voxvault::recording::SEGMENT_SAMPLES;
use voxvault::vault::frame::Kind;
use voxvault::vault::{self, Vault};

use crate::support::forensic::{Evidence, read_all};
use crate::support::library::{self, record, transcript};
use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;
use crate::support::spy::Spy;
use crate::support::{Home, PASSPHRASE, eventually, require_tool};

fn take(home: &Home) {
    let args = ["record", "-", "--title", "a title", "--no-transcribe"];
    let sound = Pcm::tone(8_000, 1.7).wav();
    home.voxvault(args).locked().stdin(sound).run().ok();
}

#[test]
fn after_it_nothing_opens_with_the_passphrase_and_all_that_was_ever_written_but_the_roots() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("vault");
    let spy = Spy::watching();
    let open = library::init(library::site(&dir, spy.clone()));
    let locked = Vault::open_at(library::site(&dir, spy.clone())).unwrap();
    let merged = record(&locked, "merged", 12);
    open.merge().unwrap();
    open.add_transcript(merged, 0, &transcript("the merged words"))
        .unwrap();
    let waiting = record(&locked, "waiting", 3);
    let mut running = library::begin(&locked, "running", 2);

    // The positive control: before, everything of everybody opens.
    let testimony = |with: &[(&str, Vec<u8>)]| {
        let mut evidence = match dir.exists() {
            true => Evidence::of_directory(&dir),
            false => Evidence::default(),
        };
        spy.testify(&mut evidence);
        for (name, bytes) in with {
            evidence.add(name, bytes.clone());
        }
        read_all(&evidence, &[PASSPHRASE])
    };
    let before = testimony(&[]);
    let ids = [merged, waiting, running.id()];
    let sounds = ids.map(|id| before.count(id, Kind::Sound));
    assert_eq!(sounds, [12, 3, 2]);
    let roots = ["root.a", "root.b"].map(|name| (name, fs::read(dir.join(name)).unwrap()));

    let site = library::site(&dir, spy.clone());
    let receipt = vault::wipe(&site, &mut |_, _| ()).unwrap();
    assert_eq!(receipt.not_final, None);
    let packets = library::packets("running", 2);
    assert!(running.push(&packets, SEGMENT_SAMPLES).is_err());
    assert!(open.merge().is_err());
    assert!(!dir.exists());

    let after = testimony(&[]);
    for id in ids {
        assert!(!after.reaches(id), "{:?}", after.records.get(&id));
    }
    assert!(!after.says("the merged words"));
    // It is the roots alone that are missing to who kept everything else.
    let with_roots = testimony(&roots);
    assert_eq!(ids.map(|id| with_roots.count(id, Kind::Sound)), [12, 3, 2]);
}

#[test]
fn the_name_has_to_be_given_and_no_passphrase() {
    let home = quick_home();
    take(&home);
    take(&home);
    home.list();
    let everything = |name: &str, flags: &[&str]| {
        let args = [&["shred", "--everything"], flags].concat();
        home.voxvault(args).locked().stdin(name).run()
    };
    everything("", &[]).ended_with(2);
    everything("another\n", &[]).ended_with(1);
    for flag in ["--yes", "--dry-run", "--audio-only", "last"] {
        everything("vault\n", &[flag]).ended_with(2);
    }
    assert_eq!(home.list().len(), 2, "nothing of it destroyed anything");

    let mut recorder = home
        .voxvault(["record", "-", "--format", "s16le", "--no-transcribe"])
        .locked()
        .spawn_with_open_stdin();
    recorder.write(&vec![0x11; 32_000 * 3]);
    let inbox = home.vault().join("inbox");
    eventually("it records", std::time::Duration::from_secs(60), || {
        let mut files = inbox.read_dir().unwrap().flatten();
        files
            .any(|file| file.metadata().unwrap().len() > 6_000)
            .then_some(())
    });
    let receipt = everything("vault\n", &["--json"]).ok().json();
    assert_eq!(receipt["shredded"].as_array().unwrap().len(), 0);
    assert!(receipt["not_final"].is_null());
    let what = receipt["not_erased"].to_string();
    for remains in [
        "backups of the vault",
        "exported files",
        "SSD",
        "speech models",
    ] {
        assert!(what.contains(remains), "{remains}: {what}");
    }
    assert!(!home.vault().exists());
    let state = home.path("state/voxvault");
    let seen = state.read_dir().map_or(0, Iterator::count);
    assert_eq!(seen, 0, "the generation that was seen is forgotten");
    // The recorder hears of it with its next segment, or at its end.
    let ended = recorder.wait().ended_with(1);
    let why = "its file is not there any more: all was destroyed, or the vault was moved";
    assert!(ended.stderr.contains(why), "{ended}");
    assert!(!ended.stderr.contains("kept"), "{ended}");
    home.voxvault(["list"]).run().ended_with(4);
    everything("vault\n", &[]).ended_with(4);
}

#[test]
fn of_a_name_that_can_not_be_typed_what_is_shown_of_it_is_enough() {
    use std::os::unix::ffi::OsStringExt;
    for (name, typed) in [
        (b"a b\nc".to_vec(), &b"a b c\n"[..]),
        (b"caf\xe9".to_vec(), &b"caf\xe9\n"[..]),
        (b"caf\xe9".to_vec(), "caf\u{fffd}\n".as_bytes()),
    ] {
        let home = quick_home();
        let dir = home.path("").join(std::ffi::OsString::from_vec(name));
        fs::rename(home.vault(), &dir).unwrap();
        let everything = |typed: &[u8]| {
            let run = home.voxvault(["shred", "--everything"]).locked();
            run.env("VOXVAULT_DIR", &dir).stdin(typed).run()
        };
        everything(b"a b\n").ended_with(1);
        everything(typed).ok();
        assert!(!dir.exists());
    }
}

#[test]
fn killed_at_any_sync_it_is_finished_by_the_next_one() {
    if !require_tool("strace") {
        return;
    }
    for when in 1.. {
        let home = quick_home();
        take(&home);
        let inject = format!("inject=fsync,fdatasync:signal=KILL:when={when}");
        let killed = home
            .voxvault(["shred", "--everything"])
            .locked()
            .stdin("vault\n")
            .under("strace", ["-f", "-qq", "-o", "/dev/null", "-e", &inject])
            .run();
        if killed.code() == Some(0) {
            assert!(when > 6, "{when}");
            return;
        }
        let list = home.voxvault(["list", "--json"]).run();
        if list.code() == Some(0) {
            assert_eq!(list.json()["recordings"].as_array().unwrap().len(), 1);
        }
        let again = home
            .voxvault(["shred", "--everything"])
            .locked()
            .stdin("vault\n")
            .run();
        assert!(matches!(again.code(), Some(0 | 4)), "{again}");
        home.voxvault(["list"]).run().ended_with(4);
    }
}

#[test]
fn the_doctor_says_what_works_and_asks_nobody() {
    let home = quick_home();
    take(&home);
    let run = || home.voxvault(["doctor", "--json"]).locked().run();
    let seen = run();
    let checks = seen.json();
    let all_ok = checks["checks"]
        .as_array()
        .unwrap()
        .iter()
        .all(|check| check["ok"] == true);
    assert_eq!(seen.code(), Some(i32::from(!all_ok)), "{seen}");
    let of = |checks: &serde_json::Value, name: &str| {
        let all = checks["checks"].as_array().unwrap();
        let found = all.iter().find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("{name}: {checks}")).clone()
    };
    for name in [
        "network",
        "tracer",
        "core files",
        "vault",
        "permissions",
        "space",
        "clock",
    ] {
        assert_eq!(of(&checks, name)["ok"], true, "{name}: {checks}");
    }
    for name in [
        "microphone",
        "model",
        "swap",
        "hibernation",
        "overwriting",
        "terminal",
    ] {
        assert!(of(&checks, name)["found"].is_string(), "{name}: {checks}");
    }
    let lines = home.voxvault(["doctor"]).locked().run().text();
    assert!(lines.lines().count() >= 10, "{lines}");

    // What is wrong is found: rights for others, and no vault at all.
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(
        home.vault().join("root.a"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let told = run().json();
    assert_eq!(of(&told, "permissions")["ok"], false);
    assert!(
        of(&told, "permissions")["found"]
            .to_string()
            .contains("root.a")
    );
    fs::remove_dir_all(home.vault()).unwrap();
    let none = home.voxvault(["doctor", "--json"]).locked().run();
    assert_eq!(none.code(), Some(1));
    assert_eq!(of(&none.json(), "vault")["ok"], false);
    assert!(
        of(&none.json(), "vault")["hint"]
            .to_string()
            .contains("init")
    );
}

#[test]
fn a_tracer_is_named() {
    if !require_tool("strace") {
        return;
    }
    let home = quick_home();
    let traced = home
        .voxvault(["doctor", "--json"])
        .locked()
        .under(
            "strace",
            ["-f", "-qq", "-o", "/dev/null", "-e", "trace=none"],
        )
        .run()
        .json();
    let checks = traced["checks"].as_array().unwrap();
    let tracer = checks
        .iter()
        .find(|check| check["name"] == "tracer")
        .unwrap();
    assert_eq!(tracer["ok"], false, "{tracer}");
}

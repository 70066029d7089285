//! Shredding from the command line: every way to say what is meant, and nothing
//! else is destroyed.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;
use crate::support::{Home, eventually};

/// Makes a recording of this title with a tag, and answers with its id.
fn take(home: &Home, title: &str, tag: &str) -> String {
    let args = [
        "record",
        "-",
        "--title",
        title,
        "--tag",
        tag,
        "--no-transcribe",
    ];
    let sound = Pcm::tone(8_000, 1.7).wav();
    let ended = home.voxvault(args).locked().stdin(sound).run().ok();
    ended.text().trim().to_owned()
}

fn ids(document: &serde_json::Value, field: &str) -> BTreeSet<String> {
    let all = document[field].as_array().unwrap();
    all.iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_way_to_name_recordings_means_exactly_those_that_a_dry_run_lists() {
    let home = quick_home();
    let made: Vec<String> = ["a", "b", "c", "d", "e", "f"]
        .iter()
        .zip(["work", "work", "home", "home", "home", "home"])
        .map(|(title, tag)| take(&home, title, tag))
        .collect();
    let all: BTreeSet<String> = made.iter().cloned().collect();
    let listed = || ids(&serde_json::json!({ "r": home.list() }), "r");
    assert_eq!(listed(), all);
    let mut left = all.clone();
    let ways: [(&[&str], &[&str]); 5] = [
        (&["tag:work"], &[&made[0], &made[1]]),
        (&[&made[2][..8], &made[3]], &[&made[2], &made[3]]),
        (&["last"], &[&made[5]]),
        (&["after:1d", "before:2100-01-01", "title:e"], &[&made[4]]),
        (&["yesterday"], &[]),
    ];
    for (way, meant) in ways {
        let meant: BTreeSet<String> = meant.iter().map(|id| (*id).to_owned()).collect();
        let run = |flag: &[&str]| {
            let args = [&["shred"], way, flag].concat();
            home.voxvault(args.iter().copied()).run()
        };
        if meant.is_empty() {
            run(&["--dry-run"]).ended_with(4);
            run(&["--yes"]).ended_with(4);
            continue;
        }
        let dry = run(&["--dry-run", "--json"]).ok().json();
        assert_eq!(ids(&dry, "recordings"), meant, "{way:?}");
        let lines = run(&["--dry-run"]).ok().text();
        assert_eq!(lines.lines().count(), meant.len(), "{lines}");
        assert_eq!(listed(), left, "a dry run changes nothing");
        let receipt = run(&["--yes", "--json"]).ok().json();
        assert_eq!(ids(&receipt, "shredded"), meant, "{way:?}");
        left = left.difference(&meant).cloned().collect();
        assert_eq!(listed(), left, "{way:?}");
    }
    let today = take(&home, "today", "now");
    let receipt = home
        .voxvault(["shred", "today", "--yes", "--json"])
        .run()
        .ok()
        .json();
    assert!(ids(&receipt, "shredded").contains(&today), "{receipt}");
}

#[test]
fn free_words_are_refused_whatever_stands_beside_them() {
    let home = quick_home();
    take(&home, "landlord", "calls");
    for words in [
        &["landlord"][..],
        &["tag:calls", "landlord"],
        &["last", "heater"],
    ] {
        let args = [&["shred", "--yes"], words].concat();
        home.voxvault(args.iter().copied()).run().ended_with(2);
    }
    assert_eq!(home.list().len(), 1);
}

#[test]
fn a_running_recording_is_refused_by_id_and_by_filter_and_nothing_is_destroyed() {
    let home = quick_home();
    let kept = take(&home, "kept", "work");
    home.list();
    let args = ["record", "-", "--title", "running", "--tag", "work"];
    let raw = ["--format", "s16le", "--no-transcribe"];
    let mut recorder = home
        .voxvault([&args[..], &raw].concat())
        .locked()
        .spawn_with_open_stdin();
    recorder.write(&vec![0x11; 32_000 * 3]);
    eventually("it is listed as running", Duration::from_secs(60), || {
        let list = home.list();
        list.iter()
            .any(|one| one["state"] == "recording")
            .then_some(())
    });
    let running = home.id_of("running");
    for way in [&[running.as_str()][..], &["tag:work"], &[&kept, &running]] {
        for flag in ["--yes", "--dry-run"] {
            let args = [&["shred", flag], way].concat();
            let refused = home.voxvault(args.iter().copied()).run().ended_with(1);
            assert!(refused.stderr.contains("being recorded"), "{refused}");
            assert!(refused.stderr.contains("stop it first"), "{refused}");
        }
    }
    assert_eq!(home.list().len(), 2);
    // What only others are meant by is destroyed beside it.
    home.voxvault(["shred", &kept, "--yes"]).run().ok();
    recorder.wait().ok();
    home.voxvault(["shred", "tag:work", "--yes"]).run().ok();
    assert!(home.list().is_empty());
}

#[test]
fn with_a_store_that_nobody_can_read_an_id_is_enough() {
    let home = quick_home();
    let id = take(&home, "doomed", "work");
    home.list();
    let store = home.vault().join("store.redb");
    fs::write(&store, vec![7; 100_000]).unwrap();
    home.voxvault(["list"]).run().ended_with(5);
    home.voxvault(["shred", "tag:work", "--yes"])
        .run()
        .ended_with(5);
    // Damage was found, so it ends with 5; what was asked for is done.
    let dry = home.voxvault(["shred", &id, "--dry-run", "--json"]).run();
    let dry = dry.ended_with(5).json();
    assert_eq!(dry["recordings"][0]["id"], id.as_str());
    assert!(dry["recordings"][0]["damaged"].is_string(), "{dry}");
    let receipt = home.voxvault(["shred", &id, "--yes", "--json"]).run();
    let receipt = receipt.ended_with(5).json();
    assert_eq!(receipt["shredded"][0]["key_destroyed"], true, "{receipt}");
    assert!(receipt["not_final"].is_null(), "{receipt}");
    home.voxvault(["shred", &id, "--yes"]).run().ended_with(4);
}

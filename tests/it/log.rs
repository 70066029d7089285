//! The log, with the program as it is: what is done is in it before it happens, and
//! what somebody does to it is named.

use std::fs;

use serde_json::Value;

use crate::support::Home;
use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;
use crate::support::{PASSPHRASE, library};

/// A vault with two recordings with words; their ids, the newest first.
fn home_with_two() -> (Home, Vec<String>) {
    let home = quick_home();
    for (title, hz) in [("ordinary-day", 1.0), ("quisling-dossier", 1.5)] {
        home.write(&format!("{title}.wav"), &Pcm::tone(16_000, hz).wav());
        home.voxvault(["import", "--no-transcribe", &format!("{title}.wav")])
            .run()
            .ok();
    }
    let open = library::unlock(&home.vault(), PASSPHRASE);
    for recording in open.recordings().unwrap() {
        let words = library::transcript("zanzibar at midnight");
        open.add_transcript(recording.id, recording.epoch, &words)
            .unwrap();
    }
    let ids = home.list().iter().map(|one| text(&one["id"])).collect();
    (home, ids)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What was done, how far, and to which recording.
fn told(home: &Home) -> Vec<(String, String, Option<String>)> {
    let log = home.voxvault(["log", "--json"]).run().ok().json();
    let entries = log["entries"].as_array().unwrap().iter();
    entries
        .map(|one| {
            assert!(one["number"].is_u64() && one["at"].is_string() && one["detail"].is_string());
            let id = one["id"].as_str().map(str::to_owned);
            (text(&one["what"]), text(&one["stage"]), id)
        })
        .collect()
}

fn entry(what: &str, stage: &str, id: Option<&String>) -> (String, String, Option<String>) {
    (what.to_owned(), stage.to_owned(), id.cloned())
}

#[test]
fn what_was_exported_shredded_and_replaced_is_told_in_its_order() {
    let (home, ids) = home_with_two();
    let [one, two] = ids.as_slice() else {
        panic!("two recordings: {ids:?}")
    };
    home.voxvault(["export", one, "--format", "txt", "-o", "copy.txt"])
        .run()
        .ok();
    home.voxvault(["export", two, "--format", "wav", "-o", "-"])
        .run()
        .ok();
    let nothing = home
        .voxvault(["export", one, "--format", "txt", "-o", "copy.txt"])
        .run();
    assert_eq!(nothing.code(), Some(1), "{nothing}");
    home.voxvault(["redact", one, "0", "0.5", "--yes"])
        .run()
        .ok();
    home.voxvault(["edit", one, "--title", "other", "--forget"])
        .run()
        .ok();
    home.voxvault(["scrub"]).run().ok();
    home.voxvault(["shred", "--yes", "--audio-only", one])
        .run()
        .ok();
    home.voxvault(["shred", "--yes", one, two]).run().ok();
    home.write("new.txt", b"six other words by now\n");
    home.voxvault(["passwd", "--new-passphrase-file", "new.txt"])
        .run()
        .ok();
    fs::copy(home.path("new.txt"), home.passphrase_file()).unwrap();
    assert_eq!(
        told(&home),
        [
            entry("export", "begun", Some(one)),
            entry("export", "begun", Some(two)),
            entry("redact", "done", Some(one)),
            entry("forget", "done", Some(one)),
            entry("scrub", "done", None),
            entry("shred", "done", Some(one)),
            entry("shred", "done", Some(one)),
            entry("shred", "done", Some(two)),
            entry("passwd", "done", None),
        ]
    );
    let shown = home.voxvault(["log", "--limit", "2"]).run().ok().text();
    assert_eq!(shown.lines().count(), 2, "{shown}");
    assert!(
        shown.contains("passwd") && shown.contains(&two[..8]),
        "{shown}"
    );
    let verified = home.voxvault(["log", "verify"]).run().ok().text();
    assert!(
        verified.starts_with("checked 8 entries, of which 0 are"),
        "{verified}"
    );
}

#[test]
fn nothing_that_a_shredded_recording_was_called_or_said_stays_in_the_log() {
    let (home, ids) = home_with_two();
    let secret = home
        .list()
        .iter()
        .find(|one| one["title"] == "quisling-dossier")
        .map(|one| text(&one["id"]))
        .unwrap();
    // The copy's own name is made of the title.
    let exported = home
        .voxvault(["export", &secret, "--format", "txt"])
        .run()
        .ok();
    assert!(exported.text().contains("quisling-dossier"), "the control");
    home.voxvault(["shred", "--yes", &secret]).run().ok();
    for args in [
        vec!["log"],
        vec!["log", "--json"],
        vec!["log", "verify", "--json"],
    ] {
        let said = home.voxvault(args).run().ok();
        for needle in ["quisling", "dossier", "zanzibar"] {
            assert!(!said.text().contains(needle), "{said}");
        }
    }
    let log = home.voxvault(["log", "--json"]).run().ok().text();
    assert!(log.contains(&secret) && !ids.is_empty(), "the control");
}

#[test]
fn an_older_store_that_is_put_back_ends_with_five_and_is_named() {
    let (home, ids) = home_with_two();
    let store = home.vault().join("store.redb");
    let before = fs::read(&store).unwrap();
    home.voxvault(["export", &ids[0], "--format", "txt", "-o", "copy.txt"])
        .run()
        .ok();
    let verified = home.voxvault(["log", "verify"]).run().ok().text();
    assert!(verified.contains("1 are unanchored"), "{verified}");
    home.voxvault(["shred", "--yes", &ids[1]]).run().ok();
    fs::write(&store, before).unwrap();
    let found = home.voxvault(["log", "verify"]).run();
    assert_eq!(found.code(), Some(5), "{found}");
    assert!(found.text().contains("entry 1: gone"), "{found}");
    assert!(found.stderr.contains("hint: "), "{found}");
    let listed = home.voxvault(["log"]).run();
    assert_eq!(listed.code(), Some(5), "what is there is shown: {listed}");
    assert!(listed.text().contains("shred"), "{listed}");
    let json = home.voxvault(["log", "verify", "--json"]).run();
    let damage = json.json()["damage"][0]["what"].clone();
    assert!(text(&damage).contains("entry 1"), "{json}");
    let found = home.voxvault(["verify"]).run();
    assert_eq!(found.code(), Some(5), "{found}");
    assert!(found.text().contains("log, entry 1"), "{found}");
    assert_eq!(home.voxvault(["verify", "--repair"]).run().code(), Some(5));
    let noted = home.voxvault(["log", "verify"]).run().ok().text();
    assert!(noted.contains("noted    entry 1"), "{noted}");
    home.voxvault(["verify"]).run().ok();
}

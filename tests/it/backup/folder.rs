//! What a folder holds after one run and after the next.

use std::fs;

use voxvault::backup::SoundAt;
use voxvault::backup::manifest::{Lacking, Tombstone};

use super::{Scene, names, segments};
use crate::support::library;

#[test]
fn a_second_run_writes_only_what_is_new() {
    let scene = Scene::new();
    let first = scene.import("dream", "a dream");
    scene.backup().ok();
    let whole = fs::read(&segments(&scene.dir())[0]).unwrap();

    let nothing = scene.backup().ok();
    assert!(nothing.text().starts_with("nothing new"), "{nothing}");
    assert_eq!(names(&scene.dir()), ["0001.tar.age", "passphrase.age"]);

    let second = scene.import("dentist", "a tooth");
    scene
        .run(["edit", &first.to_string(), "--title", "a nightmare"])
        .ok();
    let told = scene.run(["backup", "bk", "--json"]).ok().json();
    assert_eq!(told["recordings"], 2);
    assert_eq!(told["holds"], 2);
    assert_eq!(told["added"][0]["file"], "0002.tar.age");
    assert_eq!(fs::read(&segments(&scene.dir())[0]).unwrap(), whole);
    let manifests = scene.manifests();
    assert_eq!(manifests.len(), 2);
    let added = &manifests[1];
    assert_eq!(
        added.before.unwrap(),
        voxvault::backup::Hash::of(&whole),
        "the chain"
    );
    for entry in &added.recordings {
        let wanted = match entry.id == second {
            true => SoundAt::Here,
            false => SoundAt::Segment(1),
        };
        assert_eq!(entry.sound, wanted);
    }
    let sounds = added
        .files
        .iter()
        .filter(|file| file.path.ends_with("audio.opus"));
    assert_eq!(sounds.count(), 1);
}

#[test]
fn what_was_shredded_since_is_named_in_the_next_segment_and_redacted_sound_is_written_again() {
    let scene = Scene::new();
    let gone = scene.import("dream", "a dream");
    let kept = scene.import("dentist", "a tooth");
    scene.backup().ok();
    scene.run(["shred", &gone.to_string(), "--yes"]).ok();
    let told = scene.run(["backup", "bk", "--json"]).ok().json();
    assert_eq!(
        (&told["recordings"], &told["holds"]),
        (&0.into(), &1.into())
    );
    let tombstone = Tombstone { id: gone, epoch: 0 };
    // In two segments: damage to one of them must not bring it back.
    let manifests = scene.manifests();
    assert_eq!(manifests.len(), 3);
    assert_eq!(manifests[1].tombstones, [tombstone]);
    assert_eq!(manifests[2].tombstones, [tombstone]);
    // And once that is said, there is nothing new.
    assert!(scene.backup().ok().text().starts_with("nothing new"));

    scene
        .run(["redact", &kept.to_string(), "1", "2", "--yes"])
        .ok();
    scene.backup().ok();
    let manifests = scene.manifests();
    assert_eq!(manifests.len(), 5);
    let entry = &manifests[3].recordings[0];
    assert_eq!(
        (entry.id, entry.epoch, entry.sound),
        (kept, 1, SoundAt::Here)
    );
    assert_eq!(manifests[3].tombstones.len(), 2);
    assert_eq!(manifests[4].tombstones, manifests[3].tombstones);

    scene
        .run(["shred", &kept.to_string(), "--audio-only", "--yes"])
        .ok();
    scene.backup().ok();
    // That its sound is gone is said by two segments, too, and then no more.
    let manifests = scene.manifests();
    let [.., told, again] = &manifests[..] else {
        panic!("{manifests:?}");
    };
    assert_eq!(told.recordings[0].sound, SoundAt::Gone);
    assert_eq!(told.files.len(), 3, "{:?}", told.files);
    let lacking = Lacking {
        id: kept,
        epoch: 1,
        sound: true,
        words: false,
    };
    assert_eq!(
        (&*told.lacking, &*again.lacking),
        (&[lacking][..], &[lacking][..])
    );
    assert!(again.recordings.is_empty());
    assert!(scene.backup().ok().text().starts_with("nothing new"));
}

#[test]
fn a_receipt_names_the_backups_that_hold_what_was_shredded_and_no_others() {
    let scene = Scene::new();
    let old = scene.import("dream", "a dream").to_string();
    scene.backup().ok();
    let new = scene.import("dentist", "a tooth").to_string();
    scene.run(["backup", "second"]).ok();
    let newest = scene.import("train", "a train").to_string();
    let holding = |id: &str| -> Vec<String> {
        let receipt = scene.run(["shred", id, "--yes", "--json"]).ok().json();
        let holding = receipt["backups_still_holding"].as_array().unwrap().clone();
        let name = |one: &serde_json::Value| {
            assert!(one["made_at"].is_string());
            one["path"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        };
        let mut names: Vec<String> = holding.iter().map(name).collect();
        names.sort();
        names
    };
    assert!(holding(&newest).is_empty());
    assert_eq!(holding(&new), ["second"]);
    assert_eq!(holding(&old), ["bk", "second"]);
    let listed = scene.run(["backup", "list", "--json"]).ok().json();
    assert_eq!(listed["backups"].as_array().unwrap().len(), 2);
}

#[test]
fn the_log_says_when_a_backup_began_and_when_it_came_to_its_end_and_nothing_of_one_that_found_nothing()
 {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    let logged = || -> Vec<(String, String)> {
        let log = scene.run(["log", "--json"]).ok().json();
        let mut entries = log["entries"].as_array().unwrap().clone();
        entries.sort_by_key(|entry| entry["number"].as_u64());
        let text = |entry: &serde_json::Value, name: &str| entry[name].as_str().unwrap().to_owned();
        let backups = entries.iter().filter(|entry| entry["what"] == "backup");
        backups
            .map(|entry| (text(entry, "stage"), text(entry, "detail")))
            .collect()
    };
    let stages = || -> Vec<String> { logged().into_iter().map(|(stage, _)| stage).collect() };
    scene.backup().ok();
    assert_eq!(stages(), ["begun", "done"]);
    assert!(logged().iter().all(|(_, detail)| detail.ends_with("/bk")));
    scene.backup().ok();
    assert_eq!(stages(), ["begun", "done"], "nothing new");
    scene.import("dentist", "a tooth");
    scene.backup().ok();
    assert_eq!(stages(), ["begun", "done", "begun", "done"]);
    scene.run(["log", "verify"]).ok();
}

#[test]
fn a_damaged_segment_is_silence_in_the_backup_and_is_said_each_time_until_it_is_repaired() {
    let scene = Scene::new();
    let open = scene.open();
    let torn = library::record(open.vault(), "torn", 6);
    let sound = library::record(open.vault(), "sound", 2);
    open.merge().unwrap();
    drop(open);
    library::tear(&scene.home.vault().join("store.redb"), torn, 2);

    scene.backup().ended_with(5);
    let first = scene.manifests().remove(0);
    let entry = |id| {
        first
            .recordings
            .iter()
            .find(|entry| entry.id == id)
            .unwrap()
    };
    assert_eq!(entry(torn).lost, [(2, 3)]);
    assert!(entry(sound).lost.is_empty());
    // Said again, written no more.
    let again = scene.backup().ended_with(5);
    assert!(again.text().starts_with("nothing new"), "{again}");
    scene.run(["verify", "--repair"]);
    scene.backup().ok();
    let last = scene.manifests().pop().unwrap();
    assert_eq!(last.recordings.len(), 1);
    assert!(last.recordings[0].lost.is_empty());
    assert!(scene.backup().ok().text().starts_with("nothing new"));
}

#[test]
fn a_segment_that_is_lost_is_named_and_what_lay_in_it_is_written_again() {
    let scene = Scene::new();
    let id = scene.import("dream", "a dream");
    scene.backup().ok();
    scene.import("dentist", "a tooth");
    scene.backup().ok();
    let first = segments(&scene.dir()).remove(0);
    let mut bytes = fs::read(&first).unwrap();
    let end = bytes.len() - 20;
    bytes[end] ^= 1;
    fs::write(&first, &bytes).unwrap();
    scene.backup().ended_with(5);
    let keys = scene.open();
    let last = super::manifest(&keys, &segments(&scene.dir())[2]);
    assert_eq!(last.recordings.len(), 1);
    assert_eq!(
        (last.recordings[0].id, last.recordings[0].sound),
        (id, SoundAt::Here)
    );
}

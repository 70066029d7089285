//! What the vault lost to damage comes back from a backup that has it, in its place.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use voxvault::recording::RecordingId;
use voxvault::vault::frame::{Facts, Kind};
use voxvault::vault::scan;
use voxvault::vault::{OpenVault, lost_segments};

use super::{Owner, assert_heard, ids, segments};
use crate::support::prepared::copy_dir;

use crate::support::{Finished, PASSPHRASE, library};

/// A vault of three recordings with words, and its backup.
pub(super) struct Scene {
    pub(super) owner: Owner,
    pub(super) ids: Vec<RecordingId>,
}

impl Scene {
    pub(super) fn new() -> Self {
        let mut owner = Owner::new();
        let titles = ["minutes", "dictation", "names a source"];
        let ids: Vec<_> = titles.map(|title| owner.record(title, 25)).into();
        owner.merge();
        for id in &ids {
            owner.say(*id, "said first");
            owner.say(*id, "said, and corrected");
        }
        owner.back_up();
        Self { owner, ids }
    }

    pub(super) fn run(&self, args: &[&str]) -> Finished {
        self.owner.home.voxvault(args.iter().copied()).run()
    }

    pub(super) fn store(&self) -> PathBuf {
        self.owner.home.vault().join("store.redb")
    }

    /// Changes a byte of every record for which that is wanted, wherever it lies.
    pub(super) fn damage(&self, is_hit: impl Fn(&Facts) -> bool) {
        let mut bytes = fs::read(self.store()).unwrap();
        let frames = scan::frames(&bytes).filter(|(_, frame)| is_hit(&frame.facts));
        let places: Vec<_> = frames.map(|(at, _)| at + 200).collect();
        assert!(!places.is_empty(), "the control");
        places.iter().for_each(|at| bytes[*at] ^= 1);
        fs::write(self.store(), bytes).unwrap();
    }

    pub(super) fn repair(&self) {
        self.run(&["verify", "--repair"]).ended_with(5);
    }

    pub(super) fn restore(&self, from: &str) -> Value {
        self.run(&["restore", from, "--json"]).ok().json()
    }

    pub(super) fn open(&self) -> OpenVault {
        library::unlock(&self.owner.home.vault(), PASSPHRASE)
    }

    /// Everything is there as it was.
    fn assert_whole(&self, open: &OpenVault) {
        for id in &self.ids {
            let (title, segments) = &self.owner.held[id];
            assert_heard(open, *id, title, *segments);
            let found = open.recording(*id).unwrap();
            assert!(found.card.gaps.is_empty(), "{title}");
            assert_eq!(found.card.tags, ["tagged"], "{title}");
            let numbers: Vec<_> = found.versions.iter().map(|one| one.number).collect();
            assert_eq!(numbers, [1, 2], "{title}");
            let said = open.transcript(*id, 2).unwrap();
            assert_eq!(said, library::transcript("said, and corrected"), "{title}");
        }
        let verified = open.verify(&|_, _| ()).unwrap();
        assert!(verified.flaws.is_empty(), "{:?}", verified.flaws);
    }

    /// Restores into the vault itself, and looks at what was mended there.
    fn assert_heals(&self, mended: &[RecordingId]) {
        let done = self.restore("backup");
        let mut due = mended.to_vec();
        due.sort_unstable();
        assert_eq!(ids(&done["mended"]), due);
        assert_eq!(ids(&done["restored"]), []);
        assert_eq!(done["there"], self.ids.len() - mended.len());
        self.assert_whole(&self.open());
        // Once more there is nothing to do.
        let done = self.restore("backup");
        assert_eq!(ids(&done["mended"]), []);
        assert_eq!(done["there"], self.ids.len());
    }

    /// A backup of the damaged vault, made behind the whole one, hides nothing of that.
    fn assert_comes_whole_into_another(&self) {
        self.run(&["backup", "backup"]);
        let dir = self.owner.other_vault("other");
        let args = ["--vault", "other", "restore", "backup", "--json"];
        let done = self.run(&args).ok().json();
        assert_eq!(ids(&done["restored"]).len(), self.ids.len());
        self.assert_whole(&library::unlock(&dir, PASSPHRASE));
    }
}

#[test]
fn a_store_that_is_lost_is_filled_from_the_backup_once_a_repair_noted_it() {
    let scene = Scene::new();
    fs::remove_file(scene.store()).unwrap();
    // Before that nothing is said to be there that is not.
    let done = scene.run(&["restore", "backup"]).ended_with(5);
    assert!(done.text().contains("0 were there"), "{done}");
    assert!(done.stderr.contains("verify --repair"), "{done}");
    scene.repair();
    let listed = scene.run(&["list"]).ok();
    assert!(listed.text().contains("recovered recording"), "{listed}");
    scene.assert_comes_whole_into_another();
    scene.assert_heals(&scene.ids);
}

#[test]
fn segments_that_were_lost_are_filled_in_and_the_others_stay() {
    let scene = Scene::new();
    let (one, all) = (scene.ids[0], scene.ids[1]);
    scene.damage(|facts| {
        let is_hit = facts.id == one && matches!(facts.number, 1 | 9 | 10 | 24);
        facts.kind == Kind::Sound && (is_hit || facts.id == all)
    });
    scene.repair();
    let listed = scene.run(&["list"]).ok();
    assert!(listed.text().contains("(sound lost)"), "{listed}");
    assert_eq!(scene.open().recording(one).unwrap().card.gaps.len(), 3);
    scene.assert_comes_whole_into_another();
    scene.assert_heals(&[one, all]);
}

#[test]
fn transcripts_that_were_lost_come_back_and_later_ones_stay() {
    let scene = Scene::new();
    let id = scene.ids[0];
    scene.damage(|facts| facts.kind == Kind::Words && facts.id == id);
    scene.repair();
    assert!(scene.open().recording(id).unwrap().versions.is_empty());
    scene.assert_comes_whole_into_another();
    scene.assert_heals(&[id]);
}

#[test]
fn a_card_that_was_made_anew_is_the_one_of_the_backup_again() {
    let scene = Scene::new();
    let id = scene.ids[0];
    scene.damage(|facts| facts.kind == Kind::Card && facts.id == id);
    scene.repair();
    assert!(scene.open().recording(id).unwrap().card.is_recovered());
    scene.assert_comes_whole_into_another();
    scene.assert_heals(&[id]);
    assert!(!scene.open().recording(id).unwrap().card.pinned);
}

#[test]
fn what_was_shredded_of_a_damaged_recording_does_not_come_back() {
    let scene = Scene::new();
    let id = scene.ids[0];
    scene.damage(|facts| facts.kind == Kind::Sound && facts.id == id);
    scene.repair();
    scene
        .run(&["shred", &id.to_string(), "--audio-only", "--yes"])
        .ok();
    let done = scene.restore("backup");
    assert_eq!(ids(&done["mended"]), []);
    let found = scene.open().recording(id).unwrap();
    assert!(found.sound_shredded && found.audio_bytes == 0);
}

#[test]
fn copies_that_lack_different_segments_come_back_as_one() {
    let scene = Scene::new();
    let id = scene.ids[0];
    scene.run(&["backup", "forget", "backup", "--yes"]).ok();
    fs::remove_dir_all(scene.owner.home.path("backup")).unwrap();
    let whole = fs::read(scene.store()).unwrap();
    let lose = |segments: &[u32]| {
        fs::write(scene.store(), &whole).unwrap();
        scene.damage(|facts| {
            facts.kind == Kind::Sound && facts.id == id && segments.contains(&facts.number)
        });
        scene.repair();
        let note = format!("lost {}", segments.len());
        scene.run(&["edit", &id.to_string(), "--note", &note]).ok();
        scene.run(&["backup", "backup"]);
    };
    lose(&[1, 10]);
    lose(&[3, 10, 24]);
    let dir = scene.owner.other_vault("other");
    let args = ["--vault", "other", "restore", "backup", "--json"];
    let done = scene.run(&args).ok().json();
    assert_eq!(ids(&done["restored"]).len(), scene.ids.len());
    assert_eq!(ids(&done["mended"]), []);
    let open = library::unlock(&dir, PASSPHRASE);
    let found = open.recording(id).unwrap();
    // Only what no copy has is still lost.
    let lost = |card| -> Vec<u64> { lost_segments(card).into_iter().flatten().collect() };
    assert_eq!(lost(&found.card), [10], "{:?}", done["notes"]);
    let named = id.to_string();
    let again = ["restore", "backup", "--resurrect", &named, "--json"];
    // Of one that is alive there would be two.
    let refused = scene.run(&again).ended_with(1);
    assert!(refused.stderr.contains("was not destroyed"), "{refused}");
    scene.run(&["shred", &named, "--yes"]).ok();
    let done = scene.run(&again).ok().json();
    let new: RecordingId = done["resurrected"].as_str().unwrap().parse().unwrap();
    let card = scene.open().recording(new).unwrap().card;
    assert_eq!(lost(&card), [10]);
}

/// One byte in the middle of a backup's first segment is another one.
fn damage_middle(backup: &Path) {
    let segment = &segments(backup)[0];
    let mut bytes = fs::read(segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(segment, bytes).unwrap();
}

#[test]
fn sound_that_a_damaged_backup_could_not_give_is_lost_and_comes_with_a_whole_one() {
    let mut owner = Owner::new();
    let id = owner.record("minutes", 200);
    owner.merge();
    owner.say(id, "what was said");
    let whole = owner.home.path("whole");
    copy_dir(&owner.back_up(), &whole);
    damage_middle(&owner.home.path("backup"));
    let dir = owner.other_vault("other");
    let run = |args: &[&str]| {
        let other = ["--vault", "other"].iter().chain(args).copied();
        owner.home.voxvault(other).run()
    };
    let done = run(&["restore", "backup", "--json"]).ended_with(5).json();
    assert_eq!(ids(&done["restored"]), [id]);
    let listed = run(&["list"]).ok();
    assert!(listed.text().contains("(sound lost)"), "{listed}");
    let text = id.to_string();
    let played = run(&["play", &text]).ended_with(4);
    assert!(played.stderr.contains("its sound is lost"), "{played}");
    assert!(played.stderr.contains("voxvault restore"), "{played}");
    let shown = run(&["show", &text]).ok();
    assert!(shown.text().contains("what was said"), "{shown}");
    // Nobody shredded it: what such a vault backs up forbids nothing.
    run(&["backup", "later"]);
    let again = run(&["restore", "whole", "--json"]).ok().json();
    assert_eq!(ids(&again["mended"]), [id]);
    let open = library::unlock(&dir, PASSPHRASE);
    owner.assert_held(&open, &[]);
    let listed = run(&["list"]).ok();
    assert!(!listed.text().contains("sound lost"), "{listed}");
}

#[test]
fn from_a_stream_it_is_said_that_what_was_lost_needs_a_file() {
    let scene = Scene::new();
    let stream = scene.run(&["backup", "-"]).ok().stdout;
    scene.damage(|facts| facts.kind == Kind::Card && facts.id == scene.ids[0]);
    scene.repair();
    let restore = scene.owner.home.voxvault(["restore", "-", "--json"]);
    let done = restore.stdin(stream.clone()).run().ok().json();
    assert_eq!(done["there"], 2);
    let notes = done["notes"].to_string();
    assert!(notes.contains("not from a stream"), "{notes}");
    // As a file it does.
    scene.owner.home.write("saved.tar.age", &stream);
    let done = scene.restore("saved.tar.age");
    assert_eq!(ids(&done["mended"]), [scene.ids[0]]);
    scene.assert_whole(&scene.open());
}

#[test]
fn what_its_owner_has_made_of_a_card_that_was_made_anew_stays() {
    let scene = Scene::new();
    let id = scene.ids[0];
    let was = scene.open().recording(id).unwrap().card;
    scene.damage(|facts| facts.kind == Kind::Card && facts.id == id);
    scene.repair();
    let named = id.to_string();
    let edit = [
        "edit",
        &named,
        "--title",
        "of the summer",
        "--note",
        "by ear",
    ];
    scene.run(&edit).ok();
    // What it lacks is still in the backup alone.
    let told = scene.run(&["backup", "backup"]).ended_with(5);
    assert!(told.stderr.contains("title, date, tags and note"), "{told}");
    let done = scene.restore("backup");
    assert_eq!(ids(&done["mended"]), [id]);
    let card = scene.open().recording(id).unwrap().card;
    assert_eq!((&*card.title, &*card.note), ("of the summer", "by ear"));
    assert_eq!(card.tags, ["tagged"]);
    assert_eq!(
        (card.recorded_at, card.signal),
        (was.recorded_at, was.signal)
    );
    scene.run(&["backup", "backup"]).ok();
}

#[test]
fn a_backup_of_another_vault_adds_nothing_to_what_lost_nothing() {
    let scene = Scene::new();
    let dir = scene.owner.other_vault("new");
    scene.run(&["--vault", "new", "restore", "backup"]).ok();
    scene.owner.say(scene.ids[0], "said later");
    scene.owner.back_up();
    let again = ["--vault", "new", "restore", "backup", "--json"];
    let done = scene.run(&again).ok().json();
    assert_eq!(ids(&done["mended"]), []);
    let open = library::unlock(&dir, PASSPHRASE);
    assert!(open.transcript(scene.ids[0], 3).is_err());
    assert!(
        scene.open().transcript(scene.ids[0], 3).is_ok(),
        "the control"
    );
}

#[test]
fn a_receipt_names_the_backup_that_a_recording_was_made_whole_from() {
    let scene = Scene::new();
    scene.run(&["backup", "forget", "backup", "--yes"]).ok();
    fs::remove_file(scene.store()).unwrap();
    scene.repair();
    scene.restore("backup");
    let id = scene.ids[0].to_string();
    let receipt = scene.run(&["shred", &id, "--yes", "--json"]).ok().json();
    let holding = receipt["backups_still_holding"].as_array().unwrap();
    assert_eq!(holding.len(), 1, "{receipt}");
}

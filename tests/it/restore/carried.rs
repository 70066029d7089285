//! A repack carries over what only a segment that goes has: the newest of a recording may be
//! of a vault that had lost some of it.

use std::fs;
use std::path::PathBuf;

use voxvault::backup::SoundAt;
use voxvault::recording::RecordingId;
use voxvault::vault::frame::Kind;
use voxvault::vault::{OpenVault, lost_segments};

use super::healed::Scene;
use super::repacked::lies_in;
use super::{Owner, assert_heard, segments};
use crate::backup::manifests;
use crate::support::prepared::copy_dir;
use crate::support::{PASSPHRASE, library};

/// A backup of a recording, then one without its first transcript and with another title;
/// and something in the first segment that was shredded since.
struct Lost {
    scene: Scene,
    id: RecordingId,
    doomed: RecordingId,
}

impl Lost {
    fn new() -> Self {
        let scene = Scene::new();
        let [id, doomed, _] = scene.ids[..] else {
            panic!("three recordings");
        };
        library::lose_words(&scene.store(), id, 1);
        scene.repair();
        let text = id.to_string();
        scene.run(&["edit", &text, "--title", "renamed"]).ok();
        scene.run(&["backup", "backup"]).ok();
        scene.run(&["shred", &doomed.to_string(), "--yes"]).ok();
        Self { scene, id, doomed }
    }

    fn folder(&self) -> PathBuf {
        self.scene.owner.home.path("backup")
    }

    fn repack(&self) {
        self.scene.run(&["backup", "repack", "backup"]).ok();
    }

    /// Where the entries came from that were carried over.
    fn carried_from(&self) -> Vec<u32> {
        let manifests = manifests(&self.scene.open(), &self.folder());
        let entries = manifests.iter().flat_map(|one| &one.recordings);
        entries.filter_map(|entry| entry.carried_from).collect()
    }

    /// A new vault has all of it from this folder, in its newest state.
    fn assert_whole(&self, from: &str) {
        let open = self.new_vault(from, 0);
        let found = open.recording(self.id).unwrap();
        assert_eq!(found.card.title, "renamed");
        self.assert_words_and_sound(&open);
        assert!(open.recording(self.doomed).is_err());
    }

    fn assert_words_and_sound(&self, open: &OpenVault) {
        let said = [1, 2].map(|number| open.transcript(self.id, number).unwrap().text());
        assert_eq!(said, ["said first", "said, and corrected"]);
        let card = open.recording(self.id).unwrap().card;
        assert_eq!(lost_segments(&card), []);
        let mut sound = open.sound(self.id).unwrap();
        for number in 0..24 {
            let segment = sound.next_segment().unwrap().unwrap();
            assert_eq!(*segment.packets, library::packets("minutes", number));
        }
    }

    fn new_vault(&self, from: &str, ends: i32) -> OpenVault {
        let dir = self.scene.owner.other_vault("other");
        let restore = ["--vault", "other", "restore", from];
        self.scene.run(&restore).ended_with(ends);
        library::unlock(&dir, PASSPHRASE)
    }
}

#[test]
fn what_was_shredded_goes_and_what_only_an_older_entry_has_stays() {
    let lost = Lost::new();
    lost.repack();
    assert!(!lies_in(&lost.scene.owner).contains(&lost.doomed));
    assert_eq!(lost.carried_from(), [1]);
    lost.scene.run(&["backup", "verify", "backup"]).ok();
    lost.assert_whole("backup");
    // Once more there is nothing to be done, and a run adds nothing.
    let there = segments(&lost.folder());
    lost.repack();
    lost.scene.run(&["backup", "backup"]).ok();
    assert_eq!(segments(&lost.folder()), there);
    // The vault gets it back as well; and once the backup has it anew, it has it once.
    lost.scene.restore("backup");
    lost.assert_words_and_sound(&lost.scene.open());
    lost.scene.run(&["backup", "backup"]).ok();
    let other = lost.scene.ids[2].to_string();
    lost.scene.run(&["shred", &other, "--yes"]).ok();
    lost.repack();
    lost.scene.run(&["backup", "verify", "backup"]).ok();
    assert!(lost.carried_from().is_empty());
    lost.assert_whole("backup");
}

#[test]
fn it_is_cut_short_behind_any_segment_and_the_newest_state_still_counts() {
    let lost = Lost::new();
    let before = lost.scene.owner.home.path("before");
    copy_dir(&lost.folder(), &before);
    lost.repack();
    let old = segments(&before).len();
    let written: Vec<_> = segments(&lost.folder()).split_off(1);
    assert!(
        written.len() > 2,
        "the older entry, the newest, and what goes"
    );
    let after = lost.scene.owner.home.path("after");
    fs::rename(lost.folder(), &after).unwrap();
    for behind in 1..written.len() {
        fs::remove_dir_all(lost.folder()).ok();
        copy_dir(&before, &lost.folder());
        for segment in &written[..behind] {
            let name = segment.file_name().unwrap();
            fs::copy(after.join(name), lost.folder().join(name)).unwrap();
        }
        // What it remembers is the end of the one that was not cut short.
        let forget = ["backup", "forget", "backup", "--yes"];
        lost.scene.run(&forget).ok();
        lost.assert_whole("backup");
        lost.scene.run(&["backup", "verify", "backup"]).ok();
        lost.repack();
        assert!(!lies_in(&lost.scene.owner).contains(&lost.doomed));
        lost.scene.run(&["backup", "verify", "backup"]).ok();
        lost.assert_whole("backup");
        let there = segments(&lost.folder());
        assert!(there.len() <= old + written.len(), "{there:?}");
    }
}

#[test]
fn with_the_newest_entry_damaged_what_was_carried_over_comes_back() {
    let lost = Lost::new();
    lost.repack();
    let manifests = manifests(&lost.scene.open(), &lost.folder());
    let newest = manifests.iter().filter(|one| {
        let mut entries = one.recordings.iter();
        entries.any(|entry| entry.id == lost.id && entry.carried_from.is_none())
    });
    let numbers: Vec<_> = newest.map(|one| one.segment).collect();
    // The copy of it, and then also the one that was copied.
    for (number, title) in numbers.into_iter().rev().zip(["renamed", "minutes"]) {
        let path = lost.folder().join(format!("{number:04}.tar.age"));
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let open = lost.new_vault("backup", 5);
        assert_eq!(open.recording(lost.id).unwrap().card.title, title);
        lost.assert_words_and_sound(&open);
    }
}

#[test]
fn nothing_goes_where_what_would_be_carried_over_can_not_be_read() {
    let mut owner = Owner::new();
    let id = owner.record("minutes", 200);
    let doomed = owner.record("doomed", 1);
    owner.merge();
    owner.say(id, "said first");
    owner.say(id, "said, and corrected");
    owner.back_up();
    library::lose_words(&owner.home.vault().join("store.redb"), id, 1);
    let run = |args: &[&str]| owner.home.voxvault(args.iter().copied()).run();
    run(&["verify", "--repair"]).ended_with(5);
    run(&["backup", "backup"]).ok();
    run(&["shred", &doomed.to_string(), "--yes"]).ok();
    let folder = owner.home.path("backup");
    let before = segments(&folder);
    let whole = fs::read(&before[0]).unwrap();
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&before[0], bytes).unwrap();
    let told = run(&["backup", "repack", "backup"]).ended_with(5);
    assert!(told.stderr.contains("0001.tar.age"), "{told}");
    assert_eq!(segments(&folder), before);
    // Put right, it goes.
    fs::write(&before[0], whole).unwrap();
    run(&["backup", "repack", "backup"]).ok();
    assert!(!lies_in(&owner).contains(&doomed));
}

#[test]
fn nothing_goes_where_the_newest_can_not_be_read_and_the_vault_has_lost_what_lies_behind_it() {
    let mut owner = Owner::new();
    let id = owner.record("minutes", 3);
    let doomed = owner.record("doomed", 1);
    owner.merge();
    owner.back_up();
    let run = |args: &[&str]| owner.home.voxvault(args.iter().copied()).run();
    run(&["edit", &id.to_string(), "--note", "noted"]).ok();
    // Long enough that the manifest does not lie beside the card.
    owner.say(id, &"said ".repeat(60_000));
    run(&["backup", "backup"]).ok();
    run(&["shred", &doomed.to_string(), "--yes"]).ok();
    let folder = owner.home.path("backup");
    let before = segments(&folder);
    let mut bytes = fs::read(&before[1]).unwrap();
    bytes[4_000] ^= 1;
    fs::write(&before[1], bytes).unwrap();
    library::tear(&owner.home.vault().join("store.redb"), id, 1);
    let refused = || {
        let told = run(&["backup", "repack", "backup"]).ended_with(5);
        let card = format!("{id}/meta.json");
        assert!(told.stderr.contains("0002.tar.age"), "{told}");
        assert!(told.stderr.contains(&card), "{told}");
        assert_eq!(segments(&folder), before);
    };
    // Nobody has noticed it, and then it is noted.
    refused();
    run(&["verify", "--repair"]).ended_with(5);
    refused();
    // Once the vault has it again, the next backup has, too.
    run(&["restore", "backup"]);
    let told = run(&["backup", "repack", "backup"]).ended_with(5);
    assert!(!segments(&folder).contains(&before[0]), "{told}");
    run(&["backup", "backup"]);
    let dir = owner.other_vault("new");
    run(&["--vault", "new", "restore", "backup"]);
    let open = library::unlock(&dir, PASSPHRASE);
    assert_heard(&open, id, "minutes", 3);
    assert_eq!(open.recording(id).unwrap().card.note, "noted");
}

#[test]
fn nothing_goes_where_no_backup_would_miss_what_can_not_be_read() {
    let mut owner = Owner::new();
    let id = owner.record("minutes", 3);
    owner.merge();
    owner.back_up();
    let run = |args: &[&str]| owner.home.voxvault(args.iter().copied()).run();
    let name = id.to_string();
    run(&["shred", &name, "--audio-only", "--yes"]).ok();
    // Long enough that the manifest does not lie beside the card.
    owner.say(id, &"said ".repeat(60_000));
    run(&["backup", "backup"]).ok();
    let folder = owner.home.path("backup");
    let before = segments(&folder);
    let mut bytes = fs::read(&before[1]).unwrap();
    bytes[4_000] ^= 1;
    fs::write(&before[1], bytes).unwrap();
    run(&["backup", "repack", "backup"]).ended_with(5);
    assert_eq!(segments(&folder), before);
    // Once it has changed, it is written again, and what was shredded can go.
    run(&["edit", &name, "--note", "noted"]).ok();
    run(&["backup", "backup"]);
    run(&["backup", "repack", "backup"]);
    assert!(!segments(&folder).contains(&before[0]));
    let dir = owner.other_vault("new");
    run(&["--vault", "new", "restore", "backup"]);
    let open = library::unlock(&dir, PASSPHRASE);
    assert_eq!(open.recording(id).unwrap().card.note, "noted");
}

#[test]
fn copies_that_lack_different_sound_are_carried_over_and_still_come_back_as_one() {
    let scene = Scene::new();
    let id = scene.ids[0];
    let whole = fs::read(scene.store()).unwrap();
    // Each of the two copies lacks what the other has.
    scene.run(&["backup", "forget", "backup", "--yes"]).ok();
    fs::remove_dir_all(scene.owner.home.path("backup")).unwrap();
    for segments in [&[1][..], &[3]] {
        fs::write(scene.store(), &whole).unwrap();
        scene.damage(|facts| {
            facts.kind == Kind::Sound && facts.id == id && segments.contains(&facts.number)
        });
        scene.repair();
        let note = format!("lost {segments:?}");
        scene.run(&["edit", &id.to_string(), "--note", &note]).ok();
        scene.run(&["backup", "backup"]);
    }
    let doomed = scene.ids[1];
    scene.run(&["shred", &doomed.to_string(), "--yes"]).ok();
    scene.run(&["backup", "backup"]);
    scene.run(&["backup", "repack", "backup"]).ok();
    assert!(!lies_in(&scene.owner).contains(&doomed));
    scene.run(&["backup", "verify", "backup"]).ok();
    // Unpacked in their order, the segments leave the newest of it.
    let manifests = manifests(&scene.open(), &scene.owner.home.path("backup"));
    let mut entries = manifests.iter().flat_map(|one| &one.recordings);
    let last = entries.rfind(|entry| entry.id == id && entry.sound == SoundAt::Here);
    let last = last.unwrap();
    assert_eq!((&last.gone[..], last.carried_from), (&[(3, 4)][..], None));
    let dir = scene.owner.other_vault("other");
    scene.run(&["--vault", "other", "restore", "backup"]).ok();
    let found = library::unlock(&dir, PASSPHRASE).recording(id).unwrap();
    assert_eq!(lost_segments(&found.card), []);
    assert_eq!(found.card.note, "lost [3]");
    // Once the vault has it all again, the next backup has, too.
    scene.restore("backup");
    scene.run(&["backup", "backup"]).ok();
    let card = scene.open().recording(id).unwrap().card;
    assert_eq!(lost_segments(&card), []);
}

//! A vault that has lost something does not lose it in its backups, too.

use std::fs;

use voxvault::backup::SoundAt;
use voxvault::recording::RecordingId;
use voxvault::vault::OpenVault;

use super::manifests;
use crate::restore::{Owner, segments};
use crate::support::library;

/// Has the vault note what is lost.
fn repair(owner: &Owner) {
    let repair = ["verify", "--repair"];
    owner.home.voxvault(repair).run().ended_with(5);
}

/// What a new vault gets of the backup.
fn assert_all_comes_back(owner: &Owner, title: &str) {
    let dir = owner.other_vault("new");
    let restore = ["--vault", "new", "restore", "backup"];
    owner.home.voxvault(restore).run().ok();
    let open = library::unlock(&dir, crate::support::PASSPHRASE);
    owner.assert_held(&open, &[]);
    let id = *owner.held.keys().next().unwrap();
    assert_eq!(open.recording(id).unwrap().card.title, title);
    assert_eq!(open.transcript(id, 1).unwrap().text(), "said");
}

fn scene() -> (Owner, RecordingId) {
    let mut owner = Owner::new();
    let id = owner.record("kept", 3);
    owner.merge();
    owner.say(id, "said");
    owner.back_up();
    (owner, id)
}

/// Backs up, which tells of something that the vault has lost.
fn told(owner: &Owner, what: &str) {
    let told = owner.home.voxvault(["backup", "backup"]).run();
    let told = told.ended_with(5);
    assert!(told.stderr.contains("the vault has less"), "{told}");
    assert!(told.stderr.contains(what), "{told}");
}

#[test]
fn a_vault_whose_store_was_lost_does_not_overrule_its_backup() {
    let (owner, id) = scene();
    fs::remove_file(owner.home.vault().join("store.redb")).unwrap();
    repair(&owner);
    // However often, as long as it is not put back.
    for _ in 0..2 {
        told(&owner, "title, date, tags and note");
    }
    for manifest in manifests(&owner.open, &owner.home.path("backup"))
        .iter()
        .skip(1)
    {
        assert!(!manifest.recordings.iter().any(|entry| entry.id == id));
    }
    assert_all_comes_back(&owner, "kept");
    // A repack takes nothing of it away either.
    let repack = ["backup", "repack", "backup"];
    owner.home.voxvault(repack).run().ok();
    assert_all_comes_back(&owner, "kept");
}

#[test]
fn sound_that_the_vault_has_lost_stays_where_the_backup_has_it() {
    let (owner, id) = scene();
    library::tear(&owner.home.vault().join("store.redb"), id, 1);
    repair(&owner);
    told(&owner, "some of its sound");
    let manifests = manifests(&owner.open, &owner.home.path("backup"));
    let mut entries = manifests.iter().flat_map(|manifest| &manifest.recordings);
    let newest = entries.rfind(|entry| entry.id == id).unwrap();
    assert_eq!(newest.sound, SoundAt::Segment(1));
    // It was told, and nothing has changed since.
    owner.back_up();
}

#[test]
fn a_transcript_made_anew_does_not_hide_the_one_that_was_lost() {
    let (owner, id) = scene();
    library::lose_words(&owner.home.vault().join("store.redb"), id, 1);
    repair(&owner);
    owner.say(id, "said anew");
    owner.back_up();
    let assert_both = |open: &OpenVault| {
        let said = [1, 2].map(|number| open.transcript(id, number).unwrap().text());
        assert_eq!(said, ["said", "said anew"]);
    };
    let dir = owner.other_vault("new");
    let restore = ["--vault", "new", "restore", "backup"];
    owner.home.voxvault(restore).run().ok();
    assert_both(&library::unlock(&dir, crate::support::PASSPHRASE));
    owner.home.voxvault(["restore", "backup"]).run().ok();
    assert_both(&owner.open);
}

#[test]
fn nor_where_the_card_that_counted_them_was_lost_with_it() {
    let (owner, id) = scene();
    let store = owner.home.vault().join("store.redb");
    library::lose_words(&store, id, 1);
    library::spoil_card(&store, id);
    repair(&owner);
    owner.say(id, "said anew");
    owner.home.voxvault(["restore", "backup"]).run().ok();
    let recording = owner.open.recording(id).unwrap();
    assert_eq!(recording.card.title, "kept");
    let numbers = recording.versions.iter().map(|version| version.number);
    let said = numbers.map(|number| owner.open.transcript(id, number).unwrap().text());
    assert_eq!(said.collect::<Vec<_>>(), ["said", "said anew"]);
}

#[test]
fn of_what_was_lost_before_the_first_backup_it_says_what_is_missing() {
    let mut owner = Owner::new();
    let id = owner.record("torn", 3);
    let gone = owner.record("gone", 1);
    owner.merge();
    library::tear(&owner.home.vault().join("store.redb"), id, 1);
    library::tear(&owner.home.vault().join("store.redb"), gone, 0);
    repair(&owner);
    owner.back_up();
    let manifest = manifests(&owner.open, &owner.home.path("backup")).remove(0);
    let entry = |id| manifest.recordings.iter().find(|one| one.id == id).unwrap();
    assert_eq!(
        (entry(id).sound, &*entry(id).gone),
        (SoundAt::Here, &[(1, 2)][..])
    );
    assert_eq!(
        (entry(gone).sound, &*entry(gone).gone),
        (SoundAt::Here, &[(0, 1)][..])
    );
    assert_eq!(segments(&owner.home.path("backup")).len(), 1);
    owner
        .home
        .voxvault(["backup", "verify", "backup"])
        .run()
        .ok();
    owner.back_up();
    assert_eq!(segments(&owner.home.path("backup")).len(), 1);
}

#[test]
fn a_vault_that_was_put_back_from_a_copy_adds_nothing_to_a_backup_of_its_later_state() {
    let mut owner = Owner::new();
    let [kept, doomed] = ["kept", "doomed"].map(|title| owner.record(title, 1));
    owner.merge();
    owner.back_up();
    let (vault, copy) = (owner.home.vault(), owner.home.path("copy"));
    copy_all(&vault, &copy);
    let later = owner.record("later", 1);
    owner.merge();
    owner.shred(&[doomed]);
    owner.back_up();
    let dir = owner.home.path("backup");
    let before = segments(&dir);
    fs::remove_dir_all(&vault).unwrap();
    copy_all(&copy, &vault);
    let refused = owner
        .home
        .voxvault(["backup", "backup"])
        .run()
        .ended_with(1);
    assert!(
        refused.stderr.contains("a later state of this vault"),
        "{refused}"
    );
    // Not even once it has come as far as the other was.
    for number in 0..6 {
        let open = library::unlock(&vault, crate::support::PASSPHRASE);
        library::record(open.vault(), &format!("number {number}"), 1);
        open.merge().unwrap();
    }
    owner
        .home
        .voxvault(["backup", "backup"])
        .run()
        .ended_with(1);
    assert_eq!(segments(&dir), before);
    let new = owner.other_vault("new");
    let restore = ["--vault", "new", "restore", "backup"];
    owner.home.voxvault(restore).run().ok();
    let open = library::unlock(&new, crate::support::PASSPHRASE);
    for id in [kept, later] {
        assert!(open.recording(id).is_ok());
    }
    // Elsewhere it can be backed up, and what only the backup has comes back.
    owner.home.voxvault(["restore", "backup"]).run().ok();
    let open = library::unlock(&vault, crate::support::PASSPHRASE);
    assert!(open.recording(later).is_ok() && open.recording(doomed).is_ok());
    owner.home.voxvault(["backup", "elsewhere"]).run().ok();
}

/// Runs the program; what it says.
fn refused_as_later(owner: &Owner, arguments: &[&str]) {
    let told = owner.home.voxvault(arguments).run().ended_with(1);
    assert!(
        told.stderr.contains("a later state of this vault"),
        "{told}"
    );
}

#[test]
fn two_states_of_a_vault_that_went_on_apart_never_share_a_backup() {
    let mut owner = Owner::new();
    let id = owner.record("redacted in both", 5);
    owner.merge();
    owner.back_up();
    let (vault, copy) = (owner.home.vault(), owner.home.path("copy"));
    copy_all(&vault, &copy);
    let id = id.to_string();
    let redact = |from, to| {
        let redact = ["redact", &id, from, to, "--yes"];
        owner.home.voxvault(redact).run().ok();
    };
    redact("0", "1");
    owner.back_up();
    let before = segments(&owner.home.path("backup"));
    fs::remove_dir_all(&vault).unwrap();
    copy_all(&copy, &vault);
    // The same was destroyed, by name and epoch, and the keys were changed more often.
    redact("3", "4");
    for number in 0..6 {
        let open = library::unlock(&vault, crate::support::PASSPHRASE);
        library::record(open.vault(), &format!("number {number}"), 1);
        open.merge().unwrap();
    }
    refused_as_later(&owner, &["backup", "backup"]);
    refused_as_later(&owner, &["backup", "repack", "backup"]);
    // Nor if nothing is known of it.
    let forget = ["backup", "forget", "backup", "--yes"];
    owner.home.voxvault(forget).run().ok();
    refused_as_later(&owner, &["backup", "backup"]);
    assert_eq!(segments(&owner.home.path("backup")), before);
    owner.home.voxvault(["backup", "elsewhere"]).run().ok();
    // What the one has lost is not filled in with what the other made of it.
    let id = id.parse().unwrap();
    library::tear_of_epoch(&vault.join("store.redb"), id, 1, 1);
    repair(&owner);
    let restore = |from| owner.home.voxvault(["restore", from]).run();
    let told = restore("backup");
    assert!(
        told.stderr.contains("no backup that can say what"),
        "{told}"
    );
    let open = library::unlock(&vault, crate::support::PASSPHRASE);
    assert_ne!(open.recording(id).unwrap().card.missing(), 0);
    restore("elsewhere").ok();
    assert_eq!(open.recording(id).unwrap().card.missing(), 0);
}

#[test]
fn a_vault_goes_on_in_its_backup_whatever_became_of_the_folder_and_of_its_log() {
    let mut owner = Owner::new();
    let recordings = ["first", "second"].map(|title| owner.record(title, 1));
    owner.merge();
    owner.say(recordings[1], "said");
    let [first, second] = recordings.map(|id| id.to_string());
    owner.back_up();
    // Elsewhere, forgotten, repacked, with deeds in the log that no rotation followed.
    let [dir, moved] = ["backup", "moved"].map(|name| owner.home.path(name));
    fs::rename(&dir, &moved).unwrap();
    let run = |arguments: &[&str]| owner.home.voxvault(arguments).run().ok();
    run(&["backup", "moved"]);
    run(&["backup", "forget", "moved", "--yes"]);
    run(&["export", &second, "--format", "json", "-o", "out.json"]);
    run(&["backup", "moved"]);
    run(&["shred", &first, "--yes"]);
    run(&["backup", "repack", "moved"]);
    run(&["edit", &second, "--title", "renamed"]);
    run(&["backup", "moved"]);
    run(&["key", "rotate"]);
    run(&["backup", "moved"]);
    // With every entry of the log destroyed, and made good for.
    library::lose_log(&owner.home.vault().join("store.redb"));
    repair(&owner);
    run(&["edit", &second, "--title", "renamed again"]);
    run(&["backup", "moved"]);
    run(&["backup", "verify", "moved"]);
}

fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_all(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

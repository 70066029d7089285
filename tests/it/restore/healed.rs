//! What the vault lost to damage comes back from a backup that has it, in its place.

use std::fs;
use std::path::Path;

use super::{Owner, ids, segments};

/// One byte in the middle of a backup's first segment is another one.
fn damage_middle(backup: &Path) {
    let segment = &segments(backup)[0];
    let mut bytes = fs::read(segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(segment, bytes).unwrap();
}

#[test]
fn sound_that_a_backup_could_not_give_is_said_to_be_lost_and_is_not_shredded() {
    let mut owner = Owner::new();
    let id = owner.record("minutes", 200);
    owner.merge();
    owner.say(id, "what was said");
    damage_middle(&owner.back_up());
    owner.other_vault("other");
    let run = |args: &[&str]| {
        let other = ["--vault", "other"].iter().chain(args).copied();
        owner.home.voxvault(other).run()
    };
    let done = run(&["restore", "backup", "--json"]).ended_with(5).json();
    assert_eq!(ids(&done["restored"]), [id]);
    let listed = run(&["list"]).ok();
    assert!(listed.text().contains("(sound lost)"), "{listed}");
    let id = id.to_string();
    let played = run(&["play", &id]).ended_with(4);
    assert!(played.stderr.contains("its sound is lost"), "{played}");
    assert!(played.stderr.contains("voxvault restore"), "{played}");
    let shown = run(&["show", &id]).ok();
    assert!(shown.text().contains("what was said"), "{shown}");
}

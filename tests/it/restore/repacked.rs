//! What was shredded leaves the backup, and the rest of it stays as good as it was.

use std::fs;

use voxvault::backup::segment;
use voxvault::recording::RecordingId;
use voxvault::vault::ShredScope;

use super::{Owner, ids, segments};
use crate::support::{PASSPHRASE, library};

/// Recordings of which anything lies in the segments of a backup.
pub(crate) fn lies_in(owner: &Owner) -> Vec<RecordingId> {
    let identity = owner.open.backup_identity().unwrap().to_age();
    let mut found = Vec::new();
    for path in segments(&owner.home.path("backup")) {
        let file = fs::File::open(&path).unwrap();
        let one = std::iter::once(&*identity);
        let mut archive = tar::Archive::new(segment::open("a segment", file, one).unwrap());
        for entry in archive.entries().unwrap() {
            let path = entry.unwrap().path().unwrap().into_owned();
            let id = path.iter().next().and_then(|part| part.to_str());
            found.extend(id.and_then(|id| id.parse::<RecordingId>().ok()));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn what_was_shredded_leaves_the_backup_and_all_else_stays_and_is_verified() {
    let mut owner = Owner::new();
    let [doomed, kept] = ["doomed", "kept"].map(|title| owner.record(title, 3));
    owner.merge();
    owner.back_up();
    let silent = owner.record("only its words", 2);
    owner.merge();
    owner.say(silent, "said");
    owner.say(kept, "said");
    owner.back_up();
    let later = owner.record("later", 1);
    owner.merge();
    owner.back_up();
    assert_eq!(segments(&owner.home.path("backup")).len(), 3);
    let run = |args: &[&str]| owner.home.voxvault(args.iter().copied()).run().ok();
    // A segment is no backup that could be repacked.
    let file = segments(&owner.home.path("backup")).remove(0);
    let file = file.to_str().unwrap();
    let refused = owner.home.voxvault(["backup", "repack", file]).run();
    refused.ended_with(2);
    // Nothing was destroyed: nothing is done.
    run(&["backup", "repack", "backup"]);
    assert_eq!(segments(&owner.home.path("backup")).len(), 3);
    owner.shred(&[doomed]);
    let sound = ShredScope::Sound;
    owner.open.shred(&[silent], sound, &mut |_, _| ()).unwrap();
    assert!(lies_in(&owner).contains(&doomed), "the control");
    let run = |args: &[&str]| owner.home.voxvault(args.iter().copied()).run().ok();
    let done = run(&["backup", "repack", "backup", "--json"]).json();
    assert_eq!(done["dropped"], serde_json::json!([1, 2]));
    // What stayed of two is one, and one more says again what must not come back.
    assert_eq!(segments(&owner.home.path("backup")).len(), 3);
    let mut due = vec![kept, silent, later];
    due.sort_unstable();
    assert_eq!(lies_in(&owner), due);
    let verified = run(&["backup", "verify", "backup", "--json"]).json();
    assert_eq!(verified["damage"], serde_json::json!([]));
    assert_eq!(verified["checked"]["recordings"], 3);
    // It goes on as any other: a run without anything new adds nothing.
    run(&["backup", "backup"]);
    run(&["backup", "verify", "backup"]);
    let added = segments(&owner.home.path("backup")).len();
    run(&["backup", "backup"]);
    assert_eq!(segments(&owner.home.path("backup")).len(), added);
    let dir = owner.other_vault("other");
    let restored = run(&["--vault", "other", "restore", "backup", "--json"]).json();
    let mut restored = ids(&restored["restored"]);
    restored.sort_unstable();
    assert_eq!(restored, due);
    let open = library::unlock(&dir, PASSPHRASE);
    assert!(open.sound(silent).is_err());
    assert_eq!(open.transcript(silent, 1).unwrap().text(), "said");
    super::assert_heard(&open, kept, "kept", 3);
    super::assert_heard(&open, later, "later", 1);
}

#[test]
fn a_repack_does_not_hide_that_the_newest_segment_is_gone() {
    let mut owner = Owner::new();
    let [doomed, kept, lost] = ["doomed", "kept", "lost"].map(|title| {
        let id = owner.record(title, 1);
        owner.merge();
        owner.back_up();
        id
    });
    let folder = owner.home.path("backup");
    let newest = segments(&folder).pop().unwrap();
    fs::remove_file(&newest).unwrap();
    owner.shred(&[doomed]);
    let run = |args: &[&str]| owner.home.voxvault(args.iter().copied()).run();
    let told = run(&["backup", "repack", "backup"]).ended_with(5);
    assert!(told.stderr.contains("0003.tar.age"), "{told}");
    assert_eq!(lies_in(&owner), [kept]);
    let found = run(&["backup", "verify", "backup"]).ended_with(5);
    let said = format!("{found}");
    assert!(said.contains("missing") && said.contains("0003"), "{said}");
    // The vault still holds it, so the next run brings it back.
    run(&["backup", "backup"]);
    let mut due = vec![kept, lost];
    due.sort_unstable();
    assert_eq!(lies_in(&owner), due);
}

#[test]
fn the_log_says_when_a_repack_began_and_at_its_end_how_many_recordings_it_dropped() {
    let mut owner = Owner::new();
    let [doomed, silent, _kept] = ["doomed", "silent", "kept"].map(|title| owner.record(title, 1));
    owner.merge();
    owner.back_up();
    let repack = |owner: &Owner| -> Vec<(String, String)> {
        let run = |args: &[&str]| owner.home.voxvault(args.iter().copied()).run().ok();
        run(&["backup", "repack", "backup"]);
        run(&["log", "verify"]);
        let log = run(&["log", "--json"]).json();
        let mut entries = log["entries"].as_array().unwrap().clone();
        entries.retain(|entry| entry["what"] == "repack");
        entries.sort_by_key(|entry| entry["number"].as_u64());
        let text = |entry: &serde_json::Value, name: &str| entry[name].as_str().unwrap().to_owned();
        let told = entries.iter();
        told.map(|entry| (text(entry, "stage"), text(entry, "detail")))
            .collect()
    };
    assert_eq!(repack(&owner), [], "nothing was to be dropped");
    owner.shred(&[doomed]);
    let sound = ShredScope::Sound;
    owner.open.shred(&[silent], sound, &mut |_, _| ()).unwrap();
    let place = format!("in {}", owner.home.path("backup").display());
    let begun = ("begun".to_owned(), place.clone());
    let done = ("done".to_owned(), place + ": 2 recordings dropped");
    assert_eq!(repack(&owner), [begun.clone(), done.clone()]);
    assert_eq!(
        repack(&owner),
        [begun, done],
        "nothing is left to be dropped"
    );
}

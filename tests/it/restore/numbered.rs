//! No transcript is ever given a number that another had, also where a vault is made anew of
//! a backup: another backup may have what was lost under it.

use std::fs::File;
use std::io::Read as _;

use serde_json::Value;
use voxvault::backup::segment;
use voxvault::recording::RecordingId;

use super::{Owner, ids, segments};
use crate::support::{PASSPHRASE, library};

/// A recording with two transcripts, the second of which was lost before any backup.
fn scene() -> (Owner, RecordingId) {
    let mut owner = Owner::new();
    let id = owner.record("minutes", 2);
    owner.merge();
    owner.say(id, "said");
    owner.say(id, "said, and corrected");
    library::lose_words(&owner.home.vault().join("store.redb"), id, 2);
    owner
        .home
        .voxvault(["verify", "--repair"])
        .run()
        .ended_with(5);
    (owner, id)
}

/// What is known of a recording, as `age` and `tar` give it.
fn meta(owner: &Owner, id: RecordingId) -> Value {
    let identity = owner.open.backup_identity().unwrap().to_age();
    let path = segments(&owner.home.path("backup")).pop().unwrap();
    let one = std::iter::once(&*identity);
    let plain = segment::open("a segment", File::open(path).unwrap(), one).unwrap();
    let mut archive = tar::Archive::new(plain);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if *entry.path().unwrap() == *format!("{id}/meta.json") {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            return serde_json::from_str(&text).unwrap();
        }
    }
    panic!("nothing is known of {id}");
}

#[test]
fn a_vault_made_of_a_backup_gives_no_number_again_that_a_lost_transcript_had() {
    let (owner, id) = scene();
    owner.back_up();
    let known = meta(&owner, id);
    assert_eq!(known["numbered"], 2, "{known}");
    let stream = owner.home.voxvault(["backup", "-"]).run().ok().stdout;
    let identity = owner.open.backup_identity().unwrap().to_text();
    owner.home.write("identity", identity.as_bytes());
    for from in ["backup", "-"] {
        let dir = owner.other_vault("other");
        let restore = ["--vault", "other", "restore", from, "--json"];
        let by = ["--from-identity", "identity"];
        let args = [&restore[..], &by].concat();
        let run = || owner.home.voxvault(&args).stdin(stream.clone()).run();
        assert_eq!(ids(&run().ok().json()["restored"]), [id], "{from}");
        assert_eq!(run().ok().json()["there"], 1, "{from}");
        let open = library::unlock(&dir, PASSPHRASE);
        let anew = open.add_transcript(id, 0, &library::transcript("anew"));
        assert_eq!(anew.unwrap(), 3, "{from}");
    }
}

#[test]
fn nor_does_one_that_is_made_of_the_backup_of_such_a_vault_or_of_a_repacked_one() {
    let (mut owner, id) = scene();
    let doomed = owner.record("doomed", 1);
    owner.merge();
    owner.back_up();
    owner.shred(&[doomed]);
    let run = |args: &[&str]| owner.home.voxvault(args.iter().copied()).run().ok();
    run(&["backup", "repack", "backup"]);
    let second = owner.other_vault("second");
    run(&["--vault", "second", "restore", "backup"]);
    run(&["--vault", "second", "backup", "again"]);
    let third = owner.other_vault("third");
    run(&["--vault", "third", "restore", "again"]);
    for dir in [second, third] {
        let open = library::unlock(&dir, PASSPHRASE);
        let anew = open.add_transcript(id, 0, &library::transcript("anew"));
        assert_eq!(anew.unwrap(), 3, "{}", dir.display());
    }
}

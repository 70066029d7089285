//! The attacker behind shreds of the real program, with others at work in the same
//! vault: he must find every recording that lives, and nothing of one that was
//! reported as shredded.

use std::fs;

use voxvault::vault::frame::Kind;

use super::sound::steps;
use super::watched::{Watched, assert_gone, id_of, segments};
use crate::support::PASSPHRASE;
use crate::support::forensic::{Evidence, Findings, read_all};
use crate::support::needles::holds;

/// Whether these words stand in anything that was read.
fn said(found: &Findings, words: &str) -> bool {
    let mut plaintexts = found.plaintexts.iter();
    plaintexts.any(|plaintext| holds(plaintext, words.as_bytes()))
}

#[test]
fn nothing_opens_of_what_was_shredded_beside_a_recorder_while_locked_and_before_passwd() {
    let Some(watched) = Watched::new() else {
        return;
    };
    let home = &watched.home;
    let doomed = watched.import("doomed", 3.0);
    let kept = watched.import("kept", 2.0);
    let note = ["edit", &doomed.to_string(), "--note", "a marked note"];
    watched.run(note).ok();
    watched.transcribe(doomed, "the doomed words");
    watched.transcribe(kept, "the kept words");

    // One records on through all of it; another records while locked.
    let mut recorder = watched.begin("running");
    recorder.write(&steps(2.0).raw());
    watched.wait_for_segments(2);
    let record = ["record", "-", "--title", "locked"];
    let locked = watched
        .watch(home.voxvault(record).locked().stdin(steps(2.0).wav()))
        .run()
        .ok();
    let locked = id_of(&locked);
    let put_aside = home.vault().join(format!("inbox/{locked}.rec"));
    let in_the_inbox = fs::read(&put_aside).unwrap();

    let before = watched.attack();
    for (id, seconds) in [(doomed, 3.0), (kept, 2.0), (locked, 2.0)] {
        assert_eq!(before.count(id, Kind::Sound), segments(seconds));
    }
    assert!(said(&before, "a marked note") && said(&before, "the doomed words"));

    watched.shred(doomed).ok();
    let after = watched.attack();
    assert_gone(&after, doomed, "beside a recorder");
    assert!(!said(&after, "a marked note") && !said(&after, "the doomed words"));
    assert!(said(&after, "the kept words"));
    for (id, seconds) in [(kept, 2.0), (locked, 2.0)] {
        assert_eq!(after.count(id, Kind::Sound), segments(seconds));
    }

    // What was recorded while locked, and merged since or not.
    watched.shred(locked).ok();
    recorder.write(&steps(1.0).raw());
    let ran = id_of(&recorder.wait().ok());
    let after = watched.attack();
    assert_gone(&after, locked, "recorded while locked");
    assert_eq!(after.count(ran, Kind::Sound), segments(3.0));

    // Its old inbox file is put back: it does not come back, and goes.
    fs::write(&put_aside, &in_the_inbox).unwrap();
    assert_gone(&watched.attack(), locked, "put back");
    assert_eq!(watched.run(["list"]).ok().text().lines().count(), 2);
    assert!(!put_aside.exists(), "it is still in the inbox");
    let show = watched.run(["show", &locked.to_string()]);
    assert_eq!(show.code(), Some(4), "{show}");

    // After passwd as well, for who has both passphrases.
    let later = watched.import("later", 1.0);
    let new = ["passwd", "--new-passphrase-file", "new-passphrase"];
    watched.run(new).ok();
    fs::write(&put_aside, &in_the_inbox).unwrap();
    let new = home.path("new-passphrase");
    let shred = home.voxvault(["shred", &later.to_string(), "--yes"]);
    watched.watch(shred.passphrase_file(new)).run().ok();
    let after = watched.attack();
    for id in [doomed, locked, later] {
        assert_gone(&after, id, "after passwd");
    }
    assert_eq!(after.count(kept, Kind::Sound), segments(2.0));
    assert_eq!(after.count(ran, Kind::Sound), segments(3.0));
    let old = read_all(&Evidence::of_directory(&home.vault()), &[PASSPHRASE]);
    assert_eq!(old.opened, 0, "the old passphrase still opens something");
}

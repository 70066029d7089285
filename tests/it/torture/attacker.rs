//! The attacker behind shreds of the real program, with others at work in the same
//! vault: he must find every recording that lives, and nothing of one that was
//! reported as shredded.

use std::collections::BTreeMap;
use std::fs;

use voxvault::recording::RecordingId;
use voxvault::vault::frame::{FACTS_BYTES, Kind};

use super::sound::steps;
use super::watched::{Watched, assert_gone, id_of, segments};
use crate::support::PASSPHRASE;
use crate::support::forensic::{Evidence, Findings, read_all};
use crate::support::tally::{Begun, of_the_shredded};

#[test]
fn nothing_opens_of_what_was_shredded_beside_a_recorder_while_locked_and_before_passwd() {
    let Some(watched) = Watched::new() else {
        return;
    };
    let mut tally = Begun::new("the attacker behind shreds");
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
    assert!(before.says("a marked note") && before.says("the doomed words"));

    watched.shred(doomed).ok();
    let after = watched.attack();
    assert_gone(&after, doomed, "beside a recorder");
    of_the_shredded(|| {
        assert!(!after.says("a marked note") && !after.says("the doomed words"));
    });
    assert!(after.says("the kept words"));
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
    of_the_shredded(|| assert_eq!(old.opened, 0, "the old passphrase still opens something"));
    tally.report();
}

/// The sound that was read of a recording, by epoch and segment.
fn sounds(found: &Findings, id: RecordingId) -> BTreeMap<(u32, u32), Vec<u8>> {
    let number =
        |facts: &[u8], at: usize| u32::from_le_bytes(facts[at..at + 4].try_into().unwrap());
    let all = found.plaintexts.iter();
    all.filter_map(|plaintext| plaintext.split_at_checked(FACTS_BYTES))
        .filter(|(facts, _)| facts[2] == Kind::Sound as u8 && facts[4..20] == *id.as_bytes())
        .map(|(facts, body)| ((number(facts, 20), number(facts, 24)), body.to_vec()))
        .collect()
}

#[test]
fn of_what_was_redacted_neither_sound_nor_words_open() {
    let Some(watched) = Watched::new() else {
        return;
    };
    let mut tally = Begun::new("the attacker behind a redaction");
    let id = watched.import("spoken", 6.0);
    let kept = watched.import("kept", 2.0);
    watched.transcribe(id, "the doomed words");
    watched.transcribe(kept, "the kept words");
    let before = watched.attack();
    assert!(before.says("the doomed words"));
    let sound_before = sounds(&before, id);
    assert_eq!(sound_before.len(), segments(6.0));

    // The transcript's only passage is from 0 to 0.8 s.
    let redact = ["redact", &id.to_string(), "0", "2.4", "--yes"];
    watched.run(redact).ok();
    let after = watched.attack();
    of_the_shredded(|| assert!(!after.says("doomed")));
    assert!(after.says("the kept words"));
    let sound_after = sounds(&after, id);
    let numbers: Vec<_> = sound_after.keys().copied().collect();
    let expected: Vec<_> = (0..segments(6.0) as u32)
        .map(|number| (1, number))
        .collect();
    assert_eq!(numbers, expected, "all of it opens, in its new epoch only");
    for number in 0..segments(6.0) as u32 {
        let same = sound_after[&(1, number)] == sound_before[&(0, number)];
        // The span ends with segment 2; what is next to it may be made anew.
        match number {
            0..3 => of_the_shredded(|| assert!(!same, "segment {number} is still what it was")),
            3 => {}
            _ => assert!(same, "segment {number} is another than it was"),
        }
    }
    assert_eq!(watched.listed().len(), 2);

    // And shredded after that, it is gone in both epochs.
    watched.shred(id).ok();
    assert_gone(&watched.attack(), id, "redacted, then shredded");
    tally.report();
}

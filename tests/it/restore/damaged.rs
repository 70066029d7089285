//! Two thousand recordings, ten shredded, ten added; then one byte of every segment in
//! turn is another one.

use std::collections::BTreeSet;
use std::fs;

use voxvault::recording::RecordingId;

use super::{Owner, assert_heard, ids, segments};
use crate::support::tally::Begun;
use crate::support::{PASSPHRASE, library};

/// Recordings, and how many backups they are spread over: each makes a segment.
const RECORDINGS: usize = 2_000;
const BACKUPS: usize = 4;
const FEW: usize = 10;

/// Of so many that came back one is heard.
const HEARD: usize = 25;

fn owner() -> (Owner, Vec<RecordingId>) {
    let mut owner = Owner::new();
    let mut all = Vec::new();
    for backup in 0..BACKUPS {
        for number in 0..RECORDINGS / BACKUPS {
            all.push(owner.record(&format!("{backup}-{number}"), 1));
        }
        owner.merge();
        owner.say(all[all.len() - 1], "the last of them");
        owner.back_up();
    }
    let step = all.len() / FEW;
    let shredded: Vec<_> = all.iter().copied().step_by(step).take(FEW).collect();
    owner.shred(&shredded);
    // Long enough that the manifest does not lie in the middle of their segment.
    for number in 0..FEW {
        owner.record(&format!("added {number}"), 12);
    }
    owner.merge();
    owner.back_up();
    (owner, shredded)
}

#[test]
fn one_damaged_byte_in_any_segment_is_found_and_costs_what_lies_there_and_no_more() {
    let mut tally = Begun::new("damaged backups");
    let (owner, shredded) = owner();
    let backup = owner.home.path("backup");
    let files = segments(&backup);
    // The last says once more what was shredded, and nothing else.
    let [with_recordings @ .., closing] = files.as_slice() else {
        panic!("no segments");
    };
    assert_eq!(with_recordings.len(), BACKUPS + 1);
    assert_eq!(owner.held.len(), RECORDINGS);
    let verify = || {
        owner
            .home
            .voxvault(["backup", "verify", "backup", "--json"])
    };
    let whole = verify().run().ok().json();
    assert_eq!(whole["damage"], serde_json::json!([]));
    assert_eq!(whole["checked"]["recordings"], RECORDINGS);
    for file in with_recordings {
        let name = file.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(file).unwrap();
        let mut damaged = bytes.clone();
        damaged[bytes.len() / 2] ^= 0x10;
        fs::write(file, &damaged).unwrap();
        tally.flips += 1;
        let found = verify().run().ended_with(5).json();
        let damage = found["damage"].as_array().unwrap();
        let is_here = |one: &&serde_json::Value| {
            one["where"]
                .as_str()
                .is_some_and(|place| place.starts_with(name))
        };
        assert!(
            !damage.is_empty() && damage.iter().all(|one| is_here(&one)),
            "{damage:?}"
        );

        let dir = owner.other_vault("other");
        let restore = ["--vault", "other", "restore", "backup", "--json"];
        let done = owner.home.voxvault(restore).run().ended_with(5).json();
        let damage = done["damage"].as_array().unwrap();
        assert!(damage.iter().all(|one| is_here(&one)), "{damage:?}");
        let hurt: BTreeSet<RecordingId> = damage
            .iter()
            .filter_map(|one| one["id"].as_str()?.parse().ok())
            .collect();
        // A few recordings share 64 KiB, which is what one byte costs.
        assert!((1..20).contains(&hurt.len()), "{}", hurt.len());
        let restored: BTreeSet<RecordingId> = ids(&done["restored"]).into_iter().collect();
        let whole = owner.held.keys().filter(|id| !hurt.contains(id));
        tally.lost += whole.filter(|id| !restored.contains(id)).count() as u64;
        // What came back was hashed on its way; a part of it is heard as well.
        let open = library::unlock(&dir, PASSPHRASE);
        let heard = restored.iter().filter(|id| !hurt.contains(id));
        for id in heard.step_by(HEARD) {
            let (title, segments) = &owner.held[id];
            assert_heard(&open, *id, title, *segments);
        }
        tally.unshredded += shredded.iter().filter(|id| restored.contains(id)).count() as u64;
        fs::write(file, &bytes).unwrap();
    }
    // Only these two know what was shredded: near the end of each is its manifest.
    for file in [&with_recordings[BACKUPS], closing] {
        let bytes = fs::read(file).unwrap();
        let mut damaged = bytes.clone();
        damaged[bytes.len() - 100] ^= 0x10;
        fs::write(file, &damaged).unwrap();
        tally.flips += 1;
        verify().run().ended_with(5);
        owner.other_vault("other");
        let restore = ["--vault", "other", "restore", "backup", "--json"];
        let done = owner.home.voxvault(restore).run().ended_with(5).json();
        let restored: BTreeSet<RecordingId> = ids(&done["restored"]).into_iter().collect();
        let costs = if file == closing { 0 } else { FEW };
        assert_eq!(restored.len(), RECORDINGS - costs);
        tally.unshredded += shredded.iter().filter(|id| restored.contains(id)).count() as u64;
        fs::write(file, &bytes).unwrap();
    }
    tally.report();
    assert_eq!((tally.lost, tally.unshredded), (0, 0));
    verify().run().ok();
}

//! A new store in the place of the old one, wherever the power is cut.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::crash::{at_every_cut, fresh, reopen};
use super::*;
use crate::error::{Exit, Failure};
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::sealed::{frame, scan};
use crate::vault::store::rows::ClipId;
use crate::vault::{Error, Notice, ShredScope};

fn nothing(_: u64, _: u64) {}

fn names(disk: &SimDisk) -> Vec<String> {
    let stores = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        name.starts_with("store").then_some(name)
    };
    disk.files().keys().filter_map(stores).collect()
}

/// How many frames of each recording lie in a file, whoever can open them.
fn frames(bytes: &[u8]) -> BTreeMap<RecordingId, usize> {
    let mut counts = BTreeMap::new();
    let of_recordings = |frame: &frame::Frame<'_>| frame.facts.kind != frame::Kind::Log;
    for (_, frame) in scan::frames(bytes).filter(|(_, frame)| of_recordings(frame)) {
        *counts.entry(frame.facts.id).or_default() += 1;
    }
    counts
}

/// A vault with a recording that stays and the remains of one that was shredded.
fn prepared() -> (SimDisk, RecordingId, RecordingId) {
    let (disk, open) = fresh();
    let (live, dead) = (record(open.vault(), 1, 13), record(open.vault(), 2, 30));
    open.merge().unwrap();
    open.add_transcript(live, 0, &transcript("kept")).unwrap();
    open.update_card(live, &mut |card| card.note = "second".to_owned())
        .unwrap();
    open.shred(&[dead], ShredScope::Everything, &mut nothing)
        .unwrap();
    (disk, live, dead)
}

fn assert_whole(open: &OpenVault, live: RecordingId, when: &str) {
    let listing = open.listing().unwrap();
    assert_eq!(
        (listing.recordings.len(), listing.damaged),
        (1, vec![]),
        "{when}"
    );
    assert_eq!(open.recording(live).unwrap().card.note, "second", "{when}");
    assert_eq!(
        open.transcript(live, 1).unwrap(),
        transcript("kept"),
        "{when}"
    );
    assert_sound(open, live, 1, 13);
}

#[test]
fn after_a_scrub_no_byte_of_what_was_shredded_is_on_the_disk() {
    let (disk, live, dead) = prepared();
    let store = |disk: &SimDisk| disk.files()[&PathBuf::from("/vault/store.redb")].clone();
    let before = store(&disk);
    assert!(frames(&before).contains_key(&dead), "the control");
    assert!(frames(&before)[&live] > 13 + 1 + 1, "an older card");
    let open = reopen(&disk);
    let mut heard = Vec::new();
    let scrubbed = open.scrub(&mut |done, of| heard.push((done, of))).unwrap();
    assert_eq!(scrubbed.failure(), None);
    assert_eq!(scrubbed.before_bytes, before.len() as u64);
    let after = store(&disk);
    assert_eq!(scrubbed.after_bytes, after.len() as u64);
    assert!(heard.is_sorted() && heard.last() == Some(&(heard[0].1, heard[0].1)));
    assert_eq!(frames(&after), BTreeMap::from([(live, 13 + 1 + 1)]));
    // Neither under a name nor where a name once was, but for the inbox.
    let remains = disk.remains();
    let kinds = |bytes: &Vec<u8>| {
        scan::frames(bytes)
            .filter(|(_, frame)| frame.facts.id == dead)
            .count()
    };
    assert_eq!(remains.iter().map(kinds).sum::<usize>(), 0);
    assert_whole(&open, live, "here");
    assert_whole(&reopen(&disk), live, "in another process");
    assert_eq!(names(&disk), ["store.redb"]);
}

#[test]
fn a_scrub_interrupted_anywhere_leaves_a_store_with_everything_and_is_finished() {
    let (disk, live, dead) = prepared();
    let waiting = {
        let open = reopen(&disk);
        record(open.vault(), 3, 2)
    };
    let operations = at_every_cut(
        &disk,
        |open| {
            let done = open.scrub(&mut nothing)?;
            match done.failure() {
                Some(_) => Err(Error::damaged("the receipt", "not overwritten")),
                None => Ok(()),
            }
        },
        |open, when| {
            assert_whole(open, live, when);
            open.merge().unwrap();
            assert_sound(open, waiting, 3, 2);
            open.add_transcript(live, 0, &transcript("next")).unwrap();
            // Once more ends it, whatever was left.
            assert_eq!(open.scrub(&mut nothing).unwrap().failure(), None, "{when}");
            assert!(open.recording(dead).is_err(), "{when}");
        },
    );
    assert!(operations > 20, "{operations}");
}

#[test]
fn unlocking_overwrites_the_old_file_of_a_scrub_that_was_cut_short() {
    use crate::vault::ground::sim_disk::Cut;
    let (disk, live, dead) = prepared();
    let (mut put_back, mut finished) = (0, 0);
    for operations in 0.. {
        let machine = disk.fork();
        let open = reopen(&machine);
        machine.cut_after(operations);
        let _ = open.scrub(&mut nothing);
        if !machine.was_cut() {
            break;
        }
        for kind in [Cut::Kill, Cut::LoseUnsynced, Cut::Tear(operations as u64)] {
            let when = format!("{kind:?} after {operations}");
            let left = machine.after(kind);
            let found = names(&left);
            let open = reopen(&left);
            assert_whole(&open, live, &when);
            assert_eq!(names(&left), ["store.redb"], "{when}");
            // Either the old file is in force, or it is overwritten.
            let is_dead = |bytes: &Vec<u8>| frames(bytes).contains_key(&dead);
            let now = left.files();
            let old_is_in_force = is_dead(&now[&PathBuf::from("/vault/store.redb")]);
            if !old_is_in_force {
                assert!(!left.remains().iter().any(is_dead), "{when}");
                finished += usize::from(found.contains(&"store.redb.old".to_owned()));
            }
            put_back += usize::from(!found.contains(&"store.redb".to_owned()));
        }
    }
    assert!(
        put_back > 0 && finished > 0,
        "put back {put_back}, finished {finished}"
    );
}

#[test]
fn a_power_cut_while_a_killed_scrub_is_finished_leaves_everything() {
    use crate::vault::ground::sim_disk::Cut;
    let (disk, live, _) = prepared();
    let work = disk.fork();
    let open = reopen(&work);
    work.trace();
    open.scrub(&mut nothing).unwrap();
    let mut both = 0;
    for (killed_at, killed) in work.traced().into_iter().enumerate() {
        // Only the process ended: what was pending still is, names too.
        let machine = killed.fork();
        let stores = names(&machine);
        both += usize::from(stores.contains(&"store.redb.old".to_owned()));
        machine.trace();
        drop(reopen(&machine));
        for (cut_at, disk) in machine.traced().into_iter().enumerate() {
            let when = format!("{stores:?}, killed after {killed_at}, cut after {cut_at}");
            let left = disk.after(Cut::LoseUnsynced);
            assert_whole(&reopen(&left), live, &when);
        }
    }
    assert!(both > 3, "{both}");
}

#[test]
fn what_another_process_writes_after_a_killed_scrub_outlives_a_power_cut() {
    use crate::vault::ground::sim_disk::Cut;
    let (disk, live, _) = prepared();
    for operations in 0.. {
        let machine = disk.fork();
        let (open, other) = (reopen(&machine), reopen(&machine));
        machine.cut_after(operations);
        let _ = open.scrub(&mut nothing);
        if !machine.was_cut() {
            break;
        }
        machine.cut_after(usize::MAX);
        let when = format!("after {operations}");
        other.add_transcript(live, 0, &transcript("next")).unwrap();
        let open = reopen(&machine.after(Cut::LoseUnsynced));
        assert_eq!(
            open.transcript(live, 2).ok(),
            Some(transcript("next")),
            "{when}"
        );
    }
}

#[test]
fn another_process_that_was_open_meanwhile_goes_on_after_a_cut_scrub() {
    let (disk, live, _) = prepared();
    let mut nameless = 0;
    for operations in 0.. {
        let machine = disk.fork();
        let (open, other) = (reopen(&machine), reopen(&machine));
        machine.cut_after(operations);
        let _ = open.scrub(&mut nothing);
        if !machine.was_cut() {
            break;
        }
        machine.cut_after(usize::MAX);
        nameless += usize::from(!names(&machine).contains(&"store.redb".to_owned()));
        assert_whole(&other, live, &format!("after {operations}"));
    }
    assert!(nameless > 0);
}

#[test]
fn an_old_file_that_can_never_be_overwritten_is_told_of_at_every_unlock() {
    let (disk, live, _) = prepared();
    let open = reopen(&disk);
    let old = PathBuf::from("/vault/store.redb.old");
    disk.break_writes(Some(&old));
    let scrubbed = open.scrub(&mut nothing).unwrap();
    assert!(scrubbed.failure().is_some());
    for _ in 0..2 {
        let open = reopen(&disk);
        let told = open.notices();
        let is_of_it =
            |notice: &Notice| matches!(notice, Notice::NotDone { path, .. } if *path == old);
        assert!(told.len() == 1 && is_of_it(&told[0]), "{told:?}");
        let verified = open.verify(&|_, _| ()).unwrap();
        assert_eq!(verified.flaws, [], "it is no damage");
        assert_whole(&open, live, "meanwhile");
    }
    disk.break_writes(None);
    assert_eq!(reopen(&disk).notices(), []);
    assert_eq!(names(&disk), ["store.redb"]);
}

#[test]
fn a_full_disk_refuses_a_scrub_and_changes_nothing() {
    let (disk, live, _) = prepared();
    let open = reopen(&disk);
    let files = |disk: &SimDisk| disk.files().into_keys().collect::<Vec<_>>();
    let before = files(&disk);
    disk.leave_room(100_000);
    let refused = open.scrub(&mut nothing).unwrap_err();
    let Error::NoRoom { needed_bytes, .. } = refused else {
        panic!("{refused}");
    };
    let failure = Failure::from(refused);
    assert_eq!(failure.exit, Exit::NoSpace, "{failure}");
    assert_eq!(files(&disk), before);
    assert_whole(&open, live, "after");
    // What it asks for is no more than the old one has, and enough.
    disk.leave_room(needed_bytes as usize);
    let scrubbed = open.scrub(&mut nothing).unwrap();
    assert!(
        needed_bytes < scrubbed.before_bytes,
        "{needed_bytes}: {scrubbed:?}"
    );
    assert_whole(&open, live, "with room");
}

/// What the store has of a recording.
struct Rows {
    sound: Vec<(u32, Vec<u8>)>,
    words: Vec<(u32, Vec<u8>)>,
    card: Option<Vec<u8>>,
}

/// Changes the rows of a recording behind the vault's back.
fn change_rows(open: &OpenVault, at: ClipId, change: impl FnOnce(&mut Rows)) {
    let changed = open.session().with(|held| {
        let mut rows = held.store().read(held.lock(), |store| {
            let store = store.begin()?;
            Ok(Rows {
                sound: store.sound(at, 0, 9)?,
                words: store.words_from(at, 0, 9)?,
                card: store.card(at)?,
            })
        })?;
        change(&mut rows);
        held.store().write(held.lock(), |writing| {
            writing.delete_all(at.id)?;
            for (number, row) in &rows.sound {
                writing.add_sound(at, *number, row)?;
            }
            for (number, row) in &rows.words {
                writing.add_words(at, *number, row)?;
            }
            rows.card.map_or(Ok(()), |row| writing.put_card(at, &row))
        })
    });
    changed.unwrap();
}

#[test]
fn a_scrub_of_a_store_that_lacks_a_row_is_refused_until_it_is_repaired() {
    let (disk, live, _) = prepared();
    let at = ClipId { id: live, epoch: 0 };
    let lose: [fn(&mut Rows); 3] = [
        |rows| drop(rows.sound.pop()),
        |rows| rows.words.clear(),
        |rows| rows.card = None,
    ];
    for (number, lose) in lose.into_iter().enumerate() {
        let disk = disk.fork();
        let open = reopen(&disk);
        change_rows(&open, at, lose);
        let before = disk.files();
        let failure = Failure::from(open.scrub(&mut nothing).unwrap_err());
        assert_eq!(failure.exit, Exit::Damaged, "{number}: {failure}");
        assert_eq!(failure.hint.as_deref(), Some("voxvault verify --repair"));
        let after = disk.files();
        assert!(before.keys().eq(after.keys()), "{number}");
        assert!(frames(&after[&PathBuf::from("/vault/store.redb")])[&live] > 13 + 1);
        // The rows still lie in free pages, and nothing has overwritten them.
        open.repair(moment(1_763_900_000_000), &|_, _| ()).unwrap();
        assert_whole(&open, live, &format!("{number}, repaired"));
        assert_eq!(open.scrub(&mut nothing).unwrap().failure(), None);
        assert_whole(&open, live, &format!("{number}, scrubbed"));
    }
}

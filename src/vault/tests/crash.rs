//! The power is cut after every single operation; the disk fills up. What holds for
//! every operation of the vault is shown in `vault::torture`.

use std::sync::Arc;

use super::forensic::{bag_of, card_revisions};
use super::*;
use crate::error::{Exit, Failure};
use crate::vault::ground::sim_disk::{Cut, Lasting, SimDisk, Trouble};
use crate::vault::ground::site::NoObserver;
use crate::vault::{Result, ShredScope};

pub(super) fn site(disk: &SimDisk) -> Site {
    Site {
        disk: Arc::new(disk.clone()),
        dir: "/vault".into(),
        state_dir: None,
        observer: Arc::new(NoObserver),
        clock: stopped_clock(),
    }
}

pub(super) fn fresh() -> (SimDisk, OpenVault) {
    let disk = SimDisk::default();
    let options = InitOptions {
        work: WorkFactor::NONE,
        ..InitOptions::default()
    };
    let open = Vault::init_at(site(&disk), &passphrase(), options).unwrap();
    (disk, open)
}

pub(super) fn reopen(disk: &SimDisk) -> OpenVault {
    Vault::open_at(site(disk))
        .unwrap()
        .unlock(&passphrase())
        .unwrap()
}

/// Runs the work with the power cut after each of its operations, and looks at
/// what every kind of cut leaves. How many operations there were.
pub(super) fn at_every_cut(
    disk: &SimDisk,
    work: impl Fn(&OpenVault) -> Result<()>,
    look: impl Fn(&OpenVault, &str),
) -> usize {
    for operations in 0.. {
        let machine = disk.fork();
        let open = reopen(&machine);
        machine.cut_after(operations);
        let done = work(&open);
        let cut = machine.was_cut();
        assert_eq!(done.is_ok(), !cut, "after {operations}: {done:?}");
        for kind in [Cut::Kill, Cut::LoseUnsynced, Cut::Tear(operations as u64)] {
            let after = reopen(&machine.after(kind));
            look(&after, &format!("{kind:?} after {operations} operations"));
        }
        if !cut {
            return operations;
        }
    }
    unreachable!("the work ends")
}

/// A failed sync leaves pages that count as clean and are not on the disk. What is
/// written next, by this process or another one, must not count on them.
#[test]
fn a_sync_of_the_store_that_failed_once_costs_nothing_when_the_power_goes_later() {
    const MANY: u8 = 6;
    let (disk, open) = fresh();
    let ids: Vec<RecordingId> = (0..MANY).map(|n| record(open.vault(), n, 1)).collect();
    drop(open);
    let mut failed = 0;
    for at in 0.. {
        let machine = disk.fork();
        let open = reopen(&machine);
        machine.fail(machine.operations() + at, Trouble::Broken, Lasting::Once);
        let merged = open.merge();
        let hit = machine.failed() > 0;
        machine.fail(usize::MAX, Trouble::Broken, Lasting::Once);
        let went_on = open
            .merge()
            .and_then(|_| open.update_card(ids[2], &mut |card| card.title = "later".to_owned()));
        let when = format!("at {at}: {merged:?}, {went_on:?}");
        let after = reopen(&machine.after(Cut::LoseUnsynced));
        after
            .merge()
            .unwrap_or_else(|error| panic!("{when}: {error}"));
        let listing = after.listing().unwrap();
        assert_eq!(listing.recordings.len(), usize::from(MANY), "{when}");
        assert!(listing.damaged.is_empty(), "{when}");
        if !hit {
            break;
        }
        failed += usize::from(merged.is_err());
    }
    assert!(failed > 20, "the control: {failed}");
}

#[test]
fn forgetting_interrupted_anywhere_keeps_the_card_and_once_told_as_done_keeps_no_other() {
    let (disk, open) = fresh();
    let id = record(open.vault(), 1, 2);
    open.merge().unwrap();
    for note in ["first", "second", "third"] {
        open.update_card(id, &mut |card| card.note = note.to_owned())
            .unwrap();
    }
    open.add_transcript(id, 0, &transcript("kept")).unwrap();
    let revisions =
        |disk: &SimDisk, open: &OpenVault| card_revisions(&disk.remains(), &bag_of(open), id);
    let before = revisions(&disk, &open);
    assert!(before.len() > 1, "the control: {before:?}");
    let newest = before.last().unwrap();
    drop(open);

    let (mut old_key, mut new_key) = (0, 0);
    for operations in 0.. {
        let machine = disk.fork();
        let open = reopen(&machine);
        machine.cut_after(operations);
        let done = open.forget_revisions(id);
        let cut = machine.was_cut();
        assert!(done.is_ok() || cut, "after {operations}: {done:?}");
        for kind in [Cut::Kill, Cut::LoseUnsynced, Cut::Tear(operations as u64)] {
            let when = format!("{kind:?} after {operations} operations");
            let disk = machine.after(kind);
            let after = reopen(&disk);
            assert_eq!(after.listing().unwrap().damaged, [], "{when}");
            assert_eq!(after.recording(id).unwrap().card.note, "third", "{when}");
            assert_eq!(
                after.transcript(id, 1).unwrap(),
                transcript("kept"),
                "{when}"
            );
            assert_sound(&after, id, 1, 2);
            let open_now = revisions(&disk, &after);
            // redb writes over some of its free pages, so not all of before is left.
            if open_now.contains(newest) {
                assert!(done.is_err(), "{when}: {open_now:?}");
                old_key += 1;
            } else {
                assert_eq!(open_now.len(), 1, "{when}: {open_now:?}");
                assert!(open_now.is_disjoint(&before), "{when}: {open_now:?}");
                new_key += usize::from(done.is_err());
            }
            // Whatever was left, the card can be edited, and forgotten for good.
            after
                .update_card(id, &mut |card| card.note = "fourth".to_owned())
                .unwrap();
            after.forget_revisions(id).unwrap();
            assert_eq!(revisions(&disk, &after).len(), 1, "{when}");
            let last = reopen(&disk);
            assert_eq!(last.recording(id).unwrap().card.note, "fourth", "{when}");
        }
        if !cut {
            assert!(operations > 20, "{operations}");
            break;
        }
    }
    assert!(
        old_key > 20 && new_key > 5,
        "old key {old_key}, new {new_key}"
    );
}

#[test]
fn on_a_full_disk_everything_recorded_so_far_stays_and_shredding_makes_room() {
    let (disk, open) = fresh();
    let old = record(open.vault(), 9, 40);
    open.merge().unwrap();
    let mut writer = open.vault().begin(&card("long")).unwrap();
    disk.leave_room(10_000);
    let mut pushed = 0;
    let full = loop {
        match writer.push(&packets(1, pushed), SEGMENT_SAMPLES) {
            Ok(()) => pushed += 1,
            Err(error) => break Failure::from(error),
        }
    };
    assert_eq!((full.exit, pushed), (Exit::NoSpace, 3));
    let id = writer.id();
    drop(writer);
    let receipt = open
        .shred(&[old], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    assert_eq!(receipt.not_final, None);
    disk.leave_room(10 << 20);
    assert_eq!(open.merge().unwrap().merged, [id]);
    assert_sound(&open, id, 1, 3);
}

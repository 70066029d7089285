//! The log: nothing is done without an entry, and no entry is changed unseen.

use super::crash::{at_every_cut, fresh, reopen, site};
use super::forensic::{bag_of, files};
use super::*;
use crate::error::{Exit, Failure};
use crate::vault::ground::sim_disk::Cut;
use crate::vault::ground::site::{Observer, Step};
use crate::vault::{Deed, ShredScope, Stage, scan};

mod tampered;

fn told(open: &OpenVault) -> Vec<(u32, Deed, Stage, Vec<RecordingId>)> {
    let log = open.read_log().unwrap();
    assert_eq!(log.lapses, []);
    let entries = log.entries.into_iter();
    entries
        .map(|one| (one.number, one.deed, one.stage, one.ids))
        .collect()
}

#[test]
fn what_was_done_is_in_the_log_in_its_order_and_names_ids() {
    let (_dir, open) = new_vault();
    let ids = [1, 2, 3].map(|number| record(open.vault(), number, 2));
    open.merge().unwrap();
    let clock = Clock::new(|| moment(4_000_000_000_000));
    let site = Site::new(open.vault().dir(), None).with_clock(clock);
    let open = Vault::open_at(site).unwrap().unlock(&passphrase()).unwrap();
    open.log(Deed::Play, &ids[..1], "from 0:00").unwrap();
    open.log(Deed::Export, &ids[1..2], "opus to a file")
        .unwrap();
    open.shred(&ids[..2], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    open.shred(&ids[2..], ShredScope::Sound, &mut |_, _| ())
        .unwrap();
    open.log(Deed::Backup, &[], "/media/stick").unwrap();
    let expected = [
        (1, Deed::Play, Stage::Begun, ids[..1].to_vec()),
        (2, Deed::Export, Stage::Begun, ids[1..2].to_vec()),
        (3, Deed::Shred, Stage::Done, ids[..2].to_vec()),
        (4, Deed::Shred, Stage::Done, ids[2..].to_vec()),
        (5, Deed::Backup, Stage::Begun, Vec::new()),
    ];
    assert_eq!(told(&open), expected);
    assert_eq!(told(&again(&open)), expected);
    let log = open.read_log().unwrap();
    assert_eq!(log.unanchored, 1);
    assert_eq!(log.entries[3].detail, "sound");
    assert!(
        log.entries
            .iter()
            .all(|one| one.at == moment(4_000_000_000_000))
    );
}

#[test]
fn every_rotation_anchors_the_log() {
    let (_dir, open) = new_vault();
    let unanchored = || open.read_log().unwrap().unanchored;
    let log = || open.log(Deed::Play, &[], "").unwrap();
    log();
    assert_eq!(unanchored(), 1);
    open.change_settings(&mut |_| ()).unwrap();
    assert_eq!(unanchored(), 0);
    log();
    open.change_passphrase_with(&passphrase(), WorkFactor::NONE)
        .unwrap();
    assert_eq!(unanchored(), 0);
    log();
    record(open.vault(), 1, 1);
    open.merge().unwrap();
    assert_eq!(unanchored(), 0);
    let deeds: Vec<_> = told(&open).into_iter().map(|one| one.1).collect();
    assert_eq!(deeds, [Deed::Play, Deed::Play, Deed::Passwd, Deed::Play]);
}

/// A vault with seven entries, the first five of them anchored.
fn vault_with_seven() -> (TempDir, OpenVault) {
    let (dir, open) = new_vault();
    let ids = [1, 2, 3].map(|number| record(open.vault(), number, 1));
    open.merge().unwrap();
    for (deed, id) in [
        (Deed::Play, ids[0]),
        (Deed::Export, ids[1]),
        (Deed::Play, ids[2]),
    ] {
        open.log(deed, &[id], "").unwrap();
    }
    for id in &ids[..2] {
        open.shred(&[*id], ShredScope::Everything, &mut |_, _| ())
            .unwrap();
    }
    // From here on no entry is in the bag too.
    open.change_settings(&mut |_| ()).unwrap();
    open.log(Deed::Backup, &[], "").unwrap();
    open.log(Deed::Play, &ids[2..], "").unwrap();
    let log = open.read_log().unwrap();
    assert_eq!((log.entries.len(), log.unanchored), (7, 2));
    (dir, open)
}

#[test]
fn scrubbing_and_building_the_store_anew_keep_the_log_and_log_themselves() {
    let (_dir, open) = vault_with_seven();
    let before = open.read_log().unwrap().entries;
    open.scrub(&mut |_, _| ()).unwrap();
    open.rebuild_store().unwrap();
    let after = open.read_log().unwrap();
    assert_eq!(
        (&after.entries[..7], &after.lapses[..]),
        (&before[..], &[][..])
    );
    let deeds: Vec<Deed> = after.entries[7..].iter().map(|one| one.deed).collect();
    assert_eq!(deeds, [Deed::Scrub, Deed::Repair]);
}

#[test]
fn a_shred_with_a_store_that_cannot_be_read_is_logged_and_both_histories_come_together() {
    let (dir, open) = vault_with_seven();
    let path = dir.path().join("vault").join(crate::vault::store::FILE);
    let id = open.ids().unwrap()[0];
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..4096].fill(0x55);
    std::fs::write(&path, &bytes).unwrap();
    let open = again(&open);
    assert!(open.listing().is_err(), "the control");
    open.shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    open.rebuild_store().unwrap();
    let log = open.read_log().unwrap();
    assert_eq!(log.lapses, []);
    let deeds: Vec<Deed> = log.entries[5..].iter().map(|one| one.deed).collect();
    assert_eq!(deeds, [Deed::Backup, Deed::Play, Deed::Shred, Deed::Repair]);
    open.log(Deed::Play, &[], "").unwrap();
    assert_eq!(open.read_log().unwrap().lapses, []);
}

/// Every entry of a log that this key opens, wherever it lies.
fn plaintexts(files: &[Vec<u8>], bag: &crate::vault::keys::bag::Bag) -> Vec<Vec<u8>> {
    let frames = files.iter().flat_map(|bytes| scan::frames(bytes));
    frames
        .filter_map(|(_, frame)| crate::crypto::open(&bag.log, frame.body).ok())
        .map(|plain| plain.to_vec())
        .collect()
}

#[test]
fn after_a_shred_the_log_holds_the_id_and_nothing_of_title_tags_note_or_words() {
    let (dir, open) = new_vault();
    let id = record(open.vault(), 1, 1);
    open.merge().unwrap();
    open.add_transcript(id, 0, &transcript("zanzibar rendezvous"))
        .unwrap();
    open.update_card(id, &mut |card| {
        card.title = "quisling dossier".to_owned();
        card.tags = vec!["thunderclap".to_owned()];
        card.note = "meet at midnight".to_owned();
    })
    .unwrap();
    open.log(Deed::Play, &[id], "from 0:00").unwrap();
    open.log(Deed::Export, &[id], "txt to a file").unwrap();
    open.forget_revisions(id).unwrap();
    open.shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    let plain = plaintexts(&files(dir.path()), &bag_of(&open));
    let holds = |needle: &[u8]| {
        plain
            .iter()
            .any(|text| text.windows(needle.len()).any(|part| part == needle))
    };
    assert!(plain.len() >= 4, "the control: {}", plain.len());
    assert!(
        holds(id.as_bytes()) && holds(b"txt to a file"),
        "the control"
    );
    for needle in [
        "quisling",
        "thunderclap",
        "midnight",
        "zanzibar",
        "rendezvous",
    ] {
        assert!(!holds(needle.as_bytes()), "{needle}");
    }
}

/// Stops a rotation behind one of its steps.
#[derive(Debug)]
struct StopAfter(Step);

impl Observer for StopAfter {
    fn reached(&self, step: Step) -> crate::vault::Result<()> {
        match step == self.0 {
            true => Err(crate::vault::Error::damaged("a test", "stopped here")),
            false => Ok(()),
        }
    }
}

#[test]
fn a_shred_killed_behind_any_step_is_in_force_if_and_only_if_it_is_in_the_log() {
    for step in Step::ALL {
        let (disk, open) = fresh();
        let id = record(open.vault(), 1, 1);
        open.merge().unwrap();
        drop(open);
        let watched = Site {
            observer: std::sync::Arc::new(StopAfter(step)),
            ..site(&disk)
        };
        let open = Vault::open_at(watched)
            .unwrap()
            .unlock(&passphrase())
            .unwrap();
        open.shred(&[id], ShredScope::Everything, &mut |_, _| ())
            .unwrap_err();
        drop(open);
        let open = reopen(&disk);
        let is_gone = open.recording(id).is_err();
        let entries = told(&open);
        assert_eq!(is_gone, step >= Step::Committed, "{step:?}");
        assert_eq!(entries.len(), usize::from(is_gone), "{step:?}: {entries:?}");
        // It finds its way into the store, and is there once.
        open.log(Deed::Play, &[], "").unwrap();
        open.change_settings(&mut |_| ()).unwrap();
        assert_eq!(told(&open).len(), 1 + usize::from(is_gone));
        let carried = bag_of(&open).settings.log_carried;
        assert_eq!(carried, Vec::<Vec<u8>>::new());
    }
}

#[test]
fn an_entry_is_durable_when_it_is_told_wherever_the_power_is_cut() {
    let (disk, open) = fresh();
    let id = record(open.vault(), 1, 1);
    open.merge().unwrap();
    open.log(Deed::Export, &[id], "").unwrap();
    drop(open);
    let operations = at_every_cut(
        &disk,
        |open| open.log(Deed::Play, &[id], ""),
        |after, when| {
            let entries = told(after).len();
            assert!((1..=2).contains(&entries), "{when}: {entries}");
        },
    );
    assert!(operations > 2, "{operations}");
    let open = reopen(&disk);
    open.log(Deed::Play, &[id], "").unwrap();
    for cut in [Cut::Kill, Cut::LoseUnsynced, Cut::Tear(3)] {
        assert_eq!(told(&reopen(&disk.after(cut))).len(), 2, "{cut:?}");
    }
}

#[test]
fn on_a_full_disk_nothing_begins_that_would_not_be_in_the_log() {
    let (disk, open) = fresh();
    let id = record(open.vault(), 1, 1);
    open.merge().unwrap();
    // What the store has free takes some entries; more don't fit.
    disk.leave_room(0);
    let refused = (0..5_000).find_map(|_| open.log(Deed::Play, &[id], "").err());
    let refused = Failure::from(refused.expect("no disk is endless"));
    assert_eq!(refused.exit, Exit::NoSpace);
    disk.leave_room(10 << 20);
    let before = told(&open).len();
    open.log(Deed::Play, &[id], "").unwrap();
    assert_eq!(told(&open).len(), before + 1);
}

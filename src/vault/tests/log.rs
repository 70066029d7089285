//! The log: nothing is done without an entry, and no entry is changed unseen.

use super::*;
use crate::vault::{Deed, ShredScope, Stage};

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
    let clock = Clock::new(|| moment(1_763_900_000_000));
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
            .all(|one| one.at == moment(1_763_900_000_000))
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

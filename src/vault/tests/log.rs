//! The log: nothing is done without an entry, and no entry is changed unseen.

use super::crash::{at_every_cut, fresh, reopen, site};
use super::forensic::{bag_of, files};
use super::*;
use crate::error::{Exit, Failure};
use crate::vault::ground::sim_disk::Cut;
use crate::vault::ground::site::{Observer, Step};
use crate::vault::log::entry;
use crate::vault::store::log::LogRows;
use crate::vault::store::rows::Writing;
use crate::vault::{Deed, Draft, ShredScope, Stage, scan};

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

fn row(open: &OpenVault, number: u32) -> Vec<u8> {
    let read = open.session().with(|held| {
        held.store()
            .read(held.lock(), |store| store.begin()?.log_row(number))
    });
    read.unwrap().expect("an entry")
}

/// Writes rows as somebody does who has redb and no key.
fn tamper(open: &OpenVault, change: impl Fn(&Writing) -> crate::vault::Result<()>) {
    open.session()
        .with(|held| held.store().write(held.lock(), &change))
        .unwrap();
}

fn put(open: &OpenVault, number: u32, bytes: &[u8]) {
    tamper(open, |rows| rows.replace_log(number, bytes));
}

/// The numbers of the entries with which something is wrong.
fn named(open: &OpenVault) -> Vec<u32> {
    let lapses = open.read_log().unwrap().lapses;
    let mut numbers: Vec<u32> = lapses
        .iter()
        .flat_map(|lapse| lapse.first..=lapse.last)
        .collect();
    numbers.dedup();
    numbers
}

#[test]
fn a_change_at_any_entry_by_somebody_without_a_key_is_found_and_named() {
    let (_dir, open) = vault_with_seven();
    let whole: Vec<Vec<u8>> = (1..=7).map(|number| row(&open, number)).collect();
    let of = |number: u32| &whole[number as usize - 1];
    let (_other_dir, other) = vault_with_seven();
    for number in 1..=7 {
        for byte in (0..of(number).len()).step_by(37) {
            let mut changed = of(number).clone();
            changed[byte] ^= 1;
            put(&open, number, &changed);
            assert_eq!(named(&open), [number], "byte {byte} of {number}");
        }
        put(&open, number, &[]);
        assert_eq!(named(&open), [number]);
        put(&open, number, &row(&other, number));
        assert_eq!(named(&open), [number], "another vault's");
        for second in 1..number {
            put(&open, number, of(second));
            assert_eq!(named(&open), [number], "{second} in its place");
            put(&open, second, of(number));
            assert_eq!(named(&open), [second, number], "exchanged");
            put(&open, second, of(second));
        }
        tamper(&open, |rows| rows.remove_log(number));
        // The very last one nobody misses: it is not anchored.
        let expected = if number == 7 { vec![] } else { vec![number] };
        assert_eq!(named(&open), expected, "deleted");
        put(&open, number, of(number));
        assert_eq!(named(&open), Vec::<u32>::new());
    }
    for cut in 1..=7 {
        tamper(&open, |rows| {
            (cut..=7).try_for_each(|number| rows.remove_log(number))
        });
        let missed: Vec<u32> = (cut..=5).collect();
        assert_eq!(named(&open), missed, "cut off from {cut} on");
        let left = open.read_log().unwrap();
        assert_eq!(left.unanchored, u64::from(cut.saturating_sub(6)));
        (cut..=7).for_each(|number| put(&open, number, of(number)));
    }
    assert_eq!(verify_flaws(&open), Vec::<String>::new());
    put(&open, 2, of(3));
    let flaws = verify_flaws(&open);
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    assert!(flaws[0].contains("log, entry 2"), "{flaws:?}");
    assert!(
        open.scrub(&mut |_, _| ()).is_err(),
        "evidence is not scrubbed"
    );
}

fn verify_flaws(open: &OpenVault) -> Vec<String> {
    let verified = open.verify(&|_, _| ()).unwrap();
    verified.flaws.into_iter().map(|flaw| flaw.what).collect()
}

#[test]
fn an_old_store_that_is_put_back_is_found_as_far_as_it_was_anchored_and_goes_on() {
    let (dir, open) = new_vault();
    let id = record(open.vault(), 1, 1);
    open.merge().unwrap();
    let path = dir.path().join("vault").join(crate::vault::store::FILE);
    let mut stores = vec![std::fs::read(&path).unwrap()];
    for _ in 0..4 {
        open.log(Deed::Play, &[id], "").unwrap();
        stores.push(std::fs::read(&path).unwrap());
    }
    open.change_settings(&mut |_| ()).unwrap();
    for (entries, store) in stores.iter().enumerate() {
        std::fs::write(&path, store).unwrap();
        let open = again(&open);
        let missed: Vec<u32> = (entries as u32 + 1..=4).collect();
        assert_eq!(named(&open), missed);
        open.log(Deed::Export, &[id], "").unwrap();
        assert_eq!(named(&open), missed, "the next one hides nothing");
        assert_eq!(open.read_log().unwrap().entries.last().unwrap().number, 5);
    }
    std::fs::remove_file(&path).unwrap();
    let open = again(&open);
    assert_eq!(named(&open), [1, 2, 3, 4]);
    open.shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    let last = open.read_log().unwrap().entries.pop().unwrap();
    assert_eq!((last.number, last.deed), (5, Deed::Shred));
}

#[test]
fn what_stands_in_the_way_of_an_entry_keeps_none_from_being_written() {
    let (_dir, open) = vault_with_seven();
    for number in [8, 9, 400, u32::MAX] {
        put(&open, number, b"no entry at all");
    }
    open.log(Deed::Export, &[], "").unwrap();
    open.change_passphrase_with(&passphrase(), WorkFactor::NONE)
        .unwrap();
    open.log(Deed::Play, &[], "").unwrap();
    let log = open.read_log().unwrap();
    let numbers: Vec<u32> = log.entries.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 10, 11, 12]);
    assert_eq!(named(&open), [8, 9, 400, u32::MAX]);
}

#[test]
fn a_repair_puts_back_what_was_moved_and_notes_what_is_gone() {
    let (_dir, open) = vault_with_seven();
    let (two, three) = (row(&open, 2), row(&open, 3));
    put(&open, 2, &three);
    put(&open, 3, &two);
    put(&open, 4, b"junk");
    put(&open, 50, b"junk");
    assert_eq!(named(&open), [2, 3, 4, 50]);
    let repaired = open.repair(moment(0), &|_, _| ()).unwrap();
    let mended: Vec<(bool, String)> = repaired
        .flaws
        .into_iter()
        .map(|flaw| (flaw.mended, flaw.what))
        .collect();
    let of = |number: u32| {
        let name = format!("log, entry {number}:");
        let flaw = mended.iter().find(|(_, what)| what.starts_with(&name));
        flaw.map(|(mended, _)| *mended)
    };
    assert_eq!(
        [2, 3, 4, 50].map(of),
        [Some(true), Some(true), Some(false), Some(true)]
    );
    let log = open.read_log().unwrap();
    assert_eq!(log.lapses, []);
    assert_eq!(log.noted.len(), 1);
    assert_eq!((log.noted[0].first, log.noted[0].last), (4, 4));
    assert_eq!(log.entries.last().unwrap().deed, Deed::Repair);
    assert_eq!(verify_flaws(&open), Vec::<String>::new());
    let scrubbed = open.scrub(&mut |_, _| ());
    assert!(
        scrubbed.is_ok(),
        "what is noted keeps no scrub away: {scrubbed:?}"
    );
    assert_eq!(open.read_log().unwrap().noted.len(), 1);
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
fn a_damaged_entry_costs_only_itself_and_is_named() {
    let (dir, open) = vault_with_seven();
    let path = dir.path().join("vault").join(crate::vault::store::FILE);
    let before = open.read_log().unwrap().entries;
    let whole = std::fs::read(&path).unwrap();
    for number in [1, 4, 7] {
        let frame = row(&open, number);
        let mut bytes = whole.clone();
        // redb may have left copies of it in pages that are free.
        let mut places = 0;
        for at in 0..bytes.len() - frame.len() {
            if bytes[at..].starts_with(&frame) {
                bytes[at + 200] ^= 1;
                places += 1;
            }
        }
        assert!(places > 0);
        std::fs::write(&path, &bytes).unwrap();
        let open = again(&open);
        open.repair(moment(0), &|_, _| ()).unwrap();
        let log = open.read_log().unwrap();
        let left: Vec<_> = before
            .iter()
            .filter(|one| one.number != number)
            .cloned()
            .collect();
        assert_eq!(log.entries[..6], left, "entry {number}");
        assert_eq!(log.lapses, []);
        let noted: Vec<u32> = log.noted.iter().map(|lapse| lapse.first).collect();
        // Nothing tells of the last one that it was there.
        assert_eq!(noted, if number == 7 { vec![] } else { vec![number] });
        std::fs::write(&path, &whole).unwrap();
    }
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
fn who_had_a_former_passphrase_and_log_key_reads_and_forges_no_later_entry() {
    let (_dir, open) = vault_with_seven();
    let former = bag_of(&open);
    open.change_passphrase_with(&passphrase(), WorkFactor::NONE)
        .unwrap();
    open.log(Deed::Play, &[], "").unwrap();
    let entries = told(&open);
    assert_eq!(entries.len(), 9, "what was logged before opens as before");
    let opens = |number: u32| entry::open(&former, &row(&open, number)).is_ok();
    assert!(opens(7), "the control");
    assert!(!opens(9));
    let head = bag_of(&open).settings.log_head;
    let (forged, _) = Draft::begun(Deed::Export, &[])
        .seal(&former.log, moment(0), 10, head)
        .unwrap();
    put(&open, 10, &forged);
    assert_eq!(named(&open), [10]);
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

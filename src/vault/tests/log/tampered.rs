//! A log that somebody changed, put back or damaged: what is found, named and mended.

use super::*;
use crate::vault::Draft;
use crate::vault::log::entry;
use crate::vault::store::log::LogRows;
use crate::vault::store::rows::Writing;

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

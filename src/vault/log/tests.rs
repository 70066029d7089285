//! Whatever somebody without a key does to the rows of a log, it is found, unless all he
//! did is to cut off its end behind the anchor.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::book::Recalled;
use super::chain::Checker;
use super::entry::{Deed, Draft};
use super::{Log, book, chain, entry};
use crate::recording::{Moment, RecordingId};
use crate::vault::error::Result;
use crate::vault::keys::bag::{Bag, LogHead};
use crate::vault::store::log::{EachRow, LogRows, Next};

type Rows = BTreeMap<u32, Vec<u8>>;

const AT: Moment = Moment {
    unix_ms: 1_763_900_000_000,
    offset_s: 3600,
};

/// A log of so many entries, the first `anchored` of them anchored. `skip` numbers were
/// left out behind the fourth, as where the store could not be read.
fn log(bag: &mut Bag, entries: u32, anchored: u32, skip: u32) -> Rows {
    let (mut rows, mut head) = (Rows::new(), None);
    for count in 1..=entries {
        let ids: Vec<_> = (0..count as u8 % 4)
            .map(|byte| RecordingId::from_bytes([byte; 16]))
            .collect();
        let number = if count > 4 { count + skip } else { count };
        let draft = Draft::begun(Deed::Play, &ids).detail("from 0:00");
        let (frame, next) = draft.seal(&bag.log, AT, number, head).unwrap();
        rows.insert(number, frame);
        head = Some(next);
        if count == anchored {
            bag.settings.log_head = head;
        }
    }
    rows
}

fn check(bag: &Bag, rows: &Rows) -> Log {
    let mut checker = Checker::new(bag);
    for (number, row) in rows {
        checker.row(*number, row);
    }
    checker.finish()
}

/// What somebody can do who has no key.
#[derive(Debug, Clone)]
enum Tamper {
    Flip(prop::sample::Index, prop::sample::Index, u8),
    Delete(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    /// One in the place of another, or of a number that there is not.
    Copy(prop::sample::Index, u32),
    CutOff(prop::sample::Index),
    /// An entry of the same vault as it was when another history followed.
    Other(prop::sample::Index),
    Junk(u32, Vec<u8>),
}

fn tamper() -> impl Strategy<Value = Tamper> {
    use prop::sample::Index;
    let index = any::<Index>;
    prop_oneof![
        (index(), index(), 1u8..).prop_map(|(row, byte, flip)| Tamper::Flip(row, byte, flip)),
        index().prop_map(Tamper::Delete),
        (index(), index()).prop_map(|(one, two)| Tamper::Swap(one, two)),
        (index(), 0u32..30).prop_map(|(row, to)| Tamper::Copy(row, to)),
        index().prop_map(Tamper::CutOff),
        index().prop_map(Tamper::Other),
        (any::<u32>(), any::<Vec<u8>>()).prop_map(|(number, junk)| Tamper::Junk(number, junk)),
    ]
}

fn apply(rows: &mut Rows, other: &Rows, tamper: &Tamper) {
    let numbers: Vec<u32> = rows.keys().copied().collect();
    if numbers.is_empty() {
        return;
    }
    let at = |index: &prop::sample::Index| *index.get(&numbers);
    match tamper {
        Tamper::Flip(row, byte, flip) => {
            let row = rows.get_mut(&at(row)).unwrap();
            if !row.is_empty() {
                let byte = byte.index(row.len());
                row[byte] ^= flip;
            }
        }
        Tamper::Delete(row) => drop(rows.remove(&at(row))),
        Tamper::Swap(one, two) => {
            let (one, two) = (at(one), at(two));
            let (a, b) = (rows[&one].clone(), rows[&two].clone());
            rows.insert(one, b);
            rows.insert(two, a);
        }
        Tamper::Copy(row, to) => drop(rows.insert(*to, rows[&at(row)].clone())),
        Tamper::CutOff(row) => drop(rows.split_off(&at(row))),
        Tamper::Other(row) => {
            let number = at(row);
            if let Some(other) = other.get(&number) {
                rows.insert(number, other.clone());
            }
        }
        Tamper::Junk(number, junk) => drop(rows.insert(*number, junk.clone())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_done_to_the_rows_is_found_but_for_the_end_behind_the_anchor(
        entries in 1u32..12,
        anchored in 0u32..12,
        skip in prop_oneof![Just(0u32), Just(7)],
        harm in prop::collection::vec(tamper(), 0..4),
    ) {
        let anchored = anchored.min(entries);
        let mut bag = Bag::new().unwrap();
        // Another history under the same key: entries from before the vault was put back.
        let other = log(&mut bag, entries, 0, skip);
        let rows = log(&mut bag, entries, anchored, skip);
        let whole = check(&bag, &rows);
        prop_assert_eq!(&whole.lapses, &vec![]);
        prop_assert_eq!(whole.unanchored, u64::from(entries - anchored));
        let mut changed = rows.clone();
        harm.iter().for_each(|one| apply(&mut changed, &other, one));
        let found = check(&bag, &changed);
        let head = bag.settings.log_head.map_or(0, |head| head.number);
        // What of the true log is there from its beginning on, without a gap.
        let same = rows.iter().take_while(|(number, row)| changed.get(number) == Some(row));
        let is_prefix = same.count() == changed.len();
        let has_anchored = rows.range(..=head).all(|(number, row)| changed.get(number) == Some(row));
        // What nobody has anchored can be exchanged for the end of another history as a
        // whole; that is as good as cutting it off.
        let forked = |number: &u32| changed.contains_key(number) && changed.get(number) == other.get(number);
        let is_other_end = changed.keys().all(|number| *number <= head || forked(number))
            && changed.keys().eq(other.keys().take(changed.len()));
        let unseen = has_anchored && (is_prefix || (head == 0 && is_other_end));
        prop_assert_eq!(found.lapses.is_empty(), unseen, "{:?}: {:?}", harm, found.lapses);
    }

    #[test]
    fn what_is_noted_is_not_missed_again_and_what_goes_later_is(
        entries in 3u32..12,
        first in prop::collection::btree_set(1u32..12, 1..4),
        second in prop::collection::btree_set(1u32..12, 1..4),
    ) {
        let mut bag = Bag::new().unwrap();
        let mut rows = log(&mut bag, entries, entries, 0);
        rows.retain(|number, _| !first.contains(number));
        let lost = check(&bag, &rows).lapses;
        let draft = Draft::done(Deed::Repair, &[]).lost(&lost);
        let (frame, head) = draft.seal(&bag.log, AT, entries + 1, bag.settings.log_head).unwrap();
        rows.insert(entries + 1, frame);
        bag.settings.log_head = Some(head);
        let noted = check(&bag, &rows);
        prop_assert_eq!(noted.lapses, vec![]);
        prop_assert_eq!(noted.noted.is_empty(), lost.is_empty());
        rows.retain(|number, _| !second.contains(number) || *number > entries);
        let named: Vec<u32> = check(&bag, &rows)
            .lapses
            .iter()
            .flat_map(|lapse| lapse.first..=lapse.last)
            .collect();
        let fresh = second.difference(&first).filter(|number| **number <= entries);
        prop_assert_eq!(named, fresh.copied().collect::<Vec<_>>());
    }

    #[test]
    fn of_several_entries_of_one_number_the_one_that_the_chain_names_is_chosen(
        entries in 1u32..10,
        order in any::<bool>(),
    ) {
        let mut bag = Bag::new().unwrap();
        let other = log(&mut bag, entries, 0, 0);
        let rows = log(&mut bag, entries, entries, 0);
        let both = if order { [&rows, &other] } else { [&other, &rows] };
        let found = both
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(|row| (entry::open(&bag, row).unwrap(), row.clone()))
            .collect();
        let chosen: Vec<Vec<u8>> = chain::choose(&bag, found).into_iter().map(|one| one.1).collect();
        prop_assert_eq!(chosen, rows.into_values().collect::<Vec<_>>());
    }
}

/// The rows as a transaction sees them.
impl LogRows for Rows {
    fn log_from_end(&self, each: EachRow<'_>) -> Result<()> {
        let mut rows = self.iter().rev();
        rows.find(|(number, row)| each(**number, row) == Next::Stop);
        Ok(())
    }

    fn log_row(&self, number: u32) -> Result<Option<Vec<u8>>> {
        Ok(self.get(&number).cloned())
    }
}

#[test]
fn an_entry_is_recalled_by_the_log_it_was_written_to_and_by_no_other() {
    let mut bag = Bag::new().unwrap();
    let other = log(&mut bag, 9, 0, 0);
    let mut rows = log(&mut bag, 6, 6, 0);
    let heads = |rows: &Rows| -> Vec<LogHead> {
        let entries = rows.values().map(|row| entry::open(&bag, row).unwrap());
        entries.map(|entry| entry.head()).collect()
    };
    let (own, others) = (heads(&rows), heads(&other));
    let recall = |rows: &Rows, bag: &Bag, head| book::recall(rows, bag, head).unwrap();
    for head in &own {
        assert_eq!(recall(&rows, &bag, *head), Recalled::Same);
    }
    for head in &others {
        assert_eq!(recall(&rows, &bag, *head), Recalled::Another);
    }
    // What is gone tells nothing, but the keys still know the newest.
    rows.insert(2, b"junk".to_vec());
    rows.remove(&3);
    rows.remove(&6);
    for at in [1, 2] {
        assert_eq!(recall(&rows, &bag, own[at]), Recalled::Lost);
        assert_eq!(recall(&rows, &bag, others[at]), Recalled::Lost);
    }
    assert_eq!(recall(&rows, &bag, own[5]), Recalled::Same);
    assert_eq!(recall(&rows, &bag, others[5]), Recalled::Another);
    // One that came with a rotation counts before it is a row.
    let carried = other.values().nth(6).unwrap().clone();
    bag.settings.log_carried.push(carried);
    assert_eq!(recall(&rows, &bag, others[6]), Recalled::Same);
    assert_eq!(recall(&rows, &bag, others[7]), Recalled::Another);
}

#[test]
fn the_size_of_an_entry_does_not_tell_what_was_done() {
    let bag = Bag::new().unwrap();
    let short = Draft::begun(Deed::Play, &[]);
    let long = Draft::done(Deed::Shred, &[RecordingId::from_bytes([1; 16]); 4])
        .detail("sound, words and card");
    let seal = |draft: &Draft| draft.seal(&bag.log, AT, 1, None).unwrap().0.len();
    assert_eq!(seal(&short), seal(&long));
}

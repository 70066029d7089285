//! Which older entries are copied, by what the manifests say.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::backup::manifest::Entry;
use crate::backup::state::States;
use crate::backup::write::plan::tests::{entry, id, manifest, stock, stocked};
use crate::backup::write::repack::view::Held;
use crate::backup::written::Digits;
use crate::vault::copying::Kept;

fn held(entries: Vec<Entry>) -> Held {
    let manifests = (1..).zip(entries);
    Held {
        backup: Digits([2; 16]),
        manifests: manifests
            .map(|(number, entry)| (number, manifest(number, vec![entry])))
            .collect(),
        states: States::default(),
        unread: 0,
        dropped: BTreeMap::new(),
        lacking: BTreeSet::new(),
    }
}

/// The segments from which entries are copied where these go: the entry of number 1 in each.
fn copied(entries: Vec<Entry>, doomed: &[u32], sound: Kept, words: Kept) -> Vec<(u32, bool)> {
    let mut one = stocked(1);
    (one.sound, one.words) = (sound, words);
    let (stock, held) = (stock(vec![one]), held(entries));
    let view = View {
        stock: &stock,
        held: &held,
    };
    let survivors = view.survivors(&doomed.iter().copied().collect());
    let survivors = survivors.iter();
    survivors
        .map(|one| (one.laid.number, one.is_newest))
        .collect()
}

fn kept(entries: Vec<Entry>, doomed: &[u32]) -> Vec<(u32, bool)> {
    copied(entries, doomed, Kept::Kept, Kept::Kept)
}

/// An entry with its sound there, but for these segments of it.
fn torn(gone: &[(u64, u64)]) -> Entry {
    Entry {
        gone: gone.to_vec(),
        ..entry(1, SoundAt::Here)
    }
}

#[test]
fn of_what_the_newest_has_as_well_nothing_is_carried_over() {
    let renamed = entry(1, SoundAt::Segment(1));
    assert_eq!(kept(vec![torn(&[]), renamed.clone()], &[1]), [(2, true)]);
    assert_eq!(
        kept(vec![torn(&[(1, 2)]), torn(&[(1, 2)])], &[1]),
        [(2, true)]
    );
    // None of it lies in what goes.
    assert_eq!(kept(vec![torn(&[]), renamed], &[3]), []);
}

#[test]
fn sound_words_and_cards_that_nothing_else_has_are_carried_over_the_older_first() {
    let whole = Entry {
        versions: vec![1, 2],
        ..torn(&[])
    };
    assert_eq!(
        kept(vec![whole.clone(), torn(&[(3, 4)])], &[1]),
        [(1, false), (2, true)]
    );
    let recovered = Entry {
        recovered: true,
        ..torn(&[])
    };
    assert_eq!(
        kept(vec![torn(&[]), recovered], &[1]),
        [(1, false), (2, true)]
    );
    // Two that lack different segments, and one that has no more than the one behind it.
    let entries = vec![
        torn(&[(1, 2)]),
        torn(&[(2, 3), (5, 6)]),
        torn(&[(2, 3)]),
        torn(&[(4, 5)]),
    ];
    assert_eq!(
        kept(entries, &[1, 2, 3]),
        [(1, false), (3, false), (4, true)]
    );
    // Of two cards the later one, though the other stays.
    let recovered = Entry {
        recovered: true,
        ..torn(&[])
    };
    assert_eq!(
        kept(vec![torn(&[]), torn(&[]), recovered], &[2]),
        [(2, false), (3, true)]
    );
    // What was shredded alone since is carried over by nobody.
    let words = vec![whole.clone(), entry(1, SoundAt::Segment(1))];
    assert_eq!(copied(words, &[1], Kept::Kept, Kept::Shredded), [(2, true)]);
    let sound = vec![torn(&[]), torn(&[(3, 4)])];
    assert_eq!(copied(sound, &[1], Kept::Shredded, Kept::Kept), [(2, true)]);
}

#[test]
fn one_that_stays_keeps_the_sound_only_if_that_stays_too() {
    let less = torn(&[(3, 4)]);
    // It has it itself.
    let entries = vec![torn(&[]), torn(&[]), less.clone()];
    assert_eq!(kept(entries, &[1]), [(3, true)]);
    // It lies in what goes.
    let entries = vec![torn(&[]), entry(1, SoundAt::Segment(1)), less];
    assert_eq!(kept(entries, &[1]), [(1, false), (3, true)]);
}

#[test]
fn what_was_carried_over_before_a_repack_was_cut_short_is_not_carried_over_again() {
    let carried = Entry {
        carried_from: Some(1),
        ..torn(&[])
    };
    let less = torn(&[(3, 4)]);
    let entries = vec![torn(&[]), less.clone(), carried.clone()];
    // It lies behind the newest and is older.
    assert_eq!(kept(entries, &[1]), [(2, true)]);
    // And where its own segment goes it is carried on.
    let entries = vec![less.clone(), less, carried];
    assert_eq!(kept(entries, &[3]), [(3, false), (2, true)]);
    assert_eq!(id(1), torn(&[]).id);
}

//! Reading the log, and finding what is wrong with it.
//!
//! An entry names the number and the hash of the one that it follows, and the bag does
//! so for the newest one that there was at the last rotation. Who has no key can't make
//! an entry: he can change, move, remove or bring back what is there, and each of these
//! breaks a link. What he can take away unseen is the end behind the last rotation.

use std::collections::BTreeMap;
use std::fmt;

use super::entry::{self, Entry};
use crate::vault::keys::bag::{Bag, LogHead};

/// The log, as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    /// What is wrong with it.
    pub lapses: Vec<Lapse>,
    /// What was wrong with it, and is noted in a later entry.
    pub noted: Vec<Lapse>,
    /// How many of the entries came after the last rotation: nobody would miss them.
    pub unanchored: u64,
}

/// Something that is wrong with a run of entries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lapse {
    /// The number of the first.
    pub first: u32,
    /// The number of the last.
    pub last: u32,
    /// What is wrong.
    pub what: String,
}

impl Lapse {
    fn at(number: u32, what: impl Into<String>) -> Self {
        Self {
            first: number,
            last: number,
            what: what.into(),
        }
    }

    /// Parts it along the edges of these spans, which are in order: what lies in one
    /// of them, and what does not.
    fn part(self, spans: &[(u32, u32)]) -> (Vec<Self>, Vec<Self>) {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        let piece = |first, last| Self {
            first,
            last,
            what: self.what.clone(),
        };
        let mut next = self.first;
        for (first, last) in spans {
            let (first, last) = (next.max(*first), self.last.min(*last));
            if first > last {
                continue;
            }
            if next < first {
                outside.push(piece(next, first - 1));
            }
            inside.push(piece(first, last));
            next = last.saturating_add(1);
        }
        if next <= self.last {
            outside.push(piece(next, self.last));
        }
        (inside, outside)
    }
}

impl fmt::Display for Lapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, what } = self;
        match first == last {
            true => write!(f, "entry {first}: {what}"),
            false => write!(f, "entries {first} to {last}: {what}"),
        }
    }
}

const CHANGED: &str = "what stands there is damaged, was changed, or is no entry of this log";
const GONE: &str = "gone, and entries after it were written";
const CUT_OFF: &str =
    "gone, and the keys know of it: the log was cut off, or an older store put back";

/// Of entries that were found anywhere, one of each number: where there are several,
/// the one that the chain names.
pub(in crate::vault) fn choose<T>(bag: &Bag, found: Vec<(Entry, T)>) -> Vec<(Entry, T)> {
    let head = bag.settings.log_head;
    let mut wanted = None;
    let mut by_number: BTreeMap<u32, Vec<(Entry, T)>> = BTreeMap::new();
    for one in found {
        by_number.entry(one.0.number).or_default().push(one);
    }
    let mut chosen = Vec::new();
    for (_, mut several) in by_number.into_iter().rev() {
        let is_wanted = |(entry, _): &(Entry, T)| {
            let this = Some(entry.head());
            this == head || this == wanted
        };
        let at = several.iter().position(is_wanted).unwrap_or(0);
        let one = several.swap_remove(at);
        wanted = one.0.before;
        chosen.push(one);
    }
    chosen.reverse();
    chosen
}

/// Takes in what the store holds, row by row.
pub(in crate::vault) struct Checker<'a> {
    bag: &'a Bag,
    good: BTreeMap<u32, Entry>,
    lapses: Vec<Lapse>,
}

impl<'a> Checker<'a> {
    pub(in crate::vault) fn new(bag: &'a Bag) -> Self {
        Self {
            bag,
            good: BTreeMap::new(),
            lapses: Vec::new(),
        }
    }

    /// What stands in the place of an entry.
    pub(in crate::vault) fn row(&mut self, number: u32, row: &[u8]) {
        match entry::open(self.bag, row) {
            Ok(entry) if entry.number == number => drop(self.good.insert(number, entry)),
            Ok(entry) => {
                let what = format!("entry {} stands in its place", entry.number);
                self.lapses.push(Lapse::at(number, what));
            }
            Err(_) => self.lapses.push(Lapse::at(number, CHANGED)),
        }
    }

    /// An entry in its place.
    pub(in crate::vault) fn entry(&mut self, entry: Entry) {
        self.good.insert(entry.number, entry);
    }

    /// What is there, and what is wrong with it.
    pub(in crate::vault) fn finish(mut self) -> Log {
        self.take_carried();
        let mut gone = Vec::new();
        let mut links: Vec<(Option<u32>, LogHead)> = self
            .good
            .values()
            .filter_map(|entry| Some((Some(entry.number), entry.before?)))
            .collect();
        links.extend(self.bag.settings.log_head.map(|head| (None, head)));
        for (by, head) in links {
            match self.good.get(&head.number) {
                Some(entry) if entry.hash == head.hash => {}
                Some(_) => {
                    let what = match by {
                        Some(number) => format!("another one than entry {number} follows"),
                        None => "another one than the keys know".to_owned(),
                    };
                    self.lapses.push(Lapse::at(head.number, what));
                }
                None => {
                    let lower = self.good.range(..head.number).next_back();
                    let first = lower.map_or(1, |(number, _)| number + 1);
                    let what = if by.is_some() { GONE } else { CUT_OFF };
                    gone.push((first, head.number, what));
                }
            }
        }
        self.name_gone(gone);
        self.lapses.sort();
        self.lapses.dedup();
        let lost = self.good.values().flat_map(|entry| entry.lost.iter());
        let mut spans: Vec<(u32, u32)> = lost.copied().collect();
        spans.sort_unstable();
        let (mut noted, mut lapses) = (Vec::new(), Vec::new());
        for lapse in self.lapses {
            let (inside, outside) = lapse.part(&spans);
            noted.extend(inside);
            lapses.extend(outside);
        }
        let anchored = self.bag.settings.log_head.map_or(0, |head| head.number);
        let unanchored = self.good.keys().filter(|number| **number > anchored);
        Log {
            unanchored: unanchored.count() as u64,
            entries: self.good.into_values().collect(),
            lapses,
            noted,
        }
    }

    /// Entries that came with a rotation count whether or not they are in the store.
    fn take_carried(&mut self) {
        for frame in &self.bag.settings.log_carried {
            let Ok(entry) = entry::open(self.bag, frame) else {
                continue;
            };
            let number = entry.number;
            let before = self.good.insert(number, entry);
            if before.is_some_and(|before| Some(&before) != self.good.get(&number)) {
                let what = "another one than the keys hold";
                self.lapses.push(Lapse::at(number, what));
            }
        }
    }

    /// Names what is gone, without what is named already.
    fn name_gone(&mut self, mut gone: Vec<(u32, u32, &'static str)>) {
        gone.sort_unstable();
        let named: Vec<u32> = self.lapses.iter().map(|lapse| lapse.first).collect();
        let mut next = 1;
        for (first, last, what) in gone {
            let mut first = first.max(next);
            next = next.max(last.saturating_add(1));
            let inside = named
                .iter()
                .filter(|number| (first..=last).contains(number));
            let mut stops: Vec<u32> = inside.copied().collect();
            stops.sort_unstable();
            stops.dedup();
            for stop in stops {
                self.push_gone(first, stop - 1, what);
                first = stop.saturating_add(1);
            }
            self.push_gone(first, last, what);
        }
    }

    fn push_gone(&mut self, first: u32, last: u32, what: &str) {
        if first <= last {
            self.lapses.push(Lapse {
                first,
                last,
                what: what.to_owned(),
            });
        }
    }
}

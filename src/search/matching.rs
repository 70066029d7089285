//! A query against the dictionary: which terms it stands for, and how often
//! each recording holds them.

use super::fuzzy::{distance, tolerance};
use super::lexicon::{TermId, Terms, letters};
use super::postings::Postings;
use super::query::{Comparison, Words};
use super::rank::{HEAD_WEIGHT, PHRASE_WEIGHT, alike_weight, beginning_weight};

/// Wanted words, looked up.
pub(super) struct Row {
    /// For each word in the row, the terms it may be.
    pub(super) places: Vec<Terming>,
    /// Of the last word, only this many folded bytes were typed.
    pub(super) typed_len: Option<usize>,
}

/// The terms that one wanted word stands for.
pub(super) struct Terming {
    weights: Vec<(TermId, f32)>,
    /// A bit per term.
    members: Vec<u64>,
}

impl Terming {
    fn new(weights: Vec<(TermId, f32)>, terms: &Terms) -> Self {
        let mut members = vec![0; terms.len().div_ceil(64)];
        for (term, _) in &weights {
            if let Some(bits) = members.get_mut(*term as usize / 64) {
                *bits |= 1 << (term % 64);
            }
        }
        Self { weights, members }
    }

    pub(super) fn holds(&self, term: TermId) -> bool {
        self.members
            .get(term as usize / 64)
            .is_some_and(|bits| bits >> (term % 64) & 1 == 1)
    }

    fn postings<'a>(&'a self, terms: &'a Terms) -> impl Iterator<Item = (&'a Postings, f32)> {
        self.weights
            .iter()
            .filter_map(|(term, weight)| Some((terms.postings(*term)?, *weight)))
    }

    /// In how many recordings one of the terms stands, at most.
    fn spread(&self, terms: &Terms) -> u32 {
        self.postings(terms)
            .map(|(postings, _)| postings.len())
            .fold(0, u32::saturating_add)
    }
}

impl Row {
    pub(super) fn new(words: &Words, terms: &Terms) -> Self {
        let last = words.row.len().saturating_sub(1);
        let places = words.row.iter().enumerate().map(|(place, word)| {
            let comparison = if place == last {
                words.last
            } else {
                Comparison::Equal
            };
            Terming::new(stands_for(word, comparison, terms), terms)
        });
        let typed_len = match words.last {
            Comparison::Beginning => words.row.last().map(String::len),
            Comparison::Equal | Comparison::Alike => None,
        };
        Self {
            places: places.collect(),
            typed_len,
        }
    }

    /// Adds how often each recording holds the row, weighted; answers in how
    /// many recordings at most.
    pub(super) fn count(&self, terms: &Terms, frequencies: &mut [f32]) -> u32 {
        match self.places.as_slice() {
            [] => 0,
            [only] => {
                for (postings, weight) in only.postings(terms) {
                    for posting in postings.clips() {
                        let head = if posting.is_in_head { HEAD_WEIGHT } else { 0.0 };
                        if let Some(frequency) = frequencies.get_mut(posting.clip as usize) {
                            *frequency += weight * (posting.count as f32 + head);
                        }
                    }
                }
                only.spread(terms)
            }
            places => {
                let found = in_a_row(places, terms);
                let mut recordings = 0;
                let mut last = None;
                for (clip, _) in found {
                    recordings += u32::from(last.replace(clip) != Some(clip));
                    if let Some(frequency) = frequencies.get_mut(clip as usize) {
                        *frequency += PHRASE_WEIGHT;
                    }
                }
                recordings
            }
        }
    }
}

/// The terms that a word stands for, and how much each weighs.
fn stands_for(word: &str, comparison: Comparison, terms: &Terms) -> Vec<(TermId, f32)> {
    match comparison {
        Comparison::Equal => terms
            .get(word)
            .map(|term| (term, 1.0))
            .into_iter()
            .collect(),
        Comparison::Beginning => terms
            .beginning(word)
            .map(|(text, term)| (term.id, beginning_weight(word.len(), text.len())))
            .collect(),
        Comparison::Alike => {
            let typed: Vec<char> = word.chars().collect();
            let most = tolerance(typed.len());
            let typed_letters = letters(word);
            let mut spoken = Vec::new();
            terms
                .all()
                // A change of one letter changes two of the bits at most.
                .filter(|(_, term)| {
                    (term.letters ^ typed_letters).count_ones() as usize <= 2 * most
                })
                .filter_map(|(text, term)| {
                    spoken.clear();
                    spoken.extend(text.chars());
                    let changes = distance(&typed, &spoken, most)?;
                    Some((term.id, alike_weight(changes)))
                })
                .collect()
        }
    }
}

/// Where the row begins: recordings and places, in order. Starts with the
/// rarest word and keeps of its places those that the others agree with.
fn in_a_row(row: &[Terming], terms: &Terms) -> Vec<(u32, u32)> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by_key(|place| row.get(*place).map_or(0, |terming| terming.spread(terms)));
    let mut begins: Option<Vec<(u32, u32)>> = None;
    let mut places = Vec::new();
    for offset in order {
        let Some(terming) = row.get(offset) else {
            continue;
        };
        let offset = offset as u32;
        let mut next = Vec::new();
        for (postings, _) in terming.postings(terms) {
            let mut walk = postings.walk();
            let mut candidates = begins.as_deref();
            while let Some(posting) = walk.next() {
                if let Some(rest) = candidates {
                    let before = rest.partition_point_from(posting.clip);
                    let Some((first, _)) = rest.get(before) else {
                        break;
                    };
                    candidates = rest.get(before..);
                    if *first != posting.clip {
                        continue;
                    }
                }
                walk.read_places(&mut places);
                let starts = places.iter().filter_map(|place| place.checked_sub(offset));
                match candidates {
                    None => next.extend(starts.map(|start| (posting.clip, start))),
                    Some(rest) => {
                        let here = rest.iter().take_while(|(clip, _)| *clip == posting.clip);
                        let here: &[(u32, u32)] = rest.get(..here.count()).unwrap_or_default();
                        next.extend(
                            starts
                                .map(|start| (posting.clip, start))
                                .filter(|begin| here.binary_search(begin).is_ok()),
                        );
                    }
                }
            }
        }
        if terming.weights.len() > 1 {
            next.sort_unstable();
        }
        begins = Some(next);
    }
    begins.unwrap_or_default()
}

/// Finding the next recording in a sorted list that is walked along.
trait PartitionFrom {
    /// The index of the first entry of this recording or a later one. Usually
    /// near the front: doubles its steps before it halves them.
    fn partition_point_from(&self, clip: u32) -> usize;
}

impl PartitionFrom for [(u32, u32)] {
    fn partition_point_from(&self, clip: u32) -> usize {
        let mut step = 1;
        while self.get(step).is_some_and(|entry| entry.0 < clip) {
            step *= 2;
        }
        let near = self.get(..self.len().min(step + 1)).unwrap_or_default();
        near.partition_point(|entry| entry.0 < clip)
    }
}

//! Words: where they stand in a text, and what counts as the same word.
//!
//! A word is a run of letters, digits and the marks on them. An apostrophe
//! before the last one or two letters joins ("don't", "heater's"), any other
//! parts ("l'homme", "o'clock"). Scripts that write no spaces are parted as
//! Unicode's UAX 29 has it, which makes a word of every Chinese character:
//! what is typed as one is then searched for as a phrase.
//!
//! Words are compared folded, see [`fold`].

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::recording::is_apostrophe;
pub use crate::recording::{fold, fold_into};

/// From here on (Thai) scripts without spaces between words begin.
const FIRST_UNSPACED: char = '\u{0e00}';

/// The byte ranges of the words in a text, in order, never overlapping.
pub fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut pending = Vec::new().into_iter();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            if let Some(part) = pending.next() {
                return Some(part);
            }
            let run = next_run(text, at)?;
            at = run.end;
            let word = text.get(run.clone())?;
            if word.is_ascii()
                || !word
                    .chars()
                    .any(|c| c >= FIRST_UNSPACED && !is_apostrophe(c))
            {
                return Some(run);
            }
            let parts: Vec<Range<usize>> = word
                .split_word_bound_indices()
                .filter(|(_, part)| part.chars().any(char::is_alphanumeric))
                .map(|(from, part)| run.start + from..run.start + from + part.len())
                .collect();
            pending = parts.into_iter();
        }
    })
}

/// The next run of word characters from a place on.
fn next_run(text: &str, from: usize) -> Option<Range<usize>> {
    let mut start = None;
    for (offset, c) in text.get(from..)?.char_indices() {
        let at = from + offset;
        match start {
            None if c.is_alphanumeric() => start = Some(at),
            Some(start) if !(belongs(c) || is_apostrophe(c) && joins(text, at + c.len_utf8())) => {
                return Some(start..at);
            }
            _ => {}
        }
    }
    start.map(|start| start..text.len())
}

/// Whether a character carries a word on.
fn belongs(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && is_combining_mark(c))
}

/// Whether an apostrophe before this place joins: one or two letters follow.
fn joins(text: &str, after: usize) -> bool {
    let rest = text.get(after..).unwrap_or_default();
    let letters = rest.chars().take(3).take_while(|c| belongs(*c)).count();
    (1..=2).contains(&letters)
}

/// How many bytes of a word, from its start, fold to at least this many bytes:
/// the part of "Heater" that "heat" stands for. Ends on a character boundary
/// and takes the marks of the last character along.
#[must_use]
pub fn folded_prefix_len(word: &str, folded_len: usize) -> usize {
    let mut folded = String::new();
    for (at, c) in word.char_indices() {
        if folded.len() >= folded_len && !is_combining_mark(c) {
            return at;
        }
        fold_into(c.encode_utf8(&mut [0; 4]), &mut folded);
    }
    word.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn folded_words(text: &str) -> Vec<String> {
        words(text).map(|range| fold(&text[range])).collect()
    }

    #[test]
    fn apostrophes_join_short_endings_and_part_elisions() {
        assert_eq!(
            folded_words("I don't, don’t or dont"),
            ["i", "dont", "dont", "or", "dont"]
        );
        assert_eq!(
            folded_words("l'homme à 5 o'clock"),
            ["l", "homme", "a", "5", "o", "clock"]
        );
        assert_eq!(
            folded_words("'quoted' rock'n'roll"),
            ["quoted", "rockn", "roll"]
        );
    }

    #[test]
    fn case_accents_and_ligatures_do_not_tell_words_apart() {
        assert_eq!(
            folded_words("ÜBER Straße Œuvre e\u{301}te\u{301}"),
            ["uber", "strasse", "oeuvre", "ete"]
        );
        assert_eq!(folded_words("ΣΊΣΥΦΟΣ Σίσυφος"), ["σισυφοσ", "σισυφοσ"]);
        assert_eq!(folded_words("İstanbul ﬁn x²"), ["istanbul", "fin", "x2"]);
    }

    #[test]
    fn every_han_character_is_a_word() {
        assert_eq!(
            folded_words("我住在東京。ok"),
            ["我", "住", "在", "東", "京", "ok"]
        );
    }

    #[test]
    fn a_prefix_covers_whole_characters() {
        assert_eq!(folded_prefix_len("Heater", 4), 4);
        assert_eq!(folded_prefix_len("Straße", 5), "Straß".len());
        assert_eq!(folded_prefix_len("e\u{301}te", 1), "e\u{301}".len());
    }

    proptest! {
        #[test]
        fn words_are_in_order_and_hold_no_space(text in "(\\PC|['’ é我ก]){0,40}") {
            let mut last = 0;
            for range in words(&text) {
                prop_assert!(range.start >= last && range.end > range.start);
                prop_assert!(!text[range.clone()].contains(char::is_whitespace));
                last = range.end;
            }
        }

        #[test]
        fn folding_twice_changes_nothing(word in "\\w{0,12}") {
            let once = fold(&word);
            prop_assert_eq!(fold(&once), once);
        }
    }
}

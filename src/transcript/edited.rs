//! A transcript as a person corrected it: other words, at the times of those
//! they stand for.
//!
//! A segment whose text is the same stays as it is. In a changed one, words that
//! are still there keep their times and what the model thought of them; words
//! that are new share the time of those they replace, or the pause they were put
//! into, each by its length. Segments keep their times, and one without a word
//! left goes.

use similar::{Algorithm, DiffOp};

use super::{Segment, Transcript, Word};
use crate::recording::Moment;

/// Stands behind the model's name in every edited version.
const MARK: &str = " (edited)";

/// What a person wrote is certain.
const CERTAIN: f32 = 1.0;

impl Transcript {
    /// The version that says these lines instead, one for each segment; `None`
    /// if they say the same. `number` is that of the version they were edited
    /// from; its settings stay in those of the new one, and its model's name,
    /// with a mark, in the new one's.
    #[must_use]
    pub fn edited(&self, number: u32, lines: &[String], at: Moment) -> Option<Self> {
        let same = |(segment, line): (&Segment, &String)| segment.text == line.trim();
        if lines.len() >= self.segments.len() && self.segments.iter().zip(lines).all(same) {
            return None;
        }
        let segments = self
            .segments
            .iter()
            .zip(lines)
            .map(|(segment, line)| corrected(segment, line.trim()))
            .filter(|segment| !segment.text.is_empty())
            .collect();
        let by_hand = format!("edited by hand from version {number}");
        Some(Self {
            model: match self.model.ends_with(MARK) {
                true => self.model.clone(),
                false => format!("{}{MARK}", self.model),
            },
            settings: match self.settings.as_str() {
                "" => by_hand,
                before => format!("{by_hand}; {before}"),
            },
            language: self.language.clone(),
            made_at: at,
            segments,
        })
    }
}

fn corrected(segment: &Segment, text: &str) -> Segment {
    if segment.text == text {
        return segment.clone();
    }
    let words = match segment.words.as_slice() {
        // Its source gave no times; none are made up.
        [] => Vec::new(),
        known => retimed(segment, known, text),
    };
    Segment {
        text: text.to_owned(),
        words,
        ..*segment
    }
}

/// The words of the text, timed by those that were known.
fn retimed(segment: &Segment, known: &[Word], text: &str) -> Vec<Word> {
    let old: Vec<&str> = known.iter().map(|word| word.text.as_str()).collect();
    let new: Vec<&str> = text.split_whitespace().collect();
    let run = |from: usize, len: usize| new.get(from..from + len).unwrap_or_default();
    let mut words = Vec::with_capacity(new.len());
    for op in similar::capture_diff_slices(Algorithm::Myers, &old, &new) {
        match op {
            DiffOp::Equal { old_index, len, .. } => {
                words.extend_from_slice(known.get(old_index..old_index + len).unwrap_or_default());
            }
            DiffOp::Delete { .. } => {}
            DiffOp::Insert {
                old_index,
                new_index,
                new_len,
            } => {
                let pause = (
                    end_before(segment, known, old_index),
                    start_from(segment, known, old_index),
                );
                share(pause, run(new_index, new_len), &mut words);
            }
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => {
                let replaced = (
                    start_from(segment, known, old_index),
                    end_before(segment, known, old_index + old_len),
                );
                share(replaced, run(new_index, new_len), &mut words);
            }
        }
    }
    words
}

/// When the word before this place ends, milliseconds.
fn end_before(segment: &Segment, known: &[Word], place: usize) -> u32 {
    let before = place.checked_sub(1).and_then(|place| known.get(place));
    before.map_or(segment.start_ms, |word| word.end_ms)
}

/// When the word at this place begins, milliseconds.
fn start_from(segment: &Segment, known: &[Word], place: usize) -> u32 {
    known
        .get(place)
        .map_or(segment.end_ms, |word| word.start_ms)
}

/// Gives each word its part of a span, by its length; a span that is none gives
/// all of them its beginning.
fn share((start_ms, end_ms): (u32, u32), texts: &[&str], words: &mut Vec<Word>) {
    let length = |text: &str| text.chars().count() as u64;
    let all: u64 = texts.iter().map(|text| length(text)).sum::<u64>().max(1);
    let span = u64::from(end_ms.saturating_sub(start_ms));
    // At most the span, which fits.
    let at = |before: u64| start_ms + u32::try_from(span * before / all).unwrap_or(0);
    let mut before = 0;
    for text in texts {
        let from = before;
        before += length(text);
        words.push(Word {
            start_ms: at(from),
            end_ms: at(before),
            text: (*text).to_owned(),
            confidence: CERTAIN,
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::super::samples::{SPOKEN_AT, any_transcript, spoken};
    use super::*;

    fn edited(old: &Transcript, lines: &[&str]) -> Option<Transcript> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let at = Moment {
            unix_ms: SPOKEN_AT.unix_ms + 1,
            ..SPOKEN_AT
        };
        old.edited(3, &lines, at)
    }

    fn times(segment: &Segment) -> Vec<(&str, u32, u32)> {
        let words = segment.words.iter();
        words
            .map(|word| (word.text.as_str(), word.start_ms, word.end_ms))
            .collect()
    }

    #[test]
    fn the_same_text_is_no_version() {
        let old = spoken(&[(0, 1_000, "ask not"), (1_000, 2_000, "what")]);
        assert_eq!(edited(&old, &["ask not", " what "]), None);
        assert_eq!(edited(&spoken(&[]), &[]), None);
    }

    #[test]
    fn words_that_stay_keep_their_times_and_new_ones_take_those_of_the_old() {
        let old = spoken(&[
            (0, 4_000, "buy tomato monsters today"),
            (4_000, 5_000, "ok"),
        ]);
        let new = edited(&old, &["buy tomatoes on Mondays today", "ok"]).unwrap();
        assert_eq!(
            times(&new.segments[0]),
            [
                ("buy", 0, 1_000),
                // 2 s for 8, 2 and 7 letters.
                ("tomatoes", 1_000, 1_941),
                ("on", 1_941, 2_176),
                ("Mondays", 2_176, 3_000),
                ("today", 3_000, 4_000),
            ]
        );
        assert_eq!(new.segments[0].words[0].confidence, 0.9);
        assert_eq!(new.segments[0].words[1].confidence, 1.0);
        assert_eq!(new.segments[1], old.segments[1]);
    }

    #[test]
    fn words_put_between_others_take_the_pause_there() {
        let mut old = spoken(&[(0, 2_000, "yes thanks")]);
        old.segments[0].words[1].start_ms = 1_500;
        let new = edited(&old, &["well yes indeed thanks"]).unwrap();
        assert_eq!(
            times(&new.segments[0]),
            [
                ("well", 0, 0),
                ("yes", 0, 1_000),
                ("indeed", 1_000, 1_500),
                ("thanks", 1_500, 2_000),
            ]
        );
    }

    #[test]
    fn a_segment_without_a_word_left_goes_and_one_without_times_gets_none() {
        let mut old = spoken(&[(0, 1_000, "um"), (1_000, 2_000, "right then")]);
        old.segments[1].words.clear();
        let new = edited(&old, &["", "right"]).unwrap();
        assert_eq!(new.segments.len(), 1);
        assert_eq!(new.segments[0].text, "right");
        assert_eq!(new.segments[0].words, []);
    }

    #[test]
    fn the_version_says_where_it_comes_from() {
        let old = Transcript {
            settings: "beam 5".to_owned(),
            ..spoken(&[(0, 1_000, "one")])
        };
        let once = edited(&old, &["two"]).unwrap();
        assert_eq!(once.model, "tiny.en (edited)");
        assert_eq!(once.settings, "edited by hand from version 3; beam 5");
        assert!(once.made_at > old.made_at);
        let twice = edited(&once, &["three"]).unwrap();
        assert_eq!(twice.model, "tiny.en (edited)");
    }

    proptest! {
        #[test]
        fn an_edited_version_says_what_was_written(
            old in any_transcript(),
            lines in prop::collection::vec("[a-zA-Z' .,]{0,40}", 8),
        ) {
            let lines: Vec<String> = lines.into_iter().take(old.segments.len()).collect();
            if let Some(new) = old.edited(1, &lines, SPOKEN_AT) {
                let written: Vec<&str> = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
                let said: Vec<&str> = new.segments.iter().map(|segment| segment.text.as_str()).collect();
                prop_assert_eq!(said, written);
                for segment in &new.segments {
                    let words: Vec<&str> = segment.words.iter().map(|word| word.text.as_str()).collect();
                    let text: Vec<&str> = segment.text.split_whitespace().collect();
                    prop_assert!(words.is_empty() || words == text, "{:?}", words);
                }
            }
        }
    }
}

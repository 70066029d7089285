//! Which words of a transcript were spoken in a span, by ear: the span's sound was
//! given to a speech model by itself, and what it heard is looked for in the
//! transcript near that time.
//!
//! It finds words whose times look right and are wrong. What was heard and what is
//! written are laid side by side as two versions of one text are. Words that both have
//! were spoken in the span, and so were those between them that are written in another
//! way than they were heard, and a few at both ends if more were heard there.

use std::ops::Range;

use similar::{Algorithm, DiffOp};

use super::{REDACTED, Segment, Transcript, Word};
use crate::recording::fold;

/// No further away than this is a word looked for that was heard in the span.
const REACH_MS: u32 = 5_000;

/// Words of fewer letters than this are everywhere: so many of them in a row tell
/// something, and fewer nothing.
const TELLING_LETTERS: usize = 4;
const TELLING_WORDS: usize = 3;

/// So many more words may be written than were heard between two that both have, and so
/// many at most go at the ends for others: what was said there a model tends to hear
/// twice where it has too little sound.
const MORE_WORDS: usize = 2;

/// What a speech model heard in a piece of a recording, given nothing but that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The piece, milliseconds of the recording, without its end.
    span_ms: Range<u32>,
    /// Its words as they are compared, in order.
    words: Vec<String>,
}

impl Heard {
    /// What this transcript of the piece says, whatever times it gives.
    #[must_use]
    pub fn new(span_ms: Range<u32>, by_ear: &Transcript) -> Self {
        let texts = by_ear.segments.iter().map(|segment| segment.text.as_str());
        let words = texts.flat_map(str::split_whitespace).map(compared);
        Self {
            span_ms,
            words: words.filter(|word| !word.is_empty()).collect(),
        }
    }
}

/// A word that is written, and when it is said to have been spoken.
pub(super) struct Written<'a> {
    pub(super) text: &'a str,
    /// Milliseconds from the start of the recording, without the end.
    pub(super) time: Range<u32>,
}

impl<'a> Written<'a> {
    /// What a segment says as a whole; each of its words may have been spoken at any
    /// time of it.
    pub(super) fn all_of(segment: &'a Segment) -> Vec<Self> {
        let time = segment.start_ms..segment.end_ms;
        let texts = segment.text.split_whitespace();
        texts
            .map(|text| Self {
                text,
                time: time.clone(),
            })
            .collect()
    }
}

impl<'a> From<&'a Word> for Written<'a> {
    fn from(word: &'a Word) -> Self {
        Self {
            text: &word.text,
            time: word.start_ms..word.end_ms,
        }
    }
}

/// Whether each word of each of these segments was spoken in one of the pieces.
pub(super) fn by_ear(segments: &[Vec<Written<'_>>], heard: &[Heard]) -> Vec<Vec<bool>> {
    let mut spoken: Vec<Vec<bool>> = segments.iter().map(|one| vec![false; one.len()]).collect();
    for piece in heard {
        let (mut places, mut texts) = (Vec::new(), Vec::new());
        for (segment, words) in segments.iter().enumerate() {
            for (at, word) in words.iter().enumerate() {
                if is_near(&word.time, &piece.span_ms) {
                    places.push((segment, at));
                    texts.push(compared(word.text));
                }
            }
        }
        for at in in_common(&piece.words, &texts).into_iter().flatten() {
            let (segment, word) = places[at];
            spoken[segment][word] = true;
        }
    }
    spoken
}

fn is_near(time: &Range<u32>, span: &Range<u32>) -> bool {
    time.start < span.end.saturating_add(REACH_MS)
        && span.start.saturating_sub(REACH_MS) <= time.end
}

/// A word as it is compared: without punctuation, case and accents.
fn compared(word: &str) -> String {
    // Nobody says the mark.
    if word.contains(REDACTED) {
        return String::new();
    }
    let mut folded = fold(word);
    folded.retain(char::is_alphanumeric);
    folded
}

/// Which of the words that are written stand for those that were heard.
fn in_common(heard: &[String], written: &[String]) -> Vec<Range<usize>> {
    let mut runs: Vec<Run> = Vec::new();
    for op in similar::capture_diff_slices(Algorithm::Myers, heard, written) {
        let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = op
        else {
            continue;
        };
        let next = Run {
            heard: old_index..old_index + len,
            written: new_index..new_index + len,
            words: len,
            is_telling: heard[old_index..old_index + len]
                .iter()
                .any(|word| tells(word)),
        };
        match runs.last_mut() {
            Some(last) if last.goes_on_with(&next) => {
                last.heard.end = next.heard.end;
                last.written.end = next.written.end;
                last.words += len;
                last.is_telling |= next.is_telling;
            }
            _ => runs.push(next),
        }
    }
    // That both have them may be chance.
    runs.retain(|run| run.is_telling || run.words >= TELLING_WORDS);
    if let Some(first) = runs.first_mut() {
        let before = first.heard.start.min(MORE_WORDS);
        first.written.start = first.written.start.saturating_sub(before);
    }
    if let Some(last) = runs.last_mut() {
        let behind = (heard.len() - last.heard.end).min(MORE_WORDS);
        last.written.end = (last.written.end + behind).min(written.len());
    }
    runs.into_iter().map(|run| run.written).collect()
}

/// Words that were heard and are written, and what stands between them.
struct Run {
    heard: Range<usize>,
    written: Range<usize>,
    /// How many of them are the same.
    words: usize,
    /// Whether one of these is no word that is everywhere.
    is_telling: bool,
}

impl Run {
    fn goes_on_with(&self, next: &Self) -> bool {
        let heard = next.heard.start - self.heard.end;
        next.written.start - self.written.end <= heard + MORE_WORDS
    }
}

/// Whether a word tells something by itself.
fn tells(word: &str) -> bool {
    word.chars().count() >= TELLING_LETTERS || word.chars().any(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::super::samples::spoken;
    use super::*;

    /// The words that were spoken in a piece of which this was heard. Each is
    /// written as lasting a second.
    fn found<'a>(written: &'a str, heard: &str, span_ms: Range<u32>) -> Vec<&'a str> {
        let written: Vec<Written<'_>> = written
            .split_whitespace()
            .zip(0..)
            .map(|(text, second)| Written {
                text,
                time: second * 1_000..(second + 1) * 1_000,
            })
            .collect();
        let heard = Heard::new(span_ms, &spoken(&[(0, 9, heard)]));
        let segments = [written];
        let spoken = by_ear(&segments, &[heard]);
        let words = segments[0].iter().zip(&spoken[0]);
        words
            .filter_map(|(word, is)| is.then_some(word.text))
            .collect()
    }

    #[test]
    fn words_that_were_heard_are_found_whatever_their_times() {
        let text = "please remember to buy Oatmeal and oranges, then come home";
        assert_eq!(
            found(text, "oatmeal, and oranges", 1_000..2_000),
            ["Oatmeal", "and", "oranges,"]
        );
        assert_eq!(found(text, "Crème brûlée", 1_000..2_000), [""; 0]);
        assert_eq!(found(text, "", 1_000..2_000), [""; 0]);
    }

    #[test]
    fn what_was_heard_in_another_way_goes_with_the_words_beside_it() {
        let text = "buy oatmeal and 16 big oranges today then come home";
        assert_eq!(
            found(text, "oatmeal and sixteen pig oranges", 0..1_000),
            ["oatmeal", "and", "16", "big", "oranges"]
        );
        assert_eq!(
            found(text, "sixteen big oranges to day", 1_000..3_000),
            ["16", "big", "oranges", "today", "then"]
        );
    }

    #[test]
    fn short_words_and_what_is_far_away_are_chance() {
        let text = "go to the sea and the kids are at home";
        assert_eq!(found(text, "the kids", 0..9_000), ["the", "kids"]);
        for heard in ["to", "go to", "see you and the rest"] {
            assert_eq!(found(text, heard, 0..9_000), [""; 0], "{heard}");
        }
        assert_eq!(found(text, "to the sea", 0..9_000), ["to", "the", "sea"]);
        // Heard twice, it is said once.
        let text = "I finished it and look at the broken heater in the lab";
        let heard = "the broken heater in the air the broken heater in the air";
        assert_eq!(
            found(text, heard, 4_000..9_000),
            ["the", "broken", "heater", "in", "the", "lab"]
        );
        let text = "a b c d e f g h secret i j";
        assert_eq!(found(text, "secret", 1_000..2_000), [""; 0]);
        assert_eq!(found(text, "secret", 2_000..3_001), ["secret"]);
    }

    #[test]
    fn what_has_gone_is_not_heard_again() {
        assert_eq!(found("one [redacted] two", "redacted", 0..3_000), [""; 0]);
        assert_eq!(compared("[redacted],"), "");
    }
}

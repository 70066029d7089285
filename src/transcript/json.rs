//! Segments and words as JSON shows them, times in seconds.
//!
//! What `show --format json` prints around them is in
//! [`listing`](crate::listing).

use serde::Serialize;

use super::{Segment, Word, seconds};

/// A segment with the field names of `show --format json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentView<'a> {
    /// When it begins, seconds.
    pub start_s: f64,
    /// When it ends, seconds.
    pub end_s: f64,
    /// What was said.
    pub text: &'a str,
    /// Its words, in order.
    pub words: Vec<WordView<'a>>,
}

/// A word with the field names of `show --format json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WordView<'a> {
    /// When it begins, seconds.
    pub start_s: f64,
    /// When it ends, seconds.
    pub end_s: f64,
    /// The word with its punctuation.
    pub text: &'a str,
    /// How sure the model was, 0 to 1.
    pub confidence: f32,
}

impl<'a> From<&'a Segment> for SegmentView<'a> {
    fn from(segment: &'a Segment) -> Self {
        Self {
            start_s: seconds(segment.start_ms),
            end_s: seconds(segment.end_ms),
            text: &segment.text,
            words: segment.words.iter().map(WordView::from).collect(),
        }
    }
}

impl<'a> From<&'a Word> for WordView<'a> {
    fn from(word: &'a Word) -> Self {
        Self {
            start_s: seconds(word.start_ms),
            end_s: seconds(word.end_ms),
            text: &word.text,
            confidence: word.confidence,
        }
    }
}

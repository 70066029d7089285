//! The recording in the right pane: its transcript, broken into lines.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthChar;

use crate::recording::RecordingId;
use crate::transcript::{Segment, Transcript};
use crate::tui::engine::HitMoment;

/// What is known of the transcript.
pub enum Text {
    /// It was asked for.
    Coming,
    /// There is none.
    None,
    /// Here it is.
    Here(Transcript),
}

/// Part of a segment that stands on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLine {
    /// Which segment.
    pub segment: usize,
    /// Where the line begins in its text, bytes.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// A recording being read.
pub struct Reading {
    /// Which one.
    pub id: RecordingId,
    /// What was said.
    pub text: Text,
    /// Its loudness over its length, empty until known.
    pub levels: Vec<u8>,
    /// The transcript in lines.
    pub lines: Vec<TextLine>,
    /// The segment under the cursor.
    pub cursor: usize,
    /// The first line in sight.
    pub top: usize,
    /// Places a search found in it; set by [`Reading::light`].
    pub moments: Vec<HitMoment>,
    marks: BTreeMap<usize, Vec<[usize; 2]>>,
}

impl Reading {
    /// Begins to read; the text comes later.
    #[must_use]
    pub fn new(id: RecordingId, moments: Vec<HitMoment>) -> Self {
        Self {
            id,
            text: Text::Coming,
            levels: Vec::new(),
            lines: Vec::new(),
            cursor: 0,
            top: 0,
            moments,
            marks: BTreeMap::new(),
        }
    }

    /// The segments, as far as they are here.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        match &self.text {
            Text::Here(transcript) => &transcript.segments,
            Text::Coming | Text::None => &[],
        }
    }

    /// Columns before each line: the cursor's, and the time's.
    #[must_use]
    pub fn time_columns(&self) -> usize {
        match self
            .segments()
            .last()
            .map_or(0, |segment| segment.start_ms / 1000)
        {
            0..600 => 6,
            600..3600 => 7,
            _ => 9,
        }
    }

    /// Breaks the text into lines for a pane of this many columns.
    pub fn wrap(&mut self, pane: u16) {
        let width = usize::from(pane)
            .saturating_sub(self.time_columns() + 1)
            .max(1);
        let mut lines = Vec::new();
        for (segment, said) in self.segments().iter().enumerate() {
            wrap(&said.text, width, &mut |from, to| {
                lines.push(TextLine { segment, from, to })
            });
        }
        self.lines = lines;
    }

    /// The first line of a segment.
    #[must_use]
    pub fn line_of(&self, segment: usize) -> usize {
        self.lines.partition_point(|line| line.segment < segment)
    }

    /// The segment that is spoken at a time, if any was before it.
    #[must_use]
    pub fn segment_at(&self, at_s: f64) -> Option<usize> {
        let after = self
            .segments()
            .partition_point(|segment| f64::from(segment.start_ms) / 1000.0 <= at_s + 0.0005);
        after.checked_sub(1)
    }

    /// Brings a segment into sight, a little below the top.
    pub fn show(&mut self, segment: usize, height: usize) {
        let height = height.max(1);
        let (first, after) = (self.line_of(segment), self.line_of(segment + 1));
        if first < self.top || after > self.top + height {
            self.top = first.saturating_sub(height / 4);
        }
        self.top = self.top.min(self.lines.len().saturating_sub(height));
    }

    /// The word that is spoken at a time: its byte range in the segment's text.
    #[must_use]
    pub fn word_at(segment: &Segment, at_s: f64) -> Option<[usize; 2]> {
        let spoken = segment
            .words
            .partition_point(|word| f64::from(word.start_ms) / 1000.0 <= at_s)
            .checked_sub(1)?;
        let mut from = 0;
        for (number, word) in segment.words.iter().enumerate() {
            let place = from + segment.text.get(from..)?.find(&word.text)?;
            from = place + word.text.len();
            if number == spoken {
                return Some([place, from]);
            }
        }
        None
    }

    /// What a search marked in a segment: byte ranges of its text, in order.
    #[must_use]
    pub fn marks(&self, segment: usize) -> &[[usize; 2]] {
        self.marks.get(&segment).map_or(&[], Vec::as_slice)
    }

    /// Takes the places that a search found.
    pub fn light(&mut self, moments: Vec<HitMoment>) {
        self.moments = moments;
        let mut marks: BTreeMap<usize, Vec<[usize; 2]>> = BTreeMap::new();
        for moment in &self.moments {
            let Some(first) = self.first_segment_of(moment) else {
                continue;
            };
            // The text of a moment is that of neighbouring segments with spaces between.
            let mut from = 0;
            for (number, segment) in self.segments().iter().enumerate().skip(first) {
                let to = from + segment.text.len();
                let inside = moment
                    .marks
                    .iter()
                    .filter(|[begin, end]| *begin >= from && *end <= to);
                marks
                    .entry(number)
                    .or_default()
                    .extend(inside.map(|[begin, end]| [begin - from, end - from]));
                from = to + 1;
                if from >= moment.text.len() {
                    break;
                }
            }
        }
        for found in marks.values_mut() {
            found.sort_unstable();
            found.dedup();
        }
        self.marks = marks;
    }

    /// The segment with which a moment's text begins: at its time, or a few
    /// before, where its first marked word is further on.
    fn first_segment_of(&self, moment: &HitMoment) -> Option<usize> {
        let at = self.segment_at(moment.start_s + 0.5)?;
        let begins = |number: &usize| {
            self.segments()
                .get(*number)
                .is_some_and(|segment| moment.text.starts_with(segment.text.as_str()))
        };
        (at.saturating_sub(WIDEST)..=at).rev().find(begins)
    }
}

/// The most neighbouring segments that one moment spans, before its first mark.
const WIDEST: usize = 3;

/// Hands on the byte ranges of the lines into which `text` breaks at spaces,
/// or within a word that is longer than a line.
pub(in crate::tui) fn wrap(text: &str, width: usize, line: &mut dyn FnMut(usize, usize)) {
    let (mut from, mut columns) = (0, 0);
    // Where the line could break: the end of the last word, the start of the next.
    let mut space: Option<(usize, usize)> = None;
    for (at, letter) in text.char_indices() {
        let wide = letter.width().unwrap_or(0);
        if letter == ' ' && at > from {
            space = Some((at, at + 1));
        }
        if columns + wide > width && letter != ' ' {
            let (end, next) = space.unwrap_or((at, at));
            if end > from {
                line(from, end);
            }
            from = next;
            space = None;
            columns = text.get(from..at).map_or(0, |rest| {
                rest.chars().filter_map(UnicodeWidthChar::width).sum()
            });
        }
        columns += wide;
    }
    if from < text.len() || text.is_empty() {
        line(from, text.len());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, width: usize) -> Vec<&str> {
        let mut found = Vec::new();
        wrap(text, width, &mut |from, to| found.push(&text[from..to]));
        found
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(lines("the quick brown fox", 9), ["the quick", "brown fox"]);
        assert_eq!(lines("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(lines("日本語です", 4), ["日本", "語で", "す"]);
        assert_eq!(lines("", 4), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_word_is_lost(text in "[a-z日 é]{0,60}", width in 2usize..20) {
            let found = lines(&text, width);
            for line in &found {
                prop_assert!(unicode_width::UnicodeWidthStr::width(line.trim_end()) <= width, "{line:?}");
            }
            let squeeze = |text: &str| text.replace(' ', "");
            prop_assert_eq!(squeeze(&found.concat()), squeeze(&text));
        }
    }
}

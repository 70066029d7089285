//! A transcript from which a span is taken out: its words go, and a mark stands
//! where they stood.
//!
//! A word goes if any of its time lies in the span. A segment whose source gave no
//! words' times goes whole, and so does one whose words don't spell its text. All
//! that is told of the version itself stays: it is the same one.

use std::ops::Range;

use super::{Segment, Transcript, Word};

/// Stands where words were.
pub const MARK: &str = "[redacted]";

impl Transcript {
    /// The same version without the words of this span (milliseconds, without
    /// its end); `None` if it says nothing there.
    #[must_use]
    pub fn redacted(&self, span: &Range<u32>) -> Option<Self> {
        let blanked: Vec<Option<Segment>> = self
            .segments
            .iter()
            .map(|segment| blanked(segment, span))
            .collect();
        if blanked.iter().all(Option::is_none) {
            return None;
        }
        let segments = blanked
            .into_iter()
            .zip(&self.segments)
            .map(|(new, old)| new.unwrap_or_else(|| old.clone()))
            .collect();
        Some(Self {
            segments,
            model: self.model.clone(),
            settings: self.settings.clone(),
            language: self.language.clone(),
            made_at: self.made_at,
        })
    }

    /// What is said in this span: what [`redacted`](Self::redacted) takes out.
    #[must_use]
    pub fn said_in(&self, span: &Range<u32>) -> String {
        let mut said = Vec::new();
        for segment in &self.segments {
            match going(segment, span) {
                Going::Nothing => {}
                Going::Words(_) => said.extend(
                    segment
                        .words
                        .iter()
                        .filter(|word| goes(word, span))
                        .map(|word| word.text.as_str()),
                ),
                Going::All => said.push(segment.text.as_str()),
            }
        }
        said.join(" ")
    }
}

/// What of a segment goes.
enum Going {
    Nothing,
    /// Some of its words; where each of all of them stands in the text.
    Words(Vec<Range<usize>>),
    All,
}

fn going(segment: &Segment, span: &Range<u32>) -> Going {
    let any_word = segment.words.iter().any(|word| goes(word, span));
    let itself = lies_in(segment.start_ms, segment.end_ms, span) && segment.text != MARK;
    match spelled(segment) {
        _ if !any_word && !itself => Going::Nothing,
        Some(places) if any_word => Going::Words(places),
        // The span falls into a pause between its words.
        Some(_) if !segment.words.is_empty() => Going::Nothing,
        _ if segment.text.trim().is_empty() && !any_word => Going::Nothing,
        _ => Going::All,
    }
}

/// Whether a word is to go; what stands for others has gone.
fn goes(word: &Word, span: &Range<u32>) -> bool {
    lies_in(word.start_ms, word.end_ms, span) && word.text != MARK
}

/// Whether any of the time from `start_ms` to `end_ms` lies in the span. What
/// lasts no time lies where it begins; what ends before it begins, between both.
fn lies_in(start_ms: u32, end_ms: u32, span: &Range<u32>) -> bool {
    let (from, to) = (start_ms.min(end_ms), start_ms.max(end_ms));
    from < span.end && span.start < to.max(from.saturating_add(1))
}

/// Where each word stands in the text, if they are all of it.
fn spelled(segment: &Segment) -> Option<Vec<Range<usize>>> {
    let mut at = 0;
    let mut places = Vec::with_capacity(segment.words.len());
    for word in &segment.words {
        let rest = segment.text.get(at..)?;
        let start = at + (rest.len() - rest.trim_start().len());
        segment.text.get(start..)?.strip_prefix(&*word.text)?;
        at = start + word.text.len();
        places.push(start..at);
    }
    segment.text.get(at..)?.trim().is_empty().then_some(places)
}

fn blanked(segment: &Segment, span: &Range<u32>) -> Option<Segment> {
    match going(segment, span) {
        Going::Nothing => None,
        Going::All => Some(Segment {
            text: MARK.to_owned(),
            words: Vec::new(),
            ..*segment
        }),
        Going::Words(places) => Some(without(segment, &places, span)),
    }
}

/// The segment with one mark for each run of words that go.
fn without(segment: &Segment, places: &[Range<usize>], span: &Range<u32>) -> Segment {
    let (mut text, mut words) = (String::new(), Vec::<Word>::new());
    // How much of the old text is dealt with, and whether its last word went.
    let (mut done, mut in_run) = (0, false);
    for (word, place) in segment.words.iter().zip(places) {
        // White space between two words that go is theirs.
        if goes(word, span) && in_run {
            if let Some(mark) = words.last_mut() {
                mark.end_ms = mark.end_ms.max(word.end_ms);
            }
        } else {
            text.push_str(segment.text.get(done..place.start).unwrap_or_default());
            in_run = goes(word, span);
            if in_run {
                text.push_str(MARK);
                words.push(Word {
                    text: MARK.to_owned(),
                    confidence: 1.0,
                    ..*word
                });
            } else {
                text.push_str(&word.text);
                words.push(word.clone());
            }
        }
        done = place.end;
    }
    text.push_str(segment.text.get(done..).unwrap_or_default());
    Segment {
        text,
        words,
        ..*segment
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::super::samples::{any_transcript, spoken};
    use super::*;

    fn texts(transcript: &Transcript) -> Vec<&str> {
        let segments = transcript.segments.iter();
        segments.map(|segment| segment.text.as_str()).collect()
    }

    #[test]
    fn words_of_the_span_go_and_one_mark_stands_for_each_run() {
        let old = spoken(&[
            (0, 4_000, "my number is 555, thanks"),
            (4_000, 6_000, "call me"),
        ]);
        let new = old.redacted(&(2_400..3_000)).unwrap();
        assert_eq!(texts(&new), ["my number is [redacted] thanks", "call me"]);
        let mark = &new.segments[0].words[3];
        assert_eq!((mark.start_ms, mark.end_ms), (2_400, 3_200));
        assert_eq!(old.said_in(&(2_400..3_000)), "555,");
        let new = old.redacted(&(1_000..4_001)).unwrap();
        assert_eq!(texts(&new), ["my [redacted]", "[redacted] me"]);
        assert_eq!(old.said_in(&(1_000..4_001)), "number is 555, thanks call");
        assert_eq!(new.segments[0].words.len(), 2);
        assert_eq!((new.model, new.made_at), (old.model, old.made_at));
    }

    #[test]
    fn a_word_that_ends_where_the_span_begins_stays() {
        let old = spoken(&[(0, 3_000, "one two three")]);
        let new = old.redacted(&(1_000..2_000)).unwrap();
        assert_eq!(texts(&new), ["one [redacted] three"]);
        assert_eq!(old.redacted(&(3_000..9_000)), None);
    }

    #[test]
    fn redacting_the_same_again_changes_nothing() {
        let old = spoken(&[(0, 3_000, "one two three"), (3_000, 4_000, "four")]);
        let once = old.redacted(&(500..3_500)).unwrap();
        assert_eq!(once.redacted(&(500..3_500)), None);
        assert_eq!(once.said_in(&(500..3_500)), "");
    }

    #[test]
    fn without_words_times_the_whole_segment_goes() {
        let mut old = spoken(&[(0, 2_000, "one two"), (2_000, 4_000, "three")]);
        old.segments[0].words.clear();
        let new = old.redacted(&(1_900..2_000)).unwrap();
        assert_eq!(texts(&new), [MARK, "three"]);
        // Nor can a text be trusted that says more than its words.
        let mut old = spoken(&[(0, 2_000, "one two")]);
        old.segments[0].text.push_str(" secret");
        assert_eq!(texts(&old.redacted(&(0..10)).unwrap()), [MARK]);
        assert_eq!(old.said_in(&(0..10)), "one two secret");
    }

    #[test]
    fn where_words_have_no_spaces_between_them_none_are_put_in() {
        let mut old = spoken(&[(0, 3_000, "今 天 好")]);
        old.segments[0].text = "今天好".to_owned();
        let new = old.redacted(&(1_000..2_000)).unwrap();
        assert_eq!(texts(&new), ["今[redacted]好"]);
    }

    #[test]
    fn a_pause_holds_no_words() {
        let mut old = spoken(&[(0, 4_000, "one two")]);
        old.segments[0].words[0].end_ms = 1_000;
        assert_eq!(old.redacted(&(1_000..2_000)), None);
        assert_eq!(spoken(&[]).redacted(&(0..u32::MAX)), None);
    }

    proptest! {
        #[test]
        fn no_word_of_the_span_survives_and_nothing_else_changes(
            old in any_transcript(),
            start in 0_u32..20_000,
            length in 1_u32..20_000,
            untimed in any::<bool>(),
        ) {
            let mut old = old;
            if let (true, Some(first)) = (untimed, old.segments.first_mut()) {
                first.words.clear();
            }
            let span = start..start + length;
            let new = old.redacted(&span);
            prop_assert_eq!(new.is_none(), old.said_in(&span).is_empty());
            let new = new.unwrap_or_else(|| old.clone());
            prop_assert_eq!(new.said_in(&span), "");
            prop_assert_eq!(new.segments.len(), old.segments.len());
            for (new, old) in new.segments.iter().zip(&old.segments) {
                prop_assert_eq!((new.start_ms, new.end_ms), (old.start_ms, old.end_ms));
                let stays = |word: &&Word| !lies_in(word.start_ms, word.end_ms, &span);
                let kept: Vec<&Word> = new.words.iter().filter(|word| word.text != MARK).collect();
                let due: Vec<&Word> = old.words.iter().filter(stays).collect();
                let touched = lies_in(old.start_ms, old.end_ms, &span);
                if new.text != MARK {
                    prop_assert_eq!(&kept, &due);
                }
                if old.words.iter().all(|word| stays(&word)) && !touched {
                    prop_assert_eq!(new, old);
                }
                // What the words say is what the text says.
                if !new.words.is_empty() {
                    let said: Vec<&str> = new.words.iter().map(|word| word.text.as_str()).collect();
                    let text: Vec<&str> = new.text.split_whitespace().collect();
                    prop_assert_eq!(said, text);
                }
            }
        }
    }
}

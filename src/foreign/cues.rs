//! What was said when, as other programs wrote it down, made fit for a recording.
//!
//! Their times may lie behind the end of the sound, run backwards or overlap; their text
//! may be empty or hold several lines. All text is kept.

use std::time::Duration;

use super::html::one_line;
use crate::transcript::{Segment, Word};

/// One word and when it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// When it begins, milliseconds.
    pub start_ms: u64,
    /// When it ends, milliseconds.
    pub end_ms: u64,
    /// The word.
    pub text: String,
    /// How sure its model was, 0 to 1.
    pub confidence: f32,
}

/// A stretch of text and when it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    /// When it begins, milliseconds.
    pub start_ms: u64,
    /// When it ends, milliseconds.
    pub end_ms: u64,
    /// What was said; may have several lines.
    pub text: String,
    /// Its words, where they have times of their own.
    pub words: Vec<Spot>,
}

/// A transcript as it was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spoken {
    /// Which program wrote it, where it says so.
    pub program: Option<&'static str>,
    /// The speech model, where it is named.
    pub model: Option<String>,
    /// The language, as a code or a name, where it is named.
    pub language: Option<String>,
    /// What was said.
    pub cues: Vec<Cue>,
    /// Lines that should hold times and could not be read; the text stays.
    pub unreadable: usize,
}

/// A transcript that fits a recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fitted {
    /// What was said, in order of time.
    pub segments: Vec<Segment>,
    /// How many cues lie behind the end of the sound; they stand at its end.
    pub beyond: usize,
}

impl Spoken {
    /// Text without times, for all of the sound.
    #[must_use]
    pub fn untimed(text: &str) -> Self {
        let whole = Cue {
            start_ms: 0,
            end_ms: u64::MAX,
            text: text.to_owned(),
            words: Vec::new(),
        };
        Self {
            cues: vec![whole],
            ..Self::default()
        }
    }

    /// The segments of a recording of this length. What has no letter of text is left
    /// out, and a cue that says the same at the same time as the one before.
    #[must_use]
    pub fn fit(&self, length: Duration) -> Fitted {
        let end_ms = u32::try_from(length.as_millis()).unwrap_or(u32::MAX);
        let inside = |ms: u64| u32::try_from(ms).unwrap_or(u32::MAX).min(end_ms);
        let mut fitted = Fitted::default();
        for cue in &self.cues {
            let text = one_line(&cue.text);
            if text.is_empty() {
                continue;
            }
            if cue.start_ms > u64::from(end_ms) {
                fitted.beyond += 1;
            }
            let start_ms = inside(cue.start_ms);
            fitted.segments.push(Segment {
                start_ms,
                end_ms: inside(cue.end_ms).max(start_ms),
                words: words(cue, &text, &inside),
                text,
            });
        }
        fitted.segments.sort_by_key(|segment| segment.start_ms);
        fitted.segments.dedup_by(|next, before| {
            (next.start_ms, next.end_ms, &next.text)
                == (before.start_ms, before.end_ms, &before.text)
        });
        fitted
    }
}

/// The words of a cue, if they say what its text says: what is marked and redacted word
/// by word has to be what is read.
fn words(cue: &Cue, text: &str, inside: &dyn Fn(u64) -> u32) -> Vec<Word> {
    let mut words: Vec<Word> = cue
        .words
        .iter()
        .map(|spot| {
            let start_ms = inside(spot.start_ms);
            Word {
                start_ms,
                end_ms: inside(spot.end_ms).max(start_ms),
                text: one_line(&spot.text),
                confidence: match spot.confidence.is_finite() {
                    true => spot.confidence.clamp(0.0, 1.0),
                    false => 0.0,
                },
            }
        })
        .filter(|word| !word.text.is_empty())
        .collect();
    let said = text.chars().filter(|c| !c.is_whitespace());
    let spelled = words.iter().flat_map(|word| word.text.chars());
    if !said.eq(spelled.filter(|c| !c.is_whitespace())) {
        words.clear();
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cue(start_ms: u64, end_ms: u64, text: &str) -> Cue {
        Cue {
            start_ms,
            end_ms,
            text: text.to_owned(),
            words: Vec::new(),
        }
    }

    #[test]
    fn nothing_of_the_text_is_lost_however_wrong_the_times_are() {
        let spoken = Spoken {
            cues: vec![
                cue(9_000, 8_000, "backwards"),
                cue(1_000, 5_000, "first\nin two lines"),
                cue(2_000, 3_000, "over it"),
                cue(99_000, 100_000, "behind the end"),
                cue(99_000, 100_000, "behind the end"),
                cue(0, 1, " \u{feff} "),
            ],
            ..Spoken::default()
        };
        let fitted = spoken.fit(Duration::from_secs(10));
        let texts: Vec<_> = fitted
            .segments
            .iter()
            .map(|s| (s.start_ms, s.end_ms, s.text.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                (1_000, 5_000, "first in two lines"),
                (2_000, 3_000, "over it"),
                (9_000, 9_000, "backwards"),
                (10_000, 10_000, "behind the end"),
            ]
        );
        assert_eq!(fitted.beyond, 2);
    }

    #[test]
    fn words_that_say_something_else_than_the_text_are_left_out() {
        let spot = |text: &str| Spot {
            start_ms: 0,
            end_ms: 10,
            text: text.to_owned(),
            confidence: f32::NAN,
        };
        let mut said = cue(0, 1_000, "Ask not");
        said.words = vec![spot(" Ask"), spot(" not")];
        let mut other = cue(0, 1_000, "Ask not");
        other.words = vec![spot("Ask")];
        let spoken = Spoken {
            cues: vec![said],
            ..Spoken::default()
        };
        let segment = &spoken.fit(Duration::from_secs(1)).segments[0];
        assert_eq!(segment.words.len(), 2);
        assert_eq!(segment.words[0].confidence, 0.0);
        let spoken = Spoken {
            cues: vec![other],
            ..Spoken::default()
        };
        assert!(
            spoken.fit(Duration::from_secs(1)).segments[0]
                .words
                .is_empty()
        );
    }

    proptest! {
        #[test]
        fn what_fits_lies_inside_the_sound_in_order(
            cues in prop::collection::vec((any::<u64>(), any::<u64>(), ".{0,12}"), 0..20),
            length_ms in 0..100_000u64,
        ) {
            let spoken = Spoken {
                cues: cues.iter().map(|(from, to, text)| cue(*from, *to, text)).collect(),
                ..Spoken::default()
            };
            let fitted = spoken.fit(Duration::from_millis(length_ms));
            let mut last = 0;
            for segment in &fitted.segments {
                prop_assert!(segment.start_ms >= last && segment.end_ms >= segment.start_ms);
                prop_assert!(u64::from(segment.end_ms) <= length_ms);
                prop_assert!(!segment.text.trim().is_empty());
                last = segment.start_ms;
            }
        }
    }
}

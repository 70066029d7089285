//! Recordings and transcripts for tests of the formats and the search.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::{Segment, Transcript, Word};
use crate::recording::{Card, Moment, Recording, RecordingId, STORED_RATE_HZ, VersionInfo, sample};

/// 22 November 2026, 09:12 in Berlin.
pub(crate) const SPOKEN_AT: Moment = Moment {
    unix_ms: 1_795_335_120_000,
    offset_s: 3600,
};

/// A recording of 3:12 with one transcript.
pub(crate) fn recording() -> Recording {
    let version = VersionInfo {
        number: 1,
        model: "tiny.en".to_owned(),
        language: "en".to_owned(),
        made_at: SPOKEN_AT,
    };
    Recording {
        id: RecordingId::from_bytes([7; 16]),
        card: Card {
            title: "Standup with Ana".to_owned(),
            tags: vec!["work".to_owned()],
            device: Some("Built-in".to_owned()),
            samples: 192 * u64::from(STORED_RATE_HZ),
            ..sample::card(SPOKEN_AT)
        },
        versions: vec![version],
        audio_bytes: 672_000,
        ..sample::recording(SPOKEN_AT)
    }
}

/// A transcript of segments (start and end in milliseconds, text), whose words
/// last equally long.
pub(crate) fn spoken(segments: &[(u32, u32, &str)]) -> Transcript {
    let segments = segments
        .iter()
        .map(|&(start_ms, end_ms, text)| {
            let texts: Vec<&str> = text.split_whitespace().collect();
            let step = end_ms.saturating_sub(start_ms) / u32::try_from(texts.len().max(1)).unwrap();
            let words = texts.iter().zip(0_u32..).map(|(text, place)| Word {
                start_ms: start_ms + place * step,
                end_ms: start_ms + (place + 1) * step,
                text: (*text).to_owned(),
                confidence: 0.9,
            });
            Segment {
                start_ms,
                end_ms,
                text: text.to_owned(),
                words: words.collect(),
            }
        })
        .collect();
    Transcript {
        model: "tiny.en".to_owned(),
        settings: String::new(),
        language: "en".to_owned(),
        made_at: SPOKEN_AT,
        segments,
    }
}

/// A segment of words with their times (start and end in milliseconds, text).
pub(crate) fn timed(words: &[(u32, u32, &str)]) -> Segment {
    let texts: Vec<&str> = words.iter().map(|(_, _, text)| *text).collect();
    let words: Vec<Word> = words
        .iter()
        .map(|&(start_ms, end_ms, text)| Word {
            start_ms,
            end_ms,
            text: text.to_owned(),
            confidence: 0.9,
        })
        .collect();
    Segment {
        start_ms: words.first().map_or(0, |word| word.start_ms),
        end_ms: words.last().map_or(0, |word| word.end_ms),
        text: texts.join(" "),
        words,
    }
}

/// Any transcript, also what no model would make: overlaps, ends before starts,
/// control characters, arrows.
pub(crate) fn any_transcript() -> impl Strategy<Value = Transcript> {
    let text = prop_oneof![
        "[a-zA-Z' .,]{0,30}",
        "(\\PC|[\\x00-\\x1f\\u{85}\\u{2028}]|-->|<|&|\n){0,20}",
    ];
    let segment = (
        prop_oneof![0_u32..20_000, any::<u32>()],
        prop_oneof![0_u32..20_000, any::<u32>()],
        text,
    );
    proptest::collection::vec(segment, 0..8).prop_map(|segments| {
        let segments: Vec<(u32, u32, &str)> = segments
            .iter()
            .map(|(start, end, text)| (*start, *end, text.as_str()))
            .collect();
        spoken_loosely(&segments)
    })
}

/// Like [`spoken`], for times that may not be in order.
fn spoken_loosely(segments: &[(u32, u32, &str)]) -> Transcript {
    let mut transcript = spoken(&[]);
    transcript.segments = segments
        .iter()
        .map(|&(start_ms, end_ms, text)| Segment {
            start_ms,
            end_ms,
            text: text.to_owned(),
            words: text
                .split_whitespace()
                .map(|word| Word {
                    start_ms,
                    end_ms,
                    text: word.to_owned(),
                    confidence: 0.5,
                })
                .collect(),
        })
        .collect();
    transcript
}

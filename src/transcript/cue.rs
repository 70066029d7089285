//! Cues for subtitles: what is said when, made fit for players.
//!
//! A transcript may hold segments that overlap, are empty, or last no time;
//! players and validators refuse such cues. Here they become a row of cues in
//! order of time, each of at least a millisecond, none overlapping, each with
//! one line of text. How a cue is written is up to the formats.

use super::Transcript;

/// One line of text and when it is shown, milliseconds from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) start_ms: u64,
    pub(super) end_ms: u64,
    pub(super) text: String,
}

/// The cues of a transcript, in order.
pub(super) fn cues(transcript: &Transcript) -> Vec<Cue> {
    let mut spoken: Vec<Cue> = transcript
        .segments
        .iter()
        .map(|segment| Cue {
            start_ms: segment.start_ms.into(),
            end_ms: segment.end_ms.into(),
            text: one_line(&segment.text),
        })
        .filter(|cue| !cue.text.is_empty())
        .collect();
    spoken.sort_by_key(|cue| cue.start_ms);
    let mut free_from_ms = 0;
    for place in 0..spoken.len() {
        let next_ms = spoken.get(place + 1).map_or(u64::MAX, |next| next.start_ms);
        let Some(cue) = spoken.get_mut(place) else {
            break;
        };
        cue.start_ms = cue.start_ms.max(free_from_ms);
        let least_ms = cue.start_ms + 1;
        cue.end_ms = cue.end_ms.min(next_ms).max(least_ms);
        free_from_ms = cue.end_ms;
    }
    spoken
}

/// The text without line breaks and other control characters, single spaced.
fn one_line(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            ' '
        } else {
            c
        }
    };
    let text: String = text.chars().map(shown).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Hours, minutes, seconds and milliseconds, with the mark before the last:
/// `00:01:02,345`.
pub(super) fn timestamp(ms: u64, mark: char) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{:03}", ms % 1000)
}

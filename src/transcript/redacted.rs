//! A transcript from which a span is taken out: its words go, and a mark stands
//! where they stood.
//!
//! A word goes if it may have been spoken in the span, or so near to it that its
//! time may be wrong by that much; see [`possible`](super::possible) for when that
//! is. So does one that was heard there; see [`heard`]. A segment whose
//! source gave no words' times goes whole, and so does one whose words don't spell its
//! text. All that is told of the version itself stays: it is the same one. It is better
//! that too much goes than too little.

use std::ops::Range;

use super::heard::{self, Heard, Written};
use super::possible::possible;
use super::{Segment, Transcript, Word};

/// Stands where words were.
pub const MARK: &str = "[redacted]";

/// Times that can be believed are still wrong by this much now and then, on both
/// sides.
const MARGIN_MS: u32 = 300;

/// What is taken out of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outtake {
    /// Where it was, milliseconds of the recording, without the end.
    pub span_ms: Range<u32>,
    /// How long the recording is.
    pub length_ms: u32,
    /// What was heard there; empty where nobody listened.
    pub heard: Vec<Heard>,
}

impl Transcript {
    /// The same version without the words that were spoken there; `None` if it has
    /// none.
    #[must_use]
    pub fn redacted(&self, outtake: &Outtake) -> Option<Self> {
        let going = self.going(outtake);
        if going.iter().all(|going| matches!(going, Going::Nothing)) {
            return None;
        }
        let segments = going
            .iter()
            .zip(&self.segments)
            .map(|(going, segment)| blanked(segment, going))
            .collect();
        Some(Self {
            segments,
            model: self.model.clone(),
            settings: self.settings.clone(),
            language: self.language.clone(),
            made_at: self.made_at,
        })
    }

    /// What may be said there: what [`redacted`](Self::redacted) takes out.
    #[must_use]
    pub fn said_in(&self, outtake: &Outtake) -> String {
        let mut said = Vec::new();
        for (going, segment) in self.going(outtake).iter().zip(&self.segments) {
            match going {
                Going::Nothing => {}
                Going::Words(fates) => said.extend(
                    fates
                        .iter()
                        .zip(&segment.words)
                        .filter(|(fate, _)| fate.goes)
                        .map(|(_, word)| word.text.as_str()),
                ),
                Going::All => said.push(segment.text.as_str()),
            }
        }
        said.join(" ")
    }

    /// Whether words go with it whose times can't be right: they may have been
    /// spoken elsewhere, where their sound is not silent.
    #[must_use]
    pub fn is_doubted_in(&self, outtake: &Outtake) -> bool {
        let doubted = |fate: &Fate| fate.goes && !fate.is_believed;
        self.going(outtake)
            .iter()
            .any(|going| matches!(going, Going::Words(fates) if fates.iter().any(doubted)))
    }

    /// What of each segment goes.
    fn going(&self, outtake: &Outtake) -> Vec<Going> {
        let places: Vec<Option<Vec<Range<usize>>>> = self.segments.iter().map(spelled).collect();
        let segments = || self.segments.iter().zip(&places);
        // Words can be doubted, and heard, over the bounds of segments.
        let timed = segments().filter(|(_, places)| places.is_some());
        let words: Vec<&Word> = timed.flat_map(|(segment, _)| &segment.words).collect();
        let mut times = possible(&words, outtake.length_ms).into_iter();
        let written: Vec<Vec<Written<'_>>> = segments()
            .map(|(segment, places)| match places {
                Some(_) => segment.words.iter().map(Written::from).collect(),
                None => Written::all_of(segment),
            })
            .collect();
        let by_ear = heard::by_ear(&written, &outtake.heard);
        let (segments, span) = (
            self.segments.iter().zip(places).zip(by_ear),
            &outtake.span_ms,
        );
        segments
            .map(|((segment, places), by_ear)| match places {
                None if is_near(segment, span) => Going::All,
                None if by_ear.contains(&true) && segment.text != MARK => Going::All,
                None => Going::Nothing,
                Some(places) => {
                    let words = segment.words.iter().zip(places).zip(by_ear);
                    let fates: Vec<Fate> = words
                        .zip(times.by_ref())
                        .map(|(((word, place), by_ear), time)| Fate {
                            place,
                            // What stands for others has gone.
                            goes: (by_ear || touches(&time.span, span)) && word.text != MARK,
                            is_believed: time.is_believed,
                        })
                        .collect();
                    match fates.iter().any(|fate| fate.goes) {
                        true => Going::Words(fates),
                        false => Going::Nothing,
                    }
                }
            })
            .collect()
    }
}

/// What of a segment goes.
enum Going {
    Nothing,
    /// Some of its words; what becomes of each.
    Words(Vec<Fate>),
    All,
}

/// What becomes of a word.
struct Fate {
    /// Where it stands in the text.
    place: Range<usize>,
    goes: bool,
    is_believed: bool,
}

/// Whether a segment that counts as a whole goes.
fn is_near(segment: &Segment, span: &Range<u32>) -> bool {
    let near = |start: u32, end: u32| touches(&(start.min(end)..start.max(end)), span);
    let any_word = segment
        .words
        .iter()
        .any(|word| near(word.start_ms, word.end_ms));
    (any_word || near(segment.start_ms, segment.end_ms))
        && segment.text != MARK
        && !(segment.text.trim().is_empty() && segment.words.is_empty())
}

/// Whether any of this time lies in the span or just beside it. What lasts no time
/// lies where it begins.
fn touches(time: &Range<u32>, span: &Range<u32>) -> bool {
    let end = time.end.max(time.start.saturating_add(1));
    time.start < span.end.saturating_add(MARGIN_MS) && span.start.saturating_sub(MARGIN_MS) < end
}

/// Where each word stands in the text, if there are any and they are all of it.
fn spelled(segment: &Segment) -> Option<Vec<Range<usize>>> {
    if segment.words.is_empty() {
        return None;
    }
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

fn blanked(segment: &Segment, going: &Going) -> Segment {
    match going {
        Going::Nothing => segment.clone(),
        Going::All => Segment {
            text: MARK.to_owned(),
            words: Vec::new(),
            ..*segment
        },
        Going::Words(fates) => without(segment, fates),
    }
}

/// The segment with one mark for each run of words that go.
fn without(segment: &Segment, fates: &[Fate]) -> Segment {
    let (mut text, mut words) = (String::new(), Vec::<Word>::new());
    // How much of the old text is dealt with.
    let mut done = 0;
    let mut run = None;
    for (word, fate) in segment.words.iter().zip(fates) {
        // White space between two words that go is theirs.
        if let (true, Some(first), Some(mark)) = (fate.goes, run, words.last_mut()) {
            prolong(mark, first, word, fate);
        } else {
            text.push_str(segment.text.get(done..fate.place.start).unwrap_or_default());
            run = fate.goes.then_some(fate);
            let stays = match fate.goes {
                true => Word {
                    text: MARK.to_owned(),
                    confidence: 1.0,
                    ..*word
                },
                false => word.clone(),
            };
            text.push_str(&stays.text);
            words.push(stays);
        }
        done = fate.place.end;
    }
    text.push_str(segment.text.get(done..).unwrap_or_default());
    Segment {
        text,
        words,
        ..*segment
    }
}

/// Makes a mark stand for one more word. Where it begins and ends with words that
/// are believed it has their times: those beside it may be judged by them again.
fn prolong(mark: &mut Word, first: &Fate, word: &Word, fate: &Fate) {
    if !first.is_believed {
        mark.start_ms = mark.start_ms.min(word.start_ms);
    }
    mark.end_ms = match fate.is_believed {
        true => word.end_ms,
        false => mark.end_ms.max(word.end_ms),
    };
}

#[cfg(test)]
mod tests;

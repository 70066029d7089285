//! A transcript from which a span is taken out: its words go, and a mark stands
//! where they stood.
//!
//! A word goes if it may have been spoken in the span, or so near to it that its
//! time may be wrong by that much; see [`possible`](super::possible) for when that
//! is. A segment whose source gave no words' times goes whole, and so does one
//! whose words don't spell its text. All that is told of the version itself stays:
//! it is the same one. It is better that too much goes than too little.

use std::ops::Range;

use super::possible::{Possible, possible};
use super::{Segment, Transcript, Word};

/// Stands where words were.
pub const MARK: &str = "[redacted]";

/// Times that can be believed are still wrong by this much now and then, on both
/// sides.
const MARGIN_MS: u32 = 300;

impl Transcript {
    /// The same version without the words of this span (milliseconds, without
    /// its end) of a recording of this length; `None` if it says nothing there.
    #[must_use]
    pub fn redacted(&self, span: &Range<u32>, length_ms: u32) -> Option<Self> {
        let going = self.going(span, length_ms);
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

    /// What may be said in this span: what [`redacted`](Self::redacted) takes out.
    #[must_use]
    pub fn said_in(&self, span: &Range<u32>, length_ms: u32) -> String {
        let mut said = Vec::new();
        for (going, segment) in self.going(span, length_ms).iter().zip(&self.segments) {
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

    /// Whether words go with this span whose times can't be right: they may have been
    /// spoken elsewhere, where their sound is not silent.
    #[must_use]
    pub fn is_doubted_in(&self, span: &Range<u32>, length_ms: u32) -> bool {
        let doubted = |fate: &Fate| fate.goes && !fate.is_believed;
        self.going(span, length_ms)
            .iter()
            .any(|going| matches!(going, Going::Words(fates) if fates.iter().any(doubted)))
    }

    /// What of each segment goes.
    fn going(&self, span: &Range<u32>, length_ms: u32) -> Vec<Going> {
        let places: Vec<Option<Vec<Range<usize>>>> = self.segments.iter().map(spelled).collect();
        // Words can be doubted over the bounds of segments.
        let timed = self.segments.iter().zip(&places);
        let words: Vec<&Word> = timed
            .filter(|(_, places)| places.is_some())
            .flat_map(|(segment, _)| &segment.words)
            .collect();
        let mut times = possible(&words, length_ms).into_iter();
        let segments = self.segments.iter().zip(places);
        segments
            .map(|(segment, places)| match places {
                None if is_near(segment, span) => Going::All,
                None => Going::Nothing,
                Some(places) => {
                    let words = segment.words.iter().zip(places).zip(times.by_ref());
                    let fates: Vec<Fate> = words
                        .map(|((word, place), time)| Fate::new(word, place, &time, span))
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

impl Fate {
    fn new(word: &Word, place: Range<usize>, time: &Possible, span: &Range<u32>) -> Self {
        Self {
            place,
            // What stands for others has gone.
            goes: touches(&time.span, span) && word.text != MARK,
            is_believed: time.is_believed,
        }
    }
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

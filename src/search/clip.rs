//! A recording as the index keeps it: the facts that filters ask for, and what
//! was said, packed.
//!
//! ```text
//! body = varint segments
//!        per segment: varint words, varint lead piece + 1 (0: none), varint piece per word
//!        varint unit (milliseconds: 10 if every time is a multiple of that, else 1)
//!        per segment: signed start (from the start before), signed length, varint is_timed,
//!                     if timed: per word signed start (from the word before or the segment)
//! ```
//! All times count in units and come back to the millisecond.

use std::time::Duration;

use super::filter::Facts;
use super::lexicon::{PieceId, Pieces, TermId, Terms};
use super::postings::{Varints, put_varint, zigzag};
use super::text::{fold, words};
use crate::recording::{Recording, RecordingId};
use crate::transcript::{Segment, Transcript};

/// What the index knows of a recording. Texts are folded.
pub(super) struct Clip {
    pub(super) id: RecordingId,
    pub(super) recorded_ms: i64,
    pub(super) added_ms: i64,
    duration: Duration,
    is_pinned: bool,
    is_silent: bool,
    is_untranscribed: bool,
    language: Option<u32>,
    device: Option<u32>,
    title: Box<str>,
    note: Box<str>,
    /// One a line.
    tags: Box<str>,
    body: Box<[u8]>,
}

/// Names that many recordings share.
#[derive(Default)]
pub(super) struct Names(Vec<Box<str>>);

impl Names {
    fn intern(&mut self, name: &str) -> u32 {
        let folded = fold(name);
        let place = self
            .0
            .iter()
            .position(|known| **known == *folded)
            .unwrap_or_else(|| {
                self.0.push(folded.into());
                self.0.len() - 1
            });
        place as u32
    }

    fn get(&self, name: Option<u32>) -> Option<&str> {
        self.0.get(name? as usize).map(|name| &**name)
    }
}

impl Clip {
    pub(super) fn new(recording: &Recording, body: Box<[u8]>, names: &mut Names) -> Self {
        let card = &recording.card;
        let tags: Vec<String> = card.tags.iter().map(|tag| fold(tag)).collect();
        Self {
            id: recording.id,
            recorded_ms: card.recorded_at.unix_ms,
            added_ms: card.added_at.unix_ms,
            duration: card.duration(),
            is_pinned: card.pinned,
            is_silent: card.signal.is_silent(),
            is_untranscribed: recording.is_untranscribed(),
            language: recording.language().map(|language| names.intern(language)),
            device: card.device.as_ref().map(|device| names.intern(device)),
            title: fold(&card.title).into(),
            note: fold(&card.note).into(),
            tags: tags.join("\n").into(),
            body,
        }
    }

    /// What was said.
    pub(super) fn said(&self) -> Said {
        Said::unpack(&self.body)
    }

    /// The same clip for an index with other names and pieces.
    pub(super) fn moved(self, from: &Names, names: &mut Names, body: Box<[u8]>) -> Self {
        let mut moved = |name| from.get(name).map(|name| names.intern(name));
        let (language, device) = (moved(self.language), moved(self.device));
        Self {
            language,
            device,
            body,
            ..self
        }
    }
}

/// A clip with the names that its numbers stand for.
pub(super) struct ClipFacts<'a> {
    pub(super) clip: &'a Clip,
    pub(super) names: &'a Names,
}

impl Facts for ClipFacts<'_> {
    fn id(&self) -> RecordingId {
        self.clip.id
    }
    fn recorded_ms(&self) -> i64 {
        self.clip.recorded_ms
    }
    fn duration(&self) -> Duration {
        self.clip.duration
    }
    fn is_pinned(&self) -> bool {
        self.clip.is_pinned
    }
    fn is_silent(&self) -> bool {
        self.clip.is_silent
    }
    fn is_untranscribed(&self) -> bool {
        self.clip.is_untranscribed
    }
    fn language(&self) -> Option<&str> {
        self.names.get(self.clip.language)
    }
    fn has_tag(&self, folded: &str) -> bool {
        self.clip.tags.split('\n').any(|tag| tag == folded)
    }
    fn title_holds(&self, folded: &str) -> bool {
        self.clip.title.contains(folded)
    }
    fn note_holds(&self, folded: &str) -> bool {
        self.clip.note.contains(folded)
    }
    fn device_holds(&self, folded: &str) -> bool {
        self.names
            .get(self.clip.device)
            .is_some_and(|device| device.contains(folded))
    }
}

/// What was said, unpacked: words by their places in the whole transcript.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) segments: Vec<SaidSegment>,
    pub(super) pieces: Vec<PieceId>,
    /// When each word begins, milliseconds.
    pub(super) starts_ms: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SaidSegment {
    pub(super) start_ms: u32,
    pub(super) end_ms: u32,
    /// What stands before the first word.
    pub(super) lead: Option<PieceId>,
    /// The place of its first word.
    pub(super) first: usize,
    pub(super) words: usize,
    is_timed: bool,
}

impl Said {
    /// The pieces and times of a transcript.
    pub(super) fn new(transcript: &Transcript, pieces: &mut Pieces, terms: &mut Terms) -> Self {
        let mut said = Self::default();
        for segment in &transcript.segments {
            said.push(segment, pieces, terms);
        }
        said
    }

    fn push(&mut self, segment: &Segment, pieces: &mut Pieces, terms: &mut Terms) {
        let text = segment.text.as_str();
        let first = self.pieces.len();
        let mut clock = WordClock {
            segment,
            next_word: 0,
            reached: 0,
            time_ms: segment.start_ms,
        };
        let mut ranges = words(text).peekable();
        let lead_len = ranges.peek().map_or(text.len(), |range| range.start);
        let lead = text.get(..lead_len).filter(|lead| !lead.is_empty());
        let lead = lead.map(|lead| pieces.intern(lead, 0, terms));
        while let Some(range) = ranges.next() {
            let end = ranges.peek().map_or(text.len(), |next| next.start);
            let written = text.get(range.start..end).unwrap_or_default();
            self.pieces.push(pieces.intern(written, range.len(), terms));
            self.starts_ms.push(clock.start_of(range.start));
        }
        self.segments.push(SaidSegment {
            start_ms: segment.start_ms,
            end_ms: segment.end_ms,
            lead,
            first,
            words: self.pieces.len() - first,
            is_timed: !segment.words.is_empty(),
        });
    }

    /// The terms in order, `NO_TERM` where a piece has none.
    pub(super) fn terms<'a>(
        &'a self,
        pieces: &'a Pieces,
    ) -> impl ExactSizeIterator<Item = TermId> + 'a {
        self.pieces.iter().map(|piece| pieces.term(*piece))
    }

    /// The pieces by other numbers.
    pub(super) fn renumber(&mut self, mut new: impl FnMut(PieceId) -> PieceId) {
        self.pieces
            .iter_mut()
            .for_each(|piece| *piece = new(*piece));
        for lead in self
            .segments
            .iter_mut()
            .filter_map(|segment| segment.lead.as_mut())
        {
            *lead = new(*lead);
        }
    }

    pub(super) fn pack(&self) -> Box<[u8]> {
        let mut bytes = Vec::with_capacity(self.pieces.len() * 4 + self.segments.len() * 8 + 8);
        put_varint(self.segments.len() as u32, &mut bytes);
        for segment in &self.segments {
            put_varint(segment.words as u32, &mut bytes);
            put_varint(segment.lead.map_or(0, |lead| lead + 1), &mut bytes);
            for piece in self.pieces.iter().skip(segment.first).take(segment.words) {
                put_varint(*piece, &mut bytes);
            }
        }
        let is_round = self.starts_ms.iter().all(|ms| ms % 10 == 0)
            && self
                .segments
                .iter()
                .all(|segment| segment.start_ms % 10 == 0 && segment.end_ms % 10 == 0);
        let unit = if is_round { 10 } else { 1 };
        put_varint(unit, &mut bytes);
        // Times out of order wrap round, and wrap back when they are read.
        let mut put_step = |from_ms: u32, to_ms: u32| {
            let step = (to_ms / unit).wrapping_sub(from_ms / unit);
            put_varint(zigzag(step as i32), &mut bytes);
        };
        let mut steps = Vec::new();
        let mut last_start_ms = 0;
        for segment in &self.segments {
            steps.push((last_start_ms, segment.start_ms));
            steps.push((segment.start_ms, segment.end_ms));
            steps.push((0, u32::from(segment.is_timed) * unit));
            if segment.is_timed {
                let mut last_ms = segment.start_ms;
                for &ms in self
                    .starts_ms
                    .iter()
                    .skip(segment.first)
                    .take(segment.words)
                {
                    steps.push((last_ms, ms));
                    last_ms = ms;
                }
            }
            last_start_ms = segment.start_ms;
        }
        steps
            .into_iter()
            .for_each(|(from_ms, to_ms)| put_step(from_ms, to_ms));
        bytes.into()
    }

    fn unpack(body: &[u8]) -> Self {
        let mut bytes = Varints::new(body);
        let mut said = Self::default();
        for _ in 0..bytes.take() {
            let (words, lead) = (bytes.take() as usize, bytes.take());
            let first = said.pieces.len();
            said.pieces.extend((0..words).map(|_| bytes.take()));
            let lead = lead.checked_sub(1);
            said.segments.push(SaidSegment {
                start_ms: 0,
                end_ms: 0,
                lead,
                first,
                words,
                is_timed: false,
            });
        }
        let unit = bytes.take();
        let mut step = |from: u32| from.wrapping_add(bytes.take_signed() as u32);
        let mut last_start = 0;
        for segment in &mut said.segments {
            let start = step(last_start);
            let end = step(start);
            segment.is_timed = step(0) > 0;
            let mut at = start;
            for _ in 0..segment.words {
                if segment.is_timed {
                    at = step(at);
                }
                said.starts_ms.push(at * unit);
            }
            (segment.start_ms, segment.end_ms) = (start * unit, end * unit);
            last_start = start;
        }
        said
    }
}

/// Finds when the word at a place of a segment's text was spoken, by following
/// the model's words through the text.
struct WordClock<'a> {
    segment: &'a Segment,
    next_word: usize,
    /// How far into the text the words so far reach.
    reached: usize,
    time_ms: u32,
}

impl WordClock<'_> {
    /// When the word that begins at this byte begins; asked in order. Where text
    /// and words disagree (somebody edited the text) the time of the last word
    /// that was found stands.
    fn start_of(&mut self, at: usize) -> u32 {
        while self.reached <= at
            && let Some(word) = self.segment.words.get(self.next_word)
        {
            let rest = self.segment.text.get(self.reached..).unwrap_or_default();
            let Some(offset) = rest.find(word.text.trim()) else {
                self.next_word += 1;
                continue;
            };
            if self.reached + offset > at {
                break;
            }
            self.reached += offset + word.text.trim().len();
            self.time_ms = word.start_ms;
            self.next_word += 1;
        }
        self.time_ms
    }
}

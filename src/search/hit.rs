//! Hits and their moments: where in a recording the words were spoken.
//!
//! A moment is a segment that holds some of the words. Where a phrase goes over
//! the end of a segment, the moment covers both; where the words of a query
//! stand together only in up to three neighbouring segments, it covers those.
//! Better is what holds more of the query, in fewer segments, with more whole
//! words; then what comes earlier.

use serde::Serialize;

use super::clip::{Said, SaidSegment};
use super::lexicon::Pieces;
use super::matching::Row;
use super::text::folded_prefix_len;
use crate::recording::RecordingId;
use crate::transcript::seconds;

/// How many moments a hit carries at most; the best ones.
pub const MOST_MOMENTS: usize = 8;

/// The most neighbouring segments in which words still stand together.
const WIDEST: usize = 3;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hits {
    /// How many recordings match, also those beyond the limit.
    pub total: usize,
    /// The best of them, best first.
    pub hits: Vec<Hit>,
}

/// A recording that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Which.
    pub id: RecordingId,
    /// How well; only comparable within one search. 0 where no words were asked for.
    pub score: f64,
    /// Where, best first, [`MOST_MOMENTS`] at most; empty where only filters
    /// were asked for, or the words stand in title, tags or note.
    pub moments: Vec<Moment>,
    /// How many moments there are in all.
    pub moments_total: usize,
}

/// A stretch of speech that holds words that were searched for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// When the first marked word begins, seconds.
    pub start_s: f64,
    /// When the last segment ends, seconds.
    pub end_s: f64,
    /// What was said; neighbouring segments with a space between them.
    pub text: String,
    /// The found words, or as much of them as was typed: byte offsets into
    /// `text`, from and to, in order.
    pub marks: Vec<(usize, usize)>,
}

/// A found word.
#[derive(Clone, Copy, Default)]
struct Mark {
    /// A bit per clause that it satisfies; 0 where the word was not found.
    clauses: u64,
    /// How many folded bytes of it were typed; none: all.
    typed_len: Option<usize>,
}

/// Neighbouring segments and what they hold.
#[derive(Clone, Copy)]
struct Stretch {
    first: usize,
    last: usize,
    clauses: u64,
    whole_words: usize,
    is_taken: bool,
}

/// The moments of a transcript for rows of wanted words, each with the number of
/// its clause; and how many there are in all.
pub(super) fn moments(said: &Said, pieces: &Pieces, rows: &[(usize, Row)]) -> (Vec<Moment>, usize) {
    let (marks, is_joined) = find(said, pieces, rows);
    let mut found = together(stretches(&said.segments, &marks, &is_joined));
    found.sort_by_key(|stretch| {
        let missing = u64::BITS - stretch.clauses.count_ones();
        (
            missing,
            stretch.last - stretch.first,
            usize::MAX - stretch.whole_words,
            stretch.first,
        )
    });
    let total = found.len();
    let best = found.iter().take(MOST_MOMENTS);
    (
        best.filter_map(|stretch| moment(said, pieces, stretch, &marks))
            .collect(),
        total,
    )
}

/// Marks the words that were found, and the segments over whose end a phrase goes.
fn find(said: &Said, pieces: &Pieces, rows: &[(usize, Row)]) -> (Vec<Mark>, Vec<bool>) {
    let terms: Vec<u32> = said.terms(pieces).collect();
    let mut marks = vec![Mark::default(); terms.len()];
    let mut is_joined = vec![false; said.segments.len()];
    for (clause, row) in rows {
        let len = row.places.len();
        for (at, window) in terms.windows(len.max(1)).enumerate() {
            if !window
                .iter()
                .zip(&row.places)
                .all(|(term, place)| place.holds(*term))
            {
                continue;
            }
            for (offset, mark) in marks.iter_mut().skip(at).take(len).enumerate() {
                let typed_len = if offset + 1 == len {
                    row.typed_len
                } else {
                    None
                };
                // Of two rows that mark a word the one that marks more stands.
                mark.typed_len = match (mark.clauses, mark.typed_len, typed_len) {
                    (0, _, typed) => typed,
                    (_, Some(one), Some(other)) => Some(one.max(other)),
                    _ => None,
                };
                mark.clauses |= 1 << (*clause).min(63);
            }
            if len > 1 {
                let from = segment_of(&said.segments, at);
                let to = segment_of(&said.segments, at + len - 1);
                is_joined
                    .iter_mut()
                    .take(to)
                    .skip(from)
                    .for_each(|joined| *joined = true);
            }
        }
    }
    (marks, is_joined)
}

/// The segment that holds the word at a place.
fn segment_of(segments: &[SaidSegment], place: usize) -> usize {
    segments.partition_point(|segment| segment.first + segment.words <= place)
}

/// All segments, as stretches of one or, where a phrase joins them, several.
fn stretches(segments: &[SaidSegment], marks: &[Mark], is_joined: &[bool]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut joins_next = false;
    for (place, segment) in segments.iter().enumerate() {
        let here = marks.iter().skip(segment.first).take(segment.words);
        let found = here.filter(|mark| mark.clauses != 0);
        let (clauses, whole_words) = found.fold((0, 0), |(clauses, whole), mark| {
            (
                clauses | mark.clauses,
                whole + usize::from(mark.typed_len.is_none()),
            )
        });
        let alone = Stretch {
            first: place,
            last: place,
            clauses,
            whole_words,
            is_taken: false,
        };
        match stretches.last_mut() {
            Some(before) if joins_next => *before = merged(before, &alone),
            _ => stretches.push(alone),
        }
        joins_next = is_joined.get(place).copied().unwrap_or_default();
    }
    stretches
}

fn merged(a: &Stretch, b: &Stretch) -> Stretch {
    Stretch {
        first: a.first,
        last: b.last,
        clauses: a.clauses | b.clauses,
        whole_words: a.whole_words + b.whole_words,
        is_taken: false,
    }
}

/// The stretches that hold something; neighbours are put together where only
/// together they hold all that the transcript holds of the query.
fn together(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    let all = stretches
        .iter()
        .fold(0, |clauses, stretch| clauses | stretch.clauses);
    let mut found = Vec::new();
    if all == 0 {
        return found;
    }
    for width in 1..=WIDEST {
        for first in 0..stretches.len() {
            let Some(window) = stretches.get_mut(first..first + width) else {
                break;
            };
            if window.iter().any(|stretch| stretch.is_taken) {
                continue;
            }
            let Some(whole) = window.iter().copied().reduce(|a, b| merged(&a, &b)) else {
                continue;
            };
            if whole.clauses == all {
                window
                    .iter_mut()
                    .for_each(|stretch| stretch.is_taken = true);
                found.push(whole);
            }
        }
    }
    found.extend(
        stretches
            .into_iter()
            .filter(|stretch| !stretch.is_taken && stretch.clauses != 0),
    );
    found
}

fn moment(said: &Said, pieces: &Pieces, stretch: &Stretch, found: &[Mark]) -> Option<Moment> {
    let mut text = String::new();
    let mut marks = Vec::new();
    let mut start_ms = None;
    let mut end_ms = 0;
    for (place, segment) in said
        .segments
        .get(stretch.first..=stretch.last)?
        .iter()
        .enumerate()
    {
        if place > 0 {
            text.push(' ');
        }
        text.push_str(
            segment
                .lead
                .map(|lead| pieces.text(lead))
                .unwrap_or_default(),
        );
        for at in segment.first..segment.first + segment.words {
            let piece = *said.pieces.get(at)?;
            let written = pieces.text(piece);
            let mark = found.get(at).copied().unwrap_or_default();
            if mark.clauses != 0 {
                let word = written.get(..pieces.word_len(piece)).unwrap_or_default();
                let len = mark
                    .typed_len
                    .map_or(word.len(), |typed| folded_prefix_len(word, typed));
                marks.push((text.len(), text.len() + len));
                start_ms = start_ms.or_else(|| said.starts_ms.get(at).copied());
            }
            text.push_str(written);
        }
        end_ms = segment.end_ms;
    }
    Some(Moment {
        start_s: seconds(start_ms?),
        end_s: seconds(end_ms),
        text,
        marks,
    })
}

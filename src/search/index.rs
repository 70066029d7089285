//! The index: every recording's newest transcript, title, tags and note, in
//! memory, ready to be searched while somebody types.
//!
//! Recordings are numbered in the order in which they come; one that is replaced
//! or removed leaves its number empty and its postings behind, which are passed
//! over until [`Index::sweep`] takes them out. Nothing is written anywhere: the
//! index is made anew at each unlock, and its memory is wiped by the global
//! allocator as it is freed.

use std::collections::HashMap;

use jiff::Zoned;

use super::clip::{Clip, ClipFacts, Names, Said};
use super::filter::ReadyTest;
use super::hit::{Hit, Hits, moments};
use super::lexicon::{NO_TERM, PieceId, Pieces, TermId, Terms};
use super::matching::Row;
use super::query::{Query, Wanted, Words};
use super::rank::{FACT_WEIGHT, Scale, rounded};
use super::text::{fold, words};
use crate::recording::{Recording, RecordingId};
use crate::transcript::Transcript;

/// Between the words of different texts of a recording, so that no phrase goes
/// from the transcript into the note.
const GAP: u32 = 2;

/// All recordings that can be found.
#[derive(Default)]
pub struct Index {
    terms: Terms,
    pieces: Pieces,
    names: Names,
    clips: Vec<Option<Clip>>,
    /// Spoken words per clip.
    lengths: Vec<u32>,
    numbers: HashMap<RecordingId, u32>,
    spoken_words: u64,
}

impl Index {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many recordings it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Takes in a recording and its newest transcript, in place of what it held
    /// of this id before.
    pub fn insert(&mut self, recording: &Recording, transcript: Option<&Transcript>) {
        self.forget(recording.id);
        let number = self.clips.len() as u32;
        let said = transcript
            .map(|transcript| Said::new(transcript, &mut self.pieces, &mut self.terms))
            .unwrap_or_default();
        let mut places: Vec<(TermId, u32)> = said.terms(&self.pieces).zip(0..).collect();
        let spoken = places.len() as u32;
        let mut next = self.place(&recording.card.note, spoken + GAP, &mut places);
        let head_from = next;
        next = self.place(&recording.card.title, next, &mut places);
        for tag in &recording.card.tags {
            next = self.place(tag, next, &mut places);
        }
        places.retain(|(term, _)| *term != NO_TERM);
        places.sort_unstable();
        for group in places.chunk_by(|a, b| a.0 == b.0) {
            let is_in_head = group.last().is_some_and(|(_, place)| *place >= head_from);
            if let Some(postings) = group
                .first()
                .and_then(|(term, _)| self.terms.postings_mut(*term))
            {
                postings.push(number, is_in_head, group.iter().map(|(_, place)| *place));
            }
        }
        let clip = Clip::new(recording, said.pack(), &mut self.names);
        self.keep(clip, spoken);
        self.sweep_if_worth();
    }

    /// Takes a recording out: it is found no more, and what it said is wiped.
    /// Its words stay in the dictionary until [`sweep`](Self::sweep).
    pub fn remove(&mut self, id: RecordingId) {
        self.forget(id);
        self.sweep_if_worth();
    }

    /// Makes the index anew without what was removed, so that no word is left
    /// that only removed recordings held. Takes about a third of a build.
    pub fn sweep(&mut self) {
        let old = std::mem::take(self);
        let mut new_numbers: Vec<Option<u32>> = Vec::with_capacity(old.clips.len());
        let mut new_pieces: Vec<Option<PieceId>> = vec![None; old.pieces.len()];
        for (clip, spoken) in old.clips.into_iter().zip(old.lengths) {
            new_numbers.push(clip.as_ref().map(|_| self.clips.len() as u32));
            let Some(clip) = clip else { continue };
            let mut said = clip.said();
            said.renumber(|piece| {
                let mut intern = || {
                    let (text, word_len) = (old.pieces.text(piece), old.pieces.word_len(piece));
                    self.pieces.intern(text, word_len, &mut self.terms)
                };
                match new_pieces.get_mut(piece as usize) {
                    Some(known) => *known.get_or_insert_with(intern),
                    None => intern(),
                }
            });
            let clip = clip.moved(&old.names, &mut self.names, said.pack());
            self.keep(clip, spoken);
        }
        let mut places = Vec::new();
        for (text, term) in old.terms.all() {
            let Some(postings) = old.terms.postings(term.id) else {
                continue;
            };
            let mut walk = postings.walk();
            while let Some(posting) = walk.next() {
                if let Some(Some(number)) = new_numbers.get(posting.clip as usize) {
                    walk.read_places(&mut places);
                    let term = self.terms.intern(text);
                    if let Some(postings) = self.terms.postings_mut(term) {
                        postings.push(*number, posting.is_in_head, places.iter().copied());
                    }
                }
            }
        }
    }

    /// The recordings that match, best first, `limit` of them with their
    /// moments. A query of filters alone lists the newest first.
    #[must_use]
    pub fn search(&self, query: &Query, now: &Zoned, limit: usize) -> Hits {
        if query.is_futile {
            return Hits::default();
        }
        let last = self.last_added();
        let mut candidates = self.passing(query, now, last);
        let mut rows = Vec::new();
        let scores = self.scores(query, now, last, &mut candidates, &mut rows);
        let mut found: Vec<(i32, i64, u32)> = candidates
            .iter()
            .zip(&self.clips)
            .enumerate()
            .filter(|(_, (matches, _))| **matches)
            .filter_map(|(number, (_, clip))| {
                let score = scores.get(number).copied().unwrap_or_default();
                Some((-rounded(score), -clip.as_ref()?.recorded_ms, number as u32))
            })
            .collect();
        let total = found.len();
        let key = |entry: &(i32, i64, u32)| (entry.0, entry.1, self.id_of(entry.2));
        if limit < total {
            found.select_nth_unstable_by_key(limit, key);
            found.truncate(limit);
        }
        found.sort_unstable_by_key(key);
        let hits = found
            .iter()
            .filter_map(|entry| self.hit(*entry, &rows))
            .collect();
        Hits { total, hits }
    }

    fn hit(&self, (score, _, number): (i32, i64, u32), rows: &[(usize, Row)]) -> Option<Hit> {
        let clip = self.clips.get(number as usize)?.as_ref()?;
        let (moments, moments_total) = if rows.is_empty() {
            (Vec::new(), 0)
        } else {
            moments(&clip.said(), &self.pieces, rows)
        };
        Some(Hit {
            id: clip.id,
            score: f64::from(-score) / 100.0,
            moments,
            moments_total,
        })
    }

    /// Which recordings pass the filter and hold nothing that is excluded.
    fn passing(&self, query: &Query, now: &Zoned, last: Option<RecordingId>) -> Vec<bool> {
        let sieve = query.filter.at(now, last);
        let mut passes: Vec<bool> = self
            .clips
            .iter()
            .map(|clip| {
                clip.as_ref()
                    .is_some_and(|clip| sieve.passes(&self.facts(clip)))
            })
            .collect();
        for words in &query.excluded {
            let mut frequencies = vec![0.0; self.clips.len()];
            Row::new(words, &self.terms).count(&self.terms, &mut frequencies);
            for (passes, frequency) in passes.iter_mut().zip(&frequencies) {
                *passes &= *frequency == 0.0;
            }
        }
        passes
    }

    /// The scores by number. Takes from the candidates those that lack a clause,
    /// and puts the rows that were looked up into `rows`.
    fn scores(
        &self,
        query: &Query,
        now: &Zoned,
        last: Option<RecordingId>,
        candidates: &mut [bool],
        rows: &mut Vec<(usize, Row)>,
    ) -> Vec<f32> {
        let scale = Scale::new(self.len(), self.spoken_words);
        let mut scores = vec![0.0; self.clips.len()];
        for (number, clause) in query.clauses.iter().enumerate() {
            let mut frequencies = vec![0.0; self.clips.len()];
            let mut holding = 0_u32;
            for wanted in &clause.any_of {
                holding = holding.saturating_add(match wanted {
                    Wanted::Words(words) => self.count(words, &mut frequencies, number, rows),
                    Wanted::Fact(test) => {
                        let test = ReadyTest::new(test, now, last);
                        self.count_fact(&test, &mut frequencies)
                    }
                });
            }
            let rarity = scale.rarity(holding);
            let clips = candidates
                .iter_mut()
                .zip(&mut scores)
                .zip(&frequencies)
                .zip(&self.lengths);
            for (((is_candidate, score), frequency), words) in clips {
                *is_candidate &= *frequency > 0.0;
                *score += scale.score(rarity, *frequency, *words);
            }
        }
        scores
    }

    fn count(
        &self,
        words: &Words,
        frequencies: &mut [f32],
        clause: usize,
        rows: &mut Vec<(usize, Row)>,
    ) -> u32 {
        let row = Row::new(words, &self.terms);
        let holding = row.count(&self.terms, frequencies);
        rows.push((clause, row));
        holding
    }

    fn count_fact(&self, test: &ReadyTest<'_>, frequencies: &mut [f32]) -> u32 {
        let mut holding = 0;
        for (clip, frequency) in self.clips.iter().zip(frequencies) {
            if clip
                .as_ref()
                .is_some_and(|clip| test.holds(&self.facts(clip)))
            {
                *frequency += FACT_WEIGHT;
                holding += 1;
            }
        }
        holding
    }

    fn facts<'a>(&'a self, clip: &'a Clip) -> ClipFacts<'a> {
        ClipFacts {
            clip,
            names: &self.names,
        }
    }

    fn id_of(&self, number: u32) -> Option<RecordingId> {
        Some(self.clips.get(number as usize)?.as_ref()?.id)
    }

    fn last_added(&self) -> Option<RecordingId> {
        let clips = self.clips.iter().flatten();
        clips
            .max_by_key(|clip| (clip.added_ms, clip.id))
            .map(|clip| clip.id)
    }

    /// Appends the words of a text at places from `from` on; answers where the
    /// next text may begin.
    fn place(&mut self, text: &str, from: u32, places: &mut Vec<(TermId, u32)>) -> u32 {
        let mut place = from;
        for range in words(text) {
            let folded = fold(text.get(range).unwrap_or_default());
            if !folded.is_empty() {
                places.push((self.terms.intern(&folded), place));
            }
            place += 1;
        }
        place + GAP
    }

    fn keep(&mut self, clip: Clip, spoken: u32) {
        self.numbers.insert(clip.id, self.clips.len() as u32);
        self.clips.push(Some(clip));
        self.lengths.push(spoken);
        self.spoken_words += u64::from(spoken);
    }

    fn forget(&mut self, id: RecordingId) {
        let Some(number) = self.numbers.remove(&id) else {
            return;
        };
        if let Some(clip) = self.clips.get_mut(number as usize) {
            *clip = None;
        }
        if let Some(length) = self.lengths.get_mut(number as usize) {
            self.spoken_words -= u64::from(std::mem::take(length));
        }
    }

    /// What was removed costs memory and time once it is much.
    fn sweep_if_worth(&mut self) {
        let empty = self.clips.len() - self.len();
        if empty > 1000 && empty > self.len() / 2 {
            self.sweep();
        }
    }
}

//! The words of all transcripts, each kept once.
//!
//! A *term* is a folded word: what is looked up. A *piece* is a word as it was
//! written together with what follows it up to the next word ("Heater, "): a
//! transcript is kept as a row of piece numbers, a third of its size as text,
//! and comes back letter by letter.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::postings::Postings;
use super::text::fold_into;

/// The number of a term.
pub(super) type TermId = u32;
/// The number of a piece.
pub(super) type PieceId = u32;

/// Stands for the term of a piece without a word.
pub(super) const NO_TERM: TermId = TermId::MAX;

/// A term in the dictionary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) id: TermId,
    /// Which letters it holds; see [`letters`].
    pub(super) letters: u32,
}

/// All terms in the order of their letters, and where they stand.
#[derive(Default)]
pub(super) struct Terms {
    sorted: BTreeMap<Box<str>, Term>,
    postings: Vec<Postings>,
}

impl Terms {
    /// The term of these letters, made if it is new.
    pub(super) fn intern(&mut self, folded: &str) -> TermId {
        if let Some(term) = self.sorted.get(folded) {
            return term.id;
        }
        let id = self.postings.len() as TermId;
        self.postings.push(Postings::default());
        self.sorted.insert(
            folded.into(),
            Term {
                id,
                letters: letters(folded),
            },
        );
        id
    }

    pub(super) fn get(&self, folded: &str) -> Option<TermId> {
        self.sorted.get(folded).map(|term| term.id)
    }

    /// The terms that begin like this, the equal one first if there is one.
    pub(super) fn beginning<'a>(&'a self, with: &'a str) -> impl Iterator<Item = (&'a str, Term)> {
        self.sorted
            .range::<str, _>((std::ops::Bound::Included(with), std::ops::Bound::Unbounded))
            .map(|(text, term)| (&**text, *term))
            .take_while(move |(text, _)| text.starts_with(with))
    }

    /// All terms.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Term)> {
        self.sorted.iter().map(|(text, term)| (&**text, *term))
    }

    /// How many numbers were given out.
    pub(super) fn len(&self) -> usize {
        self.postings.len()
    }

    pub(super) fn postings(&self, term: TermId) -> Option<&Postings> {
        self.postings.get(term as usize)
    }

    pub(super) fn postings_mut(&mut self, term: TermId) -> Option<&mut Postings> {
        self.postings.get_mut(term as usize)
    }
}

/// A bit for each letter that a word holds (letters 32 apart share one), by
/// which most unlike words are told apart without comparing them.
pub(super) fn letters(word: &str) -> u32 {
    word.chars()
        .fold(0, |bits, c| bits | 1 << (u32::from(c) & 31))
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u32,
    word_len: u32,
    term: TermId,
}

/// All pieces.
#[derive(Default)]
pub(super) struct Pieces {
    letters: String,
    all: Vec<Piece>,
    by_text: HashTable<PieceId>,
    hasher: DefaultHashBuilder,
}

impl Pieces {
    /// The piece of this text, whose first `word_len` bytes are a word (0: none).
    pub(super) fn intern(&mut self, text: &str, word_len: usize, terms: &mut Terms) -> PieceId {
        let hash = self.hasher.hash_one(text);
        let is_same = |id: &PieceId| {
            text_of(&self.letters, &self.all, *id) == text
                && self
                    .all
                    .get(*id as usize)
                    .is_some_and(|piece| piece.word_len as usize == word_len)
        };
        if let Some(id) = self.by_text.find(hash, is_same) {
            return *id;
        }
        let mut folded = String::new();
        fold_into(text.get(..word_len).unwrap_or_default(), &mut folded);
        let term = if folded.is_empty() {
            NO_TERM
        } else {
            terms.intern(&folded)
        };
        let id = self.all.len() as PieceId;
        self.all.push(Piece {
            start: self.letters.len() as u32,
            word_len: word_len as u32,
            term,
        });
        self.letters.push_str(text);
        let (letters, all, hasher) = (&self.letters, &self.all, &self.hasher);
        self.by_text.insert_unique(hash, id, |other| {
            hasher.hash_one(text_of(letters, all, *other))
        });
        id
    }

    /// What is written in a piece.
    pub(super) fn text(&self, id: PieceId) -> &str {
        text_of(&self.letters, &self.all, id)
    }

    /// The length of the word at the start of a piece, bytes.
    pub(super) fn word_len(&self, id: PieceId) -> usize {
        self.all
            .get(id as usize)
            .map_or(0, |piece| piece.word_len as usize)
    }

    /// The term of a piece, or [`NO_TERM`].
    pub(super) fn term(&self, id: PieceId) -> TermId {
        self.all
            .get(id as usize)
            .map_or(NO_TERM, |piece| piece.term)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

fn text_of<'a>(letters: &'a str, all: &[Piece], id: PieceId) -> &'a str {
    let start = |at: usize| {
        all.get(at)
            .map_or(letters.len(), |piece| piece.start as usize)
    };
    letters
        .get(start(id as usize)..start(id as usize + 1))
        .unwrap_or_default()
}

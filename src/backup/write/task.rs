//! A piece of work of a backup: a recording, or a stretch of the sound of a long one.

use std::ops::Range;

use crate::vault::copying::Stocked;

/// A recording that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub stocked: Stocked,
    pub sound: Sound,
    /// What is known to be missing of the sound that lies in an earlier segment.
    pub lost: Vec<(u64, u64)>,
}

/// What becomes of its sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// It is written, or this stretch of it.
    Here(Stretch),
    /// It lies in the segment of this number.
    At(u32),
    /// It was shredded.
    Gone,
    /// The vault has lost it, and so far no segment has it.
    Lost,
}

/// A stretch of the sound of a recording: all of it, unless that is too long for a
/// segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its number, from 1, and how many there are.
    pub number: u32,
    pub of: u32,
    /// The segments of sound in it.
    pub from: u64,
    pub to: u64,
}

impl Stretch {
    /// All of the sound.
    pub(super) fn whole(stocked: &Stocked) -> Self {
        Self {
            number: 1,
            of: 1,
            from: 0,
            to: stocked.segments,
        }
    }

    /// Whether the words are written with it.
    pub(super) fn is_last(self) -> bool {
        self.number == self.of
    }

    pub(super) fn span(self) -> Range<u64> {
        self.from..self.to
    }
}

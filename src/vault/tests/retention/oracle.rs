//! What is true of a vault whose clock may be wrong, and what must hold of it then.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{DAY_MS, Kind, World};
use crate::recording::{Recording, RecordingId};
use crate::retention::Going;
use crate::vault::Swept;

/// What is true of a recording, whatever clocks say.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    pub(super) kind: Kind,
    /// By a clock that never leaps.
    pub(super) entered_ms: i64,
    /// What the clock said then.
    pub(super) told_ms: i64,
    /// Its date, as that clock has it.
    pub(super) date_ms: i64,
    /// From when its age counts at the latest: later than it entered if a clock was ahead.
    pub(super) counts_from_ms: i64,
    pub(super) tagged: bool,
    pub(super) pinned: bool,
    pub(super) merged: bool,
    pub(super) written: bool,
}

impl Truth {
    /// Whether the clock was right or ahead when it was recorded.
    fn is_honest(&self) -> bool {
        self.told_ms >= self.entered_ms
    }

    /// Whether it is still to be written down.
    fn is_awaited(&self) -> bool {
        matches!(self.kind, Kind::Complete | Kind::Interrupted) && !self.written
    }
}

/// What must hold after a sweep, by another reading of the rules than theirs.
pub(super) struct Oracle {
    /// How far the clock is off.
    pub(super) skew_ms: i64,
    /// Whether it ever was.
    pub(super) ever_wrong: bool,
    /// Whether the vault may have seen a time that is still to come, and nobody has said
    /// since what time it is.
    pub(super) seen_ahead: bool,
    pub(super) true_ms: i64,
    pub(super) truths: BTreeMap<RecordingId, Truth>,
    /// Days for audio and text: for all, and for the tag.
    pub(super) rules: [(Option<u32>, Option<u32>); 2],
}

impl Oracle {
    fn days(&self, truth: &Truth) -> (Option<u32>, Option<u32>) {
        let [all, tag] = self.rules;
        match truth.tagged {
            true => (tag.0.or(all.0), tag.1.or(all.1)),
            false => all,
        }
    }

    /// Whether the sound is kept for nothing but a transcript, and waits for it.
    fn waits(&self, truth: &Truth, recording: &Recording) -> bool {
        let both_there = recording.audio_bytes > 0 && !recording.text_shredded;
        self.days(truth).0 == Some(0) && truth.is_awaited() && both_there
    }

    /// Whether so many days have truly gone by since then.
    fn over(&self, from_ms: i64, days: Option<u32>) -> bool {
        days.is_some_and(|days| self.true_ms >= from_ms.saturating_add(i64::from(days) * DAY_MS))
    }

    /// What the vault knows of time from somebody who has a watch.
    pub(super) fn confirmed(&mut self) {
        self.seen_ahead = false;
        for truth in self.truths.values_mut() {
            // A date in the future is the owner's, and what still waits in the inbox has
            // the time at which it came in on its card.
            let on_card_ms = match truth.merged {
                true => truth.date_ms,
                false => truth.date_ms.max(truth.told_ms),
            };
            let from_ms = on_card_ms.max(self.true_ms);
            truth.counts_from_ms = truth.counts_from_ms.min(from_ms);
        }
    }

    /// Nothing went that is pinned or whose time had not truly come.
    pub(super) fn check_gone(&self, swept: &Swept) -> Result<(), TestCaseError> {
        for gone in &swept.gone {
            let truth = &self.truths[&gone.id];
            prop_assert!(!truth.pinned, "a pinned one went: {:?}", gone.what);
            prop_assert!(truth.merged);
            let (audio, text) = self.days(truth);
            let entered_ms = truth.entered_ms;
            let (audio, text) = (self.over(entered_ms, audio), self.over(entered_ms, text));
            let was = gone.recording.as_ref().unwrap();
            prop_assert!(!self.waits(truth, was), "it waited: {:?}", gone.what);
            let is_due = match gone.what {
                Going::Audio => audio,
                Going::Text => text,
                Going::Everything => (audio || was.audio_bytes == 0) && (text || was.text_shredded),
            };
            // A recorder whose clock was behind is as right as the last time seen.
            prop_assert!(
                is_due || !truth.is_honest(),
                "{:?} went early: {truth:?}",
                gone.what
            );
        }
        Ok(())
    }

    /// Nothing is left whose time has come, by a clock that is right.
    pub(super) fn check_left(&self, world: &World) -> Result<(), TestCaseError> {
        for recording in world.open.recordings().unwrap() {
            let truth = &self.truths[&recording.id];
            let (audio, text) = self.days(truth);
            let from_ms = truth.counts_from_ms;
            let (audio, text) = (self.over(from_ms, audio), self.over(from_ms, text));
            let late = (audio && recording.audio_bytes > 0) || (text && !recording.text_shredded);
            let stays = truth.pinned || self.waits(truth, &recording);
            prop_assert!(stays || !late, "it is still there: {truth:?}");
        }
        Ok(())
    }
}

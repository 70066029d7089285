//! The recordings as the list shows them: by day, newest first.
//!
//! Rows are made once when the recordings change, never while drawing, so that
//! a frame costs the same for six recordings as for 36,500.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use crate::recording::{Recording, RecordingId};

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// The heading of a day.
    Day(Date),
    /// The recording of this index.
    Recording(usize),
}

/// A cursor in a list and the first row in sight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scroll {
    /// The row under the cursor.
    pub cursor: usize,
    /// The first row in sight.
    pub top: usize,
}

impl Scroll {
    /// Brings the cursor into sight. Moves by half a screen: over a slow line
    /// one large move now and then costs less than a small one with each key.
    pub fn show(&mut self, height: usize, rows: usize) {
        let height = height.max(1);
        let half = height / 2;
        if self.cursor < self.top {
            let step = if self.top - self.cursor <= half {
                half
            } else {
                0
            };
            self.top = self.cursor.saturating_sub(step);
        } else if self.cursor >= self.top + height {
            let step = if self.cursor - self.top < height + half {
                half
            } else {
                0
            };
            self.top = self.cursor + 1 + step - height;
        }
        self.top = self.top.min(rows.saturating_sub(height));
    }
}

/// Everything in the vault.
#[derive(Default)]
pub struct Library {
    recordings: Arc<Vec<Recording>>,
    rows: Vec<Row>,
    row_of: Vec<usize>,
    index: HashMap<RecordingId, usize>,
    /// Where the list stands.
    pub scroll: Scroll,
    /// Marked for export or shred.
    pub marked: BTreeSet<RecordingId>,
    /// Where the person is, it is this day.
    pub today: Date,
    /// Length of all, seconds.
    pub total_s: f64,
    /// Sealed sound of all, bytes.
    pub total_bytes: u64,
    /// How many rows and recordings were given out to be looked at.
    #[cfg(test)]
    pub looked_at: std::cell::Cell<usize>,
}

impl Library {
    /// Takes the recordings, newest first, in place of those there were. The
    /// cursor stays on its recording, or near it when that is gone.
    pub fn replace(&mut self, recordings: Arc<Vec<Recording>>, today: Date) {
        let under = self.current().map(|recording| recording.id);
        self.today = today;
        self.recordings = recordings;
        self.arrange(under);
    }

    /// Takes one recording that is new or another than before.
    pub fn change(&mut self, recording: Recording) {
        let under = self.current().map(|recording| recording.id);
        let recordings = Arc::make_mut(&mut self.recordings);
        match self
            .index
            .get(&recording.id)
            .and_then(|at| recordings.get_mut(*at))
        {
            Some(slot) => *slot = recording,
            None => recordings.push(recording),
        }
        recordings.sort_by_key(|recording| {
            Reverse((recording.card.recorded_at, recording.card.added_at))
        });
        self.arrange(under);
    }

    /// Drops recordings that are gone.
    pub fn remove(&mut self, ids: &[RecordingId]) {
        let under = self.current().map(|recording| recording.id);
        Arc::make_mut(&mut self.recordings).retain(|recording| !ids.contains(&recording.id));
        self.arrange(under);
    }

    /// Makes the rows, and puts the cursor back.
    fn arrange(&mut self, under: Option<RecordingId>) {
        self.rows.clear();
        self.row_of.clear();
        self.index.clear();
        self.total_s = 0.0;
        self.total_bytes = 0;
        let mut day = None;
        for (at, recording) in self.recordings.iter().enumerate() {
            let date = recording.card.recorded_at.to_zoned().date();
            if day != Some(date) {
                day = Some(date);
                self.rows.push(Row::Day(date));
            }
            self.row_of.push(self.rows.len());
            self.rows.push(Row::Recording(at));
            self.index.insert(recording.id, at);
            self.total_s += recording.card.duration().as_secs_f64();
            self.total_bytes += recording.audio_bytes;
        }
        self.marked.retain(|id| self.index.contains_key(id));
        if !under.is_some_and(|id| self.go_to(id)) {
            self.scroll.cursor = self.scroll.cursor.min(self.rows.len().saturating_sub(1));
            self.settle();
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.recordings.len()
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recordings.is_empty()
    }

    /// How many rows there are, days included.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// The rows in sight where so many fit, each with its place among all.
    pub fn in_sight(&self, height: usize) -> impl Iterator<Item = (usize, Row)> {
        let top = self.scroll.top.min(self.rows.len());
        let rows = &self.rows[top..self.rows.len().min(top.saturating_add(height))];
        #[cfg(test)]
        self.looked_at.update(|before| before + rows.len());
        (top..).zip(rows.iter().copied())
    }

    /// The recording of a row's index.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<&Recording> {
        #[cfg(test)]
        self.looked_at.update(|before| before + 1);
        self.recordings.get(index)
    }

    /// The recording of this id.
    #[must_use]
    pub fn get(&self, id: RecordingId) -> Option<&Recording> {
        self.index.get(&id).and_then(|at| self.at(*at))
    }

    /// The recording under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Recording> {
        match self.rows.get(self.scroll.cursor)? {
            Row::Recording(at) => self.at(*at),
            Row::Day(_) => None,
        }
    }

    /// Puts the cursor on a recording, if it is there.
    pub fn go_to(&mut self, id: RecordingId) -> bool {
        let row = self.index.get(&id).and_then(|at| self.row_of.get(*at));
        if let Some(row) = row {
            self.scroll.cursor = *row;
        }
        row.is_some()
    }

    /// Moves the cursor by recordings, days not counted.
    pub fn step(&mut self, by: isize) {
        let mut left = by.unsigned_abs();
        let mut at = self.scroll.cursor;
        while left > 0 {
            let next = if by < 0 {
                at.checked_sub(1)
            } else {
                Some(at + 1)
            };
            let Some(row) = next.and_then(|next| self.rows.get(next)) else {
                break;
            };
            at = next.unwrap_or(at);
            if let Row::Recording(_) = row {
                self.scroll.cursor = at;
                left -= 1;
            }
        }
    }

    /// From a heading to the recording below it.
    fn settle(&mut self) {
        if let Some(Row::Day(_)) = self.rows.get(self.scroll.cursor) {
            self.scroll.cursor += 1;
        }
    }

    /// To the newest.
    pub fn first(&mut self) {
        self.scroll.cursor = 0;
        self.settle();
    }

    /// To the oldest.
    pub fn last(&mut self) {
        self.scroll.cursor = self.rows.len().saturating_sub(1);
    }
}

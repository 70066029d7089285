//! The text in the editor, and what keys do to it.
//!
//! A line for each segment, broken softly to the width of the screen. Lines are
//! neither parted nor joined: each keeps the times of its segment. Nothing here
//! does I/O, and nothing can be printed by accident.

mod sight;

use std::mem;

use ratatui::layout::Size;
use unicode_width::UnicodeWidthChar;

use crate::time;
use crate::transcript::Transcript;
use crate::tui::input::{Input, Key};
use crate::tui::model::line::{Edited, Line};

/// The transcript being edited.
pub(super) struct Sheet {
    lines: Vec<Entry>,
    row: usize,
    /// First in sight: the line, and which of its rows.
    top: (usize, usize),
    /// The column that going up and down keeps to.
    goal: Option<usize>,
    size: Size,
    /// What keys mean.
    pub(super) phase: Phase,
}

/// A segment's line.
struct Entry {
    time: String,
    line: Line,
    /// The text of the segment, and as it was put into the line.
    text: String,
    shown: String,
}

/// What keys mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// They edit.
    Editing,
    /// They answer whether the changes are to be thrown away.
    Asking,
}

/// What follows from a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing but a new picture.
    Draw,
    /// The lines are to be kept.
    Keep,
    /// They are not.
    Discard,
    /// The job is to be stopped.
    Suspend,
}

impl Sheet {
    /// The lines of a transcript, the cursor before the first.
    pub(super) fn new(transcript: &Transcript, size: Size) -> Self {
        let lines = transcript.segments.iter().map(|segment| {
            let mut line = Line::new(&segment.text);
            line.put_cursor(0);
            let start = std::time::Duration::from_millis(segment.start_ms.into());
            Entry {
                time: time::clock(start),
                shown: line.text().to_owned(),
                text: segment.text.clone(),
                line,
            }
        });
        Self {
            lines: lines.collect(),
            row: 0,
            top: (0, 0),
            goal: None,
            size,
            phase: Phase::Editing,
        }
    }

    /// Whether a line says something else than at first.
    pub(super) fn is_changed(&self) -> bool {
        self.lines.iter().any(Entry::is_changed)
    }

    /// What each segment says now; where nothing was changed, exactly as it was.
    pub(super) fn into_lines(self) -> Vec<String> {
        let said = |entry: Entry| match entry.is_changed() {
            true => entry.line.text().to_owned(),
            false => entry.text,
        };
        self.lines.into_iter().map(said).collect()
    }

    /// The screen has another size.
    pub(super) fn resize(&mut self, size: Size) {
        self.size = size;
        self.show();
    }

    /// Does what was typed or pasted.
    pub(super) fn take(&mut self, input: Input) -> Next {
        let next = match (input, self.phase) {
            (Input::Key(Key::Ctrl('z')), _) => Next::Suspend,
            (Input::Key(key), Phase::Asking) => self.answer(key),
            (Input::Key(key), Phase::Editing) => self.press(key),
            (Input::Paste(text), Phase::Editing) => {
                if let Some(entry) = self.lines.get_mut(self.row) {
                    entry.line.insert(&text);
                }
                Next::Draw
            }
            (Input::Paste(_), Phase::Asking) => Next::Draw,
        };
        self.show();
        next
    }

    fn answer(&mut self, key: Key) -> Next {
        self.phase = Phase::Editing;
        match key {
            Key::Char('y' | 'Y') => Next::Discard,
            _ => Next::Draw,
        }
    }

    fn press(&mut self, key: Key) -> Next {
        let goal = mem::take(&mut self.goal);
        match key {
            Key::Ctrl('s') => return Next::Keep,
            Key::Esc | Key::Ctrl('c' | 'q') if self.is_changed() => self.phase = Phase::Asking,
            Key::Esc | Key::Ctrl('c' | 'q') => return Next::Discard,
            Key::Up => self.climb(-1, goal),
            Key::Down => self.climb(1, goal),
            Key::PageUp => self.climb(-self.page(), goal),
            Key::PageDown => self.climb(self.page(), goal),
            Key::Enter | Key::Tab => self.go(self.row + 1, Edge::Start),
            Key::BackTab => self.go(self.row.saturating_sub(1), Edge::Start),
            Key::Left if self.row > 0 && self.cursor() == 0 => self.go(self.row - 1, Edge::End),
            Key::Right if self.cursor() == self.text(self.row).len() => {
                self.go(self.row + 1, Edge::Start);
            }
            key => {
                if let Some(entry) = self.lines.get_mut(self.row) {
                    let (Edited::Text | Edited::Cursor | Edited::Nothing) = entry.line.edit(key);
                }
            }
        }
        Next::Draw
    }

    /// To another line, if there is one.
    fn go(&mut self, row: usize, edge: Edge) {
        if let Some(entry) = self.lines.get_mut(row) {
            entry.line.put_cursor(match edge {
                Edge::Start => 0,
                Edge::End => entry.line.text().len(),
            });
            self.row = row;
        }
    }

    /// So many rows of the screen down, or up, to the column of before.
    fn climb(&mut self, rows: isize, goal: Option<usize>) {
        let (mut part, column) = self.place();
        let goal = goal.unwrap_or(column);
        let mut row = self.row;
        for _ in 0..rows.unsigned_abs() {
            let parts = self.parts(row).len();
            (row, part) = match rows > 0 {
                true if part + 1 < parts => (row, part + 1),
                true if row + 1 < self.lines.len() => (row + 1, 0),
                false if part > 0 => (row, part - 1),
                false if row > 0 => (row - 1, self.parts(row - 1).len().saturating_sub(1)),
                _ => break,
            };
        }
        let (from, to) = self.parts(row).get(part).copied().unwrap_or_default();
        let mut columns = 0;
        let here = self.text(row).get(from..to).unwrap_or_default();
        let at = here.char_indices().find(|(_, letter)| {
            columns += letter.width().unwrap_or(0);
            columns > goal
        });
        let at = from + at.map_or(here.len(), |(at, _)| at);
        if let Some(entry) = self.lines.get_mut(row) {
            entry.line.put_cursor(at);
        }
        (self.row, self.goal) = (row, Some(goal));
    }

    fn text(&self, row: usize) -> &str {
        self.lines.get(row).map_or("", |entry| entry.line.text())
    }

    fn cursor(&self) -> usize {
        self.lines
            .get(self.row)
            .map_or(0, |entry| entry.line.cursor())
    }
}

impl Entry {
    fn is_changed(&self) -> bool {
        self.line.text() != self.shown
    }
}

/// Where in a line.
#[derive(Clone, Copy)]
enum Edge {
    Start,
    End,
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::transcript::samples::spoken;

    fn sheet(columns: u16, rows: u16) -> Sheet {
        let said = spoken(&[
            (0, 2_000, "the quick brown fox jumps over the lazy dog"),
            (2_000, 4_000, "and sleeps"),
            (3_723_000, 3_725_000, "until noon"),
        ]);
        Sheet::new(&said, Size::new(columns, rows))
    }

    fn keys(sheet: &mut Sheet, keys: &[Key]) {
        for key in keys {
            let _ = sheet.take(Input::Key(*key));
        }
    }

    fn seen(sheet: &Sheet) -> Vec<(&str, &str)> {
        let rows = sheet.rows().into_iter();
        rows.map(|row| (row.time, row.text)).collect()
    }

    #[test]
    fn long_lines_break_and_times_stand_at_their_first_row() {
        let sheet = sheet(30, 20);
        assert_eq!(
            seen(&sheet),
            [
                ("0:00", "the quick brown fox"),
                ("", "jumps over the lazy"),
                ("", "dog"),
                ("0:02", "and sleeps"),
                ("1:02:03", "until noon"),
            ]
        );
    }

    #[test]
    fn the_cursor_climbs_over_soft_breaks_and_keeps_its_column() {
        let mut sheet = sheet(30, 20);
        keys(&mut sheet, &[Key::Right; 8]);
        assert_eq!(sheet.cursor_in_sight(), (8, 0));
        keys(&mut sheet, &[Key::Down, Key::Down]);
        assert_eq!(sheet.cursor_in_sight(), (3, 2), "the row is shorter");
        keys(&mut sheet, &[Key::Down]);
        assert_eq!(sheet.cursor_in_sight(), (8, 3));
        keys(&mut sheet, &[Key::Up, Key::Up, Key::Up, Key::Up]);
        assert_eq!(sheet.cursor_in_sight(), (8, 0));
        keys(&mut sheet, &[Key::End, Key::Right]);
        assert_eq!(sheet.cursor_in_sight(), (0, 3), "on to the next line");
        keys(&mut sheet, &[Key::Left]);
        assert_eq!(sheet.cursor_in_sight(), (3, 2));
    }

    #[test]
    fn what_is_in_sight_follows_the_cursor() {
        let mut sheet = sheet(30, 4);
        assert_eq!(sheet.body(), 2);
        keys(&mut sheet, &[Key::Enter, Key::Enter]);
        assert_eq!(
            seen(&sheet),
            [("0:02", "and sleeps"), ("1:02:03", "until noon")]
        );
        keys(&mut sheet, &[Key::PageUp, Key::PageUp]);
        assert_eq!(sheet.cursor_in_sight(), (0, 0));
        sheet.resize(Size::new(80, 1));
        assert_eq!(sheet.rows().len(), 1);
        for (columns, rows) in [(0, 0), (1, 1), (2, 7), (7, 3)] {
            sheet.resize(Size::new(columns, rows));
            keys(
                &mut sheet,
                &[Key::PageDown, Key::Down, Key::PageUp, Key::Up],
            );
            assert!(sheet.rows().len() <= usize::from(rows));
        }
    }

    #[test]
    fn only_what_was_typed_is_changed() {
        let mut sheet = sheet(80, 24);
        keys(
            &mut sheet,
            &[Key::Enter, Key::End, Key::Char('s'), Key::Backspace],
        );
        assert!(!sheet.is_changed());
        keys(&mut sheet, &[Key::Home, Key::Char('H')]);
        let _ = sheet.take(Input::Paste(Zeroizing::new("e\nwakes ".to_owned())));
        assert!(sheet.is_changed());
        let lines = sheet.into_lines();
        assert_eq!(lines[1], "He wakes and sleeps");
        assert_eq!(lines[2], "until noon");
    }

    #[test]
    fn leaving_asks_only_where_something_would_be_lost() {
        let mut clean = sheet(80, 24);
        assert!(clean.take(Input::Key(Key::Esc)) == Next::Discard);
        let mut changed = sheet(80, 24);
        keys(&mut changed, &[Key::Char('x')]);
        assert!(changed.take(Input::Key(Key::Esc)) == Next::Draw);
        assert!(changed.phase == Phase::Asking);
        assert!(changed.take(Input::Key(Key::Enter)) == Next::Draw, "no");
        keys(&mut changed, &[Key::Esc]);
        assert!(changed.take(Input::Key(Key::Char('y'))) == Next::Discard);
        assert!(changed.take(Input::Key(Key::Ctrl('s'))) == Next::Keep);
    }
}

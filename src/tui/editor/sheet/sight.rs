//! What of the text is in sight: lines broken softly into rows, and where among them the
//! cursor is.

use unicode_width::UnicodeWidthChar;

use super::Sheet;
use crate::tui::model::reading::wrap;

/// Narrower screens show no times.
const NARROW: u16 = 30;

/// One row of the screen.
pub(in crate::tui::editor) struct Row<'a> {
    /// When the segment begins; empty on its further rows.
    pub(in crate::tui::editor) time: &'a str,
    /// What stands there.
    pub(in crate::tui::editor) text: &'a str,
}

impl Sheet {
    /// How many rows a key for a page goes.
    pub(super) fn page(&self) -> isize {
        isize::from(self.body().saturating_sub(1).max(1).cast_signed().max(1))
    }

    /// How many rows the text has on the screen.
    pub(in crate::tui::editor) fn body(&self) -> u16 {
        match self.size.height {
            rows @ 0..=2 => rows,
            rows => rows - 2,
        }
    }

    /// Columns before the text.
    pub(in crate::tui::editor) fn margin(&self) -> u16 {
        let longest = self.lines.last().map_or(0, |entry| entry.time.len());
        match self.size.width {
            0..NARROW => 0,
            // The last time is the longest, and short.
            _ => u16::try_from(longest + 2).unwrap_or(0),
        }
    }

    /// The byte ranges of a line's rows; the last column is the cursor's.
    pub(super) fn parts(&self, row: usize) -> Vec<(usize, usize)> {
        let room = self.size.width.saturating_sub(self.margin() + 1).max(1);
        let mut parts = Vec::new();
        wrap(self.text(row), room.into(), &mut |from, to| {
            parts.push((from, to));
        });
        parts
    }

    /// In which row of its line the cursor is, and in which column of that.
    pub(super) fn place(&self) -> (usize, usize) {
        let (parts, cursor) = (self.parts(self.row), self.cursor());
        let part = parts
            .partition_point(|(from, _)| *from <= cursor)
            .saturating_sub(1);
        let from = parts.get(part).map_or(0, |(from, _)| *from);
        let before = self.text(self.row).get(from..cursor).unwrap_or_default();
        (
            part,
            before.chars().filter_map(UnicodeWidthChar::width).sum(),
        )
    }

    /// Moves what is in sight so that the cursor is.
    pub(super) fn show(&mut self) {
        let here = (self.row, self.place().0);
        let last = self.parts(self.top.0).len().saturating_sub(1);
        self.top.1 = self.top.1.min(last);
        if here < self.top {
            self.top = here;
        }
        let mut between = self.rows_between(self.top, here);
        while between >= usize::from(self.body().max(1)) {
            self.top = match self.top {
                (row, part) if part + 1 < self.parts(row).len() => (row, part + 1),
                (row, _) => (row + 1, 0),
            };
            between -= 1;
        }
    }

    fn rows_between(&self, from: (usize, usize), to: (usize, usize)) -> usize {
        let rows: usize = (from.0..to.0).map(|row| self.parts(row).len()).sum();
        (rows + to.1).saturating_sub(from.1)
    }

    /// What is in sight, from the top.
    pub(in crate::tui::editor) fn rows(&self) -> Vec<Row<'_>> {
        let (first, skipped) = self.top;
        let rows = self.lines.iter().enumerate().skip(first);
        rows.flat_map(|(row, entry)| {
            let part = move |(number, (from, to))| Row {
                time: if number == 0 { entry.time.as_str() } else { "" },
                text: entry.line.text().get(from..to).unwrap_or_default(),
            };
            self.parts(row).into_iter().enumerate().map(part)
        })
        .skip(skipped)
        .take(self.body().into())
        .collect()
    }

    /// Where the cursor stands: column of the text, and row in sight.
    pub(in crate::tui::editor) fn cursor_in_sight(&self) -> (usize, usize) {
        let (part, column) = self.place();
        (column, self.rows_between(self.top, (self.row, part)))
    }
}

//! Putting text on the screen: always inside it, whatever the text holds.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::error::plain;

/// Columns that text takes.
#[must_use]
pub(in crate::tui) fn columns(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// Text without control characters, cut to `width` columns with `…`.
#[must_use]
pub(in crate::tui) fn fit(text: &str, width: u16) -> String {
    let width = usize::from(width);
    let mut text = plain(text);
    if text.width() <= width {
        return text;
    }
    let mut left = width.saturating_sub(1);
    let kept = text.char_indices().find(|(_, letter)| {
        let wide = letter.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        !fits
    });
    if let Some((end, _)) = kept {
        text.truncate(end);
    }
    if width > 0 {
        text.push('…');
    } else {
        text.clear();
    }
    text
}

/// A part of the screen to write into; rows and columns count from its corner.
pub(in crate::tui) struct Pane<'a> {
    buffer: &'a mut Buffer,
    /// Where it lies.
    pub(in crate::tui) area: Rect,
}

impl<'a> Pane<'a> {
    /// A pane over the part of `area` that the screen has.
    pub(in crate::tui) fn new(buffer: &'a mut Buffer, area: Rect) -> Self {
        let area = area.intersection(buffer.area);
        Self { buffer, area }
    }

    /// A pane over a part of this one.
    pub(in crate::tui) fn part(&mut self, area: Rect) -> Pane<'_> {
        Pane::new(self.buffer, area.intersection(self.area))
    }

    /// Writes one line from a column on, cut at the pane's edge; says in which
    /// column it ended.
    pub(in crate::tui) fn put(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        if y >= self.area.height || x >= self.area.width {
            return x;
        }
        let text = fit(text, self.area.width - x);
        let (end, _) = self.buffer.set_stringn(
            self.area.x + x,
            self.area.y + y,
            &text,
            usize::from(self.area.width - x),
            style,
        );
        end - self.area.x
    }

    /// Writes one line that ends in the column before `end`.
    pub(in crate::tui) fn put_right(&mut self, end: u16, y: u16, text: &str, style: Style) {
        let text = fit(text, end.min(self.area.width));
        self.put(
            end.min(self.area.width).saturating_sub(columns(&text)),
            y,
            &text,
            style,
        );
    }

    /// Fills a row with one character.
    pub(in crate::tui) fn fill(&mut self, y: u16, symbol: &str, style: Style) {
        let text = symbol.repeat(usize::from(self.area.width));
        self.put(0, y, &text, style);
    }

    /// Empties it.
    pub(in crate::tui) fn clear(&mut self) {
        for row in self.area.rows() {
            for place in row.columns() {
                if let Some(cell) = self.buffer.cell_mut((place.x, place.y)) {
                    cell.reset();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_cut_says_so_and_keeps_the_columns() {
        assert_eq!(fit("Interview, Bellini", 9), "Intervie…");
        assert_eq!(fit("日本語です", 5), "日本…");
        assert_eq!(fit("日本語です", 4), "日…");
        assert_eq!(fit("a\x1b[31mb", 10), "a[31mb");
        assert_eq!(fit("abc", 0), "");
    }

    proptest! {
        #[test]
        fn no_text_is_wider_than_its_room(text in any::<String>(), width in 0u16..40) {
            prop_assert!(columns(&fit(&text, width)) <= width);
        }
    }
}

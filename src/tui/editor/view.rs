//! How the editor looks: what it is about, the text, what keys do.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::sheet::{Phase, Sheet};
use crate::tui::theme::Theme;
use crate::tui::view::paint::Pane;

const KEYS: &str = "^s store · esc leave · ⏎ next line";
const QUESTION: &str = "throw the changes away? y · else no";

/// Draws it, at any size.
pub(super) fn view(heading: &str, sheet: &Sheet, theme: &Theme, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let body = sheet.body();
    let above = u16::from(body < screen.height);
    let row = |y, height| Rect {
        y,
        height,
        ..screen
    };
    let last = screen.height.saturating_sub(1);
    let asking = sheet.phase == Phase::Asking;
    let buffer = frame.buffer_mut();
    if above > 0 {
        let mut header = Pane::new(buffer, row(0, 1));
        header.put(0, 0, heading, theme.strong);
        if sheet.is_changed() {
            header.put_right(screen.width, 0, " changed", theme.accent);
        }
    }
    let margin = sheet.margin();
    let mut text = Pane::new(buffer, row(above, body));
    for (y, line) in (0..).zip(sheet.rows()) {
        if margin > 0 {
            text.put_right(margin.saturating_sub(2), y, line.time, theme.faint);
        }
        text.put(margin, y, line.text, Style::new());
    }
    if above > 0 || asking {
        let (words, style) = match sheet.phase {
            Phase::Editing => (KEYS, theme.faint),
            Phase::Asking => (QUESTION, theme.danger),
        };
        let mut footer = Pane::new(buffer, row(last, 1));
        footer.clear();
        footer.put(0, 0, words, style);
    }
    let (column, y) = sheet.cursor_in_sight();
    let x = usize::from(margin) + column;
    let within = |at: usize, end: u16| u16::try_from(at).unwrap_or(end).min(end.saturating_sub(1));
    if !asking && screen.area() > 0 {
        frame.set_cursor_position(Position {
            x: within(x, screen.width),
            y: above + within(y, body),
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::layout::Size;

    use super::*;
    use crate::transcript::samples::spoken;
    use crate::tui::input::{Input, Key};

    fn drawn(sheet: &Sheet, columns: u16, rows: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal
            .draw(|frame| view("Standup · version 1", sheet, &Theme::plain(), frame))
            .unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn times_stand_beside_the_text_and_the_question_takes_the_last_row() {
        let said = spoken(&[(0, 900, "good morning"), (61_000, 62_000, "the heater")]);
        let mut sheet = Sheet::new(&said, Size::new(40, 6));
        insta::assert_snapshot!(drawn(&sheet, 40, 6), @r#"
        "Standup · version 1                     "
        "0:00  good morning                      "
        "1:01  the heater                        "
        "                                        "
        "                                        "
        "^s store · esc leave · ⏎ next line      "
        "#);
        let _ = sheet.take(Input::Key(Key::Char('A')));
        let _ = sheet.take(Input::Key(Key::Esc));
        insta::assert_snapshot!(drawn(&sheet, 40, 6), @r#"
        "Standup · version 1              changed"
        "0:00  Agood morning                     "
        "1:01  the heater                        "
        "                                        "
        "                                        "
        "throw the changes away? y · else no     "
        "#);
    }

    #[test]
    fn every_size_draws() {
        let said = spoken(&[(0, 900, "good morning 日本語"), (61_000, 62_000, "")]);
        for (columns, rows) in [(1, 1), (2, 2), (3, 3), (29, 3), (200, 60)] {
            let mut sheet = Sheet::new(&said, Size::new(columns, rows));
            drawn(&sheet, columns, rows);
            let _ = sheet.take(Input::Key(Key::Char('x')));
            let _ = sheet.take(Input::Key(Key::Esc));
            let shown = drawn(&sheet, columns, rows);
            assert!(shown.contains('t') || columns == 1, "{shown}");
        }
    }
}

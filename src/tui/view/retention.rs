//! How long recordings are kept and what goes next; and the question about a clock that
//! leapt.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::dialog::answers;
use super::paint::Pane;
use super::words;
use crate::tui::engine::{Coming, Leap, Retention};
use crate::tui::model::reading::wrap;
use crate::tui::model::{Answered, Model};
use crate::tui::theme::Theme;

/// Columns of a date, with and without the time of day.
const DATE: u16 = 10;
const DATE_AND_TIME: u16 = 16;

/// From this width on there is room for times of day and rules.
const ROOMY: u16 = 60;

/// One line of the screen, before it is cut to what is in sight.
pub(in crate::tui) enum Row<'a> {
    Heading(String),
    Text(String),
    Coming(&'a Coming),
    Empty,
}

impl Retention {
    /// All of it, line by line.
    pub(in crate::tui) fn lines(&self) -> Vec<Row<'_>> {
        let mut rows = vec![Row::Heading("rules".to_owned())];
        if self.rules.is_empty() {
            rows.push(Row::Text("none: everything is kept forever".to_owned()));
            let how = "`voxvault retain --audio 90d --text forever` makes one";
            rows.push(Row::Text(how.to_owned()));
            return rows;
        }
        rows.extend(self.rules.iter().cloned().map(Row::Text));
        if self.pinned > 0 {
            let stay = words::several(self.pinned, "pinned one stays", "pinned ones stay");
            rows.push(Row::Text(stay));
        }
        rows.push(Row::Empty);
        rows.push(Row::Heading("goes next".to_owned()));
        if self.coming.is_empty() {
            rows.push(Row::Text("nothing, as things are".to_owned()));
        }
        rows.extend(self.coming.iter().map(Row::Coming));
        rows
    }
}

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, model.areas().dialog());
    let Some(retention) = &model.retention else {
        pane.put(3, 1, "looking …", theme.faint);
        return;
    };
    let lines = retention.lines();
    // The last line does not go up further than it has to.
    let rows = usize::from(pane.area.height.saturating_sub(1)).max(1);
    let top = model.retention_top.min(lines.len().saturating_sub(rows));
    for (y, row) in (1..pane.area.height).zip(lines.iter().skip(top)) {
        match row {
            Row::Heading(text) => {
                pane.put(1, y, text, theme.strong);
            }
            Row::Text(text) => {
                pane.put(3, y, text, Style::new());
            }
            Row::Coming(coming) => line(theme, coming, y, &mut pane),
            Row::Empty => {}
        }
    }
}

/// When, how much, of what, and by which rule.
fn line(theme: &Theme, coming: &Coming, y: u16, pane: &mut Pane<'_>) {
    let width = pane.area.width;
    let roomy = width >= ROOMY;
    let columns = if roomy { DATE_AND_TIME } else { DATE };
    match coming.when.as_str() {
        "" => pane.put(3, y, "due now", theme.danger),
        when => {
            let date = when.get(..usize::from(columns)).unwrap_or(when);
            pane.put(3, y, date, theme.faint)
        }
    };
    let at = 3 + columns + 2;
    pane.put(at, y, coming.what, theme.accent);
    let title = at + 12;
    let room = if roomy {
        (width - title) / 2
    } else {
        width.saturating_sub(title)
    };
    let area = Rect {
        width: title.saturating_add(room).min(width),
        ..pane.area
    };
    pane.part(area).put(title, y, &coming.title, theme.strong);
    if roomy {
        pane.put(title + room + 1, y, &coming.by, theme.faint);
    }
}

/// Whether the clock is right: says what it is about and what would go.
pub(super) fn ask(theme: &Theme, leap: &Leap, answer: Answered, pane: &mut Pane<'_>) {
    let rows = pane.area.height;
    let roomy = rows >= 11;
    let mut y = u16::from(roomy);
    pane.put(3, y, "Is the clock right?", theme.danger);
    y += 1 + u16::from(roomy);
    let due = words::several(leap.due.len(), "recording is", "recordings are");
    let said = match roomy {
        true => format!(
            "It says {}, and no clock was confirmed since {}. By the retention rules {due} \
             due by it, and destroyed for good if it is right.",
            leap.now, leap.believed,
        ),
        false => format!(
            "It says {}; last confirmed: {}. {due} due by it.",
            leap.now, leap.believed,
        ),
    };
    let width = usize::from(pane.area.width.saturating_sub(6)).clamp(1, 72);
    let mut lines = Vec::new();
    wrap(&said, width, &mut |from, to| {
        lines.push(said.get(from..to).unwrap_or_default().to_owned());
    });
    // The answers keep their row.
    let most = usize::from(rows.saturating_sub(y + 1));
    for line in lines.iter().take(most) {
        pane.put(3, y, line, Style::new());
        y += 1;
    }
    y += u16::from(roomy);
    let room = usize::from(rows.saturating_sub(y + 2 + u16::from(roomy)));
    let shown = match leap.due.len() <= room {
        true => leap.due.len(),
        false => room.saturating_sub(1),
    };
    for coming in leap.due.iter().take(shown) {
        pane.put(5, y, coming.what, theme.accent);
        pane.put(17, y, &coming.title, theme.strong);
        y += 1;
    }
    if shown < leap.due.len() && room > 0 {
        let more = format!("and {} more", words::count(leap.due.len() - shown));
        pane.put(5, y, &more, theme.strong);
        y += 1;
    }
    y += u16::from(roomy);
    let choices = ["destroy nothing", "it is right: destroy"];
    answers(theme, choices, answer, y.min(rows.saturating_sub(1)), pane);
}

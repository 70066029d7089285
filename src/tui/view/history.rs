//! What was done with the recordings, newest first.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::paint::Pane;
use super::words;
use crate::tui::engine::{Logged, LoggedEntry};
use crate::tui::model::Model;
use crate::vault::Stage;

/// Below this many columns the year and the details have no room.
const WIDE: u16 = 60;

/// Rows of the pane that hold no entry: what is said of all, and of the one under the
/// cursor.
const FRAME: u16 = 2;

/// How many entries fit into a pane of this height.
pub(in crate::tui) fn rows(height: u16) -> usize {
    usize::from(height.saturating_sub(FRAME).max(1))
}

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, model.areas().dialog());
    let Some(logged) = &model.history.read else {
        pane.put(1, 0, "reading the log", theme.faint);
        return;
    };
    let (text, is_wrong) = summary(logged);
    let style = if is_wrong { theme.danger } else { theme.strong };
    pane.put(1, 0, &text, style);
    let scroll = model.history.scroll;
    let shown = logged.entries.iter().enumerate().skip(scroll.top);
    for (y, (at, entry)) in (1..).zip(shown.take(rows(pane.area.height))) {
        row(model, &mut pane, y, entry, at == scroll.cursor);
    }
    if let Some(entry) = model.history.current() {
        let last = pane.area.height.saturating_sub(1);
        pane.put(1, last, &facts(entry), theme.faint);
    }
}

/// How much there is, or what is wrong with it.
fn summary(logged: &Logged) -> (String, bool) {
    let more = logged.lapses.len().saturating_sub(1);
    match (logged.lapses.first(), more) {
        (Some(only), 0) => (only.clone(), true),
        (Some(first), more) => (format!("{first}; and {more} more"), true),
        (None, _) => {
            let all = words::several(logged.entries.len(), "entry", "entries");
            let unanchored = match logged.unanchored {
                0 => String::new(),
                some => format!(" · {} unanchored", words::count(some)),
            };
            (format!("{all}{unanchored}"), false)
        }
    }
}

fn row(model: &Model, pane: &mut Pane<'_>, y: u16, entry: &LoggedEntry, here: bool) {
    let theme = &model.settings.theme;
    let is_wide = pane.area.width >= WIDE;
    let (form, deed_at, subject_at) = match is_wide {
        true => ("%-d %b %Y %H:%M", 20, 29),
        false => ("%-d %b %H:%M", 15, 23),
    };
    if here {
        pane.put(0, y, "▌", theme.accent);
    }
    let when = entry.at.to_zoned().strftime(form).to_string();
    pane.put(1, y, &when, theme.faint);
    let style = if here { theme.row } else { Style::new() };
    pane.put(deed_at, y, entry.deed.name(), style);
    let end = pane.put(subject_at, y, &subject(model, entry), style);
    if is_wide {
        let at = if end > subject_at {
            end + 2
        } else {
            subject_at
        };
        pane.put(at, y, &entry.detail, theme.faint);
    }
}

/// What it was done to: a title as long as there is one. The log itself knows ids only.
fn subject(model: &Model, entry: &LoggedEntry) -> String {
    match entry.ids.as_slice() {
        [] => String::new(),
        [id] => match model.library.get(*id) {
            Some(recording) => words::title(recording),
            None => id.short(),
        },
        several => words::several(several.len(), "recording", "recordings"),
    }
}

/// The entry under the cursor in a line.
fn facts(entry: &LoggedEntry) -> String {
    let mut facts = vec![
        format!("entry {}", entry.number),
        entry.at.to_zoned().strftime("%H:%M:%S").to_string(),
    ];
    if entry.stage == Stage::Begun {
        facts.push(Stage::Begun.name().to_owned());
    }
    if !entry.detail.is_empty() {
        facts.push(entry.detail.clone());
    }
    facts.extend(entry.ids.iter().take(4).map(|id| id.short()));
    facts.join(" · ")
}

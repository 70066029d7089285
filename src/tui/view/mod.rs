//! The model as a picture. Changes nothing and asks nobody.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::input::Key;
use super::keymap::{Action, Keymap};
use super::layout::Form;
use super::model::{Model, Overlay, Pane as Focus, Screen, Typing, Vault};
use paint::{Pane, columns};

pub(in crate::tui) mod backups;
mod dialog;
mod door;
mod equipment;
pub(in crate::tui) mod history;
mod library;
mod oneline;
pub(in crate::tui) mod paint;
mod reading;
mod recorder;
mod retention;
pub(in crate::tui) mod status;
pub(in crate::tui) mod words;

#[cfg(test)]
mod tests;

/// Draws one frame.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let buffer = frame.buffer_mut();
    let cursor = if model.form() == Form::Line {
        oneline::draw(model, buffer);
        None
    } else {
        status::header(model, buffer);
        let cursor = match (&model.overlay, model.screen) {
            (Some(overlay), _) => dialog::draw(model, overlay, buffer),
            (None, Screen::Recorder) => {
                recorder::draw(model, buffer);
                None
            }
            (None, Screen::Equipment) => {
                equipment::draw(model, buffer);
                None
            }
            (None, Screen::Retention) => {
                retention::draw(model, buffer);
                None
            }
            (None, Screen::Log) => {
                history::draw(model, buffer);
                None
            }
            (None, Screen::Backups) => {
                backups::draw(model, buffer);
                None
            }
            (None, Screen::Main) if model.is_open() => main(model, buffer),
            (None, Screen::Main) => door::draw(model, buffer),
        };
        status::status(model, buffer);
        status::recorder_line(model, buffer);
        footer(model, buffer);
        cursor
    };
    if let Some(place) = cursor
        && frame.area().contains(place)
    {
        frame.set_cursor_position(place);
    }
}

/// List and text, or one of them where there is little room.
fn main(model: &Model, buffer: &mut ratatui::buffer::Buffer) -> Option<Position> {
    let areas = model.areas();
    let wide = model.form() == Form::Wide;
    let cursor = library::search_line(model, buffer);
    if wide {
        library::rules(model, buffer);
    }
    if wide || model.focus == Focus::List {
        match &model.search {
            Some(search) if !search.line.text().is_empty() => {
                library::hits(model, search, areas.list, buffer)
            }
            _ => library::list(model, areas.list, buffer),
        }
    }
    if wide || model.focus == Focus::Text {
        reading::draw(model, areas.text, buffer);
    }
    cursor
}

/// The keys that matter here, from the one table.
fn footer(model: &Model, buffer: &mut ratatui::buffer::Buffer) {
    let theme = &model.settings.theme;
    let area = model.areas().footer;
    if area.is_empty() {
        return;
    }
    let mut items = footer_items(model);
    let width = |items: &[Item]| -> u16 {
        items
            .iter()
            .map(|item| columns(&item.key) + columns(item.word) + 2)
            .sum()
    };
    // What doesn't fit goes from the end, what counts least first.
    while width(&items) > area.width && items.len() > 1 {
        let least = items.iter().map(|item| item.weight).min();
        let goes = items.iter().rposition(|item| Some(item.weight) == least);
        goes.map(|goes| items.remove(goes));
    }
    // Two columns between them where there is room, else one.
    let gap = if width(&items) + items.len() as u16 <= area.width {
        2
    } else {
        1
    };
    let mut pane = Pane::new(buffer, area);
    let mut x = 1;
    for Item { key, word, .. } in items {
        x = pane.put(x, 0, &key, theme.accent);
        x = pane.put(x + 1, 0, word, theme.faint) + gap;
    }
}

/// A key in the footer.
struct Item {
    key: String,
    word: &'static str,
    /// How long it stays where there is too little room.
    weight: u8,
}

fn footer_items(model: &Model) -> Vec<Item> {
    let fixed = |items: &[(Key, &'static str)]| {
        items
            .iter()
            .map(|(key, word)| Item {
                key: key.to_string(),
                word,
                weight: 0,
            })
            .collect()
    };
    match &model.overlay {
        Some(Overlay::Help(_)) => return fixed(&[(Key::Down, "more"), (Key::Esc, "back")]),
        Some(Overlay::Receipt(..)) => return fixed(&[(Key::Down, "more"), (Key::Enter, "done")]),
        Some(Overlay::Shredding) => return Vec::new(),
        Some(
            Overlay::Shred { .. }
            | Overlay::Redact { .. }
            | Overlay::Clock { .. }
            | Overlay::BackUp { .. }
            | Overlay::Quit(_),
        ) => {
            return fixed(&[
                (Key::Tab, "the other answer"),
                (Key::Enter, "answer so"),
                (Key::Esc, "no"),
            ]);
        }
        Some(Overlay::Palette { .. }) => {
            return fixed(&[
                (Key::Down, "next"),
                (Key::Enter, "do it"),
                (Key::Esc, "back"),
            ]);
        }
        Some(Overlay::Title(_)) => {
            return fixed(&[(Key::Enter, "keep this title"), (Key::Esc, "back")]);
        }
        Some(Overlay::Folder(_)) => {
            return fixed(&[(Key::Enter, "back up"), (Key::Esc, "back")]);
        }
        Some(Overlay::Edit(_)) => {
            return fixed(&[
                (Key::Tab, "next field"),
                (Key::Enter, "save"),
                (Key::Esc, "leave as it was"),
            ]);
        }
        Some(Overlay::Export(_)) => {
            return fixed(&[
                (Key::Tab, "next field"),
                (Key::Right, "format"),
                (Key::Enter, "write"),
                (Key::Esc, "back"),
            ]);
        }
        None => {}
    }
    if model.screen == Screen::Main {
        match &model.vault {
            Vault::Unknown | Vault::Opening => return Vec::new(),
            Vault::Missing(_) => {
                return fixed(&[
                    (Key::Enter, "go on"),
                    (Key::Tab, "other field"),
                    (Key::Ctrl('c'), "quit"),
                ]);
            }
            Vault::Locked { typed: Some(_), .. } => {
                return fixed(&[(Key::Enter, "unlock"), (Key::Esc, "back")]);
            }
            Vault::Locked { typed: None, .. } | Vault::Open => {}
        }
        let typing = model
            .search
            .as_ref()
            .is_some_and(|search| search.typing == Typing::Yes);
        if typing && model.focus == Focus::List {
            return fixed(&[
                (Key::Enter, "play the moment"),
                (Key::Down, "next hit"),
                (Key::Tab, "to the text"),
                (Key::Esc, "end"),
            ]);
        }
    }
    from_table(&model.settings.keymap, model)
}

fn from_table(keymap: &Keymap, model: &Model) -> Vec<Item> {
    let works = model.archiving.is_some();
    keymap
        .lines_at(model.place())
        .filter_map(|(entry, keys)| {
            let word = match entry.action {
                Action::Record if model.is_recording() => "recorder",
                Action::StopBackup if !works => return None,
                Action::BackUpAgain | Action::BackUpTo | Action::VerifyBackup if works => {
                    return None;
                }
                Action::BackUpAgain | Action::VerifyBackup if model.backups.current().is_none() => {
                    return None;
                }
                _ => entry.footer?,
            };
            Some(Item {
                key: keys.first()?.to_string(),
                word,
                weight: entry.action.weight(),
            })
        })
        .collect()
}

/// Draws a line being edited into one row and says where the cursor is.
fn input(pane: &mut Pane<'_>, x: u16, y: u16, line: &super::model::line::Line) -> Option<Position> {
    let room = pane.area.width.saturating_sub(x);
    let (text, column) = line.window(usize::from(room));
    pane.put(x, y, text, ratatui::style::Style::new());
    let inside = y < pane.area.height && room > 0;
    let column = u16::try_from(column).unwrap_or(u16::MAX);
    inside.then(|| Position {
        x: pane.area.x + x + column,
        y: pane.area.y + y,
    })
}

/// The part of `area` from its `y`th row on.
fn below(area: Rect, y: u16) -> Rect {
    let y = y.min(area.height);
    Rect {
        y: area.y + y,
        height: area.height - y,
        ..area
    }
}

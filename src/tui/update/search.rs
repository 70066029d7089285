//! Searching as you type.

use crate::tui::engine::Request;
use crate::tui::input::Key;
use crate::tui::keymap::Action;
use crate::tui::model::library::Scroll;
use crate::tui::model::line::{Edited, Line};
use crate::tui::model::{Model, Pane, Search, Typing};
use crate::tui::msg::Effect;

use super::{act, motion};

/// Opens the search line, or goes back to it.
pub(super) fn open(model: &mut Model) {
    model.focus = Pane::List;
    match &mut model.search {
        Some(search) => search.typing = Typing::Yes,
        None => {
            model.search = Some(Search {
                line: Line::default(),
                typing: Typing::Yes,
                hits: Vec::new(),
                total: 0,
                took_ms: None,
                scroll: Scroll::default(),
                moment: 0,
            });
        }
    }
}

/// Ends the search; the list stands at the hit that was under the cursor.
pub(super) fn close(model: &mut Model, effects: &mut Vec<Effect>) {
    let hit = model.pointed();
    model.search = None;
    model.focus = Pane::List;
    if let Some(id) = hit {
        model.library.go_to(id);
    }
    if let Some(reading) = &mut model.reading {
        reading.light(Vec::new());
    }
    motion::rest(model, effects);
}

pub(super) fn press(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    let Some(search) = &mut model.search else {
        return;
    };
    match key {
        Key::Esc => close(model, effects),
        Key::Enter => {
            search.typing = Typing::No;
            act::act(model, Action::Open, effects);
        }
        Key::Tab => {
            search.typing = Typing::No;
            act::act(model, Action::OtherPane, effects);
        }
        Key::Up | Key::Ctrl('p') => motion::step(model, -1, effects),
        Key::Down | Key::Ctrl('n') => motion::step(model, 1, effects),
        Key::PageUp => act::act(model, Action::PageUp, effects),
        Key::PageDown => act::act(model, Action::PageDown, effects),
        _ => {
            if search.line.edit(key) == Edited::Text {
                ask(model, effects);
            }
        }
    }
}

pub(super) fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    if let Some(search) = &mut model.search {
        search.line.insert(text);
        ask(model, effects);
    }
}

/// Asks again with what stands in the line now.
pub(super) fn ask(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(search) = &model.search {
        model.serial += 1;
        effects.push(Effect::Ask(Request::Search {
            serial: model.serial,
            query: search.line.text().to_owned(),
        }));
    }
}

//! Keys while something is asked or shown over the screen.

use crate::recording::RecordingId;
use crate::tui::engine::{Chosen, Format, Request};
use crate::tui::input::Key;
use crate::tui::model::line::Edited;
use crate::tui::model::{Answered, EditForm, ExportForm, Model, Overlay, Recorder};
use crate::tui::msg::Effect;
use crate::tui::view::words;

use super::{act, backups};

/// Rows that page keys go in help and receipt.
const PAGE: usize = 10;

pub(super) fn press(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    // Taken out while the key is worked on; put back unless it ends.
    let Some(mut overlay) = model.overlay.take() else {
        return;
    };
    let stays = match &mut overlay {
        Overlay::Help(top) => read(top, crate::tui::keymap::TABLE.len() + 4, key),
        Overlay::Receipt(lines, top) => {
            let width = model.areas().dialog().width.saturating_sub(6);
            read(top, words::wrapped(lines, width).len(), key)
        }
        Overlay::Shredding => true,
        Overlay::Shred { ids, answer } => match ask(answer, key) {
            Step::Stay => true,
            Step::No => false,
            Step::Yes => return begin_to_shred(model, std::mem::take(ids), effects),
        },
        Overlay::Redact {
            id,
            span_ms,
            answer,
            ..
        } => match ask(answer, key) {
            Step::Stay => true,
            Step::No => false,
            Step::Yes => return begin_to_redact(model, *id, span_ms.clone(), effects),
        },
        Overlay::Clock { answer, .. } => match ask(answer, key) {
            Step::Stay => true,
            Step::No => false,
            Step::Yes => {
                model.overlay = Some(Overlay::Shredding);
                return effects.push(Effect::Ask(Request::ClockIsRight));
            }
        },
        Overlay::BackUp { folder, answer } => match ask(answer, key) {
            Step::Stay => true,
            Step::No => false,
            Step::Yes => {
                let folder = std::mem::take(folder);
                return backups::begin(model, folder, Chosen::Remembered, effects);
            }
        },
        Overlay::Folder(line) => match key {
            Key::Esc => false,
            Key::Enter if line.text().trim().is_empty() => true,
            Key::Enter => {
                let folder = line.text().trim().to_owned();
                return backups::begin(model, folder, Chosen::Typed, effects);
            }
            _ => {
                line.edit(key);
                true
            }
        },
        Overlay::Quit(answer) => match ask(answer, key) {
            Step::Stay => true,
            Step::No => false,
            Step::Yes => {
                effects.push(Effect::Quit);
                false
            }
        },
        Overlay::Title(line) => match key {
            Key::Esc => false,
            Key::Enter => {
                if let Recorder::Running { title, .. } = &mut model.recorder {
                    line.text().clone_into(title);
                    effects.push(Effect::Ask(Request::Title(line.text().to_owned())));
                }
                false
            }
            _ => {
                line.edit(key);
                true
            }
        },
        Overlay::Edit(form) => edit(form, key, effects),
        Overlay::Export(form) => export(form, key, effects),
        Overlay::Palette { line, row } => {
            let offered = model.palette(line.text());
            match key {
                Key::Esc => false,
                Key::Enter => {
                    if let Some((action, ..)) = offered.get(*row) {
                        return act::act(model, *action, effects);
                    }
                    true
                }
                Key::Up | Key::Ctrl('p') => {
                    *row = row.saturating_sub(1);
                    true
                }
                Key::Down | Key::Ctrl('n') => {
                    *row = (*row + 1).min(offered.len().saturating_sub(1));
                    true
                }
                _ => {
                    if line.edit(key) == Edited::Text {
                        *row = 0;
                    }
                    true
                }
            }
        }
    };
    if stays {
        model.overlay = Some(overlay);
    }
}

pub(super) fn paste(model: &mut Model, text: &str) {
    let line = match &mut model.overlay {
        Some(Overlay::Title(line) | Overlay::Folder(line) | Overlay::Palette { line, .. }) => {
            Some(line)
        }
        Some(Overlay::Edit(form)) => form.fields.get_mut(form.field),
        Some(Overlay::Export(form)) if form.field == 1 => Some(&mut form.destination),
        _ => None,
    };
    if let Some(line) = line {
        line.insert(text);
    }
}

fn begin_to_shred(model: &mut Model, ids: Vec<RecordingId>, effects: &mut Vec<Effect>) {
    model.overlay = Some(Overlay::Shredding);
    if model
        .player
        .as_ref()
        .is_some_and(|player| ids.contains(&player.id))
    {
        effects.push(Effect::Ask(Request::StopPlaying));
    }
    effects.push(Effect::Ask(Request::Shred(ids)));
}

fn begin_to_redact(
    model: &mut Model,
    id: RecordingId,
    span_ms: std::ops::Range<u32>,
    effects: &mut Vec<Effect>,
) {
    model.overlay = Some(Overlay::Shredding);
    if model.player.as_ref().is_some_and(|player| player.id == id) {
        effects.push(Effect::Ask(Request::StopPlaying));
    }
    effects.push(Effect::Ask(Request::Redact { id, span_ms }));
}

/// Something to read: moves, or ends.
fn read(top: &mut usize, lines: usize, key: Key) -> bool {
    let last = lines.saturating_sub(1);
    *top = match key {
        Key::Up | Key::Char('k') => top.saturating_sub(1),
        Key::Down | Key::Char('j') => (*top + 1).min(last),
        Key::PageUp | Key::Ctrl('b') => top.saturating_sub(PAGE),
        Key::PageDown | Key::Ctrl('f') | Key::Char(' ') => (*top + PAGE).min(last),
        Key::Home | Key::Char('g') => 0,
        Key::Esc | Key::Enter | Key::Char('q' | '?') => return false,
        _ => *top,
    };
    true
}

enum Step {
    Stay,
    No,
    Yes,
}

/// A dangerous question. Return gives the answer that is chosen, which is no
/// until somebody goes over to the other; no single key says yes.
fn ask(answer: &mut Answered, key: Key) -> Step {
    match key {
        Key::Esc | Key::Char('n' | 'q') => return Step::No,
        Key::Enter => {
            return if *answer == Answered::Yes {
                Step::Yes
            } else {
                Step::No
            };
        }
        Key::Left | Key::Char('h') => *answer = Answered::No,
        Key::Right | Key::Char('l') => *answer = Answered::Yes,
        Key::Tab | Key::BackTab => {
            *answer = if *answer == Answered::Yes {
                Answered::No
            } else {
                Answered::Yes
            };
        }
        _ => {}
    }
    Step::Stay
}

/// The field that a key leads to, of `count`.
fn other_field(field: usize, count: usize, key: Key) -> Option<usize> {
    match key {
        Key::Tab | Key::Down => Some((field + 1) % count),
        Key::BackTab | Key::Up => Some((field + count - 1) % count),
        _ => None,
    }
}

fn edit(form: &mut EditForm, key: Key, effects: &mut Vec<Effect>) -> bool {
    if let Some(field) = other_field(form.field, form.fields.len(), key) {
        form.field = field;
        return true;
    }
    match key {
        Key::Esc => false,
        Key::Enter => {
            let [title, tags, note] = form
                .fields
                .each_ref()
                .map(|line| line.text().trim().to_owned());
            let mut labels: Vec<String> = Vec::new();
            for tag in tags
                .split([' ', ','])
                .map(|tag| tag.trim_start_matches('#'))
                .filter(|tag| !tag.is_empty())
            {
                if !labels.iter().any(|label| label == tag) {
                    labels.push(tag.to_owned());
                }
            }
            effects.push(Effect::Ask(Request::Edit {
                id: form.id,
                title,
                tags: labels,
                note,
            }));
            false
        }
        _ => {
            if let Some(line) = form.fields.get_mut(form.field) {
                line.edit(key);
            }
            true
        }
    }
}

fn export(form: &mut ExportForm, key: Key, effects: &mut Vec<Effect>) -> bool {
    if let Some(field) = other_field(form.field, 2, key) {
        form.field = field;
        return true;
    }
    let formats = Format::ALL.len();
    match (key, form.field) {
        (Key::Esc, _) => false,
        (Key::Enter, _) if form.destination.text().trim().is_empty() => true,
        (Key::Enter, _) => {
            let (format, destination) = (form.format(), form.path());
            effects.push(Effect::Ask(Request::Export {
                ids: std::mem::take(&mut form.ids),
                format,
                destination,
            }));
            false
        }
        (Key::Left | Key::Char('h'), 0) => {
            form.format = (form.format + formats - 1) % formats;
            true
        }
        (Key::Right | Key::Char('l' | ' '), 0) => {
            form.format = (form.format + 1) % formats;
            true
        }
        (_, 0) => true,
        _ => {
            form.destination.edit(key);
            true
        }
    }
}

//! The list of recordings, and the hits of a search in its place.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::paint::{Pane, columns};
use super::{input, words};
use crate::recording::{Recording, SoundLeft, State};
use crate::tui::engine::{Hit, HitMoment};
use crate::tui::layout::Form;
use crate::tui::model::library::Row;
use crate::tui::model::{Model, Pane as Focus, Search, Typing};
use crate::tui::update::HIT_ROWS;

/// The line above the list: the search, or how to begin one.
pub(super) fn search_line(model: &Model, buffer: &mut Buffer) -> Option<Position> {
    let theme = &model.settings.theme;
    let compact = model.form() == Form::Compact;
    let mut pane = Pane::new(buffer, model.areas().search);
    let Some(search) = &model.search else {
        if !compact {
            pane.put(1, 0, "/ search", theme.faint);
        }
        return None;
    };
    pane.clear();
    pane.put(1, 0, "/", theme.accent);
    let found = match (search.took_ms, search.line.text().is_empty()) {
        (Some(took), false) => {
            let took = if took < 0.1 {
                "under 0.1".to_owned()
            } else {
                format!("{took:.1}")
            };
            format!(
                "{} · {took} ms",
                words::several(search.total, "recording", "recordings")
            )
        }
        _ => String::new(),
    };
    let width = pane.area.width;
    let right = if columns(&found) + 20 <= width {
        columns(&found)
    } else {
        0
    };
    let area = Rect {
        width: width.saturating_sub(right + 3),
        ..pane.area
    };
    if right > 0 {
        pane.put_right(width.saturating_sub(1), 0, &found, theme.faint);
    }
    let mut line = Pane::new(buffer, area);
    let cursor = input(&mut line, 3, 0, &search.line);
    cursor.filter(|_| search.typing == Typing::Yes && model.focus == Focus::List)
}

/// The rules above, below and between the panes.
pub(super) fn rules(model: &Model, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let areas = model.areas();
    let split = areas.list.right();
    let width = areas.header.width;
    for (y, joint) in [
        (areas.body.y.saturating_sub(1), "┬"),
        (areas.body.bottom(), "┴"),
    ] {
        let mut pane = Pane::new(buffer, Rect::new(0, y, width, 1));
        pane.fill(0, "─", theme.faint);
        pane.put(split, 0, joint, theme.faint);
    }
    let mut pane = Pane::new(buffer, Rect::new(split, areas.body.y, 1, areas.body.height));
    for y in 0..pane.area.height {
        pane.put(0, y, "│", theme.faint);
    }
}

/// Recordings by day. Only rows in sight are looked at.
pub(super) fn list(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let library = &model.library;
    let mut pane = Pane::new(buffer, area);
    if library.is_empty() {
        let record = model
            .settings
            .keymap
            .key_for(crate::tui::keymap::Action::Record);
        pane.put(1, 1, "nothing here yet", theme.strong);
        pane.put(
            1,
            3,
            &format!("{record}  records the microphone"),
            theme.faint,
        );
        return;
    }
    let in_sight = library.in_sight(usize::from(area.height));
    for (y, (at, row)) in (0..area.height).zip(in_sight) {
        match row {
            Row::Day(date) => {
                pane.put(1, y, &words::day(date, library.today), theme.faint);
            }
            Row::Recording(index) => {
                if let Some(recording) = library.at(index) {
                    recording_row(model, recording, at == library.scroll.cursor, y, &mut pane);
                }
            }
        }
    }
}

fn recording_row(model: &Model, recording: &Recording, here: bool, y: u16, pane: &mut Pane<'_>) {
    let theme = &model.settings.theme;
    let width = pane.area.width;
    if here {
        pane.put(0, y, "▌", theme.accent);
    }
    let at = recording
        .card
        .recorded_at
        .to_zoned()
        .strftime("%H:%M")
        .to_string();
    pane.put(1, y, &at, theme.faint);
    if model.library.marked.contains(&recording.id) {
        pane.put(6, y, "+", theme.accent);
    }
    let length = words::duration(recording.card.duration().as_secs_f64());
    let room = width.saturating_sub(columns(&length) + 1);
    let style = if here { theme.row } else { Style::new() };
    let title = words::title(recording);
    let mut left = pane.part(Rect {
        width: room,
        ..pane.area
    });
    let style = if recording.card.title.trim().is_empty() && !here {
        theme.faint
    } else {
        style
    };
    let end = left.put(7, y, &title, style);
    // A recording with a title says what it still lacks, where there is room.
    let lacks = match (recording.lacks(), recording.state()) {
        (Some(_), _) => match recording.sound_left() {
            SoundLeft::Shredded => " sound shredded",
            SoundLeft::Lost => " sound lost",
            SoundLeft::Here => " text shredded",
        },
        (None, State::Pending) => " waits",
        (None, State::Failed) => " failed",
        (None, State::Interrupted) => " interrupted",
        (None, State::Recording | State::Transcribed | State::Silent) => "",
    };
    if !recording.card.title.trim().is_empty() && end + columns(lacks) <= room {
        left.put(end, y, lacks, theme.faint);
    }
    pane.put_right(width, y, &length, theme.faint);
}

/// Two rows for each hit: what it is, and the words around the moment.
pub(super) fn hits(model: &Model, search: &Search, area: Rect, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, area);
    if search.hits.is_empty() {
        if search.took_ms.is_some() {
            pane.put(1, 1, "nothing sounds like it", theme.faint);
        }
        return;
    }
    let rows = usize::from(area.height) / HIT_ROWS;
    let in_sight = search
        .hits
        .iter()
        .enumerate()
        .skip(search.scroll.top)
        .take(rows.max(1));
    for (number, (at, hit)) in in_sight.enumerate() {
        let y = u16::try_from(number * HIT_ROWS).unwrap_or(u16::MAX);
        let here = at == search.scroll.cursor;
        hit_rows(model, hit, here.then_some(search.moment), y, &mut pane);
    }
}

fn hit_rows(model: &Model, hit: &Hit, here: Option<usize>, y: u16, pane: &mut Pane<'_>) {
    let theme = &model.settings.theme;
    let width = pane.area.width;
    let moment = hit
        .moments
        .get(here.unwrap_or(0))
        .or_else(|| hit.moments.first());
    let time = moment
        .map(|moment| words::duration(moment.start_s))
        .unwrap_or_default();
    if here.is_some() {
        pane.put(0, y, "▌", theme.accent);
    }
    if model.library.marked.contains(&hit.id) {
        pane.put(1, y, "+", theme.accent);
    }
    let title = model
        .library
        .get(hit.id)
        .map(words::title)
        .unwrap_or_default();
    let room = width.saturating_sub(columns(&time) + 1);
    let style = if here.is_some() {
        theme.row
    } else {
        Style::new()
    };
    pane.part(Rect {
        width: room,
        ..pane.area
    })
    .put(2, y, &title, style);
    pane.put_right(width, y, &time, theme.faint);
    match moment {
        Some(moment) => snippet(model, moment, y + 1, pane),
        None => {
            pane.put(4, y + 1, "in its title, tags or note", theme.faint);
        }
    }
}

/// The text around the first marked word, the marked words lit.
fn snippet(model: &Model, moment: &HitMoment, y: u16, pane: &mut Pane<'_>) {
    let theme = &model.settings.theme;
    let text = moment.text.as_str();
    let first = moment.marks.first().map_or(0, |mark| mark[0]);
    let from = start_of_snippet(text, first, usize::from(pane.area.width / 3));
    let mut x = 4;
    if from > 0 {
        x = pane.put(x, y, "…", theme.faint);
    }
    let mut at = from;
    for [begin, end] in moment.marks.iter().copied().filter(|mark| mark[0] >= from) {
        let (Some(before), Some(word)) = (text.get(at..begin), text.get(begin..end)) else {
            continue;
        };
        x = pane.put(x, y, before, theme.faint);
        x = pane.put(x, y, word, theme.lit);
        at = end;
    }
    pane.put(x, y, text.get(at..).unwrap_or_default(), theme.faint);
}

/// The beginning of a word at most about `room` characters before `first`.
fn start_of_snippet(text: &str, first: usize, room: usize) -> usize {
    let before = text.get(..first).unwrap_or_default();
    let far = before.char_indices().rev().nth(room).map(|(at, _)| at);
    far.map_or(0, |far| {
        before
            .get(far..)
            .and_then(|rest| rest.find(' '))
            .map_or(first, |space| far + space + 1)
    })
}

//! Moving the cursor, and the right pane that follows it.

use crate::tui::engine::{HitMoment, Request};
use crate::tui::keymap::Place;
use crate::tui::model::reading::Reading;
use crate::tui::model::{Model, Pane};
use crate::tui::msg::{Effect, Timer};

use super::REST;
use crate::tui::view::{backups, history};

/// Rows a hit takes in the list: its title, and the words around it.
pub(in crate::tui) const HIT_ROWS: usize = 2;

/// Moves by rows: recordings, hits, sentences, pieces of equipment, entries of the
/// log or backups.
pub(super) fn step(model: &mut Model, by: isize, effects: &mut Vec<Effect>) {
    let move_in =
        |at: usize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
    match model.place() {
        Place::Text => {
            if let Some(reading) = &mut model.reading {
                reading.cursor = move_in(reading.cursor, reading.segments().len());
            }
        }
        Place::Hits => {
            if let Some(search) = &mut model.search {
                search.scroll.cursor = move_in(search.scroll.cursor, search.hits.len());
                search.moment = 0;
                rest(model, effects);
            }
        }
        Place::Library => {
            model.library.step(by);
            rest(model, effects);
        }
        Place::Equipment => {
            let count = model.equipment.devices.len() + model.equipment.models.len();
            model.equipment_row = move_in(model.equipment_row, count);
        }
        Place::Retention => {
            let lines = model.retention.as_ref().map_or(0, |it| it.lines().len());
            model.retention_top = move_in(model.retention_top, lines);
        }
        Place::Log => {
            let count = model.history.entries().len();
            model.history.scroll.cursor = move_in(model.history.scroll.cursor, count);
        }
        Place::Backups => {
            let count = model.backups.entries().len();
            model.backups.scroll.cursor = move_in(model.backups.scroll.cursor, count);
        }
        Place::Locked | Place::Recorder => {}
    }
}

/// A screenful, of whatever moves here.
pub(super) fn page(model: &Model) -> isize {
    let areas = model.areas();
    let rows = match model.place() {
        Place::Hits => usize::from(areas.list.height) / HIT_ROWS,
        Place::Text => areas.text_rows() / 2,
        Place::Log => history::rows(areas.dialog().height),
        Place::Backups => backups::rows(model),
        _ => usize::from(areas.list.height),
    };
    isize::try_from(rows.saturating_sub(1).max(1)).unwrap_or(1)
}

/// To the next or previous of all the moments that a search found.
pub(super) fn step_moment(model: &mut Model, by: isize, effects: &mut Vec<Effect>) {
    let Some(search) = &mut model.search else {
        return;
    };
    let here = search
        .hits
        .get(search.scroll.cursor)
        .map_or(0, |hit| hit.moments.len());
    match search.moment.checked_add_signed(by) {
        Some(moment) if moment < here => search.moment = moment,
        other => {
            let next = search
                .scroll
                .cursor
                .saturating_add_signed(by)
                .min(search.hits.len().saturating_sub(1));
            if next == search.scroll.cursor {
                model.say("no more moments");
                return;
            }
            search.scroll.cursor = next;
            let there = search.hits.get(next).map_or(0, |hit| hit.moments.len());
            search.moment = if other.is_none() {
                there.saturating_sub(1)
            } else {
                0
            };
        }
    }
    follow(model, effects);
}

/// The cursor moved: the right pane follows when it rests. Where nothing is
/// shown yet it follows at once.
pub(super) fn rest(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.reading.is_none() {
        follow(model, effects);
    } else {
        effects.push(Effect::After(Timer::Rest, REST));
    }
}

/// The right pane shows what the cursor points at.
pub(super) fn follow(model: &mut Model, effects: &mut Vec<Effect>) {
    effects.push(Effect::Never(Timer::Rest));
    let pointed = model.pointed().filter(|_| model.is_open());
    let moments = moments(model);
    match (pointed, &mut model.reading) {
        (None, reading) => *reading = None,
        (Some(id), Some(reading)) if reading.id == id => {
            reading.light(moments);
            go_to_moment(model);
        }
        (Some(id), reading) => {
            *reading = Some(Reading::new(id, moments));
            effects.push(Effect::Ask(Request::Read(id)));
            effects.push(Effect::Ask(Request::Waveform(id)));
        }
    }
}

fn moments(model: &Model) -> Vec<HitMoment> {
    let search = model.search.as_ref();
    search
        .and_then(|search| search.hits.get(search.scroll.cursor))
        .map(|hit| hit.moments.clone())
        .unwrap_or_default()
}

/// Puts the text's cursor on the moment that was found.
pub(super) fn go_to_moment(model: &mut Model) {
    let moment = model.search.as_ref().map_or(0, |search| search.moment);
    if let Some(reading) = &mut model.reading
        && let Some(moment) = reading
            .moments
            .get(moment)
            .or_else(|| reading.moments.first())
        && let Some(segment) = reading.segment_at(moment.start_s)
    {
        reading.cursor = segment;
    }
}

/// The text is broken into lines anew.
pub(super) fn fit(model: &mut Model) {
    let width = model.areas().text.width;
    if let Some(reading) = &mut model.reading {
        reading.wrap(width);
    }
}

/// Whatever changed, the cursors stay on the screen.
pub(super) fn keep_in_sight(model: &mut Model) {
    let areas = model.areas();
    let rows = usize::from(areas.list.height);
    let count = model.library.row_count();
    model.library.scroll.show(rows, count);
    if let Some(search) = &mut model.search {
        search.scroll.show(rows / HIT_ROWS, search.hits.len());
    }
    let count = model.history.entries().len();
    let rows = history::rows(areas.dialog().height);
    model.history.scroll.show(rows, count);
    let (rows, count) = (backups::rows(model), model.backups.entries().len());
    model.backups.scroll.show(rows, count);
    if let Some(reading) = &mut model.reading {
        let spoken = model
            .player
            .as_ref()
            .filter(|player| player.id == reading.id && !player.paused)
            .and_then(|player| reading.segment_at(player.position_s));
        // While it plays the text follows the voice, unless somebody reads in it.
        let segment = if model.focus == Pane::Text {
            reading.cursor
        } else {
            spoken.unwrap_or(reading.cursor)
        };
        reading.show(segment, areas.text_rows());
    }
}

//! What each action does.

use zeroize::Zeroizing;

use crate::recording::{Recording, RecordingId, SoundLeft};
use crate::transcript::REDACTED;
use crate::tui::clipboard;
use crate::tui::engine::Request;
use crate::tui::keymap::{Action, Place};
use crate::tui::model::history::History;
use crate::tui::model::line::Line;
use crate::tui::model::reading::Text;
use crate::tui::model::{
    Answered, EditForm, ExportForm, Model, Overlay, Pane, Recorder, Screen, Vault, Wish,
};
use crate::tui::msg::{Effect, Timer};
use crate::tui::secret::Secret;
use crate::tui::view::words;

use super::{METER, backups, lock, motion, search, watch_recorder};

/// Seconds that one seek goes.
const SEEK_S: f64 = 5.0;

/// Does what a key or the palette asks for.
pub(super) fn act(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::Up => motion::step(model, -1, effects),
        Action::Down => motion::step(model, 1, effects),
        Action::PageUp => motion::step(model, -motion::page(model), effects),
        Action::PageDown => motion::step(model, motion::page(model), effects),
        Action::First => motion::step(model, -isize::MAX, effects),
        Action::Last => motion::step(model, isize::MAX, effects),
        Action::Left => model.focus = Pane::List,
        Action::Right => go_to_text(model, effects),
        Action::OtherPane if model.focus == Pane::Text => model.focus = Pane::List,
        Action::OtherPane => go_to_text(model, effects),
        Action::Back => back(model, effects),
        Action::Help => model.overlay = Some(Overlay::Help(0)),
        Action::Palette => {
            model.overlay = Some(Overlay::Palette {
                line: Line::default(),
                row: 0,
            })
        }
        Action::Redraw => effects.push(Effect::Redraw),
        Action::Suspend => suspend(model, effects),
        Action::Quit => quit(model, effects),
        Action::Lock => {
            if model.is_open() {
                lock(model, effects);
            }
        }
        Action::Unlock => {
            if let Vault::Locked { typed, .. } = &mut model.vault {
                *typed = Some(Secret::default());
            }
        }
        Action::Search => search::open(model),
        Action::NextHit => motion::step_moment(model, 1, effects),
        Action::PreviousHit => motion::step_moment(model, -1, effects),
        Action::Record | Action::Pause | Action::Marker | Action::Title | Action::StopRecording => {
            recorder(model, action, effects);
        }
        Action::Open if model.place() == Place::Equipment => use_piece(model, effects),
        Action::Open => play(model, effects),
        Action::PlayPause | Action::StopPlaying | Action::SeekBack | Action::SeekOn => {
            player(model, action, effects)
        }
        Action::MarkRow => mark_row(model, effects),
        Action::UnmarkAll => model.library.marked.clear(),
        Action::Edit => edit(model),
        Action::Export => export(model),
        Action::Redact => redact(model),
        Action::Shred => shred(model),
        Action::Copy => copy(model, effects),
        Action::Transcribe => {
            if let Some(id) = pointed(model) {
                effects.push(Effect::Ask(Request::Transcribe(id)));
                model.say("it will be transcribed again; the old transcript stays");
            }
        }
        Action::Equipment => {
            model.screen = Screen::Equipment;
            effects.push(Effect::Ask(Request::Equipment));
        }
        Action::Retention => {
            model.screen = Screen::Retention;
            (model.retention, model.retention_top) = (None, 0);
            effects.push(Effect::Ask(Request::Retention));
        }
        Action::Backups => backups::open(model, effects),
        Action::BackUpTo => backups::ask_where(model),
        Action::BackUpAgain => backups::ask_whether(model),
        Action::VerifyBackup => backups::verify(model, effects),
        Action::StopBackup => backups::stop(model, effects),
        Action::Log => {
            model.screen = Screen::Log;
            model.history = History::default();
            effects.push(Effect::Ask(Request::Log));
        }
    }
}

/// One level back.
fn back(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.screen != Screen::Main {
        model.screen = Screen::Main;
        watch_recorder(model, effects);
    } else if model.focus == Pane::Text {
        model.focus = Pane::List;
    } else if model.search.is_some() {
        search::close(model, effects);
    }
}

/// Ends, but asks while something is recorded or backed up.
pub(super) fn quit(model: &mut Model, effects: &mut Vec<Effect>) {
    match (
        &model.overlay,
        model.is_recording() || model.is_backing_up(),
    ) {
        (Some(Overlay::Quit(_)), _) | (_, false) => effects.push(Effect::Quit),
        (_, true) => model.overlay = Some(Overlay::Quit(Answered::No)),
    }
}

/// Back to the shell; not while sound comes in, which would stop with us.
pub(super) fn suspend(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.is_recording() {
        model.say("suspending would stop the recording; stop it first");
    } else {
        effects.push(Effect::Suspend);
    }
}

fn go_to_text(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.pointed().is_some() {
        motion::follow(model, effects);
        model.focus = Pane::Text;
    }
}

/// The recording that is shown or pointed at; says so when there is none.
fn pointed(model: &mut Model) -> Option<RecordingId> {
    let shown = model
        .reading
        .as_ref()
        .map(|reading| reading.id)
        .filter(|_| model.focus == Pane::Text);
    let id = shown.or_else(|| model.pointed());
    if id.is_none() {
        model.say("there is no recording here");
    }
    id
}

fn recorder(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    match (action, &mut model.recorder) {
        (Action::Record, Recorder::Idle) => {
            if matches!(model.vault, Vault::Locked { .. } | Vault::Open) {
                model.recorder = Recorder::Starting;
                model.screen = Screen::Recorder;
                effects.push(Effect::Ask(Request::Record {
                    device: model.device.clone(),
                }));
            }
        }
        (Action::Record, _) => {
            model.screen = Screen::Recorder;
            watch_recorder(model, effects);
        }
        (Action::Pause, Recorder::Running { wish, .. }) => {
            *wish = if *wish == Wish::Hold {
                Wish::Record
            } else {
                Wish::Hold
            };
            effects.push(Effect::Ask(if *wish == Wish::Hold {
                Request::Pause
            } else {
                Request::Resume
            }));
            effects.push(Effect::After(Timer::Meter, METER));
        }
        (Action::Marker, Recorder::Running { status, .. }) => {
            effects.push(Effect::Ask(Request::Mark));
            effects.push(Effect::Ask(Request::Meter));
            let said = format!(
                "marker {} at {}",
                status.markers + 1,
                words::duration(status.elapsed_s)
            );
            model.say(said);
        }
        (Action::Title, Recorder::Running { title, .. }) => {
            model.overlay = Some(Overlay::Title(Line::new(title)))
        }
        (Action::StopRecording, Recorder::Running { .. }) => {
            model.recorder = Recorder::Stopping;
            effects.push(Effect::Ask(Request::StopRecording));
        }
        _ => {}
    }
}

/// Plays what is pointed at: from its start, from the moment that was found,
/// or from the sentence under the cursor.
fn play(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(id) = pointed(model) else { return };
    match model.library.get(id).map(Recording::sound_left) {
        Some(SoundLeft::Shredded) => {
            return model.say("its sound was shredded; the transcript is what there is");
        }
        Some(SoundLeft::Lost) => {
            return model.say("its sound is lost: it was damaged; a backup may bring it back");
        }
        Some(SoundLeft::Here) | None => {}
    }
    let moment = model.search.as_ref().and_then(|search| {
        let hit = search.hits.get(search.scroll.cursor)?;
        hit.moments.get(search.moment).map(|moment| moment.start_s)
    });
    let sentence = model
        .reading
        .as_ref()
        .filter(|_| model.focus == Pane::Text)
        .and_then(|reading| {
            reading
                .segments()
                .get(reading.cursor)
                .map(|segment| f64::from(segment.start_ms) / 1000.0)
        });
    if model.focus == Pane::List {
        motion::follow(model, effects);
    }
    effects.push(Effect::Ask(Request::Play {
        id,
        from_s: sentence.or(moment).unwrap_or(0.0),
    }));
}

fn player(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    let Some(status) = &model.player else {
        return model.say("nothing is played");
    };
    effects.push(Effect::Ask(match action {
        Action::PlayPause => Request::PlayPause,
        Action::SeekBack => Request::Seek((status.position_s - SEEK_S).max(0.0)),
        Action::SeekOn => Request::Seek((status.position_s + SEEK_S).min(status.duration_s)),
        _ => Request::StopPlaying,
    }));
}

fn mark_row(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(id) = model.pointed() {
        if !model.library.marked.remove(&id) {
            model.library.marked.insert(id);
        }
        motion::step(model, 1, effects);
    }
}

fn edit(model: &mut Model) {
    if let Some(id) = pointed(model)
        && let Some(recording) = model.library.get(id)
    {
        let card = &recording.card;
        let fields = [
            Line::new(&card.title),
            Line::new(&card.tags.join(" ")),
            Line::new(&card.note),
        ];
        model.overlay = Some(Overlay::Edit(EditForm {
            id,
            fields,
            field: 0,
        }));
    }
}

/// What export and shred are done to; says so when there is nothing.
fn chosen(model: &mut Model) -> Option<Vec<RecordingId>> {
    let shown = model
        .reading
        .as_ref()
        .map(|reading| reading.id)
        .filter(|_| model.focus == Pane::Text);
    let ids = match shown {
        Some(id) if model.library.marked.is_empty() => vec![id],
        _ => model.chosen(),
    };
    if ids.is_empty() {
        model.say("there is no recording here");
        return None;
    }
    Some(ids)
}

fn export(model: &mut Model) {
    let Some(ids) = chosen(model) else { return };
    let name = match ids.as_slice() {
        [id] => model
            .library
            .get(*id)
            .map(words::file_name)
            .unwrap_or_default(),
        _ => "voxvault-export".to_owned(),
    };
    model.overlay = Some(Overlay::Export(ExportForm {
        ids,
        format: 0,
        destination: Line::new(&name),
        field: 0,
    }));
}

fn shred(model: &mut Model) {
    if let Some(ids) = chosen(model) {
        model.overlay = Some(Overlay::Shred {
            ids,
            answer: Answered::No,
        });
    }
}

/// Asks about the sentence under the cursor.
fn redact(model: &mut Model) {
    let sentence = model.reading.as_ref().and_then(|reading| {
        let segment = reading.segments().get(reading.cursor)?;
        Some((reading.id, segment.clone()))
    });
    match sentence {
        None => model.say("there is no sentence here"),
        Some((_, segment)) if segment.text == REDACTED => {
            model.say("this sentence is redacted already");
        }
        Some((id, segment)) => {
            model.overlay = Some(Overlay::Redact {
                id,
                span_ms: segment.start_ms..segment.end_ms.max(segment.start_ms + 1),
                words: segment.text,
                answer: Answered::No,
            });
        }
    }
}

fn copy(model: &mut Model, effects: &mut Vec<Effect>) {
    let text = model
        .reading
        .as_ref()
        .and_then(|reading| match &reading.text {
            Text::Here(transcript)
                if Some(reading.id) == model.pointed() || model.focus == Pane::Text =>
            {
                Some(transcript.text())
            }
            _ => None,
        });
    match text {
        Some(text) if text.len() > clipboard::LONGEST => {
            model.say("the transcript is too long for a terminal's clipboard; export it instead");
        }
        Some(text) => {
            // Whether the terminal takes it, it doesn't say.
            model.say("transcript sent to the terminal");
            effects.push(Effect::Clip(Zeroizing::new(text)));
        }
        None => model.say("there is no transcript here"),
    }
}

fn use_piece(model: &mut Model, effects: &mut Vec<Effect>) {
    let row = model.equipment_row;
    let devices = model.equipment.devices.len();
    if let Some(device) = model.equipment.devices.get(row) {
        let name = device.name.clone();
        for piece in &mut model.equipment.devices {
            piece.in_use = piece.name == name;
        }
        model.say(format!("the next recording uses {name}"));
        model.device = Some(name);
    } else if let Some(name) = row
        .checked_sub(devices)
        .and_then(|at| model.equipment.models.get(at))
        .map(|m| m.name.clone())
    {
        model.say(format!("from now on {name} transcribes"));
        effects.push(Effect::Ask(Request::UseModel(name)));
        effects.push(Effect::Ask(Request::Equipment));
    }
}

//! What the engine's answers change.

use crate::error::Failure;
use crate::recording::RecordingId;
use crate::tui::engine::{Answer, Phase, RecorderStatus, Request, Vault as Found};
use crate::tui::model::reading::Text;
use crate::tui::model::{
    Answered, FirstStart, Model, Overlay, Recorder, Repeat, Screen, Transcribing, Typing, Vault,
    Wish,
};
use crate::tui::msg::Effect;
use crate::tui::secret::Secret;

use super::{backups, lock, motion, search, watch_for_idleness, watch_recorder};
use crate::tui::view::words;

/// Takes an answer in. One that speaks of an open vault comes too late when
/// the vault was locked meanwhile, and is dropped.
pub(super) fn take(model: &mut Model, answer: Answer, effects: &mut Vec<Effect>) {
    match answer {
        Answer::Vault(found) => look(model, found),
        Answer::Access(access) => model.access = access,
        Answer::Unlocked { notices } => unlocked(model, &notices, effects),
        Answer::StaysLocked(failure) => {
            // Whether there is a vault by now, only a look can say.
            model.vault = Vault::Locked {
                waiting: 0,
                typed: None,
            };
            model.complain(&failure);
            effects.push(Effect::Ask(Request::Look));
        }
        Answer::Recorder(status) => {
            let before = model.recorder_status().map(|status| status.phase);
            if let Some(line) = before.and_then(|before| change(before, &status)) {
                model.say(line);
            }
            match &mut model.recorder {
                Recorder::Running { status: known, .. } => *known = status,
                Recorder::Starting => {
                    model.recorder = Recorder::Running {
                        status,
                        title: String::new(),
                        wish: Wish::Record,
                    }
                }
                Recorder::Idle | Recorder::Stopping => return,
            }
            watch_recorder(model, effects);
        }
        Answer::RecorderFailed(failure) => {
            model.recorder = Recorder::Idle;
            if model.screen == Screen::Recorder {
                model.screen = Screen::Main;
            }
            watch_recorder(model, effects);
            model.complain(&failure);
        }
        Answer::Recorded {
            duration_s,
            shortfall,
        } => recorded(model, duration_s, shortfall, effects),
        Answer::Notice(text) => model.say(text),
        Answer::Failed(failure) => model.complain(&failure),
        Answer::Equipment(equipment) => {
            model.equipment = equipment;
            let count = model.equipment.devices.len() + model.equipment.models.len();
            model.equipment_row = model.equipment_row.min(count.saturating_sub(1));
        }
        about_what_is_open if model.is_open() => take_open(model, about_what_is_open, effects),
        _ => {}
    }
}

fn take_open(model: &mut Model, answer: Answer, effects: &mut Vec<Effect>) {
    match answer {
        Answer::Listed { recordings, today } => {
            model.library.replace(recordings, today);
            motion::rest(model, effects);
            if model.search.is_some() {
                search::ask(model, effects);
            }
            backups::look_again(model, effects);
        }
        Answer::Changed(recording) => {
            let id = recording.id;
            model.library.change(*recording);
            refresh(model, id, effects);
        }
        Answer::Read { id, transcript } => {
            if let Some(reading) = model.reading.as_mut().filter(|reading| reading.id == id) {
                reading.text = transcript.map_or(Text::None, Text::Here);
                reading.cursor = 0;
                let moments = std::mem::take(&mut reading.moments);
                reading.light(moments);
                reading.top = 0;
            }
            motion::fit(model);
            motion::go_to_moment(model);
        }
        Answer::Waveform { id, levels } => {
            if let Some(reading) = model.reading.as_mut().filter(|reading| reading.id == id) {
                reading.levels = levels;
            }
        }
        Answer::Found {
            serial,
            took_ms,
            total,
            hits,
        } if serial == model.serial => {
            if let Some(search) = &mut model.search {
                // Who browses the hits keeps theirs; who types wants the best.
                let under = search
                    .hits
                    .get(search.scroll.cursor)
                    .map(|hit| hit.id)
                    .filter(|_| search.typing == Typing::No);
                let cursor = hits
                    .iter()
                    .position(|hit| Some(hit.id) == under)
                    .unwrap_or(0);
                if cursor == 0 {
                    search.moment = 0;
                }
                search.hits = hits;
                search.total = total;
                search.took_ms = Some(took_ms);
                search.scroll.cursor = cursor;
                motion::rest(model, effects);
            }
        }
        Answer::Backups(found) => model.backups.replace(found),
        Answer::BackupsNotThere(folders) => model.backups.not_there = folders,
        Answer::Archiving(archiving) => model.archiving = Some(archiving),
        Answer::Archived(archived) => backups::ended(model, archived, effects),
        Answer::Log(logged) => model.history.replace(logged),
        Answer::Playing(status) => model.player = Some(status),
        Answer::PlayerStopped => model.player = None,
        Answer::Transcribing {
            position,
            of,
            percent,
        } => {
            model.transcribing = Some(Transcribing {
                position,
                of,
                percent,
            });
        }
        Answer::TranscriberIdle => model.transcribing = None,
        Answer::Shredded { ids, receipt } => {
            model.library.remove(&ids);
            if let Some(search) = &mut model.search {
                search.hits.retain(|hit| !ids.contains(&hit.id));
                search.total = search.hits.len();
                search.scroll.cursor = search
                    .scroll
                    .cursor
                    .min(search.hits.len().saturating_sub(1));
            }
            model.overlay = Some(Overlay::Receipt(receipt, 0));
            motion::follow(model, effects);
        }
        Answer::Redacted { recording, receipt } => {
            let id = recording.id;
            model.library.change(*recording);
            model.overlay = Some(Overlay::Receipt(receipt, 0));
            refresh(model, id, effects);
        }
        Answer::DestroyingFailed(failure) => {
            if matches!(model.overlay, Some(Overlay::Shredding)) {
                model.overlay = None;
            }
            model.complain(&failure);
        }
        Answer::LockedOut(failure) => {
            lock(model, effects);
            model.complain(&failure);
        }
        Answer::ClockLeapt(leap) => {
            model.overlay = Some(Overlay::Clock {
                leap,
                answer: Answered::No,
            });
        }
        Answer::Swept(receipt) => model.overlay = Some(Overlay::Receipt(receipt, 0)),
        Answer::Retention(retention) => model.retention = Some(retention),
        Answer::Exported { paths } => {
            let more = paths.len().saturating_sub(1);
            let first = paths.into_iter().next().unwrap_or_default();
            let rest = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            model.say(format!("written in the clear: {first}{rest}"));
        }
        _ => {}
    }
}

/// What a person should hear of whose eyes were elsewhere: that what went wrong
/// with a recording is over. What is wrong stands on the screen while it is.
fn change(before: Phase, now: &RecorderStatus) -> Option<String> {
    match (before, now.phase) {
        (Phase::NothingComes, Phase::Recording) => {
            Some("sound comes now · the recording begins here".into())
        }
        (Phase::WaitingForMicrophone, Phase::Recording) => Some(format!(
            "the microphone is back · {:.1} s of sound are missing",
            now.gap_s
        )),
        (Phase::DiskFull, Phase::Recording) => {
            Some("there is room again · nothing is missing".into())
        }
        _ => None,
    }
}

/// A recording changed: its text may be new, and a search may find other things.
fn refresh(model: &mut Model, id: RecordingId, effects: &mut Vec<Effect>) {
    if model
        .reading
        .as_ref()
        .is_some_and(|reading| reading.id == id)
    {
        effects.push(Effect::Ask(Request::Read(id)));
        effects.push(Effect::Ask(Request::Waveform(id)));
    }
    if model.search.is_some() {
        search::ask(model, effects);
    }
    if model.reading.is_none() {
        motion::follow(model, effects);
    }
}

fn look(model: &mut Model, found: Found) {
    match (found, &mut model.vault) {
        (_, Vault::Open | Vault::Opening) => {}
        (Found::Missing { place }, Vault::Missing(start)) => start.place = place,
        (Found::Missing { place }, vault) => {
            *vault = Vault::Missing(FirstStart {
                place,
                first: Secret::default(),
                again: Secret::default(),
                repeating: Repeat::First,
            });
        }
        (
            Found::Locked {
                waiting: now,
                notices,
            },
            vault,
        ) => {
            match vault {
                Vault::Locked { waiting, .. } => *waiting = now,
                other => {
                    *other = Vault::Locked {
                        waiting: now,
                        typed: None,
                    }
                }
            }
            if let Some(notice) = notices.first() {
                model.say(notice);
            }
        }
    }
}

fn unlocked(model: &mut Model, notices: &[String], effects: &mut Vec<Effect>) {
    model.vault = Vault::Open;
    model.lock_announced = false;
    if !notices.is_empty() {
        model.say(notices.join(" · "));
    }
    effects.push(Effect::Ask(Request::List));
    watch_for_idleness(model, effects);
}

fn recorded(
    model: &mut Model,
    duration_s: f64,
    shortfall: Option<Failure>,
    effects: &mut Vec<Effect>,
) {
    model.recorder = Recorder::Idle;
    if model.screen == Screen::Recorder {
        model.screen = Screen::Main;
    }
    if matches!(model.overlay, Some(Overlay::Quit(_) | Overlay::Title(_))) {
        model.overlay = None;
    }
    watch_recorder(model, effects);
    let kept = format!("kept: {}", words::duration(duration_s));
    match shortfall {
        Some(failure) => {
            let why = failure.why.clone();
            model.complain(&Failure {
                why: format!("{kept} · {why}"),
                ..failure
            });
        }
        None if model.is_open() => model.say(kept),
        None => model.say(format!("{kept} · it can be read after unlocking")),
    }
    if !model.is_open() {
        effects.push(Effect::Ask(Request::Look));
    }
}

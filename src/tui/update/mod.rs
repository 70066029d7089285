//! What each thing that happens changes, and what it asks for.
//!
//! Reads no clock and does no I/O: time comes as messages and work leaves as
//! effects, so every behaviour of the interface can be tested without either.

use std::time::Duration;

use super::engine::Request;
use super::input::Key;
use super::model::{Model, Pane, Recorder, Screen, Typing, Vault};
use super::msg::{Effect, Msg, Timer};

mod act;
mod answer;
mod backups;
mod door;
mod motion;
mod overlay;
mod search;

pub(in crate::tui) use motion::HIT_ROWS;

#[cfg(test)]
mod tests;

/// How long before locking it is announced, at most.
pub const LOCK_NOTICE: Duration = Duration::from_secs(30);
/// How long the cursor rests before the right pane follows it. While it moves
/// only the list changes, which is what keeps a slow line quick.
pub const REST: Duration = Duration::from_millis(150);
/// Between two looks at the recorder, on its own screen and elsewhere.
pub const METER: Duration = Duration::from_millis(250);
/// The same on other screens, which show only the clock.
pub const METER_ELSEWHERE: Duration = Duration::from_secs(1);

/// What to ask for at the start.
#[must_use]
pub fn begin() -> Vec<Effect> {
    vec![Effect::Ask(Request::Look)]
}

/// Changes the model; says what has to be done outside of it.
#[must_use]
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    match msg {
        Msg::Key(key) => {
            touched(model, &mut effects);
            press(model, key, &mut effects);
        }
        Msg::Paste(text) => {
            touched(model, &mut effects);
            paste(model, &text, &mut effects);
        }
        Msg::Resized(size) => {
            model.size = size;
            motion::fit(model);
        }
        Msg::Due(timer) => due(model, timer, &mut effects),
        Msg::Answer(answer) => answer::take(model, answer, &mut effects),
        // The engine stops and keeps what is being recorded as it closes.
        Msg::End => effects.push(Effect::Quit),
    }
    motion::keep_in_sight(model);
    effects
}

/// Somebody is there: messages were seen, and locking is put off.
fn touched(model: &mut Model, effects: &mut Vec<Effect>) {
    model.note = None;
    model.lock_announced = false;
    if model.is_open() {
        watch_for_idleness(model, effects);
    }
}

fn press(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    if key == Key::Ctrl('c') {
        return act::quit(model, effects);
    }
    if key == Key::Ctrl('z') {
        return act::suspend(model, effects);
    }
    if key == Key::Ctrl('l') {
        return effects.push(Effect::Redraw);
    }
    if model.overlay.is_some() {
        return overlay::press(model, key, effects);
    }
    if model.screen == Screen::Main && !model.is_open() && door::takes_text(model) {
        return door::press(model, key, effects);
    }
    let typing = model
        .search
        .as_ref()
        .is_some_and(|search| search.typing == Typing::Yes);
    if typing && model.screen == Screen::Main && model.focus == Pane::List {
        return search::press(model, key, effects);
    }
    if let Some(action) = model.settings.keymap.action(model.place(), key) {
        act::act(model, action, effects);
    }
}

/// Pasted text goes where text is being typed and is dropped elsewhere: it is
/// never taken for commands.
fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    if model.overlay.is_some() {
        overlay::paste(model, text);
    } else if model.screen == Screen::Main && door::takes_text(model) {
        door::paste(model, text);
    } else if model
        .search
        .as_ref()
        .is_some_and(|search| search.typing == Typing::Yes)
    {
        search::paste(model, text, effects);
    }
}

fn due(model: &mut Model, timer: Timer, effects: &mut Vec<Effect>) {
    match timer {
        Timer::Rest => motion::follow(model, effects),
        Timer::Meter if model.is_recording() => effects.push(Effect::Ask(Request::Meter)),
        Timer::Idle if model.is_open() => {
            let Some(after) = model.settings.lock_after else {
                return;
            };
            if model.player.as_ref().is_some_and(|player| !player.paused) {
                // Somebody listens.
                watch_for_idleness(model, effects);
            } else if model.lock_announced {
                lock(model, effects);
            } else {
                model.lock_announced = true;
                effects.push(Effect::After(Timer::Idle, notice(after)));
            }
        }
        Timer::Meter | Timer::Idle => {}
    }
}

/// Forgets what only an open vault may show. A recording goes on.
fn lock(model: &mut Model, effects: &mut Vec<Effect>) {
    model.forget();
    model.vault = Vault::Locked {
        waiting: 0,
        typed: None,
    };
    effects.push(Effect::Never(Timer::Idle));
    effects.push(Effect::Never(Timer::Rest));
    effects.push(Effect::Ask(Request::Lock));
    effects.push(Effect::Ask(Request::Look));
    effects.push(Effect::Redraw);
}

/// When to look at the recorder next.
fn watch_recorder(model: &Model, effects: &mut Vec<Effect>) {
    if matches!(model.recorder, Recorder::Idle) || model.is_held() {
        // Held: nothing changes until a key does it.
        effects.push(Effect::Never(Timer::Meter));
    } else {
        let often = model.screen == Screen::Recorder;
        effects.push(Effect::After(
            Timer::Meter,
            if often { METER } else { METER_ELSEWHERE },
        ));
    }
}

/// When to announce that the vault locks itself, unless a key comes first.
fn watch_for_idleness(model: &Model, effects: &mut Vec<Effect>) {
    if let Some(after) = model.settings.lock_after {
        effects.push(Effect::After(
            Timer::Idle,
            after.saturating_sub(notice(after)),
        ));
    }
}

/// How long before locking it is announced. Who wants it locked after seconds
/// still has half of them before the announcement.
pub(in crate::tui) fn notice(after: Duration) -> Duration {
    LOCK_NOTICE.min(after / 2)
}

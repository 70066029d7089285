#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod backups;
mod destroying;
mod locking;

use super::*;
use crate::error::{Exit, Failure};
use crate::tui::engine::{Answer, Request, Vault as Found};
use crate::tui::fixture::{Driven, TODAY, hit, id, logged, recorder_status, recording, six};
use crate::tui::input::Key;
use crate::tui::model::{Overlay, Screen};

fn missing() -> Driven {
    let mut driven = Driven::new(80, 24);
    driven.answer(Answer::Vault(Found::Missing {
        place: "~/vault".to_owned(),
    }));
    driven.asked();
    driven
}

fn note(driven: &Driven) -> &str {
    driven
        .model
        .note
        .as_ref()
        .map_or("", |note| note.text.as_str())
}

#[test]
fn the_first_start_makes_a_vault_from_two_equal_passphrases() {
    let mut driven = missing();
    driven.type_text("correct horse");
    driven.press(&[Key::Enter]);
    driven.type_text("correct horse");
    driven.press(&[Key::Enter]);
    let asked = driven.asked();
    let [Request::Create(passphrase)] = asked.as_slice() else {
        panic!("it asked for something else")
    };
    assert_eq!(passphrase.expose(), "correct horse");
    driven.answer(Answer::Unlocked {
        notices: Vec::new(),
    });
    assert!(driven.model.is_open());
}

#[test]
fn a_short_or_differing_passphrase_makes_no_vault_and_says_why() {
    let mut driven = missing();
    driven.type_text("short");
    driven.press(&[Key::Enter]);
    assert!(note(&driven).contains("at least 8 characters"));
    driven.type_text("er than that");
    driven.press(&[Key::Enter]);
    driven.type_text("something else");
    driven.press(&[Key::Enter]);
    assert!(note(&driven).contains("differ"));
    assert!(driven.asked().is_empty());
}

#[test]
fn while_locked_it_records_and_letters_of_a_passphrase_are_no_commands() {
    let mut driven = Driven::locked(80, 24);
    driven.asked();
    driven.press(&[Key::Enter]);
    driven.type_text("rqD:? r");
    driven.press(&[Key::Enter]);
    let asked = driven.asked();
    assert!(matches!(asked.as_slice(), [Request::Unlock(secret)] if secret.expose() == "rqD:? r"));
    driven.answer(Answer::StaysLocked(Failure::new(
        Exit::Locked,
        "can't unlock the vault",
        "the passphrase is wrong",
    )));
    assert!(note(&driven).contains("passphrase is wrong"));
    driven.asked();
    driven.type_text("r");
    assert!(matches!(
        driven.asked().as_slice(),
        [Request::Record { device: None }]
    ));
}

#[test]
fn the_right_pane_follows_only_when_the_cursor_rests() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("jjj");
    assert!(driven.asked().is_empty());
    assert_eq!(driven.model.pointed(), Some(id(4)));
    driven.happen(Msg::Due(Timer::Rest));
    assert!(
        matches!(driven.asked().as_slice(), [Request::Read(read), Request::Waveform(_)] if *read == id(4))
    );
}

#[test]
fn search_asks_with_each_letter_and_drops_late_answers() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("/he");
    let asked = driven.asked();
    let [
        Request::Search { serial: first, .. },
        Request::Search {
            serial: second,
            query,
        },
    ] = asked.as_slice()
    else {
        panic!("two searches were expected");
    };
    assert_eq!(query, "he");
    driven.answer(Answer::Found {
        serial: *second,
        took_ms: 0.4,
        total: 1,
        hits: vec![hit()],
    });
    driven.answer(Answer::Found {
        serial: *first,
        took_ms: 0.4,
        total: 0,
        hits: Vec::new(),
    });
    assert_eq!(driven.model.search.as_ref().unwrap().hits.len(), 1);
    driven.press(&[Key::Enter]);
    let played = driven
        .asked()
        .into_iter()
        .find_map(|request| match request {
            Request::Play { id, from_s } => Some((id, from_s)),
            _ => None,
        });
    assert_eq!(played, Some((id(1), 9.5)));
}

#[test]
fn the_meter_is_watched_only_while_sound_comes_in() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("r");
    driven.effects.clear();
    driven.answer(Answer::Recorder(recorder_status(1.0, -20.0)));
    assert!(
        driven
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::After(Timer::Meter, time) if *time == METER))
    );
    driven.effects.clear();
    let mut held = recorder_status(1.5, -20.0);
    held.phase = crate::tui::engine::Phase::Paused;
    driven.press(&[Key::Char(' ')]);
    assert!(
        driven
            .asked()
            .iter()
            .any(|request| matches!(request, Request::Pause))
    );
    driven.answer(Answer::Recorder(held.clone()));
    assert!(
        driven
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Never(Timer::Meter)))
    );
    // Going on takes the recorder a moment: until then it is looked at again.
    driven.press(&[Key::Char(' ')]);
    assert!(
        driven
            .asked()
            .iter()
            .any(|request| matches!(request, Request::Resume))
    );
    driven.answer(Answer::Recorder(held));
    assert!(
        driven
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::After(Timer::Meter, _)))
    );
}

#[test]
fn quitting_asks_while_something_is_recorded() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("r");
    driven.answer(Answer::Recorder(recorder_status(1.0, -20.0)));
    driven.effects.clear();
    driven.press(&[Key::Char('q'), Key::Enter]);
    assert!(
        !driven
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Quit))
    );
    driven.press(&[Key::Char('q'), Key::Tab, Key::Enter]);
    assert!(
        driven
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Quit))
    );
}

#[test]
fn a_microphone_that_is_not_there_leads_back_with_the_reason() {
    let mut driven = Driven::locked(80, 24);
    driven.type_text("r");
    driven.answer(Answer::RecorderFailed(Failure::new(
        Exit::NoMicrophone,
        "can't record",
        "there is no microphone",
    )));
    assert_eq!(driven.model.screen, Screen::Main);
    assert!(note(&driven).contains("no microphone"));
    assert!(!driven.model.is_recording());
}

#[test]
fn tags_are_words_without_their_hash_and_each_once() {
    let mut driven = Driven::open(80, 24);
    driven.press(&[Key::Char('e'), Key::Tab, Key::Ctrl('u')]);
    driven.type_text("#a, b #a");
    driven.press(&[Key::Enter]);
    let asked = driven.asked();
    assert!(
        matches!(asked.as_slice(), [Request::Edit { tags, title, .. }] if tags == &["a", "b"] && title == "Standup with Ana")
    );
}

#[test]
fn the_log_is_reached_by_key_and_palette_scrolled_with_arrows_and_left_with_escape() {
    let mut driven = Driven::open(80, 24);
    driven.type_text(":exported");
    driven.press(&[Key::Enter]);
    assert!(matches!(driven.asked().as_slice(), [.., Request::Log]));
    assert_eq!(driven.model.place(), crate::tui::keymap::Place::Log);
    driven.press(&[Key::Down]);
    driven.answer(Answer::Log(logged(40)));
    assert_eq!(driven.model.history.current().unwrap().number, 40);
    driven.press(&[Key::Down, Key::Down, Key::Up, Key::Down]);
    assert_eq!(driven.model.history.current().unwrap().number, 38);
    driven.press(&[Key::End]);
    assert_eq!(driven.model.history.current().unwrap().number, 1);
    let scroll = driven.model.history.scroll;
    assert!(scroll.top > 0 && scroll.top <= scroll.cursor);
    driven.press(&[Key::PageUp, Key::Home]);
    assert_eq!(driven.model.history.scroll.top, 0);
    driven.press(&[Key::Esc]);
    assert_eq!(driven.model.screen, Screen::Main);
    driven.type_text("H");
    assert!(matches!(driven.asked().as_slice(), [.., Request::Log]));
}

#[test]
fn the_palette_reaches_an_action_by_its_words() {
    let mut driven = Driven::open(80, 24);
    driven.type_text(":destroy");
    driven.press(&[Key::Enter]);
    assert!(matches!(driven.model.overlay, Some(Overlay::Shred { .. })));
}

#[test]
fn a_new_recording_leaves_the_cursor_where_it_was() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("jj");
    driven.answer(Answer::Changed(Box::new(recording(
        9, TODAY, "10:00", "new", 3,
    ))));
    assert_eq!(driven.model.pointed(), Some(id(3)));
}

#[test]
fn retention_is_reached_by_its_key_and_by_the_palette_and_left_by_escape() {
    for keys in ["K", ":retention"] {
        let mut driven = Driven::open(80, 24);
        driven.type_text(keys);
        if keys.starts_with(':') {
            driven.press(&[Key::Enter]);
        }
        assert!(driven.model.screen == Screen::Retention, "{keys}");
        let requests = driven.asked();
        assert!(requests.iter().any(|one| matches!(one, Request::Retention)));
        driven.press(&[Key::Esc]);
        assert!(driven.model.screen == Screen::Main);
    }
}

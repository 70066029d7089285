#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod backups;

use super::*;
use crate::error::{Exit, Failure};
use crate::tui::engine::{Answer, Leap, PlayerStatus, Request, Vault as Found};
use crate::tui::fixture::{Driven, TODAY, hit, id, logged, recorder_status, recording, six};
use crate::tui::input::Key;
use crate::tui::model::{Answered, Overlay, Screen};

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
fn shred_names_nothing_less_than_the_marked_and_defaults_to_keep() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("  D");
    let Some(Overlay::Shred {
        ids,
        answer: Answered::No,
    }) = &driven.model.overlay
    else {
        panic!("no question")
    };
    assert_eq!(ids, &[id(1), id(2)]);
    driven.press(&[Key::Enter]);
    assert!(driven.model.overlay.is_none());
    assert!(
        !driven
            .asked()
            .iter()
            .any(|request| matches!(request, Request::Shred(_)))
    );
    driven.press(&[Key::Char('D'), Key::Tab, Key::Enter]);
    assert!(
        driven
            .asked()
            .iter()
            .any(|request| matches!(request, Request::Shred(ids) if ids.len() == 2))
    );
    driven.answer(Answer::Shredded {
        ids: vec![id(1), id(2)],
        receipt: vec!["2 recordings destroyed".to_owned()],
    });
    assert_eq!(driven.model.library.len(), 4);
    assert!(driven.model.library.marked.is_empty());
}

#[test]
fn redact_names_the_sentence_under_the_cursor_and_defaults_to_keep() {
    let mut driven = Driven::open(80, 24);
    driven.press(&[Key::Char('R')]);
    assert!(driven.model.overlay.is_none(), "no sentence in the list");
    let shown = driven.model.reading.as_ref().unwrap().id;
    let transcript = crate::tui::fixture::transcript();
    let second = transcript.segments[1].clone();
    driven.answer(Answer::Read {
        id: shown,
        transcript: Some(transcript),
    });
    driven.press(&[Key::Tab, Key::Down, Key::Char('R')]);
    let Some(Overlay::Redact {
        id,
        words,
        answer: Answered::No,
        ..
    }) = &driven.model.overlay
    else {
        panic!("no question")
    };
    assert_eq!((*id, words), (shown, &second.text));
    driven.press(&[Key::Enter]);
    assert!(driven.model.overlay.is_none());
    let asked = |driven: &mut Driven| {
        let span = |request| match request {
            Request::Redact { span_ms, .. } => Some(span_ms),
            _ => None,
        };
        driven.asked().into_iter().find_map(span)
    };
    assert_eq!(asked(&mut driven), None);
    driven.press(&[Key::Char('R'), Key::Tab, Key::Enter]);
    assert_eq!(asked(&mut driven), Some(second.start_ms..second.end_ms));
    let recording = driven.model.library.get(shown).unwrap().clone();
    driven.answer(Answer::Redacted {
        recording: Box::new(recording),
        receipt: vec!["Redacted for good.".to_owned()],
    });
    assert!(matches!(driven.model.overlay, Some(Overlay::Receipt(..))));
    let read_again = |request: &Request| matches!(request, Request::Read(id) if *id == shown);
    assert!(driven.asked().iter().any(read_again));
}

#[test]
fn no_single_key_answers_yes_to_shred() {
    let every = (' '..='~').map(Key::Char).chain([
        Key::Enter,
        Key::Esc,
        Key::Tab,
        Key::Left,
        Key::Right,
        Key::Delete,
    ]);
    for key in every {
        let mut driven = Driven::open(80, 24);
        driven.press(&[Key::Char('D'), key]);
        assert!(
            !driven
                .asked()
                .iter()
                .any(|request| matches!(request, Request::Shred(_))),
            "{key:?}"
        );
    }
}

#[test]
fn what_is_pasted_never_becomes_a_command() {
    let mut driven = Driven::open(80, 24);
    driven.happen(Msg::Paste(zeroize::Zeroizing::new("D\tq".to_owned())));
    assert!(driven.model.overlay.is_none());
    assert!(driven.asked().is_empty());
}

#[test]
fn it_locks_itself_after_a_notice_and_a_recording_goes_on() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("r");
    driven.answer(Answer::Recorder(recorder_status(1.0, -20.0)));
    driven.press(&[Key::Esc]);
    driven.happen(Msg::Due(Timer::Idle));
    assert!(driven.model.is_open() && driven.model.lock_announced);
    driven.asked();
    driven.happen(Msg::Due(Timer::Idle));
    assert!(!driven.model.is_open());
    assert!(
        driven.model.library.is_empty()
            && driven.model.reading.is_none()
            && driven.model.search.is_none()
    );
    assert!(driven.model.is_recording());
    let asked = driven.asked();
    assert!(matches!(asked.as_slice(), [Request::Lock, Request::Look]));
}

#[test]
fn a_key_after_the_notice_puts_locking_off() {
    let mut driven = Driven::open(80, 24);
    driven.happen(Msg::Due(Timer::Idle));
    driven.press(&[Key::Up]);
    assert!(!driven.model.lock_announced);
    driven.happen(Msg::Due(Timer::Idle));
    assert!(driven.model.is_open());
}

#[test]
fn a_short_time_until_it_locks_is_kept_with_half_of_it_announced() {
    for (after_s, announced_at_s) in [(10, 5), (45, 23), (60, 30), (600, 570)] {
        let after = Duration::from_secs(after_s);
        let mut driven = Driven::locked(80, 24);
        driven.model.settings.lock_after = Some(after);
        let waits = |effects: Vec<Effect>| {
            let idle = |effect| match effect {
                Effect::After(Timer::Idle, time) => Some(time),
                _ => None,
            };
            effects.into_iter().filter_map(idle).next_back().unwrap()
        };
        let unlocked = Answer::Unlocked {
            notices: Vec::new(),
        };
        let first = waits(update(&mut driven.model, Msg::Answer(unlocked)));
        assert_eq!((first.as_secs_f64()).round() as u64, announced_at_s);
        let second = waits(update(&mut driven.model, Msg::Due(Timer::Idle)));
        assert!(driven.model.lock_announced);
        assert_eq!(first + second, after);
    }
}

#[test]
fn somebody_who_listens_is_not_locked_out() {
    let mut driven = Driven::open(80, 24);
    driven.answer(Answer::Playing(PlayerStatus {
        id: id(1),
        position_s: 1.0,
        duration_s: 3.0,
        paused: false,
    }));
    driven.happen(Msg::Due(Timer::Idle));
    driven.happen(Msg::Due(Timer::Idle));
    assert!(driven.model.is_open());
}

#[test]
fn answers_about_an_open_vault_that_come_after_locking_are_dropped() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("L");
    driven.answer(Answer::Listed {
        recordings: six().into(),
        today: TODAY,
    });
    driven.answer(Answer::Changed(Box::new(recording(
        9, TODAY, "10:00", "late", 3,
    ))));
    assert!(driven.model.library.is_empty());
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
fn locking_forgets_the_log_and_what_of_it_comes_too_late_is_dropped() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("H");
    driven.answer(Answer::Log(logged(4)));
    driven.type_text("L");
    assert!(driven.model.history.read.is_none());
    assert_eq!(driven.model.screen, Screen::Main);
    driven.answer(Answer::Log(logged(4)));
    assert!(driven.model.history.read.is_none());
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
fn the_question_about_a_clock_is_answered_with_no_unless_somebody_goes_over_to_yes() {
    let leap = || Leap {
        now: "2027-03-01 09:12".to_owned(),
        believed: "2026-11-22 17:03".to_owned(),
        due: Vec::new(),
    };
    let asked = |keys: &[Key]| {
        let mut driven = Driven::open(80, 24);
        driven.answer(Answer::ClockLeapt(leap()));
        driven.press(keys);
        let requests = driven.asked();
        let confirms = |request: &Request| matches!(request, Request::ClockIsRight);
        (
            requests.iter().any(confirms),
            driven.model.overlay.is_some(),
        )
    };
    assert_eq!(asked(&[Key::Enter]), (false, false));
    assert_eq!(asked(&[Key::Esc]), (false, false));
    assert_eq!(asked(&[Key::Char('y')]), (false, true));
    assert_eq!(asked(&[Key::Tab, Key::Enter]), (true, true));
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

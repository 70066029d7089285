//! The vault locks itself, and what of it comes too late is dropped.

use super::*;
use crate::tui::engine::PlayerStatus;
use crate::vault::Error;

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
fn who_is_locked_out_stands_before_the_door_with_the_reason_and_nothing_pending() {
    let mut driven = Driven::open(80, 24);
    driven.press(&[Key::Char('D'), Key::Tab, Key::Enter]);
    assert!(matches!(driven.model.overlay, Some(Overlay::Shredding)));
    driven.asked();
    let replaced = || Error::KeysReplaced { dir: "/v".into() };
    driven.answer(Answer::LockedOut(replaced().into()));
    assert!(!driven.model.is_open() && driven.model.overlay.is_none());
    assert!(driven.model.library.is_empty());
    let asked = driven.asked();
    assert!(matches!(asked.as_slice(), [Request::Lock, Request::Look]));
    driven.answer(Answer::Vault(Found::Locked {
        waiting: 0,
        notices: Vec::new(),
    }));
    assert!(note(&driven).contains("its keys were replaced meanwhile"));
    assert!(note(&driven).contains("unlock it again"));

    // Said once: who types the passphrase by now is not disturbed.
    driven.press(&[Key::Enter]);
    driven.type_text("new");
    driven.answer(Answer::LockedOut(replaced().into()));
    assert!(driven.asked().is_empty() && note(&driven).is_empty());
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

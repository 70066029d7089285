//! The recorder, and what of it stands on every other screen.

use super::*;
use crate::tui::engine::{Phase, RecorderStatus};
use crate::tui::fixture::recorder_status;
use crate::tui::input::Key;

#[test]
fn recorder() {
    at_every_size("recorder", recording_now);
}

#[test]
fn recording_goes_on_under_the_library() {
    at_every_size("recording_below", |width, height| {
        let mut driven = recording_now(width, height);
        driven.press(&[Key::Esc]);
        driven
    });
}

#[test]
fn what_is_wrong_with_a_recording_stands_in_words_on_every_size() {
    type Change = fn(&mut RecorderStatus);
    let wrong: [(Change, &str, &str); 6] = [
        (
            |status| status.phase = Phase::Opening,
            "opening the microphone",
            "opening",
        ),
        (
            |status| status.phase = Phase::WaitingForMicrophone,
            "the microphone is gone",
            "mic gone",
        ),
        (
            |status| status.phase = Phase::NothingComes,
            "the microphone gives nothing",
            "no sound",
        ),
        (
            |status| status.phase = Phase::DiskFull,
            "the disk is full",
            "disk full",
        ),
        (|status| status.silent_s = 7.0, "silence", "silence"),
        (
            |status| status.space_left_s = Some(299),
            "nearly full: space for 4 min",
            "4 min left",
        ),
    ];
    for (change, words, brief) in wrong {
        for (width, height) in [(120, 40), (80, 24), (40, 10), (19, 4)] {
            let mut driven = recording_now(width, height);
            let words = if height < 5 { brief } else { words };
            assert!(
                !screen(&driven.model).contains(words),
                "{words}: it stands there anyway"
            );
            let mut status = recorder_status(42.3, -14.0);
            change(&mut status);
            driven.answer(Answer::Recorder(status.clone()));
            let shown = screen(&driven.model);
            assert!(
                shown.contains(words),
                "{words} at {width}x{height}:\n{shown}"
            );
            if height < 5 {
                continue;
            }
            // And in the line below every other screen.
            driven.press(&[Key::Esc]);
            let shown = screen(&driven.model);
            let words = if status.phase == Phase::Recording {
                brief
            } else {
                words
            };
            assert!(
                shown.contains(words),
                "{words} below, at {width}x{height}:\n{shown}"
            );
        }
    }
}

#[test]
fn a_microphone_that_is_back_is_told_with_what_is_missing() {
    let mut driven = recording_now(80, 24);
    let mut status = recorder_status(42.3, -14.0);
    status.phase = Phase::WaitingForMicrophone;
    driven.answer(Answer::Recorder(status));
    assert!(driven.model.note.is_none());
    let mut status = recorder_status(42.6, -14.0);
    status.gap_s = 7.3;
    driven.answer(Answer::Recorder(status));
    let shown = screen(&driven.model);
    assert!(shown.contains("the microphone is back"), "{shown}");
    assert!(shown.contains("7.3 s of sound are missing"), "{shown}");
}

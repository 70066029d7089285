//! How many bytes a frame sends, and how much it looks at.

use super::*;
use crate::tui::engine::{Archive, Archiving};
use crate::tui::fixture::{TODAY, recorder_status, recording};
use crate::tui::input::Key;
use crate::tui::wire::Wire;

/// Bytes that a model's next frame sends to a terminal that shows the last one.
struct Line {
    terminal: Terminal<Wire>,
}

impl Line {
    fn showing(model: &Model) -> Self {
        let mut line = Self {
            terminal: Terminal::new(Wire::new(model.size)).unwrap(),
        };
        line.frame(model);
        line
    }

    fn frame(&mut self, model: &Model) -> usize {
        self.terminal.draw(|frame| view(model, frame)).unwrap();
        self.terminal.backend_mut().take_frame().len()
    }
}

#[test]
fn nothing_is_sent_while_nothing_changes() {
    let driven = Driven::open(80, 24);
    assert_eq!(Line::showing(&driven.model).frame(&driven.model), 0);
}

#[test]
fn moving_the_selection_costs_at_most_300_bytes() {
    let mut many = Vec::new();
    for number in 0..400 {
        let day = TODAY
            .checked_sub(jiff::Span::new().days(i64::from(number / 5)))
            .unwrap();
        let time = format!("{:02}:{:02}", 20 - number % 5, number % 60);
        many.push(recording(
            number,
            day,
            &time,
            &format!("Call number {number} about the heating"),
            60 + u64::from(number),
        ));
    }
    let mut driven = Driven::holding(many, 80, 24);
    let mut line = Line::showing(&driven.model);
    let costs: Vec<usize> = (0..200)
        .map(|_| {
            driven.press(&[Key::Down]);
            line.frame(&driven.model)
        })
        .collect();
    // A list that scrolls is drawn anew, by half a screen at a time.
    let within = costs.iter().filter(|cost| **cost <= 300).count();
    assert!(
        within >= 170,
        "{within} of 200 moves within 300 bytes: {costs:?}"
    );
    let mean = costs.iter().sum::<usize>() / costs.len();
    assert!(mean <= 300, "{mean} bytes a move");
}

#[test]
fn recording_costs_at_most_600_bytes_a_second() {
    let mut driven = recording_now(80, 24);
    let mut line = Line::showing(&driven.model);
    let mut sent = 0;
    for tick in 0..240_u16 {
        // Speech jumps: the level changes by up to 40 dB from look to look.
        let level = -50.0 + f32::from((tick * 37) % 41);
        driven.answer(Answer::Recorder(recorder_status(
            42.0 + f64::from(tick) * 0.25,
            level,
        )));
        sent += line.frame(&driven.model);
    }
    assert!(sent / 60 <= 600, "{} bytes a second", sent / 60);
}

#[test]
fn a_frame_of_ten_years_looks_only_at_what_is_in_sight() {
    let many = |count: u32| {
        (0..count)
            .map(|number| {
                let day = TODAY
                    .checked_sub(jiff::Span::new().days(i64::from(number / 10)))
                    .unwrap();
                recording(number, day, "10:00", "a day like any other", 60)
            })
            .collect()
    };
    let looked_at = |count| {
        let driven = Driven::holding(many(count), 80, 24);
        let mut line = Line::showing(&driven.model);
        let before = driven.model.library.looked_at.get();
        line.frame(&driven.model);
        driven.model.library.looked_at.get() - before
    };
    let (few, ten_years) = (looked_at(36), looked_at(36_500));
    assert_eq!(ten_years, few);
    // Each row in sight, the recording in it, and the one under the cursor.
    assert!((20..60).contains(&few), "{few}");
}

#[test]
fn the_log_sends_nothing_while_nothing_changes_and_little_while_it_is_scrolled() {
    let mut driven = log_with(300, 80, 24);
    let mut line = Line::showing(&driven.model);
    assert_eq!(line.frame(&driven.model), 0);
    let costs: Vec<usize> = (0..200)
        .map(|_| {
            driven.press(&[Key::Down]);
            line.frame(&driven.model)
        })
        .collect();
    let mean = costs.iter().sum::<usize>() / costs.len();
    assert!(mean <= 300, "{mean} bytes a move: {costs:?}");
}

#[test]
fn the_backups_send_nothing_while_nothing_changes_and_little_while_one_runs() {
    let mut driven = with_backups(80, 24);
    let mut line = Line::showing(&driven.model);
    assert_eq!(line.frame(&driven.model), 0);
    let costs: Vec<usize> = (0..=100)
        .map(|percent| {
            driven.answer(Answer::Archiving(Archiving {
                work: Archive::BackUp,
                folder: "/media/disk/voxvault".to_owned(),
                done_bytes: percent * 290_000,
                of_bytes: 29_000_000,
            }));
            line.frame(&driven.model)
        })
        .collect();
    assert!(costs[1..].iter().all(|cost| *cost <= 100), "{costs:?}");
}

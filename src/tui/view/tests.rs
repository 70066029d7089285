//! What the screens show, from a model that requests and answers have made.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::view;
use crate::tui::engine::Answer;
use crate::tui::fixture::{Driven, backups, hit, logged, recorder_status};
use crate::tui::model::Model;
use crate::tui::msg::{Msg, Timer};

mod any_keys;
mod backups;
mod recorder;
mod retention;
mod screens;
mod sent;

fn screen(model: &Model) -> String {
    let mut terminal =
        Terminal::new(TestBackend::new(model.size.width, model.size.height)).unwrap();
    terminal.draw(|frame| view(model, frame)).unwrap();
    let shown = terminal.backend().to_string();
    // TestBackend quotes each line.
    let lines = shown.lines().map(|line| line.trim_matches('"').trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

const SIZES: [(u16, u16); 5] = [(80, 24), (120, 40), (40, 10), (19, 4), (1, 1)];

/// One snapshot with the state at every size.
fn at_every_size(name: &str, make: impl Fn(u16, u16) -> Driven) {
    for (width, height) in SIZES {
        let driven = make(width, height);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), screen(&driven.model));
    }
}

fn found(width: u16, height: u16) -> Driven {
    let mut driven = Driven::open(width, height);
    driven.type_text("/landlord heat");
    let serial = driven.model.serial;
    driven.answer(Answer::Found {
        serial,
        took_ms: 0.4,
        total: 1,
        hits: vec![hit()],
    });
    driven.happen(Msg::Due(Timer::Rest));
    driven
}

fn recording_now(width: u16, height: u16) -> Driven {
    let mut driven = Driven::open(width, height);
    driven.model.settings.host = Some("studio-pi".to_owned());
    driven.type_text("r");
    driven.answer(Answer::Recorder(recorder_status(42.3, -14.0)));
    driven
}

fn log_with(entries: u32, width: u16, height: u16) -> Driven {
    let mut driven = Driven::open(width, height);
    driven.type_text("H");
    driven.answer(Answer::Log(logged(entries)));
    driven
}

fn with_backups(width: u16, height: u16) -> Driven {
    let mut driven = Driven::open(width, height);
    driven.type_text("B");
    driven.answer(Answer::Backups(backups()));
    driven
}

//! The recorder: what is heard, for how long, and how much longer.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::paint::Pane;
use super::words;
use crate::tui::engine::{Phase, RecorderStatus};
use crate::tui::model::{Model, Recorder};
use crate::worker::recorder::SILENT_AFTER_S;
use crate::worker::space;

/// The quietest level the meter shows, dBFS.
const FLOOR_DB: f32 = -60.0;
/// Where it becomes too loud, dBFS.
const LOUD_DB: f32 = -6.0;

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, model.areas().dialog());
    let roomy = pane.area.height >= 8;
    let (status, title) = match &model.recorder {
        Recorder::Running { status, title, .. } => (status, title),
        Recorder::Starting => {
            pane.put(1, u16::from(roomy), "opening the microphone …", theme.faint);
            return;
        }
        Recorder::Stopping => {
            pane.put(
                1,
                u16::from(roomy),
                "sealing the last of the recording …",
                theme.faint,
            );
            return;
        }
        Recorder::Idle => return,
    };
    let mut y = u16::from(roomy);
    let end = pane.put(1, y, sign(status.phase), theme.danger);
    let end = pane.put(end + 1, y, phase(status.phase), theme.strong);
    pane.put(end + 3, y, &microphone(model), Style::new());
    y += 1;
    let width = pane.area.width;
    if let Some(left) = status.space_left_s {
        let space = format!("space for {}", words::roughly(left as f64));
        let (text, style) = match is_low(status) {
            true => (format!("nearly full: {space}"), theme.danger),
            false => (space, theme.faint),
        };
        pane.put_right(width.saturating_sub(1), y, &text, style);
        y += 1;
    }
    let clock = words::duration(status.elapsed_s);
    let end = pane.put(3, y, &clock, theme.strong).max(10);
    meter(model, status, end + 1, y, &mut pane);
    y += if roomy { 2 } else { 1 };
    if !title.is_empty() {
        pane.put(3, y, title, theme.strong);
        y += 1;
    }
    if status.markers > 0 {
        pane.put(
            3,
            y,
            &words::several(status.markers, "marker", "markers"),
            Style::new(),
        );
        y += 1;
    }
    // What to do comes before what is lost already: there may be no room for both.
    if let Some(trouble) = trouble(status) {
        pane.put(3, y, trouble, theme.danger);
        y += 1;
    }
    if status.gap_s >= 0.1 {
        let missing = format!("{:.1} s of sound are missing", status.gap_s);
        pane.put(3, y, &missing, theme.danger);
    }
}

/// What is wrong, and what becomes of it.
fn trouble(status: &RecorderStatus) -> Option<&'static str> {
    match status.phase {
        Phase::WaitingForMicrophone => Some("goes on by itself when it returns"),
        Phase::NothingComes => Some("it is open, and gives no sound"),
        Phase::DiskFull => Some("nothing is kept now: make room at once"),
        Phase::Recording if is_silent(status) => Some("no signal: silence only"),
        Phase::Opening | Phase::Recording | Phase::Paused => None,
    }
}

/// Nothing but digital silence comes.
pub(super) fn is_silent(status: &RecorderStatus) -> bool {
    status.phase == Phase::Recording && status.silent_s >= SILENT_AFTER_S
}

/// The disk lasts for less than ten minutes.
pub(super) fn is_low(status: &RecorderStatus) -> bool {
    status
        .space_left_s
        .is_some_and(|left| left < space::LOW.as_secs())
}

/// What is wrong, in as few letters as can say it.
pub(super) fn brief_trouble(status: &RecorderStatus) -> Option<String> {
    match status.phase {
        Phase::DiskFull => Some("disk full".to_owned()),
        Phase::WaitingForMicrophone => Some("mic gone".to_owned()),
        Phase::NothingComes => Some("no sound".to_owned()),
        Phase::Opening => Some("opening".to_owned()),
        Phase::Recording | Phase::Paused => match status.space_left_s {
            Some(left) if is_low(status) => Some(format!("{} left", words::roughly(left as f64))),
            _ => is_silent(status).then(|| "silence".to_owned()),
        },
    }
}

/// The level as a bar from -60 to 0 dBFS. Its length moves in whole cells, so
/// that a frame sends few of them.
fn meter(model: &Model, status: &RecorderStatus, x: u16, y: u16, pane: &mut Pane<'_>) {
    let theme = &model.settings.theme;
    let cells = pane.area.width.saturating_sub(x + 14).min(40);
    if cells < 4 {
        return;
    }
    let part = |db: f32| -> u16 {
        let share = ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0);
        (share * f32::from(cells)).round() as u16
    };
    let silent = status.phase != Phase::Recording;
    let level = if silent { 0 } else { part(status.peak_dbfs) };
    let loud = part(LOUD_DB);
    let x = pane.put(x, y, "-60 ", theme.faint);
    for cell in 0..cells {
        let (symbol, style) = match cell {
            _ if cell < level && cell >= loud => ("█", theme.danger),
            _ if cell < level => ("█", theme.accent),
            _ if cell == loud => ("│", theme.faint),
            _ => ("·", theme.faint),
        };
        pane.put(x + cell, y, symbol, style);
    }
    pane.put(x + cells, y, " 0 dB", theme.faint);
}

/// What a recorder is doing, in a word.
pub(super) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Opening => "opening the microphone",
        Phase::Recording => "recording",
        Phase::Paused => "paused",
        Phase::NothingComes => "the microphone gives nothing",
        Phase::WaitingForMicrophone => "the microphone is gone",
        Phase::DiskFull => "the disk is full",
    }
}

/// And in a sign.
pub(super) fn sign(phase: Phase) -> &'static str {
    match phase {
        Phase::Opening => "○",
        Phase::Recording => "●",
        Phase::Paused => "‖",
        Phase::NothingComes | Phase::WaitingForMicrophone | Phase::DiskFull => "!",
    }
}

/// The microphone; over the network with the machine it is on, which is not
/// the one the person sits at.
pub(super) fn microphone(model: &Model) -> String {
    let device = model
        .recorder_status()
        .map_or("", |status| status.device.as_str());
    match &model.settings.host {
        Some(host) => format!("{device} on {host} (the machine you are logged in to)"),
        None => device.to_owned(),
    }
}

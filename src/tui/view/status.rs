//! The lines around the screen: header, status, and the running recording.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::paint::{Pane, columns};
use super::{backups, recorder, words};
use crate::tui::engine::{Access, Phase};
use crate::tui::model::{Model, Recorder, Screen, Vault, Weight};
use crate::tui::update::{LOCK_NOTICE, notice};

/// Name, counts, state.
pub(super) fn header(model: &Model, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, model.areas().header);
    let width = pane.area.width;
    let state = match &model.vault {
        Vault::Unknown => "",
        Vault::Missing(_) => "first start",
        Vault::Opening => "opening",
        Vault::Locked { .. } => "locked",
        Vault::Open => "unlocked",
    };
    let state = match (model.access, state) {
        (Access::ReadOnly, "") => "read-only".to_owned(),
        (Access::ReadOnly, state) => format!("{state} · read-only"),
        (Access::Full, state) => state.to_owned(),
    };
    let end = pane.put(1, 0, "voxvault", theme.strong);
    if model.is_open() && width >= 60 {
        let library = &model.library;
        let facts = format!(
            "{} · {} · {}",
            words::several(library.len(), "recording", "recordings"),
            words::roughly(library.total_s),
            words::bytes(library.total_bytes)
        );
        pane.put(end + 3, 0, &facts, theme.faint);
    }
    let style = if model.is_open() {
        theme.accent
    } else {
        theme.faint
    };
    pane.put_right(width.saturating_sub(1), 0, &state, style);
}

/// A message, or what goes on.
pub(super) fn status(model: &Model, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, model.areas().status);
    let width = pane.area.width;
    let marked = model.library.marked.len();
    let right = if marked > 0 {
        format!("{} marked", words::count(marked))
    } else {
        String::new()
    };
    pane.put_right(width.saturating_sub(1), 0, &right, theme.accent);
    let room = width.saturating_sub(columns(&right) + 3);
    let mut left = Pane::new(
        buffer,
        ratatui::layout::Rect {
            width: room,
            ..model.areas().status
        },
    );
    let (text, style) = activity(model);
    left.put(1, 0, &text, style);
}

/// The most important of what could be said.
pub(in crate::tui) fn activity(model: &Model) -> (String, Style) {
    let theme = &model.settings.theme;
    if let Some(note) = &model.note {
        let style = if note.weight == Weight::Heavy {
            theme.danger
        } else {
            theme.strong
        };
        return (note.text.clone(), style);
    }
    if model.lock_announced {
        let whole = model.settings.lock_after.map(notice) == Some(LOCK_NOTICE);
        let soon = if whole {
            "in half a minute"
        } else {
            "in a moment"
        };
        let more = match model.archiving {
            Some(_) => ", and the backup stops",
            None => "",
        };
        return (
            format!("locks itself {soon}{more}; any key prevents it"),
            theme.danger,
        );
    }
    let mut parts = Vec::new();
    if let Some(player) = &model.player {
        let state = if player.paused { "paused" } else { "playing" };
        parts.push(format!(
            "{state} {} of {}",
            words::duration(player.position_s),
            words::duration(player.duration_s)
        ));
    }
    if let Some(now) = &model.transcribing {
        parts.push(format!(
            "transcribing {} of {} · {} %",
            now.position, now.of, now.percent
        ));
    }
    if let Some(archiving) = &model.archiving {
        parts.push(backups::progress(archiving));
    }
    (parts.join(" · "), theme.accent)
}

/// The running recording, on every screen but its own.
pub(super) fn recorder_line(model: &Model, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, model.areas().recorder);
    if pane.area.is_empty() || model.screen == Screen::Recorder {
        return;
    }
    let (sign, text) = match &model.recorder {
        Recorder::Idle => return,
        Recorder::Starting => ("○", "opening the microphone …".to_owned()),
        Recorder::Stopping => ("●", "sealing the last of the recording …".to_owned()),
        Recorder::Running { status, .. } => {
            let phase = recorder::phase(status.phase);
            let more = match status.phase {
                Phase::Recording | Phase::Paused => recorder::brief_trouble(status),
                _ => None,
            };
            let more = more.map(|more| format!(" · {more}")).unwrap_or_default();
            (
                recorder::sign(status.phase),
                format!(
                    "{} {phase}{more} · {}",
                    words::duration(status.elapsed_s),
                    recorder::microphone(model)
                ),
            )
        }
    };
    let end = pane.put(1, 0, sign, theme.danger);
    pane.put(end + 1, 0, &text, theme.strong);
}

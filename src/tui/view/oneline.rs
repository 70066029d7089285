//! All of it in one line, where there is room for no more.

use ratatui::buffer::Buffer;

use super::paint::Pane;
use super::{backups, recorder, status, words};
use crate::tui::engine::Phase;
use crate::tui::model::{Model, Overlay, Recorder, Screen, Vault};

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let mut pane = Pane::new(buffer, model.areas().status);
    let theme = &model.settings.theme;
    if let Recorder::Running { status, .. } = &model.recorder {
        let at = pane.put(0, 0, recorder::sign(status.phase), theme.danger);
        let at = pane.put(at + 1, 0, &words::duration(status.elapsed_s), theme.strong);
        let peak_dbfs = match status.phase {
            Phase::Recording => status.peak_dbfs,
            _ => -120.0,
        };
        let level = ((peak_dbfs + 60.0) / 60.0 * 8.0).clamp(0.0, 7.0) as usize;
        let width = pane.area.width;
        if at + 3 < width {
            // What is wrong takes the place of the microphone's name.
            let (name, style) = match recorder::brief_trouble(status) {
                Some(trouble) => (trouble, theme.danger),
                None => (status.device.clone(), theme.faint),
            };
            let name = super::paint::fit(&name, width - at - 3);
            let at = pane.put(at + 1, 0, &name, style);
            pane.put(
                at + 1,
                0,
                BARS.get(level).copied().unwrap_or("█"),
                theme.accent,
            );
        }
        return;
    }
    let (activity, style) = status::activity(model);
    let text = match (&model.overlay, &model.vault) {
        (Some(Overlay::Shred { ids, .. }), _) => format!("shred {}?", ids.len()),
        (Some(Overlay::Redact { .. }), _) => "redact?".to_owned(),
        (Some(Overlay::BackUp { .. }), _) => "back up?".to_owned(),
        (Some(Overlay::Folder(line)), _) => line.text().to_owned(),
        (Some(Overlay::Quit(_)), _) => "quit?".to_owned(),
        _ if !activity.is_empty() => activity,
        (
            _,
            Vault::Locked {
                typed: Some(secret),
                ..
            },
        ) => "·".repeat(secret.length()),
        (_, Vault::Locked { .. }) => "locked".to_owned(),
        (_, Vault::Missing(_)) => "first start".to_owned(),
        (_, Vault::Unknown | Vault::Opening) => "…".to_owned(),
        (None, Vault::Open) if model.screen == Screen::Backups => backups::summary(model).0,
        (_, Vault::Open) => model
            .pointed()
            .and_then(|id| model.library.get(id))
            .map_or_else(|| "voxvault".to_owned(), words::title),
    };
    pane.put(0, 0, &text, style);
}

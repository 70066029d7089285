//! The first start and the locked screen.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::paint::{Pane, columns};
use super::{below, words};
use crate::tui::keymap::Action;
use crate::tui::model::{FirstStart, Model, Repeat, Vault};
use crate::tui::secret::Secret;

pub(super) fn draw(model: &Model, buffer: &mut Buffer) -> Option<Position> {
    let area = model.areas().dialog();
    match &model.vault {
        Vault::Unknown | Vault::Open => None,
        Vault::Opening => {
            let mut pane = Pane::new(buffer, centre(area, 1));
            pane.put(
                2,
                0,
                "opening the vault, which takes about a second …",
                model.settings.theme.faint,
            );
            None
        }
        Vault::Missing(start) => first_start(model, start, area, buffer),
        Vault::Locked { waiting, typed } => locked(model, *waiting, typed.as_ref(), area, buffer),
    }
}

/// A third down where there is room for it.
fn centre(area: Rect, rows: u16) -> Rect {
    below(area, area.height.saturating_sub(rows) / 3)
}

fn first_start(
    model: &Model,
    start: &FirstStart,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, centre(area, 10));
    let roomy = pane.area.height >= 9 && pane.area.width >= 60;
    let mut y = 0;
    if roomy {
        pane.put(
            3,
            0,
            "There is no vault here yet. It will be made in",
            Style::new(),
        );
        pane.put(3, 1, &start.place, theme.strong);
        pane.put(
            3,
            3,
            "Choose a passphrase of at least 8 characters. It alone",
            Style::new(),
        );
        pane.put(
            3,
            4,
            "opens what you record: it can't be recovered, and",
            Style::new(),
        );
        pane.put(
            3,
            5,
            "without it nothing can be read, by anyone.",
            Style::new(),
        );
        y = 7;
    } else {
        pane.put(
            1,
            0,
            "A new vault. The passphrase can't be recovered.",
            Style::new(),
        );
        y += 1;
    }
    let x = if roomy { 3 } else { 1 };
    let fields = [
        ("passphrase", &start.first, Repeat::First),
        ("once more", &start.again, Repeat::Again),
    ];
    let mut cursor = None;
    for (row, (name, secret, which)) in (y..).zip(fields) {
        let active = start.repeating == which;
        pane.put(
            x,
            row,
            name,
            if active { theme.accent } else { theme.faint },
        );
        let place = masked(&mut pane, x + 12, row, secret, theme.strong);
        if active {
            cursor = place;
        }
    }
    cursor
}

fn locked(
    model: &Model,
    waiting: usize,
    typed: Option<&Secret>,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    let theme = &model.settings.theme;
    let keymap = &model.settings.keymap;
    let mut pane = Pane::new(buffer, centre(area, 8));
    let roomy = pane.area.height >= 8 && pane.area.width >= 56;
    let (x, gap) = if roomy {
        (pane.area.width.saturating_sub(44) / 2, 2)
    } else {
        (1, 1)
    };
    let mut y = 0;
    if !model.is_recording() {
        pane.put(x, y, "●", theme.danger);
        pane.put(x + 2, y, &keymap.key_for(Action::Record), theme.accent);
        pane.put(
            x + 6,
            y,
            "record now; what is recorded can be read",
            Style::new(),
        );
        if roomy {
            pane.put(x + 6, y + 1, "after unlocking, not before", Style::new());
            y += 1;
        }
        y += gap;
    }
    pane.put(x + 2, y, &keymap.key_for(Action::Unlock), theme.accent);
    let mut cursor = None;
    match typed {
        None => {
            pane.put(x + 6, y, "unlock", Style::new());
        }
        Some(secret) => {
            let end = pane.put(x + 6, y, "passphrase ", Style::new());
            cursor = masked(&mut pane, end, y, secret, theme.strong);
        }
    }
    if waiting > 0 {
        let wait = if waiting == 1 { "waits" } else { "wait" };
        let text = format!(
            "{} {wait} to be merged",
            words::several(waiting, "recording", "recordings")
        );
        pane.put(x + 6, y + gap, &text, theme.faint);
    }
    cursor
}

/// A dot for each character, the last ones where there are many.
fn masked(pane: &mut Pane<'_>, x: u16, y: u16, secret: &Secret, style: Style) -> Option<Position> {
    let room = usize::from(pane.area.width.saturating_sub(x + 2));
    let dots = "·".repeat(secret.length().min(room));
    pane.put(x, y, &dots, style);
    (y < pane.area.height).then(|| Position {
        x: pane.area.x + x + columns(&dots),
        y: pane.area.y + y,
    })
}

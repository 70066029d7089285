//! Microphones and speech models.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::paint::Pane;
use crate::tui::engine::Piece;
use crate::tui::model::Model;

pub(super) fn draw(model: &Model, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let mut pane = Pane::new(buffer, model.areas().dialog());
    let equipment = &model.equipment;
    let (mut y, mut number) = (0, 0);
    // What is above the cursor and doesn't fit is left out.
    let rows = usize::from(pane.area.height).saturating_sub(6).max(1);
    let skip = (model.equipment_row + 1).saturating_sub(rows);
    let groups: [(&str, &[Piece], &str); 2] = [
        ("microphones", &equipment.devices, "none found"),
        (
            "speech models",
            &equipment.models,
            "none: `voxvault model import PATH` brings one",
        ),
    ];
    for (name, pieces, none) in groups {
        y += 1;
        pane.put(1, y, name, theme.strong);
        y += 1;
        if pieces.is_empty() {
            pane.put(3, y, none, theme.faint);
            y += 1;
        }
        for piece in pieces {
            if number >= skip {
                let here = number == model.equipment_row;
                if here {
                    pane.put(0, y, "▌", theme.accent);
                }
                let state = if piece.in_use { "in use" } else { "" };
                pane.put(3, y, state, theme.accent);
                let end = pane.put(
                    11,
                    y,
                    &piece.name,
                    if here { theme.row } else { Style::new() },
                );
                pane.put(end + 2, y, &piece.facts, theme.faint);
                y += 1;
            }
            number += 1;
        }
    }
}

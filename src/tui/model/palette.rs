//! Which actions the palette offers for what was typed.

use super::Model;
use crate::tui::keymap::Action;

impl Model {
    /// The actions that the palette offers here for what was typed.
    #[must_use]
    pub fn palette(&self, typed: &str) -> Vec<(Action, String, &'static str)> {
        let typed = typed.to_lowercase();
        let letters = |text: &str| {
            let mut rest = text.chars();
            typed
                .chars()
                .filter(|letter| *letter != ' ')
                .all(|letter| rest.any(|other| other == letter))
        };
        let offered = self
            .settings
            .keymap
            .lines_at(self.place())
            .filter(|(entry, _)| {
                !matches!(
                    entry.action,
                    Action::Up
                        | Action::Down
                        | Action::First
                        | Action::Last
                        | Action::PageUp
                        | Action::PageDown
                        | Action::Left
                        | Action::Right
                        | Action::Palette
                        | Action::Back
                )
            });
        let mut found: Vec<_> = offered
            .filter_map(|(entry, keys)| {
                // Best: the name begins so; then the words contain it; then its letters come in order.
                let rank = if entry.name.starts_with(&typed) {
                    0
                } else if entry.name.contains(&typed) || entry.does.contains(&typed) {
                    1
                } else if letters(entry.name) {
                    2
                } else {
                    return None;
                };
                let key = keys.first().map(ToString::to_string).unwrap_or_default();
                Some((rank, (entry.action, key, entry.does)))
            })
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, line)| line).collect()
    }
}

//! The colours: one accent, and words carry every state by themselves.

use ratatui::style::{Color, Modifier, Style};

/// How each kind of thing looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// What matters now: the cursor's bar, the position, what is chosen.
    pub accent: Style,
    /// What may be overlooked: rules, times, hints.
    pub faint: Style,
    /// Names and headings.
    pub strong: Style,
    /// Words that a search found, and the spoken word.
    pub lit: Style,
    /// Destruction, recording, errors.
    pub danger: Style,
    /// The row under the cursor.
    pub row: Style,
    /// The answer that return gives.
    pub button: Style,
}

impl Theme {
    /// The theme for an environment: `NO_COLOR` (any value but none) takes all
    /// colour away, `COLORTERM` of `truecolor` or `24bit` allows more than 16.
    #[must_use]
    pub fn for_environment(no_color: Option<&str>, colorterm: Option<&str>) -> Self {
        if no_color.is_some_and(|value| !value.is_empty()) {
            Self::plain()
        } else if matches!(colorterm, Some("truecolor" | "24bit")) {
            Self::colours(
                Color::Rgb(94, 176, 170),
                Color::Rgb(128, 134, 142),
                Color::Rgb(224, 96, 88),
                Color::Rgb(232, 194, 104),
            )
        } else {
            Self::colours(
                Color::Cyan,
                Color::DarkGray,
                Color::LightRed,
                Color::LightYellow,
            )
        }
    }

    /// Modifiers only.
    #[must_use]
    pub fn plain() -> Self {
        let with = |modifier| Style::new().add_modifier(modifier);
        Self {
            accent: with(Modifier::BOLD),
            faint: with(Modifier::DIM),
            strong: with(Modifier::BOLD),
            lit: with(Modifier::BOLD | Modifier::UNDERLINED),
            danger: with(Modifier::BOLD),
            row: with(Modifier::BOLD),
            button: with(Modifier::REVERSED),
        }
    }

    fn colours(accent: Color, faint: Color, danger: Color, lit: Color) -> Self {
        Self {
            accent: Style::new().fg(accent),
            faint: Style::new().fg(faint),
            strong: Style::new().add_modifier(Modifier::BOLD),
            lit: Style::new().fg(lit).add_modifier(Modifier::BOLD),
            danger: Style::new().fg(danger),
            row: Style::new().add_modifier(Modifier::BOLD),
            button: Style::new().add_modifier(Modifier::REVERSED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_takes_all_colour_and_leaves_reverse_video() {
        let theme = Theme::for_environment(Some("1"), Some("truecolor"));
        for style in [
            theme.accent,
            theme.faint,
            theme.strong,
            theme.lit,
            theme.danger,
            theme.row,
            theme.button,
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
            assert!(!style.add_modifier.is_empty());
        }
        assert_eq!(theme.button.add_modifier, Modifier::REVERSED);
        assert_ne!(Theme::for_environment(Some(""), None), Theme::plain());
    }
}

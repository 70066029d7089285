//! A search while it is typed, and what it found.

use super::library::Scroll;
use super::line::Line;
use crate::tui::engine::Hit;

/// A search and what it found.
pub struct Search {
    /// What is searched for.
    pub line: Line,
    /// Whether keys go into the line.
    pub typing: Typing,
    /// Best first.
    pub hits: Vec<Hit>,
    /// How many recordings match.
    pub total: usize,
    /// How long the last one took, milliseconds; `None` before the first.
    pub took_ms: Option<f64>,
    /// Where the list of hits stands.
    pub scroll: Scroll,
    /// Which of the hit's moments is shown.
    pub moment: usize,
}

/// Whether keys go into the search line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// They do.
    Yes,
    /// They move among the hits.
    No,
}

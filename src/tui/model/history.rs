//! The log as the interface shows it: newest first.

use super::library::Scroll;
use crate::tui::engine::{Logged, LoggedEntry};

/// The log, and where the cursor stands in it.
#[derive(Default)]
pub struct History {
    /// What was read; `None` until it was.
    pub read: Option<Logged>,
    /// The cursor.
    pub scroll: Scroll,
}

impl History {
    /// Takes it in, and goes to the newest.
    pub fn replace(&mut self, logged: Logged) {
        *self = Self {
            read: Some(logged),
            scroll: Scroll::default(),
        };
    }

    /// The entries, newest first.
    #[must_use]
    pub fn entries(&self) -> &[LoggedEntry] {
        self.read.as_ref().map_or(&[], |logged| &logged.entries)
    }

    /// The one under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&LoggedEntry> {
        self.entries().get(self.scroll.cursor)
    }
}

//! The backups as the interface shows them: newest first.

use super::library::Scroll;
use crate::tui::engine::{BackupEntry, Backups as Found};

/// The backups, and where the cursor stands among them.
#[derive(Default)]
pub struct Backups {
    /// What the vault knows; `None` until it has said so.
    pub read: Option<Found>,
    /// Folders in which nothing of it was found when they were looked at last.
    pub not_there: Vec<String>,
    /// The cursor.
    pub scroll: Scroll,
}

impl Backups {
    /// Takes it in. The cursor stays on its backup, which moves up when it was written.
    pub fn replace(&mut self, found: Found) {
        let under = self.current().map(|entry| entry.path.clone());
        let at = found
            .entries
            .iter()
            .position(|entry| Some(&entry.path) == under.as_ref());
        self.scroll.cursor = at.unwrap_or(0);
        self.read = Some(found);
    }

    /// The backups, newest first.
    #[must_use]
    pub fn entries(&self) -> &[BackupEntry] {
        self.read.as_ref().map_or(&[], |found| &found.entries)
    }

    /// The one under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&BackupEntry> {
        self.entries().get(self.scroll.cursor)
    }
}

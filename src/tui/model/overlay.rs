//! What is asked or shown over a screen: questions, forms and things to read.

use super::line::Line;
use crate::recording::RecordingId;
use crate::tui::engine::{Format, Leap};

/// A question, a form, or something to read.
pub enum Overlay {
    /// The keys; the first line in sight.
    Help(usize),
    /// The palette.
    Palette {
        /// What narrows it.
        line: Line,
        /// The chosen one of those left.
        row: usize,
    },
    /// Whether to destroy these.
    Shred {
        /// Which ones.
        ids: Vec<RecordingId>,
        /// The answer as it stands.
        answer: Answered,
    },
    /// Whether to silence a sentence and destroy its words.
    Redact {
        /// Of which recording.
        id: RecordingId,
        /// Its span, milliseconds, without the end.
        span_ms: std::ops::Range<u32>,
        /// The words that go.
        words: String,
        /// The answer as it stands.
        answer: Answered,
    },
    /// Whether a clock that leapt is right, by which something would be destroyed.
    Clock {
        /// The clock.
        leap: Leap,
        /// The answer as it stands.
        answer: Answered,
    },
    /// Whether to back up into this folder again.
    BackUp {
        /// The folder, as the vault remembers it.
        folder: String,
        /// The answer as it stands.
        answer: Answered,
    },
    /// The folder of a new backup.
    Folder(Line),
    /// They are being destroyed.
    Shredding,
    /// What was destroyed and what could not be; the first line in sight.
    Receipt(Vec<String>, usize),
    /// Whether to stop the recording and end.
    Quit(Answered),
    /// The name of the running recording.
    Title(Line),
    /// Title, tags and note.
    Edit(EditForm),
    /// A copy in the clear.
    Export(ExportForm),
}

/// The answer to a dangerous question: no unless chosen otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// Leave it.
    No,
    /// Do it.
    Yes,
}

/// Title, tags and note of a recording.
pub struct EditForm {
    /// Whose.
    pub id: RecordingId,
    /// In this order: title, tags, note.
    pub fields: [Line; 3],
    /// The one being edited.
    pub field: usize,
}

/// Where and as what to export.
pub struct ExportForm {
    /// What.
    pub ids: Vec<RecordingId>,
    /// Index into [`Format::ALL`].
    pub format: usize,
    /// Where to, without the ending.
    pub destination: Line,
    /// The one being edited: 0 the format, 1 the destination.
    pub field: usize,
}

impl ExportForm {
    /// As what.
    #[must_use]
    pub fn format(&self) -> Format {
        Format::ALL
            .get(self.format)
            .copied()
            .unwrap_or(Format::Opus)
    }

    /// Where to: a folder for several, for one a file with the format's ending.
    #[must_use]
    pub fn path(&self) -> String {
        match self.ids.len() {
            1 => format!("{}.{}", self.destination.text(), self.format().name()),
            _ => self.destination.text().to_owned(),
        }
    }
}

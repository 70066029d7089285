//! Where things stand on a screen of any size.

use ratatui::layout::{Rect, Size};

/// How much fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// List and text side by side.
    Wide,
    /// One pane at a time: below 60 by 15.
    Compact,
    /// One line: below 20 by 5.
    Line,
}

/// How much fits into this size.
#[must_use]
pub fn form(size: Size) -> Form {
    if size.width < 20 || size.height < 5 {
        Form::Line
    } else if size.width < 60 || size.height < 15 {
        Form::Compact
    } else {
        Form::Wide
    }
}

/// The parts of the screen; a part that has no room is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Areas {
    /// Name, counts, state.
    pub header: Rect,
    /// The search line.
    pub search: Rect,
    /// All between the rules.
    pub body: Rect,
    /// Recordings or hits.
    pub list: Rect,
    /// The transcript; its first column is the cursor's.
    pub text: Rect,
    /// Messages and progress.
    pub status: Rect,
    /// The running recording, on screens other than its own.
    pub recorder: Rect,
    /// The keys.
    pub footer: Rect,
}

/// Lines that stand above the text in the right pane: title, facts, tags,
/// loudness and one empty.
pub const TEXT_HEAD: u16 = 5;

/// The parts of a screen; `recording` keeps a line for a running recording.
#[must_use]
pub fn areas(size: Size, form: Form, recording: bool) -> Areas {
    let (width, height) = (size.width, size.height);
    let row = |y: u16| Rect::new(0, y, width, 1);
    let line = u16::from(recording);
    match form {
        Form::Line => Areas {
            status: Rect::new(0, 0, width, height.min(1)),
            ..Areas::default()
        },
        Form::Compact => {
            let footer = u16::from(height >= 8);
            let body = Rect::new(0, 1, width, height - 2 - line - footer);
            Areas {
                header: row(0),
                search: row(0),
                body,
                list: body,
                text: body,
                status: row(height - 1 - line - footer),
                recorder: Rect::new(0, height - line - footer, width, line),
                footer: Rect::new(0, height - footer, width, footer),
            }
        }
        Form::Wide => {
            let body = Rect::new(0, 3, width, height - 6 - line);
            let left = if width < 100 { 30 } else { 36 };
            Areas {
                header: row(0),
                search: row(1),
                body,
                list: Rect::new(0, body.y, left, body.height),
                text: Rect::new(left + 1, body.y, width - left - 1, body.height),
                status: row(height - 2 - line),
                recorder: Rect::new(0, height - 1 - line, width, line),
                footer: row(height - 1),
            }
        }
    }
}

impl Areas {
    /// Where a dialog stands: all between header and status.
    #[must_use]
    pub fn dialog(&self) -> Rect {
        let top = self.header.bottom();
        Rect::new(0, top, self.header.width, self.status.y.saturating_sub(top))
    }

    /// Rows of text in the right pane, below its head.
    #[must_use]
    pub fn text_rows(&self) -> usize {
        usize::from(self.text.height.saturating_sub(self.text_head()))
    }

    /// Lines above the text; fewer where there is little room.
    #[must_use]
    pub fn text_head(&self) -> u16 {
        if self.text.height >= 10 { TEXT_HEAD } else { 1 }
    }
}

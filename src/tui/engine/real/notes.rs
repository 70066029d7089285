//! What commands say while they work, kept for the message line.

use std::sync::{Mutex, PoisonError};

use super::halt::Leave;
use crate::command::{ClockWord, Progress, Unit};
use crate::error::Failure;
use crate::vault::Doubt;

/// Keeps notes; says nothing of progress.
#[derive(Default)]
pub(super) struct Notes<'a> {
    said: Mutex<Vec<String>>,
    doubt: Mutex<Option<Doubt>>,
    /// Until when the command may work; without one, until it is done.
    leave: Option<&'a Leave>,
}

impl<'a> Notes<'a> {
    /// For a command that ends when its leave does.
    pub(super) fn until(leave: &'a Leave) -> Self {
        Self {
            said: Mutex::default(),
            doubt: Mutex::default(),
            leave: Some(leave),
        }
    }

    /// What was noted.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Notes<'_> {
    /// The clock that the person is to be asked about.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        self.doubt
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Progress for Notes<'_> {
    fn begin(&self, _what: &str, _total: Option<u64>, _unit: Unit) {}
    fn advance(&self, _done: u64) {}
    fn end(&self) {}

    fn note(&self, message: &str) {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(message.to_owned());
    }

    fn refuse(&self, failure: &Failure) {
        self.note(&failure.to_string());
    }

    fn deliver(&self, _line: &str) {}

    fn ask_about_clock(&self, doubt: &Doubt) -> ClockWord {
        *self.doubt.lock().unwrap_or_else(PoisonError::into_inner) = Some(doubt.clone());
        ClockWord::Later
    }

    fn cancelled(&self) -> bool {
        self.leave.is_some_and(Leave::is_over)
    }
}

//! What commands say while they work, kept for the message line.

use std::sync::{Mutex, PoisonError};

use super::halt::Leave;
use crate::command::{Progress, Unit};
use crate::error::Failure;

/// Keeps notes; says nothing of progress.
#[derive(Default)]
pub(super) struct Notes<'a> {
    said: Mutex<Vec<String>>,
    /// Until when the command may work; without one, until it is done.
    leave: Option<&'a Leave>,
}

impl<'a> Notes<'a> {
    /// For a command that ends when its leave does.
    pub(super) fn until(leave: &'a Leave) -> Self {
        Self {
            said: Mutex::default(),
            leave: Some(leave),
        }
    }

    /// What was noted.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
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

    fn cancelled(&self) -> bool {
        self.leave.is_some_and(Leave::is_over)
    }
}

//! What commands say while they work, kept for the message line.

use std::sync::{Mutex, PoisonError};

use crate::command::{Progress, Unit};
use crate::error::Failure;

/// Keeps notes; says nothing of progress.
#[derive(Default)]
pub(super) struct Notes(Mutex<Vec<String>>);

impl Notes {
    /// What was noted.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Notes {
    fn begin(&self, _what: &str, _total: Option<u64>, _unit: Unit) {}
    fn advance(&self, _done: u64) {}
    fn end(&self) {}

    fn note(&self, message: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(message.to_owned());
    }

    fn refuse(&self, failure: &Failure) {
        self.note(&failure.to_string());
    }

    fn deliver(&self, _line: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}

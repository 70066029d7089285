//! An engine for tests: remembers what it was asked.

use super::{Engine, Request};

/// Keeps requests in the order in which they came.
#[derive(Default)]
pub(in crate::tui) struct Fake {
    /// What was asked.
    pub(in crate::tui) asked: Vec<Request>,
}

impl Engine for Fake {
    fn ask(&mut self, request: Request) {
        self.asked.push(request);
    }

    fn close(&mut self) {}
}

//! Tells work that is under way that the keys must go.
//!
//! Whoever locks does not wait for a queue: work that holds keys has a [`Leave`]
//! from when it was asked for, and asks at every good moment whether it still
//! stands. Nothing revives it, so what was begun before locking does not go on
//! when the vault is unlocked again soon after.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often leave was withdrawn.
#[derive(Clone, Default)]
pub(super) struct Halt(Arc<AtomicU64>);

/// The leave to work with the keys until the next locking.
pub(super) struct Leave {
    halt: Halt,
    given_at: u64,
}

impl Halt {
    /// Withdraws every leave given so far.
    pub(super) fn raise(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Leave from now on.
    pub(super) fn leave(&self) -> Leave {
        Leave {
            halt: self.clone(),
            given_at: self.0.load(Ordering::SeqCst),
        }
    }
}

impl Leave {
    /// Whether the work must end.
    pub(super) fn is_over(&self) -> bool {
        self.halt.0.load(Ordering::SeqCst) != self.given_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leave_that_was_withdrawn_stays_so_and_later_leave_stands() {
        let halt = Halt::default();
        let before = halt.leave();
        assert!(!before.is_over());
        halt.raise();
        let after = halt.leave();
        assert!(before.is_over() && !after.is_over());
        halt.raise();
        assert!(before.is_over() && after.is_over());
    }
}

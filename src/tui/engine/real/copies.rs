//! Knows whether copies in the clear are being written, so that the end of the
//! program waits until what is half written is gone again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shared by who writes and who waits.
#[derive(Clone, Default)]
pub(super) struct Copies(Arc<(Mutex<Writing>, Condvar)>);

/// Whether somebody writes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Writing {
    #[default]
    Nothing,
    Copies,
}

/// Copies are being written while this lives.
pub(super) struct Copying<'a>(&'a Copies);

impl Copies {
    fn state(&self) -> MutexGuard<'_, Writing> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that copies are being written. Ask only then whether they still
    /// may be: who forbids it and waits sees one or the other.
    pub(super) fn begin(&self) -> Copying<'_> {
        *self.state() = Writing::Copies;
        Copying(self)
    }

    /// Waits until none are being written, or for as long as told.
    pub(super) fn wait(&self, most: Duration) {
        let writing = |state: &mut Writing| *state == Writing::Copies;
        drop(self.0.1.wait_timeout_while(self.state(), most, writing));
    }
}

impl Drop for Copying<'_> {
    fn drop(&mut self) {
        *self.0.state() = Writing::Nothing;
        self.0.0.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_end_waits_for_copies_and_for_nothing_else() {
        let copies = Copies::default();
        let start = Instant::now();
        copies.wait(LONG);
        let copying = copies.begin();
        copies.wait(Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20));
        thread::scope(|threads| {
            threads.spawn(|| {
                thread::sleep(Duration::from_millis(20));
                drop(copying);
            });
            copies.wait(LONG);
        });
        assert!(*copies.state() == Writing::Nothing);
        assert!(start.elapsed() >= Duration::from_millis(40) && start.elapsed() < LONG);
    }
}

//! How many workers transcribe at once, and with how many threads each.

use std::num::NonZeroUsize;
use std::thread;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// Workers and threads. Each worker holds a state of its own beside the
/// model's weights, which they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Pieces of a recording that are transcribed at the same time.
    pub workers: NonZeroUsize,
    /// Threads for each of them.
    pub threads: NonZeroUsize,
}

impl Effort {
    /// What suits this machine.
    #[must_use]
    pub fn for_this_machine() -> Self {
        Self::for_cores(thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }

    /// What suits a machine of so many cores.
    #[must_use]
    pub fn for_cores(cores: usize) -> Self {
        let (workers, threads) = match cores {
            0 | 1 => (1, 1),
            2 | 3 => (2, 1),
            4..=7 => (2, 2),
            _ => (2, 4),
        };
        Self::of(workers, threads)
    }

    /// So many workers of so many threads; at least one of each.
    #[must_use]
    pub fn of(workers: usize, threads: usize) -> Self {
        let at_least_one = |count| NonZeroUsize::new(count).unwrap_or(ONE);
        Self {
            workers: at_least_one(workers),
            threads: at_least_one(threads),
        }
    }

    /// Threads in all, which a lonely piece may have to itself.
    pub(super) fn all_threads(self) -> usize {
        self.workers.get() * self.threads.get()
    }
}

//! How many workers transcribe at once, and with how many threads each.

use std::fs;
use std::num::NonZeroUsize;
use std::thread;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// Workers and threads. Each worker holds a state of its own beside the
/// model's weights, which they share: with tiny.en an hour takes 300 MiB in
/// all with two workers, and about 110 MiB less with one.
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

    /// Threads for a piece that nobody else works beside, as far as cores are
    /// idle right now.
    ///
    /// whisper.cpp's threads wait for one another by spinning, hundreds of
    /// times a second: with one of them off its core, two threads were
    /// measured to take five times as long as one, and far longer on a machine
    /// that is full.
    pub(super) fn threads_alone(self) -> usize {
        let all = self.workers.get() * self.threads.get();
        all.min(idle_cores().unwrap_or(all)).max(1)
    }

    /// Threads for a piece that others are in work beside.
    pub(super) fn threads_shared(self) -> usize {
        match self.threads.get() {
            1 => 1,
            threads => threads.min(idle_cores().unwrap_or(threads)).max(1),
        }
    }
}

/// Cores on which nothing runs at this moment, this thread's own among them,
/// where the system tells.
fn idle_cores() -> Option<usize> {
    let cores = thread::available_parallelism().ok()?.get();
    let running = running(&fs::read_to_string("/proc/loadavg").ok()?)?;
    Some((cores + 1).saturating_sub(running))
}

/// The number of running threads, this one included: `0.20 0.18 0.12 3/80 11`.
fn running(loadavg: &str) -> Option<usize> {
    let (running, _) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    running.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_worker_with_a_thread() {
        for cores in 0..200 {
            let effort = Effort::for_cores(cores);
            assert!(effort.workers.get() * effort.threads.get() <= cores.max(1));
            assert!(effort.threads_alone() >= 1 && effort.threads_shared() >= 1);
        }
        assert_eq!(Effort::of(0, 0), Effort::of(1, 1));
    }

    #[test]
    fn the_kernel_tells_how_many_threads_run() {
        assert_eq!(running("8.43 6.32 3.61 10/164 21978\n"), Some(10));
        assert_eq!(running(""), None);
        assert_eq!(running("1 2 3 4"), None);
    }
}

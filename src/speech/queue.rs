//! Pieces on their way from the cutter to the workers, and what came of them.
//!
//! The longest waiting piece is taken first, so that at the end no worker is
//! left alone with a long one. What waits is bounded: an hour of sound is
//! never in memory.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Error;
use super::detect::SPEECH_RATE_HZ;
use super::pieces::Piece;

/// Sound that may wait: 90 s, enough to choose from.
const MOST_WAITING: usize = 90 * SPEECH_RATE_HZ as usize;

/// The pieces of one recording. `T` is what becomes of a piece.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    changed: Condvar,
}

struct Inner<T> {
    waiting: Vec<Piece>,
    waiting_samples: usize,
    running: usize,
    running_samples: usize,
    closed: bool,
    results: Vec<(u64, T)>,
    failure: Option<Error>,
}

/// Whether a worker has the machine to itself from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// Other pieces are, or will be, in work.
    Shared,
    /// This is the last piece.
    Alone,
}

/// Whether the feeder must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// There is room for another piece.
    Room,
    /// Enough is waiting.
    Full,
    /// Everything that was put in is done.
    Done,
    /// A worker failed.
    Failed,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                waiting: Vec::new(),
                waiting_samples: 0,
                running: 0,
                running_samples: 0,
                closed: false,
                results: Vec::new(),
                failure: None,
            }),
            changed: Condvar::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing is left half-changed where a panic could happen.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a piece in.
    pub(super) fn put(&self, piece: Piece) {
        let mut inner = self.inner();
        inner.waiting_samples += piece.sound.len();
        inner.waiting.push(piece);
        drop(inner);
        self.changed.notify_all();
    }

    /// No piece comes any more.
    pub(super) fn close(&self) {
        self.inner().closed = true;
        self.changed.notify_all();
    }

    /// Drops what waits; workers end after what they have in hand.
    pub(super) fn abandon(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        inner.waiting.clear();
        inner.waiting_samples = 0;
        drop(inner);
        self.changed.notify_all();
    }

    /// How things stand; waits up to `patience` while there is nothing to do
    /// for the feeder.
    pub(super) fn standing(&self, patience: Duration) -> Standing {
        let standing = |inner: &Inner<T>| {
            if inner.failure.is_some() {
                Standing::Failed
            } else if inner.closed && inner.waiting.is_empty() && inner.running == 0 {
                Standing::Done
            } else if inner.closed || inner.waiting_samples >= MOST_WAITING {
                Standing::Full
            } else {
                Standing::Room
            }
        };
        let inner = self.inner();
        let waited = self
            .changed
            .wait_timeout_while(inner, patience, |inner| standing(inner) == Standing::Full);
        standing(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Samples that were put in and are not done.
    pub(super) fn outstanding(&self) -> usize {
        let inner = self.inner();
        inner.waiting_samples + inner.running_samples
    }

    /// The longest waiting piece, once there is one; `None` when no piece
    /// comes any more.
    pub(super) fn take(&self) -> Option<Taken<'_, T>> {
        let inner = self.inner();
        let waited = self
            .changed
            .wait_while(inner, |inner| inner.waiting.is_empty() && !inner.closed);
        let mut inner = waited.unwrap_or_else(PoisonError::into_inner);
        let (longest, _) = inner
            .waiting
            .iter()
            .enumerate()
            .max_by_key(|(_, piece)| piece.sound.len())?;
        let piece = inner.waiting.swap_remove(longest);
        let samples = piece.sound.len();
        inner.waiting_samples -= samples;
        inner.running_samples += samples;
        inner.running += 1;
        let alone = inner.closed && inner.waiting.is_empty() && inner.running == 1;
        let company = if alone {
            Company::Alone
        } else {
            Company::Shared
        };
        drop(inner);
        self.changed.notify_all();
        Some(Taken {
            queue: self,
            samples,
            piece,
            company,
        })
    }

    /// What became of the pieces, in the order of the recording, or the first
    /// failure.
    pub(super) fn into_results(self) -> Result<Vec<T>, Error> {
        let inner = self
            .inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = inner.failure {
            return Err(failure);
        }
        let mut results = inner.results;
        results.sort_by_key(|(start, _)| *start);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }
}

/// A piece in a worker's hands. Dropped without an answer, as by a panic, it
/// counts as failed, so that nobody waits for it.
pub(super) struct Taken<'a, T> {
    queue: &'a Queue<T>,
    samples: usize,
    pub(super) piece: Piece,
    pub(super) company: Company,
}

impl<T> Taken<'_, T> {
    /// The piece is done.
    pub(super) fn finish(self, result: Result<T, Error>) {
        let mut inner = self.queue.inner();
        match result {
            Ok(result) => inner.results.push((self.piece.start, result)),
            Err(error) => {
                inner.failure.get_or_insert(error);
            }
        }
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let mut inner = self.queue.inner();
        inner.running -= 1;
        inner.running_samples -= self.samples;
        if std::thread::panicking() {
            let why = "a worker panicked".to_owned();
            inner.failure.get_or_insert(Error::Whisper { why });
        }
        drop(inner);
        self.queue.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test that can't go on has failed"
    )]

    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn piece(start: u64, samples: usize) -> Piece {
        Piece {
            start,
            sound: vec![0.0; samples],
        }
    }

    #[test]
    fn the_longest_is_taken_first_and_results_come_in_order() {
        let queue = Queue::new();
        queue.put(piece(0, 10));
        queue.put(piece(10, 30));
        queue.put(piece(40, 20));
        queue.close();
        let mut taken = Vec::new();
        while let Some(next) = queue.take() {
            let start = next.piece.start;
            taken.push((start, next.company));
            next.finish(Ok(start));
        }
        let (shared, alone) = (Company::Shared, Company::Alone);
        assert_eq!(taken, [(10, shared), (40, shared), (0, alone)]);
        assert_eq!(queue.standing(NOW), Standing::Done);
        assert_eq!(queue.into_results().unwrap(), [0, 10, 40]);
    }

    #[test]
    fn the_feeder_waits_when_enough_is_waiting() {
        let queue: Queue<()> = Queue::new();
        assert_eq!(queue.standing(NOW), Standing::Room);
        queue.put(piece(0, MOST_WAITING));
        assert_eq!(queue.standing(NOW), Standing::Full);
        let taken = queue.take().unwrap();
        assert_eq!(queue.standing(NOW), Standing::Room);
        assert_eq!(queue.outstanding(), MOST_WAITING);
        taken.finish(Ok(()));
        assert_eq!(queue.outstanding(), 0);
    }

    #[test]
    fn a_worker_that_panics_fails_the_recording_instead_of_hanging_it() {
        let queue: Queue<()> = Queue::new();
        queue.put(piece(0, 1));
        queue.close();
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let _taken = queue.take();
                panic!("as a broken library would");
            });
            assert!(worker.join().is_err());
        });
        assert_eq!(queue.standing(NOW), Standing::Failed);
        assert!(queue.into_results().is_err());
    }

    #[test]
    fn what_is_abandoned_ends_the_workers() {
        let queue: Queue<()> = Queue::new();
        queue.put(piece(0, 1));
        queue.abandon();
        assert!(queue.take().is_none());
        assert_eq!(queue.standing(NOW), Standing::Done);
    }
}

//! Decides when an Escape was just that.
//!
//! An Escape may be a key, or begin the sequence of another one whose rest a
//! slow line has yet to deliver. Only time tells; it is passed in.

use std::time::{Duration, Instant};

use super::input::{Input, Parser};

/// How long the rest of a sequence may take.
const PATIENCE: Duration = Duration::from_millis(40);

/// Turns what the terminal sends into keys, and knows when waiting is over.
#[derive(Default)]
pub struct Keyboard {
    parser: Parser,
    /// When what has come of a sequence is all there was.
    settles_at: Option<Instant>,
}

impl Keyboard {
    /// Takes bytes in and hands each completed input on.
    pub fn feed(&mut self, bytes: &[u8], now: Instant, take: &mut dyn FnMut(Input)) {
        self.parser.feed(bytes, take);
        if !bytes.is_empty() {
            self.settles_at = self.parser.undecided().then(|| now + PATIENCE);
        }
    }

    /// Hands an Escape on that nothing followed for long enough; before that,
    /// whatever woke the caller, it waits on.
    pub fn settle(&mut self, now: Instant, take: &mut dyn FnMut(Input)) {
        if self.settles_at.is_some_and(|at| at <= now) {
            self.settles_at = None;
            self.parser.settle(take);
        }
    }

    /// How long to sleep at most before [`Keyboard::settle`].
    #[must_use]
    pub fn patience(&self, now: Instant) -> Option<Duration> {
        self.settles_at.map(|at| at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::tui::input::Key;

    /// What is handed on when `bytes` come, or when it wakes without any, at
    /// each of these milliseconds.
    fn keys(moments: &[(u64, &[u8])]) -> Vec<Key> {
        let start = Instant::now();
        let mut keyboard = Keyboard::default();
        let mut keys = Vec::new();
        let mut take = |input| {
            if let Input::Key(key) = input {
                keys.push(key);
            }
        };
        for (ms, bytes) in moments {
            let now = start + Duration::from_millis(*ms);
            if bytes.is_empty() {
                keyboard.settle(now, &mut take);
            } else {
                keyboard.feed(bytes, now, &mut take);
            }
        }
        keys
    }

    #[test]
    fn a_wake_for_another_reason_does_not_tear_a_sequence_apart() {
        let moments: [(u64, &[u8]); 4] = [(0, b"\x1b"), (1, b""), (30, b""), (35, b"[A")];
        assert_eq!(keys(&moments), [Key::Up]);
    }

    #[test]
    fn every_piece_of_a_sequence_has_its_time() {
        let moments: [(u64, &[u8]); 5] =
            [(0, b"\x1b"), (35, b"["), (60, b""), (70, b"5"), (105, b"~")];
        assert_eq!(keys(&moments), [Key::PageUp]);
    }

    #[test]
    fn an_escape_that_nothing_follows_is_the_key() {
        assert_eq!(keys(&[(0, b"\x1b"), (39, b"")]), []);
        assert_eq!(keys(&[(0, b"\x1b"), (40, b""), (90, b"")]), [Key::Esc]);
    }

    #[test]
    fn it_sleeps_no_longer_than_an_escape_may_wait_and_without_one_for_good() {
        let start = Instant::now();
        let mut keyboard = Keyboard::default();
        assert_eq!(keyboard.patience(start), None);
        keyboard.feed(b"\x1b", start, &mut |_| {});
        let later = start + Duration::from_millis(15);
        assert_eq!(keyboard.patience(later).unwrap(), Duration::from_millis(25));
        keyboard.feed(b"[A", later, &mut |_| {});
        assert_eq!(keyboard.patience(later), None);
    }
}

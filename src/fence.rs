//! A fence around libraries that may panic on damaged or crafted bytes: what
//! they were doing is told as damage instead.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static FENCED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread is about to be caught and told as damage. A
/// panic hook that restores a terminal or prints leaves it alone then.
#[must_use]
pub fn panics_are_fenced() -> bool {
    FENCED.get()
}

/// Runs the work; `None` if it panicked. What the work held is dropped with it,
/// and what it worked on is only dropped or asked for an error once more.
pub fn fenced<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = FENCED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    FENCED.set(before);
    done.ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "that is what is fenced")]
    use super::*;

    #[test]
    fn a_panic_is_an_answer_and_the_fence_stands_no_longer() {
        assert_eq!(fenced(|| 7), Some(7));
        let outcome: Option<()> = fenced(|| {
            assert!(panics_are_fenced());
            panic!("crafted bytes");
        });
        assert_eq!(outcome, None);
        assert!(!panics_are_fenced());
    }
}

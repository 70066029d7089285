//! A clock that goes on while the machine sleeps.
//!
//! The system's monotonic clock stands still meanwhile; how long the machine has
//! been up, counted in whole seconds, does not.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Steps of the coarse clock, and what both may differ without a sleep.
const COARSE: Duration = Duration::from_secs(2);

/// Where a clock takes its time from.
enum Source {
    Machine {
        start: Instant,
        up_at_start: Duration,
        /// How long it slept since, as far as is known.
        slept: Cell<Duration>,
    },
    #[cfg(test)]
    Hand(std::sync::Arc<std::sync::Mutex<Duration>>),
}

/// Time since it was made.
pub(super) struct Clock(Source);

impl Clock {
    pub(super) fn new() -> Self {
        Self(Source::Machine {
            start: Instant::now(),
            up_at_start: up(),
            slept: Cell::default(),
        })
    }

    /// A clock that a test moves.
    #[cfg(test)]
    pub(super) fn by_hand(hand: std::sync::Arc<std::sync::Mutex<Duration>>) -> Self {
        Self(Source::Hand(hand))
    }

    pub(super) fn now(&self) -> Duration {
        match &self.0 {
            Source::Machine {
                start,
                up_at_start,
                slept,
            } => {
                let (awake, up) = (start.elapsed(), up().saturating_sub(*up_at_start));
                slept.set(asleep(slept.get(), awake, up));
                awake + slept.get()
            }
            #[cfg(test)]
            Source::Hand(hand) => *hand
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        }
    }
}

/// How long the machine slept, given what was known of that. It never becomes
/// less, so that the clock never goes back.
fn asleep(known: Duration, awake: Duration, up: Duration) -> Duration {
    match up.saturating_sub(awake) {
        ahead if ahead > known + COARSE => ahead,
        _ => known,
    }
}

/// How long the machine has been up, asleep or not.
fn up() -> Duration {
    let seconds = rustix::system::sysinfo().uptime;
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_counts_and_the_steps_of_the_coarse_clock_do_not() {
        let seconds = Duration::from_secs_f64;
        let none = Duration::ZERO;
        assert_eq!(asleep(none, seconds(10.7), seconds(12.0)), none);
        assert_eq!(asleep(none, seconds(10.7), seconds(10.0)), none);
        let slept = asleep(none, seconds(10.0), seconds(610.0));
        assert_eq!(slept, seconds(600.0));
        assert_eq!(asleep(slept, seconds(11.5), seconds(611.0)), slept);
        assert_eq!(asleep(slept, seconds(20.0), seconds(920.0)), seconds(900.0));
    }
}

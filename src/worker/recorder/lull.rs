//! A lull: for a moment nothing came from a microphone that stays.
//!
//! What was spoken meanwhile may yet come, when this process, the sound system or
//! the machine was late. When the device itself gave nothing, it is missing. Which
//! of both it was is told by whether all comes that is due.

use std::time::Duration;

use super::ear::{Missing, samples};

/// By when all has come that was kept somewhere on the way.
const CAUGHT_UP: Duration = Duration::from_secs(2);

/// Less than this may just as well be late.
const LEAST_MISSING: Duration = Duration::from_millis(300);

/// A moment in which nothing came, and what came since.
#[derive(Debug)]
pub(super) struct Lull {
    /// Until when all is accounted for.
    from: Duration,
    /// When sound came again.
    over: Duration,
    /// What was heard and what was told as missing since, samples at 48 kHz.
    heard: u64,
    told: u64,
    /// The least that was missing at any time since: what is late comes on top of
    /// what is lost.
    least: u64,
}

impl Lull {
    /// The one that sound leaves before it which came at `now`, if there is one: all
    /// is accounted for until `from`, and `came` samples at 48 kHz did come.
    pub(super) fn before(from: Duration, now: Duration, came: u64) -> Option<Self> {
        let short = samples(now.saturating_sub(from)).saturating_sub(came);
        (short >= samples(LEAST_MISSING)).then_some(Self {
            from,
            over: now,
            heard: 0,
            told: 0,
            least: u64::MAX,
        })
    }

    /// Counts what came at `now`, and what was told with it as missing.
    pub(super) fn count(&mut self, now: Duration, came: u64, told: u64) {
        self.heard += came;
        self.told += told;
        let due = samples(now.saturating_sub(self.from));
        let short = due.saturating_sub(self.heard + self.told);
        self.least = self.least.min(short);
    }

    /// Nothing is missing, or what is will not come any more.
    pub(super) fn is_settled(&self, now: Duration) -> bool {
        self.least < samples(LEAST_MISSING) || now.saturating_sub(self.over) >= CAUGHT_UP
    }

    /// What is missing, at its place before the end of the sound that was heard.
    pub(super) fn missing(&self) -> Option<Missing> {
        let is_missing = self.heard > 0 && self.least >= samples(LEAST_MISSING);
        is_missing.then_some(Missing {
            at: -self.heard.cast_signed(),
            samples: self.least,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A lull from 10 s to 11.5 s.
    fn lull() -> Option<Lull> {
        Lull::before(ms(10_000), ms(11_550), 50 * 48)
    }

    #[test]
    fn sound_that_goes_on_leaves_none_however_much_of_it_comes_at_once() {
        assert!(lull().is_some());
        for (now, came) in [(10_050, 50), (10_340, 50), (18_000, 8_000), (11_000, 900)] {
            assert!(Lull::before(ms(10_000), ms(now), came * 48).is_none());
        }
    }

    #[test]
    fn what_comes_late_is_not_missing() {
        let mut lull = lull().unwrap_or_else(|| unreachable!());
        lull.count(ms(11_550), 50 * 48, 0);
        assert!(!lull.is_settled(ms(11_550)));
        lull.count(ms(11_600), 1_500 * 48, 0);
        assert!(lull.is_settled(ms(11_600)));
        assert_eq!(lull.missing(), None);
    }

    #[test]
    fn what_is_lost_is_told_once_that_is_sure_and_what_is_late_by_then_is_not() {
        let mut lull = lull().unwrap_or_else(|| unreachable!());
        lull.count(ms(11_550), 50 * 48, 0);
        lull.count(ms(12_550), 1_000 * 48, 0);
        assert!(!lull.is_settled(ms(13_000)));
        lull.count(ms(13_950), 1_000 * 48, 0);
        assert!(lull.is_settled(ms(13_950)));
        let missing = Missing {
            at: -2_050 * 48,
            samples: 1_500 * 48,
        };
        assert_eq!(lull.missing(), Some(missing));
    }

    #[test]
    fn what_the_sound_system_told_itself_is_not_told_twice() {
        let mut lull = lull().unwrap_or_else(|| unreachable!());
        lull.count(ms(11_550), 50 * 48, 1_500 * 48);
        assert_eq!(lull.missing(), None);
    }
}

//! Times, ages, durations and positions, as people type them and read them.
//!
//! Parsing and printing only: nothing here reads a clock. Where "now" matters,
//! it is passed in, and its time zone is the one in which dates are meant.

mod length;
pub mod stamp;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::error::{Exit, Failure};
pub use length::{clock, duration, parse_duration, parse_position, seconds};

/// The text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Neither a date, nor RFC 3339, nor an age.
    #[error("“{0}” is not a time")]
    Time(String),
    /// Not an age.
    #[error("“{0}” is not an age")]
    Age(String),
    /// Not a duration.
    #[error("“{0}” is not a duration")]
    Duration(String),
    /// Not a position in a recording.
    #[error("“{0}” is not a position")]
    Position(String),
}

impl From<TimeError> for Failure {
    fn from(error: TimeError) -> Self {
        let hint = match error {
            TimeError::Time(_) => "2026-11-22, 2026-11-22T09:12:00+01:00, or an age such as 90d",
            TimeError::Age(_) => "a number and a unit: 2h, 90d, 6w, 18mo, 2y",
            TimeError::Duration(_) => "a number and a unit: 90s, 10m, 1h30m",
            TimeError::Position(_) => "seconds or a clock: 12.5, 2:03, 1:02:03.5",
        };
        Self::new(Exit::Usage, "can't use the arguments", error.to_string()).hint(hint)
    }
}

/// What the clock of this machine says, in its time zone. One that says a year that no
/// calendar knows is taken to the nearest that one does.
#[must_use]
pub fn now() -> Zoned {
    of_system(SystemTime::now())
}

fn of_system(time: SystemTime) -> Zoned {
    let farthest = match time < SystemTime::UNIX_EPOCH {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    };
    let timestamp = Timestamp::try_from(time).unwrap_or(farthest);
    timestamp.to_zoned(TimeZone::system())
}

/// How old something is, or how long it is kept: `90d`, `18mo`, `2h`.
///
/// Months and days are those of the calendar, so that `1mo` before 31 March is
/// the last of February.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Age {
    /// Calendar months; a year is twelve.
    pub months: u32,
    /// Calendar days; a week is seven.
    pub days: u32,
    /// Seconds; hours and minutes are counted in them.
    pub seconds: u32,
}

impl Age {
    /// The most that a part may say: a thousand years, so that no sum of parts
    /// leaves the years that the calendar knows.
    const MOST_MONTHS: u64 = 12_000;
    const MOST_DAYS: u64 = 365_000;
    const MOST_SECONDS: u64 = u32::MAX as u64;

    /// The moment this long before `now`, in `now`'s time zone.
    #[must_use]
    pub fn before(self, now: &Zoned) -> Zoned {
        self.span()
            .and_then(|span| now.checked_sub(span))
            .unwrap_or_else(|_| zoned(Timestamp::MIN))
    }

    /// The moment this long after `start`, in `start`'s time zone.
    #[must_use]
    pub fn after(self, start: &Zoned) -> Zoned {
        self.span()
            .and_then(|span| start.checked_add(span))
            .unwrap_or_else(|_| zoned(Timestamp::MAX))
    }

    fn span(self) -> Result<Span, jiff::Error> {
        Span::new()
            .try_months(self.months)?
            .try_days(self.days)?
            .try_seconds(self.seconds)
    }
}

/// Only a card from outside can hold an age that leaves the calendar.
fn zoned(edge: Timestamp) -> Zoned {
    edge.to_zoned(TimeZone::UTC)
}

impl FromStr for Age {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refused = || TimeError::Age(text.to_owned());
        let (mut months, mut days, mut seconds) = (0_u64, 0_u64, 0_u64);
        for amount in amounts(text).ok_or_else(refused)? {
            let (part, factor) = match amount.unit {
                "y" => (&mut months, 12),
                "mo" => (&mut months, 1),
                "w" => (&mut days, 7),
                "d" => (&mut days, 1),
                "h" => (&mut seconds, 3600),
                "m" | "min" => (&mut seconds, 60),
                "s" => (&mut seconds, 1),
                _ => return Err(refused()),
            };
            let more = amount.number.checked_mul(factor).ok_or_else(refused)?;
            *part = part.checked_add(more).ok_or_else(refused)?;
        }
        let part = |value: u64, most: u64| {
            if value <= most {
                u32::try_from(value).ok()
            } else {
                None
            }
            .ok_or_else(refused)
        };
        Ok(Self {
            months: part(months, Self::MOST_MONTHS)?,
            days: part(days, Self::MOST_DAYS)?,
            seconds: part(seconds, Self::MOST_SECONDS)?,
        })
    }
}

/// In the largest units that are exact; parses back to the same age.
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.months {
            0 => {}
            months if months % 12 == 0 => write!(f, "{}y", months / 12)?,
            months => write!(f, "{months}mo")?,
        }
        if self.days > 0 {
            write!(f, "{}d", self.days)?;
        }
        if self.seconds > 0 || (self.months == 0 && self.days == 0) {
            f.write_str(&duration(Duration::from_secs(self.seconds.into())))?;
        }
        Ok(())
    }
}

/// A point in time as it was typed; what it means depends on "now".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// RFC 3339.
    At(Timestamp),
    /// The first moment of a day.
    Day(Date),
    /// That long ago.
    Ago(Age),
}

impl When {
    /// The moment that was meant, at `now`.
    #[must_use]
    pub fn at(&self, now: &Zoned) -> Timestamp {
        match self {
            Self::At(timestamp) => *timestamp,
            Self::Day(date) => start_of(*date, now),
            Self::Ago(age) => age.before(now).timestamp(),
        }
    }
}

impl FromStr for When {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let digits_at = |range: std::ops::Range<usize>| {
            text.get(range)
                .is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let is_dated = digits_at(0..4) && text.get(4..5) == Some("-");
        let parsed = if is_dated && text.len() == 10 {
            text.parse().ok().map(Self::Day)
        } else if is_dated {
            text.parse().ok().map(Self::At)
        } else {
            text.parse().ok().map(Self::Ago)
        };
        parsed.ok_or_else(|| TimeError::Time(text.to_owned()))
    }
}

/// The first moment of a day in `now`'s time zone.
#[must_use]
pub fn start_of(date: Date, now: &Zoned) -> Timestamp {
    date.to_zoned(now.time_zone().clone())
        .map_or(Timestamp::MIN, |start| start.timestamp())
}

/// A number and its unit.
struct Amount<'a> {
    number: u64,
    unit: &'a str,
}

/// The amounts of `1h30m`; none for anything that is not a row of them.
fn amounts(text: &str) -> Option<Vec<Amount<'_>>> {
    let mut amounts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = rest.get(..letters)?;
        rest = rest.get(letters..)?;
        amounts.push(Amount { number, unit });
    }
    if amounts.is_empty() {
        None
    } else {
        Some(amounts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn now() -> Zoned {
        "2026-11-22T09:12:00+01:00[Europe/Berlin]".parse().unwrap()
    }

    #[test]
    fn an_age_counts_in_calendar_months_and_days() {
        let march: Zoned = "2026-03-31T12:00:00+02:00[Europe/Berlin]".parse().unwrap();
        let month: Age = "1mo".parse().unwrap();
        assert_eq!(month.before(&march).date().to_string(), "2026-02-28");
        let day: Age = "1d".parse().unwrap();
        // The clock was put forward on 29 March: a day back is not 24 hours back.
        let monday: Zoned = "2026-03-30T01:00:00+02:00[Europe/Berlin]".parse().unwrap();
        assert_eq!(day.before(&monday).strftime("%H:%M").to_string(), "01:00");
    }

    #[test]
    fn a_date_is_the_first_moment_of_that_day_where_one_is() {
        let when: When = "2026-11-20".parse().unwrap();
        assert_eq!(when.at(&now()).to_string(), "2026-11-19T23:00:00Z");
        let when: When = "2026-11-20T00:00:00-05:00".parse().unwrap();
        assert_eq!(when.at(&now()).to_string(), "2026-11-20T05:00:00Z");
        let when: When = "2h".parse().unwrap();
        assert_eq!(when.at(&now()).to_string(), "2026-11-22T06:12:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "soon",
            "2026-13-01",
            "2026-1-1",
            "d",
            "-3d",
            "5",
            "9999999999d",
            "3mod",
        ] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
        for text in ["", "90", "m", "1.5h", "1h-3m", "18446744073709551615h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        for text in ["", "-1", "1:60", "1:2:3:4", ":5", "1.", "1e3", "0x1"] {
            assert!(parse_position(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_clock_behind_the_last_year_is_taken_to_the_end_of_the_calendar() {
        let years = |many: u64| Duration::from_secs(many * 31_556_952);
        let far = of_system(SystemTime::UNIX_EPOCH + years(9000));
        assert_eq!(far.year(), 9999);
        let early = of_system(SystemTime::UNIX_EPOCH - years(20_000));
        assert_eq!(early.year(), -9999);
        let right = Duration::from_secs(1_000_000_000);
        assert_eq!(of_system(SystemTime::UNIX_EPOCH + right).year(), 2001);
    }

    proptest! {
        #[test]
        fn an_age_prints_as_it_parses(months in 0_u32..12_000, days in 0_u32..9_000, seconds: u32) {
            let age = Age { months, days, seconds };
            prop_assert_eq!(age.to_string().parse::<Age>().unwrap(), age);
            prop_assert!(age.before(&now()) <= now());
            prop_assert!(age.after(&now()) >= now());
        }

        #[test]
        fn no_text_is_too_odd_to_be_refused(text in "\\PC{0,12}") {
            let _ = text.parse::<When>();
        }
    }
}

//! A date as it stands in a tag or in the name of a file: perhaps without a time of day,
//! perhaps without saying which clock it was read from.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// A date from a tag or a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The day.
    pub date: Date,
    /// The time of day, if it is known.
    pub time: Option<Time>,
    /// How far that clock was from UTC, if it says so; otherwise it was a local one.
    pub offset: Option<Offset>,
}

impl Stamp {
    /// A moment that is known exactly.
    #[must_use]
    pub fn of(timestamp: Timestamp) -> Self {
        let at = Offset::UTC.to_datetime(timestamp);
        Self {
            date: at.date(),
            time: Some(at.time()),
            offset: Some(Offset::UTC),
        }
    }

    /// `2019-05-03T14:23:12+02:00`, with a blank for the T, without an offset, without a
    /// time; parts of the date may be set apart by colons, as cameras and broadcasters
    /// write it. A year alone is no date.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('\0');
        let (date, rest) = (text.get(..10)?, text.get(10..)?);
        let date: Date = date.replace([':', '/', '.'], "-").parse().ok()?;
        let rest = rest.trim_start_matches(['T', ' ']);
        if rest.is_empty() {
            return Some(Self {
                date,
                time: None,
                offset: None,
            });
        }
        let zone = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
        let (time, zone) = rest.split_at(zone);
        let time: Time = time.trim().parse().ok()?;
        Some(Self {
            date,
            time: Some(time),
            offset: match zone {
                "" => None,
                zone => Some(offset(zone)?),
            },
        })
    }

    /// When that was on a clock of this zone. A day alone begins at midnight, unless
    /// another source knows the time of that day.
    #[must_use]
    pub fn moment(&self, local: &TimeZone, other: Option<&Zoned>) -> Option<Zoned> {
        let zone = match self.offset {
            Some(offset) => offset.to_time_zone(),
            None => local.clone(),
        };
        let Some(time) = self.time else {
            let other = other.filter(|other| other.date() == self.date);
            return match other {
                Some(other) => Some(other.clone()),
                None => self.date.to_zoned(zone).ok(),
            };
        };
        let at = DateTime::from_parts(self.date, time).to_zoned(zone).ok()?;
        Some(at.with_time_zone(local.clone()))
    }
}

/// `Z`, `+02:00`, `+0200`, `-05`.
fn offset(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, digits) = text.split_at_checked(1)?;
    let digits = digits.replace(':', "");
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits
        .get(2..)
        .map_or(Ok(0), |minutes| match minutes {
            "" => Ok(0),
            minutes => minutes.parse(),
        })
        .ok()?;
    let seconds = hours * 3_600 + minutes * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Option<String> {
        let stamp = Stamp::parse(text)?;
        let moment = stamp.moment(&TimeZone::fixed(jiff::tz::offset(2)), None)?;
        Some(moment.timestamp().to_string())
    }

    #[test]
    fn dates_read_as_tags_write_them() {
        for (text, wanted) in [
            ("2019-05-03T14:23:12+0200", "2019-05-03T12:23:12Z"),
            ("2019-05-03T14:23:12.500Z", "2019-05-03T14:23:12.5Z"),
            ("2019-05-03 14:23:12", "2019-05-03T12:23:12Z"),
            ("2019:05:03 14:23", "2019-05-03T12:23:00Z"),
            ("2019/05/03T14:23:12-05", "2019-05-03T19:23:12Z"),
            ("2019-05-03", "2019-05-02T22:00:00Z"),
        ] {
            assert_eq!(at(text).as_deref(), Some(wanted), "{text}");
        }
        for text in [
            "2019",
            "2019-05",
            "2019-13-01",
            "yesterday!!",
            "2019-05-03Tnoon",
            "2019-05-03T14:23+x",
        ] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_alone_takes_the_time_of_who_knows_it() {
        let stamp = Stamp::parse("2019-05-03").unwrap();
        let same: Zoned = "2019-05-03T14:23:12Z[UTC]".parse().unwrap();
        let other: Zoned = "2020-01-01T14:23:12Z[UTC]".parse().unwrap();
        assert_eq!(stamp.moment(&TimeZone::UTC, Some(&same)), Some(same));
        let moment = stamp.moment(&TimeZone::UTC, Some(&other)).unwrap();
        assert_eq!(moment.timestamp().to_string(), "2019-05-03T00:00:00Z");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[0-9:T Z+./-]{0,24}|.{0,20}") {
            let _ = Stamp::parse(&text).and_then(|stamp| stamp.moment(&TimeZone::UTC, None));
        }
    }
}

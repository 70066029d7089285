//! When a sound was recorded, as well as that can be known.
//!
//! In this order: what a list of its download says, what its tags say, what its name says,
//! when its file was changed. A date after now is taken for a clock that was wrong.

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::foreign::names;
use crate::recording::Moment;
use crate::time::stamp::Stamp;

/// What is known about it.
pub(super) struct Known<'a> {
    /// What a list says.
    pub(super) told: Option<jiff::Timestamp>,
    /// What its tags say.
    pub(super) tag: Option<Stamp>,
    /// The name of its file.
    pub(super) name: &'a str,
    /// When its file was changed.
    pub(super) changed: Option<Zoned>,
}

/// The best date; None where nothing is known but that it is there now.
pub(super) fn best(known: &Known<'_>, now: Moment) -> Option<Moment> {
    let local = TimeZone::system();
    let told = known.told.map(|told| told.to_zoned(local.clone()));
    let changed = known.changed.clone();
    let named = names::date_in(known.name);
    // A day alone takes its time from the first source that knows more of the same day.
    let exact = named
        .filter(|stamp| stamp.time.is_some())
        .and_then(|stamp| stamp.moment(&local, None));
    let tag = known.tag.and_then(|stamp| {
        let mut exact = [exact.as_ref(), changed.as_ref()].into_iter().flatten();
        stamp.moment(&local, exact.find(|exact| exact.date() == stamp.date))
    });
    let named = named.and_then(|stamp| stamp.moment(&local, changed.as_ref()));
    [told, tag, named, changed]
        .into_iter()
        .flatten()
        .map(|zoned| Moment::from_zoned(&zoned))
        .find(|moment| moment.unix_ms <= now.unix_ms)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn the_best_source_that_lies_in_the_past_counts() {
        let now = Moment {
            unix_ms: ms("2026-01-01T00:00:00Z"),
            offset_s: 0,
        };
        let changed: Zoned = "2021-06-01T12:00:00Z[UTC]".parse().unwrap();
        let mut known = Known {
            told: "2018-01-01T00:00:00Z".parse().ok(),
            tag: Stamp::parse("2019-02-02T10:00:00Z"),
            name: "2020-03-03T11_00_00Z.wav",
            changed: Some(changed),
        };
        let best_ms = |known: &Known<'_>| best(known, now).map(|moment| moment.unix_ms);
        assert_eq!(best_ms(&known), Some(ms("2018-01-01T00:00:00Z")));
        known.told = None;
        assert_eq!(best_ms(&known), Some(ms("2019-02-02T10:00:00Z")));
        known.tag = Stamp::parse("2040-02-02T10:00:00Z");
        assert_eq!(best_ms(&known), Some(ms("2020-03-03T11:00:00Z")));
        known.tag = Stamp::parse("2020-03-03");
        assert_eq!(best_ms(&known), Some(ms("2020-03-03T11:00:00Z")));
        // The name is of another day, and the file's own time is of that one.
        known.tag = Stamp::parse("2021-06-01");
        assert_eq!(best_ms(&known), Some(ms("2021-06-01T12:00:00Z")));
        (known.tag, known.name) = (None, "memo.wav");
        assert_eq!(best_ms(&known), Some(ms("2021-06-01T12:00:00Z")));
        known.changed = None;
        assert_eq!(best_ms(&known), None);
    }
}

//! Dates in the names of sound files, as recorders and messengers write them.
//!
//! Only what can be read in one way: four digits of the year first, then month and day;
//! the time behind it, if there is one. `20190503_142312`, `2019-05-03 14.23.12`,
//! `PTT-20190503-WA0012`, `2018-11-21_17_31_56_905_UTC`, `2014-07-14T23_04_05Z`. A name with
//! two different dates has none.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use crate::time::stamp::Stamp;

/// The date in a file's name, if there is one.
#[must_use]
pub fn date_in(name: &str) -> Option<Stamp> {
    let name = super::told::base_name(name);
    let mut found: Option<Stamp> = None;
    for (at, _) in name.match_indices(|c: char| c.is_ascii_digit()) {
        let before = name.get(..at)?.chars().next_back();
        if before.is_some_and(|c| c.is_ascii_digit()) {
            continue;
        }
        let Some(stamp) = name.get(at..).and_then(stamp_at_start) else {
            continue;
        };
        match found {
            Some(known) if known.date != stamp.date => return None,
            Some(known) if known.time.is_some() || stamp.time.is_none() => {}
            _ => found = Some(stamp),
        }
    }
    found
}

fn stamp_at_start(text: &str) -> Option<Stamp> {
    let mut rest = text;
    let year = number(&mut rest, 4)?;
    let mark = skip(&mut rest, &["-", "_", ".", " "]);
    let month = number(&mut rest, 2)?;
    // What sets the parts apart does so throughout.
    if skip(&mut rest, &[mark]) != mark {
        return None;
    }
    let day = number(&mut rest, 2)?;
    if !(1970..=2199).contains(&year) {
        return None;
    }
    let date = Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()?;
    let whole_day = Stamp {
        date,
        time: None,
        offset: None,
    };
    let behind = rest;
    match time_at_start(rest) {
        Some((time, offset)) => Some(Stamp {
            time: Some(time),
            offset,
            ..whole_day
        }),
        // Longer numbers are no dates.
        None if behind.starts_with(|c: char| c.is_ascii_digit()) => None,
        None => Some(whole_day),
    }
}

fn time_at_start(text: &str) -> Option<(Time, Option<Offset>)> {
    let mut rest = text;
    skip(&mut rest, &[" at ", " - ", "T", "-", "_", " ", "."]);
    let hour = number(&mut rest, 2)?;
    let mark = skip(
        &mut rest,
        &["-", "_", ".", ":", "h", "\u{a789}", "\u{2236}"],
    );
    let minute = number(&mut rest, 2)?;
    let mut second = 0;
    let mut behind = rest;
    let same = match mark {
        "h" => {
            skip(&mut behind, &["m"]);
            true
        }
        mark => skip(&mut behind, &[mark]) == mark,
    };
    if same && let Some(found) = number(&mut behind, 2) {
        second = found;
        rest = behind;
    } else if mark.is_empty() {
        // Four digits alone are as well the number of the recording.
        return None;
    }
    let time = Time::new(
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        0,
    )
    .ok()?;
    // Thousandths, then the clock.
    let mut behind = rest;
    skip(&mut behind, &["_", ".", "-"]);
    if number(&mut behind, 3).is_some() {
        rest = behind;
    }
    let is_utc = ["Z", "_UTC", " UTC", "UTC"].iter().any(|mark| {
        rest.strip_prefix(mark)
            .is_some_and(|more| !more.starts_with(|c: char| c.is_ascii_alphanumeric()))
    });
    match rest.starts_with(|c: char| c.is_ascii_digit()) {
        true => None,
        false => Some((time, is_utc.then_some(Offset::UTC))),
    }
}

/// So many digits.
fn number(text: &mut &str, digits: usize) -> Option<u32> {
    let (number, rest) = text.split_at_checked(digits)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *text = rest;
    number.parse().ok()
}

/// Passes over the first of these that is there; the empty one always is.
fn skip<'a>(text: &mut &str, marks: &[&'a str]) -> &'a str {
    for mark in marks {
        if let Some(rest) = text.strip_prefix(mark) {
            *text = rest;
            return mark;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn recorders_names_are_read() {
        for (name, wanted) in [
            ("20190503_142312.wav", "2019-05-03T14:23:12Z"),
            ("20190503142312.mp3", "2019-05-03T14:23:12Z"),
            ("Recording 2019-05-03 14.23.12.m4a", "2019-05-03T14:23:12Z"),
            ("2019-05-03T14_23_12Z.ogg", "2019-05-03T14:23:12Z"),
            ("2018-11-21_17_31_56_905_UTC.mp3", "2018-11-21T17:31:56Z"),
            (
                "Ann - Voicemail - 2014-07-14T23_04_05Z.mp3",
                "2014-07-14T23:04:05Z",
            ),
            ("audio_2019-05-03_14-23-12.ogg", "2019-05-03T14:23:12Z"),
            ("Audio 2019-05-03 at 14.23.opus", "2019-05-03T14:23:00Z"),
            ("PTT-20190503-WA0012.opus", "2019-05-03T00:00:00Z"),
            ("2019_05_03 20190503 memo 3.m4a", "2019-05-03T00:00:00Z"),
            ("2019.05.03 14h23m12.wav", "2019-05-03T14:23:12Z"),
            ("Talk/2019-05-03 standup.wav", "2019-05-03T00:00:00Z"),
        ] {
            let moment = date_in(name).and_then(|stamp| stamp.moment(&TimeZone::UTC, None));
            let moment = moment.map(|moment| moment.timestamp().to_string());
            assert_eq!(moment.as_deref(), Some(wanted), "{name}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        for name in [
            "190503_1423.mp3",
            "03052019.wav",
            "1556893392000.wav",
            "2019-05-03 to 2019-05-04.wav",
            "20191332.wav",
            "2019-0503.wav",
            "ZOOM0001.wav",
            "12345678.wav",
            "2019.wav",
            "",
        ] {
            assert_eq!(date_in(name), None, "{name}");
        }
    }

    #[test]
    fn the_offset_of_utc_is_believed() {
        assert_eq!(
            date_in("2019-05-03T14_23_12Z.ogg").unwrap().offset,
            Some(Offset::UTC)
        );
        assert_eq!(date_in("20190503_142312.ogg").unwrap().offset, None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(name in "[0-9TZ_. -]{0,30}|.{0,20}") {
            let _ = date_in(&name);
        }

        #[test]
        fn every_date_is_found(
            year in 1970..2199i16, month in 1..=12i8, day in 1..=28i8, hour in 0..24i8, minute in 0..60i8,
        ) {
            let name = format!("memo {year:04}{month:02}{day:02}-{hour:02}{minute:02}59.wav");
            let stamp = date_in(&name).unwrap();
            prop_assert_eq!(stamp.date, Date::new(year, month, day).unwrap());
            prop_assert_eq!(stamp.time, Some(Time::new(hour, minute, 59, 0).unwrap()));
        }
    }
}

//! Lengths of time, and places in a recording.

use std::time::Duration;

use super::{TimeError, amounts};

/// A length of time: `90s`, `10m`, `1h30m`.
///
/// # Errors
/// Anything else, and what is longer than a century.
pub fn parse_duration(text: &str) -> Result<Duration, TimeError> {
    let refused = || TimeError::Duration(text.to_owned());
    let mut total_s = 0_u64;
    for amount in amounts(text).ok_or_else(refused)? {
        let factor = match amount.unit {
            "d" => 86_400,
            "h" => 3600,
            "m" | "min" => 60,
            "s" => 1,
            _ => return Err(refused()),
        };
        let more = amount.number.checked_mul(factor).ok_or_else(refused)?;
        total_s = total_s.checked_add(more).ok_or_else(refused)?;
    }
    if total_s > 100 * 366 * 86_400 {
        Err(refused())
    } else {
        Ok(Duration::from_secs(total_s))
    }
}

/// A place in a recording: `12.5` (seconds), `2:03`, `1:02:03.5`.
///
/// # Errors
/// Anything else; minutes and seconds after a colon must be under 60.
pub fn parse_position(text: &str) -> Result<Duration, TimeError> {
    let refused = || TimeError::Position(text.to_owned());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fields: Vec<&str> = whole.split(':').collect();
    if fields.len() > 3 || !fields.iter().all(|field| digits(field)) || !digits(fraction) {
        return Err(refused());
    }
    let mut seconds = 0_u64;
    for (place, field) in fields.iter().enumerate() {
        let number: u64 = field.parse().map_err(|_| refused())?;
        if (place > 0 && number >= 60) || number > u32::MAX.into() {
            return Err(refused());
        }
        seconds = seconds * 60 + number;
    }
    let fraction: f64 = format!("0.{fraction}").parse().map_err(|_| refused())?;
    Ok(Duration::from_secs(seconds) + Duration::from_secs_f64(fraction))
}

/// A length or place for people, to the second below: `0:07`, `3:12`, `1:02:03`.
#[must_use]
pub fn clock(length: Duration) -> String {
    let total = length.as_secs();
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A length as it is typed, to the second below: `90s` prints as `1m30s`.
#[must_use]
pub fn duration(length: Duration) -> String {
    let total = length.as_secs();
    let parts = [
        (total / 3600, 'h'),
        (total / 60 % 60, 'm'),
        (total % 60, 's'),
    ];
    let text: String = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// Seconds for JSON, to the millisecond.
#[must_use]
pub fn seconds(length: Duration) -> f64 {
    (length.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_and_positions_are_read_as_they_are_meant() {
        assert_eq!(parse_duration("1h30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(parse_duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(
            parse_position("12.5").unwrap(),
            Duration::from_millis(12_500)
        );
        assert_eq!(
            parse_position("1:02:03.5").unwrap(),
            Duration::from_millis(3_723_500)
        );
        assert_eq!(parse_position("90").unwrap(), Duration::from_secs(90));
    }

    #[test]
    fn lengths_print_as_clocks() {
        assert_eq!(clock(Duration::from_millis(7_900)), "0:07");
        assert_eq!(clock(Duration::from_secs(192)), "3:12");
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_be_refused(text in "\\PC{0,12}") {
            let _ = (parse_duration(&text), parse_position(&text));
        }
    }
}

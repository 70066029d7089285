//! Facts in words: lengths, sizes, days, states.

use jiff::civil::Date;

use crate::error::plain;
use crate::recording::{Recording, State};
use crate::tui::model::reading::wrap;

/// A length or position: `0:07`, `52:10`, `1:02:03`.
#[must_use]
pub(in crate::tui) fn duration(seconds: f64) -> String {
    // Saturates: a damaged card must not break a row.
    let whole = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A large length, roughly: `41 min`, `83 h`.
#[must_use]
pub(in crate::tui) fn roughly(seconds: f64) -> String {
    let minutes = (seconds.max(0.0) / 60.0) as u64;
    match minutes {
        0 => format!("{} s", seconds.max(0.0) as u64),
        1..120 => format!("{minutes} min"),
        120..5760 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

/// Bytes, in the unit that leaves two or three digits.
#[must_use]
pub(in crate::tui) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} kB", count / 1_000),
        1_000_000..10_000_000_000 => format!("{} MB", count / 1_000_000),
        _ => format!("{} GB", count / 1_000_000_000),
    }
}

/// A count with its digits in threes: `1,204`.
#[must_use]
pub(in crate::tui) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One or several of something.
#[must_use]
pub(in crate::tui) fn several(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A day as people call it.
#[must_use]
pub(in crate::tui) fn day(date: Date, today: Date) -> String {
    if date == today {
        return "today".to_owned();
    }
    if today.yesterday().is_ok_and(|yesterday| date == yesterday) {
        return "yesterday".to_owned();
    }
    let form = if date.year() == today.year() {
        "%a %-d %b"
    } else {
        "%a %-d %b %Y"
    };
    date.strftime(form).to_string()
}

/// What a recording is called: its title, or its state where it has none.
#[must_use]
pub(in crate::tui) fn title(recording: &Recording) -> String {
    let title = plain(recording.card.title.trim());
    if title.is_empty() {
        format!("({})", state(recording))
    } else {
        title
    }
}

/// Where it stands, in words.
#[must_use]
pub(in crate::tui) fn state(recording: &Recording) -> &'static str {
    if let (Some(shredded), true) = (recording.lacks(), recording.versions.is_empty()) {
        return shredded;
    }
    match recording.state() {
        State::Recording => "is being recorded",
        State::Interrupted => "interrupted",
        State::Pending => "not transcribed yet",
        State::Transcribed => "untitled",
        State::Silent => "silent",
        State::Failed => "failed",
    }
}

/// When it was spoken: `22 Nov 2026 09:12`.
#[must_use]
pub(in crate::tui) fn when(recording: &Recording) -> String {
    recording
        .card
        .recorded_at
        .to_zoned()
        .strftime("%-d %b %Y %H:%M")
        .to_string()
}

/// A file name for a copy, without its ending.
#[must_use]
pub(in crate::tui) fn file_name(recording: &Recording) -> String {
    let at = recording
        .card
        .recorded_at
        .to_zoned()
        .strftime("%Y-%m-%d-%H%M")
        .to_string();
    let letters = plain(&recording.card.title);
    let words = letters
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    // File systems end names at 255 bytes.
    let mut name = at;
    for word in words.take_while({
        let mut length = 0;
        move |word| {
            length += word.len() + 1;
            length < 150
        }
    }) {
        name.push('-');
        name.push_str(word);
    }
    name
}

/// Lines broken to this many columns; what goes on is indented.
#[must_use]
pub(in crate::tui) fn wrapped(lines: &[String], columns: u16) -> Vec<String> {
    let mut broken = Vec::new();
    for line in lines {
        let mut indent = "";
        wrap(
            line,
            usize::from(columns.saturating_sub(4)).max(1),
            &mut |from, to| {
                broken.push(format!(
                    "{indent}{}",
                    line.get(from..to).unwrap_or_default()
                ));
                indent = "    ";
            },
        );
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_indented() {
        let lines = ["erased: the keys to it".to_owned(), String::new()];
        assert_eq!(wrapped(&lines, 16), ["erased: the", "    keys to it", ""]);
    }

    #[test]
    fn lengths_and_counts_read_as_people_write_them() {
        assert_eq!(
            [0.0, 52.9, 3130.0, 3723.0].map(duration),
            ["0:00", "0:52", "52:10", "1:02:03"]
        );
        assert_eq!(duration(f64::NAN), "0:00");
        assert_eq!(
            [0, 999, 1204, 1_000_000].map(count),
            ["0", "999", "1,204", "1,000,000"]
        );
        assert_eq!(roughly(83.0 * 3600.0), "83 h");
        assert_eq!(bytes(412_345_678), "412 MB");
    }
}

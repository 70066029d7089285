//! Markdown (`.md`) with a front part in YAML, as note-taking programs read it.
//!
//! One paragraph per segment with its time before it. Strings of the front part
//! are written as JSON strings, which YAML reads alike; characters that Markdown
//! would take for markup are escaped.

use std::fmt::Write as _;
use std::time::Duration;

use super::Transcript;
use crate::recording::Recording;
use crate::time::clock;

/// The recording's title, date, length and tags, then what was said and when.
#[must_use]
pub fn render(recording: &Recording, transcript: &Transcript) -> String {
    let card = &recording.card;
    let tags: Vec<String> = card.tags.iter().map(|tag| quoted(tag)).collect();
    let date = card.recorded_at.to_zoned().strftime("%Y-%m-%d %H:%M");
    let heading = match card.title.trim() {
        "" => format!("Recording of {date}"),
        title => escaped(title),
    };
    let mut file = String::new();
    // Writing to a String can't fail.
    let _ = writeln!(
        file,
        "---\ntitle: {}\ndate: {}\nlength: {}\ntags: [{}]\nlanguage: {}\n---\n\n# {}",
        quoted(&crate::error::plain(&card.title)),
        card.recorded_at,
        quoted(&clock(card.duration())),
        tags.join(", "),
        quoted(&transcript.language),
        heading,
    );
    for segment in &transcript.segments {
        let text = escaped(&segment.text);
        if !text.is_empty() {
            let time = clock(Duration::from_millis(segment.start_ms.into()));
            let _ = writeln!(file, "\n**{time}** {text}");
        }
    }
    file
}

/// A YAML string in double quotes: JSON's escapes, and those line breaks that
/// JSON leaves bare.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json.replace('\u{85}', "\\N")
        .replace('\u{2028}', "\\L")
        .replace('\u{2029}', "\\P")
}

/// One line in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for (place, word) in text.split_whitespace().enumerate() {
        if place > 0 {
            line.push(' ');
        }
        for c in word.chars().filter(|c| !c.is_control()) {
            if matches!(
                c,
                '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&'
            ) {
                line.push('\\');
            }
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::samples::{recording, spoken};
    use super::*;

    #[test]
    fn the_front_part_names_the_recording_and_nothing_is_markup() {
        let mut recording = recording();
        recording.card.title = "Rent: \"the *flat*\"".to_owned();
        recording.card.tags = vec!["home".to_owned(), "a, b".to_owned()];
        let transcript = spoken(&[(7_200, 9_000, "Today I look at <b>")]);
        assert_eq!(
            render(&recording, &transcript),
            "---\ntitle: \"Rent: \\\"the *flat*\\\"\"\ndate: 2026-11-22T09:12:00+01:00\n\
             length: \"3:12\"\ntags: [\"home\", \"a, b\"]\nlanguage: \"en\"\n---\n\n\
             # Rent: \"the \\*flat\\*\"\n\n**0:07** Today I look at \\<b\\>\n"
        );
    }
}

//! SubRip (`.srt`), as leniently as players read it.
//!
//! The format has no specification. A cue begins with a line of times; the number before
//! it does not count, and empty lines inside of its text do not end it. Tags (`<i>`,
//! `{\an8}`) go.

use super::cues::{Cue, Spoken};
use super::{Error, html, timing};

/// Reads the cues of a file.
///
/// # Errors
/// [`Error::Empty`], and [`Error::NotThat`] where no line of times is in it.
pub fn parse(file: &str) -> Result<Spoken, Error> {
    if file.trim().is_empty() {
        return Err(Error::Empty);
    }
    let lines: Vec<&str> = file.lines().collect();
    let mut spoken = Spoken::default();
    let mut text: Vec<&str> = Vec::new();
    let mut times = None;
    for (place, line) in lines.iter().enumerate() {
        match timing::line(line) {
            Some(next) => {
                // The number of the cue that begins here stands before it.
                let is_number = |line: &&str| {
                    !line.trim().is_empty() && line.trim().bytes().all(|byte| byte.is_ascii_digit())
                };
                let stands_alone = place < 2
                    || lines
                        .get(place - 2)
                        .is_none_or(|before| before.trim().is_empty());
                if stands_alone && text.last().is_some_and(is_number) {
                    text.pop();
                }
                spoken.cues.extend(cue(times.replace(next), &text));
                text.clear();
            }
            None => {
                if line.contains("-->") {
                    spoken.unreadable += 1;
                }
                text.push(line);
            }
        }
    }
    spoken.cues.extend(cue(times, &text));
    match times {
        Some(_) => Ok(spoken),
        None => Err(Error::NotThat {
            expected: "SubRip: there is no line of times in it",
        }),
    }
}

fn cue(times: Option<(u64, u64)>, lines: &[&str]) -> Option<Cue> {
    let (start_ms, end_ms) = times?;
    Some(Cue {
        start_ms,
        end_ms,
        text: html::text(&without_braces(&lines.join(" "))),
        words: Vec::new(),
    })
}

/// `{\an8}` and the like tell a player where to put the text.
fn without_braces(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("{\\") {
        plain.push_str(before);
        rest = inside.split_once('}').map_or("", |(_, behind)| behind);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::foreign::hostile;
    use crate::transcript::samples::any_transcript;
    use crate::transcript::srt::render;

    fn texts(spoken: &Spoken) -> Vec<(u64, u64, &str)> {
        spoken
            .cues
            .iter()
            .map(|cue| (cue.start_ms, cue.end_ms, cue.text.as_str()))
            .collect()
    }

    #[test]
    fn cues_are_read_as_players_read_them() {
        let file = "1\n00:00:00,000 --> 00:00:01,500\n{\\an8}<i>Ask</i> not\n\n\
                    2\n00:00:01.500 --> 00:00:04,000 X1:0\nwhat your\ncountry\n\nstill the same\n42\n\n\
                    3\n0:00:05,000-->0:00:06,000\n1962\n";
        assert_eq!(
            texts(&parse(file).unwrap()),
            [
                (0, 1_500, "Ask not"),
                (1_500, 4_000, "what your country still the same 42"),
                (5_000, 6_000, "1962"),
            ]
        );
        assert_eq!(parse("\n \n"), Err(Error::Empty));
        assert!(matches!(parse("just words"), Err(Error::NotThat { .. })));
        assert_eq!(
            parse("1\n00:00:00,000 --> 00:00:01,000\na\n\n2\n00:xx --> 1\nb")
                .unwrap()
                .unreadable,
            1
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(transcript in any_transcript()) {
            let file = render(&transcript);
            prop_assume!(!file.is_empty());
            let read = parse(&file).unwrap();
            prop_assert_eq!(read.cues.len(), file.matches(" --> ").count());
            prop_assert_eq!(read.unreadable, 0);
        }

        #[test]
        fn nothing_makes_it_panic(file in hostile::text()) {
            let _ = parse(&file);
        }
    }
}

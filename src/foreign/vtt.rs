//! WebVTT (`.vtt`), after <https://www.w3.org/TR/webvtt1/>.
//!
//! Cues with their text; notes, styles and regions are passed over, tags and the times of
//! single words go. A `Language:` line of the header is believed.

use super::cues::{Cue, Spoken};
use super::{Error, html, timing};

/// Reads the cues of a file.
///
/// # Errors
/// [`Error::Empty`], and [`Error::NotThat`] where it does not begin with `WEBVTT`.
pub fn parse(file: &str) -> Result<Spoken, Error> {
    if file.trim().is_empty() {
        return Err(Error::Empty);
    }
    let mut blocks = file.split("\n\n").map(|block| block.trim_matches('\n'));
    let head = blocks.next().unwrap_or_default();
    let is_vtt = head
        .strip_prefix("WEBVTT")
        .is_some_and(|behind| behind.is_empty() || behind.starts_with([' ', '\t', '\n']));
    if !is_vtt {
        return Err(Error::NotThat {
            expected: "WebVTT: it does not begin with WEBVTT",
        });
    }
    let mut spoken = Spoken {
        language: head.lines().find_map(|line| {
            let language = line.strip_prefix("Language:")?.trim();
            (!language.is_empty()).then(|| language.to_owned())
        }),
        ..Spoken::default()
    };
    // Some writers leave out the empty line behind the header.
    for block in std::iter::once(head).chain(blocks) {
        let mut lines = block
            .lines()
            .skip_while(|line| timing::line(line).is_none());
        let Some((start_ms, end_ms)) = lines.next().and_then(timing::line) else {
            spoken.unreadable += usize::from(block.contains("-->") && !is_note(block));
            continue;
        };
        if is_note(block) {
            continue;
        }
        let text: Vec<&str> = lines.collect();
        spoken.cues.push(Cue {
            start_ms,
            end_ms,
            text: html::text(&text.join("\n")),
            words: Vec::new(),
        });
    }
    Ok(spoken)
}

fn is_note(block: &str) -> bool {
    ["NOTE", "STYLE", "REGION"].iter().any(|kind| {
        block
            .strip_prefix(kind)
            .is_some_and(|behind| behind.is_empty() || behind.starts_with(char::is_whitespace))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::foreign::hostile;
    use crate::transcript::samples::any_transcript;
    use crate::transcript::vtt::render;

    #[test]
    fn cues_are_read_and_what_is_not_said_is_not() {
        let file = "WEBVTT - a talk\nKind: captions\nLanguage: de\n\nNOTE 00:01.000 --> 00:02.000\nno\n\n\
                    STYLE\n::cue { color: red }\n\n\
                    intro\n00:01.000 --> 00:02.500 align:start\n<v Roger>Hello <00:00:01.500><c>there</c> &amp; you\n\n\n\n\
                    01:00:00.000 --> 01:00:01.000\n- two\n- lines\n";
        let spoken = parse(file).unwrap();
        let cues: Vec<_> = spoken
            .cues
            .iter()
            .map(|cue| (cue.start_ms, cue.end_ms, cue.text.as_str()))
            .collect();
        assert_eq!(
            cues,
            [
                (1_000, 2_500, "Hello there & you"),
                (3_600_000, 3_601_000, "- two - lines"),
            ]
        );
        assert_eq!(spoken.language.as_deref(), Some("de"));
        assert!(matches!(parse("WEBVTTX\n"), Err(Error::NotThat { .. })));
        assert_eq!(parse(" \n"), Err(Error::Empty));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(transcript in any_transcript()) {
            let file = render(&transcript);
            let read = parse(&file).unwrap();
            prop_assert_eq!(read.cues.len(), file.matches(" --> ").count());
        }

        #[test]
        fn nothing_makes_it_panic(file in hostile::text()) {
            let _ = parse(&format!("WEBVTT\n\n{file}"));
            let _ = parse(&file);
        }
    }
}

//! SubRip (`.srt`): numbered cues with times to the millisecond.
//!
//! The format has no specification; this is the common ground of its players:
//! UTF-8 without a mark, LF, cues numbered from 1, `HH:MM:SS,mmm --> …`, one
//! line of text, an empty line after each. An arrow in the text would be taken
//! for a line of times and is written `→`.

use std::fmt::Write as _;

use super::Transcript;
use super::cue::{cues, timestamp};

/// The transcript as an SRT file; empty when nothing was said.
#[must_use]
pub fn render(transcript: &Transcript) -> String {
    let mut file = String::new();
    for (place, cue) in cues(transcript).iter().enumerate() {
        let (from, to) = (timestamp(cue.start_ms, ','), timestamp(cue.end_ms, ','));
        let text = cue.text.replace("-->", "→");
        // Writing to a String can't fail.
        let _ = writeln!(file, "{}\n{from} --> {to}\n{text}\n", place + 1);
    }
    file
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::super::samples::{any_transcript, spoken};
    use super::*;

    #[test]
    fn cues_read_as_players_expect_them() {
        let transcript = spoken(&[
            (0, 1500, "Ask not"),
            (1500, 3_725_042, "what your country --> does"),
        ]);
        assert_eq!(
            render(&transcript),
            "1\n00:00:00,000 --> 00:00:01,500\nAsk not\n\n\
             2\n00:00:01,500 --> 01:02:05,042\nwhat your country → does\n\n"
        );
    }

    fn ms(stamp: &str) -> u64 {
        assert_eq!(stamp.as_bytes()[stamp.len() - 4], b',');
        let numbers: Vec<u64> = stamp
            .split([':', ','])
            .map(|number| number.parse().unwrap())
            .collect();
        assert!(numbers.len() == 4 && numbers[1] < 60 && numbers[2] < 60 && numbers[3] < 1000);
        ((numbers[0] * 60 + numbers[1]) * 60 + numbers[2]) * 1000 + numbers[3]
    }

    proptest! {
        #[test]
        fn whatever_was_said_is_valid_srt(transcript in any_transcript()) {
            let file = render(&transcript);
            prop_assert!(file.is_empty() || file.ends_with("\n\n"));
            let mut last_end = 0;
            for (place, cue) in file.split_terminator("\n\n").enumerate() {
                let lines: Vec<&str> = cue.split('\n').collect();
                prop_assert_eq!(lines.len(), 3, "{:?}", cue);
                prop_assert_eq!(lines[0], (place + 1).to_string());
                let (from, to) = lines[1].split_once(" --> ").unwrap();
                prop_assert!(ms(from) >= last_end && ms(to) > ms(from));
                last_end = ms(to);
                prop_assert!(!lines[2].trim().is_empty() && !lines[2].contains("-->"));
                prop_assert!(!lines[2].chars().any(char::is_control));
            }
            let said = transcript.segments.iter().filter(|segment| {
                segment.text.chars().any(|c| !c.is_control() && !c.is_whitespace())
            });
            prop_assert_eq!(file.split_terminator("\n\n").count(), said.count());
        }
    }
}

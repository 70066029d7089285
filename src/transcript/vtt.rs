//! WebVTT (`.vtt`), as the W3C's specification has it: the header, then cues
//! without identifiers and settings. `&`, `<` and `>` are escaped, so that what
//! was said is never read as markup or as an arrow.

use std::fmt::Write as _;

use super::Transcript;
use super::cue::{cues, timestamp};

/// The transcript as a WebVTT file; the bare header when nothing was said.
#[must_use]
pub fn render(transcript: &Transcript) -> String {
    let mut file = String::from("WEBVTT\n");
    for cue in cues(transcript) {
        let (from, to) = (timestamp(cue.start_ms, '.'), timestamp(cue.end_ms, '.'));
        let text = cue
            .text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        // Writing to a String can't fail.
        let _ = writeln!(file, "\n{from} --> {to}\n{text}");
    }
    file
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{any_transcript, spoken};
    use super::*;

    #[test]
    fn markup_in_speech_is_escaped() {
        let transcript = spoken(&[(500, 900, "<b> & \"-->\"")]);
        assert_eq!(
            render(&transcript),
            "WEBVTT\n\n00:00:00.500 --> 00:00:00.900\n&lt;b&gt; &amp; \"--&gt;\"\n"
        );
    }

    proptest! {
        #[test]
        fn whatever_was_said_is_valid_webvtt(transcript in any_transcript()) {
            let file = render(&transcript);
            prop_assert!(file.starts_with("WEBVTT\n") && file.ends_with('\n'));
            for cue in file.trim_end_matches('\n').split("\n\n").skip(1) {
                let lines: Vec<&str> = cue.split('\n').collect();
                prop_assert_eq!(lines.len(), 2, "{:?}", cue);
                prop_assert_eq!(lines[0].len(), "00:00:00.500 --> 00:00:00.900".len() + extra_hours(lines[0]));
                prop_assert!(!lines[1].contains(['<', '>']));
                let is_escaped = |rest: &str| ["amp;", "lt;", "gt;"].iter().any(|entity| rest.starts_with(entity));
                prop_assert!(lines[1].split('&').skip(1).all(is_escaped), "{}", lines[1]);
            }
        }
    }

    /// Hours take more than two digits from the hundredth on.
    fn extra_hours(times: &str) -> usize {
        times
            .split(" --> ")
            .map(|stamp| stamp.find(':').map_or(0, |digits| digits.saturating_sub(2)))
            .sum()
    }
}

//! Plain text (`.txt`): what was said, in paragraphs, and nothing else.

use super::Transcript;

/// A silence this long begins a new paragraph.
const PARAGRAPH_PAUSE_MS: u32 = 2_000;

/// The transcript as plain text: one paragraph per line with an empty line
/// between them, cut where somebody paused for two seconds. Empty when nothing
/// was said.
#[must_use]
pub fn render(transcript: &Transcript) -> String {
    let mut file = String::new();
    let mut last_end_ms = None;
    for segment in &transcript.segments {
        let words: Vec<&str> = segment.text.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        if let Some(end_ms) = last_end_ms {
            let pause_ms = segment.start_ms.saturating_sub(end_ms);
            file.push_str(if pause_ms >= PARAGRAPH_PAUSE_MS {
                "\n\n"
            } else {
                " "
            });
        }
        file.push_str(&words.join(" "));
        last_end_ms = Some(segment.end_ms);
    }
    if !file.is_empty() {
        file.push('\n');
    }
    file
}

#[cfg(test)]
mod tests {
    use super::super::samples::spoken;
    use super::*;

    #[test]
    fn a_pause_begins_a_paragraph() {
        let transcript = spoken(&[
            (0, 900, "One."),
            (1000, 2000, "Two\nmore."),
            (2500, 2600, " "),
            (4000, 5000, "Three."),
        ]);
        assert_eq!(render(&transcript), "One. Two more.\n\nThree.\n");
        assert_eq!(render(&spoken(&[])), "");
    }
}

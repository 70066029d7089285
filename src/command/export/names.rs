//! What copies are called: date and title, with nothing that a file system or a shell
//! trips over, and no two the same.

use std::collections::BTreeSet;

use crate::recording::Recording;

/// How long a title may be in a name. With date, ending and the mark of a file that is
/// being written it stays below the 255 bytes that file systems take.
const TITLE_BYTES: usize = 120;

/// The names that were given so far. Some file systems don't tell `A` from `a`.
#[derive(Default)]
pub(super) struct Names {
    given: BTreeSet<String>,
}

impl Names {
    /// A name for a copy of this recording that no other has.
    pub(super) fn next(&mut self, recording: &Recording, ending: &str) -> String {
        let name = safe(recording);
        let with_id = format!("{name} {}", recording.id.short());
        let whole_id = format!("{name} {}", recording.id);
        let free = [name, with_id].into_iter().find(|name| {
            let taken = self.given.contains(&name.to_lowercase());
            !taken
        });
        let name = free.unwrap_or(whole_id);
        self.given.insert(name.to_lowercase());
        format!("{name}.{ending}")
    }
}

/// The date goes first, so that no name begins with a dot or a dash, or is one that a
/// system keeps for itself (`CON`, `NUL`).
fn safe(recording: &Recording) -> String {
    let date = recording
        .card
        .recorded_at
        .to_zoned()
        .strftime("%Y-%m-%d %H.%M")
        .to_string();
    let kept: String = crate::error::plain(&recording.card.title)
        .chars()
        .map(|c| if r#"/\:*?"<>|"#.contains(c) { ' ' } else { c })
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'))
        .collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    let mut title = words.join(" ");
    while title.len() > TITLE_BYTES {
        title.pop();
    }
    let title = title.trim_matches(|c| c == '.' || c == '-' || c == ' ');
    if title.is_empty() {
        format!("{date} {}", recording.id.short())
    } else {
        format!("{date} {title}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::recording::RecordingId;
    use crate::transcript::samples;

    fn titled(title: &str) -> Recording {
        let mut recording = samples::recording();
        recording.card.title = title.to_owned();
        recording
    }

    #[test]
    fn a_name_is_date_and_title_without_what_trips_others() {
        let name = |title: &str| Names::default().next(&titled(title), "txt").split_off(17);
        assert_eq!(name("../../etc/passwd"), "etc passwd.txt");
        assert_eq!(name("-rf *\n\u{1b}[31m"), "rf [31m.txt");
        assert_eq!(name("a: b? \"c\""), "a b c.txt");
        assert_eq!(name("\u{202e}gpj.exe"), "gpj.exe.txt");
        let id = titled("").id.short();
        assert_eq!(name(" .-. "), format!("{id}.txt"));
    }

    #[test]
    fn recordings_of_one_name_get_their_ids() {
        let mut names = Names::default();
        let (one, mut two) = (titled("Talk"), titled("TALK"));
        two.id = RecordingId::from_bytes([7; 16]);
        let first = names.next(&one, "wav");
        let second = names.next(&two, "wav");
        let third = names.next(&two, "wav");
        assert!(first.ends_with("Talk.wav"), "{first}");
        assert!(second.ends_with("TALK 07070707.wav"), "{second}");
        assert!(third.ends_with(&format!("TALK {}.wav", two.id)), "{third}");
    }

    proptest! {
        #[test]
        fn every_title_makes_a_name_that_every_system_takes(title in "\\PC{0,200}|.{0,200}") {
            let name = Names::default().next(&titled(&title), "json");
            prop_assert!(name.len() + ".01234567.part".len() <= 255);
            prop_assert!(!name.chars().any(char::is_control));
            prop_assert!(!name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']));
            prop_assert!(name.starts_with(|c: char| c.is_ascii_digit()));
            prop_assert!(!name.contains(" .json") && !name.contains("..json"));
        }
    }
}

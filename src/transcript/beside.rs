//! The words that stay beside what was blanked, for a person to check: what the
//! times of words were wrong about shows there first.

use super::{REDACTED, Transcript};

/// So many words on both sides of each blank.
const WORDS: usize = 4;

impl Transcript {
    /// The words around each blank that `before` does not have, on one line;
    /// empty where there is none.
    #[must_use]
    pub fn beside_blanks(&self, before: &Self) -> String {
        let mut words: Vec<(&str, Is)> = Vec::new();
        for (at, segment) in self.segments.iter().enumerate() {
            let fresh = match before.segments.get(at) == Some(segment) {
                true => Is::Word,
                false => Is::Blank,
            };
            for word in segment.text.split_whitespace() {
                let is = match word.contains(REDACTED) {
                    true => fresh,
                    false => Is::Word,
                };
                // One says it for those that follow each other.
                if words.last() != Some(&(word, Is::Blank)) || is != Is::Blank {
                    words.push((word, is));
                }
            }
        }
        let blanks = words.iter().enumerate();
        let blanks = blanks.filter_map(|(at, (_, is))| (*is == Is::Blank).then_some(at));
        let mut line: Vec<&str> = Vec::new();
        let mut told = 0;
        for blank in blanks {
            let from = blank.saturating_sub(WORDS).max(told);
            if from > told {
                line.push("...");
            }
            let to = (blank + WORDS + 1).min(words.len());
            line.extend(words[from.min(to)..to].iter().map(|(word, _)| *word));
            told = to.max(told);
        }
        if !line.is_empty() && told < words.len() {
            line.push("...");
        }
        line.join(" ")
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Word,
    Blank,
}

#[cfg(test)]
mod tests {
    use super::super::samples::spoken;

    #[test]
    fn four_words_on_both_sides_of_each_new_blank_are_told() {
        let old = spoken(&[
            (0, 9, "it is [redacted] and one two"),
            (9, 20, "three four my secret"),
            (20, 30, "their secret"),
            (30, 50, "and then call me at once please"),
        ]);
        let new = spoken(&[
            (0, 9, "it is [redacted] and one two"),
            (9, 20, "three four my [redacted]"),
            (20, 30, "[redacted]"),
            (30, 50, "and then call me at once [redacted]"),
        ]);
        assert_eq!(
            new.beside_blanks(&old),
            "... two three four my [redacted] and then call me at once [redacted]"
        );
        let new = spoken(&[(0, 9, "a b c d e [redacted] f g h i j")]);
        assert_eq!(
            new.beside_blanks(&old),
            "... b c d e [redacted] f g h i ..."
        );
        assert_eq!(new.beside_blanks(&new), "");
        let all = spoken(&[(0, 9, "[redacted]")]);
        assert_eq!(all.beside_blanks(&old), "[redacted]");
    }
}

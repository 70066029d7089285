//! Tags: which of them are the same one, and how they are shown.

use super::fold::fold;

/// Whether two tags are the same one, for rules as for every filter.
#[must_use]
pub fn is_same_tag(one: &str, other: &str) -> bool {
    let (folded, others) = (fold(one), fold(other));
    match folded.is_empty() {
        // Of apostrophes and accents nothing is left to compare.
        true => one == other,
        false => folded == others,
    }
}

/// Whether a tag has a character that nobody sees: one without width, or one that turns
/// the direction of what stands beside it.
#[must_use]
pub fn hides_something(tag: &str) -> bool {
    tag.chars().any(is_hidden)
}

/// A tag as it is shown: what nobody would see of it is written out, such as `\u{202e}`.
#[must_use]
pub fn shown_tag(tag: &str) -> String {
    let mut shown = String::with_capacity(tag.len());
    for c in tag.chars() {
        match is_hidden(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
}

fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_a_filter_takes_for_one_are_the_same() {
        let same = [
            ("u\u{308}ber", "Über"),
            ("straße", "STRASSE"),
            ("istanbul", "İstanbul"),
            ("don't", "dont"),
        ];
        for (one, other) in same {
            assert!(is_same_tag(one, other), "{one} {other}");
        }
        for (one, other) in [("work", "works"), ("'", "’"), ("", "'")] {
            assert!(!is_same_tag(one, other), "{one} {other}");
        }
        assert!(is_same_tag("'", "'"));
    }

    #[test]
    fn what_nobody_sees_of_a_tag_is_written_out() {
        for hidden in [
            "\u{202e}evil",
            "e\u{200b}vil",
            "evil\u{feff}",
            "e\u{2066}vil",
        ] {
            assert!(hides_something(hidden));
        }
        assert!(!hides_something("über-東京"));
        assert_eq!(shown_tag("\u{202e}evil"), "\\u{202e}evil");
        assert_eq!(shown_tag("über"), "über");
    }
}

//! Tags as people give them: which can be used, which go on and which come off.

use crate::error::{Exit, Failure};
use crate::recording::{hides_something, shown_tag};

/// What to do with a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagChange {
    /// Put it on.
    Add(String),
    /// Take it off, however it is written there ([`is_same_tag`](crate::recording::is_same_tag)).
    Remove(String),
}

impl TagChange {
    /// `work` and `+work` add, `-work` takes off; a leading `#` is dropped.
    ///
    /// # Errors
    /// As [`parse_tag`].
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let (removes, tag) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        Ok(match removes {
            true => Self::Remove(known_tag(tag)?),
            false => Self::Add(parse_tag(tag)?),
        })
    }
}

/// A new tag that can be written in a query; one leading `#` or `+` is dropped.
///
/// # Errors
/// As [`check_tag`].
pub fn parse_tag(text: &str) -> Result<String, Failure> {
    let tag = known_tag(text)?;
    check_tag(&tag)?;
    Ok(tag)
}

/// The same of one that may be there already, whatever it hides.
fn known_tag(text: &str) -> Result<String, Failure> {
    let tag = text.strip_prefix('+').unwrap_or(text);
    let tag = tag.strip_prefix('#').unwrap_or(tag);
    check_word(tag)?;
    Ok(tag.to_owned())
}

/// All of these tags.
///
/// # Errors
/// As [`parse_tag`], for the first that can't be used.
pub fn parse_tags(texts: &[String]) -> Result<Vec<String>, Failure> {
    texts.iter().map(|text| parse_tag(text)).collect()
}

/// Whether a new tag can be written in a query, and told from every other by who reads it.
///
/// # Errors
/// [`Exit::Usage`] when it is empty, too long, begins with a sign, or holds white space or
/// characters that nobody sees.
pub fn check_tag(tag: &str) -> Result<(), Failure> {
    check_word(tag)?;
    if !hides_something(tag) {
        return Ok(());
    }
    let why = "it has characters that nobody sees: without width, or turning the direction of text";
    Err(Failure::new(Exit::Usage, "can't use the tag", why).about(shown_tag(tag)))
}

fn check_word(tag: &str) -> Result<(), Failure> {
    let fits = !tag.is_empty() && !tag.starts_with(['-', '+', '#']) && tag.chars().count() <= 64;
    if fits && !tag.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    let why = "a tag is one word of at most 64 characters that begins with none of - + #";
    Err(Failure::new(Exit::Usage, "can't use the tag", why).about(tag))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_new_tag_hides_nothing_and_one_that_does_can_be_taken_off() {
        for hiding in [
            "\u{202e}evil",
            "e\u{200b}vil",
            "e\u{2066}vil",
            "\u{feff}evil",
        ] {
            let refused = check_tag(hiding).unwrap_err();
            assert_eq!(refused.exit, Exit::Usage);
            assert!(refused.to_string().contains("\\u{"), "{refused}");
            assert!(TagChange::parse(hiding).is_err());
            let off = TagChange::parse(&format!("-{hiding}")).unwrap();
            assert_eq!(off, TagChange::Remove(hiding.to_owned()));
        }
        assert!(check_tag("über-東京").is_ok());
    }
}

//! Which language is spoken: chosen by a person, or heard by the model.

use std::str::FromStr;

use super::Error;

/// What a transcript's language says when nothing was heard by which a
/// multilingual model could have told it.
pub(super) const UNDETERMINED: &str = "und";
/// The only language of the models whose name ends with `.en`.
pub(super) const ENGLISH: &str = "en";

/// The language of a recording, as far as it is known before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Language {
    /// The model listens for it.
    #[default]
    Auto,
    /// An ISO 639-1 code that Whisper knows.
    Code(String),
}

/// `auto`, a code (`de`) or an English name (`german`).
impl FromStr for Language {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim().to_ascii_lowercase();
        if text == "auto" {
            return Ok(Self::Auto);
        }
        // Its own search prints what it does not know to standard error.
        let code = (0..=whisper_rs::get_lang_max_id())
            .find(|id| {
                whisper_rs::get_lang_str(*id) == Some(text.as_str())
                    || whisper_rs::get_lang_str_full(*id) == Some(text.as_str())
            })
            .and_then(whisper_rs::get_lang_str);
        match code {
            Some(code) => Ok(Self::Code(code.to_owned())),
            None => Err(Error::UnknownLanguage { code: text }),
        }
    }
}

/// Whether the language is written without spaces between its words.
pub(super) fn is_unspaced(code: &str) -> bool {
    matches!(code, "zh" | "ja" | "th" | "lo" | "my" | "km" | "yue")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

    use super::*;

    #[test]
    fn codes_and_names_are_understood() {
        assert_eq!("auto".parse::<Language>().unwrap(), Language::Auto);
        assert_eq!(
            "DE".parse::<Language>().unwrap(),
            Language::Code("de".to_owned())
        );
        assert_eq!(
            "german".parse::<Language>().unwrap(),
            Language::Code("de".to_owned())
        );
    }

    #[test]
    fn what_whisper_does_not_know_is_refused() {
        for text in ["", "klingon", "e\0n", "en-GB", "xx"] {
            assert!(text.parse::<Language>().is_err(), "{text:?}");
        }
    }
}

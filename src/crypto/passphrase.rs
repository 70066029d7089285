//! A passphrase: UTF-8, in Unicode's NFC, so that the same word typed on two
//! keyboards is the same word; as typed where that form does not open.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::CryptoError;

/// A passphrase, wiped when it goes.
pub struct Passphrase {
    nfc: Zeroizing<String>,
    typed: Zeroizing<String>,
}

impl Passphrase {
    /// The least number of characters of a new passphrase.
    pub const LEAST_CHARACTERS: usize = 8;

    /// A passphrase as it was typed. Nothing is trimmed.
    #[must_use]
    pub fn new(typed: String) -> Self {
        let typed = Zeroizing::new(typed);
        // NFC makes UTF-8 at most three times as long: no reallocation leaves
        // a copy behind.
        let mut nfc = Zeroizing::new(String::with_capacity(3 * typed.len()));
        nfc.extend(typed.nfc());
        Self { nfc, typed }
    }

    /// Refuses a new passphrase that is too short. Not asked when unlocking.
    pub fn check_length(&self) -> Result<(), CryptoError> {
        let least = Self::LEAST_CHARACTERS;
        if self.nfc.chars().count() < least {
            return Err(CryptoError::ShortPassphrase { least });
        }
        Ok(())
    }

    /// Nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nfc.is_empty()
    }

    /// Whether both open the same: to be sure that a new one was typed as meant.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        *self.nfc == *other.nfc
    }

    /// The form that new slots are sealed with.
    #[must_use]
    pub(crate) fn normalised(&self) -> &str {
        &self.nfc
    }

    /// As it was typed.
    #[must_use]
    pub(crate) fn typed(&self) -> &str {
        &self.typed
    }

    /// The forms to try when unlocking: normalised, then as typed if that differs.
    pub(crate) fn forms(&self) -> impl Iterator<Item = &str> {
        let typed = (*self.typed != *self.nfc).then_some(self.typed.as_str());
        std::iter::once(self.nfc.as_str()).chain(typed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn both_ways_of_typing_an_umlaut_are_the_same_passphrase() {
        let composed = Passphrase::new("gr\u{fc}n und m\u{fc}de".into());
        let decomposed = Passphrase::new("gru\u{308}n und mu\u{308}de".into());
        assert_eq!(composed.normalised(), decomposed.normalised());
        assert_eq!(composed.forms().count(), 1);
        assert_eq!(decomposed.forms().count(), 2);
    }

    #[test]
    fn seven_characters_are_refused_and_eight_are_taken() {
        assert!(Passphrase::new("sieben7".into()).check_length().is_err());
        assert!(
            Passphrase::new("\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}".into())
                .check_length()
                .is_err()
        );
        assert!(Passphrase::new("achtacht".into()).check_length().is_ok());
    }

    proptest::proptest! {
        #[test]
        fn normalising_never_outgrows_the_buffer_made_for_it(text in "\\PC{0,40}") {
            let passphrase = Passphrase::new(text.clone());
            proptest::prop_assert!(passphrase.nfc.len() <= 3 * text.len());
        }
    }
}

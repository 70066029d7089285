//! The recovery key: an age identity that is written down on paper and typed back.
//!
//! It is written in groups of four characters. Their last six are a checksum
//! (Bech32's, BIP-173), so that up to four wrong characters are always noticed.
//! Hyphens, blanks and lower case are forgiven, and so are `O` for `0` and `I`, `L`
//! where they can't be meant.

use age::x25519;
use age_core::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::recipient::Recipient;
use super::{CryptoError, Passphrase};

/// What every age identity begins with. It is not written down.
const START: &str = "AGE-SECRET-KEY-1";
/// How many characters follow.
const CHARACTERS: usize = 58;
/// The alphabet of Bech32.
const ALPHABET: &str = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
const GROUP: usize = 4;
/// What stands between groups, as programs write it.
const HYPHENS: &str = "-\u{2010}\u{2011}\u{2013}";

/// A key that is to be written down.
pub struct RecoveryKey(x25519::Identity);

/// What a text is, as a recovery key.
pub enum Typed {
    /// It is one.
    Key(RecoveryKey),
    /// It looks like one, and its length or its checksum says that a character is wrong,
    /// missing or one too many.
    Mistyped,
    /// Something else.
    Other,
}

impl RecoveryKey {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// As it is written down: fifteen groups, with a hyphen between them.
    #[must_use]
    pub fn to_groups(&self) -> Zeroizing<String> {
        let text = self.to_identity();
        let characters = text.get(START.len()..).unwrap_or_default();
        let mut groups = Zeroizing::new(String::with_capacity(2 * CHARACTERS));
        for (at, character) in characters.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                groups.push('-');
            }
            groups.push(character);
        }
        groups
    }

    /// As age has it, `AGE-SECRET-KEY-1…`
    #[must_use]
    pub fn to_identity(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }

    /// The public half.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        self.0.to_public().into()
    }

    /// Reads what was typed, or what stands in the file that it was written to: an
    /// identity file with comments, in one form or the other.
    #[must_use]
    pub fn read(text: &str) -> Typed {
        // More is no key, and the buffers below never grow.
        if text.len() > 4096 {
            return Typed::Other;
        }
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let mut typed = Zeroizing::new(String::with_capacity(3 * text.len()));
        let spaced = |c: &char| c.is_whitespace() || HYPHENS.contains(*c);
        for character in lines.flat_map(str::chars).filter(|c| !spaced(c)) {
            typed.push(character.to_ascii_uppercase());
        }
        let written = typed.strip_prefix("AGESECRETKEY1").unwrap_or(&typed);
        let count = written.chars().count();
        let is_near = count.abs_diff(CHARACTERS) <= GROUP && is_in_groups(text);
        if count != CHARACTERS && !is_near {
            return Typed::Other;
        }
        let mut whole = Zeroizing::new(String::with_capacity(START.len() + CHARACTERS));
        whole.push_str(START);
        for character in written.chars() {
            match read_as(character) {
                Some(character) => whole.push(character),
                None => return Typed::Other,
            }
        }
        whole
            .parse()
            .map_or(Typed::Mistyped, |key| Typed::Key(Self(key)))
    }

    /// The identity itself.
    pub(super) fn into_age(self) -> x25519::Identity {
        self.0
    }
}

/// Whether it is written in groups, as a passphrase of so many letters hardly is.
fn is_in_groups(text: &str) -> bool {
    let parts = text.split(|c: char| c.is_whitespace() || HYPHENS.contains(c));
    parts.filter(|part| part.chars().count() == GROUP).count() >= CHARACTERS / GROUP / 2
}

/// What a written character means. Four letters and digits are not in the alphabet,
/// because they look like others.
fn read_as(character: char) -> Option<char> {
    let meant = match character {
        'O' => '0',
        'I' | '1' => 'L',
        'B' => '8',
        other => other,
    };
    ALPHABET.contains(meant).then_some(meant)
}

impl Passphrase {
    /// Whether what was typed is a recovery key.
    #[must_use]
    pub fn is_some_recovery_key(&self) -> bool {
        matches!(RecoveryKey::read(self.typed()), Typed::Key(_))
    }

    /// Whether this is the recovery key that was shown, however it is spaced.
    ///
    /// # Errors
    /// [`CryptoError::MistypedRecovery`] if a character of it is wrong.
    pub fn is_recovery_key(&self, key: &RecoveryKey) -> Result<bool, CryptoError> {
        match RecoveryKey::read(self.typed()) {
            Typed::Key(again) => Ok(*again.to_identity() == *key.to_identity()),
            Typed::Mistyped => Err(CryptoError::MistypedRecovery),
            Typed::Other => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn reads_as(key: &RecoveryKey, text: &str) -> bool {
        matches!(RecoveryKey::read(text), Typed::Key(again)
            if *again.to_identity() == *key.to_identity())
    }

    fn back(typed: &str, key: &RecoveryKey) -> Result<bool, CryptoError> {
        Passphrase::new(typed.to_owned()).is_recovery_key(key)
    }

    #[test]
    fn a_recovery_key_is_read_back_however_it_is_spaced_and_spelled() {
        for _ in 0..20 {
            let key = RecoveryKey::generate();
            let groups = key.to_groups();
            assert_eq!(groups.split('-').count(), 15);
            let (identity, blank) = (key.to_identity(), groups.replace('-', " "));
            for text in [
                groups.as_str(),
                &groups.to_lowercase(),
                &blank,
                &blank.replace('0', "O").replace('8', "b"),
                &groups.to_lowercase().replace('l', "I"),
                &groups.replace('-', ""),
                &identity,
                &identity.to_lowercase(),
                &format!("# a comment\n{}\n", identity.as_str()),
                &format!("# one\r\n  # two\r\n{}\r\n", groups.replacen('-', "\n", 7)),
            ] {
                assert!(reads_as(&key, text), "{text}");
            }
        }
    }

    #[test]
    fn every_single_wrong_character_and_every_exchange_of_neighbours_is_noticed() {
        let key = RecoveryKey::generate();
        let groups = key.to_groups();
        for at in 0..groups.len() {
            let old = groups.as_bytes()[at];
            if old == b'-' {
                continue;
            }
            for new in ALPHABET.bytes().filter(|new| *new != old) {
                let mut wrong = groups.as_bytes().to_vec();
                wrong[at] = new;
                let wrong = String::from_utf8(wrong).unwrap();
                assert!(matches!(RecoveryKey::read(&wrong), Typed::Mistyped));
                assert!(back(&wrong, &key).is_err());
            }
        }
        let plain = groups.replace('-', "");
        for at in 0..plain.len() - 1 {
            let mut swapped = plain.clone().into_bytes();
            swapped.swap(at, at + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            assert!(swapped == plain || matches!(RecoveryKey::read(&swapped), Typed::Mistyped));
        }
    }

    #[test]
    fn a_character_that_is_missing_or_one_too_many_is_noticed() {
        let groups = RecoveryKey::generate().to_groups();
        for at in 0..groups.len() {
            let (start, rest) = groups.split_at(at);
            let more = format!("{start}q{rest}");
            assert!(matches!(RecoveryKey::read(&more), Typed::Mistyped), "{at}");
            let fewer = format!("{start}{}", rest.get(1..).unwrap_or_default());
            let is_hyphen = rest.starts_with('-');
            let read = RecoveryKey::read(&fewer);
            assert_eq!(matches!(read, Typed::Mistyped), !is_hyphen, "{at}");
        }
        assert!(matches!(RecoveryKey::read(&groups[..20]), Typed::Other));
    }

    #[test]
    fn a_passphrase_is_no_recovery_key() {
        for text in [
            "",
            "correct horse battery staple",
            "# only a comment",
            &"q".repeat(5000),
            "abandon-ability-able-about-above-absent-absorb-abstract-absurd",
        ] {
            assert!(matches!(RecoveryKey::read(text), Typed::Other), "{text}");
        }
        let (one, two) = (RecoveryKey::generate(), RecoveryKey::generate());
        assert!(back(&one.to_groups(), &one).unwrap());
        assert!(!back(&two.to_groups(), &one).unwrap());
        assert!(!back("something else", &one).unwrap());
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
            let _ = RecoveryKey::read(&text);
        }
    }
}

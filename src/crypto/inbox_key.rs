//! The inbox key: its public half lets a locked vault record, its private half
//! lies in the bag and is replaced with every generation.

use std::str::FromStr;

use age::x25519;
use age_core::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::CryptoError;
use super::age_file::{self, AgeFile};

/// The public half: whoever has it can put something in.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxPublic(x25519::Recipient);

impl InboxPublic {
    /// Length of [`to_text`](Self::to_text).
    pub const TEXT_LEN: usize = 62;

    /// `age1…`, 62 characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.to_string()
    }

    /// Seals `plaintext` so that only the private half opens it.
    pub fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        // age puts a stanza of random length (up to about 200 bytes) beside ours.
        let mut sealed = Vec::with_capacity(512 + age_file::payload_len(plaintext.len()));
        age_file::seal(&self.0, plaintext, &mut sealed)?;
        Ok(sealed)
    }
}

impl FromStr for InboxPublic {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        text.parse()
            .map(Self)
            .map_err(|_| CryptoError::Damaged("not an age recipient"))
    }
}

/// The private half.
pub struct InboxIdentity(x25519::Identity);

impl InboxIdentity {
    /// A new pair.
    #[must_use]
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> InboxPublic {
        InboxPublic(self.0.to_public())
    }

    /// `AGE-SECRET-KEY-1…`, for the bag.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }

    /// The reverse of [`to_text`](Self::to_text).
    pub fn from_text(text: &str) -> Result<Self, CryptoError> {
        text.parse()
            .map(Self)
            .map_err(|_| CryptoError::Damaged("not an age identity"))
    }

    /// A second one of the same.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Opens what [`InboxPublic::seal`] made.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`] if it was sealed to another pair.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        AgeFile::new(sealed)?.open(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn only_the_private_half_opens_what_the_public_one_sealed() {
        let mine = InboxIdentity::generate();
        let other = InboxIdentity::generate();
        let sealed = mine.public().seal(b"three keys").unwrap();
        assert_eq!(&**mine.open(&sealed).unwrap(), b"three keys");
        assert!(matches!(other.open(&sealed), Err(CryptoError::WrongKey)));
    }

    #[test]
    fn both_halves_survive_the_way_through_text() {
        let pair = InboxIdentity::generate();
        let again = InboxIdentity::from_text(&pair.to_text()).unwrap();
        assert!(again.public() == pair.public());
        let public = pair.public().to_text();
        assert_eq!(public.len(), InboxPublic::TEXT_LEN);
        assert!(public.parse::<InboxPublic>().unwrap() == pair.public());
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let pair = InboxIdentity::generate();
        let sealed = pair.public().seal(b"three keys").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(pair.open(&changed).is_err(), "byte {at}");
            assert!(pair.open(&sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_header_without_an_end_is_not_given_to_the_parser() {
        let pair = InboxIdentity::generate();
        let mut crafted = b"age-encryption.org/v1\n".to_vec();
        crafted.extend(b"-> X25519 a\n".repeat(10_000));
        assert!(matches!(pair.open(&crafted), Err(CryptoError::Damaged(_))));
    }
}

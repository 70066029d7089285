//! Secrets of 32 bytes, named for what they open, wiped when they go.
//!
//! They live on the heap so that moving one leaves no copy behind, and have
//! neither `Debug` nor `Display` nor `Clone` nor `Serialize`: whoever needs
//! the bytes says `expose`, whoever needs a second one says `duplicate`.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use zeroize::{Zeroize, Zeroizing};

use super::CryptoError;

/// Fills the slice from the system's random source.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), CryptoError> {
    Ok(getrandom::fill(bytes)?)
}

/// Fills the slice with noise: the keystream of ChaCha20 under a key from the system's
/// random source that is kept nowhere. For what is large, is nobody's key, and can't be
/// foreseen: the system's own source is slower than a disk.
pub fn fill_noise(bytes: &mut [u8]) -> Result<(), CryptoError> {
    let mut key = Zeroizing::new([0; SECRET_LEN]);
    fill_random(&mut *key)?;
    bytes.fill(0);
    // The key is used once, so any nonce will do.
    let mut stream = ChaCha20::new((&*key).into(), &[0; 12].into());
    stream.apply_keystream(bytes);
    Ok(())
}

/// Length of every secret here.
pub const SECRET_LEN: usize = 32;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(Box<[u8; SECRET_LEN]>);

        impl $name {
            /// A new one from the system's random source.
            pub fn generate() -> Result<Self, CryptoError> {
                Self::fill_with(|bytes| fill_random(bytes))
            }

            /// One from bytes that are kept elsewhere.
            #[must_use]
            pub fn from_bytes(bytes: &[u8; SECRET_LEN]) -> Self {
                let mut secret = Self(Box::new([0; SECRET_LEN]));
                secret.0.copy_from_slice(bytes);
                secret
            }

            /// One that `fill` writes in its place.
            pub fn fill_with<E>(
                fill: impl FnOnce(&mut [u8; SECRET_LEN]) -> Result<(), E>,
            ) -> Result<Self, E> {
                let mut secret = Self(Box::new([0; SECRET_LEN]));
                fill(&mut secret.0)?;
                Ok(secret)
            }

            /// The bytes, for as long as they are looked at.
            #[must_use]
            pub fn expose(&self) -> &[u8; SECRET_LEN] {
                &self.0
            }

            /// A second one of the same.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                Self::from_bytes(&self.0)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }
    };
}

secret! {
    /// M: what a key slot holds, and what seals and authenticates the root.
    MasterKey
}
secret! {
    /// Seals one generation of the bag. Fresh for each.
    BagKey
}
secret! {
    /// Seals one kind of record of one recording: its sound, its words or its card.
    ClipKey
}
secret! {
    /// Seals the entries of the log, and binds each to the one before.
    LogKey
}
secret! {
    /// The private half (an Ed25519 seed) of what signs the manifests of backups.
    SigningSeed
}

/// The three keys of a recording. Destroying one destroys what it sealed.
pub struct ClipKeys {
    /// Seals the sound.
    pub sound: ClipKey,
    /// Seals the transcripts.
    pub words: ClipKey,
    /// Seals the card.
    pub card: ClipKey,
}

impl ClipKeys {
    /// Length of [`to_bytes`](Self::to_bytes).
    pub const LEN: usize = 3 * SECRET_LEN;

    /// Three new keys.
    pub fn generate() -> Result<Self, CryptoError> {
        Ok(Self {
            sound: ClipKey::generate()?,
            words: ClipKey::generate()?,
            card: ClipKey::generate()?,
        })
    }

    /// Sound, words, card, one after the other: 96 bytes, for sealing.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(Self::LEN));
        for key in [&self.sound, &self.words, &self.card] {
            bytes.extend_from_slice(key.expose());
        }
        bytes
    }

    /// The reverse of [`to_bytes`](Self::to_bytes).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let (keys, rest) = bytes.as_chunks::<SECRET_LEN>();
        match (keys, rest) {
            ([sound, words, card], []) => Ok(Self {
                sound: ClipKey::from_bytes(sound),
                words: ClipKey::from_bytes(words),
                card: ClipKey::from_bytes(card),
            }),
            _ => Err(CryptoError::Damaged("not three keys of 32 bytes")),
        }
    }

    /// A second set of the same.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            sound: self.sound.duplicate(),
            words: self.words.duplicate(),
            card: self.card.duplicate(),
        }
    }
}

/// The bytes as lower-case hexadecimal digits, wiped when they go.
pub(super) fn hex(bytes: &[u8]) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

/// The reverse of [`hex`], into a place of the right length.
pub(super) fn unhex(text: &str, bytes: &mut [u8]) -> Result<(), CryptoError> {
    const WHY: CryptoError = CryptoError::Damaged("not hexadecimal digits of the right number");
    if text.len() != 2 * bytes.len() {
        return Err(WHY);
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let mut value = 0;
        for digit in pair {
            let digit = char::from(*digit).to_digit(16).ok_or(WHY)?;
            value = value * 16 + digit as u8;
        }
        *byte = value;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn three_keys_survive_the_way_through_bytes() {
        let keys = ClipKeys::generate().unwrap();
        let again = ClipKeys::from_bytes(&keys.to_bytes()).unwrap();
        assert_eq!(keys.sound.expose(), again.sound.expose());
        assert_eq!(keys.words.expose(), again.words.expose());
        assert_eq!(keys.card.expose(), again.card.expose());
        assert!(ClipKeys::from_bytes(&keys.to_bytes()[1..]).is_err());
    }

    #[test]
    fn noise_reaches_the_last_byte_and_never_comes_twice() {
        let (mut one, mut two) = ([0; 1_000], [0; 1_000]);
        fill_noise(&mut one).unwrap();
        fill_noise(&mut two).unwrap();
        let zeros = |noise: &[u8]| noise.iter().filter(|byte| **byte == 0).count();
        assert!(zeros(&one) < 30 && one[900..] != [0; 100]);
        assert!(
            one.chunks(8)
                .zip(two.chunks(8))
                .all(|(one, two)| one != two)
        );
    }

    #[test]
    fn hexadecimal_digits_come_back_as_bytes_and_anything_else_is_refused() {
        let bytes = [0x00, 0x7f, 0xa5, 0xff];
        let mut again = [0; 4];
        unhex(&hex(&bytes), &mut again).unwrap();
        assert_eq!(bytes, again);
        assert!(unhex("00", &mut again).is_err());
        assert!(unhex("0g000000", &mut again).is_err());
    }
}

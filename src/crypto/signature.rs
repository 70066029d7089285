//! Signatures: the vault signs what it writes into a backup, so that a segment
//! which somebody else sealed to the same recipient is told from one of its own.
//!
//! Ed25519 (RFC 8032). The private half, [`SigningSeed`], is in the bag; the
//! public half goes into every manifest, and its fingerprint into the key slots.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::secret::{hex, unhex};
use super::{CryptoError, SigningSeed};

/// The public half of what signs backups.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignerKey([u8; 32]);

/// A signature over some bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl SigningSeed {
    /// The public half that belongs to it.
    #[must_use]
    pub fn public(&self) -> SignerKey {
        let key = SigningKey::from_bytes(self.expose());
        SignerKey(key.verifying_key().to_bytes())
    }

    /// Signs these bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let key = SigningKey::from_bytes(self.expose());
        Signature(key.sign(message).to_bytes())
    }
}

impl SignerKey {
    /// Whether these bytes were signed with the private half.
    ///
    /// # Errors
    /// [`CryptoError::Damaged`] if they were not. Signatures that more than one
    /// message could have, and keys of small order, are refused.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        const WHY: CryptoError = CryptoError::Damaged("the signature is not that of these bytes");
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| WHY)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(message, &signature).map_err(|_| WHY)
    }

    /// The first half of SHA-256 over it, as 32 hexadecimal digits: enough to know
    /// it again.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.0)[..16]).to_string()
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({self})")
    }
}

impl FromStr for SignerKey {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        let mut bytes = [0; 32];
        unhex(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// 128 hexadecimal digits.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl FromStr for Signature {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        let mut bytes = [0; 64];
        unhex(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_signature_holds_for_its_bytes_and_its_key_and_for_no_others() {
        let seed = SigningSeed::generate().unwrap();
        let (key, signature) = (seed.public(), seed.sign(b"a manifest"));
        key.verify(b"a manifest", &signature).unwrap();
        assert!(key.verify(b"another manifest", &signature).is_err());
        let other = SigningSeed::generate().unwrap().public();
        assert!(other.verify(b"a manifest", &signature).is_err());
        for at in 0..64 {
            let mut changed = signature;
            changed.0[at] ^= 1;
            assert!(key.verify(b"a manifest", &changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_signature_and_its_key_come_back_from_what_is_written_of_them() {
        let seed = SigningSeed::generate().unwrap();
        let (key, signature) = (seed.public(), seed.sign(b"a manifest"));
        assert_eq!(key.to_string().parse::<SignerKey>().unwrap(), key);
        assert_eq!(
            signature.to_string().parse::<Signature>().unwrap(),
            signature
        );
        assert_eq!(key.fingerprint().len(), 32);
        assert!("00".parse::<SignerKey>().is_err());
    }

    /// RFC 8032, 7.1, test 2.
    #[test]
    fn the_signature_is_the_one_of_the_standard() {
        let mut seed = [0; 32];
        unhex(
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            &mut seed,
        )
        .unwrap();
        let seed = SigningSeed::from_bytes(&seed);
        assert_eq!(
            seed.public().to_string(),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        assert_eq!(
            seed.sign(&[0x72]).to_string(),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
    }
}

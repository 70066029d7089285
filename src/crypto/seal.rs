//! A record sealed as an age file for one 256-bit key.
//!
//! The file is standard: one scrypt stanza with work factor 1 whose passphrase
//! is the key in lower-case hexadecimal digits, so stock `age -d` opens it.
//! The key is random, so there is nothing to stretch. age's own scrypt types
//! time the machine on each construction (2.5 ms), hence the two traits here.

use std::collections::HashSet;

use age::{DecryptError, EncryptError, Identity, Recipient};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::primitives::{aead_decrypt, aead_encrypt};
use age_core::secrecy::ExposeSecret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use zeroize::{Zeroize, Zeroizing};

use super::age_file::{self, AgeFile};
use super::secret::{SECRET_LEN, hex};
use super::{BagKey, ClipKey, CryptoError, LogKey, fill_random};

/// A key that records are sealed with.
pub trait RecordKey {
    /// Its bytes.
    fn bytes(&self) -> &[u8; SECRET_LEN];
}

impl RecordKey for BagKey {
    fn bytes(&self) -> &[u8; SECRET_LEN] {
        self.expose()
    }
}

impl RecordKey for ClipKey {
    fn bytes(&self) -> &[u8; SECRET_LEN] {
        self.expose()
    }
}

impl RecordKey for LogKey {
    fn bytes(&self) -> &[u8; SECRET_LEN] {
        self.expose()
    }
}

const TAG: &str = "scrypt";
const LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
const SALT_LEN: usize = 16;
const WORK_FACTOR: &str = "1";

/// What stands before the salt of every file sealed here.
const HEADER_START: &[u8] = b"age-encryption.org/v1\n-> scrypt ";
/// Length of a header with one scrypt stanza of a one-digit work factor.
const HEADER_LEN: usize = 149;
/// Where its last line, the header's MAC, begins.
const HEADER_MAC_AT: usize = 101;

/// Length of `plain_len` bytes once they are sealed with a [`RecordKey`].
#[must_use]
pub const fn sealed_len(plain_len: usize) -> usize {
    HEADER_LEN + age_file::payload_len(plain_len)
}

/// Seals `plaintext` as an age file that only this key opens.
pub fn seal(key: &impl RecordKey, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = HexKey(hex(key.bytes()));
    let mut salt = [0; SALT_LEN];
    fill_random(&mut salt)?;
    let wrap = Wrap { key: &key, salt };
    let mut sealed = Vec::with_capacity(sealed_len(plaintext.len()));
    age_file::seal(&wrap, plaintext, &mut sealed)?;
    Ok(sealed)
}

/// Opens what [`seal`] made, all of it or nothing.
///
/// # Errors
/// [`CryptoError::WrongKey`] if another key sealed it, [`CryptoError::Damaged`]
/// if it is anything else than one whole file made by [`seal`].
pub fn open(key: &impl RecordKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    // The header's shape is fixed. Looking at it first spares age's parser
    // everything that can't be ours.
    let ours = sealed.len() >= HEADER_LEN
        && sealed.starts_with(HEADER_START)
        && sealed[HEADER_MAC_AT..].starts_with(b"--- ")
        && sealed[HEADER_LEN - 1] == b'\n';
    if !ours {
        return Err(CryptoError::Damaged("not a record that voxvault sealed"));
    }
    let key = HexKey(hex(key.bytes()));
    AgeFile::with_header(sealed, HEADER_LEN)?.open(&key)
}

/// The key as stock age would be given it: 64 hexadecimal digits.
struct HexKey(Zeroizing<String>);

impl HexKey {
    /// What wraps the file key: scrypt with log N 1, r 8, p 1.
    fn wrapping_key(&self, salt: &[u8; SALT_LEN]) -> Option<Zeroizing<[u8; 32]>> {
        let mut labelled = [0; LABEL.len() + SALT_LEN];
        labelled[..LABEL.len()].copy_from_slice(LABEL);
        labelled[LABEL.len()..].copy_from_slice(salt);
        let mut wrapping = Zeroizing::new([0; 32]);
        let params = scrypt::Params::new(1, 8, 1, wrapping.len()).ok()?;
        scrypt::scrypt(
            self.0.as_bytes(),
            &labelled,
            &params,
            wrapping.as_mut_slice(),
        )
        .ok()?;
        Some(wrapping)
    }
}

/// Wraps a file key under a [`HexKey`].
struct Wrap<'a> {
    key: &'a HexKey,
    salt: [u8; SALT_LEN],
}

impl Recipient for Wrap<'_> {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let wrapping = self
            .key
            .wrapping_key(&self.salt)
            .ok_or_else(|| EncryptError::Io(std::io::ErrorKind::InvalidInput.into()))?;
        let stanza = Stanza {
            tag: TAG.to_owned(),
            args: vec![
                BASE64_STANDARD_NO_PAD.encode(self.salt),
                WORK_FACTOR.to_owned(),
            ],
            body: aead_encrypt(&wrapping, file_key.expose_secret()),
        };
        // Labels keep recipients apart that must not stand side by side; there
        // is never a second one here.
        Ok((vec![stanza], HashSet::new()))
    }
}

impl Identity for HexKey {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let [salt, work_factor] = stanza.args.as_slice() else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        if stanza.tag != TAG || work_factor != WORK_FACTOR {
            return Some(Err(DecryptError::InvalidHeader));
        }
        // base64 asks for room by its own estimate, which is more than 16.
        let mut decoded = [0; 18];
        let salt = match BASE64_STANDARD_NO_PAD.decode_slice(salt, &mut decoded) {
            Ok(SALT_LEN) => decoded.first_chunk::<SALT_LEN>(),
            Ok(_) | Err(_) => None,
        };
        let Some(wrapping) = salt.and_then(|salt| self.wrapping_key(salt)) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let opened = aead_decrypt(&wrapping, FILE_KEY_BYTES, &stanza.body);
        Some(
            opened
                .map_err(|_| DecryptError::KeyDecryptionFailed)
                .map(|mut bytes| {
                    FileKey::init_with_mut(|file_key| {
                        file_key.copy_from_slice(&bytes);
                        bytes.zeroize();
                    })
                }),
        )
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, DecryptError>> {
        match stanzas {
            [only] => self.unwrap_stanza(only),
            _ => Some(Err(DecryptError::InvalidHeader)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::age_file::CHUNK_LEN;
    use super::*;

    #[test]
    fn what_a_key_sealed_it_opens_at_every_interesting_length() {
        let key = ClipKey::generate().unwrap();
        for length in [
            0,
            1,
            2836,
            CHUNK_LEN - 1,
            CHUNK_LEN,
            CHUNK_LEN + 1,
            3 * CHUNK_LEN,
        ] {
            let plain: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let sealed = seal(&key, &plain).unwrap();
            assert_eq!(sealed.len(), sealed_len(length));
            assert_eq!(sealed.capacity(), sealed.len(), "grew while it was written");
            assert_eq!(*open(&key, &sealed).unwrap(), plain);
        }
    }

    #[test]
    fn another_key_is_told_from_damage() {
        let sealed = seal(&ClipKey::generate().unwrap(), b"words").unwrap();
        let other = ClipKey::generate().unwrap();
        assert!(matches!(open(&other, &sealed), Err(CryptoError::WrongKey)));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let key = ClipKey::generate().unwrap();
        let sealed = seal(&key, b"a few words").unwrap();
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                assert!(open(&key, &changed).is_err(), "bit {bit} of byte {at}");
            }
            assert!(open(&key, &sealed[..at]).is_err(), "cut at {at}");
        }
        let mut longer = sealed.clone();
        longer.push(0);
        assert!(open(&key, &longer).is_err());
    }

    #[test]
    fn ages_own_scrypt_identity_opens_it_with_the_key_in_hex() {
        let key = ClipKey::generate().unwrap();
        let sealed = seal(&key, b"a few words").unwrap();
        let passphrase = hex(key.bytes()).as_str().to_owned();
        let identity = age::scrypt::Identity::new(passphrase.into());
        assert_eq!(age::decrypt(&identity, &sealed).unwrap(), b"a few words");
    }

    #[test]
    fn a_stanza_with_more_work_is_refused_even_with_the_right_key() {
        let key = ClipKey::generate().unwrap();
        let passphrase = hex(key.bytes()).as_str().to_owned();
        let mut recipient = age::scrypt::Recipient::new(passphrase.into());
        recipient.set_work_factor(2);
        let sealed = age::encrypt(&recipient, b"a few words").unwrap();
        assert!(matches!(open(&key, &sealed), Err(CryptoError::Damaged(_))));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_open(bytes: Vec<u8>) {
            proptest::prop_assert!(open(&ClipKey::from_bytes(&[3; 32]), &bytes).is_err());
        }
    }
}

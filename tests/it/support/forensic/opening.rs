//! What opens: a key, tried on a stanza and on the age file behind it.

use std::iter;

use age::{DecryptError, Decryptor, Identity, x25519};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::primitives::aead_decrypt;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use voxvault::vault::scan;

use super::super::needles::find;

/// Something that may open a stanza.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A passphrase, or a record key in hexadecimal digits.
    Text(String),
    /// `AGE-SECRET-KEY-1…`
    Identity(String),
}

/// A key in the shape that age asks.
pub(super) enum Opener {
    Text(String),
    Identity(Option<x25519::Identity>),
}

impl Opener {
    pub(super) fn of(key: &Key) -> Self {
        match key {
            Key::Text(text) => Self::Text(text.clone()),
            Key::Identity(text) => Self::Identity(text.parse().ok()),
        }
    }
}

impl Identity for Opener {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        match self {
            Self::Identity(identity) => identity.as_ref()?.unwrap_stanza(stanza),
            Self::Text(text) => unwrap_scrypt(text, stanza).map(Ok),
        }
    }
}

/// The scrypt recipient of the age specification. Record keys are 64 digits and
/// are never stretched; only passphrases are tried on what is.
fn unwrap_scrypt(text: &str, stanza: &Stanza) -> Option<FileKey> {
    let [salt, log_n] = stanza.args.as_slice() else {
        return None;
    };
    let log_n: u8 = log_n
        .parse()
        .ok()
        .filter(|log_n| (1..=18).contains(log_n))?;
    let is_record_key = text.len() == 64;
    if stanza.tag != "scrypt" || (is_record_key && log_n > 1) {
        return None;
    }
    let mut salted = b"age-encryption.org/v1/scrypt".to_vec();
    salted.extend(BASE64_STANDARD_NO_PAD.decode(salt).ok()?);
    let mut wrapping = [0; 32];
    let params = scrypt::Params::new(log_n, 8, 1, wrapping.len()).unwrap();
    scrypt::scrypt(text.as_bytes(), &salted, &params, &mut wrapping).unwrap();
    let opened = aead_decrypt(&wrapping, FILE_KEY_BYTES, &stanza.body).ok()?;
    Some(FileKey::init_with_mut(|key| key.copy_from_slice(&opened)))
}

/// An age file at the start of these bytes, whose end is not known: it is tried
/// up to where the next frame or file begins, and up to the end of all.
pub(super) fn decrypt(bytes: &[u8], opener: &Opener) -> Option<Vec<u8>> {
    let next = scan::scan(&bytes[1..]).take(8).map(|found| found.at + 1);
    let ends: Vec<usize> = next.chain([bytes.len()]).collect();
    ends.into_iter()
        .find_map(|end| exactly(&bytes[..end], opener))
}

pub(super) fn exactly(sealed: &[u8], opener: &Opener) -> Option<Vec<u8>> {
    let header = &sealed[..sealed.len().min(16 * 1024)];
    find(header, b"\n--- ", 0)?;
    let decryptor = Decryptor::new_buffered(sealed).ok()?;
    let mut reader = decryptor
        .decrypt(iter::once(opener as &dyn Identity))
        .ok()?;
    let mut plaintext = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut plaintext).ok()?;
    Some(plaintext)
}

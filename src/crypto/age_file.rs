//! A small age file, sealed and opened whole: its bounds, and how age's errors read.
//!
//! Its bounds are looked at before age is: its parser is spared what can't be one, and
//! what is opened has its length beforehand, so that nothing of it is moved while it
//! grows.

use std::io::{Read, Write};
use std::iter;

use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient};
use zeroize::Zeroizing;

use super::CryptoError;

/// The most scrypt work that a file may ask for: 1 GiB, about 4 s.
pub(super) const MOST_LOG_N: u8 = 20;

/// The most that a header may take before age is asked to read it: a crafted
/// header of 100 KB can keep its parser busy for seconds.
const MOST_HEADER: usize = 16 * 1024;

const NONCE_LEN: usize = 16;
pub(super) const CHUNK_LEN: usize = 64 * 1024;
const CHUNK_TAG_LEN: usize = 16;

/// Seals to one age recipient, into a buffer that has room for all of it.
pub(super) fn seal(
    recipient: &dyn Recipient,
    plaintext: &[u8],
    sealed: &mut Vec<u8>,
) -> Result<(), CryptoError> {
    const WHY: &str = "could not be sealed";
    let encryptor =
        Encryptor::with_recipients(iter::once(recipient)).map_err(|_| CryptoError::Damaged(WHY))?;
    let mut writer = encryptor
        .wrap_output(sealed)
        .map_err(|_| CryptoError::Damaged(WHY))?;
    writer
        .write_all(plaintext)
        .map_err(|_| CryptoError::Damaged(WHY))?;
    writer.finish().map_err(|_| CryptoError::Damaged(WHY))?;
    Ok(())
}

/// An age file in memory.
pub(super) struct AgeFile<'a> {
    sealed: &'a [u8],
    header_len: usize,
    plain_len: usize,
}

impl<'a> AgeFile<'a> {
    /// What looks like one.
    ///
    /// # Errors
    /// [`CryptoError::Damaged`] if it has no header or not the length of a whole file.
    pub(super) fn new(sealed: &'a [u8]) -> Result<Self, CryptoError> {
        let header_len = header_len(sealed).ok_or(CryptoError::Damaged("not an age file"))?;
        Self::with_header(sealed, header_len)
    }

    /// One whose header is known to be so long.
    ///
    /// # Errors
    /// [`CryptoError::Damaged`] if it has not the length of a whole file.
    pub(super) fn with_header(sealed: &'a [u8], header_len: usize) -> Result<Self, CryptoError> {
        let payload = sealed.len().saturating_sub(header_len);
        let plain_len = plain_len(payload).ok_or(CryptoError::Damaged("cut off in the middle"))?;
        Ok(Self {
            sealed,
            header_len,
            plain_len,
        })
    }

    /// Up to where the payload begins.
    pub(super) fn header(&self) -> &'a [u8] {
        &self.sealed[..self.header_len]
    }

    /// How many bytes are sealed in it.
    pub(super) fn plain_len(&self) -> usize {
        self.plain_len
    }

    /// Opens it with one identity, all of it or nothing.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`] if it was sealed to another,
    /// [`CryptoError::TooMuchWork`] if it asks for more than the identity does,
    /// [`CryptoError::PluginFailed`], [`CryptoError::Damaged`].
    pub(super) fn open(&self, identity: &dyn Identity) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        const WHY: CryptoError = CryptoError::Damaged("changed or cut off since it was sealed");
        let decryptor = Decryptor::new_buffered(self.sealed).map_err(opening)?;
        let opened = decryptor.decrypt(iter::once(identity));
        let mut reader = opened.map_err(|error| match error {
            // The header is in memory: only a plugin is still to be talked to.
            DecryptError::Io(_) => CryptoError::PluginFailed,
            other => opening(other),
        })?;
        let mut plaintext = Zeroizing::new(vec![0; self.plain_len]);
        reader.read_exact(&mut plaintext).map_err(|_| WHY)?;
        // Only the end of the stream says that nothing was cut off.
        match reader.read(&mut [0]) {
            Ok(0) => Ok(plaintext),
            Ok(_) | Err(_) => Err(WHY),
        }
    }
}

/// Length of the header of an age file, if it ends within [`MOST_HEADER`].
fn header_len(sealed: &[u8]) -> Option<usize> {
    let start = &sealed[..sealed.len().min(MOST_HEADER)];
    let mac = start.windows(5).position(|window| window == b"\n--- ")? + 5;
    let end = start[mac..].iter().position(|byte| *byte == b'\n')?;
    Some(mac + end + 1)
}

/// Length of an age payload: nonce, and chunks of 64 KiB with a tag each.
pub(super) const fn payload_len(plain_len: usize) -> usize {
    let chunks = plain_len.div_ceil(CHUNK_LEN);
    let chunks = if chunks == 0 { 1 } else { chunks };
    NONCE_LEN + plain_len + chunks * CHUNK_TAG_LEN
}

/// The reverse of [`payload_len`]; `None` where no plaintext has that payload.
fn plain_len(payload: usize) -> Option<usize> {
    let chunks = payload
        .checked_sub(NONCE_LEN)?
        .div_ceil(CHUNK_LEN + CHUNK_TAG_LEN);
    let plain = payload.checked_sub(NONCE_LEN + chunks * CHUNK_TAG_LEN)?;
    (payload_len(plain) == payload).then_some(plain)
}

fn opening(error: DecryptError) -> CryptoError {
    match error {
        DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed
        | DecryptError::NoMatchingKeys => CryptoError::WrongKey,
        DecryptError::ExcessiveWork { required, .. } => CryptoError::TooMuchWork {
            log_n: required,
            most: MOST_LOG_N,
        },
        DecryptError::Plugin(_) => CryptoError::PluginFailed,
        _ => CryptoError::Damaged("its header is damaged"),
    }
}

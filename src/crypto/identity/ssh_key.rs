//! An SSH private key of type Ed25519, also one under a passphrase.

use std::cell::OnceCell;
use std::sync::Arc;

use age::{DecryptError, ssh};
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use sha2::{Digest, Sha256};

use crate::crypto::CryptoError;
use crate::crypto::asker::Asker;

/// The most that an SSH private key may have: one of type Ed25519 has 500 bytes.
const MOST_SSH_BYTES: usize = 16 * 1024;

/// An SSH private key of type Ed25519. If it is under a passphrase, that is asked for
/// when it is used for the first time, and only once.
pub(super) struct SshKey {
    key: ssh::Identity,
    /// How age marks what is sealed to it.
    mark: String,
    name: String,
    asker: Arc<dyn Asker>,
    unlocked: OnceCell<Result<ssh::Identity, Hindrance>>,
}

#[derive(Clone, Copy)]
enum Hindrance {
    Unasked,
    Wrong,
}

impl SshKey {
    pub(super) fn read(
        bytes: &[u8],
        name: &str,
        asker: &Arc<dyn Asker>,
    ) -> Result<Self, CryptoError> {
        const NO_KEY: CryptoError = CryptoError::BadIdentity("it is no whole SSH private key");
        const OTHER_KIND: CryptoError =
            CryptoError::BadIdentity("of SSH keys only those of type Ed25519 are taken");
        const RSA: CryptoError = CryptoError::BadIdentity(
            "RSA keys are refused: the code for them has a known weakness (RUSTSEC-2023-0071)",
        );
        if bytes.len() > MOST_SSH_BYTES {
            return Err(NO_KEY);
        }
        if bytes.starts_with(b"-----BEGIN RSA ") {
            return Err(RSA);
        }
        let key = ssh::Identity::from_buffer(bytes, None).map_err(|_| NO_KEY)?;
        if let ssh::Identity::Unsupported(ssh::UnsupportedKey::EncryptedSsh(_)) = key {
            return Err(CryptoError::BadIdentity(
                "its cipher is not known here; ssh-keygen -p gives it another",
            ));
        }
        // The public half stands in the clear beside one that is under a passphrase.
        let public = match ssh::Recipient::try_from(key.clone()) {
            Ok(ssh::Recipient::SshEd25519(public, _)) => public,
            Ok(ssh::Recipient::SshRsa(..)) => return Err(RSA),
            Err(ssh::ParseRecipientKeyError::Unsupported(_)) => return Err(OTHER_KIND),
            Err(_) => return Err(NO_KEY),
        };
        Ok(Self {
            key,
            mark: BASE64_STANDARD_NO_PAD.encode(&Sha256::digest(&public)[..4]),
            name: name.to_owned(),
            asker: Arc::clone(asker),
            unlocked: OnceCell::new(),
        })
    }

    pub(super) fn is_under_a_passphrase(&self) -> bool {
        matches!(self.key, ssh::Identity::Encrypted(_))
    }

    /// The key without its passphrase.
    fn unlocked(&self) -> Result<&ssh::Identity, Hindrance> {
        let ssh::Identity::Encrypted(encrypted) = &self.key else {
            return Ok(&self.key);
        };
        let unlock = || {
            let question = format!("passphrase of {}: ", self.name);
            let passphrase = self.asker.ask_secret(&question).ok_or(Hindrance::Unasked)?;
            let passphrase = passphrase.as_str().to_owned().into();
            let key = encrypted.decrypt(passphrase);
            key.map(ssh::Identity::Unencrypted)
                .map_err(|_| Hindrance::Wrong)
        };
        self.unlocked
            .get_or_init(unlock)
            .as_ref()
            .map_err(|why| *why)
    }

    /// Why it could not be used, if it was tried.
    pub(super) fn hindrance(&self) -> Option<CryptoError> {
        let of = self.name.clone();
        match self.unlocked.get()? {
            Ok(_) => None,
            Err(Hindrance::Unasked) => Some(CryptoError::Unasked { of }),
            Err(Hindrance::Wrong) => Some(CryptoError::WrongPassphraseOf { of }),
        }
    }
}

impl age::Identity for &SshKey {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        let is_ours = stanza.tag == "ssh-ed25519" && stanza.args.first() == Some(&self.mark);
        if !is_ours {
            return None;
        }
        match self.unlocked() {
            Ok(key) => key.unwrap_stanza(stanza),
            Err(_) => Some(Err(DecryptError::KeyDecryptionFailed)),
        }
    }
}

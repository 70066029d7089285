//! A key slot: one way into the vault.
//!
//! An age file sealed with a passphrase or to a recipient, whose plaintext is an age
//! identity file: the backup identity on a line of its own, and behind it those that
//! opened the backups before, so that stock `age -i` takes them all. What only
//! voxvault needs stands in comment lines.

use std::iter;
use std::sync::Arc;

use age::{Decryptor, scrypt};
use age_core::secrecy::SecretString;
use zeroize::Zeroizing;

use super::age_file::{self, AgeFile, MOST_LOG_N};
use super::asker::Asker;
use super::identity::Identities;
use super::recipient::Recipient;
use super::recovery::{RecoveryKey, Typed};
use super::secret::{hex, unhex};
use super::signature::SignerKey;
use super::{BackupIdentity, CryptoError, MasterKey, Passphrase, VaultId};

/// How much work one guess at a passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkFactor(u8);

impl WorkFactor {
    /// log N 18: about a second and 256 MiB. Every real vault has it.
    pub const STANDARD: Self = Self(18);
    /// log N 1: guards nothing. For vaults that are thrown away in tests and
    /// demonstrations.
    pub const NONE: Self = Self(1);
}

/// What a slot gives to whoever opens it.
pub struct SlotSecrets {
    /// The vault it belongs to.
    pub vault: VaultId,
    /// Opens the root.
    pub master: MasterKey,
    /// Opens the backups.
    pub backup: BackupIdentity,
    /// Open the backups that were made before a way in was taken away, the newest
    /// first.
    pub former: Vec<BackupIdentity>,
    /// Whose signature the backups bear.
    pub signer: SignerKey,
}

/// What is held out to the ways in.
pub enum Key {
    /// A passphrase, or a recovery key that was typed where one is asked for.
    Passphrase(Passphrase),
    /// Identities and private keys.
    Identities(Identities),
}

/// Something that is tried on slots.
pub trait Opener {
    /// Opens a slot.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`] if it is another's slot; what hindered a key that may
    /// be the right one; [`CryptoError::Damaged`] or [`CryptoError::TooMuchWork`] if it
    /// is no slot to be opened here.
    fn open_slot(&self, sealed: &[u8]) -> Result<SlotSecrets, CryptoError>;

    /// Whether a person would call it a passphrase.
    fn is_passphrase(&self) -> bool;
}

impl Opener for Passphrase {
    fn open_slot(&self, sealed: &[u8]) -> Result<SlotSecrets, CryptoError> {
        SlotSecrets::open(sealed, self)
    }

    fn is_passphrase(&self) -> bool {
        true
    }
}

impl Opener for Identities {
    fn open_slot(&self, sealed: &[u8]) -> Result<SlotSecrets, CryptoError> {
        SlotSecrets::from_text(&self.open(sealed)?)
    }

    fn is_passphrase(&self) -> bool {
        false
    }
}

impl Opener for Key {
    fn open_slot(&self, sealed: &[u8]) -> Result<SlotSecrets, CryptoError> {
        match self {
            Self::Passphrase(passphrase) => passphrase.open_slot(sealed),
            Self::Identities(identities) => identities.open_slot(sealed),
        }
    }

    fn is_passphrase(&self) -> bool {
        matches!(self, Self::Passphrase(_))
    }
}

impl From<Passphrase> for Key {
    fn from(passphrase: Passphrase) -> Self {
        Self::Passphrase(passphrase)
    }
}

impl From<Identities> for Key {
    fn from(identities: Identities) -> Self {
        Self::Identities(identities)
    }
}

/// What a slot is sealed with.
pub enum WayKey<'a> {
    /// A passphrase, at this cost of a guess.
    Passphrase(&'a Passphrase, WorkFactor),
    /// A public half; a plugin may have to ask.
    Recipient(&'a Recipient, &'a Arc<dyn Asker>),
}

const FIRST_LINE: &str = "# voxvault key slot, version 1";
const VAULT_LINE: &str = "# vault: ";
const MASTER_LINE: &str = "# master key: ";
const SIGNER_LINE: &str = "# signer: ";

/// Bytes of the comment lines, and of an identity with the end of its line.
const HEAD_LEN: usize =
    FIRST_LINE.len() + VAULT_LINE.len() + MASTER_LINE.len() + SIGNER_LINE.len() + 32 + 64 + 64 + 4;
const IDENTITY_LEN: usize = "AGE-SECRET-KEY-1".len() + 58 + 1;

impl SlotSecrets {
    /// Seals a slot that this passphrase opens.
    pub fn seal(&self, passphrase: &Passphrase, work: WorkFactor) -> Result<Vec<u8>, CryptoError> {
        self.seal_for(&WayKey::Passphrase(passphrase, work))
    }

    /// Seals a slot.
    ///
    /// # Errors
    /// [`CryptoError::PluginMissing`] or [`CryptoError::PluginFailed`] where a plugin
    /// has to seal.
    pub fn seal_for(&self, key: &WayKey<'_>) -> Result<Vec<u8>, CryptoError> {
        let text = self.to_text();
        let mut sealed = Vec::with_capacity(256 + age_file::payload_len(text.len()));
        match key {
            WayKey::Passphrase(passphrase, work) => {
                let mut recipient = scrypt::Recipient::new(secret_string(passphrase.normalised()));
                recipient.set_work_factor(work.0);
                age_file::seal(&recipient, text.as_bytes(), &mut sealed)?;
            }
            WayKey::Recipient(recipient, asker) => {
                let hindered = match recipient.plugin() {
                    Some(_) => CryptoError::PluginFailed,
                    None => CryptoError::Damaged("could not be sealed"),
                };
                let recipient = recipient.to_age(asker)?;
                age_file::seal(&*recipient, text.as_bytes(), &mut sealed).map_err(|_| hindered)?;
            }
        }
        Ok(sealed)
    }

    /// Opens a slot with a passphrase. About a second for each form of it.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`] if another passphrase sealed it. A slot that
    /// asks for more than log N 20 is refused before any work is done.
    pub fn open(sealed: &[u8], passphrase: &Passphrase) -> Result<Self, CryptoError> {
        let file = AgeFile::new(sealed)?;
        let decryptor = Decryptor::new_buffered(sealed)
            .map_err(|_| CryptoError::Damaged("its header is damaged"))?;
        if !decryptor.is_scrypt() {
            return match RecoveryKey::read(passphrase.typed()) {
                Typed::Key(key) => Self::from_text(&Identities::from(key).open(sealed)?),
                Typed::Mistyped => Err(CryptoError::MistypedRecovery),
                Typed::Other => Err(CryptoError::OtherKind),
            };
        }
        let mut answer = Err(CryptoError::WrongKey);
        for form in passphrase.forms() {
            let mut identity = scrypt::Identity::new(secret_string(form));
            identity.set_max_work_factor(MOST_LOG_N);
            answer = file.open(&identity);
            if !matches!(answer, Err(CryptoError::WrongKey)) {
                break;
            }
        }
        Self::from_text(&answer?)
    }

    /// Opens a slot with whatever key there is.
    ///
    /// # Errors
    /// As [`Opener::open_slot`].
    pub fn open_with(sealed: &[u8], key: &dyn Opener) -> Result<Self, CryptoError> {
        key.open_slot(sealed)
    }

    /// Whether it may be a slot that is whole, as far as that shows without a key: by its
    /// header and by its length. What is sealed in it is not looked at.
    ///
    /// # Errors
    /// [`CryptoError::Damaged`].
    pub fn look(sealed: &[u8]) -> Result<(), CryptoError> {
        let file = AgeFile::new(sealed)?;
        Decryptor::new_buffered(sealed)
            .map_err(|_| CryptoError::Damaged("its header is damaged"))?;
        // Each identity has a line of the same length.
        let identities = file
            .plain_len()
            .checked_sub(HEAD_LEN)
            .filter(|left| *left > 0 && left.is_multiple_of(IDENTITY_LEN));
        match identities {
            Some(_) => Ok(()),
            None => Err(CryptoError::Damaged("it has not the length of a key slot")),
        }
    }

    fn to_text(&self) -> Zeroizing<String> {
        let (vault, master) = (hex(self.vault.as_bytes()), hex(self.master.expose()));
        let signer = self.signer.to_string();
        let identities: Vec<_> = iter::once(&self.backup)
            .chain(&self.former)
            .map(BackupIdentity::to_text)
            .collect();
        let mut lines = vec![
            [FIRST_LINE, ""],
            [VAULT_LINE, vault.as_str()],
            [MASTER_LINE, master.as_str()],
            [SIGNER_LINE, signer.as_str()],
        ];
        lines.extend(identities.iter().map(|identity| [identity.as_str(), ""]));
        let length = lines.iter().flatten().map(|part| part.len()).sum::<usize>() + lines.len();
        let mut text = Zeroizing::new(String::with_capacity(length));
        for [name, value] in lines {
            text.extend([name, value, "\n"]);
        }
        text
    }

    fn from_text(text: &[u8]) -> Result<Self, CryptoError> {
        const WHY: CryptoError = CryptoError::Damaged("not a key slot of voxvault");
        let text = std::str::from_utf8(text).map_err(|_| WHY)?;
        let after = |start| text.lines().find_map(|line| line.strip_prefix(start));
        if text.lines().next() != Some(FIRST_LINE) {
            return Err(WHY);
        }
        let mut vault = [0; 16];
        unhex(after(VAULT_LINE).ok_or(WHY)?, &mut vault)?;
        let master = after(MASTER_LINE).ok_or(WHY)?;
        let mut identities = text.lines().filter(|line| !line.starts_with('#'));
        let backup = identities.next().ok_or(WHY)?;
        Ok(Self {
            vault: VaultId::from_bytes(vault),
            master: MasterKey::fill_with(|bytes| unhex(master, bytes))?,
            backup: backup.parse()?,
            former: identities.map(str::parse).collect::<Result<_, _>>()?,
            signer: after(SIGNER_LINE).ok_or(WHY)?.parse()?,
        })
    }
}

fn secret_string(text: &str) -> SecretString {
    iter::once(text).collect::<String>().into()
}

#[cfg(test)]
mod tests;

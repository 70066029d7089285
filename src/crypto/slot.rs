//! A key slot: one way into the vault.
//!
//! An age file sealed with a passphrase, whose plaintext is an age identity
//! file: the backup identity on a line of its own, so that stock `age -i` takes
//! it, and what only voxvault needs in comment lines.

use std::fmt;
use std::iter;
use std::str::FromStr;

use age::{Decryptor, scrypt, x25519};
use age_core::secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::inbox_key::header_len;
use super::seal::{payload_len, plain_len, read_sealed, write_sealed};
use super::secret::{hex, unhex};
use super::{CryptoError, MasterKey, Passphrase, fill_random};

/// The most scrypt work that a slot of our own may ask for: 1 GiB, about 4 s.
pub(super) const MOST_LOG_N: u8 = 20;

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

/// Sixteen random bytes that name a vault for good. No secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VaultId([u8; 16]);

impl VaultId {
    /// A new one.
    pub fn generate() -> Result<Self, CryptoError> {
        let mut bytes = [0; 16];
        fill_random(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// One that was read.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultId({self})")
    }
}

/// The age identity that backups are sealed to.
pub struct BackupIdentity(x25519::Identity);

impl BackupIdentity {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// `AGE-SECRET-KEY-1…`
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }

    /// The recipient that belongs to it, `age1…`
    #[must_use]
    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// A second one of the same.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl FromStr for BackupIdentity {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        text.parse()
            .map(Self)
            .map_err(|_| CryptoError::Damaged("not an age identity"))
    }
}

/// What a slot gives to whoever opens it.
pub struct SlotSecrets {
    /// The vault it belongs to.
    pub vault: VaultId,
    /// Opens the root.
    pub master: MasterKey,
    /// Opens the backups.
    pub backup: BackupIdentity,
}

const FIRST_LINE: &str = "# voxvault key slot, version 1";
const VAULT_LINE: &str = "# vault: ";
const MASTER_LINE: &str = "# master key: ";

impl SlotSecrets {
    /// Seals a slot that this passphrase opens.
    pub fn seal(&self, passphrase: &Passphrase, work: WorkFactor) -> Result<Vec<u8>, CryptoError> {
        let text = self.to_text();
        let mut recipient = scrypt::Recipient::new(secret_string(passphrase.normalised()));
        recipient.set_work_factor(work.0);
        let mut sealed = Vec::with_capacity(256 + payload_len(text.len()));
        write_sealed(&recipient, text.as_bytes(), &mut sealed)?;
        Ok(sealed)
    }

    /// Opens a slot. About a second for each form of the passphrase.
    ///
    /// # Errors
    /// [`CryptoError::WrongKey`] if another passphrase sealed it. A slot that
    /// asks for more than log N 20 is refused before any work is done.
    pub fn open(sealed: &[u8], passphrase: &Passphrase) -> Result<Self, CryptoError> {
        let header = header_len(sealed).ok_or(CryptoError::Damaged("not an age file"))?;
        let length = plain_len(sealed.len() - header)
            .ok_or(CryptoError::Damaged("cut off in the middle"))?;
        let decryptor = Decryptor::new_buffered(sealed)
            .map_err(|_| CryptoError::Damaged("its header is damaged"))?;
        if !decryptor.is_scrypt() {
            return Err(CryptoError::Damaged("not sealed with a passphrase"));
        }
        let mut answer = Err(CryptoError::WrongKey);
        for form in passphrase.forms() {
            let mut identity = scrypt::Identity::new(secret_string(form));
            identity.set_max_work_factor(MOST_LOG_N);
            answer = read_sealed(&identity, sealed, length);
            if !matches!(answer, Err(CryptoError::WrongKey)) {
                break;
            }
        }
        Self::from_text(&answer?)
    }

    fn to_text(&self) -> Zeroizing<String> {
        let (vault, master) = (hex(self.vault.as_bytes()), hex(self.master.expose()));
        let backup = self.backup.to_text();
        let lines = [
            [FIRST_LINE, ""],
            [VAULT_LINE, vault.as_str()],
            [MASTER_LINE, master.as_str()],
            [backup.as_str(), ""],
        ];
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
        let identity = text
            .lines()
            .find(|line| !line.starts_with('#'))
            .ok_or(WHY)?;
        Ok(Self {
            vault: VaultId(vault),
            master: MasterKey::fill_with(|bytes| unhex(master, bytes))?,
            backup: identity.parse()?,
        })
    }
}

fn secret_string(text: &str) -> SecretString {
    iter::once(text).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn secrets() -> SlotSecrets {
        SlotSecrets {
            vault: VaultId::generate().unwrap(),
            master: MasterKey::generate().unwrap(),
            backup: BackupIdentity::generate(),
        }
    }

    #[test]
    fn the_passphrase_opens_its_slot_and_no_other_does() {
        let secrets = secrets();
        let passphrase = Passphrase::new("correct horse".into());
        let sealed = secrets.seal(&passphrase, WorkFactor::NONE).unwrap();
        let opened = SlotSecrets::open(&sealed, &passphrase).unwrap();
        assert_eq!(opened.vault, secrets.vault);
        assert_eq!(opened.master.expose(), secrets.master.expose());
        assert_eq!(opened.backup.recipient(), secrets.backup.recipient());
        let wrong = Passphrase::new("correct house".into());
        assert!(matches!(
            SlotSecrets::open(&sealed, &wrong),
            Err(CryptoError::WrongKey)
        ));
    }

    #[test]
    fn a_passphrase_that_was_never_normalised_opens_as_typed() {
        let secrets = secrets();
        let typed = "mu\u{308}de Pferde";
        let mut recipient = scrypt::Recipient::new(secret_string(typed));
        recipient.set_work_factor(1);
        let mut sealed = Vec::new();
        write_sealed(&recipient, secrets.to_text().as_bytes(), &mut sealed).unwrap();
        assert!(SlotSecrets::open(&sealed, &Passphrase::new(typed.into())).is_ok());
        let composed = Passphrase::new("m\u{fc}de Pferde".into());
        assert!(SlotSecrets::open(&sealed, &composed).is_err());
    }

    #[test]
    fn a_slot_that_asks_for_too_much_work_is_refused_without_doing_it() {
        let passphrase = Passphrase::new("correct horse".into());
        let sealed = secrets().seal(&passphrase, WorkFactor::NONE).unwrap();
        let end = sealed.windows(3).position(|w| w == b" 1\n").unwrap();
        let mut greedy = sealed[..end].to_vec();
        greedy.extend(b" 40\n");
        greedy.extend(&sealed[end + 3..]);
        assert!(matches!(
            SlotSecrets::open(&greedy, &passphrase),
            Err(CryptoError::TooMuchWork {
                log_n: 40,
                most: 20
            })
        ));
    }

    #[test]
    fn every_changed_byte_of_a_slot_is_noticed() {
        let passphrase = Passphrase::new("correct horse".into());
        let sealed = secrets().seal(&passphrase, WorkFactor::NONE).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 2;
            assert!(
                SlotSecrets::open(&changed, &passphrase).is_err(),
                "byte {at}"
            );
        }
    }
}

//! What opens backups: an age identity that is no way into the vault itself.

use std::str::FromStr;

use age::x25519;
use age_core::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::{CryptoError, Recipient};

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

    /// The same, as something to seal to.
    #[must_use]
    pub fn to_recipient(&self) -> Recipient {
        self.0.to_public().into()
    }

    /// The same, as something that opens.
    #[must_use]
    pub fn to_age(&self) -> Box<dyn age::Identity> {
        Box::new(self.0.clone())
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

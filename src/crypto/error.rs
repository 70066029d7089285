//! What can go wrong with keys and sealed bytes.

use crate::error::{Exit, Failure};

/// Why sealed bytes could not be opened, or bytes not be sealed.
///
/// It never carries what a library said about foreign bytes: such texts may
/// hold control characters, and there is nothing in them for a person.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    /// The key does not belong to these bytes.
    #[error("sealed with another key")]
    WrongKey,
    /// What is sealed there is opened by another kind of key than was given.
    #[error("a key of another kind opens it")]
    OtherKind,
    /// The bytes are not what was sealed: changed, cut off, or something else.
    #[error("{0}")]
    Damaged(&'static str),
    /// A key slot asks for more scrypt work than is allowed here.
    #[error("asks for scrypt log N {log_n}, more than the {most} that are allowed")]
    TooMuchWork {
        /// What the slot asks for.
        log_n: u8,
        /// What is allowed.
        most: u8,
    },
    /// The passphrase is too short to guard anything.
    #[error("a passphrase has at least {least} characters")]
    ShortPassphrase {
        /// The least number of characters.
        least: usize,
    },
    /// What was given is no recipient that is taken here.
    #[error("{0}")]
    BadRecipient(&'static str),
    /// A file holds something else than keys that are taken here.
    #[error("{0}")]
    BadIdentity(&'static str),
    /// A line of an identity file is something else. What, is not repeated.
    #[error("line {line} is no identity and no private key")]
    NoIdentity {
        /// Counted from 1.
        line: usize,
    },
    /// A plugin of age is not on the search path.
    #[error("age-plugin-{name} is not on the search path")]
    PluginMissing {
        /// Its name, which has letters, digits and a few signs only.
        name: String,
    },
    /// A plugin, or who was asked by it, said no.
    #[error("the plugin of the key failed, or what it asked for was not given")]
    PluginFailed,
    /// A key is under a passphrase, and nobody could be asked for it.
    #[error("it is under a passphrase, and there is no terminal to ask for it")]
    Unasked {
        /// The name of its file.
        of: String,
    },
    /// A key is under another passphrase than the one that was given.
    #[error("it is under another passphrase")]
    WrongPassphraseOf {
        /// The name of its file.
        of: String,
    },
    /// A character of a recovery key is wrong, says its checksum.
    #[error("a character of the recovery key is wrong, missing or one too many")]
    MistypedRecovery,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    NoRandomness(#[from] getrandom::Error),
}

impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Self {
        let why = error.to_string();
        match error {
            CryptoError::WrongKey | CryptoError::OtherKind => {
                Self::new(Exit::Locked, "can't open what is sealed", why)
            }
            CryptoError::Damaged(_) => Self::new(Exit::Damaged, "can't open what is sealed", why),
            CryptoError::TooMuchWork { .. } => Self::new(Exit::Failed, "can't open the key", why)
                .hint("it was not made by voxvault; look at who can write to the vault"),
            CryptoError::ShortPassphrase { .. } => {
                Self::new(Exit::Usage, "can't take the passphrase", why)
                    .hint("five or more random words are easy to keep and hard to guess")
            }
            CryptoError::BadRecipient(_) => Self::new(Exit::Usage, "can't use the recipient", why),
            CryptoError::BadIdentity(_) | CryptoError::NoIdentity { .. } => {
                Self::new(Exit::Locked, "can't use the identity", why)
            }
            CryptoError::PluginMissing { .. } => Self::new(Exit::Locked, "can't use the key", why)
                .hint("install the plugin of the hardware, or unlock with another way in"),
            CryptoError::PluginFailed => Self::new(Exit::Locked, "can't use the key", why),
            CryptoError::Unasked { of } => Self::new(Exit::Locked, "can't use the key", why)
                .about(of)
                .hint("run this on a terminal, or unlock with another way in"),
            CryptoError::WrongPassphraseOf { of } => {
                Self::new(Exit::Locked, "can't use the key", why).about(of)
            }
            CryptoError::MistypedRecovery => Self::new(Exit::Locked, "can't use the key", why)
                .hint("compare it group by group with what was written down"),
            CryptoError::NoRandomness(_) => Self::new(Exit::Failed, "can't make a key", why),
        }
    }
}

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
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    NoRandomness(#[from] getrandom::Error),
}

impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Self {
        let why = error.to_string();
        match error {
            CryptoError::WrongKey => Self::new(Exit::Locked, "can't open what is sealed", why),
            CryptoError::Damaged(_) => Self::new(Exit::Damaged, "can't open what is sealed", why),
            CryptoError::TooMuchWork { .. } => Self::new(Exit::Failed, "can't open the key", why)
                .hint("it was not made by voxvault; look at who can write to the vault"),
            CryptoError::ShortPassphrase { .. } => {
                Self::new(Exit::Usage, "can't take the passphrase", why)
                    .hint("five or more random words are easy to keep and hard to guess")
            }
            CryptoError::NoRandomness(_) => Self::new(Exit::Failed, "can't make a key", why),
        }
    }
}

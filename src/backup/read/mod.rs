//! What verifying, restoring and repacking have in common: where segments lie, which
//! keys open them, whose they may be, and what they hold together.

pub(super) mod places;
pub(super) mod plan;
pub(super) mod source;
pub(super) mod trouble;
pub(super) mod walk;

pub use self::source::{SegmentFile, Source};

use super::error::{Error, Result};
use super::manifest::Signed;
use crate::crypto::{BackupIdentity, Identities, SignerKey, VaultId};

/// Private keys that may open a backup.
pub struct Keys<'a>(Vec<Box<dyn age::Identity + 'a>>);

impl<'a> Keys<'a> {
    /// Those of a vault, the newest first.
    #[must_use]
    pub fn of_backups(identities: &[BackupIdentity]) -> Self {
        Self(identities.iter().map(BackupIdentity::to_age).collect())
    }

    /// Those that somebody gave.
    ///
    /// # Errors
    /// If a plugin is missing.
    pub fn given(identities: &'a Identities) -> Result<Self> {
        let keys = identities.to_age().map_err(Error::key("--from-identity"))?;
        Ok(Self(keys))
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &(dyn age::Identity + 'a)> {
        self.0.iter().map(|identity| &**identity)
    }
}

/// Whose backup is believed: whoever knows the recipient can seal a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// This vault's alone.
    Vault {
        /// Its name.
        vault: VaultId,
        /// The public half of what it signs with.
        signer: SignerKey,
    },
    /// Anybody's, but what says that it is of this vault has to be signed by it.
    OthersAnd {
        /// Its name.
        vault: VaultId,
        /// The public half of what it signs with.
        signer: SignerKey,
    },
    /// Anybody's, as long as all of it is one vault's. Who signed it is told.
    Anybody,
}

impl Trust {
    /// Whether this is one of theirs.
    ///
    /// # Errors
    /// Why not.
    pub fn accepts(&self, signed: &Signed) -> Result<(), &'static str> {
        const ANOTHER: &str = "it is the backup of another vault";
        const FORGED: &str = "it is not signed by the vault that it says it is of";
        let (vault, signer, others) = match self {
            Self::Anybody => return Ok(()),
            Self::Vault { vault, signer } => (vault, signer, Err(ANOTHER)),
            Self::OthersAnd { vault, signer } => (vault, signer, Ok(())),
        };
        match (*vault == signed.manifest.vault, *signer == signed.signer) {
            (true, true) => Ok(()),
            (true, false) => Err(FORGED),
            (false, _) => others,
        }
    }
}

/// Whether these keys open a segment of it that is believed.
#[must_use]
pub fn opens(at: &std::path::Path, keys: &Keys<'_>, trust: &Trust) -> bool {
    let Ok(source) = Source::find(at) else {
        return false;
    };
    source.segments().iter().any(|file| {
        let signed = places::manifest(file, keys);
        signed.is_ok_and(|signed| trust.accepts(&signed).is_ok())
    })
}

//! Makes a vault.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Context, Progress, Unit};
use crate::crypto::Passphrase;
use crate::error::Failure;
use crate::vault::{InitOptions, Placement, Vault};

/// What to make.
pub struct Args {
    /// What will open it.
    pub passphrase: Passphrase,
    /// Which file systems are accepted.
    pub placement: Placement,
}

/// The vault that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its directory.
    pub vault: PathBuf,
}

/// Makes the vault and leaves it open in `context`.
///
/// # Errors
/// When one is there already, the passphrase is too short, or the directory
/// can't be written or stands on a network file system.
pub fn run(context: &Context, args: Args, progress: &dyn Progress) -> Result<Outcome, Failure> {
    args.passphrase.check_length()?;
    progress.begin("making the keys", None, Unit::Items);
    let options = InitOptions {
        placement: args.placement,
        ..InitOptions::default()
    };
    let site = context.site(&context.paths.vault);
    let made = Vault::init_at(site, &args.passphrase, options);
    progress.end();
    context.remember(Arc::new(made?));
    Ok(Outcome {
        vault: context.paths.vault.clone(),
    })
}

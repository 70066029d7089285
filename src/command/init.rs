//! Makes a vault.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Context, Progress, Unit};
use crate::crypto::Passphrase;
use crate::error::{Exit, Failure};
use crate::vault::{InitOptions, Vault};

/// The shortest passphrase that a vault is made with, in characters.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

/// Where a vault may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// Only on a local file system, where locks hold.
    #[default]
    Local,
    /// Anywhere, on its owner's word.
    Anywhere,
}

/// What to make.
pub struct Args {
    /// What will open it.
    pub passphrase: Passphrase,
    /// Which file systems are accepted.
    pub place: Place,
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
    check(&args.passphrase)?;
    progress.begin("making the keys", None, Unit::Items);
    let options = InitOptions {
        allow_any_filesystem: args.place == Place::Anywhere,
        ..InitOptions::default()
    };
    let made =
        Vault::init(&context.paths.vault, &args.passphrase, options, Some(&context.paths.state));
    progress.end();
    context.remember(Arc::new(made?));
    Ok(Outcome { vault: context.paths.vault.clone() })
}

/// Whether a passphrase is long enough to make a vault with.
///
/// # Errors
/// [`Exit::Usage`] when it is not.
pub fn check(passphrase: &Passphrase) -> Result<(), Failure> {
    if passphrase.chars() >= MIN_PASSPHRASE_CHARS {
        return Ok(());
    }
    let why = format!("it has under {MIN_PASSPHRASE_CHARS} characters");
    Err(Failure::new(Exit::Usage, "can't use the passphrase", why)
        .hint("several words that don't belong together are easy to keep and hard to guess"))
}

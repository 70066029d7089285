//! Gives the vault another passphrase, and with it a new master key.

use super::{Context, Progress, Unit};
use crate::crypto::Passphrase;
use crate::error::Failure;

/// What to change.
pub struct Args {
    /// What will open the vault from now on.
    pub new: Passphrase,
}

/// Changes the passphrase. From then on the old one opens nothing in the
/// directory; copies made before still open with it.
///
/// # Errors
/// When the vault can't be unlocked, the new passphrase is too short, or the
/// change can't be made durable.
pub fn run(context: &Context, args: Args, progress: &dyn Progress) -> Result<(), Failure> {
    args.new.check_length()?;
    let vault = context.unlocked()?;
    progress.begin("making a new master key", None, Unit::Items);
    let changed = vault.change_passphrase(&args.new);
    progress.end();
    Ok(changed?)
}

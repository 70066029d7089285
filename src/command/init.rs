//! Makes a vault.

use std::path::PathBuf;
use std::sync::Arc;

use super::key::RecoveryFile;
use super::{Context, Progress, Unit, clock};
use crate::crypto::{Passphrase, RecoveryKey};
use crate::error::Failure;
use crate::vault::{FirstWays, InitOptions, Placement, Vault};

/// What to make.
pub struct Args {
    /// What will open it.
    pub passphrase: Passphrase,
    /// Which file systems are accepted.
    pub placement: Placement,
    /// Where a recovery key is written, if there is to be one.
    pub recovery_out: Option<PathBuf>,
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
    // Before the vault: a recovery key that nobody has would be a way in for nobody.
    let recovery = args.recovery_out.map(|path| {
        let key = RecoveryKey::generate();
        let file = RecoveryFile::write(context, &path, &key)?;
        Ok::<_, Failure>((key.recipient(), file))
    });
    let recovery = recovery.transpose()?;
    progress.begin("making the keys", None, Unit::Items);
    let options = InitOptions {
        placement: args.placement,
        ..InitOptions::default()
    };
    let site = context.site(&context.paths.vault);
    let first = FirstWays {
        passphrase: &args.passphrase,
        recovery: recovery.as_ref().map(|(recipient, _)| recipient),
        now_ms: context.now().unix_ms,
    };
    let made = Vault::init_with(site, &first, options);
    progress.end();
    match made {
        Ok(open) => {
            context.remember(Arc::new(open));
            if let Some(warning) = clock::warning_at_init(context.now()) {
                progress.note(&warning);
            }
        }
        Err(error) => {
            if let Some((_, file)) = recovery {
                file.take_back();
            }
            return Err(error.into());
        }
    }
    Ok(Outcome {
        vault: context.paths.vault.clone(),
    })
}

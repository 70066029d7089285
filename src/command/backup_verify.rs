//! Reads every byte of a backup, and says what is not as it was written.

use std::path::PathBuf;
use std::sync::Arc;

use super::backup_access as access;
use super::{Context, Progress, Unit};
use crate::backup::error::BEHIND_HINT;
use crate::backup::verify::{self, Own, Verified};
use crate::crypto::Asker;
use crate::error::{Exit, Failure};

/// What to verify.
pub struct Args {
    /// A folder, or one segment.
    pub at: PathBuf,
    /// A key instead of the vault's own.
    pub from_identity: Option<PathBuf>,
    /// Whom that key asks.
    pub asker: Arc<dyn Asker>,
}

/// Verifies, and answers with what was found.
///
/// # Errors
/// When there is no backup, or no key opens it.
pub fn run(context: &Context, args: &Args, progress: &dyn Progress) -> Result<Verified, Failure> {
    let from = args.from_identity.as_deref();
    let access = access::find(context, &args.at, from, &args.asker)?;
    // It was unlocked for its keys, if it could be without asking for more.
    let own = context.already_open();
    let own = own.map(|vault| Own::of(&vault)).transpose()?;
    let bytes = std::sync::atomic::AtomicU64::new(u64::MAX);
    let tell = |done: u64, all: u64| {
        use std::sync::atomic::Ordering;
        if bytes.swap(all, Ordering::Relaxed) != all {
            progress.begin("verifying the backup", Some(all), Unit::Bytes);
        }
        progress.advance(done);
    };
    let known = access.known(own.as_ref());
    let cancelled = || progress.cancelled();
    let verified = verify::verify_until(&args.at, access.opener(), known, &tell, &cancelled);
    progress.end();
    verified.map_err(|error| access.explain(Some(&args.at), error))
}

/// The failure to end with, if anything is not as it was written.
#[must_use]
pub fn failure(verified: &Verified) -> Option<Failure> {
    let all = verified.damage.len();
    let hint = verified.lags_behind.then_some(BEHIND_HINT);
    (all > 0).then(|| {
        Failure::new(
            Exit::Damaged,
            "the backup is damaged",
            format!("{all} found; `voxvault restore` brings back what is sound"),
        )
        .hint_if(hint)
    })
}

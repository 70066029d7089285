//! Reads every byte of a backup, and says what is not as it was written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup_access as access;
use super::{Context, Progress, Unit};
use crate::backup::verify::{self, Known, Verified};
use crate::crypto::Asker;
use crate::error::{Exit, Failure};
use crate::vault::Vault;
use crate::vault::bag::KnownBackup;

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
    let known = match from {
        None if Vault::exists(&context.paths.vault) => remembered(context, &args.at)?,
        _ => Vec::new(),
    };
    let bytes = std::sync::atomic::AtomicU64::new(u64::MAX);
    let tell = |done: u64, all: u64| {
        use std::sync::atomic::Ordering;
        if bytes.swap(all, Ordering::Relaxed) != all {
            progress.begin("verifying the backup", Some(all), Unit::Bytes);
        }
        progress.advance(done);
    };
    let known = Known {
        trust: &access.trust,
        backups: &known,
    };
    let cancelled = || progress.cancelled();
    let verified = verify::verify_until(&args.at, access.opener(), known, &tell, &cancelled);
    progress.end();
    Ok(verified?)
}

/// What the vault remembers of the backups in this place: disks that are mounted there in
/// turn are several.
fn remembered(context: &Context, at: &Path) -> Result<Vec<KnownBackup>, Failure> {
    let whole = |path: &Path| path.canonicalize().ok();
    let here = whole(at);
    let mut known = context.unlocked()?.settings()?.backups;
    let is_here = |one: &KnownBackup| here.is_some() && whole(one.path.as_ref()) == here;
    known.retain(is_here);
    Ok(known)
}

/// The failure to end with, if anything is not as it was written.
#[must_use]
pub fn failure(verified: &Verified) -> Option<Failure> {
    let all = verified.damage.len();
    (all > 0).then(|| {
        Failure::new(
            Exit::Damaged,
            "the backup is damaged",
            format!("{all} found; `voxvault restore` brings back what is sound"),
        )
    })
}

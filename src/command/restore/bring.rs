//! Brings what a backup holds into a vault that is open.

use std::cell::Cell;
use std::io::Read;
use std::path::PathBuf;

use crate::backup::restore::{self, Outcome, Wanted};
use crate::command::backup_access::Access;
use crate::command::{Progress, Unit};
use crate::error::Failure;
use crate::vault::{self, OpenVault};

/// Where the backup is.
pub enum From {
    /// A folder, or one segment.
    Path(PathBuf),
    /// A stream, which is read once.
    Stream(Box<dyn Read>),
}

/// What came of it, told as it goes on.
///
/// # Errors
/// When no key opens the backup, it is another vault's, or the vault can't be written.
pub(super) fn bring(
    vault: &OpenVault,
    from: From,
    access: &Access,
    wanted: &Wanted<'_>,
    progress: &dyn Progress,
) -> Result<Outcome, Failure> {
    let keys = access.keys()?;
    let total = Cell::new(u64::MAX);
    let tell = |done: u64, all: u64| {
        if total.replace(all) != all {
            let known = (all > 0).then_some(all);
            progress.begin("restoring", known, Unit::Items);
        }
        progress.advance(done);
        match progress.cancelled() {
            true => Err(crate::backup::Error::Cancelled),
            false => Ok(()),
        }
    };
    let (outcome, at) = match from {
        From::Path(at) => {
            let outcome = restore::from_folder(vault, &at, &keys, wanted, &tell);
            (outcome, Some(at))
        }
        From::Stream(stream) => {
            let outcome = restore::from_stream(vault, stream, &keys, wanted, &tell);
            (outcome, None)
        }
    };
    progress.end();
    let mut outcome = outcome.map_err(|error| access.explain(at.as_deref(), error))?;
    let was_destroyed = |id| matches!(vault.recording(id), Err(vault::Error::NoRecording { .. }));
    if outcome.resurrected.is_some() && wanted.resurrect.is_some_and(was_destroyed) {
        // It is back, if under another id.
        outcome.destroyed = outcome.destroyed.saturating_sub(1);
    }
    Ok(outcome)
}

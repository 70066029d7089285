//! The log: what was done with the recordings, and whether somebody without a key
//! changed it.

use super::Context;
use crate::error::{Exit, Failure};
use crate::recording::RecordingId;
use crate::vault::{self, Deed, Log, OpenVault};

/// Reads all of the log.
///
/// # Errors
/// When the vault can't be unlocked, or the store can't be read.
pub fn run(context: &Context) -> Result<Log, Failure> {
    Ok(context.unlocked()?.read_log()?)
}

/// The failure to end with, if something is wrong with the log.
#[must_use]
pub fn failure(log: &Log) -> Option<Failure> {
    let why = match log.lapses.as_slice() {
        [] => return None,
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first}; and {} more", rest.len()),
    };
    Some(
        Failure::new(Exit::Damaged, "the log is not as it was written", why)
            .hint("`voxvault log verify` names all of it; `voxvault verify --repair` notes it"),
    )
}

/// Logs that something begins that leaves the vault in the clear; it may begin once
/// this has returned. Where the vault or its store can't be written it goes on all the same, and
/// what to say about that is answered.
///
/// # Errors
/// When the entry can't be made durable, because the disk is full for one. Then it must
/// not begin.
pub fn begin(
    vault: &OpenVault,
    deed: Deed,
    ids: &[RecordingId],
    detail: &str,
) -> Result<Option<&'static str>, Failure> {
    match vault.log(deed, ids, detail) {
        Ok(()) => Ok(None),
        Err(error) if error.is_read_only() => {
            Ok(Some("the vault is read-only: this is not in its log"))
        }
        Err(vault::Error::StoreDamaged { .. }) => {
            Ok(Some("the store is damaged: this is not in the log"))
        }
        Err(error) => Err(error.into()),
    }
}

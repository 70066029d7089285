//! What a person can do, one file per subcommand.
//!
//! Each has plain `Args` and a `run` that answers with plain data; nothing in
//! here prints, prompts or knows of a terminal. The command line and the
//! interface both call these.

mod context;
mod progress;

pub mod demo;
pub mod devices;
pub mod edit;
pub mod export;
pub mod import;
pub mod init;
pub mod list;
pub mod model;
pub mod passwd;
pub mod record;
pub mod resolve;
pub mod search;
pub mod show;
pub mod shred;
pub mod text;
pub mod transcribe;

pub use context::{Clock, Context, KeySource, NoKey, SystemClock};
pub use progress::{Listening, Progress, Silent, Unit};

use crate::error::Failure;
use crate::recording::Recording;
use crate::vault::{MergeReport, OpenVault};

/// Takes what waits in the inbox into the store, and tells of what could not
/// be taken.
///
/// # Errors
/// When the vault can't be read or written.
pub fn merge_quietly(vault: &OpenVault, progress: &dyn Progress) -> Result<MergeReport, Failure> {
    for notice in vault.notices() {
        progress.damage(&notice.to_string());
    }
    let report = vault.merge()?;
    for duplicate in &report.duplicates {
        let (id, of) = (duplicate.id.short(), duplicate.of.short());
        progress.note(&format!(
            "{id} holds the same sound as {of}, and was left out"
        ));
    }
    for damaged in &report.damaged {
        let (file, why) = (&damaged.file, &damaged.why);
        progress.damage(&format!("{file} is damaged; what is sound was kept: {why}"));
    }
    for refused in &report.refused {
        progress.damage(&format!("{} was not merged: {}", refused.file, refused.why));
    }
    Ok(report)
}

/// Every recording, newest first; tells of those that can't be read.
///
/// # Errors
/// When the store can't be read at all.
pub fn recordings(vault: &OpenVault, progress: &dyn Progress) -> Result<Vec<Recording>, Failure> {
    let listing = vault.listing()?;
    for damage in &listing.damaged {
        progress.damage(&format!(
            "{} can't be read: {}",
            damage.id.short(),
            damage.why
        ));
    }
    Ok(listing.recordings)
}

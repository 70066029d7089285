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
use crate::vault::{MergeReport, OpenVault};

/// Takes what waits in the inbox into the store, and tells of what could not
/// be taken.
///
/// # Errors
/// When the vault can't be read or written.
pub fn merge_quietly(vault: &OpenVault, progress: &dyn Progress) -> Result<MergeReport, Failure> {
    for notice in vault.notices() {
        progress.note(&notice.to_string());
    }
    let report = vault.merge()?;
    for duplicate in &report.duplicates {
        let (id, of) = (duplicate.id.short(), duplicate.of.short());
        progress.note(&format!(
            "{id} holds the same sound as {of}, and was left out"
        ));
    }
    for refused in &report.refused {
        progress.note(&format!("{} was not merged: {}", refused.file, refused.why));
    }
    Ok(report)
}

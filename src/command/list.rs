//! Lists recordings, newest first.

use super::{Context, merge_quietly};
use crate::error::{Exit, Failure};
use crate::recording::Recording;
use crate::search::{Filter, last_added};

/// Which recordings to list.
#[derive(Debug, Clone, Default)]
pub struct Args {
    /// Filter words; none means all.
    pub filter: Vec<String>,
}

/// Lists what the filter lets through; that may be nothing.
///
/// # Errors
/// When the vault can't be unlocked or read, or the filter can't be used.
pub fn run(
    context: &Context,
    args: &Args,
    progress: &dyn super::Progress,
) -> Result<Vec<Recording>, Failure> {
    let now = context.clock.now();
    let filter = Filter::parse(&args.filter).map_err(|why| {
        Failure::new(Exit::Usage, "can't use the filter", why.to_string())
            .hint("filters look like tag:work, after:2026-01-31, is:pinned, today")
    })?;
    let vault = context.unlocked()?;
    merge_quietly(&vault, progress)?;
    let mut recordings = super::recordings(&vault, progress)?;
    let last = last_added(&recordings);
    let sieve = filter.at(&now, last);
    recordings.retain(|recording| sieve.passes(recording));
    Ok(recordings)
}

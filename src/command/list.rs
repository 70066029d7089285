//! Lists recordings, newest first; also those that are being made.

use std::cmp::Reverse;

use super::{Context, merge_quietly};
use crate::error::{Exit, Failure};
use crate::recording::{Recording, State};
use crate::search::{Filter, last_added};

/// Which recordings to list.
#[derive(Debug, Clone, Default)]
pub struct Args {
    /// Filter words; none means all.
    pub filter: Vec<String>,
}

/// A recording in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// What is known of it.
    pub recording: Recording,
    /// Where it stands.
    pub state: State,
}

impl From<Recording> for Listed {
    fn from(recording: Recording) -> Self {
        Self {
            state: recording.state(),
            recording,
        }
    }
}

/// Lists what the filter lets through; that may be nothing.
///
/// # Errors
/// When the vault can't be unlocked or read, or the filter can't be used.
pub fn run(
    context: &Context,
    args: &Args,
    progress: &dyn super::Progress,
) -> Result<Vec<Listed>, Failure> {
    let now = context.clock.now();
    let filter = Filter::parse(&args.filter).map_err(|why| {
        Failure::new(Exit::Usage, "can't use the filter", why.to_string())
            .hint("filters look like tag:work, after:2026-01-31, is:pinned, today")
    })?;
    let vault = context.unlocked()?;
    // Before the merge: what ends in between is in both, and shown once.
    let mut running = vault.running()?;
    merge_quietly(&vault, progress)?;
    let recordings = super::recordings(&vault, progress)?;
    running.retain(|one| recordings.iter().all(|ended| ended.id != one.id));
    let last = last_added(&recordings);
    let sieve = filter.at(&now, last);
    let in_progress = running.into_iter().map(|recording| Listed {
        recording,
        state: State::Recording,
    });
    let mut listed: Vec<Listed> = in_progress
        .chain(recordings.into_iter().map(Listed::from))
        .filter(|one| sieve.passes(&one.recording))
        .collect();
    listed.sort_by_key(|one| {
        let Recording { card, id, .. } = &one.recording;
        Reverse((card.recorded_at, card.added_at, *id))
    });
    Ok(listed)
}

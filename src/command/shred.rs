//! Destroys recordings for good.

use super::{Context, Progress, Unit, merge_quietly, resolve};
use crate::error::{Exit, Failure};
use crate::recording::Recording;
use crate::vault::{OpenVault, Receipt, ShredScope};

/// What to destroy.
#[derive(Debug, Clone)]
pub struct Args {
    /// Ids, `last`, or filters; never free words.
    pub which: Vec<String>,
    /// All of each recording, or only its sound.
    pub scope: ShredScope,
}

/// The recordings that would be destroyed, so that a person can be asked.
///
/// # Errors
/// When the words name nothing or can't be used, or the vault can't be
/// unlocked.
pub fn plan(
    context: &Context,
    args: &Args,
    progress: &dyn Progress,
) -> Result<Vec<Recording>, Failure> {
    let now = context.clock.now();
    let selection = resolve::Selection::parse(&args.which)?;
    let vault = context.unlocked()?;
    merge_quietly(&vault, progress)?;
    refuse_running(&vault, &args.which, "can't shred")?;
    let recordings = super::recordings(&vault, progress)?;
    let ids = selection.resolve(&recordings, &now)?;
    Ok(recordings
        .into_iter()
        .filter(|recording| ids.contains(&recording.id))
        .collect())
}

/// A recording that is still running can't be destroyed under its recorder.
pub(super) fn refuse_running(
    vault: &OpenVault,
    which: &[String],
    what: &str,
) -> Result<(), Failure> {
    for entry in vault.vault().inbox()?.iter().filter(|entry| entry.running) {
        let id = entry.id.to_string();
        let named = |word: &&String| {
            word.len() >= crate::recording::RecordingId::MIN_PREFIX
                && id.starts_with(&word.to_ascii_lowercase())
        };
        if which.iter().any(|word| named(&word)) {
            let why = "it is being recorded";
            return Err(Failure::new(Exit::Failed, what, why)
                .about(entry.id.short())
                .hint("stop it first"));
        }
    }
    Ok(())
}

/// Destroys exactly these recordings and answers with the receipt.
///
/// # Errors
/// When the vault can't be unlocked, or the keys could not be overwritten:
/// then the message says where, and the shred is not final.
pub fn run(
    context: &Context,
    recordings: &[Recording],
    scope: ShredScope,
    progress: &dyn Progress,
) -> Result<Receipt, Failure> {
    let vault = context.unlocked()?;
    let ids: Vec<_> = recordings.iter().map(|recording| recording.id).collect();
    progress.begin("shredding", Some(ids.len() as u64), Unit::Items);
    let receipt = vault.shred(&ids, scope, &mut |done, _total| progress.advance(done));
    progress.end();
    Ok(receipt?)
}

//! Recordings that are named and not in the store yet: they are being made, or wait in the
//! inbox for what holds up the merge.

use crate::error::{Exit, Failure};
use crate::recording::RecordingId;
use crate::vault::{MergeReport, OpenVault, Unmerged};

/// A recording that is still running can't be changed under its recorder.
///
/// # Errors
/// [`Exit::Failed`] names the first of these that is.
pub(super) fn refuse_running(
    vault: &OpenVault,
    which: &[String],
    what: &str,
) -> Result<(), Failure> {
    let inbox = vault.vault().inbox()?;
    let mut running = inbox.iter().filter(|entry| entry.running);
    match running.find(|entry| is_named(entry.id, which)) {
        None => Ok(()),
        Some(entry) => Err(Failure::new(Exit::Failed, what, "it is being recorded")
            .about(entry.id.short())
            .hint("stop it first")),
    }
}

/// What was found, where none of what was named is still being made or waits: that comes
/// into the vault once it is stopped, or what holds it up is gone.
///
/// # Errors
/// What holds it up, where nothing else is of that name.
pub(super) fn unless_outside<T>(
    found: Result<T, Failure>,
    vault: &OpenVault,
    which: &[String],
    merged: &MergeReport,
    what: &str,
) -> Result<T, Failure> {
    let is_missing = |failure: &Failure| failure.exit == Exit::NotFound;
    if found.as_ref().is_err_and(is_missing) {
        refuse_running(vault, which, what)?;
        refuse_waiting(vault, |id| is_named(id, which), merged, what)?;
    }
    found
}

/// One that no merge could take in can't be read or changed yet.
///
/// # Errors
/// What holds it up, with the exit code of that.
pub(super) fn refuse_waiting(
    vault: &OpenVault,
    is_meant: impl Fn(RecordingId) -> bool,
    merged: &MergeReport,
    what: &str,
) -> Result<(), Failure> {
    let Unmerged { recordings, unread } = vault.unmerged()?;
    let mut waiting = recordings.iter().map(|one| one.id).chain(unread);
    match waiting.find(|id| is_meant(*id)) {
        None => Ok(()),
        Some(id) => Err(held_up(vault, id, merged, what)),
    }
}

fn is_named(id: RecordingId, which: &[String]) -> bool {
    let id = id.to_string();
    which.iter().any(|word| {
        word.len() >= RecordingId::MIN_PREFIX && id.starts_with(&word.to_ascii_lowercase())
    })
}

/// Why a recording is not in the store yet.
fn held_up(vault: &OpenVault, id: RecordingId, merged: &MergeReport, what: &str) -> Failure {
    let waits = |exit: Exit, why: &str| {
        let why = format!("it waits in the inbox: {why}");
        Failure::new(exit, what, why).about(id.short())
    };
    if let Some(refused) = merged.refused_file(id) {
        return waits(Exit::Damaged, &refused.why).hint_if(refused.remedy.as_deref());
    }
    let stopped = merged.stopped.clone();
    let cause = stopped.or_else(|| vault.vault().may_write().err().map(Failure::from));
    match cause {
        Some(cause) => waits(cause.exit, &cause.to_string()).hint_if(cause.hint.as_deref()),
        // It ended between the merge and now.
        None => waits(Exit::Failed, "it has just come to its end").hint("run it again"),
    }
}

//! Takes what waits in the inbox into the store, before a command does what it is asked to.

use super::{Progress, damage, retain, tell_of_notices};
use crate::error::{Exit, Failure, plain};
use crate::recording::RecordingId;
use crate::vault::{MergeReport, OpenVault};

/// Takes what waits in the inbox into the store, and tells of what was found
/// on the way: damage, forgeries, doubles. The first time after an unlock the retention
/// rules are applied then.
///
/// # Errors
/// When the vault can't be read or written.
pub fn merge_quietly(vault: &OpenVault, progress: &dyn Progress) -> Result<MergeReport, Failure> {
    merge_calling(vault, &|id| id.short(), progress)
}

/// The same, where what comes in has a name that says more than its id.
pub(super) fn merge_calling(
    vault: &OpenVault,
    name: &dyn Fn(RecordingId) -> String,
    progress: &dyn Progress,
) -> Result<MergeReport, Failure> {
    let report = merge(vault, name, progress)?;
    retain::at_unlock(vault, &report.merged, progress);
    Ok(report)
}

/// The same without applying any rules.
pub(super) fn merge_only(
    vault: &OpenVault,
    progress: &dyn Progress,
) -> Result<MergeReport, Failure> {
    merge(vault, &|id| id.short(), progress)
}

fn merge(
    vault: &OpenVault,
    name: &dyn Fn(RecordingId) -> String,
    progress: &dyn Progress,
) -> Result<MergeReport, Failure> {
    let report = take_in(vault, progress)?;
    tell_of_notices(vault, progress);
    for duplicate in &report.duplicates {
        let (id, of) = (name(duplicate.id), duplicate.of.short());
        let text = match duplicate.transcripts {
            0 => "",
            1 => "; the transcript that came with it is a new version there",
            _ => "; the transcripts that came with it are new versions there",
        };
        progress.note(&format!(
            "{id} holds the same sound as {of}, and was left out{text}"
        ));
    }
    for empty in &report.empty {
        let id = empty.short();
        progress.note(&format!("{id} was begun, and nothing of it is there"));
    }
    for redated in &report.redated {
        progress.note(&format!(
            "the clock said {} when {} was begun, and the vault had seen a later time: it is \
             dated by that",
            redated.clock,
            name(redated.id)
        ));
    }
    for unended in &report.unended {
        let id = unended.short();
        progress.note(&format!(
            "{id} was an import that was cut off, and was dropped: the file it came from is still there"
        ));
    }
    for damaged in &report.damaged {
        let why = format!("{}; what is sound of it was kept", damaged.why);
        progress.refuse(&damage("the recording is damaged", why).about(&damaged.file));
    }
    for file in &report.strangers {
        let file = plain(file);
        progress.note(&format!(
            "{file} in the inbox is no file of the vault, and was left alone"
        ));
    }
    for refused in &report.refused {
        let failure = damage("can't merge the recording", &*refused.why).about(&refused.file);
        progress.refuse(&failure.hint_if(refused.remedy.as_deref()));
    }
    for left in &report.left {
        let why = format!(
            "{}; all that is to be kept is in the store, and the next command tries again",
            left.why
        );
        tell_beside(
            &Failure {
                why,
                ..left.clone()
            },
            progress,
        );
    }
    Ok(report)
}

/// Merges where that can be done now. What keeps the merge from coming to its end keeps
/// nobody from reading what is in the store, nor from shredding.
fn take_in(vault: &OpenVault, progress: &dyn Progress) -> Result<MergeReport, Failure> {
    match (vault.vault().may_write(), vault.store_flaw()) {
        (Err(_), flaw) => {
            if let Ok(Some(flaw)) = flaw {
                progress.refuse(&flaw.into());
            }
            tell_of_waiting(vault, progress);
            Ok(MergeReport::default())
        }
        (Ok(()), Ok(Some(flaw))) => {
            // What of it can be read is given; nothing comes in before it was repaired.
            match vault.lock_out_forgers() {
                Err(error) if error.spares_reading() => tell_beside(&error.into(), progress),
                done => done?,
            }
            let flaw = Failure::from(flaw);
            progress.refuse(&flaw);
            Ok(stopped(vault, flaw))
        }
        (Ok(()), _) => match vault.merge() {
            Err(error) if error.spares_reading() => {
                let report = stopped(vault, error.into());
                tell_why_stopped(&report, progress);
                Ok(report)
            }
            merged => Ok(merged?),
        },
    }
}

/// A merge that took nothing in, and why.
fn stopped(vault: &OpenVault, why: Failure) -> MergeReport {
    MergeReport {
        waiting: count_waiting(vault),
        stopped: Some(why),
        ..MergeReport::default()
    }
}

fn tell_why_stopped(report: &MergeReport, progress: &dyn Progress) {
    let Some(failure) = &report.stopped else {
        return;
    };
    let why = match report.waiting {
        0 => failure.why.clone(),
        many => format!("{}; {} in the inbox", failure.why, waits(many)),
    };
    tell_beside(
        &Failure {
            why,
            ..failure.clone()
        },
        progress,
    );
}

/// Tells of what could not be done beside what was asked for. That there is no room is no
/// failure: what waits can wait on.
fn tell_beside(failure: &Failure, progress: &dyn Progress) {
    match failure.exit {
        Exit::NoSpace => progress.note(&failure.to_string()),
        _ => progress.miss(failure),
    }
}

/// Says that what waits in the inbox of a vault that can't be written waits on.
fn tell_of_waiting(vault: &OpenVault, progress: &dyn Progress) {
    match count_waiting(vault) {
        0 => progress.note("the vault is read-only"),
        many => progress.note(&format!(
            "the vault is read-only: {} in its inbox",
            waits(many)
        )),
    }
}

fn count_waiting(vault: &OpenVault) -> usize {
    let by_cards = vault.unmerged().map(|waiting| waiting.count());
    by_cards.unwrap_or_else(|_| {
        let entries = vault.vault().inbox().unwrap_or_default();
        entries.iter().filter(|entry| !entry.running).count()
    })
}

pub(super) fn waits(many: usize) -> String {
    match many {
        1 => "1 recording waits".to_owned(),
        _ => format!("{many} recordings wait"),
    }
}

/// Says what waits in the inbox, for those who look at the vault and leave it there.
pub(super) fn tell_of_inbox(vault: &OpenVault, progress: &dyn Progress) {
    tell_of_notices(vault, progress);
    if vault.vault().may_write().is_err() {
        return tell_of_waiting(vault, progress);
    }
    match count_waiting(vault) {
        0 => {}
        many => progress.note(&format!(
            "{} in the inbox; what the next command takes in is left to the one behind it",
            waits(many)
        )),
    }
}

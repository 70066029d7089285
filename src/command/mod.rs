//! What a person can do, one file per subcommand.
//!
//! Each has plain `Args` and a `run` that answers with plain data; nothing in
//! here prints, prompts or knows of a terminal. The command line and the
//! interface both call these.

mod backup_access;
mod clock;
mod context;
mod last;
mod progress;

pub mod backup;
pub mod backup_forget;
pub mod backup_verify;
pub mod demo;
pub mod devices;
pub mod doctor;
pub mod edit;
pub mod export;
pub mod import;
pub mod init;
pub mod key;
pub mod key_export;
pub mod list;
pub mod log;
pub mod model;
pub mod play;
pub mod record;
pub mod redact;
pub mod rehearsal;
pub mod repack;
pub mod resolve;
pub mod restore;
mod restore_fresh;
pub mod retain;
pub mod scrub;
pub mod search;
pub mod show;
pub mod shred;
pub mod text;
pub mod transcribe;
pub mod verify;
pub mod wipe;

pub use context::{Clock, Colour, Context, KeySource, NoKey, SystemClock};
pub use progress::{ClockWord, Listening, Progress, Silent, Unit};

use crate::error::{Exit, Failure, plain};
use crate::recording::{Recording, RecordingId};
use crate::vault::{Damage, MergeReport, Notice, OpenVault, REPAIR_HINT};
use crate::worker::sounding::Silenced;

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
fn merge_calling(
    vault: &OpenVault,
    name: &dyn Fn(RecordingId) -> String,
    progress: &dyn Progress,
) -> Result<MergeReport, Failure> {
    let report = merge(vault, name, progress)?;
    retain::at_unlock(vault, &report.merged, progress);
    Ok(report)
}

/// The same without applying any rules.
fn merge_only(vault: &OpenVault, progress: &dyn Progress) -> Result<MergeReport, Failure> {
    merge(vault, &|id| id.short(), progress)
}

fn merge(
    vault: &OpenVault,
    name: &dyn Fn(RecordingId) -> String,
    progress: &dyn Progress,
) -> Result<MergeReport, Failure> {
    let merged = match (vault.vault().may_write(), vault.store_flaw()) {
        (Err(_), flaw) => {
            if let Ok(Some(flaw)) = flaw {
                progress.refuse(&flaw.into());
            }
            tell_of_waiting(vault, progress);
            Ok(MergeReport::default())
        }
        (Ok(()), Ok(Some(flaw))) => {
            // What of it can be read is given; nothing comes in before it was repaired.
            vault.lock_out_forgers()?;
            progress.refuse(&flaw.into());
            Ok(MergeReport {
                waiting: count_waiting(vault),
                ..MergeReport::default()
            })
        }
        (Ok(()), _) => vault.merge().map_err(Failure::from),
    };
    let report = match merged {
        // What waits in the inbox can wait on: reading needs no space, and
        // shredding makes some.
        Err(failure) if failure.exit == Exit::NoSpace => {
            let waiting = count_waiting(vault);
            progress.note(&match waiting {
                0 => failure.to_string(),
                _ => format!("{failure}; {} in the inbox", waits(waiting)),
            });
            MergeReport {
                waiting,
                ..MergeReport::default()
            }
        }
        report => report?,
    };
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
        progress.refuse(&damage("can't merge the recording", &*refused.why).about(&refused.file));
    }
    Ok(report)
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

fn waits(many: usize) -> String {
    match many {
        1 => "1 recording waits".to_owned(),
        _ => format!("{many} recordings wait"),
    }
}

/// Says what waits in the inbox, for those who look at the vault and leave it there.
fn tell_of_inbox(vault: &OpenVault, progress: &dyn Progress) {
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

/// Tells what opening and unlocking found.
fn tell_of_notices(vault: &OpenVault, progress: &dyn Progress) {
    // Opening and unlocking may both have come upon the same.
    let mut told: Vec<Notice> = Vec::new();
    for notice in vault.vault().notices().iter().chain(&vault.notices()) {
        if !told.contains(notice) {
            tell_of(notice, progress);
            told.push(notice.clone());
        }
    }
}

/// Every recording whose card can be read; tells of the others.
///
/// # Errors
/// When the vault can't be read.
pub fn recordings(vault: &OpenVault, progress: &dyn Progress) -> Result<Vec<Recording>, Failure> {
    let listing = vault.listing()?;
    tell_of_damage(&listing.damaged, progress);
    Ok(listing.recordings)
}

fn tell_of_damage<'a>(damages: impl IntoIterator<Item = &'a Damage>, progress: &dyn Progress) {
    for one in damages {
        let failure = damage("the recording is damaged", &*one.why).about(one.id.short());
        progress.refuse(&failure.hint(REPAIR_HINT));
    }
}

/// Tells what of a recording's sound could not be given out: what its card says is gone
/// is known, anything else is damage.
pub(crate) fn tell_of_silence(id: RecordingId, silenced: Silenced, progress: &dyn Progress) {
    // A segment holds 0.8 s.
    let seconds = |segments: u64| segments as f64 * 0.8;
    if silenced.gone > 0 {
        progress.note(&format!(
            "{}: {:.1} s of it were lost for good; silence stands in for them",
            id.short(),
            seconds(silenced.gone)
        ));
    }
    if silenced.lost > 0 {
        let why = format!(
            "{:.1} s of it can't be read; silence stands in for them",
            seconds(silenced.lost)
        );
        let failure = damage("the sound is damaged", why).about(id.short());
        progress.refuse(&failure.hint(REPAIR_HINT));
    }
}

/// What was damaged or forged is damage, also where it was mended. An older
/// copy may have been put back by its owner; what could not be put in order now
/// is for the next time.
fn tell_of(notice: &Notice, progress: &dyn Progress) {
    match notice {
        Notice::NotDone { .. } | Notice::Older { .. } | Notice::StrangeWay { .. } => {
            progress.note(&notice.to_string())
        }
        // What was killed within a change leaves it so; `verify` notes it.
        Notice::Unfinished { .. } => {}
        Notice::PutInForce { path } => {
            let why = "the state before its last change was in force; the last one is again";
            progress.refuse(&damage("damage was mended", why).about(path.display()));
        }
        Notice::Mended { path } => {
            let why = "it was damaged or never finished, and was made anew from its copy";
            progress.refuse(&damage("damage was mended", why).about(path.display()));
        }
        Notice::NotMended { path, why } => {
            let why = format!("it could not be made anew from its copy: {why}");
            let failure = damage("the file is damaged", why).about(path.display());
            progress.refuse(&failure.hint("it has no second copy until that can be done"));
        }
        Notice::Forged { .. }
        | Notice::FellBack { .. }
        | Notice::WayLost { .. }
        | Notice::EarlierInForce { .. }
        | Notice::StoreMissing { .. } => {
            progress.refuse(&damage(
                "something is wrong with the vault",
                notice.to_string(),
            ));
        }
    }
}

fn damage(what: &str, why: impl Into<String>) -> Failure {
    Failure::new(Exit::Damaged, what, why)
}

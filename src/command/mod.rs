//! What a person can do, one file per subcommand.
//!
//! Each has plain `Args` and a `run` that answers with plain data; nothing in
//! here prints, prompts or knows of a terminal. The command line and the
//! interface both call these.

mod backup_access;
mod clock;
mod context;
mod last;
mod merge;
mod outside;
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
pub mod repack;
pub mod resolve;
pub mod restore;
pub mod retain;
pub mod scrub;
pub mod search;
pub mod show;
pub mod shred;
pub mod tag;
pub mod text;
pub mod transcribe;
pub mod verify;
pub mod wipe;

pub use context::{Clock, Colour, Context, KeySource, NoKey, SystemClock};
pub use merge::merge_quietly;
use merge::{merge_calling, merge_only, tell_of_inbox, waits};
pub use progress::{ClockWord, Listening, Progress, Silent, Unit};

use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId};
use crate::vault::{Damage, Notice, OpenVault, REPAIR_HINT};
use crate::worker::sounding::Silenced;

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

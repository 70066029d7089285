//! Reads every byte of the vault, says what is damaged, and repairs it if asked to.

use std::sync::Mutex;

use super::{Context, Progress, Unit};
use crate::error::{Exit, Failure};
use crate::vault::error::{NO_FILE_HINT, NO_STORE_HINT};
use crate::vault::{Flaw, REPAIR_HINT, Verified};

/// Whether anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Only look.
    #[default]
    Look,
    /// Put in order what can be.
    Repair,
}

/// Verifies, and answers with what was found, mended or not.
///
/// # Errors
/// When the vault can't be unlocked, or a repair has no room or may not write.
pub fn run(context: &Context, mode: Mode, progress: &dyn Progress) -> Result<Verified, Failure> {
    let vault = context.unlocked()?;
    // The total is known once the work has begun.
    let begun = Mutex::new(None);
    let tell = |done: u64, total: u64| {
        let mut begun = begun
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if *begun != Some(total) {
            progress.begin("verifying", Some(total), Unit::Bytes);
            *begun = Some(total);
        }
        progress.advance(done);
    };
    let verified = match mode {
        Mode::Look => vault.verify(&tell),
        Mode::Repair => vault.repair(vault.now(), &tell),
    };
    progress.end();
    Ok(verified?)
}

/// The failure to end with, if anything was damaged, also if it was mended, or a repair
/// could not do all that it wanted.
#[must_use]
pub fn failure(verified: &Verified, mode: Mode) -> Option<Failure> {
    let all = verified.flaws.len();
    if all == 0 {
        return verified.undone.first().cloned();
    }
    let mended = verified.flaws.iter().filter(|flaw| flaw.mended).count();
    let why = match (mended, all) {
        (mended, all) if mended == all => format!("{all} found, all mended"),
        (0, all) => format!("{all} found"),
        (mended, all) => format!("{all} found, {mended} of them mended"),
    };
    let failure = Failure::new(Exit::Damaged, "the vault was damaged", why);
    if let Some(name) = verified.lost_way() {
        // Unlocking has mended what has a second file.
        let hint = format!("voxvault key remove {name}, then voxvault key add");
        return Some(failure.hint(hint));
    }
    let can_be_more = mode == Mode::Look && mended < all;
    Some(match can_be_more {
        true if verified.is_store_no_file() => failure.hint(NO_STORE_HINT),
        _ if verified.is_any_no_file() && !verified.is_store_no_file() => {
            failure.hint(NO_FILE_HINT)
        }
        true => failure.hint(REPAIR_HINT),
        false => failure,
    })
}

/// A flaw in a line.
#[must_use]
pub fn line(flaw: &Flaw) -> String {
    let state = if flaw.mended { "mended" } else { "damaged" };
    let id = flaw
        .id
        .map_or_else(String::new, |id| format!("  {}", id.short()));
    format!("{state:<7}  {}{id}  {}", flaw.place, flaw.what)
}

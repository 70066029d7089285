//! Writes the store anew and overwrites the old file.

use super::{Context, Progress, Unit, merge_quietly};
use crate::error::Failure;
use crate::vault::{Receipt, Scrubbed};

/// Dead bytes that are worth a scrub, whatever part of the store they are.
const MANY_BYTES: u64 = 64 << 20;

/// Does it.
///
/// # Errors
/// When the vault can't be unlocked, a second copy of the store does not fit, or
/// it can't be written; then the store is as it was.
pub fn run(context: &Context, progress: &dyn Progress) -> Result<Scrubbed, Failure> {
    let vault = context.unlocked()?;
    merge_quietly(&vault, progress)?;
    let mut begun = false;
    let scrubbed = vault.scrub(&mut |done, total| {
        if !std::mem::replace(&mut begun, true) {
            progress.begin("scrubbing", Some(total), Unit::Bytes);
        }
        progress.advance(done);
    });
    progress.end();
    Ok(scrubbed?)
}

/// Whether what a shred left is so much that a scrub is worth its time: more than
/// 64 MiB, or a quarter of the store.
#[must_use]
pub fn is_worth_it(context: &Context, receipt: &Receipt) -> bool {
    let dead: u64 = receipt.shredded.iter().map(|one| one.audio_bytes).sum();
    let store = context.paths.vault.join("store.redb");
    let all = std::fs::metadata(store).map_or(u64::MAX, |file| file.len());
    dead > MANY_BYTES || (dead > 0 && dead.saturating_mul(4) > all)
}

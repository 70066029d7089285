//! Writes the store anew and overwrites the old file.

use super::{Context, Progress, Unit, merge_quietly};
use crate::error::Failure;
use crate::vault::Scrubbed;

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

/// What to say where what was destroyed left so much that a scrub is worth its
/// time: more than 64 MiB of sound, or a quarter of the store.
#[must_use]
pub fn offer(context: &Context, dead_bytes: u64) -> Option<&'static str> {
    let store = context.paths.vault.join("store.redb");
    let all = std::fs::metadata(store).map_or(u64::MAX, |file| file.len());
    let is_worth_it = dead_bytes > MANY_BYTES || dead_bytes.saturating_mul(4) > all;
    is_worth_it
        .then_some("`voxvault scrub` writes the store anew and overwrites what is left in it")
}

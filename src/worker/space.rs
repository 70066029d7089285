//! How much longer the disk lasts, and when to say so.
//!
//! A quota that the file system does not count in what it calls free shows only
//! when a write fails; see `outbox`.

use std::time::Duration;

use crate::error::{Exit, Failure};
use crate::vault::Vault;

/// Less than this is worth a word.
pub const LOW: Duration = Duration::from_secs(10 * 60);

/// When it is said, and said again.
const SAID_AT: [Duration; 3] = [LOW, Duration::from_secs(5 * 60), Duration::from_secs(60)];

/// What is written for a second of sound, before a recording's own rate is known:
/// segments of 2,800 bytes, sealed, and a draft of the card every few seconds.
const BYTES_PER_S: u64 = 4_000;

/// With less than this nothing is begun: no second of sound would be kept.
const LEAST_BYTES: u64 = 32 << 10;

/// Remembers what was said already.
#[derive(Debug, Clone, Default)]
pub struct Warnings {
    said: usize,
}

impl Warnings {
    /// Whether to say now that only so much is left: each step down once, and
    /// again only after there was enough meanwhile.
    pub fn are_due(&mut self, left: Duration) -> bool {
        let below = SAID_AT.iter().filter(|at| left < **at).count();
        let due = below > self.said;
        // At the edge of a step it would be said over and over.
        self.said = if left > LOW + LOW / 2 {
            0
        } else {
            self.said.max(below)
        };
        due
    }
}

/// Said when nothing can be written any more.
pub const FULL: &str =
    "the disk is full: what is said now is kept only if there is room in a moment";

/// Said when little is left.
#[must_use]
pub fn warning(left: Duration) -> String {
    let left = match left.as_secs() {
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds / 60),
    };
    format!("the disk is nearly full: there is space for {left} of sound")
}

/// How long the disk lasts for a recording that wrote so many bytes for so much
/// sound; `None` where that can't be told.
pub(super) fn left(vault: &Vault, bytes: u64, sound: Duration) -> Option<Duration> {
    let free = vault.space()?;
    let bytes_per_s = match sound.as_secs() {
        0..10 => BYTES_PER_S,
        seconds => bytes / seconds,
    };
    free.checked_div(bytes_per_s).map(Duration::from_secs)
}

/// Refuses to begin where nothing could be kept.
///
/// # Errors
/// [`Exit::NoSpace`] without space, and when the vault can't be written at all.
pub fn require(vault: &Vault) -> Result<(), Failure> {
    vault.may_write()?;
    match vault.space() {
        Some(free) if free < LEAST_BYTES => {
            Err(
                Failure::new(Exit::NoSpace, "can't record", "the disk is full")
                    .about(vault.dir().display())
                    .hint("make room where the vault is"),
            )
        }
        _ => Ok(()),
    }
}

/// What to tell when a recording could not be written any further. Where nothing
/// is kept there is nothing to say of that.
pub(super) fn ended(failure: Failure, kept: Duration) -> Failure {
    if kept.is_zero() && failure.exit != Exit::NoSpace {
        return failure;
    }
    let kept = format!("{} of sound are kept", crate::time::clock(kept));
    match failure.exit {
        Exit::NoSpace => Failure {
            what: "the recording was ended".to_owned(),
            why: "the disk is full".to_owned(),
            hint: Some(format!("{kept}; make room where the vault is")),
            ..failure
        },
        _ => failure.hint(kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_ten_five_and_one_minute_and_once_each() {
        let mut warnings = Warnings::default();
        let said: Vec<u64> = (0..=700)
            .rev()
            .filter(|seconds| warnings.are_due(Duration::from_secs(*seconds)))
            .collect();
        assert_eq!(said, [599, 299, 59]);
    }

    #[test]
    fn it_is_said_at_once_where_little_is_left_and_once_only() {
        let mut warnings = Warnings::default();
        assert!(warnings.are_due(Duration::from_secs(30)));
        assert!(!warnings.are_due(Duration::from_secs(30)));
        assert!(!warnings.are_due(Duration::from_secs(61)));
        assert!(!warnings.are_due(Duration::from_secs(59)));
        assert!(!warnings.are_due(Duration::from_secs(3_600)));
        assert!(warnings.are_due(Duration::from_secs(599)));
    }
}

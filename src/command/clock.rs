//! What is known without a key of whether the clock of this machine can be right.
//!
//! It is compared with when this program was made, and with when the files that hold the
//! vault's keys were changed last. That is enough to warn, and no more: a copy of a vault
//! may have files from any time. What is kept is dated by the vault itself, once its keys
//! are there.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Context;
use crate::error::{Exit, Failure};
use crate::recording::Moment;
use crate::retention::{EARLIEST_MS, TRUSTED_AHEAD_MS};
use crate::vault::Vault;

/// Refuses what a person says of a clock that can't be right: one that says 1970. It would
/// make everything as old as that, and the right clock behind it would destroy it.
///
/// # Errors
/// When it is earlier than this program.
pub(super) fn confirm(now: Moment) -> Result<(), Failure> {
    match now.unix_ms >= EARLIEST_MS {
        true => Ok(()),
        false => {
            let why = format!("the clock says {now}, and this program was made later than that");
            Err(Failure::new(Exit::Failed, "nothing was destroyed", why).hint("set the clock"))
        }
    }
}

/// A moment that is over for certain, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Over {
    at: Moment,
    why: &'static str,
}

impl Over {
    /// Of this vault, if there is one, as a clock with this offset from UTC would say it.
    pub(super) fn of(vault: Option<&Vault>, offset_s: i32) -> Self {
        Self::known(vault.and_then(Vault::changed_at), offset_s)
    }

    fn known(changed: Option<SystemTime>, offset_s: i32) -> Self {
        let since = changed.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let changed_ms = since.and_then(|since| i64::try_from(since.as_millis()).ok());
        let (unix_ms, why) = match changed_ms.filter(|changed_ms| *changed_ms > EARLIEST_MS) {
            Some(changed_ms) => (changed_ms, "the vault was changed"),
            None => (EARLIEST_MS, "this program was made"),
        };
        let at = Moment { unix_ms, offset_s };
        Self { at, why }
    }

    /// What is wrong with a clock that says this; `None` if it may be right.
    pub(super) fn doubt(self, now: Moment) -> Option<String> {
        let Self { at, why } = self;
        let is_behind = at.unix_ms.saturating_sub(now.unix_ms) > TRUSTED_AHEAD_MS;
        is_behind.then(|| format!("the clock says {now}, and {why} later than that, {at}"))
    }
}

/// Says before something is recorded that its date will not be what the clock says.
pub(super) fn warning(context: &Context, vault: &Vault) -> Option<String> {
    let now = context.now();
    let doubt = Over::of(Some(vault), now.offset_s).doubt(now)?;
    Some(format!(
        "{doubt}; if it is wrong, what comes in is dated by the latest time that the vault has seen"
    ))
}

/// Says when a vault is made that it has seen no right clock yet.
pub(super) fn warning_at_init(now: Moment) -> Option<String> {
    let doubt = Over::known(None, now.offset_s).doubt(now)?;
    Some(format!(
        "{doubt}: what comes in is dated by that, and kept by the rules from when a right clock \
         is confirmed"
    ))
}

/// How far the clock is behind what the vault makes of it; 0 if it may be right, and where
/// its keys are not at hand: the merge knows better then.
pub(super) fn behind_ms(context: &Context, vault: &Vault) -> i64 {
    let now = context.now();
    let open = match context.already_open() {
        Some(open) => Some(open),
        None if Over::of(Some(vault), now.offset_s).doubt(now).is_none() => None,
        None => context.unlocked_quietly().ok().flatten(),
    };
    open.map_or(0, |open| {
        open.now().unix_ms.saturating_sub(now.unix_ms).max(0)
    })
}

/// The moment after which nothing can have been recorded, while it is this late. A clock of
/// long ago takes no date from a file.
pub(super) fn latest(now: Moment) -> Moment {
    let unix_ms = now.unix_ms.max(EARLIEST_MS);
    Moment { unix_ms, ..now }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_is_a_day_behind_what_is_over_for_certain_is_doubted() {
        let at = |unix_ms| Moment {
            unix_ms,
            offset_s: 3600,
        };
        let day_ms = 2 * TRUSTED_AHEAD_MS;
        let made = Over::known(None, 3600);
        assert_eq!(made.doubt(at(EARLIEST_MS)), None);
        assert!(confirm(at(EARLIEST_MS)).is_ok());
        assert!(confirm(at(100_000_000_000)).is_err());
        let told = made.doubt(at(100_000_000_000)).unwrap_or_default();
        assert!(told.contains("says 1973-03-03"), "{told}");
        let later_ms = EARLIEST_MS + 10 * day_ms;
        let later = UNIX_EPOCH + Duration::from_millis(later_ms.unsigned_abs());
        let changed = Over::known(Some(later), 3600);
        assert!(changed.doubt(at(later_ms - day_ms)).is_some());
        for right in [later_ms - 1_000, later_ms, later_ms + 10 * day_ms] {
            assert_eq!(changed.doubt(at(right)), None);
        }
    }
}

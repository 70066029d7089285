//! Whether a vault takes a clock at its word, and what date it gives what is done now.

use crate::recording::Moment;

/// How far ahead of the last time it has seen a vault takes a clock at its word: a day,
/// and two hours more, so that whoever comes every night at the same time is not asked
/// when he comes a little late, or in the night in which the clocks are changed.
pub const TRUSTED_AHEAD_MS: i64 = 26 * 3_600_000;

/// When the first version of this program was being made: no right clock is earlier.
/// 2026-11-01, milliseconds since 1970-01-01T00:00:00Z.
pub const EARLIEST_MS: i64 = 1_793_491_200_000;

/// Whether a clock can be taken at its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Only if it goes on from where it was believed last.
    IfPlausible,
    /// Its owner says that it is right.
    Confirmed,
}

/// What a vault makes of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockVerdict {
    /// It goes on from where it was believed last.
    Right,
    /// It is more than a day ahead of that: nobody was here for that long, or it was set
    /// wrong.
    Ahead,
    /// It is behind the latest time that the vault has seen.
    Behind,
}

/// Whether a clock can be taken at its word, given the latest time that a vault has seen
/// and the latest that it believed. One that has believed none yet believes any.
#[must_use]
pub fn judge_clock(last_seen_ms: i64, believed_ms: i64, now: Moment) -> ClockVerdict {
    let ahead_ms = now.unix_ms.saturating_sub(believed_ms);
    if believed_ms != 0 && ahead_ms > TRUSTED_AHEAD_MS {
        ClockVerdict::Ahead
    } else if now.unix_ms < last_seen_ms {
        ClockVerdict::Behind
    } else {
        ClockVerdict::Right
    }
}

/// The date of what is done while a clock says this: what it says, unless it can't be so.
/// A clock that is more than a day earlier than what a vault believed last is broken, and
/// the latest time seen counts. In between the clock counts: it may be that one leapt ahead
/// before, and what nobody confirmed must not outvote it.
#[must_use]
pub fn dated(last_seen_ms: i64, believed_ms: i64, now: Moment) -> Moment {
    // What was believed since was not known when something was begun that waits.
    let earliest_ms = match believed_ms {
        0 => last_seen_ms,
        _ => believed_ms.min(last_seen_ms),
    };
    if earliest_ms.saturating_sub(now.unix_ms) <= TRUSTED_AHEAD_MS {
        return now;
    }
    Moment {
        unix_ms: last_seen_ms,
        ..now
    }
}

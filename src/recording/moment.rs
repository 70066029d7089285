//! A point in time, with the offset that held where it was taken.

use std::fmt;

use jiff::{Timestamp, Zoned, tz};
use serde::{Deserialize, Serialize};

/// A moment with the offset from UTC that held where it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub unix_ms: i64,
    /// Seconds east of UTC.
    pub offset_s: i32,
}

impl Moment {
    /// The moment of a wall clock.
    #[must_use]
    pub fn from_zoned(zoned: &Zoned) -> Self {
        Self {
            unix_ms: zoned.timestamp().as_millisecond(),
            offset_s: zoned.offset().seconds(),
        }
    }

    /// The same moment as a wall clock at its own offset; out-of-range values
    /// (a damaged card) are taken to the nearest that exist.
    #[must_use]
    pub fn to_zoned(self) -> Zoned {
        let least = Timestamp::MIN.as_millisecond();
        let most = Timestamp::MAX.as_millisecond();
        let timestamp =
            Timestamp::from_millisecond(self.unix_ms.clamp(least, most)).unwrap_or_default();
        let offset = tz::Offset::from_seconds(self.offset_s).unwrap_or(tz::Offset::UTC);
        timestamp.to_zoned(offset.to_time_zone())
    }
}

/// RFC 3339 with the offset, to the second: `2026-11-22T09:12:00+01:00`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_zoned().strftime("%Y-%m-%dT%H:%M:%S%:z"))
    }
}

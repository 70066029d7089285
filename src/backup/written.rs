//! How things are written in the JSON of a backup, for people and programs that
//! have nothing of this one: ids and hashes as hexadecimal digits, moments in RFC
//! 3339 to the millisecond.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Digest as _;

/// SHA-256 of a file.
pub type Hash = Digits<32>;

/// The checksum of a sealed record, by which a changed one is noticed.
pub type Mark = Digits<16>;

/// The name of a backup.
pub type BackupId = Digits<16>;

/// Bytes that are written as hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits<const N: usize>(pub [u8; N]);

impl Digits<32> {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl<const N: usize> fmt::Display for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<const N: usize> FromStr for Digits<N> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WHY: &str = "not hexadecimal digits of the right number";
        let lower = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() != 2 * N || !text.bytes().all(lower) {
            return Err(WHY);
        }
        let mut bytes = [0; N];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| WHY)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| WHY)?;
        }
        Ok(Self(bytes))
    }
}

impl<const N: usize> Serialize for Digits<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Digits<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parsed(from)
    }
}

fn parsed<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
    text.parse().map_err(de::Error::custom)
}

/// An id as 32 hexadecimal digits.
pub(super) mod id {
    use super::{Deserializer, Serializer, parsed};
    use crate::recording::RecordingId;

    pub(in crate::backup) fn serialize<S: Serializer>(
        id: &RecordingId,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(in crate::backup) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<RecordingId, D::Error> {
        parsed(from)
    }
}

/// A vault's id as 32 hexadecimal digits.
pub(super) mod vault_id {
    use serde::Deserialize as _;

    use super::{Deserializer, Digits, Serializer};
    use crate::crypto::VaultId;

    pub(in crate::backup) fn serialize<S: Serializer>(
        id: &VaultId,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(in crate::backup) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<VaultId, D::Error> {
        Digits::deserialize(from).map(|Digits(bytes)| VaultId::from_bytes(bytes))
    }
}

/// A moment: `2026-11-22T09:12:00.000+01:00`.
pub(super) mod moment {
    use jiff::fmt::strtime;

    use super::{Deserialize as _, Deserializer, Serializer, de};
    use crate::recording::Moment;

    const FORM: &str = "%Y-%m-%dT%H:%M:%S%.3f%:z";
    const FORM_READ: &str = "%Y-%m-%dT%H:%M:%S%.f%:z";

    pub(in crate::backup) fn serialize<S: Serializer>(
        moment: &Moment,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(&moment.to_zoned().strftime(FORM))
    }

    pub(in crate::backup) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Moment, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        let read = strtime::parse(FORM_READ, text.as_bytes()).map_err(de::Error::custom)?;
        let at = read.to_timestamp().map_err(de::Error::custom)?;
        Ok(Moment {
            unix_ms: at.as_millisecond(),
            offset_s: read.offset().map_or(0, |offset| offset.seconds()),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;
    use crate::recording::Moment;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct At(#[serde(with = "moment")] Moment);

    #[test]
    fn a_moment_reads_as_people_write_it() {
        let at = At(Moment {
            unix_ms: 1_795_335_120_042,
            offset_s: 3600,
        });
        let text = serde_json::to_string(&at).unwrap();
        assert_eq!(text, r#""2026-11-22T09:12:00.042+01:00""#);
    }

    #[test]
    fn digits_are_lower_case_and_of_one_number() {
        let mark = Digits([0xab, 0x01]);
        assert_eq!(mark.to_string(), "ab01");
        assert_eq!("ab01".parse(), Ok(mark));
        for strange in ["AB01", "ab0", "ab012", "+b01", "äb1"] {
            assert!(strange.parse::<Digits<2>>().is_err(), "{strange}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_comes_back_to_the_millisecond(
            unix_ms in -60_000_000_000_000i64..250_000_000_000_000,
            offset_s in -90_000i32..90_000,
        ) {
            let at = At(Moment { unix_ms, offset_s });
            let text = serde_json::to_string(&at).unwrap();
            prop_assert_eq!(serde_json::from_str::<At>(&text).unwrap(), at);
        }

        #[test]
        fn any_text_is_read_or_refused_and_never_panics(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            let _ = serde_json::from_str::<At>(&json);
            let _ = serde_json::from_str::<Hash>(&json);
        }
    }
}

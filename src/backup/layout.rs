//! What the files of a backup are called, in its folder and inside a segment.
//!
//! ```text
//! DIR/0001.tar.age        a segment: written once, never changed
//!     0002.tar.age.part   one that is being written
//!     passphrase.age      a copy of each way in, by the name of its slot
//!
//! 0001.tar.age:
//!     <id>/meta.json      first, so that a stream is taken back as it comes
//!     <id>/audio.opus     of a long recording its first stretch; the second is
//!                         audio.2.opus, in a later segment
//!     <id>/transcript.txt
//!     <id>/transcript.srt
//!     MANIFEST.json       last
//! ```

use std::fmt;
use std::ops::Range;

use crate::recording::RecordingId;

/// The last file of every segment.
pub const MANIFEST: &str = "MANIFEST.json";

/// A segment takes recordings until it holds this much, before it is sealed.
pub const ENOUGH_BYTES: u64 = 64 << 20;

/// A recording that would make a segment longer than this begins the next one.
pub const MOST_BYTES: u64 = 256 << 20;

/// How the sound of a long recording is laid out, in segments of the vault (0.8 s).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Sound up to this length is one file.
    pub whole: u64,
    /// Longer sound is parted into stretches of this length. Each has a segment of the
    /// backup to itself; the last one, which is what is left, lies beside the words.
    pub stretch: u64,
}

/// Ten hours are 123 MiB, and five are 62: with each there is room for the words of many
/// transcripts up to [`MOST_BYTES`].
impl Default for Lengths {
    fn default() -> Self {
        Self {
            whole: 45_000,
            stretch: 22_500,
        }
    }
}

impl Lengths {
    /// The stretches of so much sound, in order; one if it is not parted.
    pub fn stretches(self, segments: u64) -> impl Iterator<Item = Range<u64>> {
        let each = match segments <= self.whole {
            true => segments,
            false => self.stretch,
        };
        let each = each.max(1);
        let stretch = move |number| number * each..segments.min((number + 1) * each);
        (0..segments.div_ceil(each).max(1)).map(stretch)
    }
}

/// A copy of a way in is never longer.
pub const MOST_SLOT_BYTES: u64 = 256 * 1024;

/// What a segment's name has behind it while it is being written.
const PART: &str = ".part";

/// What it has before that where the usual name can't be had.
const OTHER: &str = ".2";

const SEGMENT: &str = ".tar.age";
const SLOT: &str = ".age";

/// The name of a segment, from 1.
#[must_use]
pub fn segment_name(number: u32) -> String {
    format!("{number:04}{SEGMENT}")
}

/// Numbers up to the last one of which nothing is known, in order. A forged number must
/// not cost a line for each of four billion: of many these are the first.
pub fn gaps(last: u32, is_known: impl Fn(&u32) -> bool) -> impl Iterator<Item = u32> {
    const MOST: usize = 1000;
    (1..=last)
        .filter(move |number| !is_known(number))
        .take(MOST)
}

/// The name of the copy of a way in.
#[must_use]
pub fn slot_name(slot: &str) -> String {
    let name = format!("{slot}{SLOT}");
    match Found::parse(&name) {
        Found::Segment(_) => format!("{slot}.key{SLOT}"),
        _ => name,
    }
}

/// The names of a segment or a copy while it is being written: the usual one, and one for
/// when something is in its way.
#[must_use]
pub fn part_names(name: &str) -> [String; 2] {
    [format!("{name}{PART}"), format!("{name}{OTHER}{PART}")]
}

/// What a file of a backup's folder is, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A segment.
    Segment(u32),
    /// A segment, or a copy of a way in, that is or was being written.
    Part,
    /// A copy of a way in, by the name of its slot.
    Slot(String),
    /// Something else.
    Foreign,
}

impl Found {
    /// What a name says.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        if let Some(digits) = name.strip_suffix(SEGMENT) {
            // One name for each number: what is written otherwise is not ours.
            return match digits.parse() {
                Ok(number) if number > 0 && segment_name(number) == name => Self::Segment(number),
                _ => Self::Foreign,
            };
        }
        if let Some(whole) = name.strip_suffix(PART) {
            let whole = whole.strip_suffix(OTHER).unwrap_or(whole);
            return match Self::parse(whole) {
                Self::Segment(_) | Self::Slot(_) => Self::Part,
                _ => Self::Foreign,
            };
        }
        match name.strip_suffix(SLOT) {
            Some(slot) if !slot.is_empty() && !slot.starts_with('.') => Self::Slot(slot.into()),
            _ => Self::Foreign,
        }
    }
}

/// A file inside a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// The sound of a recording, as Ogg Opus; of one that is parted the first stretch.
    Audio(RecordingId),
    /// A further stretch of it, by its number, from 2.
    Stretch(RecordingId, u32),
    /// All that is known of it.
    Meta(RecordingId),
    /// Its newest transcript as text; empty where it has none.
    Text(RecordingId),
    /// The same as subtitles.
    Subtitles(RecordingId),
    /// The manifest of the segment.
    Manifest,
}

impl Member {
    /// What a path says; `None` for one that no backup has.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        if path == MANIFEST {
            return Some(Self::Manifest);
        }
        let (id, name) = path.split_once('/')?;
        let id: RecordingId = id.parse().ok()?;
        let member = match name {
            "audio.opus" => Self::Audio(id),
            _ if name.starts_with("audio.") => {
                let number = name.strip_prefix("audio.")?.strip_suffix(".opus")?;
                Self::Stretch(id, number.parse().ok().filter(|number| *number > 1)?)
            }
            "meta.json" => Self::Meta(id),
            "transcript.txt" => Self::Text(id),
            "transcript.srt" => Self::Subtitles(id),
            _ => return None,
        };
        // Upper-case digits would be a second path of the same.
        (member.to_string() == path).then_some(member)
    }

    /// A stretch of the sound of a recording, by its number, from 1.
    #[must_use]
    pub const fn stretch(id: RecordingId, number: u32) -> Self {
        match number {
            0 | 1 => Self::Audio(id),
            number => Self::Stretch(id, number),
        }
    }

    /// The recording it belongs to.
    #[must_use]
    pub fn id(&self) -> Option<RecordingId> {
        match self {
            Self::Audio(id)
            | Self::Stretch(id, _)
            | Self::Meta(id)
            | Self::Text(id)
            | Self::Subtitles(id) => Some(*id),
            Self::Manifest => None,
        }
    }
}

/// The path in the tar.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audio(id) => write!(f, "{id}/audio.opus"),
            Self::Stretch(id, number) => write!(f, "{id}/audio.{number}.opus"),
            Self::Meta(id) => write!(f, "{id}/meta.json"),
            Self::Text(id) => write!(f, "{id}/transcript.txt"),
            Self::Subtitles(id) => write!(f, "{id}/transcript.srt"),
            Self::Manifest => f.write_str(MANIFEST),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_folder_is_told_by_the_names_in_it() {
        for number in [1, 17, 9999, 10_000, u32::MAX] {
            assert_eq!(Found::parse(&segment_name(number)), Found::Segment(number));
        }
        assert_eq!(segment_name(1), "0001.tar.age");
        assert_eq!(Found::parse("0001.tar.age.part"), Found::Part);
        for part in part_names("0001.tar.age").map(|name| Found::parse(&name)) {
            assert_eq!(part, Found::Part);
        }
        assert_eq!(Found::parse("passphrase.age.part"), Found::Part);
        assert_eq!(
            Found::parse("passphrase.age"),
            Found::Slot("passphrase".into())
        );
        for strange in [
            "0000.tar.age",
            "1.tar.age",
            "00001.tar.age",
            "+001.tar.age",
            "99999999999.tar.age",
            ".age",
            ".hidden.age",
            "notes.txt",
            "notes.txt.part",
            ".part",
        ] {
            assert_eq!(Found::parse(strange), Found::Foreign, "{strange}");
        }
    }

    #[test]
    fn a_way_in_never_takes_the_name_of_a_segment() {
        assert_eq!(slot_name("passphrase"), "passphrase.age");
        assert_eq!(slot_name("0001.tar"), "0001.tar.key.age");
    }

    #[test]
    fn a_path_in_a_segment_is_one_file_of_one_recording() {
        let id = RecordingId::from_bytes([0xab; 16]);
        for member in [
            Member::Audio(id),
            Member::Stretch(id, 2),
            Member::Stretch(id, 17),
            Member::Meta(id),
            Member::Text(id),
            Member::Subtitles(id),
            Member::Manifest,
        ] {
            assert_eq!(Member::parse(&member.to_string()), Some(member));
        }
        let upper = Member::Meta(id).to_string().replace("ab", "AB");
        for strange in [
            "",
            "/",
            "../meta.json",
            "meta.json",
            "abc/meta.json",
            &upper,
        ] {
            assert_eq!(Member::parse(strange), None, "{strange}");
        }
        for strange in [
            "../meta.json",
            "audio.1.opus",
            "audio.02.opus",
            "audio..opus",
        ] {
            assert_eq!(Member::parse(&format!("{id}/{strange}")), None, "{strange}");
        }
    }

    #[test]
    fn sound_is_parted_only_where_it_is_long_and_without_a_rest() {
        let lengths = Lengths {
            whole: 9,
            stretch: 4,
        };
        let parted = |segments| -> Vec<(u64, u64)> {
            let stretches = lengths.stretches(segments);
            stretches.map(|one| (one.start, one.end)).collect()
        };
        assert_eq!(parted(0), [(0, 0)]);
        assert_eq!(parted(9), [(0, 9)]);
        assert_eq!(parted(10), [(0, 4), (4, 8), (8, 10)]);
        assert_eq!(parted(12), [(0, 4), (4, 8), (8, 12)]);
    }
}

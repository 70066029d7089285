//! M4A and its relatives: what iTunes calls the day (`©day`), Apple's recorders' own
//! creation date, else when the movie header says that it was made.

use std::io::{Read, Seek, SeekFrom};

use jiff::Timestamp;

use super::bytes_at;
use crate::time::stamp::Stamp;

/// Boxes looked at before giving up on a crafted file.
const MOST_BOXES: usize = 4_096;

/// Seconds from 1904, from which these files count, to 1970.
const EPOCH_S: i64 = 2_082_844_800;

/// What Voice Memos and cameras of Apple write as one of several keyed values.
const APPLE: &[u8] = b"com.apple.quicktime.creationdate";

pub(super) fn recorded<F: Read + Seek>(file: &mut F) -> Option<Stamp> {
    let end = file.seek(SeekFrom::End(0)).ok()?;
    let mut walk = Walk {
        file,
        boxes: 0,
        made: None,
        day: None,
        keyed: None,
        has_apple: false,
    };
    walk.boxes_between(0, end, 0);
    walk.keyed.or(walk.day).or(walk.made)
}

struct Walk<'a, F> {
    file: &'a mut F,
    boxes: usize,
    made: Option<Stamp>,
    day: Option<Stamp>,
    keyed: Option<Stamp>,
    has_apple: bool,
}

impl<F: Read + Seek> Walk<'_, F> {
    fn boxes_between(&mut self, mut at: u64, end: u64, depth: u32) -> Option<()> {
        while at + 8 <= end && depth < 8 {
            self.boxes += 1;
            if self.boxes > MOST_BOXES {
                return None;
            }
            let head = bytes_at(self.file, at, 16)?;
            let size = u64::from(u32::from_be_bytes(*head.first_chunk()?));
            let kind: [u8; 4] = *head.get(4..8)?.first_chunk()?;
            let (size, body) = match size {
                0 => (end - at, at + 8),
                1 => (
                    u64::from_be_bytes(*head.get(8..16)?.first_chunk()?),
                    at + 16,
                ),
                size => (size, at + 8),
            };
            let next = at
                .checked_add(size)
                .filter(|next| *next >= body && *next <= end)?;
            match &kind {
                b"moov" | b"udta" | b"ilst" | b"\xa9day" => {
                    self.boxes_between(body, next, depth + 1);
                }
                // In files of QuickTime it has no version in front.
                b"meta" => {
                    let inside = bytes_at(self.file, body, 8)?;
                    let plain =
                        inside.get(4..8) == Some(b"hdlr") || inside.get(4..8) == Some(b"keys");
                    self.boxes_between(if plain { body } else { body + 4 }, next, depth + 1);
                }
                b"mvhd" => self.made = header(&bytes_at(self.file, body, 20)?),
                b"keys" => {
                    let keys = bytes_at(self.file, body, next - body)?;
                    self.has_apple = keys.windows(APPLE.len()).any(|key| key == APPLE);
                }
                b"data" => {
                    let value = bytes_at(self.file, body, next - body)?;
                    self.take(&value, Kind::Day);
                }
                // The values of keys are numbered instead of named.
                [0, 0, 0, _] if self.has_apple => {
                    let value = bytes_at(self.file, body, next - body)?;
                    self.take(value.get(8..).unwrap_or_default(), Kind::Keyed);
                }
                _ => {}
            }
            at = next;
        }
        Some(())
    }

    /// A value: its type, its language, its text. Of the keyed ones only a date reads as one.
    fn take(&mut self, value: &[u8], kind: Kind) {
        let text = value
            .get(8..)
            .and_then(|text| std::str::from_utf8(text).ok());
        let Some(stamp) = text.and_then(Stamp::parse) else {
            return;
        };
        match kind {
            Kind::Day => self.day = self.day.or(Some(stamp)),
            Kind::Keyed => self.keyed = self.keyed.or(Some(stamp)),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Day,
    Keyed,
}

fn header(body: &[u8]) -> Option<Stamp> {
    let seconds = match body.first()? {
        1 => i64::try_from(u64::from_be_bytes(*body.get(4..12)?.first_chunk()?)).ok()?,
        _ => i64::from(u32::from_be_bytes(*body.get(4..8)?.first_chunk()?)),
    };
    // 0 is what is written where it is not known; some count from 1970 after all.
    let unix_s = seconds.checked_sub(EPOCH_S).filter(|unix_s| *unix_s > 0)?;
    Timestamp::from_second(unix_s).ok().map(Stamp::of)
}

//! Where the sound in an M4A begins and how long it is.
//!
//! AAC encoders put 1,024 or more samples before the sound and pad its end; an
//! edit list (ISO/IEC 14496-12, 8.6.6) says what counts. Symphonia 0.6 reads
//! past it, so the boxes that matter are read here: `moov`/`trak`/`edts`/`elst`
//! and the two time scales. What can't be made sense of gives None: then
//! nothing is trimmed.

use std::io::{Read, Seek, SeekFrom};

/// The largest box that is looked into.
const LARGEST_BOX: u64 = 64 << 10;

/// Boxes looked at before giving up on a crafted file.
const MOST_BOXES: u32 = 4096;

/// What counts of the first sound track, in frames of its media time scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    /// Units per second in which the others are given.
    pub(super) scale_hz: u32,
    /// How much comes before the sound.
    pub(super) skip: u64,
    /// How long the sound is.
    pub(super) length: u64,
}

pub(super) fn is_mp4(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
}

/// The edit of the first sound track, where there is one.
pub(super) fn edit_of<F: Read + Seek>(file: &mut F) -> Option<Edit> {
    let end = file.seek(SeekFrom::End(0)).ok()?;
    let mut walk = Walk {
        file,
        boxes: 0,
        movie_hz: 0,
        track: Track::default(),
        found: None,
    };
    walk.boxes_between(0, end, 0)?;
    walk.found
}

struct Walk<'a, F> {
    file: &'a mut F,
    boxes: u32,
    movie_hz: u32,
    track: Track,
    found: Option<Edit>,
}

/// What is known of the track being read.
#[derive(Default)]
struct Track {
    is_sound: bool,
    /// Time scale and length of the media.
    media: Option<(u32, u64)>,
    /// Length in the movie's time scale and where it begins in the media's.
    edits: Vec<(u64, i64)>,
}

impl<F: Read + Seek> Walk<'_, F> {
    fn boxes_between(&mut self, mut at: u64, end: u64, depth: u32) -> Option<()> {
        while at + 8 <= end && self.found.is_none() {
            self.boxes += 1;
            if self.boxes > MOST_BOXES || depth > 4 {
                return None;
            }
            self.file.seek(SeekFrom::Start(at)).ok()?;
            let mut head = [0; 8];
            self.file.read_exact(&mut head).ok()?;
            let [a, b, c, d, kind @ ..] = head;
            let (size, body) = match u32::from_be_bytes([a, b, c, d]) {
                0 => (end - at, at + 8),
                1 => {
                    let mut long = [0; 8];
                    self.file.read_exact(&mut long).ok()?;
                    (u64::from_be_bytes(long), at + 16)
                }
                size => (u64::from(size), at + 8),
            };
            let next = at
                .checked_add(size)
                .filter(|next| *next >= body && *next <= end)?;
            match &kind {
                b"moov" | b"edts" | b"mdia" => self.boxes_between(body, next, depth + 1)?,
                b"trak" => {
                    self.track = Track::default();
                    self.boxes_between(body, next, depth + 1)?;
                    self.found = self.track.edit(self.movie_hz);
                }
                b"mvhd" => self.movie_hz = header(&self.bytes(body, next)?)?.0,
                b"mdhd" => self.track.media = header(&self.bytes(body, next)?),
                b"hdlr" => {
                    self.track.is_sound = self.bytes(body, next)?.get(8..12) == Some(b"soun");
                }
                b"elst" => self.track.edits = edits(&self.bytes(body, next)?)?,
                _ => {}
            }
            at = next;
        }
        Some(())
    }

    fn bytes(&mut self, from: u64, to: u64) -> Option<Vec<u8>> {
        let length = to
            .checked_sub(from)
            .filter(|length| *length <= LARGEST_BOX)?;
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.file.seek(SeekFrom::Start(from)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

impl Track {
    fn edit(&self, movie_hz: u32) -> Option<Edit> {
        let (scale_hz, media_length) = self.media.filter(|_| self.is_sound)?;
        // Empty edits (a start of -1) shift the track against a picture; of
        // several real ones nothing can be said in one stretch.
        let mut real = self.edits.iter().filter(|(_, start)| *start >= 0);
        let (Some((length, start)), None) = (real.next(), real.next()) else {
            return None;
        };
        let skip = u64::try_from(*start).ok()?;
        let rest = media_length.checked_sub(skip)?;
        // The movie's scale is coarse (often milliseconds): where it agrees
        // with the media's own length up to one unit, the latter is exact.
        let scale = |hz: u32| u64::from(hz.max(1));
        let told = u128::from(*length) * u128::from(scale(scale_hz)) / u128::from(scale(movie_hz));
        let told = u64::try_from(told)
            .ok()
            .filter(|told| *told > 0)
            .unwrap_or(rest);
        let unit = scale(scale_hz) / scale(movie_hz) + 1;
        let length = if rest.abs_diff(told) <= unit {
            rest
        } else {
            told.min(rest)
        };
        Some(Edit {
            scale_hz,
            skip,
            length,
        })
    }
}

/// Time scale and length from a `mvhd` or `mdhd`.
fn header(bytes: &[u8]) -> Option<(u32, u64)> {
    if bytes.first()? == &1 {
        Some((be32(bytes, 20)?, be64(bytes, 24)?))
    } else {
        Some((be32(bytes, 12)?, u64::from(be32(bytes, 16)?)))
    }
}

fn edits(bytes: &[u8]) -> Option<Vec<(u64, i64)>> {
    let long = bytes.first()? == &1;
    let count = be32(bytes, 4)?.min(64) as usize;
    (0..count)
        .map(|entry| {
            if long {
                let at = 8 + entry * 20;
                Some((be64(bytes, at)?, be64(bytes, at + 8)? as i64))
            } else {
                let at = 8 + entry * 12;
                Some((
                    u64::from(be32(bytes, at)?),
                    i64::from(be32(bytes, at + 4)? as i32),
                ))
            }
        })
        .collect()
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_be_bytes(*bytes))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|bytes| u64::from_be_bytes(*bytes))
}

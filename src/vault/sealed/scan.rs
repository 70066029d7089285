//! Finds frames and age files at any offset in any bytes.
//!
//! What an attacker with every byte of the directory would look for, and what a
//! rescue from a damaged store works with. Pure: it reads what it is given and
//! opens nothing.

use super::frame::{self, Facts, Frame, HEADER_BYTES, MAGIC};

/// The line every age file begins with.
pub const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// Something that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// Where, in bytes from the start.
    pub at: usize,
    /// What.
    pub what: What<'a>,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What<'a> {
    /// A whole frame with a fitting checksum.
    Frame(Frame<'a>),
    /// Something that begins like a frame and is none: damaged or cut off.
    /// Its facts are those of the header, not to be relied on.
    Remains {
        /// What the header says, where it can be read.
        facts: Option<Facts>,
        /// Why it is not a frame.
        why: frame::Unreadable,
    },
    /// The start of an age file, and all bytes from there on; inside frames too.
    Age(&'a [u8]),
}

/// Everything in the bytes that looks like a frame or an age file, in order.
pub fn scan(bytes: &[u8]) -> impl Iterator<Item = Found<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(at) = next_candidate(bytes, from) {
            from = at + 1;
            let rest = &bytes[at..];
            if rest.starts_with(AGE_MAGIC) {
                return Some(Found {
                    at,
                    what: What::Age(rest),
                });
            }
            if rest.starts_with(&MAGIC) {
                return Some(Found {
                    at,
                    what: frame_at(rest),
                });
            }
        }
        None
    })
}

/// The whole frames in the bytes, in order; what lies inside a frame is not
/// looked at again.
pub fn frames(bytes: &[u8]) -> impl Iterator<Item = (usize, Frame<'_>)> {
    let mut end = 0;
    scan(bytes).filter_map(move |found| match found.what {
        What::Frame(frame) if found.at >= end => {
            end = found.at + frame.bytes.len();
            Some((found.at, frame))
        }
        _ => None,
    })
}

/// Where the next frame may begin, from there on; for whoever has much to look
/// through. Nothing but the magic is looked at.
#[must_use]
pub fn next_magic(bytes: &[u8], from: usize) -> Option<usize> {
    // Looking for one byte in a piece is much faster than asking byte by byte.
    const PIECE: usize = 64;
    let mut start = from;
    for piece in bytes.get(from..)?.chunks(PIECE) {
        if piece.contains(&MAGIC[0]) {
            let begins = |at: &usize| bytes[start + at..].starts_with(&MAGIC);
            if let Some(at) = (0..piece.len()).find(begins) {
                return Some(start + at);
            }
        }
        start += piece.len();
    }
    None
}

fn next_candidate(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter()
        .position(|byte| *byte == MAGIC[0] || *byte == AGE_MAGIC[0])
        .map(|at| from + at)
}

fn frame_at(bytes: &[u8]) -> What<'_> {
    match frame::parse(bytes) {
        Ok(frame) => What::Frame(frame),
        Err(why) => What::Remains {
            facts: bytes
                .first_chunk::<HEADER_BYTES>()
                .and_then(frame::facts_of),
            why,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use proptest::prelude::*;

    use super::*;
    use crate::recording::RecordingId;
    use crate::vault::sealed::frame::Kind;

    fn frame(number: u32, body: &[u8]) -> Vec<u8> {
        let id = RecordingId::from_bytes([number as u8; 16]);
        let facts = Facts {
            kind: Kind::Sound,
            id,
            epoch: 0,
            number,
            revision: 0,
        };
        frame::encode(&facts, body).unwrap()
    }

    proptest! {
        #[test]
        fn a_frame_is_found_wherever_it_lies(before: Vec<u8>, after: Vec<u8>, body: Vec<u8>) {
            let one = frame(1, &body);
            let bytes = [&before[..], &one, &after].concat();
            let found: Vec<_> = frames(&bytes).map(|(at, frame)| (at, frame.bytes.to_vec())).collect();
            prop_assert!(found.contains(&(before.len(), one)));
        }

        #[test]
        fn the_next_magic_is_the_one_that_a_plain_search_finds(before: Vec<u8>, from in 0..40_usize) {
            let bytes = [&before[..], &[MAGIC[0]; 3], &MAGIC, b"and more"].concat();
            let rest = bytes.get(from..).unwrap_or_default();
            let plain = rest.windows(MAGIC.len()).position(|eight| eight == MAGIC);
            prop_assert_eq!(next_magic(&bytes, from), plain.map(|at| from + at));
        }

        #[test]
        fn any_bytes_are_scanned_without_a_panic(bytes: Vec<u8>) {
            let _ = scan(&bytes).count();
        }
    }

    #[test]
    fn age_headers_inside_frames_and_remains_of_frames_are_found() {
        let mut cut = frame(2, b"age-encryption.org/v1\n and more");
        cut.pop();
        let bytes = [frame(1, b"age-encryption.org/v1\n"), cut].concat();
        let kinds: Vec<&str> = scan(&bytes)
            .map(|found| match found.what {
                What::Frame(_) => "frame",
                What::Remains { facts: Some(_), .. } => "remains",
                What::Remains { .. } => "nothing",
                What::Age(_) => "age",
            })
            .collect();
        assert_eq!(kinds, ["frame", "age", "remains", "age"]);
    }
}

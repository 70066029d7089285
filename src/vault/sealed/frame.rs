//! The frame in the clear behind which every sealed record stands.
//!
//! A frame says which recording, epoch, kind, number and revision the sealed
//! body has; the same facts stand sealed inside the body and are compared on
//! opening, so a record moved to another place is noticed. The checksum finds
//! accidents without a key; it protects against nobody who can write.
//!
//! ```text
//!  0   8  magic  8f 'v' 'o' 'x' 'r' 'e' 'c' 0a
//!  8   2  version, 1
//! 10   1  kind
//! 11   1  0
//! 12  16  recording id
//! 28   4  epoch
//! 32   4  number
//! 36   4  revision
//! 40   4  length of the sealed body
//! 44   4  0
//! 48  16  first half of SHA-256 over bytes 0 to 48 and the body
//! 64   …  sealed body, an age file
//! ```
//!
//! Integers are little-endian. Bytes 8 to 40, the facts, are repeated as the
//! first 32 bytes of the sealed plaintext.

use sha2::{Digest, Sha256};

use crate::recording::RecordingId;

/// The bytes a frame begins with.
pub const MAGIC: [u8; 8] = *b"\x8fvoxrec\n";

/// Bytes of a frame before its body.
pub const HEADER_BYTES: usize = 64;

/// Bytes of the facts, in the header and again at the start of the plaintext.
pub const FACTS_BYTES: usize = 32;

/// The longest body that is taken: a transcript of a day is a tenth of it.
pub const MAX_BODY_BYTES: usize = 64 << 20;

const VERSION: u16 = 1;
const FACTS: std::ops::Range<usize> = 8..8 + FACTS_BYTES;
const LENGTH: std::ops::Range<usize> = 40..44;
const CHECKSUM: std::ops::Range<usize> = 48..HEADER_BYTES;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The clip keys of a recording, sealed to the inbox key.
    Keys = 1,
    /// One segment of sound; the number counts from 0.
    Sound = 2,
    /// One transcript; the number is its version, from 1.
    Words = 3,
    /// The card; the number is how many sound segments it speaks of.
    Card = 4,
    /// An entry of the log.
    Log = 5,
    /// A card written while the recording still runs.
    Draft = 6,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [
            Self::Keys,
            Self::Sound,
            Self::Words,
            Self::Card,
            Self::Log,
            Self::Draft,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// Which record this is: what the frame says in the clear and repeats inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts {
    /// What it holds.
    pub kind: Kind,
    /// Whose it is.
    pub id: RecordingId,
    /// How often the recording's keys had been replaced.
    pub epoch: u32,
    /// Its place among the records of its kind.
    pub number: u32,
    /// Counts its rewrites.
    pub revision: u32,
}

impl Facts {
    /// The facts as they stand in the header and in the plaintext.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; FACTS_BYTES] {
        let mut bytes = [0; FACTS_BYTES];
        bytes[0..2].copy_from_slice(&VERSION.to_le_bytes());
        bytes[2] = self.kind as u8;
        bytes[4..20].copy_from_slice(self.id.as_bytes());
        bytes[20..24].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.number.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.revision.to_le_bytes());
        bytes
    }

    fn parse(bytes: &[u8; FACTS_BYTES]) -> Result<Self, Unreadable> {
        let version = u16::from_le_bytes([bytes[0], bytes[1]]);
        if version != VERSION {
            return Err(Unreadable::Version(version));
        }
        let kind = Kind::from_byte(bytes[2]).ok_or(Unreadable::Kind(bytes[2]))?;
        if bytes[3] != 0 {
            return Err(Unreadable::Reserved);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&bytes[4..20]);
        Ok(Self {
            kind,
            id: RecordingId::from_bytes(id),
            epoch: u32_at(bytes, 20),
            number: u32_at(bytes, 24),
            revision: u32_at(bytes, 28),
        })
    }
}

/// A frame and its sealed body, borrowed from the bytes it was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it says of itself; compare with what is sealed inside.
    pub facts: Facts,
    /// The age file.
    pub body: &'a [u8],
    /// The whole frame, header and body.
    pub bytes: &'a [u8],
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They do not begin like one.
    #[error("no frame begins here")]
    Magic,
    /// It ends before its length is reached: a torn write.
    #[error("the frame is cut off")]
    Torn,
    /// A version this program does not know.
    #[error("frame version {0} is not known")]
    Version(u16),
    /// A kind this program does not know.
    #[error("record kind {0} is not known")]
    Kind(u8),
    /// Bytes that are always 0 are not.
    #[error("reserved bytes of the frame are not 0")]
    Reserved,
    /// No record is that long.
    #[error("the frame names a length of {0} bytes")]
    Length(u32),
    /// Header and body do not fit the checksum.
    #[error("the frame's checksum does not fit")]
    Checksum,
}

/// A frame around a sealed body.
///
/// # Errors
/// The body is longer than [`MAX_BODY_BYTES`].
pub fn encode(facts: &Facts, body: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    if body.len() > MAX_BODY_BYTES {
        return Err(Unreadable::Length(length));
    }
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&facts.to_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    let checksum = checksum(&bytes, body);
    bytes.extend_from_slice(&checksum);
    bytes.extend_from_slice(body);
    Ok(bytes)
}

/// The frame at the start of the bytes; more may follow it.
///
/// # Errors
/// [`Unreadable`], with the first reason that was found.
pub fn parse(bytes: &[u8]) -> Result<Frame<'_>, Unreadable> {
    let (facts, body_bytes) = header(bytes)?;
    let whole = bytes
        .get(..HEADER_BYTES + body_bytes)
        .ok_or(Unreadable::Torn)?;
    let (head, body) = whole.split_at(HEADER_BYTES);
    if checksum(&head[..CHECKSUM.start], body) != head[CHECKSUM] {
        return Err(Unreadable::Checksum);
    }
    Ok(Frame {
        facts,
        body,
        bytes: whole,
    })
}

/// Whether the bytes are one whole frame whose length alone is damaged: it names another
/// one, and with that of these bytes in its place the checksum fits.
#[must_use]
pub fn is_whole_but_for_its_length(bytes: &[u8]) -> bool {
    let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return false;
    };
    let Ok(length) = u32::try_from(body.len()) else {
        return false;
    };
    let mut mended = *header;
    mended[LENGTH].copy_from_slice(&length.to_le_bytes());
    checksum(&mended[..CHECKSUM.start], body) == header[CHECKSUM]
}

/// How many bytes of body follow the header at the start of the bytes.
///
/// # Errors
/// [`Unreadable`], whatever can be seen without the body.
pub fn body_bytes(bytes: &[u8]) -> Result<usize, Unreadable> {
    Ok(header(bytes)?.1)
}

fn header(bytes: &[u8]) -> Result<(Facts, usize), Unreadable> {
    let known = bytes.len().min(MAGIC.len());
    if bytes[..known] != MAGIC[..known] {
        return Err(Unreadable::Magic);
    }
    let header = bytes
        .first_chunk::<HEADER_BYTES>()
        .ok_or(Unreadable::Torn)?;
    let mut facts = [0; FACTS_BYTES];
    facts.copy_from_slice(&header[FACTS]);
    let facts = Facts::parse(&facts)?;
    let length = u32_at(header, LENGTH.start);
    if u32_at(header, 44) != 0 {
        return Err(Unreadable::Reserved);
    }
    let body_bytes = usize::try_from(length).unwrap_or(usize::MAX);
    if body_bytes > MAX_BODY_BYTES {
        return Err(Unreadable::Length(length));
    }
    Ok((facts, body_bytes))
}

/// What a header says, checked or not; for remains of frames.
#[must_use]
pub fn facts_of(header: &[u8; HEADER_BYTES]) -> Option<Facts> {
    let mut facts = [0; FACTS_BYTES];
    facts.copy_from_slice(&header[FACTS]);
    Facts::parse(&facts).ok()
}

/// The checksum in a header: differs wherever a record was sealed anew.
#[must_use]
pub fn checksum_of(header: &[u8; HEADER_BYTES]) -> [u8; 16] {
    let mut checksum = [0; 16];
    checksum.copy_from_slice(&header[CHECKSUM]);
    checksum
}

/// The frame at the start of the bytes, without a look at its checksum: for who has
/// the key, which says more.
#[must_use]
pub fn unchecked(bytes: &[u8]) -> Option<Frame<'_>> {
    let (facts, body_bytes) = header(bytes).ok()?;
    let whole = bytes.get(..HEADER_BYTES + body_bytes)?;
    Some(Frame {
        facts,
        body: &whole[HEADER_BYTES..],
        bytes: whole,
    })
}

/// The frames of a run of them, in order; ends after the first that can't be read.
pub fn run(bytes: &[u8]) -> impl Iterator<Item = Result<Frame<'_>, Unreadable>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let frame = parse(rest);
        rest = match &frame {
            Ok(frame) => &rest[frame.bytes.len()..],
            Err(_) => &[],
        };
        Some(frame)
    })
}

fn checksum(head: &[u8], body: &[u8]) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(head)
        .chain_update(body)
        .finalize();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

/// Callers pass offsets inside arrays of fixed size.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use proptest::prelude::*;

    use super::*;

    fn facts() -> impl Strategy<Value = Facts> {
        (any::<[u8; 16]>(), 1u8..=6, any::<[u32; 3]>()).prop_map(|(id, kind, [a, b, c])| Facts {
            kind: Kind::from_byte(kind).unwrap(),
            id: RecordingId::from_bytes(id),
            epoch: a,
            number: b,
            revision: c,
        })
    }

    proptest! {
        #[test]
        fn what_was_framed_is_read_back(facts in facts(), body: Vec<u8>, after: Vec<u8>) {
            let mut bytes = encode(&facts, &body).unwrap();
            let framed = bytes.len();
            bytes.extend(after);
            let frame = parse(&bytes).unwrap();
            prop_assert_eq!(frame.facts, facts);
            prop_assert_eq!(frame.body, &body[..]);
            prop_assert_eq!(frame.bytes.len(), framed);
        }

        #[test]
        fn any_bytes_are_parsed_without_a_panic(tail: Vec<u8>, with_magic: bool) {
            let mut bytes = if with_magic { MAGIC.to_vec() } else { Vec::new() };
            bytes.extend(tail);
            let _ = parse(&bytes);
            prop_assert!(run(&bytes).count() <= 1 + bytes.len() / HEADER_BYTES);
        }

        #[test]
        fn every_flipped_byte_is_noticed(facts in facts(), body in prop::collection::vec(any::<u8>(), 0..80), flip in 1u8..) {
            let bytes = encode(&facts, &body).unwrap();
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                prop_assert!(parse(&changed).is_err(), "byte {}", at);
            }
        }

        #[test]
        fn a_frame_whose_length_alone_is_another_is_told_from_one_that_is_cut(
            facts in facts(), body in prop::collection::vec(any::<u8>(), 1..80), bit in 0..32_usize,
        ) {
            let whole = encode(&facts, &body).unwrap();
            prop_assert!(!is_whole_but_for_its_length(&whole[..whole.len() - 1]));
            let mut longer = whole;
            longer[LENGTH.start + bit / 8] ^= 1 << (bit % 8);
            prop_assert!(is_whole_but_for_its_length(&longer));
        }

        #[test]
        fn every_cut_is_torn(facts in facts(), body in prop::collection::vec(any::<u8>(), 0..80)) {
            let bytes = encode(&facts, &body).unwrap();
            for cut in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..cut]), Err(Unreadable::Torn));
            }
        }
    }

    #[test]
    fn a_run_ends_at_the_first_damage() {
        let facts = Facts {
            kind: Kind::Sound,
            id: RecordingId::from_bytes([7; 16]),
            epoch: 0,
            number: 0,
            revision: 0,
        };
        let one = encode(&facts, b"sealed").unwrap();
        let mut bytes = one.repeat(3);
        bytes[one.len() + HEADER_BYTES] ^= 1;
        let found: Vec<_> = run(&bytes)
            .map(|frame| frame.map(|frame| frame.facts))
            .collect();
        assert_eq!(found, [Ok(facts), Err(Unreadable::Checksum)]);
    }
}

//! Vorbis comments, in FLAC and in the second packet of Ogg Vorbis and Opus.

use std::io::{Read, Seek};

use super::{MOST_BYTES, bytes_at};
use crate::time::stamp::Stamp;

/// Fields under which a date may stand, the most telling first.
const FIELDS: [&str; 4] = ["CREATION_TIME", "RECORDED_DATE", "DATE_RECORDED", "DATE"];

pub(super) fn in_flac<F: Read + Seek>(file: &mut F) -> Option<Stamp> {
    let mut at = 4;
    // More blocks than any encoder writes.
    for _ in 0..128 {
        let head = bytes_at(file, at, 4)?;
        let [kind, a, b, c] = *head.first_chunk::<4>()?;
        let size = u64::from(u32::from_be_bytes([0, a, b, c]));
        if kind & 0x7f == 4 {
            return date_in(&bytes_at(file, at + 4, size)?);
        }
        if kind & 0x80 != 0 {
            return None;
        }
        at += 4 + size;
    }
    None
}

/// The packet is put together from its pages, as far as they lie in the beginning.
pub(super) fn in_ogg<F: Read + Seek>(file: &mut F) -> Option<Stamp> {
    let bytes = bytes_at(file, 0, MOST_BYTES)?;
    let (mut rest, mut packet) = (bytes.as_slice(), Vec::new());
    let mut packets = 0;
    while let Some(page) = rest.strip_prefix(b"OggS") {
        let count = usize::from(*page.get(22)?);
        let lacing = page.get(23..23 + count)?;
        let mut body = page.get(23 + count..)?;
        for length in lacing {
            let Some((part, behind)) = body.split_at_checked(usize::from(*length)) else {
                // Cut off: a picture in the comment, perhaps. The date may stand before it.
                packet.extend_from_slice(body);
                return date_behind_mark(&packet);
            };
            packet.extend_from_slice(part);
            body = behind;
            if *length < 255 {
                packets += 1;
                if packets == 2 {
                    return date_behind_mark(&packet);
                }
                if let Some(found) = date_behind_mark(&packet) {
                    return Some(found);
                }
                packet.clear();
            }
        }
        rest = body;
    }
    None
}

fn date_behind_mark(packet: &[u8]) -> Option<Stamp> {
    let marks: [&[u8]; 3] = [b"OpusTags", b"\x03vorbis", b"\x7fFLAC"];
    let block = marks.iter().find_map(|mark| packet.strip_prefix(*mark))?;
    date_in(block)
}

fn date_in(block: &[u8]) -> Option<Stamp> {
    let (_, rest) = counted(block)?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut found: Option<(usize, Stamp)> = None;
    for _ in 0..u32::from_le_bytes(*count) {
        let Some((value, behind)) = counted(rest) else {
            break;
        };
        rest = behind;
        let Some((field, value)) = std::str::from_utf8(value)
            .ok()
            .and_then(|v| v.split_once('='))
        else {
            continue;
        };
        let rank = FIELDS
            .iter()
            .position(|known| field.eq_ignore_ascii_case(known));
        if let Some((rank, stamp)) = rank.zip(Stamp::parse(value))
            && found.is_none_or(|(before, _)| rank < before)
        {
            found = Some((rank, stamp));
        }
    }
    found.map(|(_, stamp)| stamp)
}

/// Bytes behind their number.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

//! ID3v2 before an MP3: `TDRC` of version 2.4; `TYER`, `TDAT` and `TIME` of 2.3.

use std::io::{Read, Seek};

use super::{MOST_BYTES, bytes_at};
use crate::time::stamp::Stamp;

pub(super) fn recorded<F: Read + Seek>(file: &mut F) -> Option<Stamp> {
    let head = bytes_at(file, 0, 10)?;
    let version = *head.get(3)?;
    let size = synchsafe(head.get(6..10)?)?;
    let tag = bytes_at(file, 10, size.min(MOST_BYTES))?;
    let mut rest = tag.as_slice();
    let (mut year, mut day, mut time) = (None, None, None);
    while let Some((head, body)) = rest.split_first_chunk::<10>() {
        let (id, size) = (head.get(..4)?, head.get(4..8)?);
        let size = match version {
            4 => synchsafe(size)?,
            _ => u64::from(u32::from_be_bytes(*size.first_chunk()?)),
        };
        let Some((body, behind)) = body.split_at_checked(usize::try_from(size).ok()?) else {
            break;
        };
        rest = behind;
        match id {
            b"TDRC" => return Stamp::parse(&text(body)?),
            b"TYER" => year = text(body),
            b"TDAT" => day = text(body),
            b"TIME" => time = text(body),
            [0, 0, 0, 0] => break,
            _ => {}
        }
    }
    let (year, day) = (year?, day?);
    let (days, months) = day.split_at_checked(2)?;
    let time = match time.as_deref().and_then(|time| time.split_at_checked(2)) {
        Some((hours, minutes)) => format!(" {hours}:{minutes}:00"),
        None => String::new(),
    };
    Stamp::parse(&format!("{year}-{months}-{days}{time}"))
}

/// Text of this kind is digits, whatever its encoding.
fn text(body: &[u8]) -> Option<String> {
    let (_, text) = body.split_first()?;
    let plain = text
        .iter()
        .filter(|byte| byte.is_ascii_graphic() || **byte == b' ');
    Some(plain.map(|byte| char::from(*byte)).collect())
}

/// Four times seven bits.
fn synchsafe(bytes: &[u8]) -> Option<u64> {
    let bytes = bytes.first_chunk::<4>()?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f)),
    )
}

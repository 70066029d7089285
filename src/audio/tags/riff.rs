//! Broadcast WAV (EBU Tech 3285): `bext` with date and time; else `ICRD` of `LIST`/`INFO`.

use std::io::{Read, Seek};

use super::bytes_at;
use crate::time::stamp::Stamp;

/// Chunks looked at before giving up on a crafted file.
const MOST_CHUNKS: usize = 1_000;

pub(super) fn recorded<F: Read + Seek>(file: &mut F) -> Option<Stamp> {
    let mut at = 12;
    let mut created = None;
    for _ in 0..MOST_CHUNKS {
        let head = bytes_at(file, at, 8)?;
        let Some(([a, b, c, d], size)) = head
            .first_chunk()
            .copied()
            .zip(head.get(4..8).and_then(<[u8]>::first_chunk))
        else {
            break;
        };
        let size = u64::from(u32::from_le_bytes(*size));
        match &[a, b, c, d] {
            b"bext" => {
                let body = bytes_at(file, at + 8, size.min(602))?;
                if let Some(stamp) = broadcast(&body) {
                    return Some(stamp);
                }
            }
            b"LIST" => created = created.or_else(|| info(&bytes_at(file, at + 8, size)?)),
            _ => {}
        }
        at = at.checked_add(8 + size + size % 2)?;
    }
    created
}

/// Ten characters of date and eight of time, whatever stands between their parts.
fn broadcast(body: &[u8]) -> Option<Stamp> {
    let part = |from: usize, length: usize| {
        let bytes = body.get(from..from + length)?;
        std::str::from_utf8(bytes)
            .ok()
            .map(|text| text.replace(['-', '_', '.', ' ', '/'], ":"))
    };
    let (date, time) = (part(320, 10)?, part(330, 8)?);
    Stamp::parse(&format!("{date} {time}")).or_else(|| Stamp::parse(&date))
}

fn info(body: &[u8]) -> Option<Stamp> {
    let mut rest = body.strip_prefix(b"INFO")?;
    loop {
        let (id, behind) = rest.split_first_chunk::<4>()?;
        let (size, behind) = behind.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
        let value = behind.get(..size)?;
        if id == b"ICRD" {
            return Stamp::parse(std::str::from_utf8(value).ok()?);
        }
        rest = behind.get(size + size % 2..)?;
    }
}

//! What there is to be opened: stanzas of age at any offset, and age files that stand
//! there as base64.

use std::collections::BTreeMap;

use age_core::format::Stanza;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use voxvault::recording::RecordingId;
use voxvault::vault::frame::{self, HEADER_BYTES};
use voxvault::vault::scan::AGE_MAGIC;

use super::super::needles::find;
use super::Evidence;

/// Takes base64 that was cut anywhere.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A stanza somewhere in the evidence; the same one may stand in many places.
pub(super) struct Sealed {
    pub(super) stanza: Stanza,
    /// The age files that it may be the head of: piece, offset, and end where
    /// the frame around it says so.
    pub(super) files: Vec<(usize, usize, Option<usize>)>,
    /// What the frame in front of it says, where there is one.
    pub(super) framed: Option<RecordingId>,
    pub(super) opened: bool,
}

/// Every scrypt and X25519 stanza at any offset, each once.
pub(super) fn all_stanzas(evidence: &Evidence) -> Vec<Sealed> {
    let mut all: Vec<Sealed> = Vec::new();
    let mut index: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for (piece, (_, bytes)) in evidence.pieces.iter().enumerate() {
        let mut from = 0;
        while let Some(at) = find(bytes, b"-> ", from) {
            from = at + 1;
            let Some((stanza, raw)) = stanza_at(&bytes[at..]) else {
                continue;
            };
            let place = *index.entry(raw.to_vec()).or_insert_with(|| {
                all.push(Sealed {
                    stanza,
                    files: Vec::new(),
                    framed: None,
                    opened: false,
                });
                all.len() - 1
            });
            // The file it heads, if its start is still there.
            let earliest = at.saturating_sub(1024);
            let start = (earliest..at)
                .rev()
                .find(|start| bytes[*start..].starts_with(AGE_MAGIC));
            if let Some(start) = start {
                let framed = start.checked_sub(HEADER_BYTES).map(|frame| &bytes[frame..]);
                let frame = framed.and_then(|bytes| frame::parse(bytes).ok());
                let facts = framed.and_then(|bytes| frame::facts_of(bytes.first_chunk()?));
                all[place].framed = all[place].framed.or(facts.map(|facts| facts.id));
                let end = frame.map(|frame| start + frame.body.len());
                all[place].files.push((piece, start, end));
            }
        }
    }
    all
}

fn stanza_at(bytes: &[u8]) -> Option<(Stanza, &[u8])> {
    let window = &bytes[..bytes.len().min(256)];
    let first = find(window, b"\n", 0)?;
    let second = find(window, b"\n", first + 1)?;
    let line = std::str::from_utf8(&window[3..first]).ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let tag = words.next()?;
    if tag != "scrypt" && tag != "X25519" {
        return None;
    }
    let body = BASE64_STANDARD_NO_PAD
        .decode(&window[first + 1..second])
        .ok()?;
    let stanza = Stanza {
        tag,
        args: words.collect(),
        body,
    };
    Some((stanza, &bytes[..second]))
}

/// Age files that stand in the bytes as base64, whichever of the three ways
/// their first byte is aligned.
pub(super) fn decoded_base64(bytes: &[u8]) -> Vec<Vec<u8>> {
    let belongs =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'\n' | b'\r');
    let mut decoded = Vec::new();
    for shift in 0..3 {
        let padded = [&vec![0; shift][..], AGE_MAGIC].concat();
        let encoded = BASE64_STANDARD.encode(padded);
        // Digits that depend on what stands before and behind are left out.
        let core = &encoded.as_bytes()[shift + 1..encoded.len() - 4];
        let mut from = 0;
        while let Some(at) = find(bytes, core, from) {
            from = at + core.len();
            let start = at
                - bytes[..at]
                    .iter()
                    .rev()
                    .take_while(|byte| belongs(byte))
                    .count();
            let digits: Vec<u8> = bytes[start..]
                .iter()
                .copied()
                .take_while(|byte| belongs(byte))
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            for skip in 0..4_usize.min(digits.len()) {
                let rest = &digits[skip..];
                // One digit alone is less than a byte.
                let rest = &rest[..rest.len() - usize::from(rest.len() % 4 == 1)];
                if let Ok(found) = LENIENT.decode(rest)
                    && find(&found, AGE_MAGIC, 0).is_some()
                {
                    decoded.push(found);
                }
            }
        }
    }
    decoded
}

//! Bytes of unknown origin as text.
//!
//! A byte order mark is believed; without one it is UTF-8 if it can be, UTF-16 where
//! every other byte of its beginning is 0, and Windows-1252 (of which Latin-1 is a part)
//! otherwise. Lines end with LF afterwards. Never fails.

/// The longest text that is read: an hour of words with all their times has 3 MB.
pub const MOST_BYTES: u64 = 64 << 20;

/// What stands for the bytes 0x80 to 0x9f in Windows-1252; where it has none, the control
/// character of Latin-1.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text, whatever its encoding is.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let text = match marked(bytes) {
        Some(text) => text,
        None => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().copied().map(windows).collect(),
        },
    };
    unix_lines(&text)
}

/// The text of a JSON file, which is UTF-8. Where it is not quite (whisper.cpp cuts
/// characters in two between tokens), the character is lost, not the rest.
#[must_use]
pub fn decode_json(bytes: &[u8]) -> String {
    marked(bytes).unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
}

/// What a byte order mark, or zeros in every other place, say about it.
fn marked(bytes: &[u8]) -> Option<String> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Some(String::from_utf8_lossy(rest).into_owned()),
        [0xff, 0xfe, rest @ ..] => Some(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Some(utf16(rest, u16::from_be_bytes)),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => {
            Some(utf16(bytes, u16::from_le_bytes))
        }
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => {
            Some(utf16(bytes, u16::from_be_bytes))
        }
        _ => None,
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| {
        let pair = pair.first_chunk::<2>()?;
        Some(unit(*pair))
    });
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn windows(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS
            .get(usize::from(byte - 0x80))
            .copied()
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        other => char::from(other),
    }
}

fn unix_lines(text: &str) -> String {
    if !text.contains('\r') {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_usual_encoding_reads_the_same() {
        let text = "Grüße, naïve\nzweite Zeile";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let latin: Vec<u8> = text.chars().map(|c| c as u32 as u8).collect();
        let dos = text.replace('\n', "\r\n");
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe".as_slice(), &le].concat(),
            [b"\xfe\xff".as_slice(), &be].concat(),
            le,
            be,
            latin,
            dos.into_bytes(),
        ] {
            assert_eq!(decode(&bytes), text, "{bytes:?}");
        }
        assert_eq!(decode(b"\x93na\xefve\x94 \x80 5"), "“naïve” € 5");
    }

    proptest! {
        #[test]
        fn utf8_stays_what_it_is(text in "[^\r\u{feff}\0]*") {
            prop_assert_eq!(decode(text.as_bytes()), text);
        }
    }
}

//! Known plaintext, searched for in bytes where it must not be.

use std::collections::{BTreeSet, HashMap};

/// Length of every piece that is looked for as it stands.
const PIECE: usize = 16;

/// What is looked for.
#[derive(Default)]
pub(crate) struct Needles {
    /// Lower case.
    words: Vec<String>,
    /// Windows of sound, by their first four bytes.
    pieces: HashMap<[u8; 4], Vec<(Vec<u8>, String)>>,
}

impl Needles {
    /// A text, in whatever case and in UTF-8, UTF-16 or hexadecimal digits.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        assert!(text.len() >= 5, "{text:?} could stand anywhere by chance");
        self.words.push(text.to_lowercase());
        self
    }

    /// Windows of some bytes, so many of them, as they stand. Windows in which
    /// little happens are left out: they could stand anywhere.
    pub(crate) fn windows(&mut self, what: &str, bytes: &[u8], count: usize) -> &mut Self {
        let step = (bytes.len() / count.max(1)).max(1);
        let before = self.count_pieces();
        for (at, window) in bytes.windows(PIECE).enumerate().step_by(step) {
            let different: BTreeSet<u8> = window.iter().copied().collect();
            if different.len() < PIECE / 2 {
                continue;
            }
            let start = [window[0], window[1], window[2], window[3]];
            let label = format!("{what}, byte {at}");
            self.pieces
                .entry(start)
                .or_default()
                .push((window.to_vec(), label));
        }
        assert!(
            self.count_pieces() > before,
            "nothing to look for in {what}"
        );
        self
    }

    /// How many windows are looked for.
    pub(crate) fn count_pieces(&self) -> usize {
        self.pieces.values().map(Vec::len).sum()
    }

    /// What of it stands in these bytes.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let lower = bytes.to_ascii_lowercase();
        for word in &self.words {
            let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
                word.encode_utf16().flat_map(order).collect()
            };
            let digits: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
            let forms = [
                word.clone().into_bytes(),
                wide(u16::to_le_bytes),
                wide(u16::to_be_bytes),
                digits.into_bytes(),
            ];
            if forms.iter().any(|form| holds(&lower, form)) {
                found.insert(word.clone());
            }
        }
        for at in 0..bytes.len().saturating_sub(PIECE - 1) {
            let start = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            let Some(candidates) = self.pieces.get(&start) else {
                continue;
            };
            for (piece, label) in candidates {
                if bytes[at..].starts_with(piece) {
                    found.insert(label.clone());
                }
            }
        }
        found
    }
}

/// Whether one stands in the other.
pub(crate) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    find(bytes, wanted, 0).is_some()
}

/// Where one stands in the other, from an offset on.
pub(crate) fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let (first, rest) = wanted.split_first()?;
    let mut at = from;
    while let Some(step) = bytes.get(at..)?.iter().position(|byte| byte == first) {
        at += step;
        if bytes[at + 1..].starts_with(rest) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[test]
fn known_text_and_sound_are_found_in_every_form_and_nothing_else_is() {
    let sound: Vec<u8> = (0..4_000_u32).map(|x| (x * x % 251) as u8).collect();
    let mut needles = Needles::default();
    needles.text("Landlord").windows("sound", &sound, 50);
    assert!(needles.found_in(b"a landowner and noise").is_empty());
    assert!(needles.found_in(b"..LANDLORD..").contains("landlord"));
    let wide: Vec<u8> = "the landlord"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(needles.found_in(&wide).contains("landlord"));
    assert!(needles.found_in(b"6c616e646c6f7264").contains("landlord"));
    let part = [b"before".as_slice(), &sound[1_000..1_200]].concat();
    assert!(!needles.found_in(&part).is_empty());
    assert!(needles.found_in(&vec![0; 10_000]).is_empty());
}

//! The terminal's clipboard, which works through SSH: OSC 52 of xterm.

use zeroize::Zeroizing;

/// What terminals commonly take, bytes of text; xterm's and tmux's limits lie
/// a little above its base64.
pub const LONGEST: usize = 74_000;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The sequence that hands text to the clipboard. Whether the terminal takes
/// it, it doesn't say.
#[must_use]
pub fn sequence(text: &str) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 4 / 3 + 16));
    out.extend_from_slice(b"\x1b]52;c;");
    for three in text.as_bytes().chunks(3) {
        let byte = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = bits >> (18 - 6 * place) & 63;
            out.push(if place > three.len() {
                b'='
            } else {
                ALPHABET[digit as usize]
            });
        }
    }
    out.push(0x07);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_travels_as_base64() {
        for (text, code) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(
                sequence(text).as_slice(),
                format!("\x1b]52;c;{code}\x07").as_bytes()
            );
        }
    }
}

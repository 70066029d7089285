//! What the terminal sends, as keys.
//!
//! A parser of our own rather than crossterm's, for three reasons. Passphrases
//! come through here, and crossterm keeps what it read in a buffer that lives
//! as long as the process; this one wipes each byte once it is understood. A
//! lost terminal must end the program instead of spinning in a read loop. And
//! one thread can then sleep on the terminal and on everything else at once.
//! It knows the sequences that terminals send without being asked for any
//! extended protocol; what it does not know it swallows whole.

use std::fmt;
use std::str::FromStr;

use zeroize::{Zeroize, Zeroizing};

/// A key as the keymap names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A printable character; capitals stand for themselves.
    Char(char),
    /// Control and a lower-case letter.
    Ctrl(char),
    /// Return.
    Enter,
    /// Escape on its own.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Rubs out to the left.
    Backspace,
    /// Rubs out to the right.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// A screenful back.
    PageUp,
    /// A screenful on.
    PageDown,
}

/// As the footer, the help and the configuration write it.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::Char(' ') => "space",
            Self::Char(c) => return write!(f, "{c}"),
            Self::Ctrl(c) => return write!(f, "^{c}"),
            Self::Enter => "⏎",
            Self::Esc => "esc",
            Self::Tab => "tab",
            Self::BackTab => "⇧tab",
            Self::Backspace => "⌫",
            Self::Delete => "del",
            Self::Up => "↑",
            Self::Down => "↓",
            Self::Left => "←",
            Self::Right => "→",
            Self::Home => "home",
            Self::End => "end",
            Self::PageUp => "pgup",
            Self::PageDown => "pgdn",
        };
        f.write_str(name)
    }
}

/// No key has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no key is called \"{0}\" (a character, ctrl-x, enter, esc, tab, space, up, pgdn, …)")]
pub struct NotAKey(pub String);

/// As the configuration writes it: `D`, `ctrl-s`, `space`, `enter`.
impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let mut letters = text.chars();
        if let (Some(letter), None) = (letters.next(), letters.next())
            && !letter.is_control()
        {
            return Ok(Self::Char(letter));
        }
        if let Some(letter) = text
            .strip_prefix("ctrl-")
            .or_else(|| text.strip_prefix('^'))
            && let [letter @ b'a'..=b'z'] = letter.as_bytes()
        {
            return Ok(Self::Ctrl(char::from(*letter)));
        }
        Ok(match text {
            "space" => Self::Char(' '),
            "enter" => Self::Enter,
            "esc" => Self::Esc,
            "tab" => Self::Tab,
            "backtab" => Self::BackTab,
            "backspace" => Self::Backspace,
            "del" | "delete" => Self::Delete,
            "up" => Self::Up,
            "down" => Self::Down,
            "left" => Self::Left,
            "right" => Self::Right,
            "home" => Self::Home,
            "end" => Self::End,
            "pgup" => Self::PageUp,
            "pgdn" => Self::PageDown,
            _ => return Err(NotAKey(text.to_owned())),
        })
    }
}

/// One thing that came from the terminal.
pub enum Input {
    /// A key.
    Key(Key),
    /// Text pasted in one piece: never taken for commands.
    Paste(Zeroizing<String>),
}

/// Turns bytes into keys; keeps what is incomplete until more arrives.
pub struct Parser {
    pending: Zeroizing<Vec<u8>>,
    paste: Option<Zeroizing<Vec<u8>>>,
}

/// Longer than any sequence a key sends; what exceeds it is noise.
const LONGEST_SEQUENCE: usize = 64;
/// A pasted text is cut here; set aside at once so that it never moves and
/// leaves no copies behind.
const LONGEST_PASTE: usize = 8 * 1024;
const PASTE_ENDS: &[u8] = b"\x1b[201~";

impl Default for Parser {
    fn default() -> Self {
        Self {
            pending: Zeroizing::new(Vec::with_capacity(LONGEST_SEQUENCE)),
            paste: None,
        }
    }
}

impl Parser {
    /// Takes bytes in and hands each completed input on.
    pub fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(Input)) {
        for &byte in bytes {
            self.one(byte, take);
        }
    }

    /// Whether an Escape waits to see if it begins a sequence. Call
    /// [`Parser::settle`] when nothing follows within a moment.
    #[must_use]
    pub fn undecided(&self) -> bool {
        self.paste.is_none() && !self.pending.is_empty()
    }

    /// Nothing followed: an Escape was the key of that name.
    pub fn settle(&mut self, take: &mut dyn FnMut(Input)) {
        if self.undecided() {
            let escape = self.pending.first() == Some(&0x1b);
            self.pending.zeroize();
            if escape {
                take(Input::Key(Key::Esc));
            }
        }
    }

    fn one(&mut self, byte: u8, take: &mut dyn FnMut(Input)) {
        if let Some(paste) = &mut self.paste {
            if paste.len() < LONGEST_PASTE {
                paste.push(byte);
            } else if byte == b'~' {
                self.paste = None;
                return;
            }
            if paste.ends_with(PASTE_ENDS) {
                let length = paste.len() - PASTE_ENDS.len();
                let text = Zeroizing::new(String::from_utf8_lossy(&paste[..length]).into_owned());
                self.paste = None;
                take(Input::Paste(text));
            }
            return;
        }
        self.pending.push(byte);
        match understand(&self.pending) {
            Meaning::Incomplete if self.pending.len() < LONGEST_SEQUENCE => return,
            Meaning::Incomplete | Meaning::Nothing => {}
            Meaning::Key(key) => take(Input::Key(key)),
            Meaning::EscThen(key) => {
                take(Input::Key(Key::Esc));
                take(Input::Key(key));
            }
            Meaning::EscAgain => {
                // The first Escape stands alone; the second may begin a sequence.
                take(Input::Key(Key::Esc));
                self.pending.zeroize();
                self.pending.push(0x1b);
                return;
            }
            Meaning::PasteBegins => {
                self.paste = Some(Zeroizing::new(Vec::with_capacity(LONGEST_PASTE)));
            }
        }
        self.pending.zeroize();
    }
}

enum Meaning {
    Incomplete,
    Nothing,
    Key(Key),
    EscThen(Key),
    EscAgain,
    PasteBegins,
}

fn understand(bytes: &[u8]) -> Meaning {
    match bytes {
        [0x1b] | [0x1b, b'[' | b'O'] => Meaning::Incomplete,
        [0x1b, 0x1b] => Meaning::EscAgain,
        [0x1b, b'O', last] => cursor_key(*last).map_or(Meaning::Nothing, Meaning::Key),
        [0x1b, b'[', inner @ .., last @ 0x40..=0x7e] => control_sequence(inner, *last),
        [0x1b, b'[', ..] => Meaning::Incomplete,
        // Alt and a key, or Escape and a fast hand: both read as two keys.
        [0x1b, rest @ ..] => match plain_key(rest) {
            Meaning::Key(key) => Meaning::EscThen(key),
            other => other,
        },
        _ => plain_key(bytes),
    }
}

fn plain_key(bytes: &[u8]) -> Meaning {
    match bytes {
        [b'\r' | b'\n'] => Meaning::Key(Key::Enter),
        [b'\t'] => Meaning::Key(Key::Tab),
        [0x7f | 0x08] => Meaning::Key(Key::Backspace),
        [control @ 0x01..=0x1a] => Meaning::Key(Key::Ctrl(char::from(control - 1 + b'a'))),
        [0x00..=0x1f] => Meaning::Nothing,
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text
                .chars()
                .next()
                .filter(|c| !c.is_control())
                .map_or(Meaning::Nothing, |c| Meaning::Key(Key::Char(c))),
            Err(error) if error.error_len().is_none() => Meaning::Incomplete,
            Err(_) => Meaning::Nothing,
        },
    }
}

fn control_sequence(inner: &[u8], last: u8) -> Meaning {
    if last != b'~' {
        return cursor_key(last).map_or(Meaning::Nothing, Meaning::Key);
    }
    // A number, then perhaps `;` and the modifiers, which change nothing here.
    let number = inner.split(|byte| *byte == b';').next().unwrap_or_default();
    match number {
        b"200" => Meaning::PasteBegins,
        b"1" | b"7" => Meaning::Key(Key::Home),
        b"4" | b"8" => Meaning::Key(Key::End),
        b"3" => Meaning::Key(Key::Delete),
        b"5" => Meaning::Key(Key::PageUp),
        b"6" => Meaning::Key(Key::PageDown),
        _ => Meaning::Nothing,
    }
}

fn cursor_key(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'Z' => Key::BackTab,
        b'M' => Key::Enter,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    fn keys(chunks: &[&[u8]]) -> Vec<Key> {
        let mut parser = Parser::default();
        let mut found = Vec::new();
        let mut take = |input| {
            if let Input::Key(key) = input {
                found.push(key);
            }
        };
        for chunk in chunks {
            parser.feed(chunk, &mut take);
        }
        parser.settle(&mut take);
        found
    }

    #[test]
    fn keys_are_understood_in_both_dialects() {
        assert_eq!(
            keys(&[b"\x1b[A\x1bOB\x1b[1;5C"]),
            [Key::Up, Key::Down, Key::Right]
        );
        assert_eq!(
            keys(&[b"\x1b[5~\x1b[6~\x1b[3~\x1b[Z"]),
            [Key::PageUp, Key::PageDown, Key::Delete, Key::BackTab]
        );
        assert_eq!(
            keys(&[b"a\r\x7f\x03"]),
            [Key::Char('a'), Key::Enter, Key::Backspace, Key::Ctrl('c')]
        );
        assert_eq!(keys(&["ñ한".as_bytes()]), [Key::Char('ñ'), Key::Char('한')]);
    }

    #[test]
    fn a_sequence_in_two_packets_is_one_key_and_a_lone_escape_is_escape() {
        assert_eq!(keys(&[b"\x1b", b"[", b"A"]), [Key::Up]);
        assert_eq!(keys(&[b"\x1b"]), [Key::Esc]);
        assert_eq!(keys(&[b"\x1b\x1b[A"]), [Key::Esc, Key::Up]);
    }

    #[test]
    fn what_is_pasted_is_text_and_never_commands() {
        let mut parser = Parser::default();
        let mut pasted = Vec::new();
        parser.feed(
            b"\x1b[200~D\r\xc3\xa9\x1b[201~q",
            &mut |input| match input {
                Input::Paste(text) => pasted.push(text.to_string()),
                Input::Key(key) => pasted.push(key.to_string()),
            },
        );
        assert_eq!(pasted, ["D\ré", "q"]);
    }

    #[test]
    fn a_key_is_written_as_it_is_read() {
        for name in ["D", "ctrl-s", "space", "enter", "pgdn", "?"] {
            assert!(name.parse::<Key>().is_ok(), "{name}");
        }
        assert!("hyper-x".parse::<Key>().is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_and_leave_nothing_pending(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut parser = Parser::default();
            parser.feed(&bytes, &mut |_| {});
            parser.settle(&mut |_| {});
            prop_assert!(!parser.undecided());
            prop_assert!(parser.pending.len() < LONGEST_SEQUENCE);
        }
    }
}

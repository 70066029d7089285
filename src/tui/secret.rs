//! A passphrase on its way from the keyboard to the vault.
//!
//! Fixed room, set aside at once: text that never moves leaves no copies
//! behind. Wiped when dropped; no `Debug`, `Clone` or `Display`.

use zeroize::{Zeroize, Zeroizing};

/// Room for a passphrase, bytes.
const ROOM: usize = 1024;

/// What was typed so far.
pub struct Secret(Zeroizing<String>);

impl Default for Secret {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(ROOM)))
    }
}

impl Secret {
    /// Adds a character; one that doesn't fit is refused.
    pub fn push(&mut self, letter: char) {
        if !letter.is_control() && self.0.len() + letter.len_utf8() <= ROOM {
            self.0.push(letter);
        }
    }

    /// Takes the last character back.
    pub fn rub_out(&mut self) {
        self.0.pop();
    }

    /// Starts over.
    pub fn wipe(&mut self) {
        self.0.zeroize();
    }

    /// How many characters it has: all that the screen shows of it.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.chars().count()
    }

    /// Nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, for whoever unlocks with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_moves_while_it_is_typed() {
        let mut secret = Secret::default();
        let place = secret.expose().as_ptr();
        for _ in 0..2 * ROOM {
            secret.push('ß');
        }
        assert_eq!(secret.expose().as_ptr(), place);
        assert_eq!(secret.length(), ROOM / 2);
    }
}

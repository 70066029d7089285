//! Passphrases made of words, for people who want none of their own making.
//!
//! The list is BIP-39's English one (from Trezor's python-mnemonic, MIT): 2,048
//! common words that differ in their first four letters, so ten of them are
//! 110 bits.

use zeroize::Zeroizing;

use super::{CryptoError, Passphrase, fill_random};

const LIST: &str = include_str!("words/english.txt");

/// How many words a generated passphrase has.
const WORDS: usize = 10;

/// The list has a power of two of words: eleven random bits choose one evenly.
const INDEX_MASK: u16 = 2047;

/// Ten random words, with a space between them.
///
/// # Errors
/// When the system gives no random bytes.
pub fn generate() -> Result<Zeroizing<String>, CryptoError> {
    let mut random = Zeroizing::new([0; 2 * WORDS]);
    fill_random(&mut *random)?;
    let list: Vec<&str> = LIST.lines().collect();
    // Room for the longest words: no reallocation leaves a copy behind.
    let mut words = Zeroizing::new(String::with_capacity(WORDS * 9));
    for pair in random.chunks_exact(2) {
        let index = u16::from_le_bytes([pair[0], pair[1]]) & INDEX_MASK;
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(list.get(usize::from(index)).copied().unwrap_or_default());
    }
    Ok(words)
}

impl Passphrase {
    /// Whether this is what was generated, however it is spaced.
    #[must_use]
    pub fn says(&self, words: &str) -> bool {
        self.normalised()
            .split_whitespace()
            .eq(words.split_whitespace())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_list_has_2048_words_that_differ_in_four_letters() {
        let mut starts: Vec<&str> = LIST
            .lines()
            .map(|word| &word[..word.len().min(4)])
            .collect();
        assert_eq!(starts.len(), usize::from(INDEX_MASK) + 1);
        starts.dedup();
        assert_eq!(starts.len(), usize::from(INDEX_MASK) + 1);
    }

    #[test]
    fn ten_words_are_made_and_never_the_same() {
        let one = generate().unwrap();
        assert_eq!(one.split(' ').count(), WORDS);
        assert!(
            one.split(' ')
                .all(|word| LIST.lines().any(|known| known == word))
        );
        assert_ne!(*one, *generate().unwrap());
        assert!(Passphrase::new(format!("  {}", one.replace(' ', "  "))).says(&one));
    }
}

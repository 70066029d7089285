//! The tokens of a CTranslate2 model, as the bytes that whisper.cpp wants.
//!
//! Whisper's tokens are GPT-2's: every byte is written as a printable
//! character. Special tokens are left out; whisper.cpp makes its own.

use std::collections::BTreeMap;

use super::Fault;

/// The longest token that is believed; GPT-2's longest has 128 bytes.
pub(super) const LONGEST_TOKEN: u32 = 1024;
/// The name of the first special token.
const END_OF_TEXT: &str = "<|endoftext|>";

/// A file that lists the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// `vocabulary.txt`: a token a line, in the order of their numbers.
    Lines,
    /// `vocabulary.json`: an array of tokens in the order of their numbers.
    Array,
    /// `tokenizer.json`: a table from token to number at `model.vocab`.
    Table,
}

/// The bytes of the first `count` tokens, in the order of their numbers.
pub(super) fn tokens(listing: Listing, text: &str, count: u32) -> Result<Vec<Vec<u8>>, Fault> {
    let count = count as usize;
    let strings = match listing {
        Listing::Lines => lines(text),
        Listing::Array => array(text)?,
        Listing::Table => table(text, count)?,
    };
    if strings.len() < count {
        return Err(unusable(format!(
            "it has {} tokens instead of {count}",
            strings.len()
        )));
    }
    if strings.get(count).is_some_and(|next| next != END_OF_TEXT) {
        return Err(unusable(format!("token {count} is not {END_OF_TEXT}")));
    }
    let bytes = byte_table();
    strings[..count]
        .iter()
        .map(|token| to_bytes(token, &bytes))
        .collect()
}

fn unusable(why: impl Into<String>) -> Fault {
    Fault::Vocabulary { why: why.into() }
}

fn lines(text: &str) -> Vec<String> {
    // An empty line is the empty token of the multilingual models, so only the
    // last line's end may be missing.
    text.split_terminator('\n')
        .map(|line| line.trim_end_matches('\r').to_owned())
        .collect()
}

fn array(text: &str) -> Result<Vec<String>, Fault> {
    serde_json::from_str(text).map_err(|error| unusable(error.to_string()))
}

#[derive(serde::Deserialize)]
struct Tokenizer {
    model: TokenizerModel,
}

#[derive(serde::Deserialize)]
struct TokenizerModel {
    vocab: BTreeMap<String, u32>,
}

fn table(text: &str, count: usize) -> Result<Vec<String>, Fault> {
    let tokenizer: Tokenizer =
        serde_json::from_str(text).map_err(|error| unusable(error.to_string()))?;
    let mut strings: Vec<Option<String>> = vec![None; count];
    for (token, number) in tokenizer.model.vocab {
        if let Some(place) = strings.get_mut(number as usize) {
            *place = Some(token);
        }
    }
    // The multilingual models' last plain token is the empty string, which
    // some tokenizers list among the added tokens instead.
    let last = count.wrapping_sub(1);
    strings
        .into_iter()
        .enumerate()
        .map(|(number, token)| match token {
            Some(token) => Ok(token),
            None if number == last => Ok(String::new()),
            None => Err(unusable(format!("token {number} is missing"))),
        })
        .collect()
}

/// Which byte each of GPT-2's 256 characters stands for.
fn byte_table() -> BTreeMap<char, u8> {
    let itself = |byte: u8| matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut others = (0x100..).filter_map(char::from_u32);
    (0..=u8::MAX)
        .filter_map(|byte| {
            let character = if itself(byte) {
                Some(char::from(byte))
            } else {
                others.next()
            };
            character.map(|character| (character, byte))
        })
        .collect()
}

fn to_bytes(token: &str, table: &BTreeMap<char, u8>) -> Result<Vec<u8>, Fault> {
    let bytes: Option<Vec<u8>> = token
        .chars()
        .map(|character| table.get(&character).copied())
        .collect();
    bytes
        .filter(|bytes| bytes.len() <= LONGEST_TOKEN as usize)
        .ok_or_else(|| unusable("it has a token that GPT-2's alphabet can't spell"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

    use super::*;

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        let table = byte_table();
        assert_eq!(table.len(), 256);
        assert_eq!(table[&'Ġ'], b' ');
        assert_eq!(table[&'Ċ'], b'\n');
        assert_eq!(table[&'a'], b'a');
        assert_eq!(table[&'ÿ'], 0xFF);
    }

    #[test]
    fn the_three_listings_say_the_same() {
        let wanted = vec![b"a".to_vec(), b" b".to_vec(), Vec::new()];
        let read = |listing, text| tokens(listing, text, 3).unwrap();
        assert_eq!(read(Listing::Lines, "a\nĠb\n\n<|endoftext|>\n"), wanted);
        assert_eq!(
            read(Listing::Array, r#"["a", "Ġb", "", "<|endoftext|>"]"#),
            wanted
        );
        assert_eq!(
            read(Listing::Table, r#"{"model":{"vocab":{"Ġb":1,"a":0}}}"#),
            wanted
        );
    }

    #[test]
    fn a_listing_of_another_model_is_refused() {
        assert!(tokens(Listing::Lines, "a\n", 3).is_err());
        assert!(tokens(Listing::Lines, "a\nb\nc\nd\n", 3).is_err());
        assert!(tokens(Listing::Lines, "a\n\u{4E00}\nc\n", 3).is_err());
        assert!(tokens(Listing::Array, "{}", 3).is_err());
        assert!(tokens(Listing::Table, r#"{"model":{"vocab":{"a":7}}}"#, 3).is_err());
    }
}

//! What counts as the same word, and the same tag.
//!
//! Folding takes away case, accents, ligatures and apostrophes: "Don’t" and
//! "dont" are one word, so are "Über" and "uber", "straße" and "strasse".

use unicode_normalization::UnicodeNormalization as _;

/// Appends the folded form of a word or text.
pub fn fold_into(text: &str, folded: &mut String) {
    if text.is_ascii() {
        folded.extend(
            text.chars()
                .filter(|c| *c != '\'')
                .map(|c| c.to_ascii_lowercase()),
        );
        return;
    }
    for c in text
        .nfkd()
        .filter(|c| !is_dropped(*c))
        .flat_map(char::to_lowercase)
    {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            c if is_dropped(c) => {}
            c => folded.push(c),
        }
    }
}

/// The folded form of a word or text.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// Marks that readers do without: Latin, Greek and Cyrillic accents, Hebrew
/// points, Arabic vowels; and apostrophes. Vowel signs of Indic scripts stay.
fn is_dropped(c: char) -> bool {
    is_apostrophe(c)
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}')
}

pub(crate) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '＇' | 'ʼ')
}

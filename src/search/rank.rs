//! Which hit is better.
//!
//! BM25F (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009)
//! over two fields: a word in the title or a tag counts as much as
//! [`HEAD_WEIGHT`] spoken ones. A clause is scored as one word however many it
//! expands to, so that `h` is not better than `heater` for standing for more:
//! its frequency in a recording is the weighted sum over what was found, its
//! rarity that of all it stands for. What equals the typed word weighs 1, what
//! only begins with it between a half and 0.9, the closer the more; what is only
//! alike weighs less with each letter changed.
//!
//! Scores are rounded to hundredths; among equals the newer recording comes
//! first, and then the lower id, so that an order never depends on chance.

/// How many spoken words one in the title or a tag is worth.
pub(super) const HEAD_WEIGHT: f32 = 4.0;
/// Words in a row that were asked for in a row say more than one word.
pub(super) const PHRASE_WEIGHT: f32 = 2.0;
/// What "today" weighs where it is true rather than spoken.
pub(super) const FACT_WEIGHT: f32 = 4.0;

/// How soon more of the same word stops counting.
const K1: f32 = 1.2;
/// How far long recordings must say a word more often, 0 to 1.
const B: f32 = 0.6;

/// The weight of a word that begins as typed; lengths in bytes.
pub(super) fn beginning_weight(typed_len: usize, len: usize) -> f32 {
    if typed_len == len {
        1.0
    } else {
        0.5 + 0.4 * typed_len as f32 / len as f32
    }
}

/// The weight of a word with that many letters changed.
pub(super) fn alike_weight(changes: usize) -> f32 {
    1.0 / (1.0 + changes as f32)
}

/// What every clause of a search has in common.
pub(super) struct Scale {
    recordings: f32,
    mean_words: f32,
}

impl Scale {
    pub(super) fn new(recordings: usize, words: u64) -> Self {
        let recordings = recordings.max(1) as f32;
        Self {
            recordings,
            mean_words: (words as f32 / recordings).max(1.0),
        }
    }

    /// How much a clause says that so many recordings satisfy.
    pub(super) fn rarity(&self, holding: u32) -> f32 {
        let holding = (holding as f32).min(self.recordings);
        (1.0 + (self.recordings - holding + 0.5) / (holding + 0.5)).ln()
    }

    /// The score of a clause found so often in a recording of so many words.
    pub(super) fn score(&self, rarity: f32, frequency: f32, words: u32) -> f32 {
        let length = 1.0 - B + B * words as f32 / self.mean_words;
        rarity * frequency * (K1 + 1.0) / (frequency + K1 * length)
    }
}

/// Hundredths, in which scores are compared.
pub(super) fn rounded(score: f32) -> i32 {
    (score * 100.0).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_often_and_short_is_better() {
        let scale = Scale::new(1000, 200_000);
        assert!(scale.rarity(3) > scale.rarity(300));
        assert!(scale.rarity(100_000) > 0.0);
        assert!(scale.score(2.0, 3.0, 200) > scale.score(2.0, 1.0, 200));
        assert!(scale.score(2.0, 1.0, 50) > scale.score(2.0, 1.0, 500));
    }

    #[test]
    fn the_typed_word_weighs_most() {
        assert!(beginning_weight(4, 4) > beginning_weight(4, 5));
        assert!(beginning_weight(4, 5) > beginning_weight(4, 12));
        assert!(alike_weight(0) > alike_weight(1));
    }
}

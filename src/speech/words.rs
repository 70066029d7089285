//! Makes segments and words of Whisper's tokens, and drops what was invented.
//!
//! Pure. A token is a few bytes, not a word and not even a character; its
//! times count in hundredths of a second from the start of its piece.

use crate::transcript::{Segment, Word};

use super::language::is_unspaced;

/// A segment is dropped when it is more likely than this that nobody spoke.
/// Real speech stayed under 0.49 in 363 segments.
const MOST_SILENT: f32 = 0.5;

/// Nobody says more letters than this in a second: fast speakers reach 25.
/// A model that loops writes a sentence again and gives it what time is left.
const MOST_LETTERS_A_SECOND: f64 = 50.0;
/// Under so many letters the times are too coarse to judge by.
const LETTERS_TO_JUDGE: usize = 40;

/// A token with text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) bytes: Vec<u8>,
    pub(super) start_cs: i64,
    pub(super) end_cs: i64,
    pub(super) probability: f32,
}

/// A segment as Whisper gives it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Heard {
    pub(super) tokens: Vec<Token>,
    pub(super) start_cs: i64,
    pub(super) end_cs: i64,
    pub(super) no_speech_probability: f32,
}

/// Where a piece lies in the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start_ms: u32,
    pub(super) end_ms: u32,
}

impl Place {
    /// A time within the piece as one within the recording.
    fn at(self, centiseconds: i64) -> u32 {
        let offset_ms = u32::try_from(centiseconds.max(0).saturating_mul(10)).unwrap_or(u32::MAX);
        self.start_ms.saturating_add(offset_ms).min(self.end_ms)
    }
}

/// The segments of a piece, but for those that nobody spoke.
pub(super) fn segments(heard: &[Heard], place: Place, language: &str) -> Vec<Segment> {
    let mut now_ms = place.start_ms;
    let mut segments = Vec::with_capacity(heard.len());
    for heard in heard {
        let text = text_of(&heard.tokens);
        if heard.no_speech_probability > MOST_SILENT || is_no_speech(&text) {
            continue;
        }
        let before_ms = now_ms;
        let words = words(&heard.tokens, place, language, &mut now_ms);
        let start_ms = words
            .first()
            .map_or(place.at(heard.start_cs), |word| word.start_ms);
        let end_ms = words
            .last()
            .map_or(place.at(heard.end_cs), |word| word.end_ms);
        let room_ms = (place
            .at(heard.end_cs)
            .saturating_sub(place.at(heard.start_cs)))
        .max(end_ms.saturating_sub(start_ms));
        if is_impossible(&text, room_ms) {
            now_ms = before_ms;
            continue;
        }
        segments.push(Segment {
            start_ms,
            end_ms: end_ms.max(start_ms),
            text,
            words,
        });
    }
    segments
}

/// Whether so much can't have been said in that time.
fn is_impossible(text: &str, room_ms: u32) -> bool {
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    letters >= LETTERS_TO_JUDGE
        && letters as f64 * 1000.0 > MOST_LETTERS_A_SECOND * f64::from(room_ms)
}

fn text_of(tokens: &[Token]) -> String {
    let bytes: Vec<u8> = tokens
        .iter()
        .flat_map(|token| token.bytes.iter().copied())
        .collect();
    readable(&bytes)
}

/// Bytes of a character that was cut off by the end of a segment are dropped.
fn readable(bytes: &[u8]) -> String {
    let text: String = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
    text.trim().to_owned()
}

/// Nothing is left when what stands in brackets or between stars or notes is
/// taken away: `[BLANK_AUDIO]`, `(wind)`, `*sighs*`, `♪ la ♪`, `...`.
fn is_no_speech(text: &str) -> bool {
    let mut closing: Option<char> = None;
    let mut spoken = false;
    for c in text.chars() {
        match closing {
            Some(wanted) if c == wanted => closing = None,
            Some(_) => {}
            None => match c {
                '[' => closing = Some(']'),
                '(' => closing = Some(')'),
                '{' => closing = Some('}'),
                '（' => closing = Some('）'),
                '【' => closing = Some('】'),
                '*' | '♪' | '♫' => closing = Some(c),
                _ => spoken |= c.is_alphanumeric(),
            },
        }
    }
    !spoken
}

/// Glues tokens to words. Times never run backwards, also from segment to
/// segment of a piece: `now_ms` is where the last word began.
fn words(tokens: &[Token], place: Place, language: &str, now_ms: &mut u32) -> Vec<Word> {
    let mut words = Vec::new();
    for group in groups(tokens, language) {
        let bytes: Vec<u8> = group
            .iter()
            .flat_map(|token| token.bytes.iter().copied())
            .collect();
        let text = readable(&bytes);
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        if text.is_empty() {
            continue;
        }
        let start_ms = place.at(first.start_cs).max(*now_ms);
        let end_ms = place.at(last.end_cs).max(start_ms);
        *now_ms = start_ms;
        let sum: f32 = group.iter().map(|token| token.probability).sum();
        let confidence = (sum / group.len() as f32).clamp(0.0, 1.0);
        words.push(Word {
            start_ms,
            end_ms,
            text,
            confidence,
        });
    }
    words
}

/// The tokens of each word: a word begins with a space, or, in a language
/// written without spaces, with every whole character.
fn groups<'a>(tokens: &'a [Token], language: &str) -> Vec<&'a [Token]> {
    let unspaced = is_unspaced(language);
    let mut groups = Vec::new();
    let mut first = 0;
    let mut bytes: Vec<u8> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let whole = std::str::from_utf8(&bytes);
        let begins = match whole {
            // In the middle of a character.
            Err(_) => false,
            Ok(_) if token.bytes.starts_with(b" ") => true,
            Ok(before) => unspaced && is_word(before) && !is_punctuation(&token.bytes),
        };
        if begins && index > first {
            groups.push(&tokens[first..index]);
            first = index;
            bytes.clear();
        }
        bytes.extend_from_slice(&token.bytes);
    }
    if first < tokens.len() {
        groups.push(&tokens[first..]);
    }
    groups
}

fn is_word(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn is_punctuation(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !is_word(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        start_ms: 60_000,
        end_ms: 75_000,
    };

    fn token(text: impl AsRef<[u8]>, start_cs: i64, end_cs: i64) -> Token {
        Token {
            bytes: text.as_ref().to_vec(),
            start_cs,
            end_cs,
            probability: 0.5,
        }
    }

    fn heard(tokens: Vec<Token>) -> Heard {
        Heard {
            tokens,
            start_cs: 0,
            end_cs: 1500,
            no_speech_probability: 0.1,
        }
    }

    fn texts(segment: &Segment) -> Vec<&str> {
        segment
            .words
            .iter()
            .map(|word| word.text.as_str())
            .collect()
    }

    #[test]
    fn tokens_are_glued_to_words_with_their_times() {
        let tokens = vec![
            token(" Hel", 10, 20),
            token("lo", 20, 30),
            token(",", 30, 31),
            token(" you", 40, 60),
        ];
        let segments = segments(&[heard(tokens)], PLACE, "en");
        assert_eq!(segments[0].text, "Hello, you");
        assert_eq!(texts(&segments[0]), ["Hello,", "you"]);
        assert_eq!(
            (segments[0].words[0].start_ms, segments[0].words[0].end_ms),
            (60_100, 60_310)
        );
        assert_eq!((segments[0].start_ms, segments[0].end_ms), (60_100, 60_600));
    }

    #[test]
    fn a_character_spread_over_tokens_stays_whole() {
        let [one, two, three] = *"今".as_bytes() else {
            return;
        };
        let tokens = vec![
            token([one, two], 0, 1),
            token([three], 1, 2),
            token("日", 2, 3),
            token("。", 3, 4),
            token("は", 4, 5),
        ];
        let segments = segments(&[heard(tokens)], PLACE, "ja");
        assert_eq!(segments[0].text, "今日。は");
        assert_eq!(texts(&segments[0]), ["今", "日。", "は"]);
    }

    #[test]
    fn half_a_character_at_the_end_is_dropped() {
        let tokens = vec![token(" Na", 0, 1), token([0xC3], 1, 2)];
        assert_eq!(segments(&[heard(tokens)], PLACE, "de")[0].text, "Na");
    }

    #[test]
    fn times_never_run_backwards_or_out_of_the_piece() {
        let tokens = vec![
            token(" a", 100, 90),
            token(" b", 50, 99_999),
            token(" c", i64::MIN, i64::MAX),
        ];
        let segments = segments(&[heard(tokens)], PLACE, "en");
        let mut before = PLACE.start_ms;
        for word in &segments[0].words {
            assert!(before <= word.start_ms && word.start_ms <= word.end_ms);
            assert!(word.end_ms <= PLACE.end_ms);
            before = word.start_ms;
        }
    }

    #[test]
    fn what_nobody_spoke_is_dropped() {
        for text in [
            "",
            " ...",
            " [BLANK_AUDIO]",
            " (wind blowing)",
            " *sighs*",
            " ♪ la la ♪",
            " [Music] -",
            " [cut",
        ] {
            assert_eq!(
                segments(&[heard(vec![token(text, 0, 1)])], PLACE, "en"),
                [],
                "{text}"
            );
        }
        let likely = Heard {
            no_speech_probability: 0.51,
            ..heard(vec![token(" Thanks.", 0, 1)])
        };
        assert_eq!(segments(&[likely], PLACE, "en"), []);
    }

    #[test]
    fn brackets_around_some_of_the_words_drop_nothing() {
        for text in [" Yes (he laughs) indeed", " 42", " ¿Qué?", " 今日"] {
            assert_eq!(
                segments(&[heard(vec![token(text, 0, 1)])], PLACE, "en").len(),
                1,
                "{text}"
            );
        }
    }

    #[test]
    fn a_sentence_that_nobody_can_say_that_fast_was_invented() {
        let sentence = " and my grandmother said that all of them were right after all of it";
        let spoken = |end_cs| Heard {
            end_cs,
            ..heard(vec![token(sentence, 0, end_cs)])
        };
        assert_eq!(segments(&[spoken(100)], PLACE, "en"), []);
        assert_eq!(segments(&[spoken(300)], PLACE, "en").len(), 1);
    }
}

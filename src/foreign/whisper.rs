//! The JSON that Whisper's programs write.
//!
//! - openai-whisper, whisper-ctranslate2 and the `verbose_json` of OpenAI's interface:
//!   `{"text", "segments": [{"start", "end", "text", "words"?}], "language"}`; there words
//!   may also stand beside the segments
//! - whisperX: the same, with `score` for a word's probability, and words that have no
//!   times
//! - faster-whisper has no program of its own; its segments written down as an array of
//!   objects are read
//! - whisper.cpp: `{"transcription": [{"offsets": {"from", "to"}, "text", "tokens"?}],
//!   "result": {"language"}, "params": {"model"}}`, times in milliseconds
//!
//! Times are seconds where nothing else is said.

use serde::Deserialize;

use super::Error;
use super::cues::{Cue, Spoken, Spot};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    text: Option<String>,
    language: Option<String>,
    segments: Option<Vec<Segment>>,
    words: Option<Vec<Word>>,
    transcription: Option<Vec<Stretch>>,
    result: Option<Heard>,
    params: Option<Settings>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Segment {
    start: Option<f64>,
    end: Option<f64>,
    text: String,
    words: Option<Vec<Word>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Word {
    start: Option<f64>,
    end: Option<f64>,
    #[serde(alias = "text")]
    word: String,
    #[serde(alias = "score", alias = "confidence")]
    probability: Option<f64>,
}

/// A segment of whisper.cpp.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stretch {
    offsets: Offsets,
    text: String,
    tokens: Option<Vec<Token>>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct Offsets {
    from: i64,
    to: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Token {
    text: String,
    offsets: Option<Offsets>,
    p: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Heard {
    language: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Settings {
    model: Option<String>,
    language: Option<String>,
}

/// Reads a file in one of the forms.
///
/// # Errors
/// [`Error::Json`], [`Error::Empty`] where nothing was said, and [`Error::NotThat`] where
/// it is JSON of another kind.
pub fn parse(file: &str) -> Result<Spoken, Error> {
    let file = without_nan(file);
    let read: File = match file.trim_start().starts_with('[') {
        true => File {
            segments: Some(serde_json::from_str(&file)?),
            ..File::default()
        },
        false => serde_json::from_str(&file)?,
    };
    let spoken = read.spoken().ok_or(Error::NotThat {
        expected: "JSON that one of Whisper's programs writes",
    })?;
    match spoken.cues.iter().any(|cue| !cue.text.trim().is_empty()) {
        true => Ok(spoken),
        false => Err(Error::Empty),
    }
}

impl File {
    fn spoken(self) -> Option<Spoken> {
        let settings = self.params.unwrap_or_default();
        if let Some(stretches) = self.transcription {
            let heard = self.result.and_then(|result| result.language);
            return Some(Spoken {
                program: Some("whisper.cpp"),
                model: settings.model.as_deref().map(model_name),
                language: heard.or(settings.language).filter(|code| code != "auto"),
                cues: stretches.into_iter().map(Stretch::cue).collect(),
                unreadable: 0,
            });
        }
        let cues = match (self.segments, self.words, self.text) {
            (Some(segments), words, _) => {
                let mut cues: Vec<Cue> = segments.into_iter().map(Segment::cue).collect();
                if cues.iter().all(|cue| cue.words.is_empty()) {
                    hand_out(&mut cues, words.unwrap_or_default());
                }
                cues
            }
            (None, _, Some(text)) => Spoken::untimed(&text).cues,
            _ => return None,
        };
        Some(Spoken {
            program: Some("Whisper"),
            language: self.language,
            cues,
            ..Spoken::default()
        })
    }
}

impl Segment {
    fn cue(self) -> Cue {
        let start_ms = ms(self.start.unwrap_or_default());
        let end_ms = self.end.map_or(start_ms, ms);
        Cue {
            start_ms,
            end_ms,
            words: spots(self.words.unwrap_or_default(), start_ms),
            text: self.text,
        }
    }
}

/// Words that were not aligned (numbers, in whisperX) stand between their neighbours.
fn spots(words: Vec<Word>, start_ms: u64) -> Vec<Spot> {
    let mut at_ms = start_ms;
    words
        .into_iter()
        .map(|word| {
            let start_ms = word.start.map_or(at_ms, ms);
            let end_ms = word.end.map_or(start_ms, ms);
            at_ms = end_ms;
            Spot {
                start_ms,
                end_ms,
                text: word.word,
                confidence: word.probability.unwrap_or_default() as f32,
            }
        })
        .collect()
}

/// Gives words that stand beside the segments to the segments in which they begin.
fn hand_out(cues: &mut [Cue], words: Vec<Word>) {
    let mut spots = spots(words, 0).into_iter().peekable();
    let ends: Vec<u64> = cues.iter().map(|cue| cue.end_ms).collect();
    for (cue, end_ms) in cues.iter_mut().zip(ends) {
        while let Some(spot) = spots.next_if(|spot| spot.start_ms < end_ms) {
            cue.words.push(spot);
        }
    }
}

impl Stretch {
    fn cue(self) -> Cue {
        Cue {
            start_ms: self.offsets.from.max(0).unsigned_abs(),
            end_ms: self.offsets.to.max(0).unsigned_abs(),
            words: words_of(self.tokens.unwrap_or_default()),
            text: self.text,
        }
    }
}

/// Tokens are parts of words; a blank begins a new one. What stands in brackets with an
/// underscore marks times and turns.
fn words_of(tokens: Vec<Token>) -> Vec<Spot> {
    let mut words: Vec<Spot> = Vec::new();
    for token in tokens {
        if token.text.starts_with("[_") || token.text.is_empty() {
            continue;
        }
        let offsets = token.offsets.unwrap_or_default();
        let end_ms = offsets.to.max(0).unsigned_abs();
        let confidence = token.p.unwrap_or_default() as f32;
        match words.last_mut() {
            Some(word) if !token.text.starts_with(' ') => {
                word.text.push_str(&token.text);
                word.end_ms = word.end_ms.max(end_ms);
                word.confidence = word.confidence.min(confidence);
            }
            _ => words.push(Spot {
                start_ms: offsets.from.max(0).unsigned_abs(),
                end_ms,
                text: token.text,
                confidence,
            }),
        }
    }
    words
}

/// Negative times and those that are no numbers are the beginning.
fn ms(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

/// `models/ggml-base.en.bin` is `base.en`.
fn model_name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.strip_suffix(".bin").unwrap_or(name);
    name.strip_prefix("ggml-").unwrap_or(name).to_owned()
}

/// Python writes `NaN` and `Infinity`, which are no JSON; outside of strings they are
/// made `null`.
fn without_nan(file: &str) -> String {
    if !file.contains("NaN") && !file.contains("Infinity") {
        return file.to_owned();
    }
    let mut plain = String::with_capacity(file.len());
    let (mut rest, mut in_string) = (file, false);
    while let Some(c) = rest.chars().next() {
        let words = ["-Infinity", "Infinity", "NaN"];
        let word = words
            .iter()
            .find(|word| !in_string && rest.starts_with(**word));
        let taken = match (word, c) {
            (Some(word), _) => {
                plain.push_str("null");
                word.len()
            }
            (None, '\\') if in_string => {
                let escaped = rest.chars().nth(1).map_or(0, char::len_utf8);
                let both = rest.get(..1 + escaped).unwrap_or_default();
                plain.push_str(both);
                both.len()
            }
            (None, c) => {
                in_string ^= c == '"';
                plain.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::foreign::hostile;

    type Timed = (u64, u64, String);

    /// Times and texts of the segments, and of their words.
    fn read(file: &str) -> (Vec<Timed>, Vec<Timed>, Spoken) {
        let spoken = parse(file).unwrap();
        let cues = spoken
            .cues
            .iter()
            .map(|cue| (cue.start_ms, cue.end_ms, cue.text.trim().to_owned()))
            .collect();
        let words = spoken
            .cues
            .iter()
            .flat_map(|cue| &cue.words)
            .map(|word| (word.start_ms, word.end_ms, word.text.trim().to_owned()))
            .collect();
        (cues, words, spoken)
    }

    #[test]
    fn openai_whisper_is_read_with_its_words_and_nan() {
        let file = r#"{"text": " Ask not.", "segments": [{"id": 0, "seek": 0, "start": 0.0,
            "end": 1.52, "text": " Ask not.", "tokens": [50364], "temperature": 0.0,
            "avg_logprob": NaN, "no_speech_prob": 0.01, "words": [
            {"word": " Ask", "start": 0.0, "end": 0.6, "probability": 0.91},
            {"word": " not.", "start": 0.6, "end": 1.52, "probability": 0.99}]}],
            "language": "en"}"#;
        let (cues, words, spoken) = read(file);
        assert_eq!(cues, [(0, 1_520, "Ask not.".into())]);
        assert_eq!(words, [(0, 600, "Ask".into()), (600, 1_520, "not.".into())]);
        assert_eq!(spoken.language.as_deref(), Some("en"));
        let segment = &spoken.fit(Duration::from_secs(2)).segments[0];
        assert_eq!(
            (segment.words.len(), segment.words[0].confidence),
            (2, 0.91)
        );
    }

    #[test]
    fn whisperx_is_read_also_where_words_have_no_times() {
        let file = r#"{"segments": [{"start": 1.0, "end": 3.0, "text": "In 1962 we", "speaker": "SPEAKER_00",
            "words": [{"word": "In", "start": 1.0, "end": 1.2, "score": 0.8}, {"word": "1962"},
            {"word": "we", "start": 2.5, "end": 3.0, "score": 0.7}]}],
            "word_segments": [], "language": "en"}"#;
        let (_, words, _) = read(file);
        assert_eq!(
            words,
            [
                (1_000, 1_200, "In".into()),
                (1_200, 1_200, "1962".into()),
                (2_500, 3_000, "we".into())
            ]
        );
    }

    #[test]
    fn words_beside_the_segments_find_their_segment() {
        let file = r#"{"task": "transcribe", "language": "english", "duration": 4.0, "text": "One. Two.",
            "segments": [{"start": 0, "end": 2, "text": "One."}, {"start": 2, "end": 4, "text": "Two."}],
            "words": [{"word": "One.", "start": 0, "end": 1}, {"word": "Two.", "start": 2, "end": 3}]}"#;
        let spoken = parse(file).unwrap();
        assert_eq!(spoken.cues[0].words[0].text, "One.");
        assert_eq!(spoken.cues[1].words[0].text, "Two.");
        assert_eq!(spoken.language.as_deref(), Some("english"));
    }

    #[test]
    fn faster_whisper_and_bare_text_are_read() {
        let (cues, _, _) = read(r#"[{"start": 0.5, "end": 1.0, "text": "Hi", "words": null}]"#);
        assert_eq!(cues, [(500, 1_000, "Hi".into())]);
        let (cues, _, _) = read(r#"{"text": "Hi there"}"#);
        assert_eq!(cues[0].2, "Hi there");
    }

    #[test]
    fn whisper_cpp_is_read_and_its_tokens_become_words() {
        let file = r#"{"systeminfo": "AVX = 1", "model": {"type": "base"},
            "params": {"model": "models/ggml-base.en.bin", "language": "en", "translate": false},
            "result": {"language": "en"}, "transcription": [{"timestamps": {"from": "00:00:00,000",
            "to": "00:00:02,000"}, "offsets": {"from": 0, "to": 2000}, "text": " Unbelievable, no?",
            "tokens": [{"text": "[_BEG_]", "offsets": {"from": 0, "to": 0}, "id": 1, "p": 0.9},
            {"text": " Un", "offsets": {"from": 100, "to": 300}, "id": 2, "p": 0.9},
            {"text": "believable", "offsets": {"from": 300, "to": 900}, "id": 3, "p": 0.5},
            {"text": ",", "offsets": {"from": 900, "to": 910}, "id": 4, "p": 0.8},
            {"text": " no", "offsets": {"from": 1000, "to": 1500}, "id": 5, "p": 0.8},
            {"text": "?", "offsets": {"from": 1500, "to": 1600}, "id": 6, "p": 0.8}]}]}"#;
        let (cues, words, spoken) = read(file);
        assert_eq!(cues, [(0, 2_000, "Unbelievable, no?".into())]);
        assert_eq!(
            words,
            [
                (100, 910, "Unbelievable,".into()),
                (1_000, 1_600, "no?".into())
            ]
        );
        assert_eq!(spoken.model.as_deref(), Some("base.en"));
        assert_eq!(
            spoken.fit(Duration::from_secs(2)).segments[0].words.len(),
            2
        );
    }

    #[test]
    fn other_json_is_refused_by_its_kind() {
        assert!(matches!(
            parse(r#"{"name": "x"}"#),
            Err(Error::NotThat { .. })
        ));
        assert!(matches!(
            parse("{\n\n\"text\": 1}"),
            Err(Error::Json { line: 3 })
        ));
        assert_eq!(parse(r#"{"text": "", "segments": []}"#), Err(Error::Empty));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(file in hostile::text()) {
            let _ = parse(&file).map(|spoken| spoken.fit(Duration::from_secs(1)));
        }

        #[test]
        fn only_bare_words_become_null(text in "[a-zN\\\\\"{}:, ]{0,20}") {
            let quoted = serde_json::to_string(&format!("{text}NaN")).unwrap();
            prop_assert_eq!(without_nan(&quoted), quoted);
        }
    }
}

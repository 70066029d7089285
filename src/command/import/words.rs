//! Transcripts that stand beside sound files, as versions that name where they are from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::batch::{Batch, Item};
use crate::error::Failure;
use crate::foreign::told::base_name;
use crate::foreign::{Error, Spoken, srt, text, vtt, whisper};
use crate::recording::Moment;
use crate::speech::Language;
use crate::transcript::Transcript;

/// What a transcript's language says where it is not known.
const UNDETERMINED: &str = "und";

/// Endings of transcripts, the one that tells most first.
const ENDINGS: [&str; 3] = ["json", "srt", "vtt"];

/// The transcripts of a batch, by what their names share with those of sound files.
#[derive(Default)]
pub(super) struct Sidecars {
    by_stem: BTreeMap<String, Vec<Sidecar>>,
}

#[derive(Clone)]
struct Sidecar {
    item: usize,
    /// `de` in `talk.de.srt`.
    language: Option<String>,
}

/// One that was read.
pub(super) struct Found {
    /// The name of its file.
    pub(super) file: String,
    /// The language that its name says.
    pub(super) language: Option<String>,
    /// What it says.
    pub(super) spoken: Spoken,
}

/// What is to be said about transcripts that were looked at.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) found: Vec<Found>,
    pub(super) refused: Vec<(usize, Failure)>,
    /// JSON of another kind, which nobody called a transcript.
    pub(super) others: Vec<usize>,
}

impl Sidecars {
    pub(super) fn of(items: &[Item]) -> Self {
        let mut sidecars = Self::default();
        for (place, item) in items.iter().enumerate() {
            let Some(stem) = stem_of(item) else {
                continue;
            };
            let mut add = |stem: &str, language: Option<String>| {
                let one = Sidecar {
                    item: place,
                    language,
                };
                let known = sidecars.by_stem.entry(stem.to_lowercase());
                known.or_default().push(one);
            };
            add(stem, None);
            if let Some((shorter, code)) = stem.rsplit_once('.')
                && let Some(language) = language_code(code)
            {
                add(shorter, Some(language));
            }
        }
        sidecars
    }

    /// Those that belong to a sound file: `talk.srt`, `talk.de.srt` and `talk.wav.srt` to
    /// `talk.wav`.
    fn beside(&self, sound: &Item) -> Vec<Sidecar> {
        let whole = sound.name.to_lowercase();
        let stem = whole
            .rsplit_once('.')
            .map_or(whole.as_str(), |(stem, _)| stem);
        let mut found: Vec<Sidecar> = [stem, whole.as_str()]
            .into_iter()
            .filter_map(|name| self.by_stem.get(name))
            .flatten()
            .cloned()
            .collect();
        found.sort_by_key(|sidecar| sidecar.item);
        found.dedup_by_key(|sidecar| sidecar.item);
        found
    }

    /// The files that belong to one of these sound files.
    pub(super) fn of_sounds<'a>(&self, sounds: impl Iterator<Item = &'a Item>) -> BTreeSet<usize> {
        let found = sounds.flat_map(|sound| self.beside(sound));
        found.map(|sidecar| sidecar.item).collect()
    }

    /// Reads the transcripts beside a sound file. Of those that say the same, the one that
    /// tells most about it stays.
    pub(super) fn read(&self, batch: &mut Batch, sound: usize) -> Looked {
        let mut looked = Looked::default();
        let Some(item) = batch.items.get(sound) else {
            return looked;
        };
        let mut beside = self.beside(item);
        beside.retain(|sidecar| sidecar.item != sound);
        let rank = |sidecar: &Sidecar| {
            let ending = batch.items.get(sidecar.item).map(Item::ending);
            ENDINGS
                .iter()
                .position(|known| ending.as_deref() == Some(known))
        };
        beside.sort_by_key(rank);
        for sidecar in beside {
            match parse(batch, sidecar.item) {
                Ok(Some(spoken))
                    if looked
                        .found
                        .iter()
                        .any(|known| says_the_same(&known.spoken, &spoken)) => {}
                Ok(Some(spoken)) => looked.found.push(Found {
                    file: batch
                        .items
                        .get(sidecar.item)
                        .map(|item| item.base_name().to_owned())
                        .unwrap_or_default(),
                    language: sidecar.language,
                    spoken,
                }),
                Ok(None) => looked.others.push(sidecar.item),
                Err(failure) => looked.refused.push((sidecar.item, failure)),
            }
        }
        // The last version is the one that is shown.
        looked.found.reverse();
        looked
    }
}

/// Whether a file is named like a transcript; JSON is only one where it stands beside sound.
pub(super) fn is_subtitle(item: &Item) -> bool {
    matches!(item.ending().as_str(), "srt" | "vtt")
}

/// The transcript as a version of a recording of this length, and what there is to say. One
/// of which no word is left is none: the recording is to be transcribed.
pub(super) fn version(
    found: &Found,
    length: Duration,
    now: Moment,
) -> (Option<Transcript>, Option<String>) {
    let fitted = found.spoken.fit(length);
    let mut settings = String::new();
    if let Some(program) = found.spoken.program {
        settings = format!("written by {program}");
        if let Some(model) = &found.spoken.model {
            settings.push_str(&format!(" with {model}"));
        }
    }
    let language = found.spoken.language.as_deref().and_then(language_code);
    let mut notes = Vec::new();
    if fitted.beyond > 0 {
        notes.push(format!(
            "{} of its cues lie behind the end of the sound",
            fitted.beyond
        ));
    }
    if found.spoken.unreadable > 0 {
        notes.push(format!(
            "{} of its times can't be read",
            found.spoken.unreadable
        ));
    }
    let has_words = fitted
        .segments
        .iter()
        .any(|segment| !segment.text.trim().is_empty());
    if !has_words {
        notes.push("no word of it can be taken in".to_owned());
    }
    let transcript = Transcript {
        model: format!("imported: {}", found.file),
        settings,
        language: language
            .or_else(|| found.language.clone())
            .unwrap_or_else(|| UNDETERMINED.to_owned()),
        made_at: now,
        segments: fitted.segments,
    };
    let note = (!notes.is_empty()).then(|| format!("{}: {}", found.file, notes.join("; ")));
    (has_words.then_some(transcript), note)
}

/// Reads one; `None` where it is JSON of another kind.
fn parse(batch: &mut Batch, place: usize) -> Result<Option<Spoken>, Failure> {
    let Some(item) = batch.items.get(place) else {
        return Ok(None);
    };
    let (ending, shown) = (item.ending(), item.shown.display().to_string());
    let bytes = batch.bytes(place, text::MOST_BYTES)?;
    let parsed = match ending.as_str() {
        "json" => whisper::parse(&text::decode_json(&bytes)),
        "srt" => srt::parse(&text::decode(&bytes)),
        _ => vtt::parse(&text::decode(&bytes)),
    };
    match parsed {
        Ok(spoken) => Ok(Some(spoken)),
        Err(Error::NotThat { .. }) if ending == "json" => Ok(None),
        Err(error) => Err(Failure::from(error).about(shown)),
    }
}

/// The name of a transcript without its ending.
fn stem_of(item: &Item) -> Option<&str> {
    let ending = item.ending();
    ENDINGS.contains(&ending.as_str()).then_some(())?;
    let (stem, _) = item.name.rsplit_once('.')?;
    (!base_name(stem).is_empty()).then_some(stem)
}

fn says_the_same(a: &Spoken, b: &Spoken) -> bool {
    let words = |spoken: &Spoken| -> Vec<String> {
        let texts = spoken
            .cues
            .iter()
            .flat_map(|cue| cue.text.split_whitespace());
        texts.map(str::to_owned).collect()
    };
    words(a) == words(b)
}

/// `en` of `en`, `en-US`, `pt_BR` and `english`; None of what is no language.
fn language_code(text: &str) -> Option<String> {
    let text = text.trim();
    let first = text.split(['-', '_']).next().unwrap_or_default();
    match first.parse() {
        Ok(Language::Code(code)) => Some(code),
        Ok(Language::Auto) | Err(_) => None,
    }
}

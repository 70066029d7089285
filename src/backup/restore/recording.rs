//! `meta.json` and `audio.opus` as a recording that the vault takes: only what a vault
//! could have written.
//!
//! What it says was signed, but perhaps by somebody else, so nothing here is believed
//! further than it is looked at: lengths, numbers, spans and levels.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use crate::audio::{OggOpusReader, PACKET_SAMPLES, SEGMENT_PACKETS};
use crate::backup::error::{Error, Result};
use crate::backup::meta::Meta;
use crate::recording::{Card, Gap, RecordingId, SEGMENT_SAMPLES};
use crate::transcript::Transcript;
use crate::vault;

/// Longer texts are not taken; those that people write have a hundredth.
const MOST_LINE_BYTES: usize = 64 << 10;
const MOST_NOTE_BYTES: usize = 16 << 20;

/// More of anything is not taken.
const MOST_TAGS: usize = 10_000;
const MOST_MARKS: usize = 1 << 20;

/// Transcripts are counted from 1, and nobody makes a million of one recording.
pub(super) const MOST_VERSION: u32 = 1 << 20;

/// The longest recording: the segments of a vault are numbered with 32 bits.
const MOST_SAMPLES: u64 = (u32::MAX as u64) * (SEGMENT_SAMPLES as u64);

/// What is told of a recording that was damaged before it was backed up.
pub(super) const LOST: &str = "some of its sound was lost when it was backed up";

/// A recording out of a segment.
pub(super) struct Taken {
    pub(super) returning: vault::Returning,
    /// Whether its sound had been shredded when it was backed up.
    is_soundless: bool,
    /// Whether some of it was lost by then.
    pub(super) is_sound_lost: bool,
    /// Transcripts that could not.
    lost_versions: Vec<u32>,
}

/// Reads `meta.json` of a recording; its epoch is whatever it says.
///
/// # Errors
/// [`Error::Damaged`] if no vault would have written it.
pub(super) fn read(which: &str, id: RecordingId, bytes: &[u8]) -> Result<Taken> {
    let meta = Meta::read(which, bytes)?;
    let epoch = meta.epoch;
    if meta.id != id {
        return Err(Error::damaged(which, "it is about another recording"));
    }
    let numbered = meta.highest().min(MOST_VERSION);
    let lost_versions = meta.lost_versions.iter().map(|one| one.number).collect();
    let (recording, transcripts) = meta.into_parts();
    let (card, is_wordless) = (recording.card, recording.text_shredded);
    let is_soundless = recording.sound_shredded;
    let words = words(transcripts).map_err(|why| Error::damaged(which, why))?;
    check(&card).map_err(|why| Error::damaged(which, why))?;
    Ok(Taken {
        returning: vault::Returning {
            id,
            epoch,
            card,
            words: (!is_wordless).then_some(words),
            numbered,
        },
        is_soundless,
        is_sound_lost: false,
        lost_versions,
    })
}

impl Taken {
    /// What becomes of its sound where no file of that comes: it was shredded, or lies
    /// elsewhere.
    pub(super) fn without_file(&self) -> vault::ReturnedSound<'static> {
        match self.is_soundless {
            true => vault::ReturnedSound::Shredded,
            false => vault::ReturnedSound::Lost,
        }
    }

    /// What is not as it was and can't be any more.
    pub(super) fn notes(&self) -> Vec<String> {
        let words = self.returning.words.as_ref();
        let lost = self.lost_versions.iter();
        let is_lost = |number: &&u32| words.is_some_and(|words| !words.contains_key(number));
        let mut notes = Vec::new();
        match lost.filter(is_lost).count() {
            0 => {}
            many => notes.push(format!(
                "{many} of its transcripts could not be read when it was backed up"
            )),
        }
        if self.is_sound_lost {
            notes.push(LOST.to_owned());
        }
        notes
    }
}

/// Segments of sound that were lost, in whose place the backup has silence.
///
/// # Errors
/// Why they are no segments.
pub(super) fn spans(lost: &[(u64, u64)]) -> Result<Vec<Range<u64>>, &'static str> {
    let span = |(from, to): &(u64, u64)| match from < to && *to <= u64::from(u32::MAX) {
        true => Ok(*from..*to),
        false => Err("a span of lost sound is none"),
    };
    lost.iter().map(span).collect()
}

fn words(transcripts: Vec<(u32, Transcript)>) -> Result<BTreeMap<u32, Transcript>, &'static str> {
    let mut words = BTreeMap::new();
    for (number, transcript) in transcripts {
        if !(1..=MOST_VERSION).contains(&number) {
            return Err("a transcript has a number that is none");
        }
        let lines = [
            &transcript.model,
            &transcript.settings,
            &transcript.language,
        ];
        if lines.iter().any(|line| line.len() > MOST_LINE_BYTES) {
            return Err("a transcript has a name that is too long");
        }
        let mut all = transcript
            .segments
            .iter()
            .flat_map(|segment| &segment.words);
        if !all.all(|word| word.confidence.is_finite()) {
            return Err("a word is as certain as no number");
        }
        if words.insert(number, transcript).is_some() {
            return Err("two transcripts have one number");
        }
    }
    Ok(words)
}

fn check(card: &Card) -> Result<(), &'static str> {
    let short = |line: &str| line.len() <= MOST_LINE_BYTES;
    let lines = [
        Some(&card.title),
        card.device.as_ref(),
        card.failure.as_ref(),
    ];
    let texts_fit = lines.into_iter().flatten().all(|line| short(line))
        && card.note.len() <= MOST_NOTE_BYTES
        && card.tags.len() <= MOST_TAGS
        && card.tags.iter().all(|tag| short(tag));
    if !texts_fit {
        return Err("it is longer than any that a person wrote");
    }
    if card.gaps.len() > MOST_MARKS || card.markers.len() > MOST_MARKS {
        return Err("it has more gaps or marks than a recording can have");
    }
    let inside = |gap: &Gap| {
        let end = gap.at_sample.checked_add(gap.samples);
        end.is_some_and(|end| end <= 2 * MOST_SAMPLES)
    };
    if card.samples > MOST_SAMPLES || !card.gaps.iter().all(inside) {
        return Err("it is longer than a recording can be");
    }
    let signal = &card.signal;
    let levels = [
        signal.peak_dbfs,
        signal.rms_dbfs,
        signal.silent_fraction,
        signal.clipped_fraction,
    ];
    match levels.iter().all(|level| level.is_finite()) {
        true => Ok(()),
        false => Err("its level is no number"),
    }
}

/// Gives the next stretch of long sound, with what it is called.
type Next<'a, R> = Box<dyn FnMut() -> Result<Option<(String, R)>> + 'a>;

/// The sound of a recording on its way from a segment into the vault, or from several.
pub(super) struct Sound<'a, R: Read> {
    ogg: OggOpusReader<R>,
    which: String,
    /// How long it is to be.
    samples: u64,
    /// How long the stretches are that were read before this one.
    before: u64,
    /// Opens the stretch behind this one.
    more: Next<'a, R>,
    /// Why it could not be read, if that is so.
    pub(super) failed: Option<Error>,
}

impl<'a, R: Read> Sound<'a, R> {
    /// The sound of the recording that has this card.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not one that the vault keeps.
    pub(super) fn new(which: String, from: R, card: &Card) -> Result<Self> {
        let ogg = OggOpusReader::new(from).map_err(|error| damaged(&which, &error))?;
        match ogg.pre_skip() == card.pre_skip {
            true => Ok(Self {
                ogg,
                which,
                samples: card.samples,
                before: 0,
                more: Box::new(|| Ok(None)),
                failed: None,
            }),
            false => Err(Error::damaged(
                which,
                "it begins elsewhere than its card says",
            )),
        }
    }

    /// The same, with the stretches that this gives one after the other.
    pub(super) fn and(self, more: impl FnMut() -> Result<Option<(String, R)>> + 'a) -> Self {
        Self {
            more: Box::new(more),
            ..self
        }
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let next = self.ogg.next_segment();
            if let Some(segment) = next.map_err(|error| damaged(&self.which, &error))? {
                return Ok(Some(segment));
            }
            let Some((which, from)) = (self.more)()? else {
                return self.check_length().map(|()| None);
            };
            self.begin(which, from)?;
        }
    }

    /// Goes on with the next stretch. What stands before it ends with a whole segment, so
    /// that none is longer or shorter than the others.
    fn begin(&mut self, which: String, from: R) -> Result<()> {
        let decoded = self.ogg.samples() + u64::from(self.ogg.pre_skip());
        if !decoded.is_multiple_of(SEGMENT_SAMPLES.into()) {
            let why = "it ends before the stretch behind it begins";
            return Err(Error::damaged(&self.which, why));
        }
        let ogg = OggOpusReader::new(from).map_err(|error| damaged(&which, &error))?;
        if ogg.pre_skip() != 0 {
            let why = "it begins elsewhere than where the one before it ends";
            return Err(Error::damaged(which, why));
        }
        self.before = self.before.saturating_add(self.ogg.samples());
        (self.which, self.ogg) = (which, ogg);
        Ok(())
    }

    /// One that was interrupted lacks what the encoder had not given yet.
    fn check_length(&self) -> Result<()> {
        const MOST_MISSING: u64 = (PACKET_SAMPLES * SEGMENT_PACKETS) as u64;
        let read = self.before.saturating_add(self.ogg.samples());
        let missing = self.samples.checked_sub(read);
        match missing.is_some_and(|missing| missing <= MOST_MISSING) {
            true => Ok(()),
            false => Err(Error::damaged(
                &self.which,
                "it is not as long as its card says",
            )),
        }
    }
}

impl<R: Read> vault::Returned for Sound<'_, R> {
    fn next_segment(&mut self) -> vault::error::Result<Option<Vec<u8>>> {
        self.next().map_err(|error| {
            let told = vault::Error::Damaged {
                which: self.which.clone(),
                why: error.to_string(),
            };
            self.failed = Some(error);
            told
        })
    }
}

/// What an Ogg reader says, about this file of a segment.
fn damaged(which: &str, error: &crate::audio::AudioError) -> Error {
    use crate::audio::AudioError;
    let why = match error {
        AudioError::Read { source, .. } if source.raw_os_error().is_none() => {
            "it was altered, or cut off".to_owned()
        }
        AudioError::Stored { why } => why.clone(),
        other => other.to_string(),
    };
    Error::damaged(which, why)
}

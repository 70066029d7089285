//! What an inbox file holds behind its first frame: every record opened and counted.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek};

use sha2::{Digest, Sha256};

use super::frames::{Frames, Next};
use super::intake::FIRST_EPOCH;
use crate::crypto::ClipKeys;
use crate::recording::{Card, Ending, Gap, RecordingId, SEGMENT_SAMPLES, Source};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::sealed::frame::{Frame, Kind};
use crate::vault::sealed::record;

/// A microphone's recorder waits until a frame is durable before it writes the next
/// one: where more than this reads as zeros, or more than twice its longest frame, it
/// is no write that a power cut kept from the disk.
pub(super) const AT_ONCE_BYTES: u64 = 16 * 1024;

/// What an inbox file holds behind its first frame.
pub(crate) struct Survey {
    /// Segments of sound, those that are lost between others included.
    pub segments: u32,
    /// How many of them are here.
    pub found: u32,
    /// How many transcripts came with the sound.
    pub transcripts: u32,
    /// Where the frames begin that do not count: they don't open, or lie in a
    /// wrong place.
    pub passed_over: BTreeSet<u64>,
    /// Sound that was lost between what is here.
    pub gaps: Vec<Gap>,
    /// How many of their samples count.
    pub samples: u64,
    /// Bytes of their frames.
    pub audio_bytes: u64,
    /// SHA-256 over their frames.
    pub hash: [u8; 32],
    /// The newest card, if there is one.
    pub card: Option<Card>,
    /// Revision of that card.
    pub revision: u32,
    /// Whether the recorder said that the recording is complete.
    pub finished: bool,
    /// Where and why something could not be read first.
    pub damage: Option<String>,
    /// Where the last whole frame ends.
    pub whole_bytes: u64,
    /// Bytes of the longest one.
    longest: u64,
}

impl Survey {
    /// Nothing in it is worth anything to anybody.
    pub(crate) fn is_without_sound(&self) -> bool {
        self.found == 0 && !self.finished
    }

    /// A file that was being imported and has no end. Where it is marked as such it is
    /// still there to be taken again, and this is dropped: it is taken whole or not at
    /// all. Without the mark the end was there.
    pub(crate) fn is_unfinished_copy(&self) -> bool {
        let card = self.card.as_ref();
        !self.finished && card.is_some_and(|card| card.source == Source::Import)
    }

    /// The card as it goes into the store: of an interrupted recording, as long
    /// as its segments are.
    pub(crate) fn into_card(self) -> Option<Card> {
        let finished = self.finished;
        let samples = self.samples;
        let gaps = self.gaps;
        let damaged = self.damage.is_some();
        self.card.map(|mut card| {
            if !finished {
                card.samples = samples;
                card.ending = Ending::Interrupted;
            }
            if damaged {
                // What it was made of must not pass for being here already.
                card.content_hash = None;
            }
            card.gaps.extend(gaps);
            card.gaps.sort_unstable_by_key(|gap| gap.at_sample);
            card
        })
    }
}

/// Opens every record behind the first frame. What is damaged or does not open
/// costs itself only; what lies behind it is read on.
pub(crate) fn survey<R: Read + Seek>(
    frames: &mut Frames<R>,
    id: RecordingId,
    keys: &ClipKeys,
    trouble: impl Fn(io::Error) -> Error,
) -> Result<Survey> {
    let mut digest = Sha256::new();
    let mut survey = Survey {
        segments: 0,
        found: 0,
        transcripts: 0,
        passed_over: BTreeSet::new(),
        gaps: Vec::new(),
        samples: 0,
        audio_bytes: 0,
        hash: [0; 32],
        card: None,
        revision: 0,
        finished: false,
        damage: None,
        whole_bytes: 0,
        longest: 0,
    };
    loop {
        match frames.next().map_err(&trouble)? {
            Next::Frame(frame, at) => {
                let bytes = frame.bytes.len() as u64;
                survey.whole_bytes = at + bytes;
                survey.longest = survey.longest.max(bytes);
                if let Err(error) = take(&mut survey, &mut digest, &frame, id, keys) {
                    survey.damage.get_or_insert(error.to_string());
                    survey.passed_over.insert(at);
                }
            }
            Next::End => break,
            Next::Torn(behind) => {
                if behind > AT_ONCE_BYTES.max(2 * survey.longest) {
                    let why = format!(
                        "behind segment {}: all the rest is zeros, more than a power cut leaves",
                        survey.segments
                    );
                    survey.damage.get_or_insert(why);
                }
                break;
            }
            Next::Damaged(why) => {
                let why = format!("behind segment {}: {why}", survey.segments);
                survey.damage.get_or_insert(why);
                if !frames.resume().map_err(&trouble)? {
                    break;
                }
            }
        }
    }
    survey.hash = digest.finalize().into();
    Ok(survey)
}

fn take(
    survey: &mut Survey,
    digest: &mut Sha256,
    frame: &Frame<'_>,
    id: RecordingId,
    keys: &ClipKeys,
) -> Result<()> {
    let facts = &frame.facts;
    if facts.id != id || facts.epoch != FIRST_EPOCH {
        return Err(record::damaged(facts, format!("lies in the file of {id}")));
    }
    if survey.finished {
        return Err(record::damaged(
            facts,
            "lies behind the end of the recording",
        ));
    }
    if facts.number < survey.segments {
        let why = format!("stands where segment {} is expected", survey.segments);
        return Err(record::damaged(facts, why));
    }
    match facts.kind {
        Kind::Sound => {
            let segment = record::open_sound(&keys.sound, frame)?;
            miss(survey, facts.number);
            survey.found += 1;
            survey.samples += u64::from(segment.samples);
            survey.segments += 1;
            survey.audio_bytes += frame.bytes.len() as u64;
            digest.update(frame.bytes);
        }
        Kind::Card | Kind::Draft => {
            survey.card = Some(record::open_text(&keys.card, frame)?);
            miss(survey, facts.number);
            survey.revision = facts.revision;
            survey.finished = facts.kind == Kind::Card;
        }
        Kind::Words => {
            // Opened to see that it does; it is read again when it goes into the store.
            let _: Transcript = record::open_text(&keys.words, frame)?;
            miss(survey, facts.number);
            survey.transcripts += 1;
        }
        Kind::Keys | Kind::Log => {
            return Err(record::damaged(facts, "does not belong into an inbox file"));
        }
    }
    Ok(())
}

/// Counts the segments before this one that are lost. Called with numbers that
/// stood inside a seal: the recorder had come as far as that.
fn miss(survey: &mut Survey, number: u32) {
    let lost = number - survey.segments;
    if lost == 0 {
        return;
    }
    let first = survey.segments;
    let samples = u64::from(lost) * u64::from(SEGMENT_SAMPLES);
    survey.gaps.push(Gap {
        at_sample: survey.samples,
        samples,
    });
    survey.samples += samples;
    survey.segments = number;
    let why = match lost {
        1 => format!("segment {first} is lost"),
        _ => format!("segments {first} to {} are lost", number - 1),
    };
    survey.damage.get_or_insert(why);
}

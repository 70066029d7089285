//! Reads an inbox file: frame by frame, up to its end or the first damage.
//!
//! A frame cut off at the end of the file is what a power cut leaves, and no
//! damage. Nothing here changes a file.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::frame::{self, Facts, Frame, HEADER_BYTES, Kind, Unreadable};
use super::record;
use crate::crypto::{ClipKeys, InboxIdentity};
use crate::recording::{Card, Ending, RecordingId, Source};

/// The epoch of everything that comes in; redaction counts it up later.
pub(crate) const FIRST_EPOCH: u32 = 0;

/// Frames one after the other, through one buffer.
pub(crate) struct Frames<R> {
    inner: R,
    buffer: Vec<u8>,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
        }
    }

    /// What comes next in the file.
    pub(crate) fn next(&mut self) -> io::Result<Next<'_>> {
        self.buffer.resize(HEADER_BYTES, 0);
        let read = fill(&mut self.inner, &mut self.buffer)?;
        if read == 0 {
            return Ok(Next::End);
        }
        self.buffer.truncate(read);
        if let Ok(body) = frame::body_bytes(&self.buffer) {
            // A forged length must not cost memory: the buffer grows with what
            // is there to be read.
            self.inner
                .by_ref()
                .take(body as u64)
                .read_to_end(&mut self.buffer)?;
        }
        match frame::parse(&self.buffer).map(|frame| frame.facts) {
            Ok(facts) => {
                let (_, body) = self.buffer.split_at(HEADER_BYTES);
                Ok(Next::Frame(Frame {
                    facts,
                    body,
                    bytes: &self.buffer,
                }))
            }
            Err(why) if self.is_torn(why)? => Ok(Next::Torn),
            Err(why) => Ok(Next::Damaged(why)),
        }
    }

    /// Whether what could not be read is a write that the power cut short: from
    /// somewhere in that frame on, everything up to the end of the file is 0.
    /// (A seal never ends in 16 zeros.)
    fn is_torn(&mut self, why: Unreadable) -> io::Result<bool> {
        if why == Unreadable::Torn {
            return Ok(true);
        }
        let tail = &self.buffer[self.buffer.len().saturating_sub(16)..];
        if tail.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        let mut rest = [0; 4096];
        loop {
            match fill(&mut self.inner, &mut rest)? {
                0 => return Ok(true),
                read if rest[..read].iter().any(|byte| *byte != 0) => return Ok(false),
                _ => {}
            }
        }
    }
}

/// What comes next in an inbox file.
pub(crate) enum Next<'a> {
    /// A whole frame.
    Frame(Frame<'a>),
    /// The end, right behind a frame.
    End,
    /// The start of a frame whose writing was cut short; nothing follows.
    Torn,
    /// Something else.
    Damaged(Unreadable),
}

fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// How the first frame of an inbox file reads.
pub(crate) enum First {
    /// The clip keys, sealed to an inbox key.
    Sealed(Vec<u8>),
    /// The file ends before its first frame does: its recorder died before it
    /// had promised anything, and nothing can ever open what is here.
    Torn,
}

/// Reads the first frame of the file of this recording.
///
/// # Errors
/// [`Error::Damaged`] if it is no keys frame of this recording.
pub(crate) fn first<R: Read>(
    frames: &mut Frames<R>,
    id: RecordingId,
    trouble: impl Fn(io::Error) -> Error,
) -> Result<First> {
    match frames.next().map_err(trouble)? {
        Next::Frame(frame) if frame.facts == keys_facts(id) => {
            Ok(First::Sealed(frame.body.to_vec()))
        }
        Next::Frame(_) => Err(Error::damaged(
            id,
            "its first record is not the keys of this recording",
        )),
        Next::End | Next::Torn => Ok(First::Torn),
        Next::Damaged(why) => Err(Error::damaged(id, why)),
    }
}

/// The facts of the frame every inbox file begins with.
pub(crate) fn keys_facts(id: RecordingId) -> Facts {
    Facts {
        kind: Kind::Keys,
        id,
        epoch: FIRST_EPOCH,
        number: 0,
        revision: 0,
    }
}

/// The clip keys of a recording, if they were sealed to this inbox key.
pub(crate) fn open_keys(id: RecordingId, sealed: &[u8], inbox: &InboxIdentity) -> Result<ClipKeys> {
    let foreign = |why: &dyn ToString| Error::damaged(id, why.to_string());
    let plain = inbox.open(sealed).map_err(|error| foreign(&error))?;
    match plain.split_first_chunk() {
        Some((facts, keys)) if *facts == keys_facts(id).to_bytes() => {
            ClipKeys::from_bytes(keys).map_err(|error| foreign(&error))
        }
        _ => Err(foreign(&"its keys belong to another recording")),
    }
}

/// What an inbox file holds behind its first frame.
pub(crate) struct Survey {
    /// Whole segments of sound.
    pub segments: u32,
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
    /// Where and why reading ended early.
    pub damage: Option<String>,
}

impl Survey {
    /// A file that was being imported when the program was killed: it is taken
    /// whole or not at all, and it is still there to be taken again.
    pub(crate) fn is_unfinished_copy(&self) -> bool {
        let card = self.card.as_ref();
        !self.finished && card.is_some_and(|card| card.source == Source::Import)
    }

    /// The card as it goes into the store: of an interrupted recording, as long
    /// as its segments are.
    pub(crate) fn into_card(self) -> Option<Card> {
        let finished = self.finished;
        let samples = self.samples;
        self.card.map(|card| match finished {
            true => card,
            false => Card {
                samples,
                ending: Ending::Interrupted,
                ..card
            },
        })
    }
}

/// Opens every record behind the first frame.
pub(crate) fn survey<R: Read>(
    frames: &mut Frames<R>,
    id: RecordingId,
    keys: &ClipKeys,
    trouble: impl Fn(io::Error) -> Error,
) -> Result<Survey> {
    let mut digest = Sha256::new();
    let mut survey = Survey {
        segments: 0,
        samples: 0,
        audio_bytes: 0,
        hash: [0; 32],
        card: None,
        revision: 0,
        finished: false,
        damage: None,
    };
    loop {
        let frame = match frames.next().map_err(&trouble)? {
            Next::Frame(frame) => frame,
            Next::End | Next::Torn => break,
            Next::Damaged(why) => {
                survey.damage = Some(format!("behind segment {}: {why}", survey.segments));
                break;
            }
        };
        if let Err(error) = take(&mut survey, &mut digest, &frame, id, keys) {
            survey.damage = Some(error.to_string());
            break;
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
    if facts.number != survey.segments {
        let why = format!("stands where segment {} is expected", survey.segments);
        return Err(record::damaged(facts, why));
    }
    match facts.kind {
        Kind::Sound => {
            let segment = record::open_sound(&keys.sound, frame)?;
            survey.samples += u64::from(segment.samples);
            survey.segments += 1;
            survey.audio_bytes += frame.bytes.len() as u64;
            digest.update(frame.bytes);
        }
        Kind::Card | Kind::Draft => {
            survey.card = Some(record::open_text(&keys.card, frame)?);
            survey.revision = facts.revision;
            survey.finished = facts.kind == Kind::Card;
        }
        Kind::Keys | Kind::Words | Kind::Log => {
            return Err(record::damaged(facts, "does not belong into an inbox file"));
        }
    }
    Ok(())
}

//! Reads an inbox file: frame by frame, past what is damaged, up to its end.
//!
//! A frame cut off at the end of the file is what a power cut leaves, and no
//! damage; but where whole frames follow it, its length is what is wrong. Nothing
//! here changes a file.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};

use crate::crypto::{ClipKeys, InboxIdentity};
use crate::recording::{Card, Ending, Gap, RecordingId, SEGMENT_SAMPLES, Source};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::sealed::frame::{self, Facts, Frame, HEADER_BYTES, Kind, MAGIC, Unreadable};
use crate::vault::sealed::record;
use crate::vault::sealed::scan;

/// The longest first frame. It is durable before anything is written behind it.
pub(super) const FIRST_FRAME_BYTES: u64 = 1024;

/// A microphone's recorder waits until a frame is durable before it writes the next
/// one: where more than this reads as zeros, or more than twice its longest frame, it
/// is no write that a power cut kept from the disk.
pub(super) const AT_ONCE_BYTES: u64 = 16 * 1024;

/// The epoch of everything that comes in; redaction counts it up later.
pub(crate) const FIRST_EPOCH: u32 = 0;

/// Frames one after the other, through one buffer.
pub(crate) struct Frames<R> {
    inner: R,
    buffer: Vec<u8>,
    /// Where the newest frame begins, and where it ends.
    at: u64,
    end: u64,
}

impl<R: Read + Seek> Frames<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            at: 0,
            end: 0,
        }
    }

    /// Begins once more with the first frame.
    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        self.end = 0;
        self.inner.rewind()
    }

    /// Goes on at the next whole frame behind what was damaged; `false` if there
    /// is none.
    pub(crate) fn resume(&mut self) -> io::Result<bool> {
        const PIECE_BYTES: usize = 64 * 1024;
        // Where the window begins in the file, and how much of it was looked at.
        let mut start = self.at + 1;
        self.inner.seek(SeekFrom::Start(start))?;
        let (window, mut looked_at) = (&mut self.buffer, 0);
        window.clear();
        loop {
            let rest = &window[looked_at..];
            let Some(at) = rest.windows(MAGIC.len()).position(|bytes| *bytes == MAGIC) else {
                // The start of a magic may stand at the edge.
                let done = window.len().saturating_sub(MAGIC.len() - 1).max(looked_at);
                window.drain(..done);
                (start, looked_at) = (start + done as u64, 0);
                if !more(&mut self.inner, window, PIECE_BYTES)? {
                    return Ok(false);
                }
                continue;
            };
            looked_at += at;
            let needed = |window: &[u8]| match frame::body_bytes(&window[looked_at..]) {
                Ok(body) => looked_at + HEADER_BYTES + body,
                Err(_) => looked_at + HEADER_BYTES,
            };
            while needed(window) > window.len() {
                let missing = needed(window) - window.len();
                if !more(&mut self.inner, window, missing)? {
                    break;
                }
            }
            if frame::parse(&window[looked_at..]).is_ok() {
                self.end = start + looked_at as u64;
                self.inner.seek(SeekFrom::Start(self.end))?;
                return Ok(true);
            }
            looked_at += 1;
        }
    }

    /// What comes next in the file.
    pub(crate) fn next(&mut self) -> io::Result<Next<'_>> {
        self.at = self.end;
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
                self.end += self.buffer.len() as u64;
                let (_, body) = self.buffer.split_at(HEADER_BYTES);
                Ok(Next::Frame(
                    Frame {
                        facts,
                        body,
                        bytes: &self.buffer,
                    },
                    self.at,
                ))
            }
            Err(Unreadable::Torn) if frame::is_whole_but_for_its_length(&self.buffer) => {
                Ok(Next::Damaged(Unreadable::Torn))
            }
            Err(why) => Ok(match self.torn(why)? {
                Some(behind) => Next::Torn(behind),
                None => Next::Damaged(why),
            }),
        }
    }

    /// Whether what could not be read is a write that the power cut short: from
    /// somewhere in that frame on, everything up to the end of the file is 0.
    /// (A seal never ends in 16 zeros.) Behind such a write there is nothing: if a
    /// whole frame was swallowed, the length that swallowed it is damaged. Answers
    /// with how many zeros follow behind that frame.
    fn torn(&mut self, why: Unreadable) -> io::Result<Option<u64>> {
        let swallowed = &self.buffer[1..];
        if scan::frames(swallowed).next().is_some() {
            return Ok(None);
        }
        if why == Unreadable::Torn {
            return Ok(Some(0));
        }
        let tail = &self.buffer[self.buffer.len().saturating_sub(16)..];
        if tail.iter().any(|byte| *byte != 0) {
            return Ok(None);
        }
        let (mut rest, mut behind) = ([0; 4096], 0);
        loop {
            match fill(&mut self.inner, &mut rest)? {
                0 => return Ok(Some(behind)),
                read if rest[..read].iter().any(|byte| *byte != 0) => return Ok(None),
                read => behind += read as u64,
            }
        }
    }
}

/// What comes next in an inbox file.
pub(crate) enum Next<'a> {
    /// A whole frame, and where in the file it begins.
    Frame(Frame<'a>, u64),
    /// The end, right behind a frame.
    End,
    /// The start of a frame whose writing was cut short; nothing follows but so
    /// many zeros.
    Torn(u64),
    /// Something else.
    Damaged(Unreadable),
}

/// Reads so many bytes more, or as many as there are; `false` if there are none.
fn more(from: &mut impl Read, window: &mut Vec<u8>, bytes: usize) -> io::Result<bool> {
    Ok(from.take(bytes as u64).read_to_end(window)? > 0)
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
pub(crate) fn first<R: Read + Seek>(
    frames: &mut Frames<R>,
    id: RecordingId,
    trouble: impl Fn(io::Error) -> Error,
) -> Result<First> {
    match frames.next().map_err(trouble)? {
        Next::Frame(frame, _) if frame.facts == keys_facts(id) => {
            Ok(First::Sealed(frame.body.to_vec()))
        }
        Next::Frame(..) => Err(Error::damaged(
            id,
            "its first record is not the keys of this recording",
        )),
        Next::End | Next::Torn(_) => Ok(First::Torn),
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

//! Recordings that are being made, as their owner sees them while they run.
//!
//! A recorder writes a draft of the card first of all, and again every few
//! seconds; the newest of them says what is known. Only headers, that draft and
//! transcripts that came with it are read, however long the recording is. One whose
//! draft does not open here is left out: it began this moment, or it is none of this
//! vault's.

use std::io;

use serde::de::DeserializeOwned;

use super::frames::Frames;
use super::intake::{self, FIRST_EPOCH, First};
use super::sequential::Sequential;
use crate::crypto::ClipKey;
use crate::recording::{Card, KeptUntil, Recording, RecordingId, SEGMENT_SAMPLES};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, DiskFile};
use crate::vault::inbox;
use crate::vault::keys::bag::Clip;
use crate::vault::sealed::frame::{self, Kind};
use crate::vault::sealed::record;
use crate::vault::session::Held;

/// Every recording in progress whose draft opens.
pub(crate) fn running(held: &Held<'_>) -> Result<Vec<Recording>> {
    let mut running = Vec::new();
    for entry in inbox::entries(held.disk(), held.dir())? {
        if entry.running {
            match so_far(held, entry.id) {
                // A file that can't be read hides no other.
                Err(Error::Io { .. }) => {}
                found => running.extend(found?),
            }
        }
    }
    Ok(running)
}

/// What is known of a recording whose file lies in the inbox, if its draft opens.
pub(crate) fn so_far(held: &Held<'_>, id: RecordingId) -> Result<Option<Recording>> {
    // It may end and be merged at any time.
    let Some(file) = open(held, id)? else {
        return Ok(None);
    };
    let Some(keys) = keys_of(held, id)? else {
        return Ok(None);
    };
    let path = inbox::path(held.dir(), id);
    let trouble = |source| Error::io("read", &path)(source);
    let bytes = file.len().map_err(trouble)?;
    let (mut newest, mut segments, mut audio_bytes) = (None, 0_u64, 0);
    let mut words = Vec::new();
    let walked = inbox::walk(&*file, bytes, &mut |facts, at, length| match facts.kind {
        Kind::Sound => {
            segments += 1;
            audio_bytes += length as u64;
        }
        Kind::Card | Kind::Draft => newest = Some((at, length)),
        Kind::Words => words.push((at, length)),
        Kind::Keys | Kind::Log => {}
    });
    walked.map_err(trouble)?;
    let Some(newest) = newest else {
        return Ok(None);
    };
    let Some((kind, card)) = opened::<Card>(&*file, id, newest, &keys.card).map_err(trouble)?
    else {
        return Ok(None);
    };
    let mut versions = Vec::new();
    for place in words {
        let Some(key) = &keys.words else { break };
        if let Some((_, found)) = opened::<Transcript>(&*file, id, place, key).map_err(trouble)? {
            versions.push(found.info(versions.len() as u32 + 1));
        }
    }
    Ok(Some(Recording {
        id,
        epoch: FIRST_EPOCH,
        kept_from: card.recorded_at.max(card.added_at),
        card: match kind {
            // It has come to its end, and knows its length.
            Kind::Card => card,
            _ => Card {
                samples: segments * u64::from(SEGMENT_SAMPLES),
                ..card
            },
        },
        versions,
        audio_bytes,
        sound_shredded: false,
        text_shredded: false,
        kept_until: KeptUntil::default(),
    }))
}

/// The record in a frame of the file, if it is one of this recording and opens.
fn opened<T: DeserializeOwned>(
    file: &dyn DiskFile,
    id: RecordingId,
    (at, length): (u64, usize),
    key: &ClipKey,
) -> io::Result<Option<(Kind, T)>> {
    let mut bytes = vec![0; length];
    file.read_at(at, &mut bytes)?;
    let frame = frame::parse(&bytes).ok();
    let frame = frame.filter(|frame| frame.facts.id == id);
    Ok(frame.and_then(|frame| {
        let record = record::open_text(key, &frame).ok()?;
        Some((frame.facts.kind, record))
    }))
}

/// What opens its card, and its transcripts.
struct Keys {
    card: ClipKey,
    words: Option<ClipKey>,
}

/// In the bag, if a rotation adopted them, or else in its own first frame.
fn keys_of(held: &Held<'_>, id: RecordingId) -> Result<Option<Keys>> {
    if let Some(Clip { card, words, .. }) = held.bag().clips.get(&id) {
        return Ok(Some(Keys {
            card: card.duplicate(),
            words: words.as_ref().map(ClipKey::duplicate),
        }));
    }
    let Some(file) = open(held, id)? else {
        return Ok(None);
    };
    let path = inbox::path(held.dir(), id);
    let mut frames = Frames::new(Sequential::new(file));
    match intake::first(&mut frames, id, |source| Error::io("read", &path)(source)) {
        Ok(First::Sealed(sealed)) => {
            let keys = intake::open_keys(id, &sealed, &held.bag().inbox);
            Ok(keys.ok().map(|keys| Keys {
                card: keys.card.duplicate(),
                words: Some(keys.words.duplicate()),
            }))
        }
        Ok(First::Torn) | Err(Error::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn open(held: &Held<'_>, id: RecordingId) -> Result<Option<Box<dyn DiskFile>>> {
    let path = inbox::path(held.dir(), id);
    match held.disk().open(&path, Access::Read) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("open", &path)(error)),
    }
}

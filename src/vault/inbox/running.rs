//! Recordings that are being made, as their owner sees them while they run.
//!
//! A recorder writes a draft of the card first of all, and again every few
//! seconds; the newest of them says what is known. Only headers and that draft
//! are read, however long the recording is. One whose draft does not open here is
//! left out: it began this moment, or it is none of this vault's.

use super::intake::{self, FIRST_EPOCH, First, Frames};
use crate::crypto::ClipKey;
use crate::recording::{Card, KeptUntil, Recording, RecordingId, SEGMENT_SAMPLES};
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, DiskFile};
use crate::vault::inbox::{self, Sequential};
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
    let Some(key) = card_key(held, id)? else {
        return Ok(None);
    };
    let path = inbox::path(held.dir(), id);
    let trouble = |source| Error::io("read", &path)(source);
    let bytes = file.len().map_err(trouble)?;
    let (mut newest, mut segments, mut audio_bytes) = (None, 0_u64, 0);
    let walked = inbox::walk(&*file, bytes, &mut |facts, at, length| match facts.kind {
        Kind::Sound => {
            segments += 1;
            audio_bytes += length as u64;
        }
        Kind::Card | Kind::Draft => newest = Some((at, length)),
        Kind::Keys | Kind::Words | Kind::Log => {}
    });
    walked.map_err(trouble)?;
    let Some((at, length)) = newest else {
        return Ok(None);
    };
    let mut draft = vec![0; length];
    file.read_at(at, &mut draft).map_err(trouble)?;
    let card = frame::parse(&draft)
        .ok()
        .filter(|frame| frame.facts.id == id)
        .and_then(|frame| record::open_text::<Card>(&key, &frame).ok());
    Ok(card.map(|card| Recording {
        id,
        epoch: FIRST_EPOCH,
        card: Card {
            samples: segments * u64::from(SEGMENT_SAMPLES),
            ..card
        },
        kept_from: card.recorded_at.max(card.added_at),
        versions: Vec::new(),
        audio_bytes,
        text_shredded: false,
        kept_until: KeptUntil::default(),
    }))
}

/// The key of its card: in the bag, if a rotation adopted it, or else in its own
/// first frame.
fn card_key(held: &Held<'_>, id: RecordingId) -> Result<Option<ClipKey>> {
    if let Some(Clip { card, .. }) = held.bag().clips.get(&id) {
        return Ok(Some(card.duplicate()));
    }
    let Some(file) = open(held, id)? else {
        return Ok(None);
    };
    let path = inbox::path(held.dir(), id);
    let mut frames = Frames::new(Sequential::new(file));
    match intake::first(&mut frames, id, |source| Error::io("read", &path)(source)) {
        Ok(First::Sealed(sealed)) => {
            let keys = intake::open_keys(id, &sealed, &held.bag().inbox);
            Ok(keys.ok().map(|keys| keys.card.duplicate()))
        }
        Ok(First::Torn) | Err(Error::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn open(held: &Held<'_>, id: RecordingId) -> Result<Option<Box<dyn DiskFile>>> {
    let path = inbox::path(held.dir(), id);
    match held.disk().open(&path, Access::Read) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("open", &path)(error)),
    }
}

//! Opens what a row of the store holds, if it is a record of that place: cards and transcripts.

use super::rows::ClipId;
use crate::recording::RecordingId;
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::Clip;
use crate::vault::sealed::frame::{self, Facts, Kind};
use crate::vault::sealed::record::{self, CardRecord};

/// The card in a row.
pub(crate) fn open_card(at: ClipId, clip: &Clip, row: &[u8]) -> Result<CardRecord> {
    Ok(card_in(at, clip, row)?.record)
}

/// A card and the frame it was found in.
pub(crate) struct FoundCard<'a> {
    pub frame: frame::Frame<'a>,
    pub record: CardRecord,
}

/// The card in a row that this recording's key opens. A row holds two while the
/// card is given another key, and the key in force says which one counts; see
/// [`forget`](crate::vault::destroy::forget).
pub(crate) fn card_in<'a>(at: ClipId, clip: &Clip, row: &'a [u8]) -> Result<FoundCard<'a>> {
    let mut why = None;
    for found in frame::run(row) {
        let frame = in_its_place(found, at, Kind::Card)?;
        match record::open_text(&clip.card, &frame) {
            Ok(record) => return Ok(FoundCard { frame, record }),
            Err(error) => why = Some(error),
        }
    }
    Err(why.unwrap_or_else(|| no_card(at.id)))
}

pub(crate) fn no_card(id: RecordingId) -> Error {
    Error::damaged(id, "its card is missing from the store")
}

/// The transcript in a row.
pub(crate) fn open_words(at: ClipId, number: u32, clip: &Clip, row: &[u8]) -> Result<Transcript> {
    let Some(key) = &clip.words else {
        return Err(Error::NoTranscript { id: at.id, number });
    };
    let frame = whole_frame(row, at, Kind::Words)?;
    if frame.facts.number != number {
        return Err(record::damaged(
            &frame.facts,
            format!("lies in the place of {number}"),
        ));
    }
    record::open_text(key, &frame)
}

/// The frame that is all of a row, and of this recording and kind.
fn whole_frame(row: &[u8], at: ClipId, kind: Kind) -> Result<frame::Frame<'_>> {
    let frame = in_its_place(frame::parse(row), at, kind)?;
    if frame.bytes.len() != row.len() {
        return Err(record::damaged(&frame.facts, "something lies behind it"));
    }
    Ok(frame)
}

/// A frame, if it is one of this recording and kind.
pub(in crate::vault) fn in_its_place<'a>(
    found: Result<frame::Frame<'a>, frame::Unreadable>,
    at: ClipId,
    kind: Kind,
) -> Result<frame::Frame<'a>> {
    let expected = Facts {
        kind,
        id: at.id,
        epoch: at.epoch,
        number: 0,
        revision: 0,
    };
    let frame = found.map_err(|why| record::damaged(&expected, why))?;
    let Facts {
        kind: found,
        id,
        epoch,
        ..
    } = frame.facts;
    if (found, id, epoch) != (kind, at.id, at.epoch) {
        return Err(record::damaged(
            &expected,
            "another record lies in its place",
        ));
    }
    Ok(frame)
}

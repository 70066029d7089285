//! How a file of the inbox begins: with the keys of its recording, sealed to the inbox key.

use std::io::{self, Read, Seek};

use super::frames::{Frames, Next};
use crate::crypto::{ClipKeys, InboxIdentity};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::sealed::frame::{Facts, Kind};

/// The longest first frame. It is durable before anything is written behind it.
pub(super) const FIRST_FRAME_BYTES: u64 = 1024;

/// The epoch of everything that comes in; redaction counts it up later.
pub(crate) const FIRST_EPOCH: u32 = 0;

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

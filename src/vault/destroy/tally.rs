//! How much is about to be destroyed, for the receipt: as its card says; where that can't be
//! read, as its rows say; and where they can't be read either, it is not known.

use super::receipt::Shredded;
use crate::recording::{Recording, RecordingId};
use crate::retention::Going;
use crate::vault::error::Result;
use crate::vault::inbox::intake::FIRST_EPOCH;
use crate::vault::keys::bag::Clip;
use crate::vault::session::Held;
use crate::vault::store::rows::{ClipId, Reading};

/// Rows that are read at once.
const BATCH_ROWS: usize = 64;

/// Bytes of sealed sound, and how many transcripts; `None` where that is not known.
#[derive(Debug, Clone, Copy)]
struct Amount {
    audio_bytes: Option<u64>,
    transcripts: Option<u32>,
}

/// What goes of a recording, before its keys do. Damage must not keep anybody from
/// destroying what is damaged.
pub(super) fn of(
    held: &Held<'_>,
    id: RecordingId,
    card: Option<&Recording>,
    what: Going,
) -> Shredded {
    let Amount {
        audio_bytes,
        transcripts,
    } = match card {
        Some(recording) => Amount {
            audio_bytes: Some(recording.audio_bytes),
            transcripts: Some(u32::try_from(recording.versions.len()).unwrap_or(u32::MAX)),
        },
        None => by_rows(held, id),
    };
    Shredded {
        id,
        audio_bytes: match what {
            Going::Everything | Going::Audio => audio_bytes,
            Going::Text => Some(0),
        },
        transcripts: match what {
            Going::Everything | Going::Text => transcripts,
            Going::Audio => Some(0),
        },
    }
}

fn by_rows(held: &Held<'_>, id: RecordingId) -> Amount {
    let Ok((at, clip)) = held.clip(id) else {
        // What was destroyed before is not destroyed again; what waits has no rows.
        let nothing = held.bag().is_tombstoned(id, FIRST_EPOCH);
        return Amount {
            audio_bytes: nothing.then_some(0),
            transcripts: nothing.then_some(0),
        };
    };
    let amount = |count: &dyn Fn(&Reading) -> Result<u64>| {
        let counted = held
            .store()
            .read_what_is_there(held.lock(), |store| count(&store.begin()?));
        counted.ok()
    };
    Amount {
        audio_bytes: match &clip.sound {
            Some(_) => {
                amount(&|rows| sound_bytes(rows, at)).filter(|bytes| *bytes > 0 || is_empty(clip))
            }
            None => Some(0),
        },
        transcripts: match &clip.words {
            Some(_) => amount(&|rows| many_words(rows, at))
                .map(|many| u32::try_from(many).unwrap_or(u32::MAX)),
            None => Some(0),
        },
    }
}

/// Whether it has no segment: then no row is missing.
fn is_empty(clip: &Clip) -> bool {
    clip.extent.is_some_and(|extent| extent.segments == 0)
}

fn sound_bytes(rows: &Reading, at: ClipId) -> Result<u64> {
    let (mut bytes, mut from) = (0, 0);
    loop {
        let batch = rows.sound(at, from, BATCH_ROWS)?;
        let Some((last, _)) = batch.last() else {
            return Ok(bytes);
        };
        from = last.saturating_add(1);
        bytes += batch.iter().map(|(_, row)| row.len() as u64).sum::<u64>();
    }
}

fn many_words(rows: &Reading, at: ClipId) -> Result<u64> {
    let (mut many, mut from) = (0, 0);
    loop {
        let batch = rows.words_from(at, from, BATCH_ROWS)?;
        let Some((last, _)) = batch.last() else {
            return Ok(many);
        };
        from = last.saturating_add(1);
        many += batch.len() as u64;
    }
}

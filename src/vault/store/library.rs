//! What the vault holds: listing it, and reading all newest transcripts.
//!
//! Each record costs about 20 µs to open, so the ids are shared out among a few
//! threads. A damaged record costs the recording it belongs to, not the list.

use std::io;
use std::num::NonZero;
use std::sync::mpsc;
use std::thread;

use super::opened::{no_card, open_card, open_words};
use super::rows::{ClipId, Share};
use crate::fence::fenced;
use crate::recording::{KeptUntil, Recording, RecordingId};
use crate::retention::{self, Rule};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::inbox::{self, running};
use crate::vault::keys::bag::{Bag, Clip};
use crate::vault::sealed::record::CardRecord;
use crate::vault::session::Held;
use crate::vault::store::{self, Snapshots};

/// More would wait for each other at the store.
const MOST_THREADS: usize = 4;

/// Everything a vault holds.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Newest first by when they were recorded, then by when they were added.
    pub recordings: Vec<Recording>,
    /// Recordings whose card could not be read.
    pub damaged: Vec<Damage>,
}

/// A recording of which something could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The recording.
    pub id: RecordingId,
    /// What is wrong, with the place.
    pub why: String,
}

impl Damage {
    fn of(id: RecordingId, error: &Error) -> Self {
        Self {
            id,
            why: error.to_string(),
        }
    }
}

/// Opens every card.
pub(crate) fn list(held: &Held<'_>) -> Result<Listing> {
    let bag = held.bag();
    let mut listing = held.store().read_what_is_there(held.lock(), |store| {
        let parts = on_threads(|share| list_share(store, bag, share))?;
        let mut all = Listing::default();
        for part in parts {
            all.recordings.extend(part.recordings);
            all.damaged.extend(part.damaged);
        }
        Ok(all)
    })?;
    listing.damaged.extend(missing(held, &listing)?);
    listing.recordings.sort_by_key(|recording| {
        let Recording { card, id, .. } = recording;
        std::cmp::Reverse((card.recorded_at, card.added_at, *id))
    });
    Ok(listing)
}

/// One recording. Reads no other card.
///
/// # Errors
/// [`Error::NoRecording`], or [`Error::Damaged`] if its card can't be read.
pub(crate) fn one(held: &Held<'_>, id: RecordingId) -> Result<Recording> {
    let (at, clip) = held.clip(id)?;
    let row = held
        .store()
        .read_what_is_there(held.lock(), |store| store.begin()?.card(at))?;
    let row = row.ok_or_else(|| no_card(id))?;
    let card = open_card(at, clip, &row)?;
    let rules = held.bag().settings.retention.as_slice();
    Ok(recording(at, clip, card, rules))
}

/// Some recordings, each with its card or why that can't be read; one that waits
/// in the inbox as its last draft tells of it. Reads no other card.
pub(crate) fn pick(held: &Held<'_>, ids: &[RecordingId]) -> Vec<(RecordingId, Result<Recording>)> {
    let rules = held.bag().settings.retention.as_slice();
    let picked = held.store().read(held.lock(), |store| {
        let rows = store.begin()?;
        let of = |id: &RecordingId| {
            let found = match held.clip(*id) {
                Ok((at, clip)) => rows.card(at).and_then(|row| match row {
                    Some(row) => Ok(recording(at, clip, open_card(at, clip, &row)?, rules)),
                    // Its merge was interrupted behind the keys.
                    None => waiting(held, *id).map_err(|_| no_card(*id)),
                }),
                Err(_) => waiting(held, *id),
            };
            (*id, found)
        };
        Ok(ids.iter().map(of).collect())
    });
    picked.unwrap_or_else(|error| {
        // A store that can't be opened hides nothing that lies in the inbox.
        let of = |id: &RecordingId| match held.clip(*id) {
            Ok(_) => (*id, Err(unread(*id, &error))),
            Err(_) => (*id, waiting(held, *id)),
        };
        ids.iter().map(of).collect()
    })
}

/// A recording whose card can't be read because the store can't be opened. That a disk
/// is full, which opening may need to write to, is no damage.
fn unread(id: RecordingId, why: &Error) -> Error {
    match why {
        Error::Io { path, source, .. } if why.is_no_space() => {
            let number = source.raw_os_error();
            let source = number.map_or_else(|| source.kind().into(), io::Error::from_raw_os_error);
            Error::io("open", path)(source)
        }
        _ => Error::damaged(id, why),
    }
}

fn waiting(held: &Held<'_>, id: RecordingId) -> Result<Recording> {
    running::so_far(held, id)?.ok_or(Error::NoRecording { id })
}

fn list_share(store: &Snapshots<'_>, bag: &Bag, share: Share) -> Result<Listing> {
    let mut listing = Listing::default();
    let rules = bag.settings.retention.as_slice();
    store.begin()?.each_card(share, |at, bytes| {
        // A row that no key opens belongs to something that was shredded.
        if let Some(clip) = bag.clips.get(&at.id).filter(|clip| clip.epoch == at.epoch) {
            match open_card(at, clip, bytes) {
                Ok(card) => listing.recordings.push(recording(at, clip, card, rules)),
                Err(error) => listing.damaged.push(Damage::of(at.id, &error)),
            }
        }
        Ok(())
    })?;
    Ok(listing)
}

/// Recordings that were merged and whose card is not in the store. One that still
/// lies in the inbox is not missing: its merge was interrupted behind the keys, and
/// the next one goes on there.
fn missing(held: &Held<'_>, listing: &Listing) -> Result<Vec<Damage>> {
    let clips = &held.bag().clips;
    let merged = clips.iter().filter(|(_, clip)| clip.extent.is_some());
    if merged.clone().count() == listing.recordings.len() + listing.damaged.len() {
        return Ok(Vec::new());
    }
    let waiting = inbox::names(held.disk(), held.dir())?.recordings;
    let found: std::collections::BTreeSet<RecordingId> = listing
        .recordings
        .iter()
        .map(|recording| recording.id)
        .chain(listing.damaged.iter().map(|damage| damage.id))
        .chain(waiting)
        .collect();
    let missing = merged.filter(|(id, _)| !found.contains(id));
    let damage = missing.map(|(id, _)| Damage {
        id: *id,
        why: "its card is missing from the store".into(),
    });
    Ok(damage.collect())
}

/// A recording as the vault lists it. The bag knows of a pin too, should an older card
/// stand in for one that is damaged.
pub(crate) fn recording(
    at: ClipId,
    clip: &Clip,
    mut record: CardRecord,
    rules: &[Rule],
) -> Recording {
    record.card.pinned |= clip.pinned;
    let date = record.card.recorded_at;
    let is_later = date.unix_ms > clip.kept_from.unix_ms;
    let mut recording = Recording {
        id: at.id,
        epoch: at.epoch,
        card: record.card,
        versions: if clip.words.is_some() {
            record.versions
        } else {
            Vec::new()
        },
        audio_bytes: if clip.sound.is_some() {
            record.audio_bytes
        } else {
            0
        },
        sound_shredded: clip.sound.is_none(),
        text_shredded: clip.words.is_none(),
        kept_from: if is_later { date } else { clip.kept_from },
        kept_until: KeptUntil::default(),
    };
    recording.kept_until = retention::kept_until(rules, &recording);
    recording
}

/// Gives every recording's newest transcript to `each`, in no order; which ones
/// could not be read.
pub(crate) fn newest_transcripts(
    held: &Held<'_>,
    each: &mut dyn FnMut(RecordingId, u32, Transcript),
) -> Result<Vec<Damage>> {
    let bag = held.bag();
    let (sender, receiver) = mpsc::sync_channel(64);
    held.store().read_what_is_there(held.lock(), |store| {
        thread::scope(|scope| {
            let reading = thread::Builder::new()
                .name("transcripts".into())
                .spawn_scoped(scope, || {
                    // Moved in, so that the channel ends with the reading.
                    let sender = sender;
                    on_threads(|share| words_of_share(store, bag, share, &sender.clone()))
                });
            let reading = reading.map_err(no_thread)?;
            for (id, number, transcript) in receiver {
                each(id, number, transcript);
            }
            let parts = reading.join().unwrap_or_else(|_| Err(panicked()))?;
            Ok(parts.into_iter().flatten().collect())
        })
    })
}

fn words_of_share(
    store: &Snapshots<'_>,
    bag: &Bag,
    share: Share,
    sender: &mpsc::SyncSender<(RecordingId, u32, Transcript)>,
) -> Result<Vec<Damage>> {
    let mut damaged = Vec::new();
    store
        .begin()?
        .each_newest_words(share, |at, number, bytes| {
            let clip = bag.clips.get(&at.id).filter(|clip| clip.epoch == at.epoch);
            if let Some(clip) = clip.filter(|clip| clip.words.is_some()) {
                match open_words(at, number, clip, bytes) {
                    // The other end only goes away when this is called off.
                    Ok(transcript) => drop(sender.send((at.id, number, transcript))),
                    Err(error) => damaged.push(Damage::of(at.id, &error)),
                }
            }
            Ok(())
        })?;
    Ok(damaged)
}

/// Does the work for every share of the ids, each on a thread of its own.
pub(in crate::vault) fn on_threads<T: Send>(
    work: impl Fn(Share) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_THREADS);
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = Share::split(threads)
            .into_iter()
            .map(|share| {
                thread::Builder::new()
                    .name("records".into())
                    .spawn_scoped(scope, move || {
                        fenced(|| work(share)).unwrap_or_else(|| Err(panicked()))
                    })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .map_err(no_thread)?
                    .join()
                    .unwrap_or_else(|_| Err(panicked()))
            })
            .collect()
    })
}

/// What is wrong where the store has no card of any recording that the keys know: it was
/// made in the place of one that is gone, or is another vault's. Nothing may come into it
/// that is gone with it once the right one is put back.
pub(in crate::vault) fn strange_store(held: &Held<'_>) -> Result<Option<Error>> {
    // Of what still lies in the inbox, a merge may have been cut off before its rows came.
    let waiting = inbox::names(held.disk(), held.dir())?.recordings;
    let is_merged = |(id, clip): &(&RecordingId, &Clip)| {
        clip.extent.is_some() && waiting.binary_search(id).is_err()
    };
    let mut merged = held.bag().clips.iter().filter(is_merged).peekable();
    if merged.peek().is_none() {
        return Ok(None);
    }
    let has_any = held.store().read_what_is_there(held.lock(), |store| {
        let rows = store.begin()?;
        for (id, clip) in merged {
            let at = ClipId {
                id: *id,
                epoch: clip.epoch,
            };
            if rows.card(at)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    let why = "it has nothing of the recordings that the keys know; until the right one is put \
               back, or this one is repaired, nothing new goes into it";
    Ok((!has_any).then(|| Error::store_damaged(&held.dir().join(store::FILE), why)))
}

fn no_thread(source: io::Error) -> Error {
    Error::Io {
        action: "start a thread for",
        path: store::FILE.into(),
        source,
    }
}

fn panicked() -> Error {
    Error::store_damaged(store::FILE.as_ref(), "its tree is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_damage_and_a_bad_one_is() {
        let id = RecordingId::from_bytes([1; 16]);
        let why = |kind: io::ErrorKind| {
            let store = std::path::Path::new("store.redb");
            unread(id, &Error::io("use", store)(kind.into()))
        };
        assert!(why(io::ErrorKind::StorageFull).is_no_space());
        assert!(matches!(
            why(io::ErrorKind::InvalidInput),
            Error::Damaged { .. }
        ));
    }
}

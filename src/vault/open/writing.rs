//! What is written into an unlocked vault: transcripts, cards, entries of the log and the
//! settings.

use super::OpenVault;
use crate::crypto::ClipKey;
use crate::recording::{Card, Recording, RecordingId};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::Settings;
use crate::vault::log::{Deed, Draft};
use crate::vault::sealed::frame::{Facts, Kind};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::session::Held;
use crate::vault::store::library;
use crate::vault::store::opened;
use crate::vault::store::rows::{Added, ClipId, Writing};

impl OpenVault {
    /// Adds a transcript as a new version; its number. None is ever overwritten.
    ///
    /// # Errors
    /// [`Error::Outdated`] if the recording was shredded or redacted since the
    /// caller saw it with this epoch.
    pub fn add_transcript(
        &self,
        id: RecordingId,
        epoch: u32,
        transcript: &Transcript,
    ) -> Result<u32> {
        self.session
            .with(|held| add_version(held, id, epoch, transcript))
    }

    /// The same for one that nobody asked for, which is to be the recording's first: where
    /// somebody else gave it one meanwhile, `None`, and nothing is added.
    ///
    /// # Errors
    /// As [`add_transcript`](Self::add_transcript).
    pub fn add_first_transcript(
        &self,
        id: RecordingId,
        epoch: u32,
        transcript: &Transcript,
    ) -> Result<Option<u32>> {
        self.session.with(|held| {
            let has_one = |one: Recording| !one.versions.is_empty();
            if library::one(held, id).is_ok_and(has_one) {
                return Ok(None);
            }
            add_version(held, id, epoch, transcript).map(Some)
        })
    }

    /// Changes what is known about a recording; the card as it is now. Whether it is
    /// pinned stands in the bag as well: changing that costs a rotation.
    pub fn update_card(&self, id: RecordingId, change: &mut dyn FnMut(&mut Card)) -> Result<Card> {
        self.session.with(|held| {
            let card = held.store().write(held.lock(), |rows| {
                let record = rewrite_card(held, rows, id, &mut |record| {
                    change(&mut record.card);
                    Ok(())
                })?;
                Ok(record.card)
            })?;
            note_pin(held, id, card.pinned)?;
            Ok(card)
        })
    }

    /// Logs that something is about to begin that takes no rotation; durable when this
    /// returns, and not before that may the sound play or the first byte leave the
    /// vault. `detail` says as what or whereto, and nothing of what a recording is
    /// about: see [`Draft::detail`]. What rotates the keys logs itself.
    pub fn log(&self, deed: Deed, ids: &[RecordingId], detail: &str) -> Result<()> {
        let draft = Draft::begun(deed, ids).detail(detail);
        self.session.with(|held| held.log(&draft))
    }

    /// Changes the settings; costs a rotation.
    pub fn change_settings(&self, change: &mut dyn FnMut(&mut Settings)) -> Result<()> {
        // What could not be overwritten holds nothing that is to be gone; the next unlock
        // tries again.
        self.session.with(|held| {
            held.rotate(|bag| {
                change(&mut bag.settings);
                Ok(())
            })
            .map(drop)
        })
    }

    /// The same, with an entry of the log that is in force if and only if the change is.
    pub fn change_settings_logged(
        &self,
        draft: Draft,
        change: &mut dyn FnMut(&mut Settings),
    ) -> Result<()> {
        self.session.with(|held| {
            held.rotate_logged(draft, |bag| {
                change(&mut bag.settings);
                Ok(())
            })
            .map(drop)
        })
    }
}

fn add_version(
    held: &Held<'_>,
    id: RecordingId,
    epoch: u32,
    transcript: &Transcript,
) -> Result<u32> {
    let outdated = Error::Outdated { id, epoch };
    let Ok((at, clip)) = held.clip(id) else {
        return Err(outdated);
    };
    let Some(key) = clip.words.as_ref().filter(|_| at.epoch == epoch) else {
        return Err(outdated);
    };
    held.store().write(held.lock(), |rows| {
        let mut number = 0;
        rewrite_card(held, rows, id, &mut |record| {
            number = add_words(rows, at, key, record.numbered, transcript)?;
            record.name(transcript.info(number));
            Ok(())
        })?;
        Ok(number)
    })
}

/// Keeps in the bag whether a recording is pinned, so that damage to its card takes no
/// pin off; a rotation where that changes.
fn note_pin(held: &mut Held<'_>, id: RecordingId, pinned: bool) -> Result<()> {
    if held.clip(id)?.1.pinned == pinned {
        return Ok(());
    }
    // What could not be overwritten holds nothing that is to be gone.
    held.rotate(|bag| {
        if let Some(clip) = bag.clips.get_mut(&id) {
            clip.pinned = pinned;
        }
        Ok(())
    })
    .map(drop)
}

/// Opens the card as this transaction sees it, changes it and seals it anew.
pub(in crate::vault) fn rewrite_card(
    held: &Held<'_>,
    rows: &Writing,
    id: RecordingId,
    change: &mut dyn FnMut(&mut CardRecord) -> Result<()>,
) -> Result<CardRecord> {
    let (at, clip) = held.clip(id)?;
    let row = rows.card(at)?.ok_or_else(|| opened::no_card(id))?;
    let opened::FoundCard { frame, mut record } = opened::card_in(at, clip, &row)?;
    change(&mut record)?;
    let facts = Facts {
        revision: frame.facts.revision.wrapping_add(1),
        ..frame.facts
    };
    rows.put_card(at, &record::seal_text(&clip.card, &facts, &record)?)?;
    Ok(record)
}

/// Puts a transcript behind the last one that the card or the table knows.
pub(in crate::vault) fn add_words(
    rows: &Writing,
    at: ClipId,
    key: &ClipKey,
    last: u32,
    transcript: &Transcript,
) -> Result<u32> {
    let mut number = last;
    loop {
        number += 1;
        let frame = seal_words(key, at, number, transcript)?;
        if rows.add_words(at, number, &frame)? == Added::Now {
            return Ok(number);
        }
    }
}

/// A transcript as it stands in the store.
pub(in crate::vault) fn seal_words(
    key: &ClipKey,
    at: ClipId,
    number: u32,
    transcript: &Transcript,
) -> Result<Vec<u8>> {
    let facts = Facts {
        kind: Kind::Words,
        id: at.id,
        epoch: at.epoch,
        number,
        revision: 0,
    };
    record::seal_text(key, &facts, transcript)
}

//! What is read of an unlocked vault: recordings, their sound and words, the log and the
//! settings.

use std::sync::Arc;

use super::OpenVault;
use crate::crypto::ClipKey;
use crate::recording::{Recording, RecordingId};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::inbox;
use crate::vault::inbox::running;
use crate::vault::inbox::unmerged::{self, Unmerged};
use crate::vault::keys::bag::Settings;
use crate::vault::log::Log;
use crate::vault::log::chain::Checker;
use crate::vault::store::gaps;
use crate::vault::store::library::{self, Damage, Listing};
use crate::vault::store::opened;
use crate::vault::store::sound::SoundReader;

impl OpenVault {
    /// Everything the vault holds, with what of it is damaged.
    pub fn listing(&self) -> Result<Listing> {
        self.session.with(|held| library::list(held))
    }

    /// Every recording whose card can be read, newest first by when it was
    /// recorded; what can't be read is in [`listing`](Self::listing).
    pub fn recordings(&self) -> Result<Vec<Recording>> {
        Ok(self.listing()?.recordings)
    }

    /// Recordings that are being made now, with what their recorders have put
    /// down of them so far; in no order.
    pub fn running(&self) -> Result<Vec<Recording>> {
        self.session.with(|held| running::running(held))
    }

    /// Recordings that wait in the inbox for a merge to take them in.
    pub fn unmerged(&self) -> Result<Unmerged> {
        self.session.with(|held| unmerged::look(held))
    }

    /// What is wrong with the store as a whole, where much of it can be read all the same:
    /// recordings can be listed, read and heard then, and nothing of them changed.
    ///
    /// # Errors
    /// [`Error::StoreDamaged`] if nothing can be read.
    pub fn store_flaw(&self) -> Result<Option<Error>> {
        self.session.with(|held| {
            let flaw = held.store().flaw(held.lock())?;
            flaw.map_or_else(|| library::strange_store(held), |flaw| Ok(Some(flaw)))
        })
    }

    /// One recording.
    ///
    /// # Errors
    /// [`Error::NoRecording`], or [`Error::Damaged`] if its card can't be read.
    pub fn recording(&self, id: RecordingId) -> Result<Recording> {
        self.session.with(|held| library::one(held, id))
    }

    /// The ids of everything that can be named: what was merged, whether or not its
    /// card can be read, and what lies in the inbox. Opens no card; sorted.
    pub fn ids(&self) -> Result<Vec<RecordingId>> {
        self.session.with(|held| {
            let mut ids = inbox::names(held.disk(), held.dir())?.recordings;
            let clips = held.bag().clips.iter();
            let merged = clips.filter(|(_, clip)| clip.extent.is_some());
            ids.extend(merged.map(|(id, _)| *id));
            ids.sort_unstable();
            ids.dedup();
            Ok(ids)
        })
    }

    /// These recordings, each with what is known of it or why that can't be read.
    /// What waits in the inbox tells what its recorder put down last.
    pub fn pick(&self, ids: &[RecordingId]) -> Result<Vec<(RecordingId, Result<Recording>)>> {
        self.session.with(|held| Ok(library::pick(held, ids)))
    }

    /// A number that is another one after anything in the store or the bag
    /// changed.
    pub fn revision(&self) -> Result<u64> {
        self.session.with(|held| {
            let rows = held
                .store()
                .read_what_is_there(held.lock(), |store| store.begin()?.revision())?;
            // Both only ever grow, so their sum tells every change.
            Ok(rows.wrapping_add(held.generation()))
        })
    }

    /// The sound of a recording.
    ///
    /// # Errors
    /// [`Error::NoSound`] if it was shredded.
    pub fn sound(&self, id: RecordingId) -> Result<SoundReader> {
        self.session.with(|held| {
            let (at, clip) = held.clip(id)?;
            let key = clip
                .sound
                .as_ref()
                .map(ClipKey::duplicate)
                .ok_or(Error::NoSound { id })?;
            let extent = clip.extent.ok_or(Error::NoRecording { id })?;
            let row = held
                .store()
                .read_what_is_there(held.lock(), |store| store.begin()?.card(at))?;
            // Without a card nothing says which segments are gone for good, and
            // every one that is missing is damage.
            let card = row.and_then(|row| opened::open_card(at, clip, &row).ok());
            let gaps = card.map_or_else(Vec::new, |found| gaps::segments_of(&found.card.gaps));
            let session = Arc::clone(&self.session);
            Ok(SoundReader::new(session, at, key, extent, gaps))
        })
    }

    /// One version of a recording's transcript, from 1.
    pub fn transcript(&self, id: RecordingId, number: u32) -> Result<Transcript> {
        self.session.with(|held| {
            let (at, clip) = held.clip(id)?;
            let row = held
                .store()
                .read_what_is_there(held.lock(), |store| store.begin()?.words(at, number))?;
            let row = row.ok_or(Error::NoTranscript { id, number })?;
            opened::open_words(at, number, clip, &row)
        })
    }

    /// Gives every recording's newest transcript, with its number, to `each`, in
    /// no order. Answers which ones could not be read.
    pub fn newest_transcripts(
        &self,
        each: &mut dyn FnMut(RecordingId, u32, Transcript),
    ) -> Result<Vec<Damage>> {
        self.session
            .with(|held| library::newest_transcripts(held, each))
    }

    /// The whole log, and what is wrong with it.
    pub fn read_log(&self) -> Result<Log> {
        self.session.with(|held| {
            held.store().read(held.lock(), |store| {
                let mut checker = Checker::new(held.bag());
                store
                    .begin()?
                    .each_log(|number, row| checker.row(number, row))?;
                Ok(checker.finish())
            })
        })
    }

    /// Retention rules, saved searches, known backups and the like.
    pub fn settings(&self) -> Result<Settings> {
        self.session.with(|held| Ok(held.bag().settings.clone()))
    }
}

//! A vault that is unlocked: everything that needs a key.
//!
//! Each method takes the vault's lock and opens the store for its own length
//! only, and reads the keys anew if another process changed them, so a second
//! shell can work in the same vault.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::closed::Vault;
use super::destroy::forget;
use super::destroy::receipt::Receipt;
use super::destroy::redact::{self, Redacted, Redaction};
use super::destroy::scrub::{self, Scrubbed};
use super::destroy::shred::{self, ShredScope};
use super::destroy::sweep::{self, Outlook, Sweep};
use super::error::{Error, Result};
use super::inbox;
use super::inbox::merge::{self, MergeReport};
use super::inbox::running;
use super::inbox::unmerged::{self, Unmerged};
use super::keys::bag::Settings;
use super::log::chain::Checker;
use super::log::{Deed, Draft, Log};
use super::notice::Notice;
use super::restore::Restoring;
use super::sealed::frame::{Facts, Kind};
use super::sealed::record::{self, CardRecord};
use super::session::{Held, Session};
use super::store::gaps;
use super::store::library::{self, Damage, Listing};
use super::store::rescue::{self, Rescued};
use super::store::rows::{Added, ClipId, Writing};
use super::store::sound::SoundReader;
use super::verify::{self, Verified};
use crate::crypto::{BackupIdentity, ClipKey, SignerKey, VaultId};
use crate::recording::{Card, Moment, Recording, RecordingId};
use crate::retention::Trust;
use crate::transcript::Transcript;

/// An unlocked vault. The keys are wiped when it is dropped.
pub struct OpenVault {
    vault: Vault,
    session: Arc<Session>,
    /// How many of the forged root slots that were found are swept away.
    swept: AtomicUsize,
    /// Whether the retention rules were applied since it was unlocked.
    rules_applied: AtomicBool,
    /// What was taken in since then.
    came_in: Mutex<Vec<RecordingId>>,
}

/// What opens the backups of a vault, and tells them from others'.
pub struct BackupKeys {
    /// The vault's name.
    pub vault: VaultId,
    /// What they are signed with.
    pub signer: SignerKey,
    /// What they are sealed to, the newest first.
    pub identities: Vec<BackupIdentity>,
}

impl OpenVault {
    pub(super) fn new(vault: Vault, session: Session) -> Self {
        Self {
            vault,
            session: Arc::new(session),
            swept: AtomicUsize::new(0),
            rules_applied: AtomicBool::new(false),
            came_in: Mutex::default(),
        }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// The same vault, as it is without a key.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What unlocking, and reading keys that another process changed, found that
    /// the owner should know.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        self.session.notices()
    }

    /// The vault's name for good, by which its backups know it.
    pub fn vault_id(&self) -> Result<VaultId> {
        self.session.with(|held| Ok(held.vault_id()))
    }

    /// What backups are sealed to.
    pub fn backup_identity(&self) -> Result<BackupIdentity> {
        self.session
            .with(|held| Ok(held.backup_identity().duplicate()))
    }

    /// All that opens its backups, and what they are signed with.
    pub fn backup_keys(&self) -> Result<BackupKeys> {
        self.session.with(|held| {
            let former = held.bag().former_backups.iter().rev();
            let mut identities = vec![held.backup_identity().duplicate()];
            identities.extend(former.map(BackupIdentity::duplicate));
            Ok(BackupKeys {
                vault: held.vault_id(),
                signer: held.bag().signing.public(),
                identities,
            })
        })
    }

    /// What was taken in from the inbox since the vault was unlocked here.
    #[must_use]
    pub fn came_in(&self) -> Vec<RecordingId> {
        self.came_in_list().clone()
    }

    fn came_in_list(&self) -> MutexGuard<'_, Vec<RecordingId>> {
        self.came_in.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what waits in the inbox into the vault, once forgers are locked out.
    pub fn merge(&self) -> Result<MergeReport> {
        self.lock_out_forgers()?;
        let report = self.session.with(merge::merge)?;
        self.came_in_list().extend(&report.merged);
        Ok(report)
    }

    /// Rotates the keys where unlocking found a forged root slot: recorders, which have no
    /// key, would go on to seal to the forger's.
    pub fn lock_out_forgers(&self) -> Result<()> {
        let is_forged = |notice: &Notice| matches!(notice, Notice::Forged { .. });
        let forged = || self.notices().into_iter().filter(is_forged).count();
        let mut found = forged();
        if found > self.swept.load(Ordering::Relaxed) {
            self.session.with(|held| {
                // What taking the lock found just now is swept as well.
                found = forged();
                held.rotate(|_| Ok(()))
            })?;
            self.swept.store(found, Ordering::Relaxed);
        }
        Ok(())
    }

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
        self.session.with(|held| held.store().flaw(held.lock()))
    }

    /// One recording.
    ///
    /// # Errors
    /// [`Error::NoRecording`], or [`Error::Damaged`] if its card can't be read.
    pub fn recording(&self, id: RecordingId) -> Result<Recording> {
        self.session.with(|held| {
            let (at, clip) = held.clip(id)?;
            let row = held
                .store()
                .read_what_is_there(held.lock(), |store| store.begin()?.card(at))?;
            let row = row.ok_or_else(|| library::no_card(id))?;
            Ok(library::recording(
                at,
                clip,
                library::open_card(at, clip, &row)?,
                &held.bag().settings.retention,
            ))
        })
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
            let card = row.and_then(|row| library::open_card(at, clip, &row).ok());
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
            library::open_words(at, number, clip, &row)
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
        self.session.with(|held| {
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

    /// Makes the card as it is now the only revision of it that any key opens:
    /// titles, tags and notes it had before are gone for good. One rotation; who
    /// transcribes the recording meanwhile is not disturbed.
    ///
    /// # Errors
    /// [`Error::NotFinal`] if it is in force and the key before could not be
    /// overwritten; asking again finishes it.
    pub fn forget_revisions(&self, id: RecordingId) -> Result<()> {
        self.session
            .with(|held| forget::forget(held, id)?.finally().map(drop))
    }

    /// Whether these can be shredded now.
    ///
    /// # Errors
    /// [`Error::Running`] if one of them is being recorded, [`Error::NoRecording`]
    /// if one is not there.
    pub fn check_shred(&self, ids: &[RecordingId]) -> Result<()> {
        self.session.with(|held| shred::check(held, ids))
    }

    /// Destroys recordings for good, or only their sound; one rotation for all
    /// of them. `progress` hears of steps done and steps in all. See
    /// [`Receipt::failure`].
    ///
    /// # Errors
    /// [`Error::Running`] if one of them is being recorded; then nothing is
    /// destroyed.
    pub fn shred(
        &self,
        ids: &[RecordingId],
        scope: ShredScope,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Receipt> {
        self.session
            .with(|held| shred::shred(held, ids, scope, progress))
    }

    /// The date of what is done now, for whatever is to be kept in the vault or in a
    /// backup of it: what the clock says, or the latest time that the vault has seen where
    /// the clock is broken.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.session.now()
    }

    /// What the clock says that the vault was given, right or wrong.
    #[must_use]
    pub fn clock(&self) -> Moment {
        self.session.clock()
    }

    /// Whether the retention rules are still to be applied since it was unlocked; asked
    /// again, no.
    pub fn begin_sweeping(&self) -> bool {
        !self.rules_applied.swap(true, Ordering::Relaxed)
    }

    /// What the retention rules say of everything, at this moment.
    pub fn outlook(&self, now: Moment) -> Result<Outlook> {
        self.session.with(|held| Ok(sweep::look(held, now)))
    }

    /// Destroys what the retention rules say is over at this moment, but for those that
    /// are spared; one rotation for all of it. `progress` hears of steps done and steps
    /// in all.
    ///
    /// # Errors
    /// When the keys can't be rotated; then nothing is destroyed. What could not be
    /// overwritten is in the receipt.
    pub fn sweep(
        &self,
        now: Moment,
        trust: Trust,
        spared: &[RecordingId],
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Sweep> {
        self.session
            .with(|held| sweep::sweep(held, now, trust, spared, progress))
    }

    /// Takes a span out of a recording for good: it gets new keys and the next
    /// epoch, and what was sealed under the old ones is as dead as what was
    /// shredded. `progress` hears of segments done and segments in all. See
    /// [`Receipt::failure`].
    ///
    /// # Errors
    /// [`Error::Running`] if it is being recorded, [`Error::Damaged`] if its card
    /// can't be read; then it stays as it is.
    pub fn redact(
        &self,
        id: RecordingId,
        redaction: &dyn Redaction,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Redacted> {
        self.session
            .with(|held| redact::redact(held, id, redaction, progress))
    }

    /// Writes the store anew from what the keys open, and overwrites the old
    /// file. `progress` hears of bytes done and bytes in all. See
    /// [`Scrubbed::failure`].
    ///
    /// # Errors
    /// [`Error::NoRoom`] if a second copy does not fit; then, and after every
    /// other error, everything is as it was.
    pub fn scrub(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Scrubbed> {
        self.session.with(|held| scrub::scrub(held, progress))
    }

    /// Begins to put recordings back that a backup held.
    ///
    /// # Errors
    /// [`Error::Busy`] if somebody is at it already.
    pub fn begin_restore(&self) -> Result<Restoring> {
        Restoring::begin(&self.session)
    }

    /// Builds a damaged store anew from every record in it that still opens; what
    /// is missing then is in [`listing`](Self::listing). Reads the whole file.
    pub fn rebuild_store(&self) -> Result<Rescued> {
        self.session.with(|held| rescue::rebuild(held, &|_| ()))
    }

    /// Reads every byte and says what is damaged; changes nothing. `tell` hears how
    /// many bytes of how many were looked at, from several threads.
    pub fn verify(&self, tell: &(dyn Fn(u64, u64) + Sync)) -> Result<Verified> {
        let notices = self.all_notices();
        self.session
            .with(|held| verify::verify(held, &notices, tell))
    }

    /// The same, and puts in order what can be: from second copies, and by building
    /// the store anew. What is gone for good is noted, and is no damage from then on.
    ///
    /// # Errors
    /// If there is no room for another store, or it can't be written; then the store
    /// is the one that it was.
    pub fn repair(&self, now: Moment, tell: &(dyn Fn(u64, u64) + Sync)) -> Result<Verified> {
        let notices = self.all_notices();
        self.session
            .with(|held| verify::repair(held, &notices, now, tell))
    }

    fn all_notices(&self) -> Vec<Notice> {
        let mut notices = self.vault.notices().to_vec();
        notices.extend(self.notices());
        notices
    }

    /// Logs that something is about to begin that takes no rotation; durable when this
    /// returns, and not before that may the sound play or the first byte leave the
    /// vault. `detail` says as what or whereto, and nothing of what a recording is
    /// about: see [`Draft::detail`]. What rotates the keys logs itself.
    pub fn log(&self, deed: Deed, ids: &[RecordingId], detail: &str) -> Result<()> {
        let draft = Draft::begun(deed, ids).detail(detail);
        self.session.with(|held| held.log(&draft))
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
    let row = rows.card(at)?.ok_or_else(|| library::no_card(id))?;
    let library::FoundCard { frame, mut record } = library::card_in(at, clip, &row)?;
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
        let facts = Facts {
            kind: Kind::Words,
            id: at.id,
            epoch: at.epoch,
            number,
            revision: 0,
        };
        let frame = record::seal_text(key, &facts, transcript)?;
        if rows.add_words(at, number, &frame)? == Added::Now {
            return Ok(number);
        }
    }
}

//! A vault that is unlocked: everything that needs a key.
//!
//! Each method takes the vault's lock and opens the store for its own length
//! only, and reads the keys anew if another process changed them, so a second
//! shell can work in the same vault.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(in crate::vault) use self::writing::{add_words, rewrite_card, seal_words};
use super::closed::Vault;
use super::destroy::scrub::{self, Scrubbed};
use super::error::Result;
use super::inbox::merge::{self, MergeReport};
use super::notice::Notice;
use super::restore::Restoring;
use super::session::Session;
use super::store::rescue::{self, Rescued};
use super::verify::{self, Verified};
use crate::crypto::{BackupIdentity, SignerKey, VaultId};
use crate::recording::{Moment, RecordingId};

mod destroying;
mod reading;
mod writing;

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

    /// Writes the store anew from what the keys open, and overwrites the old
    /// file. `progress` hears of bytes done and bytes in all. See
    /// [`Scrubbed::failure`].
    ///
    /// # Errors
    /// [`Error::NoRoom`](crate::vault::Error::NoRoom) if a second copy does not fit; then, and after every
    /// other error, everything is as it was.
    pub fn scrub(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Scrubbed> {
        self.session.with(|held| scrub::scrub(held, progress))
    }

    /// Begins to put recordings back that a backup held.
    ///
    /// # Errors
    /// [`Error::Busy`](crate::vault::Error::Busy) if somebody is at it already.
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
}

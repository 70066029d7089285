//! The vault remembers its backups: before the first byte is written, so that a
//! receipt never fails to name one, and at the end, with what tells it from an older
//! copy of itself.

use super::Watch;
use crate::backup::error::Result;
use crate::backup::written::BackupId;
use crate::vault::bag::{BackupEnd, KnownBackup, Settings};
use crate::vault::{Deed, Draft, OpenVault};

/// How the work on a backup came to its end.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    /// It holds everything up to the note's generation.
    Written,
    /// So many recordings that were destroyed before are not in it any more.
    Rid(u32),
    /// The same, by a repack that was logged as begun.
    Repacked {
        /// So many.
        rid: u32,
        /// What the log is to say of it.
        told: String,
    },
}

/// What is noted of a backup.
pub(super) struct Note<'a> {
    pub id: BackupId,
    pub path: &'a str,
    /// Everything that was merged with this generation or before may be in it.
    pub generation: u64,
    pub slots: Vec<String>,
}

impl Note<'_> {
    /// Puts it into the log, and notes that it may hold what the vault holds now. The
    /// first byte may be written once this has returned.
    pub(super) fn before(&self, vault: &OpenVault, watch: &dyn Watch, now_ms: i64) -> Result<()> {
        if let Err(error) = vault.vault().may_write() {
            watch.note(&format!(
                "this backup is not in the vault's log, and no receipt will name it: {error}"
            ));
            return Ok(());
        }
        vault.log(Deed::Backup, &[], &format!("to {}", self.path))?;
        vault.change_settings(&mut |settings| {
            let known = self.put(settings, now_ms);
            // Copies of ways in that are about to be taken away count until then.
            let more = self.slots.iter().filter(|slot| !known.slots.contains(slot));
            let more: Vec<String> = more.cloned().collect();
            known.slots.extend(more);
        })?;
        Ok(())
    }

    /// Notes where it ends, and has the log say that what was begun came to its end.
    pub(super) fn behind(
        &self,
        vault: &OpenVault,
        now_ms: i64,
        end: Option<BackupEnd>,
        ending: Ending,
    ) -> Result<()> {
        if vault.vault().may_write().is_err() {
            return Ok(());
        }
        let mut change = |settings: &mut Settings| {
            let known = self.put(settings, now_ms);
            known.end = end;
            match &ending {
                Ending::Written => {
                    known.finished = known.finished.max(self.generation);
                    known.slots.clone_from(&self.slots);
                }
                Ending::Rid(rid) | Ending::Repacked { rid, .. } => {
                    known.destroyed = known.destroyed.saturating_sub(*rid);
                    // It wrote none of them: what is missing stays missed.
                    if known.slots.is_empty() {
                        known.slots.clone_from(&self.slots);
                    }
                }
            }
        };
        let done = match &ending {
            Ending::Written => Draft::done(Deed::Backup, &[]).detail(format!("to {}", self.path)),
            Ending::Repacked { told, .. } => {
                Draft::done(Deed::Repack, &[]).detail(format!("in {}: {told}", self.path))
            }
            Ending::Rid(_) => return Ok(vault.change_settings(&mut change)?),
        };
        vault.change_settings_logged(done, &mut change)?;
        Ok(())
    }

    /// What the vault is to know of it, from now on.
    fn put<'s>(&self, settings: &'s mut Settings, now_ms: i64) -> &'s mut KnownBackup {
        let id = self.id.0;
        let backups = &mut settings.backups;
        let at = backups.iter().position(|known| known.id == id);
        let known = match at {
            Some(at) => &mut backups[at],
            None => backups.push_mut(KnownBackup {
                id,
                path: String::new(),
                made_at_ms: 0,
                generation: 0,
                finished: 0,
                destroyed: 0,
                end: None,
                slots: Vec::new(),
            }),
        };
        known.path = self.path.to_owned();
        known.made_at_ms = now_ms;
        known.generation = known.generation.max(self.generation);
        known
    }
}

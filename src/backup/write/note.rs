//! The vault remembers its backups: before the first byte is written, so that a
//! receipt never fails to name one, and at the end, with what tells it from an older
//! copy of itself.

use super::Watch;
use crate::backup::error::Result;
use crate::backup::written::BackupId;
use crate::vault::bag::{BackupEnd, KnownBackup};
use crate::vault::{Deed, OpenVault};

/// How the work on a backup came to its end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    /// It holds everything up to the note's generation.
    Written,
    /// So many recordings that were destroyed before are not in it any more.
    Rid(u32),
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
        self.put(vault, now_ms, |known| {
            // Copies of ways in that are about to be taken away count until then.
            let more = self.slots.iter().filter(|slot| !known.slots.contains(slot));
            let more: Vec<String> = more.cloned().collect();
            known.slots.extend(more);
        })
    }

    /// Notes where it ends.
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
        self.put(vault, now_ms, |known| {
            known.end = end;
            match ending {
                Ending::Written => known.finished = known.finished.max(self.generation),
                Ending::Rid(destroyed) => {
                    known.destroyed = known.destroyed.saturating_sub(destroyed);
                }
            }
            known.slots.clone_from(&self.slots);
        })
    }

    fn put(&self, vault: &OpenVault, now_ms: i64, change: impl Fn(&mut KnownBackup)) -> Result<()> {
        vault.change_settings(&mut |settings| {
            let id = self.id.0;
            let known = settings.backups.iter_mut().find(|known| known.id == id);
            let known = match known {
                Some(known) => known,
                None => settings.backups.push_mut(KnownBackup {
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
            change(known);
        })?;
        Ok(())
    }
}

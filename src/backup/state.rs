//! Whether a backup was written by this vault as it is, or by another state of it.
//!
//! A vault that is put back from an older copy holds again what it destroyed since, and a
//! backup of its later state says of these recordings that they must not come back. And
//! once both have gone on, an epoch of a recording means one sound in the one and another
//! in the other. So nothing is added to what a state has written that this one does not
//! come from, and nothing is filled in from there that may be something else.
//!
//! What tells them apart is the log: every change of the keys that destroys something has
//! an entry in it, no two entries are sealed alike, and a segment names the newest that
//! there was. Where that entry can't be read any more, what was destroyed and how often
//! the keys were changed must do.

use std::collections::BTreeSet;

use super::manifest::Manifest;
use crate::vault::bag::{LogHead, Tombstone};
use crate::vault::copying::Recalled;
use crate::vault::{self, OpenVault};

/// What segments say together of the states that their vault was in.
#[derive(Debug, Default)]
pub(super) struct States {
    /// The latest generation.
    pub(super) generation: u64,
    /// All that was destroyed by then.
    pub(super) tombstones: BTreeSet<Tombstone>,
    /// The entries of the log that they name.
    logged: Vec<LogHead>,
}

impl States {
    /// Takes a segment in.
    pub(super) fn add(&mut self, manifest: &Manifest) {
        self.generation = self.generation.max(manifest.generation);
        let tombstones = manifest.tombstones.iter();
        self.tombstones
            .extend(tombstones.map(|one| Tombstone::from(*one)));
        self.logged.extend(manifest.log.map(LogHead::from));
    }

    /// Whether the vault, which is the one that wrote them, is in the last of these states or
    /// came of it.
    pub(super) fn are_of(&self, vault: &OpenVault) -> vault::Result<bool> {
        let standing = vault.standing(&[])?;
        let is_as_late = self.generation <= standing.generation
            && self.tombstones.is_subset(&standing.tombstones);
        Ok(is_as_late && !vault.recall(&self.logged)?.contains(&Recalled::Another))
    }
}

//! How a backup is related to the vault that is restored into: whether what it says of a
//! recording in some epoch is about the same state of it.
//!
//! An epoch counts the redactions of one vault. A recording that was brought into another
//! vault, or into an older copy of its own, may have been redacted there as often and
//! elsewhere: then the same epoch is something else.

use std::collections::BTreeSet;

use super::Outcome;
use crate::backup::error::Result;
use crate::backup::read::plan::Plan;
use crate::recording::RecordingId;
use crate::vault::bag::Tombstone;
use crate::vault::{Holding, OpenVault};

/// What a backup is to a vault.
pub(super) struct Kin {
    vault: Vault,
    /// What had been destroyed in the vault before, and what the backup says was.
    tombstones: BTreeSet<Tombstone>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Vault {
    /// The same, in this state or an earlier one.
    Same,
    /// The same, in a state that it is not in any more: it was put back from a copy.
    Later,
    /// Another.
    Another,
}

impl Kin {
    /// Of the vault as it is before anything is restored.
    pub(super) fn of(vault: &OpenVault, plan: &Plan, outcome: &Outcome) -> Result<Self> {
        let standing = vault.standing(&[])?;
        let own = (vault.vault_id()?, standing.signing.public());
        let kin = match outcome.origin == Some(own) {
            true if plan.states.are_of(vault)? => Vault::Same,
            true => Vault::Later,
            false => Vault::Another,
        };
        let mut tombstones = standing.tombstones;
        tombstones.extend(plan.tombstones());
        Ok(Self {
            vault: kin,
            tombstones,
        })
    }

    /// Whether it is of this vault.
    pub(super) fn is_own(&self) -> bool {
        self.vault != Vault::Another
    }

    /// Whether it may give a recording that the vault holds what that lacks. What a card
    /// does not say to be lost comes from the vault itself only.
    pub(super) fn may_mend(&self, id: RecordingId, holding: &Holding) -> bool {
        let of_id = Tombstone { id, epoch: 0 }..=Tombstone {
            id,
            epoch: u32::MAX,
        };
        let was_redacted = self.tombstones.range(of_id).next().is_some();
        match self.vault {
            Vault::Same => true,
            Vault::Later => holding.is_damaged() && !was_redacted,
            Vault::Another => holding.is_damaged() && holding.is_restored && !was_redacted,
        }
    }
}

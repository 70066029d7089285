//! Which recordings are in which backups, as far as the vault itself knows: no backup
//! is looked at.
//!
//! A recording counts as held once a run that wrote it came to its end. What was said
//! of it later, in a card or another transcript, is not asked.

use super::error::Result;
use super::keys::bag::{Bag, KnownBackup};
use super::open::OpenVault;

/// Which recordings are in which backups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The backups that the vault knows, the newest first.
    pub backups: Vec<Covered>,
    /// How many recordings there are.
    pub recordings: usize,
    /// How many of them are in no backup.
    pub in_none: usize,
}

/// A backup, and how much of the vault it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// What the vault remembers of it.
    pub backup: KnownBackup,
    /// Recordings of the vault that it holds.
    pub holds: usize,
    /// Recordings of the vault that it does not hold.
    pub lacks: usize,
}

impl OpenVault {
    /// Which recordings are in which backups.
    pub fn coverage(&self) -> Result<Coverage> {
        self.session().with(|held| Ok(coverage(held.bag())))
    }
}

fn coverage(bag: &Bag) -> Coverage {
    let (clips, known) = (&bag.clips, &bag.settings.backups);
    let recordings = clips.len();
    let covered = known.iter().map(|backup| {
        let holds = clips.values().filter(|clip| backup.holds(clip)).count();
        Covered {
            backup: backup.clone(),
            holds,
            lacks: recordings - holds,
        }
    });
    let mut backups: Vec<Covered> = covered.collect();
    backups.sort_by_key(|one| std::cmp::Reverse(one.backup.made_at_ms));
    let is_in_none = |clip: &&super::keys::bag::Clip| !known.iter().any(|one| one.holds(clip));
    Coverage {
        backups,
        recordings,
        in_none: clips.values().filter(is_in_none).count(),
    }
}

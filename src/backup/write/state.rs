//! Whether a backup was written by this vault as it is, or by another state of it.
//!
//! A vault that is put back from an older copy holds again what it destroyed since, and a
//! backup of its later state says of these recordings that they must not come back. And
//! once both have gone on, an epoch of a recording means one sound in the one and another
//! in the other. So nothing is added where something was written by a state that this one
//! does not come from.
//!
//! What tells them apart is the log: every change of the keys that destroys something has
//! an entry in it, no two entries are sealed alike, and a segment names the newest that
//! there was. Where that entry can't be read any more, what was destroyed and how often
//! the keys were changed must do.

use std::path::Path;

use crate::backup::error::{Error, Result};
use crate::backup::manifest::{Manifest, Tombstone};
use crate::vault::OpenVault;
use crate::vault::bag::LogHead;
use crate::vault::copying::{Recalled, Stock};

/// Checks that segments of this vault were written by the state it is in, or by one before.
///
/// # Errors
/// [`Error::Unusable`] names the folder if one was not.
pub(super) fn check<'m>(
    vault: &OpenVault,
    stock: &Stock,
    dir: &Path,
    manifests: impl Iterator<Item = &'m Manifest> + Clone,
) -> Result<()> {
    let heads = manifests.clone().filter_map(|one| one.log);
    let heads: Vec<LogHead> = heads.map(LogHead::from).collect();
    let recalled = vault.recall(&heads)?;
    if recalled.contains(&Recalled::Another)
        || manifests.into_iter().any(|one| is_later(one, stock))
    {
        return Err(Error::Unusable {
            dir: dir.to_owned(),
            why: "what lies there is of a later state of this vault, which was put back from an \
                  older copy",
            hint: "`voxvault restore` brings back what only this backup has; begin another one in \
                   another folder",
        });
    }
    Ok(())
}

/// Whether it says more than this state of the vault can have said.
fn is_later(manifest: &Manifest, stock: &Stock) -> bool {
    let mut buried = manifest.tombstones.iter();
    let is_known = |one: &Tombstone| stock.tombstones.contains(&(*one).into());
    manifest.generation > stock.generation || !buried.all(is_known)
}

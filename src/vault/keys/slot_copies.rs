//! The ways in as files, for whoever takes a copy of them along.

use std::path::Path;

use super::keyslots::{self, Name};
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Disk};
use crate::vault::ground::lock::Lock;
use crate::vault::sealed::scan::AGE_MAGIC;

/// A way in, as it lies in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotFile {
    /// The name of the slot.
    pub name: String,
    /// The age file.
    pub sealed: Vec<u8>,
}

/// Each slot in force, sorted by name. Under the vault's lock none of them is being
/// replaced.
///
/// # Errors
/// [`Error::Damaged`] if neither copy of a slot is an age file.
pub(in crate::vault) fn copies(disk: &dyn Disk, dir: &Path, _lock: &Lock) -> Result<Vec<SlotFile>> {
    let keys = dir.join(keyslots::DIR);
    let files = disk.list(&keys).map_err(Error::io("list", &keys))?;
    let mut names: Vec<&str> = files
        .iter()
        .filter_map(|file| Name::parse(file))
        .filter(|name| name.new.is_none())
        .map(|name| name.slot)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            let read = |ending: &str| {
                let path = keys.join(format!("{name}{ending}"));
                let read = disk::read_at_most(disk, &path, keyslots::MOST_BYTES).ok();
                read.filter(|sealed| sealed.starts_with(AGE_MAGIC))
            };
            let sealed = read(".age").or_else(|| read(".copy.age")).ok_or_else(|| {
                let path = keys.join(format!("{name}.age"));
                Error::damaged(path.display(), "neither copy of this way in can be read")
            })?;
            Ok(SlotFile {
                name: name.to_owned(),
                sealed,
            })
        })
        .collect()
}

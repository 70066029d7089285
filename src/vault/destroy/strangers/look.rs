//! What a file turned out to be, by what is in it, and how copies in it are overwritten.

use std::io;
use std::path::Path;

use crate::crypto::root_seal::root_hash;
use crate::crypto::{SlotSecrets, VaultId};
use crate::vault::ground::disk::{self, Disk, DiskFile};
use crate::vault::keys::keyslots;
use crate::vault::keys::root::{self, SLOT_LEN};
use crate::vault::sealed::scan::AGE_MAGIC;

/// What is longer is named and not looked through: it is no copy of a root file, and of a
/// bag it would be one of a million recordings.
pub(in crate::vault::destroy) const MOST_BYTES: u64 = 64 << 20;

/// What was done with a copy.
pub(in crate::vault::destroy) const REMOVED: &str = "overwritten and removed";
pub(in crate::vault::destroy) const EMPTIED: &str = "overwritten and emptied";
pub(in crate::vault::destroy) const IN_PLACE: &str =
    "overwritten there; what else is in it was left";

/// What a file turned out to be.
pub(in crate::vault::destroy) enum Looked {
    /// Root slots of the vault begin in it, whole or in part.
    Slots {
        at: Vec<u64>,
        /// It is a root file or a piece of one, and nothing else.
        is_all: bool,
        /// The bags that they name.
        bags: Vec<[u8; 32]>,
    },
    /// It begins as age files do.
    Age {
        /// As a root slot has it of a bag.
        hash: [u8; 32],
        /// As the bag has it of a way in.
        slot: [u8; 32],
        /// Whether it has the form of a way in, which others may have too.
        is_like_slot: bool,
    },
    /// Root slots begin in it, and none of them is of this vault.
    OtherSlots,
    /// It is one of ours.
    OtherName,
    /// A link, a folder, a pipe, or too long.
    NotLookedInto,
    /// Nothing of that.
    Nothing,
}

/// Looks into a file of up to so many bytes, for what is of one of these vaults.
pub(in crate::vault::destroy) fn look(
    disk: &dyn Disk,
    path: &Path,
    vaults: &[VaultId],
    most_bytes: u64,
) -> io::Result<Looked> {
    let bytes = match disk::read_at_most(disk, path, most_bytes) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Ok(Looked::NotLookedInto);
        }
        Err(error) if disk::is_no_file(&error) => return Ok(Looked::NotLookedInto),
        Err(error) => return Err(error),
    };
    let (ours, others): (Vec<_>, Vec<_>) =
        root::starts(&bytes).partition(|start| vaults.contains(&start.vault));
    let (at, bags): (Vec<_>, Vec<_>) = ours.iter().map(|start| (start.at, start.bag)).unzip();
    let is_aligned = |at: &usize| at.is_multiple_of(SLOT_LEN);
    Ok(match (at.is_empty(), bytes.starts_with(AGE_MAGIC)) {
        (false, _) => Looked::Slots {
            is_all: bytes.len() <= 2 * SLOT_LEN && at.iter().all(is_aligned),
            at: at.into_iter().map(|at| at as u64).collect(),
            bags: bags.into_iter().flatten().collect(),
        },
        (true, true) => Looked::Age {
            hash: root_hash(&bytes),
            slot: keyslots::hash(&bytes),
            is_like_slot: SlotSecrets::look(&bytes).is_ok(),
        },
        (true, false) if !others.is_empty() => Looked::OtherSlots,
        (true, false) => Looked::Nothing,
    })
}

/// Overwrites slots in a file that holds other things too; `wrote` hears of the bytes of each.
pub(in crate::vault::destroy) fn overwrite_slots(
    file: &dyn DiskFile,
    slots: &[u64],
    wrote: &mut dyn FnMut(u64),
) -> io::Result<()> {
    let length = file.len()?;
    for at in slots {
        let bytes = (SLOT_LEN as u64).min(length.saturating_sub(*at));
        disk::overwrite_range(file, *at, bytes)?;
        wrote(bytes);
    }
    file.sync()
}

/// `bag.3.a.bak`, `old-bag.3.b` and the like: a bag's whole name, with something around it.
pub(in crate::vault::destroy) fn is_named_like_a_bag(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let goes_on = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    name.match_indices("bag.").any(|(at, start)| {
        let (before, rest) = (&name[..at], &name[at + start.len()..]);
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let letter = behind
            .strip_prefix(".a")
            .or_else(|| behind.strip_prefix(".b"));
        behind.len() < rest.len()
            && !goes_on(before.chars().next_back())
            && letter.is_some_and(|behind| !goes_on(behind.chars().next()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_called_a_copy_of_a_bag_is_known_by_its_name() {
        for name in ["bag.3.a.bak", "bag.12.b~", "old-bag.3.a", "bag.3.a (1)"] {
            assert!(is_named_like_a_bag(Path::new(name)), "{name}");
        }
        for name in [
            "bag.a",
            "bag..a",
            "handbag.txt",
            "bag.3.c",
            "passphrase.age",
            "handbag.3.a",
            "bag.3.april.age",
        ] {
            assert!(!is_named_like_a_bag(Path::new(name)), "{name}");
        }
    }
}

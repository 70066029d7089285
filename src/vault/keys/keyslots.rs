//! The files in `keys/`: `<name>.age`, its twin `<name>.copy.age`, and, while a way
//! in is added or replaced, `<name>.<fingerprint>.new.age` and its twin.
//!
//! A new slot lies beside the old one until the bag has committed to its hash; its
//! name says for which master key it was made. So a crash leaves either the old
//! way in or the new one in force. `settle` puts them in their places.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ways::Sealed;
use crate::crypto::SlotSecrets;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Disk};
use crate::vault::ground::site::Site;

/// The directory.
pub(in crate::vault) const DIR: &str = "keys";
/// The slot that `init` makes.
pub(in crate::vault) const PASSPHRASE: &str = "passphrase";
/// The one that it makes for a recovery key.
pub(in crate::vault) const RECOVERY: &str = "recovery";

/// What the two files of a slot end in.
pub(in crate::vault) const ENDINGS: [&str; 2] = [".age", ".copy.age"];
const NEW: &str = ".new";

/// A slot has a few hundred, and 75 more for each time that a way in was taken away.
pub(in crate::vault) const MOST_BYTES: u64 = 256 * 1024;

/// A fingerprint of a master key.
pub(in crate::vault) type Fingerprint = [u8; 16];

/// A slot that opened, see [`trying`](super::trying).
pub(in crate::vault) struct Opened {
    /// Its name, without any ending.
    pub name: String,
    /// Whether it waits for its place.
    pub waits: bool,
    /// Its hash, as the bag has it.
    pub hash: [u8; 32],
    /// What was in it.
    pub secrets: SlotSecrets,
}

/// A file in `keys/` whose name is a slot's.
pub(in crate::vault) struct SlotFile {
    /// Its whole name.
    pub name: String,
    /// The slot's.
    pub slot: String,
    /// One of [`ENDINGS`].
    pub ending: &'static str,
    /// Whether it waits for its place.
    pub waits: bool,
    /// What is in it, if that can be read.
    pub bytes: Option<Vec<u8>>,
    /// Its hash, as the bag has it.
    pub hash: Option<[u8; 32]>,
    /// Why the system refused to open it, if it did.
    pub refused: Option<io::Error>,
}

/// The hash by which the bag knows a slot.
pub(in crate::vault) fn hash(sealed: &[u8]) -> [u8; 32] {
    Sha256::digest(sealed).into()
}

/// Every slot file that is there, in the order of their names.
pub(in crate::vault) fn files(site: &Site) -> Result<Vec<SlotFile>> {
    let mut names = names(&*site.disk, &site.dir)?;
    names.sort();
    let file = |name: String| {
        let Name { slot, ending, new } = Name::parse(&name)?;
        let (slot, waits) = (slot.to_owned(), new.is_some());
        let path = site.dir.join(DIR).join(&name);
        let (bytes, refused) = match disk::read_at_most(&*site.disk, &path, MOST_BYTES) {
            Ok(bytes) => (Some(bytes), None),
            Err(error) => (None, Some(error).filter(disk::is_refused)),
        };
        let hash = bytes.as_deref().map(hash);
        Some(SlotFile {
            name,
            slot,
            ending,
            waits,
            bytes,
            hash,
            refused,
        })
    };
    Ok(names.into_iter().filter_map(file).collect())
}

/// Whether something of this name is there that a new slot must not replace.
pub(in crate::vault) fn is_taken(site: &Site, name: &str) -> Result<bool> {
    let files = files(site)?;
    Ok(files.iter().any(|file| file.slot == name && !file.waits))
}

/// What a file name in `keys/` says.
pub(in crate::vault) struct Name<'a> {
    pub slot: &'a str,
    pub ending: &'static str,
    /// The fingerprint, of a slot that waits for its root.
    pub new: Option<&'a str>,
}

impl<'a> Name<'a> {
    /// `None` where the name is no slot's.
    pub fn parse(file: &'a str) -> Option<Self> {
        // The longer ending first: every copy also ends in `.age`.
        let ending = ENDINGS
            .into_iter()
            .rev()
            .find(|ending| file.ends_with(ending))?;
        let stem = file.strip_suffix(ending)?;
        let Some(stem) = stem.strip_suffix(NEW) else {
            return Some(Self {
                slot: stem,
                ending,
                new: None,
            });
        };
        let (slot, new) = stem.rsplit_once('.')?;
        Some(Self {
            slot,
            ending,
            new: Some(new),
        })
    }
}

fn names(disk: &dyn Disk, dir: &Path) -> Result<Vec<String>> {
    let keys = dir.join(DIR);
    match disk.list(&keys) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        answer => answer.map_err(Error::io("list", &keys)),
    }
}

/// Writes the slots of a new vault, and their twins. The caller syncs what is above.
pub(in crate::vault) fn write_first(site: &Site, slots: &[Sealed]) -> Result<()> {
    let keys = site.path(DIR);
    site.disk
        .create_dir(&keys)
        .map_err(Error::io("make", &keys))?;
    for Sealed { name, bytes, .. } in slots {
        for ending in ENDINGS {
            put(site, &keys.join(format!("{name}{ending}")), bytes)?;
        }
    }
    site.disk.sync_dir(&keys).map_err(Error::io("sync", &keys))
}

/// Writes slots beside those that they are to replace, durably.
pub(in crate::vault) fn prepare(
    site: &Site,
    fingerprint: &Fingerprint,
    slots: &[Sealed],
) -> Result<()> {
    let keys = site.path(DIR);
    for slot in slots {
        for path in waiting(&keys, fingerprint, &slot.name) {
            put(site, &path, &slot.bytes)?;
        }
    }
    site.disk.sync_dir(&keys).map_err(Error::io("sync", &keys))
}

/// Overwrites what was prepared for these, as far as the disk lets it.
pub(in crate::vault) fn discard<'a>(
    site: &Site,
    fingerprint: &Fingerprint,
    slots: impl Iterator<Item = &'a Sealed>,
) {
    let keys = site.path(DIR);
    for slot in slots {
        for path in waiting(&keys, fingerprint, &slot.name) {
            let _ = disk::erase(&*site.disk, &path);
        }
    }
    let _ = site.disk.sync_dir(&keys);
}

/// Where both files of a slot lie that waits for its place.
fn waiting(keys: &Path, fingerprint: &Fingerprint, name: &str) -> [PathBuf; 2] {
    let fingerprint = hex(fingerprint);
    ENDINGS.map(|ending| keys.join(format!("{name}.{fingerprint}{NEW}{ending}")))
}

fn put(site: &Site, path: &Path, sealed: &[u8]) -> Result<()> {
    disk::write(&*site.disk, path, sealed).map_err(Error::io("write", path))
}

fn hex(fingerprint: &Fingerprint) -> String {
    fingerprint
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn names_say_which_slot_which_copy_and_which_root_they_wait_for() {
        let parse = |file| {
            Name::parse(file).map(|name| (name.slot.to_owned(), name.ending, name.new.is_some()))
        };
        assert_eq!(
            parse("passphrase.age"),
            Some(("passphrase".into(), ".age", false))
        );
        assert_eq!(
            parse("passphrase.copy.age"),
            Some(("passphrase".into(), ".copy.age", false))
        );
        assert_eq!(
            parse("work.phone.0a.new.age"),
            Some(("work.phone".into(), ".age", true))
        );
        assert_eq!(
            parse("p.0a.new.copy.age"),
            Some(("p".into(), ".copy.age", true))
        );
        assert_eq!(parse("README"), None);
    }
}

//! The files in `keys/`: `<name>.age`, its twin `<name>.copy.age`, and, while a
//! passphrase is being changed, `<name>.<fingerprint>.new.age` and its twin.
//!
//! A new slot lies beside the old one until the root has committed to its
//! master key; its name says which. So a crash leaves either the old way in or
//! the new one in force, and tells which of the two files is waste.

use std::io;
use std::path::{Path, PathBuf};

use crate::crypto::{CryptoError, Passphrase, SlotSecrets};
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Disk};
use crate::vault::ground::site::Site;
use crate::vault::notice::Notice;

/// The directory.
pub(in crate::vault) const DIR: &str = "keys";
/// The slot that `init` makes.
pub(in crate::vault) const PASSPHRASE: &str = "passphrase";

const ENDINGS: [&str; 2] = [".age", ".copy.age"];
const NEW: &str = ".new";

/// A slot has a few hundred, and 75 more for each time that a way in was taken away.
pub(in crate::vault) const MOST_BYTES: u64 = 256 * 1024;

/// A fingerprint of a master key.
type Fingerprint = [u8; 16];

/// A slot that opened.
pub(in crate::vault) struct Opened {
    /// Its name, without any ending.
    pub name: String,
    /// What was in it.
    pub secrets: SlotSecrets,
    /// The slot as it is written.
    pub sealed: Vec<u8>,
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

/// Tries the passphrase on every slot that is there, the ones in force first,
/// until `fits` takes one. Copies that are alike are tried once: each try costs
/// a second.
///
/// # Errors
/// [`Error::WrongPassphrase`] if none is taken, [`Error::Damaged`] if none can be
/// read.
pub(in crate::vault) fn open<T>(
    site: &Site,
    passphrase: &Passphrase,
    mut fits: impl FnMut(Opened) -> Result<Option<T>>,
) -> Result<T> {
    let mut files = names(&*site.disk, &site.dir)?;
    files.retain(|file| Name::parse(file).is_some());
    files.sort_by_key(|file| Name::parse(file).map(|name| name.new.is_some()));
    let mut tried: Vec<Vec<u8>> = Vec::new();
    // Whether any of them could be asked at all.
    let mut asked = false;
    for file in &files {
        let Some(name) = Name::parse(file) else {
            continue;
        };
        let path = site.dir.join(DIR).join(file);
        // A bad sector in one copy is what the other one is there for.
        let Ok(sealed) = disk::read_at_most(&*site.disk, &path, MOST_BYTES) else {
            continue;
        };
        if tried.contains(&sealed) {
            continue;
        }
        let slot = SlotSecrets::open(&sealed, passphrase);
        asked |= matches!(slot, Ok(_) | Err(CryptoError::WrongKey));
        if let Ok(secrets) = slot {
            let opened = Opened {
                name: name.slot.to_owned(),
                secrets,
                sealed: sealed.clone(),
            };
            if let Some(taken) = fits(opened)? {
                return Ok(taken);
            }
        }
        tried.push(sealed);
    }
    match asked {
        true => Err(Error::WrongPassphrase {
            dir: site.dir.clone(),
        }),
        false => Err(Error::damaged(
            site.dir.join(DIR).display(),
            "no way in can be read",
        )),
    }
}

/// Writes a slot of a new vault, and its twin. The caller syncs what is above.
pub(in crate::vault) fn write_first(site: &Site, name: &str, sealed: &[u8]) -> Result<()> {
    let keys = site.path(DIR);
    site.disk
        .create_dir(&keys)
        .map_err(Error::io("make", &keys))?;
    for ending in ENDINGS {
        put(site, &keys.join(format!("{name}{ending}")), sealed)?;
    }
    site.disk.sync_dir(&keys).map_err(Error::io("sync", &keys))
}

/// Writes a slot beside the one that it is to replace, durably.
pub(in crate::vault) fn prepare(
    site: &Site,
    name: &str,
    fingerprint: &Fingerprint,
    sealed: &[u8],
) -> Result<()> {
    let keys = site.path(DIR);
    let fingerprint = hex(fingerprint);
    for ending in ENDINGS {
        put(
            site,
            &keys.join(format!("{name}.{fingerprint}{NEW}{ending}")),
            sealed,
        )?;
    }
    site.disk.sync_dir(&keys).map_err(Error::io("sync", &keys))
}

fn put(site: &Site, path: &Path, sealed: &[u8]) -> Result<()> {
    disk::write(&*site.disk, path, sealed).map_err(Error::io("write", path))
}

/// Puts the slots in order once the root's fingerprint is known for sure: one
/// that waited for it overwrites and replaces its predecessor, one that waited
/// for another is destroyed. Answers with what could not be done.
pub(in crate::vault) fn settle(site: &Site, fingerprint: &Fingerprint) -> Vec<Notice> {
    let (disk, keys) = (&*site.disk, site.path(DIR));
    let wanted = hex(fingerprint);
    let Ok(files) = disk.list(&keys) else {
        return Vec::new();
    };
    let mut notices = Vec::new();
    let mut changed = false;
    for file in &files {
        let Some(Name {
            slot,
            ending,
            new: Some(new),
        }) = Name::parse(file)
        else {
            continue;
        };
        let path = keys.join(file);
        let place = keys.join(format!("{slot}{ending}"));
        let done = if new == wanted {
            replace(disk, &path, &place)
        } else {
            disk::erase(disk, &path)
        };
        changed = true;
        if let Err(error) = done {
            notices.push(Notice::NotDone {
                path: place,
                why: error.to_string(),
            });
        }
    }
    if changed && let Err(error) = disk.sync_dir(&keys) {
        notices.push(Notice::NotDone {
            path: keys,
            why: error.to_string(),
        });
    }
    notices
}

/// Overwrites the old slot before it loses its name: what was in it would stay
/// on the disk otherwise.
fn replace(disk: &dyn Disk, new: &Path, old: &Path) -> io::Result<()> {
    match disk::overwrite(disk, old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => disk.rename(new, old),
    }
}

/// Makes both files of a slot that opened alike. Only called with a slot whose
/// fingerprint is the root's, so what is overwritten is damaged or obsolete.
pub(in crate::vault) fn mend(site: &Site, opened: &Opened) -> Vec<Notice> {
    let (disk, keys) = (&*site.disk, site.path(DIR));
    let paths: Vec<PathBuf> = ENDINGS
        .iter()
        .map(|ending| keys.join(format!("{}{ending}", opened.name)))
        .collect();
    let mut notices = Vec::new();
    for path in paths {
        if disk::read_at_most(disk, &path, MOST_BYTES).is_ok_and(|sealed| sealed == opened.sealed) {
            continue;
        }
        let mended = disk::write(disk, &path, &opened.sealed).and_then(|()| disk.sync_dir(&keys));
        notices.push(Notice::of(mended, path));
    }
    notices
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

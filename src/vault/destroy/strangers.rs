//! Copies of the keys that somebody put beside them, under names that are not ours.
//!
//! `cp root.a root.a.bak` is enough: with it, a copy of the bag and the passphrase, all
//! that was destroyed since opens again. So what destroys keys overwrites their copies as
//! it does the generation before, wherever in the vault's directory they lie. They are
//! known by what is in them: a root slot of this vault at any place of a file, a bag by its
//! hash or its name, and a way in that was taken away by its hash. All else is left as it
//! is, and named. A link is never
//! followed, a pipe never waited for, and another name of a file of ours is no copy.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::receipt::NotErased;
use crate::crypto::VaultId;
use crate::crypto::root_seal::root_hash;
use crate::vault::error::Error;
use crate::vault::ground::disk::{self, Access, Disk};
use crate::vault::ground::lock::{GATE_FILE, LOCK_FILE};
use crate::vault::keys::keyslots::{self, Name};
use crate::vault::keys::reserve;
use crate::vault::keys::root::{self, Copy, SLOT_LEN, generation_of_bag_file};
use crate::vault::keys::rotation::{Leftover, Rotated};
use crate::vault::restore::RESTORING_FILE;
use crate::vault::sealed::scan::AGE_MAGIC;
use crate::vault::session::Held;
use crate::vault::{inbox, store};

/// What is longer is named and not looked through: it is no copy of a root file, and of a
/// bag it would be one of a million recordings.
const MOST_BYTES: u64 = 64 << 20;

/// So many are named one by one.
const MOST_NAMED: usize = 20;

const REMOVED: &str = "overwritten and removed";
const IN_PLACE: &str = "overwritten there; what else is in it was left";

/// What became of the files that are not ours.
#[derive(Debug, Default)]
pub(in crate::vault) struct Strangers {
    /// Copies of keys that were overwritten, a line each.
    pub erased: Vec<String>,
    /// Those that were left as they are.
    pub left: Vec<NotErased>,
}

/// Whether this is the name of a file or folder of the vault's own, in its directory.
pub(in crate::vault) fn is_own(name: &str) -> bool {
    const OWN: [&str; 9] = [
        reserve::FILE,
        LOCK_FILE,
        GATE_FILE,
        RESTORING_FILE,
        store::FILE,
        store::NEW_FILE,
        store::replace::OLD_FILE,
        keyslots::DIR,
        inbox::DIR,
    ];
    let is_root = |copy: Copy| copy.root_file(Path::new("")) == Path::new(name);
    OWN.contains(&name)
        || store::replace::aside_number(name).is_some()
        || generation_of_bag_file(name).is_some()
        || Copy::BOTH.into_iter().any(is_root)
}

/// Overwrites the copies that there are, durably. What could not be is one of the
/// leftovers of the rotation that has just destroyed what they still open.
pub(in crate::vault) fn overwrite(held: &Held<'_>, rotated: &mut Rotated) -> Strangers {
    let disk = held.disk();
    let mut done = Strangers::default();
    let mut not_final = |path: &Path, source| {
        let path = path.to_owned();
        let why = Error::NotFinal { path, source };
        rotated.leftovers.push(Leftover { why });
    };
    let ours = own_files(held);
    let mut found = Vec::new();
    let mut unknown = 0;
    for path in strangers(held, &mut not_final) {
        let looked = match identity(&path).is_some_and(|file| ours.contains(&file)) {
            true => Ok(Looked::OtherName),
            false => look(disk, &path, held.vault_id()),
        };
        found.push((path, looked));
    }
    // A copy of a bag may have any name; the copies of its slots tell its hash.
    let mut bags: BTreeSet<[u8; 32]> = held.ring().former_bag.into_iter().collect();
    for (_, looked) in &found {
        if let Ok(Looked::Slots { bags: named, .. }) = looked {
            bags.extend(named);
        }
    }
    let retired = held.bag().settings.retired.iter();
    let retired: BTreeSet<[u8; 32]> = retired.map(|slot| slot.hash).collect();
    let mut changed = BTreeSet::new();
    for (path, looked) in found {
        let overwritten = match &looked {
            Ok(Looked::Slots { at, is_all, .. }) => match is_all {
                true => disk::erase(disk, &path).map(|()| Some(("root", REMOVED))),
                false => wipe_slots(disk, &path, at).map(|()| Some(("root", IN_PLACE))),
            },
            Ok(Looked::Age { hash, .. }) if bags.contains(hash) || is_named_like_a_bag(&path) => {
                disk::erase(disk, &path).map(|()| Some(("bag", REMOVED)))
            }
            Ok(Looked::Age { slot, .. }) if retired.contains(slot) => {
                disk::erase(disk, &path).map(|()| Some(("way in", REMOVED)))
            }
            _ => Ok(None),
        };
        let place = path.display();
        match overwritten {
            Ok(Some((what, then))) => {
                done.erased
                    .push(format!("{place}: a copy of an older {what}: {then}"));
                changed.extend(path.parent().map(Path::to_owned));
            }
            Err(source) => not_final(&path, source),
            Ok(None) if unknown < MOST_NAMED => {
                unknown += 1;
                done.left.push(left(&path, why_left(&looked)));
            }
            Ok(None) => unknown += 1,
        }
    }
    if unknown > MOST_NAMED {
        let more = format!(
            "{} more that are not files of the vault",
            unknown - MOST_NAMED
        );
        done.left
            .push(left(held.dir(), "nothing of the keys was recognised in them").of(more));
    }
    for folder in changed {
        if let Err(source) = disk.sync_dir(&folder) {
            not_final(&folder, source);
        }
    }
    done
}

fn left(path: &Path, why: &str) -> NotErased {
    NotErased {
        what: "a file that is none of the vault's".to_owned(),
        where_: path.display().to_string(),
        why: why.to_owned(),
    }
}

impl NotErased {
    fn of(self, what: String) -> Self {
        Self { what, ..self }
    }
}

fn why_left(looked: &io::Result<Looked>) -> &'static str {
    match looked {
        Ok(Looked::Age { .. }) => {
            "it is an age file: if it is a copy of a way in, its key opens it as before"
        }
        Ok(Looked::OtherName) => "it is another name of a file of the vault, and no copy",
        Ok(Looked::NotLookedInto) | Err(_) => "it was not looked into, whatever it holds",
        Ok(Looked::Nothing | Looked::Slots { .. }) => {
            "it was looked through for copies of the keys, and not for anything else"
        }
    }
}

/// Files under names that are not ours, in the directory and in its two folders.
fn strangers(held: &Held<'_>, not_final: &mut dyn FnMut(&Path, io::Error)) -> Vec<PathBuf> {
    let (disk, dir) = (held.disk(), held.dir());
    let mut all = Vec::new();
    let mut among = |folder: PathBuf, is_own: &dyn Fn(&str) -> bool| match disk.list(&folder) {
        Ok(names) => {
            let others = names.iter().filter(|name| !is_own(name));
            all.extend(others.map(|name| folder.join(name)));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => not_final(&folder, error),
    };
    among(dir.to_owned(), &is_own);
    among(dir.join(keyslots::DIR), &|name| Name::parse(name).is_some());
    among(dir.join(inbox::DIR), &inbox::is_own);
    all
}

/// A file, under whatever name.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    let facts = fs::symlink_metadata(path).ok()?;
    Some((facts.dev(), facts.ino()))
}

/// The files that hold the keys in force. What is the same file under another name is
/// overwritten where they are, and must never be overwritten as a copy.
fn own_files(held: &Held<'_>) -> BTreeSet<Identity> {
    let (dir, generation) = (held.dir(), held.generation());
    let root_and_bag = |copy: Copy| [copy.root_file(dir), copy.bag_file(dir, generation)];
    let all = Copy::BOTH.into_iter().flat_map(root_and_bag);
    all.filter_map(|path| identity(&path)).collect()
}

/// What a file turned out to be.
enum Looked {
    /// Root slots of this vault begin in it, whole or in part.
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
    },
    /// It is one of ours.
    OtherName,
    /// A link, a folder, a pipe, or too long.
    NotLookedInto,
    /// Nothing of that.
    Nothing,
}

fn look(disk: &dyn Disk, path: &Path, vault: VaultId) -> io::Result<Looked> {
    let bytes = match disk::read_at_most(disk, path, MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Ok(Looked::NotLookedInto);
        }
        Err(error) if disk::is_no_file(&error) => return Ok(Looked::NotLookedInto),
        Err(error) => return Err(error),
    };
    let (at, bags): (Vec<_>, Vec<_>) = root::starts(&bytes, vault).unzip();
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
        },
        (true, false) => Looked::Nothing,
    })
}

/// Overwrites slots in a file that holds other things too.
fn wipe_slots(disk: &dyn Disk, path: &Path, slots: &[u64]) -> io::Result<()> {
    let file = disk.open(path, Access::Write)?;
    let length = file.len()?;
    for at in slots {
        let slot = (SLOT_LEN as u64).min(length.saturating_sub(*at));
        disk::overwrite_range(&*file, *at, slot)?;
    }
    file.sync()
}

/// `bag.3.a.bak`, `old-bag.3.b` and the like: a bag's whole name, with something around it.
fn is_named_like_a_bag(path: &Path) -> bool {
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

    #[test]
    fn the_vault_knows_its_own_names() {
        for name in [
            "root.a",
            "root.b",
            "bag.3.a",
            "store.redb",
            "lock",
            "keys",
            "inbox",
        ] {
            assert!(is_own(name), "{name}");
        }
        for name in [
            "root.c",
            "root.a.bak",
            "bag.3.a.bak",
            "keys.old",
            "notes.txt",
        ] {
            assert!(!is_own(name), "{name}");
        }
    }
}

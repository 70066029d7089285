//! Where copies of the keys may lie: every name in the vault's directory and its two
//! folders, but for the files that hold what is in force.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::vault::ground::disk::{Access, Disk};
use crate::vault::inbox;
use crate::vault::keys::keyslots::{self, Name};
use crate::vault::keys::root::{Copy, generation_of_bag_file};
use crate::vault::sealed::frame;
use crate::vault::session::Held;
use crate::vault::store;

/// A name at which a copy may lie.
pub(super) struct Place {
    pub path: PathBuf,
    pub standing: Standing,
}

/// What a name says of the file that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing: it is none of ours.
    Stranger,
    /// It is one of the vault's. A copy of the keys may have it all the same, and only
    /// that is worth a word.
    Own,
    /// It is that of a file that is locked, or a mark, and holds nothing. This one holds
    /// something. Others may have it open, so it keeps its name.
    Empty,
}

/// A file, under whatever name.
pub(super) type Identity = (u64, u64);

pub(super) fn identity(path: &Path) -> Option<Identity> {
    let facts = fs::symlink_metadata(path).ok()?;
    Some((facts.dev(), facts.ino()))
}

/// The files that hold what is in force. What is the same file under another name is
/// overwritten where they are, and must never be overwritten as a copy.
pub(super) fn in_force(held: &Held<'_>) -> BTreeSet<Identity> {
    let paths = paths_in_force(held);
    paths.iter().filter_map(|path| identity(path)).collect()
}

fn paths_in_force(held: &Held<'_>) -> Vec<PathBuf> {
    let (dir, generation) = (held.dir(), held.generation());
    let root_and_bag = |copy: Copy| [copy.root_file(dir), copy.bag_file(dir, generation)];
    let all = Copy::BOTH.into_iter().flat_map(root_and_bag);
    all.chain([dir.join(store::FILE)]).collect()
}

/// Every name at which a copy may lie. What could not be listed is told.
pub(super) fn all(held: &Held<'_>, not_final: &mut dyn FnMut(&Path, io::Error)) -> Vec<Place> {
    let (disk, dir) = (held.disk(), held.dir());
    let mut all = Vec::new();
    let mut among = |folder: PathBuf, standing: &dyn Fn(&str, &Path) -> Option<Standing>| match disk
        .list(&folder)
    {
        Ok(names) => all.extend(names.iter().filter_map(|name| {
            let path = folder.join(name);
            let standing = standing(name, &path)?;
            Some(Place { path, standing })
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => not_final(&folder, error),
    };
    let in_force = paths_in_force(held);
    among(dir.to_owned(), &|name, path| match name {
        keyslots::DIR | inbox::DIR => None,
        _ if in_force.iter().any(|ours| ours == path) => None,
        // A newer program may have been cut short: its bag stays.
        _ if generation_of_bag_file(name).is_some_and(|of| of > held.generation()) => None,
        _ if super::HOLD_NOTHING.contains(&name) => holds_something(disk, path),
        _ if super::is_own(name) => Some(Standing::Own),
        _ => Some(Standing::Stranger),
    });
    among(dir.join(keyslots::DIR), &|name, _| {
        Some(of_slot(held, name))
    });
    among(dir.join(inbox::DIR), &|name, path| match name {
        _ if inbox::is_mark(name) => holds_something(disk, path),
        _ if inbox::is_gone(name) => Some(Standing::Own),
        _ if inbox::is_own(name) => (!is_recording(disk, path)).then_some(Standing::Own),
        _ => Some(Standing::Stranger),
    });
    all
}

/// A file of a way in, or one that waits for its place, is ours by its name.
fn of_slot(held: &Held<'_>, name: &str) -> Standing {
    let ways = &held.bag().settings.ways;
    match Name::parse(name) {
        Some(name) if name.new.is_some() || ways.contains_key(name.slot) => Standing::Own,
        _ => Standing::Stranger,
    }
}

fn holds_something(disk: &dyn Disk, path: &Path) -> Option<Standing> {
    let opened = disk.open(path, Access::Read);
    match opened.and_then(|file| file.is_empty()) {
        Ok(true) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Ok(false) | Err(_) => Some(Standing::Empty),
    }
}

/// Whether it begins as a recording does, or has not begun yet.
fn is_recording(disk: &dyn Disk, path: &Path) -> bool {
    let mut start = [0; frame::MAGIC.len()];
    let opened = disk.open(path, Access::Read);
    let read = opened.and_then(|file| match file.is_empty()? {
        true => Ok(true),
        false => file.read_at(0, &mut start).map(|()| start == frame::MAGIC),
    });
    // Another process may have taken it in meanwhile.
    read.unwrap_or_else(|error| error.kind() == io::ErrorKind::NotFound)
}

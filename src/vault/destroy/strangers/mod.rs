//! Copies of the keys that somebody put beside them, under whatever names.
//!
//! `cp root.a root.a.bak` is enough: with it, a copy of the bag and the passphrase, all
//! that was destroyed since opens again. So what destroys keys overwrites their copies as
//! it does the generation before, wherever in the vault's directory they lie. They are
//! known by what is in them: a root slot of this vault at any place of a file, a bag by its
//! hash or its name, and a way in that was taken away by its hash. A name of our own says
//! nothing: `keys/root.age` and `inbox/<id>.open` may be copies too. All else is left as it
//! is, and named where it is none of ours. What is in force is never touched, a link never
//! followed, a pipe never waited for, and another name of a file of ours is no copy.

pub(super) mod look;
mod place;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use self::look::{
    EMPTIED, IN_PLACE, Looked, MOST_BYTES, REMOVED, is_named_like_a_bag, look, overwrite_slots,
};
use self::place::{Place, Standing, identity};
use super::receipt::NotErased;
use crate::vault::error::Error;
use crate::vault::ground::disk::{self, Access, Disk};
use crate::vault::ground::lock::{GATE_FILE, LOCK_FILE};
use crate::vault::keys::keyslots;
use crate::vault::keys::reserve;
use crate::vault::keys::root::{Copy, generation_of_bag_file};
use crate::vault::keys::rotation::{Leftover, Rotated};
use crate::vault::restore::RESTORING_FILE;
use crate::vault::session::Held;
use crate::vault::{inbox, store};

/// So many are named one by one.
const MOST_NAMED: usize = 20;

/// Files of the vault of which only the lock counts.
const HOLD_NOTHING: [&str; 3] = [LOCK_FILE, GATE_FILE, RESTORING_FILE];

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
    const OWN: [&str; 6] = [
        reserve::FILE,
        store::FILE,
        store::NEW_FILE,
        store::replace::OLD_FILE,
        keyslots::DIR,
        inbox::DIR,
    ];
    let is_root = |copy: Copy| copy.root_file(Path::new("")) == Path::new(name);
    OWN.contains(&name)
        || HOLD_NOTHING.contains(&name)
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
    let in_force = place::in_force(held);
    let mut found = Vec::new();
    let mut unknown = 0;
    for place in place::all(held, &mut not_final) {
        let looked = match identity(&place.path).is_some_and(|file| in_force.contains(&file)) {
            true => Ok(Looked::OtherName),
            false => look(disk, &place.path, &[held.vault_id()], MOST_BYTES),
        };
        found.push((place, looked));
    }
    let known = Known::of(
        held,
        found.iter().filter_map(|(_, looked)| looked.as_ref().ok()),
    );
    let mut changed = BTreeSet::new();
    for (place, looked) in found {
        let path = &place.path;
        let Some(what) = looked
            .as_ref()
            .ok()
            .and_then(|looked| known.what(&place, looked))
        else {
            if is_worth_a_word(&place, &looked) {
                unknown += 1;
                if unknown <= MOST_NAMED {
                    done.left.push(left(path, why_left(&looked)));
                }
            }
            continue;
        };
        match overwrite_one(disk, &place, &looked) {
            Ok(then) => {
                let line = format!("{}: a copy of an older {what}: {then}", path.display());
                done.erased.push(line);
                changed.extend(path.parent().map(Path::to_owned));
            }
            Err(source) => not_final(path, source),
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

/// The hashes of what was in force before, and of what is.
struct Known {
    bags: BTreeSet<[u8; 32]>,
    retired: BTreeSet<[u8; 32]>,
    ways: BTreeSet<[u8; 32]>,
}

impl Known {
    /// A copy of a bag may have any name; the copies of its slots tell its hash.
    fn of<'a>(held: &Held<'_>, found: impl Iterator<Item = &'a Looked>) -> Self {
        let settings = &held.bag().settings;
        let mut bags: BTreeSet<[u8; 32]> = held.ring().former_bag.into_iter().collect();
        for looked in found {
            if let Looked::Slots { bags: named, .. } = looked {
                bags.extend(named);
            }
        }
        Self {
            bags,
            retired: settings.retired.iter().map(|slot| slot.hash).collect(),
            ways: settings.ways.values().map(|way| way.hash).collect(),
        }
    }

    /// What it is a copy of, where that is to be overwritten.
    fn what(&self, place: &Place, looked: &Looked) -> Option<&'static str> {
        let is_named_like_one =
            || place.standing == Standing::Stranger && is_named_like_a_bag(&place.path);
        match looked {
            Looked::Slots { .. } => Some("root"),
            Looked::Age { slot, .. } if self.ways.contains(slot) => None,
            Looked::Age { hash, .. } if self.bags.contains(hash) || is_named_like_one() => {
                Some("bag")
            }
            Looked::Age { slot, .. } if self.retired.contains(slot) => Some("way in"),
            _ => None,
        }
    }
}

/// Whether the receipt has to name what was left. What is gone by now was another
/// process's to take away.
fn is_worth_a_word(place: &Place, looked: &io::Result<Looked>) -> bool {
    match (place.standing, looked) {
        // A name that is no text is not the one that was looked for.
        (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            place.path.to_string_lossy().contains('\u{FFFD}')
        }
        (Standing::Own, Ok(Looked::OtherName)) => true,
        (Standing::Own, _) => false,
        (Standing::Stranger | Standing::Empty, _) => true,
    }
}

/// Overwrites a copy; what was done with the file.
fn overwrite_one(
    disk: &dyn Disk,
    place: &Place,
    looked: &io::Result<Looked>,
) -> io::Result<&'static str> {
    match looked {
        Ok(Looked::Slots {
            at, is_all: false, ..
        }) => {
            let file = disk.open(&place.path, Access::Write)?;
            overwrite_slots(&*file, at, &mut |_| ()).map(|()| IN_PLACE)
        }
        _ if place.standing == Standing::Empty => empty(disk, &place.path).map(|()| EMPTIED),
        _ => disk::erase(disk, &place.path).map(|()| REMOVED),
    }
}

/// Overwrites all of a file that others may have open, and leaves it empty.
fn empty(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    disk::overwrite(disk, path)?;
    let file = disk.open(path, Access::Write)?;
    file.set_len(0)?;
    file.sync()
}

fn why_left(looked: &io::Result<Looked>) -> &'static str {
    match looked {
        Ok(Looked::Age { .. }) => {
            "it is an age file: if it is a copy of a way in, its key opens it as before"
        }
        Ok(Looked::OtherName) => "it is another name of a file of the vault, and no copy",
        Ok(Looked::NotLookedInto) | Err(_) => "it was not looked into, whatever it holds",
        Ok(Looked::Nothing | Looked::OtherSlots | Looked::Slots { .. }) => {
            "it was looked through for copies of the keys, and not for anything else"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

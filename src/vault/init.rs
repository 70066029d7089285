//! Makes a vault.
//!
//! Everything is written before the root gets its name; a vault is there from
//! the moment `root.a` or `root.b` is. What an interrupted `init` leaves is
//! marked as such and cleared away by the next one.

use std::io;
use std::path::Path;

use super::bag::Bag;
use super::disk;
use super::error::{Error, Result};
use super::file_system;
use super::keyring::KeyRing;
use super::keyslots;
use super::lock::{Gate, Lock};
use super::recover;
use super::root::{self, Copy, Handover, Position, RootFacts, generation_of_bag_file};
use super::rotation::Next;
use super::site::Site;
use super::{reserve, seen};
use crate::crypto::{
    BackupIdentity, CryptoError, InboxIdentity, MasterKey, Passphrase, SlotSecrets, VaultId,
    WorkFactor,
};

/// On which file systems a vault may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Placement {
    /// Not on a network or FUSE file system: overwriting and locks can't be
    /// relied on there.
    #[default]
    Local,
    /// Anywhere, at the owner's risk.
    Anywhere,
}

/// How a vault is made.
#[derive(Debug, Clone, Copy)]
pub struct InitOptions {
    /// On which file systems.
    pub placement: Placement,
    /// How much work a guess at the passphrase costs.
    pub work: WorkFactor,
}

impl Default for InitOptions {
    fn default() -> Self {
        Self {
            placement: Placement::default(),
            work: WorkFactor::STANDARD,
        }
    }
}

/// Says that what lies beside it is of an `init` that did not end.
const MARKER: &str = "init";
/// What a vault consists of, beside its root and its bags.
const PARTS: [&str; 3] = [keyslots::DIR, "inbox", "store.redb"];

/// Makes a vault with one way in. `furnish` makes what else belongs to it, such
/// as an empty store, before the vault is there for others to see.
///
/// # Errors
/// [`Error::CannotInit`] if there is a vault, or what is left of one, or if the
/// file system is not fit for it.
pub fn init(
    site: &Site,
    passphrase: &Passphrase,
    options: InitOptions,
    furnish: &mut dyn FnMut(&Lock) -> Result<()>,
) -> Result<KeyRing> {
    let (disk, dir) = (&*site.disk, site.dir.as_path());
    check_file_system(dir, options.placement)?;
    disk.create_dir(dir).map_err(Error::io("make", dir))?;
    disk.make_private(dir).map_err(Error::io("protect", dir))?;
    let lock = Lock::take(disk, dir)?;
    drop(Gate::close(disk, dir, &lock)?);
    make_room(site)?;

    let sealing = |error: CryptoError| Error::Seal {
        which: "the key slot".into(),
        why: error.to_string(),
    };
    let secrets = SlotSecrets {
        vault: VaultId::generate().map_err(sealing)?,
        master: MasterKey::generate().map_err(sealing)?,
        backup: BackupIdentity::generate(),
    };
    let slot = secrets.seal(passphrase, options.work).map_err(sealing)?;
    let SlotSecrets {
        vault,
        master,
        backup,
    } = secrets;
    keyslots::write_first(site, keyslots::PASSPHRASE, &slot)?;

    let bag = Bag::new();
    let nothing = RootFacts {
        vault,
        generation: 0,
        fingerprint: [0; 16],
        inbox: InboxIdentity::generate().public(),
        bag_hash: [0; 32],
    };
    let first = Next::make(nothing, &master, Handover::None, &bag)?;
    first.write_bag(disk, dir)?;
    reserve::keep(site, first.sealed.len() as u64).map_err(Error::io("write", dir))?;
    furnish(&lock)?;
    name_root(site, &first)?;
    seen::note(site, vault, first.facts.generation);
    Ok(KeyRing::fresh(site, master, backup, first.facts, bag))
}

fn check_file_system(dir: &Path, placement: Placement) -> Result<()> {
    match file_system::remote(dir) {
        Some(name) if placement == Placement::Local => Err(Error::CannotInit {
            dir: dir.to_owned(),
            why: format!(
                "it is on {name}, where neither locks nor overwriting can be relied on \
                 (--force makes it all the same)"
            ),
        }),
        _ => Ok(()),
    }
}

/// Refuses a vault or the remains of one; clears away those of an `init` that
/// was interrupted, and marks what follows as one.
fn make_room(site: &Site) -> Result<()> {
    let (disk, dir) = (&*site.disk, site.dir.as_path());
    let io = |action| Error::io(action, dir);
    let refuse = |why: &str| {
        Err(Error::CannotInit {
            dir: dir.to_owned(),
            why: why.to_owned(),
        })
    };
    if recover::exists(disk, dir).map_err(io("read"))? {
        return refuse("there is a vault already");
    }
    let names = disk.list(dir).map_err(io("read"))?;
    let is_part =
        |name: &String| generation_of_bag_file(name).is_some() || PARTS.contains(&name.as_str());
    let remains: Vec<_> = names.iter().filter(|name| is_part(name)).collect();
    if !names.iter().any(|name| name == MARKER) {
        if !remains.is_empty() {
            return refuse("it holds parts of a vault whose root is lost");
        }
        disk::write(disk, &site.path(MARKER), b"").map_err(io("write"))?;
        return disk.sync_dir(dir).map_err(io("sync"));
    }
    for name in remains {
        if generation_of_bag_file(name).is_some() {
            disk::erase(disk, &site.path(name)).map_err(io("clear"))?;
        }
    }
    let keys = site.path(keyslots::DIR);
    for name in disk
        .list(&keys)
        .or_else(none_if_missing)
        .map_err(io("read"))?
    {
        disk::erase(disk, &keys.join(name)).map_err(io("clear"))?;
    }
    disk.sync_dir(dir).map_err(io("sync"))
}

fn none_if_missing(error: io::Error) -> io::Result<Vec<String>> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(Vec::new())
    } else {
        Err(error)
    }
}

/// Writes both root files under other names, then gives them their own.
fn name_root(site: &Site, first: &Next) -> Result<()> {
    let (disk, dir) = (&*site.disk, site.dir.as_path());
    let unnamed = |copy: Copy| {
        copy.root_file(dir).with_extension(match copy {
            Copy::A => "a.new",
            Copy::B => "b.new",
        })
    };
    for copy in Copy::BOTH {
        let path = unnamed(copy);
        let written = root::make_file(disk, &path).and_then(|()| {
            let file = disk.open(&path, disk::Access::Write)?;
            let position = Position::of(copy, first.facts.generation);
            position.write_to(&*file, first.slot(copy))
        });
        written.map_err(Error::io("write", &path))?;
    }
    disk.sync_dir(dir).map_err(Error::io("sync", dir))?;
    for copy in Copy::BOTH {
        let path = copy.root_file(dir);
        disk.rename(&unnamed(copy), &path)
            .map_err(Error::io("name", &path))?;
    }
    // The marker must not go before the root has come.
    disk.sync_dir(dir).map_err(Error::io("sync", dir))?;
    clear_marker(site).map_err(Error::io("remove", &site.path(MARKER)))?;
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        // A new directory's own name lies in the one above.
        disk.sync_dir(parent).map_err(Error::io("sync", parent))?;
    }
    Ok(())
}

/// Takes away the mark of an interrupted `init` from a vault that is there:
/// should its root ever be lost, nothing of it may pass for such remains.
pub(super) fn clear_marker(site: &Site) -> io::Result<()> {
    match site.disk.unlink(&site.path(MARKER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => site.disk.sync_dir(&site.dir),
    }
}

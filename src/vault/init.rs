//! Makes a vault.
//!
//! Everything is written before the root gets its name; a vault is there from
//! the moment `root.a` or `root.b` is. What an interrupted `init` leaves is
//! marked as such and cleared away by the next one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Error, Result};
use super::ground::disk;
use super::ground::file_system;
use super::ground::lock::{Gate, Lock};
use super::ground::nocow;
use super::ground::site::Site;
use super::inbox;
use super::keys::bag::{Bag, Way, WayKind};
use super::keys::keyring::KeyRing;
use super::keys::keyslots;
use super::keys::recover;
use super::keys::reserve;
use super::keys::root::{self, Copy, Handover, Position, RootFacts, generation_of_bag_file};
use super::keys::rotation::Next;
use super::keys::seen;
use super::keys::ways::Sealed;
use crate::crypto::{
    Asker, BackupIdentity, CryptoError, InboxIdentity, MasterKey, Nobody, Passphrase, Recipient,
    SlotSecrets, VaultId, WayKey, WorkFactor,
};
use crate::recording::Moment;
use crate::retention::Trust;

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

/// The ways into a new vault.
pub struct FirstWays<'a> {
    /// A passphrase.
    pub passphrase: &'a Passphrase,
    /// The public half of a recovery key.
    pub recovery: Option<&'a Recipient>,
    /// The time it is, milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
}

impl<'a> FirstWays<'a> {
    /// A passphrase alone, at no time that matters.
    #[must_use]
    pub fn of(passphrase: &'a Passphrase) -> Self {
        Self {
            passphrase,
            recovery: None,
            now_ms: 0,
        }
    }

    fn seal(&self, secrets: &SlotSecrets, work: WorkFactor) -> Result<Vec<Sealed>, CryptoError> {
        let slot = |name: &str, kind, recipient: Option<&Recipient>, bytes: Vec<u8>| Sealed {
            name: name.to_owned(),
            way: Way {
                kind,
                recipient: recipient.map(ToString::to_string),
                made_at_ms: self.now_ms,
                hash: keyslots::hash(&bytes),
            },
            bytes,
        };
        let bytes = secrets.seal(self.passphrase, work)?;
        let mut slots = vec![slot(keyslots::PASSPHRASE, WayKind::Passphrase, None, bytes)];
        if let Some(recovery) = self.recovery {
            let nobody: Arc<dyn Asker> = Arc::new(Nobody);
            let bytes = secrets.seal_for(&WayKey::Recipient(recovery, &nobody))?;
            slots.push(slot(
                keyslots::RECOVERY,
                WayKind::Recovery,
                Some(recovery),
                bytes,
            ));
        }
        Ok(slots)
    }
}

/// Says that what lies beside it is of an `init` that did not end.
const MARKER: &str = "init";
/// What a vault consists of, beside its root and its bags.
const PARTS: [&str; 3] = [keyslots::DIR, inbox::DIR, "store.redb"];
/// What an interrupted `init` can leave beside those.
const BESIDE: [&str; 5] = [
    MARKER,
    "root.a.new",
    "root.b.new",
    "store.redb.new",
    "reserve",
];
/// What is nobody's content: the locks, and what ext4 puts into every file system.
const FREE: [&str; 3] = ["lock", "gate", "lost+found"];

/// Makes a vault with these ways in. `furnish` makes what else belongs to it, such
/// as an empty store, before the vault is there for others to see.
///
/// # Errors
/// [`Error::CannotInit`] if there is a vault, or what is left of one, or if the
/// file system is not fit for it.
pub fn init(
    site: &Site,
    ways: &FirstWays<'_>,
    options: InitOptions,
    furnish: &mut dyn FnMut(&Lock) -> Result<()>,
) -> Result<KeyRing> {
    let (disk, dir) = (&*site.disk, site.dir.as_path());
    check_file_system(dir, options.placement)?;
    // Before anything of it is changed: it may be somebody's own directory.
    check_room(site)?;
    let made = missing(site)?;
    disk.create_dir(dir).map_err(Error::io("make", dir))?;
    keep_names(site, &made)?;
    // Before any file is made: they take it over from the directory.
    let _ = nocow::ask(dir);
    let lock = Lock::take(disk, dir)?;
    drop(Gate::close(disk, dir, &lock)?);
    make_room(site)?;
    disk.make_private(dir).map_err(Error::io("protect", dir))?;
    let inbox = site.path(inbox::DIR);
    disk.create_dir(&inbox).map_err(Error::io("make", &inbox))?;

    let sealing = |error: CryptoError| Error::Seal {
        which: "the key slot".into(),
        why: error.to_string(),
    };
    let mut bag = Bag::new().map_err(|error| Error::Seal {
        which: "the bag".into(),
        why: error.to_string(),
    })?;
    // A clock that can't be right dates nothing; the vault goes on from the earliest that can.
    let clock = site.clock.now();
    let earliest_ms = site.clock.earliest_ms();
    let unix_ms = clock.unix_ms.max(earliest_ms);
    bag.settings
        .see(Moment { unix_ms, ..clock }, Trust::Confirmed);
    let secrets = SlotSecrets {
        vault: VaultId::generate().map_err(sealing)?,
        master: MasterKey::generate().map_err(sealing)?,
        backup: BackupIdentity::generate(),
        former: Vec::new(),
        signer: bag.signing.public(),
    };
    let slots = ways.seal(&secrets, options.work).map_err(sealing)?;
    let SlotSecrets {
        vault,
        master,
        backup,
        ..
    } = secrets;
    keyslots::write_first(site, &slots)?;
    let known = slots.into_iter().map(|slot| (slot.name, slot.way));
    bag.settings.ways.extend(known);

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

/// The names in the directory, if a vault may be made there: it is empty, or holds
/// nothing but what an interrupted `init` left.
fn check_room(site: &Site) -> Result<Vec<String>> {
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
    let names = disk
        .list(dir)
        .or_else(none_if_missing)
        .map_err(io("read"))?;
    if !is_marked(&names) && names.iter().any(|name| is_part(name)) {
        return refuse("it holds parts of a vault whose root is lost");
    }
    let is_ours = |name: &str| match is_marked(&names) {
        true => is_part(name) || BESIDE.contains(&name),
        false => false,
    };
    match names
        .iter()
        .find(|name| !FREE.contains(&name.as_str()) && !is_ours(name))
    {
        Some(name) => refuse(&format!("it is not empty: it holds {name:?}")),
        None => Ok(names),
    }
}

fn is_marked(names: &[String]) -> bool {
    names.iter().any(|name| name == MARKER)
}

fn is_part(name: &str) -> bool {
    generation_of_bag_file(name).is_some() || PARTS.contains(&name)
}

/// Clears away what an interrupted `init` left, and marks what follows as one.
fn make_room(site: &Site) -> Result<()> {
    let (disk, dir) = (&*site.disk, site.dir.as_path());
    let io = |action| Error::io(action, dir);
    let names = check_room(site)?;
    if !is_marked(&names) {
        disk::write(disk, &site.path(MARKER), b"").map_err(io("write"))?;
        return disk.sync_dir(dir).map_err(io("sync"));
    }
    for name in &names {
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
    clear_marker(site).map_err(Error::io("remove", &site.path(MARKER)))
}

/// The vault's directory, and those above it that are not there yet.
fn missing(site: &Site) -> Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    for path in names_of(&site.dir) {
        if site.disk.exists(path).map_err(Error::io("read", path))? {
            break;
        }
        missing.push(path.to_owned());
    }
    Ok(missing)
}

/// Makes the names of directories durable, before there is a vault that power could
/// take away with them. An `init` that is begun again does not know which of them an
/// earlier one made, and so tries those that were there as well; the vault's own counts.
fn keep_names(site: &Site, made: &[PathBuf]) -> Result<()> {
    for path in names_of(&site.dir) {
        // A directory's own name lies in the one above.
        let Some(above) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) else {
            continue;
        };
        match site.disk.sync_dir(above) {
            Err(error) if path == site.dir || made.iter().any(|made| made == path) => {
                return Err(Error::io("sync", above)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The directory and those above it, from the inside out.
fn names_of(dir: &Path) -> impl Iterator<Item = &Path> {
    dir.ancestors().filter(|path| !path.as_os_str().is_empty())
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

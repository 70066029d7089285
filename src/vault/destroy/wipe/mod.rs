//! Destroys the whole vault, without a key: the panic button.
//!
//! What kills most goes first. Once both root files are overwritten no bag opens any
//! more, and with it no recording, merged or waiting; bags, key slots and inbox come
//! next, then the store, which is sealed bytes without a key by then. The first bytes
//! of all files with keys go before the rest of any, however long one is. Copies of the
//! keys under names that are not the vault's go with them: see `copies`. Whatever state
//! the vault is in, and whoever holds its locks: nothing here asks for a key, a
//! version or a whole file, and links are removed, never followed.
//!
//! Other processes are waited for shortly, and then gone over: what one of them
//! writes back is looked for and destroyed until nothing comes any more.

mod copies;
mod parts;
mod wiping;

use std::path::Path;
use std::time::Duration;

use self::copies::{Known, MOST_BYTES, SOON_BYTES, is_empty_file, strangers};
use self::parts::{Found, Part, Target, find};
use self::wiping::Wiping;
use super::reach;
use super::receipt::{NotErased, Receipt};
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::Disk;
use crate::vault::ground::lock::{GATE_FILE, Gate, LOCK_FILE, Lock};
use crate::vault::ground::site::Site;
use crate::vault::inbox;
use crate::vault::keys::keyslots;
use crate::vault::keys::seen;
use crate::vault::restore::RESTORING_FILE;

/// How long others are waited for before they are gone over.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a look lasts at what they write back, and how many looks there are.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: usize = 25;

/// The files that hold nothing, in the order in which they go.
const EMPTY: [&str; 4] = ["init", RESTORING_FILE, GATE_FILE, LOCK_FILE];

/// Looks for a vault in the directory, or what is left of one, however damaged.
///
/// # Errors
/// [`Error::NoVault`] if none is there, [`Error::Io`] if that may not be looked at.
pub fn require(dir: &Path) -> Result<()> {
    find_vault(&crate::vault::disk::RealDisk, dir).map(drop)
}

fn find_vault(disk: &dyn Disk, dir: &Path) -> Result<Found> {
    let found = find(disk, dir);
    match (is_vault(disk, dir, &found), found.denied) {
        (true, _) => Ok(Found {
            denied: None,
            ..found
        }),
        (false, Some(error)) => Err(Error::io("look into", dir)(error)),
        (false, None) => Err(Error::NoVault {
            dir: dir.to_owned(),
        }),
    }
}

/// Whether what was found is a vault's. Others have files in `keys` and `inbox` as
/// well: these count beside a root, a bag or a store, or beside both locks, which a
/// wipe that was cut short has left to the last. So do root slots under other names.
fn is_vault(disk: &dyn Disk, dir: &Path, found: &Found) -> bool {
    let alone = |part: &Part| matches!(part, Part::Root | Part::Bag | Part::Store);
    let locks = || {
        [LOCK_FILE, GATE_FILE]
            .iter()
            .all(|name| is_empty_file(disk, &dir.join(name)))
    };
    let nothing = found.files.is_empty() && found.closed.is_empty();
    let slots = || {
        let mut known = Known::default();
        let found = strangers(disk, dir, &mut known, MOST_BYTES);
        found.iter().any(|one| one.may_be_root(&known))
    };
    found.files.iter().any(|(part, _)| alone(part)) || (locks() && (!nothing || slots()))
}

/// Destroys everything in the vault's directory. `progress` hears of bytes
/// overwritten and bytes in all. What could not be destroyed is in the receipt, and
/// then so is why in [`Receipt::not_final`].
///
/// # Errors
/// [`Error::NoVault`] if it is no vault's directory, [`Error::Io`] if that may not be
/// looked at.
pub fn wipe(site: &Site, progress: &mut dyn FnMut(u64, u64)) -> Result<Receipt> {
    let (disk, dir) = (&*site.disk, site.dir.as_path());
    let found = find_vault(disk, dir)?;
    for (_, folder, _) in &found.closed {
        // It may be no more than a right that its owner took from himself.
        let _ = disk.make_private(folder);
    }
    let mut known = Known::default();
    let mut wiping = Wiping::new(disk, progress);
    let mut others = Others::wait(disk, dir, PATIENCE);
    for look in 0..LOOKS {
        known.learn(disk, dir);
        // Once, and when what kills is done.
        let most_bytes = if look == 1 { MOST_BYTES } else { SOON_BYTES };
        let copies = strangers(disk, dir, &mut known, most_bytes);
        let copies = copies.iter().filter_map(|one| one.target());
        let mut todo: Vec<Target> = copies.chain(find(disk, dir).targets()).collect();
        todo.retain(|target| !wiping.failed.contains_key(&target.path));
        todo.sort();
        if !todo.is_empty() {
            wiping.destroy(site, &todo);
        } else if look > 0 && others.is_some() {
            break;
        } else {
            others = others.or_else(|| Others::wait(disk, dir, LOOK));
        }
    }
    if let Some(id) = known.vault() {
        seen::forget(site, id);
    }
    let left = strangers(disk, dir, &mut known, MOST_BYTES);
    wiping.note_what_stays(find(disk, dir), left.iter().filter_map(|one| one.target()));
    let mut receipt = wiping.receipt(dir);
    let all_gone = wiping.failed.is_empty();
    // Asked while the directory is there: without it its file system is not known.
    let out_of_reach = reach::of(dir, "older generations of the keys");
    if all_gone {
        tidy(disk, dir);
    }
    if others.is_none() {
        let last_look = match all_gone {
            true => "nothing was there at the last look, but ",
            false => "",
        };
        receipt.not_erased.push(NotErased {
            what: "what another process may write back".into(),
            where_: dir.display().to_string(),
            why: format!(
                "it held a lock of the vault to the end; {last_look}end it, and run this again"
            ),
        });
    }
    let lines = left.iter().filter(|one| one.target().is_none());
    receipt
        .not_erased
        .extend(lines.filter_map(|one| one.line(disk, &known, &wiping.within)));
    if let Some(one) = left.iter().find(|one| one.may_be_root(&known)) {
        let why = format!(
            "the vault in {} may still open: {} holds root slots, and whose they are can't be told",
            dir.display(),
            one.path().display()
        );
        // Whatever else could not be overwritten: that alone might have been the end of it.
        receipt.not_final = Some(why);
    }
    receipt.not_erased.extend(out_of_reach);
    Ok(receipt)
}

/// Both locks, once nobody else has them.
struct Others {
    _lock: Lock,
    _gate: Gate,
}

impl Others {
    fn wait(disk: &dyn Disk, dir: &Path, patience: Duration) -> Option<Self> {
        let lock = Lock::take_within(disk, dir, patience).ok()?;
        let gate = Gate::close_within(disk, dir, &lock, patience).ok()?;
        Some(Self {
            _lock: lock,
            _gate: gate,
        })
    }
}

/// Removes what holds nothing: the locks, the folders, and the directory itself if
/// nobody else put anything into it. What can't be removed does no harm.
fn tidy(disk: &dyn Disk, dir: &Path) {
    for path in EMPTY.map(|name| dir.join(name)) {
        if is_empty_file(disk, &path) {
            let _ = disk.unlink(&path);
        }
    }
    let _ = disk.sync_dir(dir);
    // Not files, so no disk of a test has to know how: these are empty or stay.
    for folder in [keyslots::DIR, inbox::DIR, ""] {
        let _ = std::fs::remove_dir(dir.join(folder));
    }
    if let Some(parent) = dir.parent() {
        let _ = disk.sync_dir(parent);
    }
}

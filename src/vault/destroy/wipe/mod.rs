//! Destroys the whole vault, without a key: the panic button.
//!
//! What kills most goes first. Once both root files are overwritten no bag opens any
//! more, and with it no recording, merged or waiting; bags, key slots and inbox come
//! next, then the store, which is sealed bytes without a key by then. The first bytes
//! of all files with keys go before the rest of any, however long one is. Whatever state
//! the vault is in, and whoever holds its locks: nothing here asks for a key, a
//! version or a whole file, and links are removed, never followed.
//!
//! Other processes are waited for shortly, and then gone over: what one of them
//! writes back is looked for and destroyed until nothing comes any more.

mod parts;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::parts::{Found, Part, ROOT_BYTES, find, is_link, is_ours};
use super::reach;
use super::receipt::{NotErased, Receipt};
use crate::crypto::fill_noise;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, Disk, DiskFile};
use crate::vault::ground::lock::{GATE_FILE, Gate, LOCK_FILE, Lock};
use crate::vault::ground::site::Site;
use crate::vault::inbox;
use crate::vault::keys::keyslots;
use crate::vault::keys::recover::Survey;
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
/// wipe that was cut short has left to the last.
fn is_vault(disk: &dyn Disk, dir: &Path, found: &Found) -> bool {
    let alone = |part: &Part| matches!(part, Part::Root | Part::Bag | Part::Store);
    let locks = || {
        [LOCK_FILE, GATE_FILE]
            .iter()
            .all(|name| is_empty_file(disk, &dir.join(name)))
    };
    let nothing = found.files.is_empty() && found.closed.is_empty();
    found.files.iter().any(|(part, _)| alone(part)) || (!nothing && locks())
}

/// Whether it is a regular file that holds nothing, as `init` and the locks are.
fn is_empty_file(disk: &dyn Disk, path: &Path) -> bool {
    let opened = disk.open(path, Access::Read);
    opened.and_then(|file| file.is_empty()).unwrap_or(false)
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
    let id = Survey::read(disk, dir).ok().and_then(|survey| {
        let (_, slot) = survey.whole().next()?;
        Some(slot.facts().vault)
    });
    let mut wiping = Wiping {
        disk,
        bytes: 0,
        done: 0,
        erased: BTreeMap::new(),
        failed: BTreeMap::new(),
        links: Vec::new(),
        behind: Vec::new(),
        progress,
    };
    let mut others = Others::wait(disk, dir, PATIENCE);
    for _ in 0..LOOKS {
        let found = find(disk, dir);
        let new = |(_, path): &(Part, PathBuf)| !wiping.failed.contains_key(path);
        let todo: Vec<_> = found.files.into_iter().filter(new).collect();
        if !todo.is_empty() {
            wiping.destroy(site, &todo);
        } else if others.is_some() {
            break;
        } else {
            others = Others::wait(disk, dir, LOOK);
        }
    }
    if let Some(id) = id {
        seen::forget(site, id);
    }
    wiping.note_what_stays(find(disk, dir));
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
    receipt.not_erased.extend(strangers(disk, dir));
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

struct Wiping<'a> {
    disk: &'a dyn Disk,
    bytes: u64,
    done: u64,
    /// How many files of a part, and how many bytes.
    erased: BTreeMap<Part, (u64, u64)>,
    failed: BTreeMap<PathBuf, (Part, String)>,
    /// Links that were removed, and where they led.
    links: Vec<(PathBuf, PathBuf)>,
    /// Files that were longer than any of a vault, and by how many bytes.
    behind: Vec<(PathBuf, u64)>,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl Wiping<'_> {
    fn destroy(&mut self, site: &Site, todo: &[(Part, PathBuf)]) {
        let length = |path: &Path| self.disk.open(path, Access::Read)?.len();
        let sized = todo.iter().map(|(part, path)| {
            let bytes = length(path).unwrap_or(0).min(part.most_bytes());
            (*part, path, bytes)
        });
        let (keys, mut rest): (Vec<_>, Vec<_>) = sized.partition(|(part, ..)| part.is_key());
        // The shortest first: one without end waits until all else is gone.
        rest.sort_by_key(|(_, _, bytes)| *bytes);
        let first = keys.iter().map(|(_, _, bytes)| ROOT_BYTES.min(*bytes));
        let all = keys.iter().chain(&rest).map(|(_, _, bytes)| *bytes);
        self.bytes = first.chain(all).fold(self.bytes, u64::saturating_add);
        (self.progress)(self.done, self.bytes);
        for (_, path, bytes) in &keys {
            // What opens anything, of all of them. It is done once more with the whole
            // file below, where what fails is noted.
            let _ = self
                .open(path)
                .and_then(|file| self.overwrite(&*file, ROOT_BYTES.min(*bytes)));
        }
        for (part, path, _) in keys.iter().chain(&rest) {
            let mut erased = self.erase(*part, path);
            if erased
                .as_ref()
                .is_err_and(|error| error.kind() == io::ErrorKind::StorageFull)
            {
                // A file system that writes elsewhere needs room to overwrite.
                let _ = self.disk.unlink(&site.path("reserve"));
                erased = self.erase(*part, path);
            }
            match erased {
                Ok(Some(bytes)) => {
                    let (files, all) = self.erased.entry(*part).or_default();
                    *files += 1;
                    *all += bytes;
                }
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    self.failed
                        .insert((*path).clone(), (*part, error.to_string()));
                }
            }
        }
        for dir in [
            site.dir.clone(),
            site.path(keyslots::DIR),
            site.path(inbox::DIR),
        ] {
            let _ = self.disk.sync_dir(&dir);
        }
    }

    /// Overwrites a file and removes its name; how many bytes it had. Of a link only
    /// the name is removed.
    fn erase(&mut self, part: Part, path: &Path) -> io::Result<Option<u64>> {
        if is_link(path) {
            let to = std::fs::read_link(path)?;
            self.disk.unlink(path)?;
            self.links.push((path.to_owned(), to));
            return Ok(None);
        }
        let file = self.open(path)?;
        let length = file.len()?;
        let bytes = length.min(part.most_bytes());
        self.overwrite(&*file, bytes)?;
        self.disk.unlink(path)?;
        if length > bytes {
            self.behind.push((path.to_owned(), length - bytes));
        }
        Ok(Some(bytes))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        match self.disk.open(path, Access::Write) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.disk.make_private(path)?;
                self.disk.open(path, Access::Write)
            }
            answer => answer,
        }
    }

    /// Goes on behind what can't be written: any lost part of a root slot kills it.
    fn overwrite(&mut self, file: &dyn DiskFile, bytes: u64) -> io::Result<()> {
        const PIECE: u64 = 256 * 1024;
        let mut noise = vec![0; PIECE.min(bytes) as usize];
        fill_noise(&mut noise).map_err(io::Error::other)?;
        let mut written = Ok(());
        let mut at = 0;
        while at < bytes {
            let piece = PIECE.min(bytes - at);
            let put = file.write_at(at, &noise[..piece as usize]);
            written = written.and(put);
            at += piece;
            self.done += piece;
            (self.progress)(self.done, self.bytes.max(self.done));
        }
        written.and(file.sync())
    }

    /// What is there in the end though nothing failed: it came back faster than it
    /// was destroyed, or lies where it can't be seen.
    fn note_what_stays(&mut self, left: Found) {
        let back = left.files.into_iter().map(|(part, path)| {
            let why = "another process put it back to the end".to_owned();
            (part, path, why)
        });
        for (part, path, why) in back.chain(left.closed) {
            self.failed.entry(path).or_insert((part, why));
        }
    }

    fn receipt(&self, dir: &Path) -> Receipt {
        let erased = self.erased.iter().map(|(part, (files, bytes))| {
            format!(
                "{files} {}: {bytes} bytes, overwritten and removed",
                part.name()
            )
        });
        let links = self.links.iter().map(|(path, to)| NotErased {
            what: "what a symbolic link led to".into(),
            where_: path.display().to_string(),
            why: format!(
                "links are not followed; the link was removed, it led to {}",
                to.display()
            ),
        });
        let behind = self.behind.iter().map(|(path, bytes)| NotErased {
            what: format!("{bytes} bytes behind the end of what a vault reads"),
            where_: path.display().to_string(),
            why: "they are no part of it; they were removed with the name, not overwritten".into(),
        });
        let failed = self.failed.iter().map(|(path, (part, why))| NotErased {
            what: format!("some of the {}", part.name()),
            where_: path.display().to_string(),
            why: why.clone(),
        });
        Receipt {
            shredded: Vec::new(),
            erased: erased.collect(),
            not_erased: failed.chain(links).chain(behind).collect(),
            backups_still_holding: Vec::new(),
            not_final: self.why_not_final(dir),
        }
    }

    /// A recording needs a root slot, a bag and a key slot to be opened: without all
    /// files of one of these kinds, what is left of the others opens nothing.
    fn why_not_final(&self, dir: &Path) -> Option<String> {
        let (path, (_, why)) = self.failed.iter().next()?;
        let some_left = |part| self.failed.values().any(|(failed, _)| *failed == part);
        let opens = [Part::Root, Part::Bag, Part::KeySlot]
            .into_iter()
            .all(some_left);
        let what = match opens {
            true => format!("the vault in {} may still open", dir.display()),
            false => "no recording opens any more, but not all could be overwritten".to_owned(),
        };
        Some(format!("{what}: {}: {why}", path.display()))
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

/// What lies there and is not the vault's.
fn strangers(disk: &dyn Disk, dir: &Path) -> Vec<NotErased> {
    let is_own = |name: &str| {
        [keyslots::DIR, inbox::DIR].contains(&name)
            || (EMPTY.contains(&name) && is_empty_file(disk, &dir.join(name)))
    };
    let names = |folder: &str| disk.list(&dir.join(folder)).unwrap_or_default();
    let top = names("").into_iter();
    let top = top.filter(|name| Part::of(name).is_none() && !is_own(name));
    let inside = [(keyslots::DIR, Part::KeySlot), (inbox::DIR, Part::Inbox)];
    let inside = inside
        .into_iter()
        .filter(|(folder, _)| !is_link(&dir.join(folder)))
        .flat_map(|(folder, part)| {
            let others = names(folder)
                .into_iter()
                .filter(move |name| !is_ours(part, name));
            others.map(move |name| format!("{folder}/{name}"))
        });
    top.chain(inside)
        .map(|name| NotErased {
            what: "a file that is not the vault's".into(),
            where_: dir.join(name).display().to_string(),
            why: "it was left alone".into(),
        })
        .collect()
}

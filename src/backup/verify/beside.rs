//! Looks at the copies of the ways in that lie beside the segments. Where a machine is
//! lost, only they let its passphrase open the backup.
//!
//! A vault knows the hash of each of its ways in, and of those that it had before: a copy
//! of one is whole, or of before, or damaged. Without the vault only the form of a copy
//! shows. Whether a key opens one is not tried here.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::slice;

use super::{Damage, Kind, Known, Opener, Own};
use crate::backup::error::{Error, Result};
use crate::backup::layout::{Found, MOST_SLOT_BYTES, slot_name};
use crate::backup::manifest::Manifest;
use crate::backup::plain;
use crate::backup::read::{Keys, Source, places};
use crate::backup::segment;
use crate::backup::written::Hash;
use crate::crypto::{BackupIdentity, SlotSecrets};

/// What was found beside the segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// What is not as it was written.
    pub damage: Vec<Damage>,
    /// What its owner should know and is no damage.
    pub notes: Vec<String>,
}

/// Looks at the copies of the ways in of a folder. A segment alone has none.
///
/// # Errors
/// If there is no backup, or the folder can't be read.
pub fn beside(at: &Path, opener: Opener<'_>, known: Known<'_>) -> Result<Beside> {
    look(&Source::find(at)?, opener, known)
}

pub(super) fn look(source: &Source, opener: Opener<'_>, known: Known<'_>) -> Result<Beside> {
    let mut beside = Beside::default();
    let Some(dir) = source.dir() else {
        return Ok(beside);
    };
    let copies = copies(dir)?;
    let newest = newest(source, opener, known)?;
    let own = known.own.zip(newest.as_ref());
    match own.filter(|(own, newest)| own.vault == newest.vault) {
        Some((own, newest)) => beside.compare(&copies, source, own, newest),
        None => beside.look_from_outside(&copies, dir, known.opened),
    }
    Ok(beside)
}

/// What lies in the place of a copy, or why it can't be read.
type Copy = Result<Vec<u8>, Error>;

/// The copies, by the names of their ways in.
fn copies(dir: &Path) -> Result<BTreeMap<String, Copy>> {
    let mut copies = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let entry = entry.map_err(Error::io("list", dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Found::Slot(slot) = Found::parse(&name) {
            copies.insert(slot, read(&name, &entry.path()));
        }
    }
    Ok(copies)
}

fn read(name: &str, path: &Path) -> Copy {
    let mut sealed = Vec::new();
    let file = plain::open(name, path)?;
    // One more, so that what is longer is not taken for what it begins with.
    let read = file.take(MOST_SLOT_BYTES + 1).read_to_end(&mut sealed);
    read.map_err(Error::io("read", path))?;
    Ok(sealed)
}

/// The manifest of the newest segment that can be read and is believed.
fn newest(source: &Source, opener: Opener<'_>, known: Known<'_>) -> Result<Option<Manifest>> {
    let keys = match opener {
        Opener::Vault(identities) => Keys::of_backups(identities),
        Opener::Given(identities) => Keys::given(identities)?,
    };
    let newest_first = source.segments().iter().rev();
    let read = newest_first.filter_map(|file| places::manifest(file, &keys).ok());
    let mut believed = read.filter(|signed| known.trust.accepts(signed).is_ok());
    Ok(believed.next().map(|signed| signed.manifest))
}

/// How many times the master key was replaced since the newest segment was sealed: a
/// slot of before that opens none of what came later. `None` where no segment opens.
fn age(source: &Source, identities: &[BackupIdentity]) -> Option<usize> {
    source.segments().iter().rev().find_map(|file| {
        identities.iter().position(|identity| {
            let keys = Keys::of_backups(slice::from_ref(identity));
            let opened = plain::open(&file.which, &file.path);
            let opened = opened.and_then(|opened| segment::open(&file.which, opened, keys.each()));
            opened.is_ok()
        })
    })
}

/// How many times the master key was replaced, at least, since this was the slot of a way
/// in; `None` if it never was.
fn slot_age(own: &Own, name: &str, hash: Hash) -> Option<usize> {
    let retired = own.settings.retired.iter();
    let of_name: Vec<_> = retired.filter(|one| one.name == name).collect();
    let at = of_name.iter().rposition(|one| one.hash == hash.0)?;
    Some(of_name.len() - at)
}

impl Beside {
    fn damaged(&mut self, kind: Kind, slot: &str, what: impl ToString) {
        let damage = Damage::new(kind, slot_name(slot), what);
        self.damage.push(damage);
    }

    fn note(&mut self, slot: &str, what: &str) {
        self.notes.push(format!("{}: {what}", slot_name(slot)));
    }

    /// Compares the copies with the ways into the vault whose backup it is.
    fn compare(
        &mut self,
        copies: &BTreeMap<String, Copy>,
        source: &Source,
        own: &Own,
        newest: &Manifest,
    ) {
        let mut backups = own.settings.backups.iter();
        let backup = backups.find(|one| one.id == newest.backup.0);
        for (name, way) in &own.settings.ways {
            let sealed = match copies.get(name) {
                Some(Ok(sealed)) => sealed,
                Some(Err(why)) => {
                    self.damaged(Kind::Altered, name, why);
                    continue;
                }
                // Each run writes those that there are then.
                None if backup.is_some_and(|backup| !backup.slots.contains(name)) => {
                    let what = "this way in was added since; the next backup copies it";
                    self.note(name, what);
                    continue;
                }
                None => {
                    let what = "this way in has no copy; the next backup writes it";
                    self.damaged(Kind::Missing, name, what);
                    continue;
                }
            };
            let hash = Hash::of(sealed);
            if hash.0 == way.hash {
                continue;
            }
            match (slot_age(own, name, hash), age(source, &own.identities)) {
                (Some(slot), Some(segment)) if slot > segment => {
                    let what = "it is older than the newest segment, and does not open it; the \
                                next backup replaces it";
                    self.damaged(Kind::RolledBack, name, what);
                }
                (Some(_), _) => {
                    let what = "the ways in were changed since; it opens with what opened the \
                                vault before, until the next backup replaces it";
                    self.note(name, what);
                }
                (None, _) => {
                    let what = "it is no copy of this way in; the next backup writes it anew";
                    self.damaged(Kind::Altered, name, what);
                }
            }
        }
        let is_strange = |name: &&String| !own.settings.ways.contains_key(*name);
        for name in copies.keys().filter(is_strange) {
            self.note(name, "it is no way into this vault now");
        }
    }

    /// Looks at what shows without the vault.
    fn look_from_outside(
        &mut self,
        copies: &BTreeMap<String, Copy>,
        dir: &Path,
        opened: Option<&str>,
    ) {
        if copies.is_empty() {
            let what = "no copy of a way in is there: the passphrase does not open it";
            let damage = Damage::new(Kind::Missing, dir.display(), what);
            self.damage.push(damage);
        }
        let mut unopened = Vec::new();
        for (name, copy) in copies {
            match copy.as_ref().map(|sealed| SlotSecrets::look(sealed)) {
                Ok(Ok(())) if opened == Some(&slot_name(name)) => {}
                Ok(Ok(())) => unopened.push(slot_name(name)),
                Ok(Err(why)) => self.damaged(Kind::Altered, name, why),
                Err(why) => self.damaged(Kind::Altered, name, why),
            }
        }
        if !unopened.is_empty() {
            self.notes.push(format!(
                "{}: only the form of this copy of a way in was checked, not whether it opens",
                unopened.join(", ")
            ));
        }
    }
}

//! Which root slot to believe, once the master key can be asked, and what an
//! interrupted rotation still owes.
//!
//! A lower generation is overwritten only after the MAC and the bag of the
//! higher one have been verified; nothing that claims to be newer is touched.

use std::cmp::Reverse;
use std::io;
use std::path::{Path, PathBuf};

use super::bag::Bag;
use super::recover::Survey;
use super::reserve;
use super::root::{Copy, NoSlot, Position, RootFacts, RootSlot, generation_of_bag_file};
use super::settle;
use crate::crypto::{CryptoError, MasterKey, VaultId};
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk;
use crate::vault::ground::lock::Lock;
use crate::vault::ground::site::Site;
use crate::vault::init;
use crate::vault::notice::Notice;

/// What the master key says about the root.
pub(in crate::vault) enum Verdict {
    /// This is in force.
    InForce(RootFacts, Box<Bag>),
    /// This master key handed over to another one.
    Replaced,
    /// No slot was made with this master key.
    Strange,
}

fn unsealed(error: CryptoError) -> Error {
    Error::damaged("the root", error)
}

/// The highest generation whose MAC this master key made and whose bag opens.
pub(in crate::vault) fn judge(
    site: &Site,
    survey: &Survey,
    master: &MasterKey,
    vault: VaultId,
) -> Result<Verdict> {
    let mut ours: Vec<&RootSlot> = Vec::new();
    let mut successor = 0;
    for (_, slot) in survey
        .whole()
        .filter(|(_, slot)| slot.facts().vault == vault)
    {
        if slot.verify(master).map_err(unsealed)? {
            ours.push(slot);
        } else if slot.follows(master).map_err(unsealed)? {
            successor = successor.max(slot.facts().generation);
        }
    }
    ours.sort_by_key(|slot| Reverse(slot.facts().generation));
    match ours.first() {
        // The handover is authentic: it was the commit of a new passphrase.
        newest if newest.map_or(0, |slot| slot.facts().generation) < successor => {
            return Ok(Verdict::Replaced);
        }
        None => return Ok(Verdict::Strange),
        Some(_) => {}
    }
    for slot in ours {
        let facts = slot.facts();
        let key = slot.bag_key(master).map_err(unsealed)?;
        for copy in survey.bags_of(facts) {
            let bytes = disk::read(&*site.disk, &copy.bag_file(&site.dir, facts.generation));
            if let Ok(Ok(bag)) = bytes.map(|bytes| Bag::open(&key, &bytes)) {
                return Ok(Verdict::InForce(facts.clone(), Box::new(bag)));
            }
        }
    }
    Err(Error::damaged(
        site.dir.display(),
        "both copies of the bag are missing or damaged",
    ))
}

/// Brings to its end what was interrupted, now that the generation in force is
/// known for sure: first everything that doubles it, then everything that
/// overwrites what it replaced.
pub(in crate::vault) fn put_in_order(
    site: &Site,
    _lock: &Lock,
    survey: &Survey,
    master: &MasterKey,
    facts: &RootFacts,
    bag: &Bag,
) -> Result<Vec<Notice>> {
    let (disk, dir) = (&*site.disk, site.dir.as_path());
    let mut notices = rivals(survey, master, facts, dir)?;
    if notices
        .iter()
        .any(|notice| matches!(notice, Notice::FellBack { .. }))
    {
        // Never mend from a lower generation: the next rotation replaces both.
        return Ok(notices);
    }
    notices.extend(survey.mend_bags(disk, dir, facts));
    let authentic = |slot: &RootSlot| slot.verify(master).is_ok_and(|ours| ours);
    notices.extend(survey.mend_slots(disk, dir, facts, &authentic));
    let obsolete = obsolete(survey, facts);
    let strays = stray_bags(site, survey, facts)?;
    if !obsolete.is_empty() || !strays.is_empty() {
        // A killed process may have left the new generation in the page cache
        // only; overwriting the old one must not get to the disk before it.
        if let Err((path, error)) = make_durable(site, facts) {
            notices.push(Notice::not_done(&error, path));
            return Ok(notices);
        }
    }
    let mut not_done = |done: io::Result<()>, path| {
        if let Err(error) = done {
            notices.push(Notice::not_done(&error, path));
        }
    };
    let mut without_one = Vec::new();
    for position in obsolete {
        let wiped = position.wipe(disk, dir);
        // Rotations that could not write here left an earlier one in its place.
        if wiped.is_ok() && position == Position::of(position.copy, facts.generation) {
            without_one.push(position);
        }
        not_done(wiped, position.copy.root_file(dir));
    }
    for path in &strays {
        not_done(disk::erase(disk, path), path.clone());
    }
    if !strays.is_empty() {
        not_done(disk.sync_dir(dir), dir.to_owned());
    }
    not_done(init::clear_marker(site), dir.to_owned());
    let made_anew = without_one.into_iter();
    notices.extend(made_anew.filter_map(|at| survey.write_copy(at, disk, dir, facts, &authentic)));
    notices.extend(settle::settle(site, &bag.settings));
    let bag = Copy::A.bag_file(dir, facts.generation);
    if let Ok(length) = disk
        .open(&bag, disk::Access::Read)
        .and_then(|file| file.len())
    {
        // A full disk has no room for a reserve: nothing to tell anybody.
        let _ = reserve::keep(site, length);
    }
    Ok(notices)
}

/// Whole slots that are not what is in force and not older: they stay where
/// they are, and are told.
fn rivals(
    survey: &Survey,
    master: &MasterKey,
    facts: &RootFacts,
    dir: &Path,
) -> Result<Vec<Notice>> {
    let mut notices = Vec::new();
    for (position, slot) in survey.whole() {
        let generation = slot.facts().generation;
        if slot.facts() == facts || generation < facts.generation {
            continue;
        }
        notices.push(if slot.verify(master).map_err(unsealed)? {
            Notice::FellBack {
                lost: generation,
                opened: facts.generation,
            }
        } else {
            Notice::Forged {
                path: position.copy.root_file(dir),
                generation,
            }
        });
    }
    Ok(notices)
}

/// The places whose slot is of an earlier generation, or was never finished.
fn obsolete(survey: &Survey, facts: &RootFacts) -> Vec<Position> {
    let is_obsolete = |position: Position, slot: Result<&RootSlot, NoSlot>| match slot {
        Ok(slot) => slot.facts().generation < facts.generation,
        // In its own place it has just been mended.
        Err(NoSlot::Damaged) => position != Position::of(position.copy, facts.generation),
        Err(_) => false,
    };
    survey
        .slots()
        .filter(|(position, slot)| is_obsolete(*position, *slot))
        .map(|(position, _)| position)
        .collect()
}

/// Bag files of other generations that no slot means which stays.
fn stray_bags(site: &Site, survey: &Survey, facts: &RootFacts) -> Result<Vec<PathBuf>> {
    let names = site
        .disk
        .list(&site.dir)
        .map_err(Error::io("list", &site.dir))?;
    // A rotation by a newer version may have been cut short: its bag stays.
    let newer = survey.has_newer();
    let meant = |generation| {
        (newer && generation > facts.generation)
            || survey.whole().any(|(_, slot)| {
                slot.facts().generation == generation && generation >= facts.generation
            })
    };
    let strays = names
        .into_iter()
        .filter(|name| generation_of_bag_file(name).is_some_and(|generation| !meant(generation)));
    Ok(strays.map(|name| site.path(&name)).collect())
}

fn make_durable(site: &Site, facts: &RootFacts) -> Result<(), (PathBuf, io::Error)> {
    for copy in Copy::BOTH {
        for path in [
            copy.bag_file(&site.dir, facts.generation),
            copy.root_file(&site.dir),
        ] {
            let file = site.disk.open(&path, disk::Access::Read);
            file.and_then(|file| file.sync())
                .map_err(|error| (path, error))?;
        }
    }
    site.disk
        .sync_dir(&site.dir)
        .map_err(|error| (site.dir.clone(), error))
}

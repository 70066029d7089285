//! The roots and the bag: the generation in force whole and ours in both copies,
//! and nothing of any other.

use super::{Flaw, Verified};
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Access};
use crate::vault::keys::recover::Survey;
use crate::vault::keys::root::{
    Copy, NoSlot, Position, RootSlot, SLOT_LEN, generation_of_bag_file,
};
use crate::vault::session::Held;

pub(super) fn look(held: &Held<'_>, found: &mut Verified) -> Result<()> {
    let (disk, dir) = (held.disk(), held.dir());
    let survey = Survey::read(disk, dir)?;
    for (position, slot) in survey.slots() {
        if let Some(why) = no_file(held, position.copy) {
            let flaw = Flaw::new(position.copy.root_file(dir).display(), why);
            if !found.flaws.iter().any(|known| known.is(&flaw)) {
                found.flaws.push(flaw);
            }
            continue;
        }
        match of_slot(held, position, slot) {
            Some(what) => found.flaws.push(Flaw::new(place(held, position), what)),
            None => found.idle_bytes += idle(held, position),
        }
    }
    let facts = &held.ring().facts;
    let right: Vec<Copy> = survey.bags_of(facts).collect();
    for copy in Copy::BOTH {
        let path = copy.root_file(dir);
        let longer = disk.open(&path, Access::Read).and_then(|file| file.len());
        if longer.is_ok_and(|length| length > 2 * SLOT_LEN as u64) {
            found.notes.push(format!(
                "{}: something lies behind its slots",
                path.display()
            ));
        }
        if !right.contains(&copy) {
            let path = copy.bag_file(dir, facts.generation);
            found.flaws.push(Flaw::new(
                path.display(),
                "it is missing or damaged; its copy is sound",
            ));
        }
    }
    for name in disk.list(dir).map_err(Error::io("list", dir))? {
        if generation_of_bag_file(&name).is_some_and(|other| other != facts.generation) {
            let what = "keys of another generation than the one in force";
            found.flaws.push(Flaw::new(dir.join(name).display(), what));
        }
    }
    Ok(())
}

/// What has the name of a root file, where that is no file.
fn no_file(held: &Held<'_>, copy: Copy) -> Option<String> {
    let opened = held.disk().open(&copy.root_file(held.dir()), Access::Read);
    let error = opened.err().filter(disk::is_no_file)?;
    Some(error.to_string())
}

/// What is wrong with what stands in one of the four places.
fn of_slot(held: &Held<'_>, position: Position, slot: Result<&RootSlot, NoSlot>) -> Option<String> {
    let ring = held.ring();
    let in_force = ring.facts.generation;
    let here = position == Position::of(position.copy, in_force);
    match slot {
        Ok(slot) => {
            let ours = slot.verify(&ring.master).is_ok_and(|ours| ours);
            let generation = slot.facts().generation;
            match (ours, slot.facts() == &ring.facts && here) {
                (true, true) => None,
                (false, true) => Some("its seal is damaged; its copy is sound".into()),
                (true, false) if generation < in_force => Some(format!(
                    "generation {generation}, replaced since, is not overwritten"
                )),
                (true, false) => Some(format!(
                    "generation {generation} is newer than the one in force, and its keys are gone"
                )),
                (false, false) => Some(format!(
                    "it holds a generation {generation} that this vault did not write"
                )),
            }
        }
        Err(NoSlot::Noise) if !here => None,
        Err(NoSlot::Noise | NoSlot::Damaged) if here => {
            Some("it is missing or damaged; its copy is sound".into())
        }
        Err(NoSlot::Noise | NoSlot::Damaged) => {
            Some("the remains of a generation that was not finished or not overwritten".into())
        }
        Err(NoSlot::Newer(version)) => Some(format!("it says that it has format {version}")),
    }
}

/// The slot that is not in force is random bytes.
fn idle(held: &Held<'_>, position: Position) -> u64 {
    let here = position == Position::of(position.copy, held.ring().facts.generation);
    if here { 0 } else { SLOT_LEN as u64 }
}

fn place(held: &Held<'_>, position: Position) -> String {
    let path = position.copy.root_file(held.dir());
    let at = position.parity * SLOT_LEN as u64;
    format!("{}, from byte {at}", path.display())
}

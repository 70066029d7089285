//! One block of the keys is damaged: on a vault that is in order, and on what a
//! power cut left.

use std::path::{Path, PathBuf};

use super::attacker::Evidence;
use super::cuts::images;
use super::facts::observe;
use super::look::{Harm, look, recover};
use super::rounds::{Outcome, rounds, some};
use super::stage::{DIR, Stage};
use super::table::TABLE;
use crate::vault::ground::sim_disk::{Dice, SimDisk};
use crate::vault::keys::root::{Copy, SLOT_LEN, generation_of_bag_file};
use crate::vault::notice::Notice;

const BLOCK: usize = 4096;

/// Blocks of roots, bags and key slots: what there are two of.
fn blocks(disk: &SimDisk) -> Vec<(PathBuf, usize)> {
    let mut blocks = Vec::new();
    for (path, bytes) in disk.files() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_root = matches!(&*name, "root.a" | "root.b");
        let is_slot = path.parent().is_some_and(|dir| dir.ends_with("keys"));
        if is_root || is_slot || generation_of_bag_file(&name).is_some() {
            blocks.extend((0..bytes.len()).step_by(BLOCK).map(|at| (path.clone(), at)));
        }
    }
    blocks
}

/// As a bad sector, a stray write or a flipped bit leaves it.
fn damage(disk: &SimDisk, path: &Path, at: usize, dice: &mut Dice) {
    let (kind, place, noise) = (dice.below(3), dice.next() as usize, dice.next());
    disk.tamper(path, |bytes| {
        let end = bytes.len().min(at + BLOCK);
        let block = &mut bytes[at..end];
        match kind {
            0 => block.fill(0),
            1 => {
                let mut noise = Dice::new(noise);
                block.fill_with(|| noise.next() as u8);
            }
            _ => block[place % (end - at)] ^= 1 << (noise % 8),
        }
    });
}

#[test]
fn a_power_cut_and_one_damaged_block_of_the_keys_lose_nothing_either() {
    rounds("cuts and damage", |operation, stage, dice, outcome| {
        let (mut all, evidence) = images(operation, stage, 4, dice);
        // Where nothing was promised yet there is nothing to be lost.
        all.retain(|image| image.told.now.passphrase.is_some());
        for image in some(all, 20, dice) {
            let all = blocks(&image.disk);
            // Half of the blocks are of the roots; the small files have their turn.
            let few: Vec<_> = all
                .iter()
                .filter(|(path, _)| !path.ends_with("root.a") && !path.ends_with("root.b"))
                .collect();
            let (path, at) = match dice.one_in(2) {
                true => few[dice.below(few.len())],
                false => &all[dice.below(all.len())],
            };
            let damaged = image.disk.fork();
            damage(&damaged, path, *at, dice);
            (outcome.tally.images, outcome.tally.flips) =
                (outcome.tally.images + 1, outcome.tally.flips + 1);
            let answer = look(&damaged, &image.told, &evidence, Harm::Damage);
            let when = || {
                let cut = format!("{:?} after {}", image.cut, image.changes);
                let place = format!("{} at {at}", path.display());
                format!("{}, {cut}, {place} damaged", operation.name)
            };
            outcome.note(when, answer);
        }
    });
}

#[test]
fn any_damaged_block_of_root_bag_or_key_slot_is_mended_and_told() {
    let mut outcome = Outcome::default();
    let mut dice = Dice::new(1);
    let shred = TABLE.iter().find(|one| one.name == "shred").unwrap();
    let stage = shred.prepare();
    (shred.work)(&stage).unwrap();
    let all = blocks(&stage.disk);
    assert!(all.len() > 4 * SLOT_LEN / BLOCK, "{}", all.len());
    for (path, at) in all {
        outcome.tally.flips += 1;
        let told = mended(&stage, &path, at, &mut dice, &mut outcome);
        // A slot that is not in force is noise; one without its first block looks
        // like noise, and is made anew all the same.
        if is_in_force(&stage, &path, at) && at % SLOT_LEN != 0 {
            assert!(told, "{} at {at}", path.display());
        }
    }
    outcome.conclude("damage at rest");
}

fn is_in_force(stage: &Stage, path: &Path, at: usize) -> bool {
    let is_root = Copy::BOTH
        .iter()
        .any(|copy| copy.root_file(Path::new(DIR)) == path);
    let bytes = &stage.disk.files()[path];
    let slot = at / SLOT_LEN * SLOT_LEN;
    !is_root || bytes[slot..].starts_with(b"VOXVROOT")
}

/// Damages a block, and looks whether the vault is as before; whether it was told.
fn mended(stage: &Stage, path: &Path, at: usize, dice: &mut Dice, outcome: &mut Outcome) -> bool {
    let damaged = stage.disk.fork();
    damage(&damaged, path, at, dice);
    let facts = stage.facts();
    let machine = damaged.fork();
    let (open, _) = recover(&machine, &[facts.passphrase.unwrap()]).unwrap();
    assert_eq!(observe(&open).unwrap(), facts.clips);
    let notices = [open.vault().notices(), &open.notices()].concat();
    let answer = look(
        &damaged,
        &stage.last(),
        &Evidence::of(&stage.disk),
        Harm::Damage,
    );
    outcome.note(|| format!("{} at {at}", path.display()), answer);
    let told = Notice::Mended {
        path: path.to_owned(),
    };
    notices.contains(&told)
}

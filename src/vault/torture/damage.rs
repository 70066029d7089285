//! One block of the keys is damaged: on a vault that is in order, and on what a
//! power cut left.

use std::path::{Path, PathBuf};

use super::attacker::Evidence;
use super::cuts::images;
use super::facts::observe;
use super::look::{Harm, look, recover};
use super::rounds::{Outcome, prepared};
use super::stage::{DIR, Stage};
use super::table::TABLE;
use super::tally::Budget;
use crate::vault::ground::sim_disk::{Dice, SimDisk};
use crate::vault::keys::root::{Copy, SLOT_LEN, generation_of_bag_file};
use crate::vault::notice::Notice;

const BLOCK: usize = 4096;

/// Every operation's pairs are gone through in so many parts, so that none waits for
/// the others to be done.
const PARTS: usize = 16;

/// Blocks of roots, bags and key slots: what there are two of.
fn blocks(disk: &SimDisk) -> Vec<(PathBuf, usize)> {
    let mut blocks = Vec::new();
    for (path, bytes) in disk.files() {
        let is_slot = path.parent().is_some_and(|dir| dir.ends_with("keys"));
        if is_root(&path) || is_slot || is_bag(&path) {
            blocks.extend((0..bytes.len()).step_by(BLOCK).map(|at| (path.clone(), at)));
        }
    }
    blocks
}

fn is_root(path: &Path) -> bool {
    Copy::BOTH
        .iter()
        .any(|copy| copy.root_file(Path::new(DIR)) == path)
}

fn is_bag(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(generation_of_bag_file).is_some()
}

/// The same with one block for all between the first and the last of a root slot:
/// whichever of them is damaged, the slot is no slot any more, which
/// `every_changed_byte_of_a_root_slot_makes_it_no_slot_or_changes_noise_into_noise`
/// shows byte by byte.
fn unlike_blocks(disk: &SimDisk, dice: &mut Dice) -> Vec<(PathBuf, usize)> {
    let last = SLOT_LEN / BLOCK - 1;
    let between = 1 + dice.below(last - 1);
    let mut blocks = blocks(disk);
    blocks.retain(|(path, at)| {
        let place = at / BLOCK % (last + 1);
        !is_root(path) || [0, between, last].contains(&place)
    });
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

/// What a power cut left, and a block of it that is damaged then.
struct Pair {
    image: usize,
    path: PathBuf,
    at: usize,
}

#[allow(clippy::print_stderr, reason = "tells how much of it was done")]
#[test]
fn a_power_cut_anywhere_and_any_damaged_block_of_the_keys_lose_nothing_either() {
    const LEAST: usize = 20;
    let budget = Budget::begin();
    let mut outcome = Outcome::of("cuts and damage");
    let (mut all, mut done) = (0, 0);
    'parts: for part in 0..PARTS {
        for (number, (operation, stage)) in prepared().iter().enumerate() {
            if part > 0 && !budget.more() {
                break 'parts;
            }
            // The same images and the same pairs in every part.
            let mut dice = Dice::new(number as u64);
            let (mut images, evidence) = images(operation, stage, 4, &mut dice);
            // Where nothing was promised yet there is nothing to be lost.
            images.retain(|image| image.told.now.passphrase.is_some());
            let mut pairs = Vec::new();
            for (image, of) in images.iter().enumerate() {
                let blocks = unlike_blocks(&of.disk, &mut dice).into_iter();
                pairs.extend(blocks.map(|(path, at)| Pair { image, path, at }));
            }
            if part == 0 {
                all += pairs.len();
            }
            dice.shuffle(&mut pairs);
            let of_part = pairs.iter().skip(part).step_by(PARTS);
            for (count, pair) in of_part.enumerate() {
                if !(part == 0 && count < LEAST || budget.more()) {
                    break;
                }
                done += 1;
                let image = &images[pair.image];
                let mut dice = Dice::new((count * PARTS + part) as u64);
                outcome.tally.images += 1;
                outcome.tally.flips += 1;
                let damaged = image.disk.fork();
                damage(&damaged, &pair.path, pair.at, &mut dice);
                let answer = look(&damaged, &image.told, &evidence, Harm::Damage);
                let when = || {
                    let cut = format!("{:?} after {}", image.cut, image.changes);
                    let place = format!("{} at {}", pair.path.display(), pair.at);
                    format!("{}, {cut}, {place} damaged", operation.name)
                };
                outcome.note(when, answer);
            }
        }
    }
    eprintln!("cuts and damage: {done} of {all} pairs");
    outcome.conclude();
}

#[test]
fn any_damaged_block_of_root_bag_or_key_slot_is_mended_and_told() {
    let mut outcome = Outcome::of("damage at rest");
    let mut dice = Dice::new(1);
    let shred = TABLE.iter().find(|one| one.name == "shred").unwrap();
    let stage = shred.prepare();
    (shred.work)(&stage).unwrap();
    let all = blocks(&stage.disk);
    assert!(all.len() > 4 * SLOT_LEN / BLOCK, "{}", all.len());
    for (path, at) in all {
        outcome.tally.flips += 1;
        let told = mended(&stage, &path, at, &mut dice, &mut outcome);
        // A root slot that is not in force is noise.
        if is_in_force(&stage, &path, at) {
            assert!(told, "{} at {at}", path.display());
        }
    }
    outcome.conclude();
}

fn is_in_force(stage: &Stage, path: &Path, at: usize) -> bool {
    let bytes = &stage.disk.files()[path];
    let slot = at / SLOT_LEN * SLOT_LEN;
    !is_root(path) || bytes[slot..].starts_with(b"VOXVROOT")
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

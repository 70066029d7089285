//! The power is cut in every operation of the disk, and after it.

use std::collections::HashSet;

use super::attacker::Evidence;
use super::look::{Harm, look};
use super::rounds::{rounds, some};
use super::stage::{Stage, Told};
use super::table::Operation;
use crate::vault::ground::sim_disk::{Cut, Dice, SimDisk};

/// A disk as a power cut left it.
pub(super) struct Image {
    /// How often the disk had been changed by then.
    pub(super) changes: usize,
    pub(super) cut: Cut,
    pub(super) disk: SimDisk,
    pub(super) told: Told,
}

/// Images at every point of an operation that is not cut short, each once, and
/// all that the operation wrote. Up to so many cuts at each point.
pub(super) fn images(
    operation: &Operation,
    stage: &Stage,
    most: usize,
    dice: &mut Dice,
) -> (Vec<Image>, Evidence) {
    let run = stage.fork();
    run.disk.trace();
    let done = (operation.work)(&run);
    assert!(done.is_ok(), "{}: {done:?}", operation.name);
    let mut seen = HashSet::new();
    let mut images = Vec::new();
    for (changes, disk) in run.disk.traced().into_iter().enumerate() {
        let told = run.told_at(changes);
        for cut in disk.cuts(dice.next(), most) {
            let after = disk.after(cut);
            // The same disk may have been promised less before.
            if seen.insert((after.fingerprint(), told.promises)) {
                images.push(Image {
                    changes,
                    cut,
                    disk: after,
                    told: told.clone(),
                });
            }
        }
    }
    (images, Evidence::of(&run.disk))
}

#[test]
fn a_power_cut_anywhere_in_any_operation_loses_nothing_that_was_promised() {
    rounds("power cuts", |operation, stage, dice, outcome| {
        let (all, evidence) = images(operation, stage, 8, dice);
        let points = all.last().map_or(0, |image| image.changes);
        assert!(points > 3, "{}: {points} operations", operation.name);
        let mut undone = 0;
        let mut done = 0;
        for image in some(all, 40, dice) {
            outcome.tally.images += 1;
            let answer = look(&image.disk, &image.told, &evidence, Harm::Fault);
            let when = || {
                format!(
                    "{}, {:?} after {}",
                    operation.name, image.cut, image.changes
                )
            };
            if let Some(found) = outcome.note(when, answer) {
                let next = image.told.next.as_ref();
                let is_next = next.is_some_and(|next| next.clips == found.clips);
                done += usize::from(is_next);
                undone += usize::from(!is_next);
            }
        }
        assert!(done + undone > 0, "{}", operation.name);
    });
}

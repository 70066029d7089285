//! The power is cut once more, while the first cut is being recovered from.

use super::cuts::images;
use super::look::{Harm, look, recover};
use super::rounds::{rounds, some};

#[test]
fn a_second_power_cut_in_the_recovery_from_the_first_loses_nothing_either() {
    rounds("second cuts", |operation, stage, dice, outcome| {
        let (all, evidence) = images(operation, stage, 4, dice);
        for first in some(all, 2, dice) {
            let allowed = [Some(&first.told.now), first.told.next.as_ref()];
            let passphrases: Vec<_> = allowed.iter().flatten().collect();
            let passphrases: Vec<_> = passphrases
                .iter()
                .filter_map(|facts| facts.passphrase)
                .collect();
            let machine = first.disk.fork();
            machine.trace();
            // Where there is no vault yet there is nothing to recover.
            if recover(&machine, &passphrases).is_err() {
                continue;
            }
            let evidence = evidence.with(&machine);
            let points = machine.traced().into_iter().enumerate();
            let mut second = Vec::new();
            for (changes, disk) in points {
                second.extend(
                    disk.cuts(dice.next(), 4)
                        .into_iter()
                        .map(|cut| (changes, cut, disk.clone())),
                );
            }
            for (changes, cut, disk) in some(second, 6, dice) {
                outcome.tally.images += 1;
                let when = || {
                    let before = format!("{:?} after {}", first.cut, first.changes);
                    format!("{}, {before}, then {cut:?} after {changes}", operation.name)
                };
                let answer = look(&disk.after(cut), &first.told, &evidence, Harm::Fault);
                outcome.note(when, answer);
            }
        }
    });
}

//! The power is cut once more, while the first cut is being recovered from; or
//! for the first time, while a process that was killed is.

use super::attacker::Evidence;
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

#[test]
fn a_power_cut_in_the_recovery_from_a_kill_that_left_things_pending_loses_nothing() {
    rounds("cuts after kills", |operation, stage, dice, outcome| {
        let run = stage.fork();
        run.disk.trace();
        let done = (operation.work)(&run);
        assert!(done.is_ok(), "{}: {done:?}", operation.name);
        let evidence = Evidence::of(&run.disk);
        let places = run.disk.traced().into_iter().enumerate();
        for (killed_at, killed) in some(places.collect(), 5, dice) {
            let told = run.told_at(killed_at);
            let allowed = [Some(&told.now), told.next.as_ref()];
            let passphrases: Vec<_> = allowed.iter().flatten().collect();
            let passphrases: Vec<_> = passphrases
                .iter()
                .filter_map(|facts| facts.passphrase)
                .collect();
            // Unlike after a cut, what was pending still is, names too.
            let machine = killed.fork();
            machine.trace();
            // Where there is no vault yet there is nothing to recover.
            if recover(&machine, &passphrases).is_err() {
                continue;
            }
            let evidence = evidence.with(&machine);
            let mut cuts = Vec::new();
            for (changes, disk) in machine.traced().into_iter().enumerate() {
                let all = disk.cuts(dice.next(), 4).into_iter();
                cuts.extend(all.map(|cut| (changes, cut, disk.clone())));
            }
            for (changes, cut, disk) in some(cuts, 4, dice) {
                outcome.tally.images += 1;
                let when = || {
                    let killed = format!("killed after {killed_at}");
                    format!("{}, {killed}, then {cut:?} after {changes}", operation.name)
                };
                let answer = look(&disk.after(cut), &told, &evidence, Harm::Fault);
                outcome.note(when, answer);
            }
        }
    });
}

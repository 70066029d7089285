//! Every operation of the disk fails, once or from then on.

use super::attacker::Evidence;
use super::look::{Harm, look};
use super::rounds::{rounds, some};
use crate::vault::ground::sim_disk::{Cut, Lasting, Trouble};

pub(super) const KINDS: [(Trouble, Lasting); 4] = [
    (Trouble::Broken, Lasting::Once),
    (Trouble::Broken, Lasting::FromThenOn),
    (Trouble::Full, Lasting::Once),
    (Trouble::Full, Lasting::FromThenOn),
];

#[test]
fn a_disk_that_fails_anywhere_in_any_operation_costs_nothing_that_was_promised() {
    rounds("failing operations", |operation, stage, dice, outcome| {
        let whole = stage.fork();
        (operation.work)(&whole).unwrap();
        let points = (0..whole.disk.operations()).flat_map(|at| KINDS.map(|kind| (at, kind)));
        let mut refused = 0;
        for (at, (trouble, lasting)) in some(points.collect(), 20, dice) {
            let run = stage.fork();
            run.disk.fail(at, trouble, lasting);
            let answer = (operation.work)(&run);
            if run.disk.failed() == 0 {
                continue;
            }
            outcome.tally.faults += 1;
            refused += usize::from(answer.is_err());
            let mut told = run.last();
            let when = format!(
                "{}, {trouble:?} {lasting:?} at {at}: {answer:?}",
                operation.name
            );
            assert!(answer.is_err() || told.next.is_none(), "{when}");
            let evidence = Evidence::of(&run.disk);
            let torn = Cut::Tear(dice.next());
            // The program ends, and the machine goes on or loses its power.
            let goes_on = run.disk.fork();
            let images = [
                ("nothing".to_owned(), run.disk.after(Cut::LoseUnsynced)),
                (format!("{torn:?}"), run.disk.after(torn)),
            ];
            for (cut, image) in images {
                outcome.tally.images += 1;
                let answer = look(&image, &told, &evidence, Harm::Fault);
                outcome.note(|| format!("{when}, then {cut}"), answer);
            }
            outcome.tally.images += 1;
            let answer = look(&goes_on, &told, &evidence, Harm::Fault);
            let settled = outcome.note(|| format!("{when}, then the same machine"), answer);
            // It loses its power later, after another process has put things in order.
            if let Some(now) = settled.filter(|facts| facts.passphrase.is_some()) {
                outcome.tally.images += 1;
                told.now = now;
                // Nothing that is forgotten shows: it may be either.
                told.next.take_if(|next| next.clips != told.now.clips);
                told.between.clear();
                let later = goes_on.after(Cut::LoseUnsynced);
                let answer = look(&later, &told, &evidence, Harm::Fault);
                outcome.note(
                    || format!("{when}, then the same machine, then nothing"),
                    answer,
                );
            }
        }
        assert!(refused > 0, "{}", operation.name);
    });
}

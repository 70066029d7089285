//! Goes through the table round after round, and counts.

use super::look::Wrong;
use super::stage::Stage;
use super::table::{Operation, TABLE};
use super::tally::{Begun, Budget};
use crate::vault::ground::sim_disk::Dice;

/// Failures that are printed in full.
const SHOWN: usize = 8;

/// What came of a test.
pub(super) struct Outcome {
    pub(super) tally: Begun,
    failures: Vec<String>,
}

impl Outcome {
    /// Of a test that begins.
    pub(super) fn of(test: &str) -> Self {
        Self {
            tally: Begun::new(test),
            failures: Vec::new(),
        }
    }

    /// Counts what is wrong; what it was is told at the end.
    pub(super) fn note<T>(
        &mut self,
        when: impl FnOnce() -> String,
        answer: Result<T, Wrong>,
    ) -> Option<T> {
        let wrong = match answer {
            Ok(fine) => return Some(fine),
            Err(wrong) => wrong,
        };
        match &wrong {
            Wrong::Lost(_) => self.tally.lost += 1,
            Wrong::Unshredded(_) => self.tally.unshredded += 1,
        }
        self.failures.push(format!("{}: {wrong}", when()));
        None
    }

    /// Reports the counts, and fails if anything was wrong.
    pub(super) fn conclude(self) {
        let Self {
            mut tally,
            failures,
        } = self;
        tally.report();
        let shown: Vec<String> = failures.iter().take(SHOWN).cloned().collect();
        assert!(
            failures.is_empty(),
            "{} failures, the first of them:\n{}",
            failures.len(),
            shown.join("\n")
        );
    }
}

/// Does something to every operation with one seed, and goes on with others for
/// as long as there is time.
pub(super) fn rounds(
    test: &str,
    mut once: impl FnMut(&Operation, &Stage, &mut Dice, &mut Outcome),
) {
    let budget = Budget::begin();
    let mut outcome = Outcome::of(test);
    let prepared = prepared();
    let first = budget.first_seed(test);
    for seed in first.. {
        for (place, (operation, stage)) in prepared.iter().enumerate() {
            if seed > first && !budget.more() {
                return outcome.conclude();
            }
            let mut dice = Dice::new(seed << 8 | place as u64);
            once(operation, stage, &mut dice, &mut outcome);
        }
        if !budget.more() {
            return outcome.conclude();
        }
    }
}

/// The operations, each with a vault for it.
pub(super) fn prepared() -> Vec<(&'static Operation, Stage)> {
    let wanted = |operation: &&Operation| chosen().is_none_or(|name| name == operation.name);
    TABLE
        .iter()
        .filter(wanted)
        .map(|operation| (operation, operation.prepare()))
        .collect()
}

/// Only this operation, to look into a failure.
fn chosen() -> Option<String> {
    std::env::var("VOXVAULT_TORTURE_ONLY").ok()
}

/// Some of them, by chance, in their order.
pub(super) fn some<T>(mut all: Vec<T>, most: usize, dice: &mut Dice) -> Vec<T> {
    while all.len() > most {
        all.remove(dice.below(all.len()));
    }
    all
}

//! Long lives of vaults, made up by chance: one operation after the other, some
//! of them cut short or on a disk that fails, each on what the one before left.

use super::attacker::Evidence;
use super::deeds::{edit, library, play, record, shred};
use super::facts::Facts;
use super::faults::KINDS;
use super::look::{Harm, look};
use super::rounds::Outcome;
use super::stage::{QUICK, Stage, secret};
use super::tally::Budget;
use crate::vault::Result;
use crate::vault::ShredScope;
use crate::vault::ground::sim_disk::{Cut, Dice, SimDisk};
use crate::vault::tests::transcript;

const STEPS: usize = 25;

#[test]
fn whatever_happens_to_a_vault_one_thing_after_the_other_it_keeps_what_it_promised() {
    let budget = Budget::begin();
    let mut outcome = Outcome::of("lives of vaults");
    let first = budget.first_seed("lives of vaults");
    for seed in first.. {
        if seed > first + 2 && !budget.more() {
            break;
        }
        walk(seed, &mut outcome);
    }
    outcome.conclude();
}

fn walk(seed: u64, outcome: &mut Outcome) {
    let mut dice = Dice::new(seed);
    let stage = Stage::new(SimDisk::default(), Facts::default());
    library(&stage);
    let mut stage = stage.fork();
    let mut number = 10;
    for step in 0..STEPS {
        let run = stage.fork();
        let harm = dice.below(4);
        match harm {
            0 => run.disk.cut_after(dice.below(80)),
            1 => {
                let (trouble, lasting) = KINDS[dice.below(KINDS.len())];
                run.disk.fail(dice.below(400), trouble, lasting);
            }
            _ => {}
        }
        let (name, answer) = act(&run, &mut number, &mut dice);
        let hit = run.disk.was_cut() || run.disk.failed() > 0;
        let when = format!("life {seed}, step {step}, {name}: {answer:?}");
        assert!(answer.is_ok() || hit, "{when}");
        outcome.tally.faults += u64::from(run.disk.failed() > 0);
        outcome.tally.images += 1;
        let cuts = run.disk.cuts(dice.next(), 8);
        let cut = cuts[dice.below(cuts.len())];
        let image = match hit {
            // The program ended, and the machine may go on.
            true if !run.disk.was_cut() && dice.one_in(2) => run.disk.fork(),
            true => run.disk.after(cut),
            false => run.disk.after(Cut::Kill),
        };
        let answer = look(&image, &run.last(), &Evidence::of(&run.disk), Harm::Fault);
        let Some(facts) = outcome.note(|| format!("{when}, {cut:?}"), answer) else {
            return;
        };
        stage = Stage::new(image, facts);
    }
}

/// Does something that can be done with what there is.
fn act(stage: &Stage, number: &mut u8, dice: &mut Dice) -> (&'static str, Result<()>) {
    let facts = stage.facts();
    let all: Vec<u8> = facts.clips.values().map(|clip| clip.number).collect();
    let one = all.get(dice.below(all.len().max(1))).copied();
    match (dice.below(9), one) {
        (0, Some(one)) => {
            let text = format!("said in {one}");
            let add = || -> Result<()> {
                let (open, id) = (stage.open()?, facts.id(one));
                stage.will(|facts| facts.clip(id).words.push(text.clone()));
                open.add_transcript(id, 0, &transcript(&text))?;
                stage.did();
                Ok(())
            };
            ("transcribe", add())
        }
        (1, Some(one)) => {
            let note = format!("note {}", dice.next() % 1000);
            let open = stage.open();
            let edited = open.and_then(|open| edit(stage, &open, facts.id(one), &note));
            ("edit", edited)
        }
        (2, Some(one)) => ("shred", shred(stage, &[one], ShredScope::Everything)),
        (3, Some(one)) => {
            let is_kept =
                |one: &u8| facts.clips[&facts.id(*one)].sound == super::facts::Sound::Kept;
            match Some(one).filter(is_kept) {
                Some(one) => (
                    "shred of the sound",
                    shred(stage, &[one], ShredScope::Sound),
                ),
                None => ("open", stage.open().map(drop)),
            }
        }
        (5, Some(one)) => {
            let open = stage.open();
            let played = open.and_then(|open| play(stage, &open, facts.id(one)));
            ("play", played)
        }
        (4, _) => {
            // Never one that was there before, which would open old things anew.
            let new: &'static str = format!("passphrase {}", dice.next()).leak();
            let change = || -> Result<()> {
                let open = stage.open()?;
                stage.will(|facts| {
                    facts.former = facts.passphrase.into_iter().collect();
                    facts.passphrase = Some(new);
                });
                open.change_passphrase_with(&secret(new), QUICK.work)?;
                stage.did();
                Ok(())
            };
            ("passwd", change())
        }
        _ => {
            *number = number.wrapping_add(1).max(10);
            let recorded = record(stage, *number);
            let merge = |_| stage.open()?.merge().map(drop);
            match dice.one_in(2) {
                true => ("record", recorded.map(drop)),
                false => ("record and merge", recorded.and_then(merge)),
            }
        }
    }
}

//! What the table does with retention: one sweep that takes all of one recording, the
//! words of another, the sound of a third, and leaves a fourth alone, which is pinned.

use super::deeds::{library, put_down};
use super::facts::{Facts, What};
use super::stage::Stage;
use crate::recording::Moment;
use crate::retention::{Keep, Trust, set_rule};
use crate::vault::tests::{RECORDED_MS, moment};
use crate::vault::{Error, Result, Sweep};

const TAGS: [(u8, &str); 2] = [(1, "soon"), (2, "heard")];
const PINNED: u8 = 4;

/// Long after the rules have run out for all that is to go.
fn late() -> Moment {
    moment(RECORDED_MS + 200 * 86_400_000)
}

fn keep(text: &str) -> Option<Keep> {
    Some(text.parse().unwrap())
}

/// A library under rules.
pub(super) fn ruled(stage: &Stage) {
    library(stage);
    put_down(stage, PINNED, 2);
    let (open, facts) = (stage.open().unwrap(), stage.facts());
    open.merge().unwrap();
    for (number, tag) in TAGS {
        let change = &mut |card: &mut crate::recording::Card| card.tags.push(tag.to_owned());
        open.update_card(facts.id(number), change).unwrap();
    }
    open.update_card(facts.id(PINNED), &mut |card| card.pinned = true)
        .unwrap();
    open.change_settings(&mut |settings| {
        let rules = &mut settings.retention;
        set_rule(rules, None, keep("90d"), keep("1y"));
        set_rule(rules, Some("soon"), keep("1d"), keep("2d"));
        set_rule(rules, Some("heard"), keep("forever"), keep("10d"));
    })
    .unwrap();
}

fn destroyed(facts: &mut Facts) {
    for (number, what) in [(1, What::All), (2, What::Words), (3, What::Sound)] {
        facts.destroy(facts.id(number), what);
    }
}

/// Sweeps. One that is not final promises nothing.
pub(super) fn sweep(stage: &Stage) -> Result<()> {
    let open = stage.open()?;
    stage.will(destroyed);
    match open.sweep(late(), Trust::Confirmed, &[], &mut |_, _| ())? {
        Sweep::Done(swept) => match swept.receipt.not_final {
            Some(why) => return Err(Error::damaged("the receipt", why)),
            None if swept.gone.len() == 3 => {}
            None => return Err(Error::damaged("the sweep", format!("{:?}", swept.gone))),
        },
        other => return Err(Error::damaged("the sweep", format!("{other:?}"))),
    }
    stage.did();
    Ok(())
}

/// Every step of a rotation is one where a sweep is in force as a whole or not at all,
/// and a further one takes up what is left.
#[test]
fn a_sweep_that_was_cut_short_is_done_as_a_whole_by_the_next() {
    use crate::vault::ground::sim_disk::{Cut, SimDisk};
    let stage = Stage::new(SimDisk::default(), Facts::default());
    ruled(&stage);
    let run = stage.fork();
    run.disk.trace();
    sweep(&run).unwrap();
    for disk in run.disk.traced() {
        let again = Stage::new(disk.after(Cut::Kill), stage.facts());
        let open = again.open().unwrap();
        open.merge().unwrap();
        let ids = open.ids().unwrap().len();
        let swept = open
            .sweep(late(), Trust::Confirmed, &[], &mut |_, _| ())
            .unwrap();
        match swept {
            Sweep::Done(swept) => assert_eq!((swept.gone.len(), ids), (3, 4)),
            Sweep::Nothing => assert_eq!(ids, 3),
            Sweep::Doubtful(_) => panic!("the clock was confirmed"),
        }
        assert_eq!(open.ids().unwrap().len(), 3);
    }
}

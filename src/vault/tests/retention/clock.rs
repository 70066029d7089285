//! A clock that leaps, and what is believed of it.

use super::*;

#[test]
fn a_leap_ahead_destroys_nothing_before_it_is_confirmed_and_is_not_forgotten() {
    let world = World::new();
    let id = world.record("here", 0);
    world.open.merge().unwrap();
    world.set(RECORDED_MS + 100 * DAY_MS);
    // Seen while there was nothing that could go by it.
    assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    world.rule(None, days(90), days(90));
    let Sweep::Doubtful(doubt) = world.sweep(Trust::IfPlausible, &[]) else {
        panic!("it was believed");
    };
    assert_eq!((doubt.due[0].id, doubt.believed_ms), (id, RECORDED_MS));
    assert_eq!(world.open.ids().unwrap(), [id]);
    assert!(matches!(world.sweep(Trust::Confirmed, &[]), Sweep::Done(_)));
    assert!(world.open.ids().unwrap().is_empty());
}

#[test]
fn a_gap_is_in_doubt_when_it_is_seen_and_not_only_when_something_is_due() {
    let world = World::new();
    world.rule(None, days(10), days(10));
    let id = world.record("kept for ten days", 0);
    world.open.merge().unwrap();
    world.set(RECORDED_MS + 3 * DAY_MS);
    for _ in 0..2 {
        let Sweep::Doubtful(doubt) = world.sweep(Trust::IfPlausible, &[]) else {
            panic!("nobody heard of it");
        };
        assert_eq!((doubt.due.len(), doubt.believed_ms), (0, RECORDED_MS));
    }
    // Said once, it stands in the way of nothing any more.
    assert_eq!(world.sweep(Trust::Confirmed, &[]), Sweep::Nothing);
    for day in 4..10 {
        world.set(RECORDED_MS + day * DAY_MS);
        assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    }
    world.set(RECORDED_MS + 10 * DAY_MS);
    assert_eq!(world.swept().gone[0].id, id);
    // Where nothing can go there is nothing to ask.
    world.rule(None, Some(Keep::Forever), Some(Keep::Forever));
    world.set(RECORDED_MS + 30 * DAY_MS);
    assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
}

#[test]
fn a_clock_that_leapt_and_was_put_right_is_believed_from_day_to_day() {
    let world = World::new();
    world.rule(None, days(5), days(5));
    let id = world.record("kept for five days", 0);
    world.open.merge().unwrap();
    world.set(RECORDED_MS + 400 * DAY_MS);
    assert!(matches!(
        world.sweep(Trust::IfPlausible, &[]),
        Sweep::Doubtful(_)
    ));
    // Something else is done while it is wrong, so that the vault has seen it.
    world.open.change_settings(&mut |_| ()).unwrap();
    for day in 1..5 {
        world.set(RECORDED_MS + day * DAY_MS);
        assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    }
    world.set(RECORDED_MS + 5 * DAY_MS);
    assert_eq!(world.swept().gone[0].id, id);
}

#[test]
fn a_clock_that_was_ahead_is_put_right_by_saying_so() {
    let world = World::new();
    world.set(RECORDED_MS + 4000 * DAY_MS);
    world.record("from the future", 0);
    world.open.merge().unwrap();
    world.set(RECORDED_MS + DAY_MS);
    let later = world.record("by the right clock", 0);
    world.open.merge().unwrap();
    let kept_from = |id| world.open.recording(id).unwrap().kept_from.unix_ms;
    assert_eq!(kept_from(later), RECORDED_MS + 4000 * DAY_MS);
    assert_eq!(world.sweep(Trust::Confirmed, &[]), Sweep::Nothing);
    assert_eq!(kept_from(later), RECORDED_MS + DAY_MS);
}

#[test]
fn what_came_in_by_a_clock_that_was_ahead_is_put_right_also_if_the_vault_never_saw_it() {
    let world = World::new();
    world.set(RECORDED_MS + 4000 * DAY_MS);
    let id = world.record("of a right date", 4000 * DAY_MS);
    world.set(RECORDED_MS);
    world.open.merge().unwrap();
    let kept_from = || world.open.recording(id).unwrap().kept_from.unix_ms;
    assert_eq!(kept_from(), RECORDED_MS + 4000 * DAY_MS, "the control");
    assert_eq!(world.sweep(Trust::Confirmed, &[]), Sweep::Nothing);
    assert_eq!(kept_from(), RECORDED_MS);
}

#[test]
fn the_time_is_noted_seldom_where_no_key_changes() {
    let world = World::new();
    let before = world.generation();
    for minute in 0..60 {
        world.set(RECORDED_MS + minute * 60_000);
        assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    }
    assert_eq!(world.generation(), before);
    world.set(RECORDED_MS + 2 * HOUR_MS);
    world.sweep(Trust::IfPlausible, &[]);
    assert_eq!(world.generation(), before + 1);
}

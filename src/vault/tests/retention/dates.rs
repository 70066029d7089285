//! What date a recording gets that a wrong clock made.

use super::*;
use crate::vault::Deed;

#[test]
fn what_is_recorded_by_a_clock_of_long_ago_is_dated_by_the_latest_time_seen() {
    let world = World::new();
    let honest = world.record("honest", 0);
    world.open.merge().unwrap();
    let (seen_ms, old_ms) = (RECORDED_MS + 40 * DAY_MS, 100_000_000_000);
    world.set(seen_ms);
    world.open.change_settings(&mut |_| ()).unwrap();
    world.set(old_ms);
    // One of each way: it is locked, it is cut short, it has a date of its own.
    let recorded = world.record("recorded", 0);
    let cut = world.record_as(Kind::Interrupted, "cut", 0);
    let imported = world.import(RECORDED_MS - DAY_MS);
    let dateless = world.import(old_ms);
    world.open.log(Deed::Play, &[recorded], "").unwrap();
    let report = world.open.merge().unwrap();
    let mut redated: Vec<_> = report.redated.iter().map(|one| one.id).collect();
    redated.sort_unstable();
    let mut all = vec![recorded, cut, imported, dateless];
    all.sort_unstable();
    assert_eq!(redated, all);
    assert!(report.redated.iter().all(|one| one.clock.unix_ms == old_ms));
    let dates = |id| {
        let card = world.open.recording(id).unwrap().card;
        (card.recorded_at.unix_ms, card.added_at.unix_ms)
    };
    for id in [recorded, cut, dateless] {
        assert_eq!(dates(id), (seen_ms, seen_ms));
    }
    assert_eq!(dates(imported), (RECORDED_MS - DAY_MS, seen_ms));
    assert_eq!(dates(honest), (RECORDED_MS, RECORDED_MS));
    // Each of them took a millisecond.
    assert_eq!(world.open.now().unix_ms, seen_ms + 4);
    assert_eq!(world.open.clock().unix_ms, old_ms);
    world.open.log(Deed::Play, &[recorded], "").unwrap();
    let log = world.open.read_log().unwrap();
    let told: Vec<_> = log.entries.iter().map(|one| one.at.unix_ms).collect();
    assert_eq!(told, [seen_ms, seen_ms + 4]);
}

#[test]
fn a_leap_that_nobody_confirmed_does_not_date_what_the_right_clock_records_behind_it() {
    let world = World::new();
    // Nothing is believed behind the first long gap: without rules nobody asks.
    world.set(RECORDED_MS + 3 * DAY_MS);
    world.record("after a gap", 0);
    world.open.merge().unwrap();
    let ahead_ms = RECORDED_MS + 368 * DAY_MS;
    world.set(ahead_ms);
    world.open.change_settings(&mut |_| ()).unwrap();
    let settings = world.open.settings().unwrap();
    assert_eq!(settings.believed_ms, RECORDED_MS);
    assert_eq!(settings.last_seen_ms, ahead_ms);
    for day in [4, 10, 100] {
        let right = moment(RECORDED_MS + day * DAY_MS);
        world.set(right.unix_ms);
        let id = world.record("by the right clock", 0);
        let report = world.open.merge().unwrap();
        assert_eq!(report.redated, []);
        let recording = world.open.recording(id).unwrap();
        assert_eq!(recording.card.recorded_at, right);
        assert_eq!(recording.card.added_at, right);
        // It may be that the other one was right: nothing goes early.
        assert_eq!(recording.kept_from.unix_ms, ahead_ms);
        assert_eq!(world.open.now(), right);
    }
}

#[test]
fn what_a_broken_clock_recorded_stays_in_its_order() {
    let world = World::new();
    let spoken: Vec<_> = (0..6)
        .map(|minute| {
            world.set(100_000_000_000 + minute * 60_000);
            world.record("in 1973", 0)
        })
        .collect();
    assert_eq!(world.open.merge().unwrap().redated.len(), spoken.len());
    let listed = world.open.recordings().unwrap();
    let newest_last: Vec<_> = listed.iter().rev().map(|one| one.id).collect();
    assert_eq!(newest_last, spoken);
    // And so the last one is the one that was added last.
    let added: Vec<_> = listed.iter().map(|one| one.card.added_at.unix_ms).collect();
    assert!(
        added.is_sorted_by(|newer, older| newer > older),
        "{added:?}"
    );
}

#[test]
fn what_a_broken_clock_recorded_stays_in_its_order_also_when_it_is_merged_one_by_one() {
    let world = World::new();
    let mut spoken = Vec::new();
    // Two each time; the clock begins anew with the machine.
    for _ in 0..5 {
        for minute in 0..2 {
            world.set(100_000_000_000 + minute * 60_000);
            spoken.push(world.record("in 1973", 0));
        }
        assert_eq!(world.open.merge().unwrap().redated.len(), 2);
    }
    let listed = world.open.recordings().unwrap();
    let newest_last: Vec<_> = listed.iter().rev().map(|one| one.id).collect();
    assert_eq!(newest_last, spoken);
    // As far as that goes, the vault has seen time go on.
    let dates: Vec<_> = listed
        .iter()
        .map(|one| one.card.recorded_at.unix_ms)
        .collect();
    assert!(
        dates.is_sorted_by(|newer, older| newer > older),
        "{dates:?}"
    );
    assert!(world.open.now().unix_ms - dates[0] <= 10);
}

#[test]
fn what_waits_or_runs_for_days_keeps_the_date_of_its_clock() {
    let world = World::new();
    let recorded = world.record("waits", 0);
    let mut running = world.open.vault().begin(&card("runs")).unwrap();
    running.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
    // Somebody else changes keys meanwhile, again and again.
    for day in 1..=5 {
        world.set(RECORDED_MS + day * DAY_MS);
        world.open.change_settings(&mut |_| ()).unwrap();
    }
    let ended = running.finish(&card("runs")).unwrap();
    let report = world.open.merge().unwrap();
    assert_eq!(report.redated, []);
    for id in [recorded, ended] {
        let card = world.open.recording(id).unwrap().card;
        assert_eq!(card.recorded_at, moment(RECORDED_MS));
    }
}

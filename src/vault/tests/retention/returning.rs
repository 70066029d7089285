//! From when the age of what comes back from a backup counts.

use super::*;

#[test]
fn what_was_just_put_back_is_destroyed_by_no_rule_before_its_age_has_gone_by_here() {
    // The vault has noted no time since it was made; so late, the clock is not believed.
    for away_ms in [HOUR_MS, 119 * 60_000, DAY_MS, 200 * DAY_MS] {
        let world = World::new();
        let age = Age {
            months: 0,
            days: 0,
            seconds: 3_000,
        };
        let keep = Some(Keep::For(age));
        world.rule(None, keep, keep);
        let came_ms = RECORDED_MS + away_ms;
        world.set(came_ms);
        let id = world.restore(1);
        let kept_from = || world.open.recording(id).unwrap().kept_from.unix_ms;
        assert_eq!(kept_from(), came_ms);
        for trust in [Trust::IfPlausible, Trust::Confirmed] {
            world.set(came_ms + 2_999_000);
            assert!(!matches!(world.sweep(trust, &[]), Sweep::Done(_)));
            assert_eq!(world.open.ids().unwrap(), [id]);
        }
        // Nor does it stay longer.
        world.set(came_ms + 3_000_000);
        assert_eq!(world.swept().gone[0].id, id);
    }
}

#[test]
fn what_comes_back_by_a_clock_of_long_ago_counts_from_the_latest_time_seen() {
    let world = World::new();
    let seen_ms = RECORDED_MS + 40 * DAY_MS;
    world.set(seen_ms);
    world.open.change_settings(&mut |_| ()).unwrap();
    world.set(100_000_000_000);
    let id = world.restore(1);
    let recording = world.open.recording(id).unwrap();
    assert_eq!(recording.kept_from.unix_ms, seen_ms);
    assert_eq!(recording.card.recorded_at.unix_ms, RECORDED_MS);
}

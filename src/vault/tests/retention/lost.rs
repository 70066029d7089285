//! A vault that was made while the clock said 1970.

use proptest::prelude::*;

use super::*;

#[test]
fn what_came_in_before_any_clock_was_right_counts_from_when_one_is() {
    for away_ms in [10 * HOUR_MS, 30 * DAY_MS, 4_000 * DAY_MS] {
        let world = World::made_at(100_000_000, RECORDED_MS);
        world.rule(None, days(90), days(90));
        let recorded = world.record("in 1970", 0);
        let imported = world.import(RECORDED_MS - 2_500 * DAY_MS);
        world.open.merge().unwrap();
        let recording = |id| world.open.recording(id).unwrap();
        let date_ms = recording(recorded).card.recorded_at.unix_ms;
        assert!((RECORDED_MS..RECORDED_MS + 10).contains(&date_ms));
        let now_ms = RECORDED_MS + away_ms;
        world.set(now_ms);
        match world.sweep(Trust::IfPlausible, &[]) {
            Sweep::Doubtful(doubt) => assert_eq!(doubt.due, []),
            Sweep::Nothing => assert!(away_ms < DAY_MS),
            Sweep::Done(swept) => panic!("{:?}", swept.gone),
        }
        let outlook = world.open.outlook(moment(now_ms)).unwrap();
        assert_eq!((outlook.due.len(), outlook.later.len()), (0, 2));
        assert_eq!(world.sweep(Trust::Confirmed, &[]), Sweep::Nothing);
        for id in [recorded, imported] {
            assert_eq!(recording(id).kept_from.unix_ms, now_ms);
        }
        world.set(now_ms + 90 * DAY_MS - 1);
        assert_eq!(world.sweep(Trust::Confirmed, &[]), Sweep::Nothing);
        world.set(now_ms + 90 * DAY_MS);
        assert_eq!(world.swept().gone.len(), 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn nothing_goes_early_in_a_vault_that_was_made_without_a_clock(
        made_ms in 0_i64..RECORDED_MS,
        waits in prop::collection::vec((0_i64..3_000, any::<bool>()), 1..5),
        away_hours in 1_i64..5_000,
        kept_days in 1_u32..6,
    ) {
        let world = World::made_at(made_ms, RECORDED_MS);
        world.rule(None, days(kept_days), days(kept_days));
        for (age_days, merged) in waits {
            world.record("by a clock that is wrong", age_days * DAY_MS);
            world.set(world.now_ms() + HOUR_MS);
            if merged {
                world.open.merge().unwrap();
                let swept = world.sweep(Trust::IfPlausible, &[]);
                prop_assert!(!matches!(swept, Sweep::Done(_)));
            }
        }
        let all = world.open.merge().unwrap().merged.len();
        let all = all.max(world.open.ids().unwrap().len());
        let right_ms = RECORDED_MS + 30 * DAY_MS + away_hours * HOUR_MS;
        let age_ms = i64::from(kept_days) * DAY_MS;
        for later_ms in [0, age_ms - 1] {
            world.set(right_ms + later_ms);
            prop_assert_eq!(world.sweep(Trust::Confirmed, &[]), Sweep::Nothing);
        }
        world.set(right_ms + age_ms);
        let Sweep::Done(swept) = world.sweep(Trust::Confirmed, &[]) else {
            return Err(TestCaseError::fail("it stays for good"));
        };
        prop_assert_eq!(swept.gone.len(), all);
    }
}

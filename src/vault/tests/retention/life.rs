//! Whole lives of a vault, made by chance: what happens to it in any order, held against
//! an oracle.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::oracle::{Oracle, Truth};
use super::*;
use crate::retention::{ClockVerdict, let_go};

/// Something that happens to a vault.
#[derive(Debug, Clone)]
enum Event {
    Pass {
        hours: i64,
    },
    Leap {
        days: i64,
    },
    Record {
        kind: Kind,
        age_days: i64,
    },
    Merge,
    Transcribe(usize),
    Tag(usize, bool),
    Pin(usize, bool),
    Rule {
        tagged: bool,
        audio: Option<u32>,
        text: Option<u32>,
    },
    Sweep,
    /// The owner comes, looks at his watch, and says that the clock is right if it is.
    Ask,
}

fn event() -> impl Strategy<Value = Event> {
    let which = 0_usize..6;
    prop_oneof![
        5 => (1_i64..40).prop_map(|hours| Event::Pass { hours }),
        1 => (-4000_i64..4000).prop_map(|days| Event::Leap { days }),
        1 => Just(Event::Leap { days: 0 }),
        4 => (prop::sample::select(Kind::ALL.as_slice()), 0_i64..3000)
            .prop_map(|(kind, age_days)| Event::Record { kind, age_days }),
        4 => Just(Event::Merge),
        1 => which.clone().prop_map(Event::Transcribe),
        2 => (which.clone(), any::<bool>()).prop_map(|(which, on)| Event::Tag(which, on)),
        1 => (which, any::<bool>()).prop_map(|(which, on)| Event::Pin(which, on)),
        2 => (any::<bool>(), prop::option::of(0_u32..6), prop::option::of(0_u32..6))
            .prop_map(|(tagged, audio, text)| Event::Rule { tagged, audio, text }),
        5 => Just(Event::Sweep),
        3 => Just(Event::Ask),
    ]
}

/// What a life of a vault came to, so that a test that saw nothing fails.
#[derive(Debug, Default)]
struct Seen {
    gone: BTreeMap<Kind, usize>,
    doubted: usize,
    doubted_early: usize,
    looked_for_late_ones: usize,
    looked_behind_leaps: usize,
}

#[test]
fn nothing_goes_early_nothing_pinned_ever_and_nothing_is_late_by_more_than_one_sweep() {
    let seen = RefCell::new(Seen::default());
    let lives = (0_u32..4, 0_u32..4, prop::collection::vec(event(), 8..40));
    let lives = lives.prop_map(|(audio, text, events)| framed(audio, text, events));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(16));
    let lived = runner.run(&lives, |events| live(events, &mut seen.borrow_mut()));
    lived.unwrap();
    let seen = seen.into_inner();
    let controls = [
        seen.doubted,
        seen.doubted_early,
        seen.looked_for_late_ones,
        seen.looked_behind_leaps,
    ];
    let all_seen = controls.iter().all(|many| *many > 0);
    assert!(all_seen && seen.gone.len() == Kind::ALL.len(), "{seen:?}");
}

#[test]
fn a_life_with_a_broken_clock_holds_what_every_life_does() {
    let rule = |audio, text| Event::Rule {
        tagged: false,
        audio,
        text,
    };
    let record = || Event::Record {
        kind: Kind::Complete,
        age_days: 100,
    };
    // Behind a leap ahead that was seen, and right before one that is right.
    let behind_a_leap = vec![
        rule(Some(1), Some(0)),
        Event::Leap { days: 5 },
        rule(None, None),
        Event::Leap { days: -30 },
        record(),
        Event::Leap { days: 0 },
        Event::Merge,
        Event::Pass { hours: 100 },
        Event::Ask,
        Event::Sweep,
    ];
    let before_a_right_one = vec![
        rule(Some(1), Some(0)),
        Event::Leap { days: -30 },
        record(),
        Event::Merge,
        Event::Leap { days: 0 },
        record(),
        Event::Merge,
        Event::Sweep,
    ];
    for events in [behind_a_leap, before_a_right_one] {
        let mut seen = Seen::default();
        live(events, &mut seen).unwrap();
        assert!(seen.looked_behind_leaps > 0);
    }
}

/// A life under a rule from its first day, to the end of which its owner comes.
fn framed(audio: u32, text: u32, events: Vec<Event>) -> Vec<Event> {
    let (audio, text) = (Some(audio), Some(text));
    let rule = Event::Rule {
        tagged: false,
        audio,
        text,
    };
    let end = [
        Event::Leap { days: 0 },
        Event::Merge,
        Event::Pass { hours: 100 },
        Event::Ask,
        Event::Sweep,
    ];
    [rule].into_iter().chain(events).chain(end).collect()
}

fn live(events: Vec<Event>, seen: &mut Seen) -> Result<(), TestCaseError> {
    let world = World::new();
    let mut oracle = Oracle {
        skew_ms: 0,
        ever_wrong: false,
        seen_ahead: false,
        true_ms: RECORDED_MS,
        truths: BTreeMap::new(),
        rules: [(None, None); 2],
    };
    for event in events {
        let nth = |n: usize, truths: &BTreeMap<RecordingId, Truth>| {
            let merged = truths.iter().filter(|(_, truth)| truth.merged);
            let ids: Vec<_> = merged.map(|(id, _)| *id).collect();
            ids.get(n)
                .copied()
                .filter(|id| world.open.recording(*id).is_ok())
        };
        match event {
            Event::Pass { hours } => oracle.true_ms += hours * HOUR_MS,
            // Less than two days are no leap.
            Event::Leap { days } => {
                oracle.skew_ms = if days.abs() < 3 { 0 } else { days * DAY_MS };
                oracle.ever_wrong |= oracle.skew_ms != 0;
                oracle.seen_ahead |= oracle.skew_ms > 0;
            }
            Event::Record { kind, age_days } => {
                let id = world.record_as(kind, "one", age_days * DAY_MS);
                let date_ms = world.now_ms() - age_days * DAY_MS;
                let counts_from_ms = match oracle.seen_ahead {
                    true => i64::MAX,
                    // It may be milliseconds ahead: what a broken clock recorded took them.
                    false => {
                        let seen_ms = world.open.settings().unwrap().last_seen_ms;
                        oracle.true_ms.max(date_ms).max(seen_ms)
                    }
                };
                oracle.truths.insert(
                    id,
                    Truth {
                        kind,
                        entered_ms: oracle.true_ms,
                        told_ms: world.now_ms(),
                        date_ms,
                        counts_from_ms,
                        tagged: false,
                        pinned: false,
                        merged: false,
                        written: false,
                    },
                );
            }
            Event::Merge => {
                let report = world.open.merge().unwrap();
                for one in report.redated {
                    // The latest time seen is its date now, also if that was ahead.
                    let card = world.open.recording(one.id).unwrap().card;
                    oracle.truths.get_mut(&one.id).unwrap().date_ms = card.recorded_at.unix_ms;
                }
                for id in report.merged {
                    let truth = oracle.truths.get_mut(&id).unwrap();
                    truth.merged = true;
                    if oracle.seen_ahead {
                        truth.counts_from_ms = i64::MAX;
                    }
                    if truth.kind == Kind::Failed {
                        world.fail(id);
                    }
                }
            }
            Event::Transcribe(n) => {
                if let Some(id) = nth(n, &oracle.truths) {
                    // It may have lost its key to the rules.
                    let made = world.open.add_transcript(id, 0, &transcript("said"));
                    oracle.truths.get_mut(&id).unwrap().written |= made.is_ok();
                }
            }
            Event::Tag(n, on) => {
                if let Some(id) = nth(n, &oracle.truths) {
                    let tags = if on { vec!["T".to_owned()] } else { Vec::new() };
                    world
                        .open
                        .update_card(id, &mut |card| card.tags.clone_from(&tags))
                        .unwrap();
                    oracle.truths.get_mut(&id).unwrap().tagged = on;
                }
            }
            Event::Pin(n, on) => {
                if let Some(id) = nth(n, &oracle.truths) {
                    world
                        .open
                        .update_card(id, &mut |card| card.pinned = on)
                        .unwrap();
                    oracle.truths.get_mut(&id).unwrap().pinned = on;
                }
            }
            Event::Rule {
                tagged,
                audio,
                text,
            } => {
                let keep = |number: Option<u32>| number.and_then(days);
                world.rule(tagged.then_some("t"), keep(audio), keep(text));
                let rule = &mut oracle.rules[usize::from(tagged)];
                *rule = (audio.or(rule.0), text.or(rule.1));
            }
            Event::Sweep | Event::Ask => {
                let is_asked = matches!(event, Event::Ask) && oracle.skew_ms == 0;
                let trust = if is_asked {
                    Trust::Confirmed
                } else {
                    Trust::IfPlausible
                };
                match world.sweep(trust, &[]) {
                    Sweep::Done(swept) => {
                        for gone in &swept.gone {
                            let kind = oracle.truths[&gone.id].kind;
                            *seen.gone.entry(kind).or_default() += 1;
                        }
                        oracle.check_gone(&swept)?;
                    }
                    Sweep::Nothing => {}
                    Sweep::Doubtful(doubt) => {
                        prop_assert!(trust == Trust::IfPlausible);
                        seen.doubted += 1;
                        seen.doubted_early += usize::from(doubt.due.is_empty());
                        continue;
                    }
                }
                // A leap that one sweep kept to itself would stop all that come behind it.
                let outlook = world.open.outlook(moment(world.now_ms())).unwrap();
                let is_ahead = outlook.clock == ClockVerdict::Ahead;
                prop_assert!(!is_ahead || !let_go(&outlook.rules), "a leap was not said");
                if oracle.skew_ms == 0 {
                    seen.looked_for_late_ones += 1;
                    seen.looked_behind_leaps += usize::from(oracle.ever_wrong);
                    oracle.check_left(&world)?;
                }
                // What that put right is the next sweep's.
                if trust == Trust::Confirmed {
                    oracle.confirmed();
                }
            }
        }
        world.set(oracle.true_ms + oracle.skew_ms);
    }
    Ok(())
}

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;
use crate::time::Age;

const DAY_MS: i64 = 86_400_000;

fn at(day: i64) -> Moment {
    Moment {
        unix_ms: day * DAY_MS,
        offset_s: 0,
    }
}

fn rule(tag: Option<&str>, audio: Option<&str>, text: Option<&str>) -> Rule {
    let keep = |text: &str| text.parse().unwrap();
    Rule {
        tag: tag.map(str::to_owned),
        audio: audio.map(keep),
        text: text.map(keep),
    }
}

fn subject(tags: &[String]) -> Subject<'_> {
    Subject {
        kept_from: at(1000),
        tags: Tags::Known(tags),
        pinned: false,
        audio: Part::There,
        text: Part::There,
        transcript: Transcript::Settled,
    }
}

/// Day and what goes.
fn steps(rules: &[Rule], subject: &Subject<'_>) -> Vec<(i64, Going)> {
    let course = course(subject, &terms(rules, subject));
    let step = |step: &Step<'_>| (step.at.unix_ms / DAY_MS, step.what);
    course.iter().map(step).collect()
}

#[test]
fn audio_and_text_have_clocks_of_their_own_and_the_card_goes_with_the_last() {
    let none = subject(&[]);
    let audio = rule(None, Some("90d"), Some("forever"));
    assert_eq!(steps(&[audio], &none), [(1090, Going::Audio)]);
    let text = rule(None, None, Some("30d"));
    assert_eq!(steps(&[text], &none), [(1030, Going::Text)]);
    let both = rule(None, Some("90d"), Some("1y"));
    let expected = [(1090, Going::Audio), (1365, Going::Everything)];
    assert_eq!(steps(&[both], &none), expected);
    let same = rule(None, Some("18mo"), Some("18mo"));
    assert_eq!(steps(&[same], &none), [(1546, Going::Everything)]);
    assert!(steps(&[], &none).is_empty());
}

#[test]
fn what_was_shredded_by_hand_leaves_the_card_to_the_other_clock() {
    let both = [rule(None, Some("90d"), Some("1y"))];
    let deaf = Subject {
        audio: Part::Gone,
        ..subject(&[])
    };
    assert_eq!(steps(&both, &deaf), [(1365, Going::Everything)]);
    let mute = Subject {
        text: Part::Gone,
        ..subject(&[])
    };
    let expected = [(1090, Going::Audio), (1365, Going::Everything)];
    assert_eq!(steps(&both, &mute), expected);
    let text_forever = [rule(None, Some("90d"), None)];
    assert!(steps(&text_forever, &deaf).is_empty());
    assert_eq!(steps(&text_forever, &mute), [(1090, Going::Audio)]);
    // Title, tags and note stay as long as either clock says forever.
    let audio_forever = [rule(None, Some("forever"), Some("30d"))];
    assert_eq!(steps(&audio_forever, &deaf), [(1030, Going::Text)]);
    let bare = Subject {
        audio: Part::Gone,
        ..mute
    };
    assert!(steps(&audio_forever, &bare).is_empty());
    assert!(steps(&text_forever, &bare).is_empty());
    assert_eq!(steps(&both, &bare), [(1365, Going::Everything)]);
}

#[test]
fn a_rule_for_a_tag_replaces_the_one_for_all_clock_by_clock() {
    let rules = [
        rule(None, Some("90d"), Some("1y")),
        rule(Some("work"), Some("10d"), None),
    ];
    let tags = ["Work".to_owned()];
    let expected = [(1010, Going::Audio), (1365, Going::Everything)];
    assert_eq!(steps(&rules, &subject(&tags)), expected);
    let other = ["play".to_owned()];
    let expected = [(1090, Going::Audio), (1365, Going::Everything)];
    assert_eq!(steps(&rules, &subject(&other)), expected);
}

#[test]
fn of_several_tags_the_rule_that_keeps_longest_counts() {
    let rules = [
        rule(None, Some("1d"), Some("1d")),
        rule(Some("a"), Some("10d"), Some("30d")),
        rule(Some("b"), Some("20d"), Some("forever")),
    ];
    let tags = ["a".to_owned(), "b".to_owned()];
    let one = subject(&tags);
    assert_eq!(steps(&rules, &one), [(1020, Going::Audio)]);
    let by = terms(&rules, &one).audio.by.unwrap();
    assert_eq!(by.to_string(), "tag:b: audio 20d, text forever");
}

#[test]
fn a_card_that_cant_be_read_may_have_any_tag() {
    let rules = [
        rule(None, Some("10d"), Some("10d")),
        rule(Some("a"), Some("5d"), Some("50d")),
    ];
    let unread = Subject {
        tags: Tags::Unreadable,
        ..subject(&[])
    };
    let expected = [(1010, Going::Audio), (1050, Going::Everything)];
    assert_eq!(steps(&rules, &unread), expected);
    // It may have no tag that a rule speaks of.
    assert!(steps(&rules[1..], &unread).is_empty());
}

#[test]
fn an_age_of_nothing_waits_for_the_transcript_that_is_to_come() {
    let nothing_but_text = [rule(None, Some("0d"), Some("forever"))];
    let awaited = Subject {
        transcript: Transcript::Awaited,
        ..subject(&[])
    };
    assert!(steps(&nothing_but_text, &awaited).is_empty());
    let written = subject(&[]);
    assert_eq!(steps(&nothing_but_text, &written), [(1000, Going::Audio)]);
    // The clock of a text that is not there yet does not go: with the key to it, the sound
    // would lose the transcript that it waits for, and go with the next sweep.
    let both = [rule(None, Some("0d"), Some("5s"))];
    assert!(steps(&both, &awaited).is_empty());
    assert_eq!(
        steps(&both, &written),
        [(1000, Going::Audio), (1000, Going::Everything)]
    );
    let once = course_once_written(&both, &awaited);
    assert_eq!(once, course(&written, &terms(&both, &written)));
    assert!(course_once_written(&both, &written).is_empty());
    // Where it was destroyed by hand, nothing is waited for.
    let mute = Subject {
        text: Part::Gone,
        transcript: Transcript::Settled,
        ..awaited
    };
    let expected = [(1000, Going::Audio), (1000, Going::Everything)];
    assert_eq!(steps(&both, &mute), expected);
    // A second is an age.
    let a_second = [rule(None, Some("1s"), Some("forever"))];
    assert_eq!(steps(&a_second, &awaited), [(1000, Going::Audio)]);
}

#[test]
fn rules_are_set_clock_by_clock_and_taken_away_whole() {
    let keep = |text: &str| Some(text.parse().unwrap());
    let mut rules = Vec::new();
    set_rule(&mut rules, Some("work"), keep("90d"), None);
    set_rule(&mut rules, None, keep("1y"), keep("forever"));
    set_rule(&mut rules, Some("WORK"), None, keep("18mo"));
    let said: Vec<String> = rules.iter().map(ToString::to_string).collect();
    let expected = [
        "all: audio 1y, text forever",
        "tag:work: audio 90d, text 18mo",
    ];
    assert_eq!(said, expected);
    assert!(!remove_rule(&mut rules, Some("play")));
    assert!(remove_rule(&mut rules, Some("work")));
    assert_eq!(rules.len(), 1);
}

#[test]
fn a_rule_for_a_tag_is_for_every_writing_of_it_that_a_filter_finds() {
    let general = rule(None, Some("1d"), Some("1d"));
    let forever = |tag| rule(Some(tag), Some("forever"), Some("forever"));
    for (tag, ruled) in [
        ("u\u{308}ber", "über"),
        ("STRASSE", "straße"),
        ("İstanbul", "istanbul"),
    ] {
        let tags = [tag.to_owned()];
        let rules = [general.clone(), forever(ruled)];
        assert!(steps(&rules, &subject(&tags)).is_empty(), "{tag}");
    }
    let tags = ["über-alles".to_owned()];
    let rules = [general, forever("über")];
    assert_eq!(steps(&rules, &subject(&tags)), [(1001, Going::Everything)]);
}

#[test]
fn rules_that_a_former_version_told_apart_are_set_and_taken_away_together() {
    let keep = |text: &str| Some(text.parse().unwrap());
    let two = || {
        vec![
            rule(None, Some("1d"), None),
            rule(Some("u\u{308}ber"), Some("1h"), None),
            rule(Some("über"), Some("2h"), None),
        ]
    };
    let mut rules = two();
    set_rule(&mut rules, Some("Über"), None, keep("9d"));
    let said: Vec<_> = rules.iter().map(|rule| (rule.audio, rule.text)).collect();
    let expected = [
        (keep("1d"), None),
        (keep("1h"), keep("9d")),
        (keep("2h"), keep("9d")),
    ];
    assert_eq!(said, expected);
    set_rule(&mut rules, Some("Über"), keep("3h"), None);
    assert_eq!(rules.len(), 2);
    assert_eq!((rules[1].audio, rules[1].text), (keep("3h"), keep("9d")));
    let mut rules = two();
    assert!(remove_rule(&mut rules, Some("uber")));
    assert_eq!(rules, [rule(None, Some("1d"), None)]);
}

#[test]
fn a_rule_for_a_tag_that_hides_something_shows_it() {
    let hiding = rule(Some("\u{202e}evil"), Some("1d"), None);
    assert_eq!(hiding.to_string(), "tag:\\u{202e}evil: audio 1d");
}

#[test]
fn a_clock_is_believed_for_a_day_and_a_vault_without_a_time_believes_any() {
    let now = |ms| Moment {
        unix_ms: ms,
        offset_s: 0,
    };
    let seen = 1000 * DAY_MS;
    let judge = |believed, ms| judge_clock(seen, believed, now(ms));
    assert_eq!(judge(seen, seen + DAY_MS), ClockVerdict::Right);
    assert_eq!(judge(seen, seen + 2 * DAY_MS), ClockVerdict::Ahead);
    assert_eq!(judge(seen, seen - 1), ClockVerdict::Behind);
    // What was seen and not believed does not make it right.
    assert_eq!(judge(seen - 3 * DAY_MS, seen + 1), ClockVerdict::Ahead);
    assert_eq!(judge(0, seen), ClockVerdict::Right);
}

fn any_keep() -> impl Strategy<Value = Option<Keep>> {
    let age = (0_u32..3, 0_u32..40, 0_u32..100_000).prop_map(|(months, days, seconds)| {
        Keep::For(Age {
            months,
            days,
            seconds,
        })
    });
    let nothing = Keep::For(Age {
        months: 0,
        days: 0,
        seconds: 0,
    });
    prop_oneof![
        Just(None),
        Just(Some(Keep::Forever)),
        Just(Some(nothing)),
        age.prop_map(Some)
    ]
}

fn any_transcript() -> impl Strategy<Value = Transcript> {
    prop_oneof![Just(Transcript::Awaited), Just(Transcript::Settled)]
}

fn any_rules() -> impl Strategy<Value = Vec<Rule>> {
    let tag = prop_oneof![Just(None), "[abc]".prop_map(Some)];
    let rule = (tag, any_keep(), any_keep());
    prop::collection::vec(rule, 0..5).prop_map(|parts| {
        let mut rules = Vec::new();
        for (tag, audio, text) in parts {
            set_rule(&mut rules, tag.as_deref(), audio, text);
        }
        rules
    })
}

#[test]
fn what_a_broken_clock_says_is_dated_by_the_latest_time_seen() {
    let day = |number| at(number).unix_ms;
    let dated = |seen, believed, now| dated(day(seen), day(believed), at(now));
    assert_eq!(dated(100, 100, -17_000), at(100), "a clock of long ago");
    assert_eq!(dated(100, 50, 48), at(100), "before what was believed");
    assert_eq!(dated(100, 0, 70), at(100), "none was believed yet");
    assert_eq!(dated(100, 50, 70), at(70), "no leap outvotes it");
    assert_eq!(dated(50, 100, 52), at(52), "it waited for weeks");
    assert_eq!(
        dated(100, 100, 99),
        at(99),
        "a day is within what is believed"
    );
    for right in [100, 101, 900] {
        assert_eq!(dated(100, 100, right), at(right));
    }
    // One that was years ahead for an hour, and was put right.
    assert_eq!(dated(3_000, 100, 100), at(100));
    assert_eq!(dated(3_000, 100, 101), at(101));
}

proptest! {
    /// The prefilter goes by the shortest rule; nothing may be due before it.
    #[test]
    fn nothing_is_due_before_the_shortest_rule_says(
        rules in any_rules(),
        tags in prop::collection::vec("[abcd]", 0..3),
        kept_from in 0_i64..2_000_000_000_000,
        after in 0_i64..200 * DAY_MS,
    ) {
        let kept_from = Moment { unix_ms: kept_from, offset_s: 0 };
        let now = Moment { unix_ms: kept_from.unix_ms + after, offset_s: 0 };
        let subject = Subject { kept_from, ..subject(&tags) };
        let terms = terms(&rules, &subject);
        let due = due(&subject, &terms, now);
        let may_be = earliest(&rules, kept_from).is_some_and(|at| at.unix_ms <= now.unix_ms);
        prop_assert!(may_be || due.is_none());
        let pinned = Subject { pinned: true, ..subject };
        prop_assert!(course(&pinned, &terms).is_empty());
    }

    /// What a preview says at the beginning is what sweeps do, one after the other.
    #[test]
    fn a_step_changes_nothing_of_those_that_were_foretold_behind_it(
        rules in any_rules(),
        tags in prop::collection::vec("[abcd]", 0..3),
        transcript in any_transcript(),
    ) {
        let mut left = Subject { transcript, ..subject(&tags) };
        let mut foretold = course(&left, &terms(&rules, &left));
        while !foretold.is_empty() {
            let done = foretold.remove(0);
            match done.what {
                Going::Everything => {
                    prop_assert!(foretold.is_empty());
                    break;
                }
                Going::Audio => left.audio = Part::Gone,
                Going::Text => left.text = Part::Gone,
            }
            left.transcript = Transcript::Settled;
            prop_assert_eq!(&course(&left, &terms(&rules, &left)), &foretold);
        }
    }

    /// Whatever the rules say of its text.
    #[test]
    fn sound_that_is_kept_for_nothing_but_its_transcript_waits_for_it(
        rules in any_rules(),
        tags in prop::collection::vec("[abcd]", 0..3),
    ) {
        let awaited = Subject { transcript: Transcript::Awaited, ..subject(&tags) };
        let waits = matches!(terms(&rules, &awaited).audio.end, End::OnceWritten(_));
        prop_assert!(!waits || course(&awaited, &terms(&rules, &awaited)).is_empty());
        prop_assert_eq!(waits, !course_once_written(&rules, &awaited).is_empty());
    }

    /// Whichever tags a recording has, it is not kept longer than one that can't be read.
    #[test]
    fn a_damaged_card_lets_nothing_go_early(
        rules in any_rules(),
        tags in prop::collection::vec("[abcd]", 0..3),
        transcript in any_transcript(),
    ) {
        let known = Subject { transcript, ..subject(&tags) };
        let awaited = Transcript::Awaited;
        let unread = Subject { tags: Tags::Unreadable, transcript: awaited, ..known };
        let (known, unread) = (terms(&rules, &known), terms(&rules, &unread));
        prop_assert!(known.audio.end.rank() <= unread.audio.end.rank());
        prop_assert!(known.text.end.rank() <= unread.text.end.rank());
    }

    #[test]
    fn what_is_typed_comes_back(months in 0_u32..100, days in 0_u32..1000) {
        let keep = Keep::For(Age { months, days, seconds: 0 });
        prop_assert_eq!(keep.to_string().parse::<Keep>().unwrap(), keep);
    }
}

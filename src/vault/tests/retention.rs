//! Retention over a whole vault, by a clock that the test sets.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::recording::Recording;
use crate::retention::{Going, Keep, Trust, set_rule};
use crate::time::Age;
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::{Error, Sweep, Swept};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A vault on a disk in memory, and its clock.
struct World {
    clock_ms: Arc<AtomicI64>,
    open: OpenVault,
}

impl World {
    fn new() -> Self {
        let clock_ms = Arc::new(AtomicI64::new(RECORDED_MS));
        let told = Arc::clone(&clock_ms);
        let clock = Clock::new(move || moment(told.load(Ordering::Relaxed)));
        let site = crash::site(&SimDisk::default()).with_clock(clock);
        let options = InitOptions {
            work: WorkFactor::NONE,
            ..InitOptions::default()
        };
        let open = Vault::init_at(site, &passphrase(), options).unwrap();
        Self { clock_ms, open }
    }

    fn now_ms(&self) -> i64 {
        self.clock_ms.load(Ordering::Relaxed)
    }

    fn set(&self, ms: i64) {
        self.clock_ms.store(ms, Ordering::Relaxed);
    }

    /// Records now, of a date that may lie before.
    fn record(&self, title: &str, age_ms: i64) -> RecordingId {
        let card = Card {
            recorded_at: moment(self.now_ms() - age_ms),
            added_at: moment(self.now_ms()),
            tags: Vec::new(),
            samples: u64::from(SEGMENT_SAMPLES),
            ..card(title)
        };
        let mut writer = self.open.vault().begin(&card).unwrap();
        writer.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
        writer.finish(&card).unwrap()
    }

    fn rule(&self, tag: Option<&str>, audio: Option<Keep>, text: Option<Keep>) {
        let change = |settings: &mut crate::vault::bag::Settings| {
            set_rule(&mut settings.retention, tag, audio, text);
        };
        self.open.change_settings(&mut { change }).unwrap();
    }

    fn sweep(&self, trust: Trust, spared: &[RecordingId]) -> Sweep {
        let now = moment(self.now_ms());
        let swept = self.open.sweep(now, trust, spared, &mut |_, _| ());
        swept.unwrap()
    }

    fn swept(&self) -> Swept {
        match self.sweep(Trust::IfPlausible, &[]) {
            Sweep::Done(swept) => *swept,
            other => panic!("{other:?}"),
        }
    }

    fn generation(&self) -> u64 {
        self.open
            .session()
            .with(|held| Ok(held.generation()))
            .unwrap()
    }
}

fn days(days: u32) -> Option<Keep> {
    Some(Keep::For(Age {
        months: 0,
        days,
        seconds: 0,
    }))
}

#[test]
fn a_folder_from_years_ago_is_kept_from_the_day_on_which_it_came() {
    let world = World::new();
    world.rule(None, days(1), days(1));
    let id = world.record("old", 2000 * DAY_MS);
    world.open.merge().unwrap();
    assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    world.set(RECORDED_MS + DAY_MS - 1);
    assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    world.set(RECORDED_MS + DAY_MS);
    assert_eq!(world.swept().gone[0].id, id);
    assert!(world.open.ids().unwrap().is_empty());
}

#[test]
fn what_a_machine_without_a_clock_records_counts_from_the_last_time_seen() {
    let world = World::new();
    world.rule(None, days(3), days(3));
    world.set(5_000);
    world.record("in 1970", 0);
    world.open.merge().unwrap();
    assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    world.set(RECORDED_MS + HOUR_MS);
    assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    assert_eq!(
        world.open.recordings().unwrap()[0].kept_from.unix_ms,
        RECORDED_MS
    );
}

#[test]
fn a_sweep_of_many_is_one_rotation_and_its_receipt_names_each() {
    let world = World::new();
    world.rule(None, days(1), days(1));
    let ids: Vec<_> = (0..5).map(|_| world.record("short-lived", 0)).collect();
    world.open.merge().unwrap();
    world.set(RECORDED_MS + DAY_MS);
    let before = world.generation();
    let swept = world.swept();
    assert_eq!(world.generation(), before + 1);
    assert_eq!(swept.receipt.shredded.len(), ids.len());
    assert!(swept.receipt.not_final.is_none() && swept.failed.is_empty());
    assert_eq!(swept.gone[0].by, "all: audio 1d, text 1d");
}

#[test]
fn text_alone_goes_and_no_further_transcript_is_made() {
    let world = World::new();
    let id = world.record("heard", 0);
    world.open.merge().unwrap();
    world
        .open
        .add_transcript(id, 0, &transcript("said"))
        .unwrap();
    world.rule(None, None, days(0));
    let swept = world.swept();
    assert_eq!(swept.gone[0].what, Going::Text);
    assert_eq!(swept.receipt.shredded[0].transcripts, 1);
    let left = world.open.recording(id).unwrap();
    assert!(left.versions.is_empty() && left.text_shredded && !left.waits_for_transcript());
    let late = world.open.add_transcript(id, 0, &transcript("said again"));
    assert!(matches!(late, Err(Error::Outdated { .. })));
    assert!(world.open.sound(id).is_ok());
    assert_eq!(world.open.verify(&|_, _| ()).unwrap().flaws, []);
    assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
}

#[test]
fn nothing_but_the_transcript_waits_until_there_is_one() {
    let world = World::new();
    world.rule(None, days(0), Some(Keep::Forever));
    let id = world.record("dictated", 0);
    world.open.merge().unwrap();
    assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    world
        .open
        .add_transcript(id, 0, &transcript("said"))
        .unwrap();
    assert_eq!(world.swept().gone[0].what, Going::Audio);
    assert!(matches!(world.open.sound(id), Err(Error::NoSound { .. })));
    assert_eq!(world.open.transcript(id, 1).unwrap().text(), "said");
}

#[test]
fn the_clock_of_the_text_takes_no_sound_that_waits_to_be_written_down() {
    let world = World::new();
    world.rule(None, days(0), days(1));
    let id = world.record("dictated", 0);
    world.open.merge().unwrap();
    for day in 0..3 {
        world.set(RECORDED_MS + day * DAY_MS);
        let now = moment(world.now_ms());
        let outlook = world.open.outlook(now).unwrap();
        assert!(outlook.due.is_empty() && outlook.later.is_empty());
        let waits: Vec<_> = outlook
            .once_transcribed
            .iter()
            .map(|one| one.what)
            .collect();
        let expected: &[Going] = match day {
            0 => &[Going::Audio, Going::Everything],
            _ => &[Going::Everything],
        };
        assert_eq!(waits, expected);
        assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    }
    // Now it is there, and was over long ago.
    let said = transcript("said");
    world.open.add_transcript(id, 0, &said).unwrap();
    assert_eq!(world.swept().gone[0].what, Going::Everything);
}

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

#[test]
fn a_damaged_card_keeps_its_pin_and_goes_with_the_last_rule_that_may_be_meant() {
    let world = World::new();
    let [pinned, tagged] = [world.record("pinned", 0), world.record("tagged", 0)];
    world.open.merge().unwrap();
    let pin = &mut |card: &mut Card| card.pinned = true;
    world.open.update_card(pinned, pin).unwrap();
    world.rule(None, days(1), days(1));
    world.rule(Some("a"), days(2), days(2));
    let break_card = |id| {
        world.open.session().with(|held| {
            let (at, _) = held.clip(id)?;
            held.store()
                .write(held.lock(), |rows| rows.put_card(at, b"nothing"))
        })
    };
    break_card(pinned).unwrap();
    break_card(tagged).unwrap();
    assert!(world.open.recording(tagged).is_err(), "the control");
    world.set(RECORDED_MS + DAY_MS);
    assert_eq!(world.sweep(Trust::IfPlausible, &[]), Sweep::Nothing);
    world.set(RECORDED_MS + 2 * DAY_MS);
    let swept = world.swept();
    assert_eq!(swept.gone.len(), 1);
    assert_eq!(
        (swept.gone[0].id, swept.gone[0].what),
        (tagged, Going::Everything)
    );
    assert_eq!(world.open.ids().unwrap(), [pinned]);
}

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
        4 => (1_i64..60).prop_map(|hours| Event::Pass { hours }),
        1 => (-4000_i64..4000).prop_map(|days| Event::Leap { days }),
        1 => Just(Event::Leap { days: 0 }),
        4 => (0_i64..3000).prop_map(|age_days| Event::Record { age_days }),
        3 => Just(Event::Merge),
        1 => which.clone().prop_map(Event::Transcribe),
        2 => (which.clone(), any::<bool>()).prop_map(|(which, on)| Event::Tag(which, on)),
        1 => (which, any::<bool>()).prop_map(|(which, on)| Event::Pin(which, on)),
        2 => (any::<bool>(), prop::option::of(0_u32..6), prop::option::of(0_u32..6))
            .prop_map(|(tagged, audio, text)| Event::Rule { tagged, audio, text }),
        5 => Just(Event::Sweep),
        3 => Just(Event::Ask),
    ]
}

/// What is true of a recording, whatever clocks say.
#[derive(Debug, Clone)]
struct Truth {
    /// By a clock that never leaps.
    entered_ms: i64,
    /// Whether the clock was right or ahead then.
    honest: bool,
    tagged: bool,
    pinned: bool,
    merged: bool,
    written: bool,
}

/// What must hold after a sweep, by another reading of the rules than theirs.
struct Oracle {
    /// How far the clock is off.
    skew_ms: i64,
    /// Whether it ever was.
    ever_wrong: bool,
    true_ms: i64,
    truths: BTreeMap<RecordingId, Truth>,
    /// Days for audio and text: for all, and for the tag.
    rules: [(Option<u32>, Option<u32>); 2],
}

impl Oracle {
    fn days(&self, truth: &Truth) -> (Option<u32>, Option<u32>) {
        let [all, tag] = self.rules;
        match truth.tagged {
            true => (tag.0.or(all.0), tag.1.or(all.1)),
            false => all,
        }
    }

    /// Whether the sound is kept for nothing but a transcript, and waits for it.
    fn waits(&self, truth: &Truth, recording: &Recording) -> bool {
        let both_there = recording.audio_bytes > 0 && !recording.text_shredded;
        self.days(truth).0 == Some(0) && !truth.written && both_there
    }

    /// Whether so many days have truly gone by.
    fn over(&self, truth: &Truth, days: Option<u32>) -> bool {
        days.is_some_and(|days| self.true_ms >= truth.entered_ms + i64::from(days) * DAY_MS)
    }

    /// Nothing went that is pinned or whose time had not truly come.
    fn check_gone(&self, swept: &Swept) -> Result<(), TestCaseError> {
        for gone in &swept.gone {
            let truth = &self.truths[&gone.id];
            prop_assert!(!truth.pinned, "a pinned one went: {:?}", gone.what);
            prop_assert!(truth.merged);
            let (audio, text) = self.days(truth);
            let (audio, text) = (self.over(truth, audio), self.over(truth, text));
            let was = gone.recording.as_ref().unwrap();
            prop_assert!(!self.waits(truth, was), "it waited: {:?}", gone.what);
            let is_due = match gone.what {
                Going::Audio => audio,
                Going::Text => text,
                Going::Everything => (audio || was.audio_bytes == 0) && (text || was.text_shredded),
            };
            // A recorder whose clock was behind is as right as the last time seen.
            prop_assert!(
                is_due || !truth.honest,
                "{:?} went early: {truth:?}",
                gone.what
            );
        }
        Ok(())
    }

    /// Nothing is left whose time has come, if clocks never leapt.
    fn check_left(&self, world: &World) -> Result<(), TestCaseError> {
        for recording in world.open.recordings().unwrap() {
            let truth = &self.truths[&recording.id];
            let (audio, text) = self.days(truth);
            let (audio, text) = (self.over(truth, audio), self.over(truth, text));
            let late = (audio && recording.audio_bytes > 0) || (text && !recording.text_shredded);
            let stays = truth.pinned || self.waits(truth, &recording);
            prop_assert!(stays || !late, "it is still there: {truth:?}");
        }
        Ok(())
    }
}

/// What a life of a vault came to, so that a test that saw nothing fails.
#[derive(Debug, Default)]
struct Seen {
    gone: usize,
    doubted: usize,
    looked_for_late_ones: usize,
}

#[test]
fn nothing_goes_early_nothing_pinned_ever_and_nothing_is_late_by_more_than_one_sweep() {
    let seen = RefCell::new(Seen::default());
    let lives = prop::collection::vec(event(), 10..45);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(16));
    let lived = runner.run(&lives, |events| live(events, &mut seen.borrow_mut()));
    lived.unwrap();
    let Seen {
        gone,
        doubted,
        looked_for_late_ones,
    } = seen.into_inner();
    assert!(
        gone > 0 && doubted > 0 && looked_for_late_ones > 0,
        "the control"
    );
}

fn live(events: Vec<Event>, seen: &mut Seen) -> Result<(), TestCaseError> {
    let world = World::new();
    let mut oracle = Oracle {
        skew_ms: 0,
        ever_wrong: false,
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
            }
            Event::Record { age_days } => {
                let id = world.record("one", age_days * DAY_MS);
                oracle.truths.insert(
                    id,
                    Truth {
                        entered_ms: oracle.true_ms,
                        honest: oracle.skew_ms >= 0,
                        tagged: false,
                        pinned: false,
                        merged: false,
                        written: false,
                    },
                );
            }
            Event::Merge => {
                for id in world.open.merge().unwrap().merged {
                    oracle.truths.get_mut(&id).unwrap().merged = true;
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
                        seen.gone += swept.gone.len();
                        oracle.check_gone(&swept)?;
                    }
                    Sweep::Nothing => {}
                    Sweep::Doubtful(_) => {
                        prop_assert!(trust == Trust::IfPlausible);
                        seen.doubted += 1;
                        continue;
                    }
                }
                if !oracle.ever_wrong {
                    seen.looked_for_late_ones += 1;
                    oracle.check_left(&world)?;
                }
            }
        }
        world.set(oracle.true_ms + oracle.skew_ms);
    }
    Ok(())
}

//! Retention over a whole vault, by a clock that the test sets.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::recording::{Recording, State};
use crate::retention::{ClockVerdict, Going, Keep, Trust, let_go, set_rule};
use crate::time::Age;
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::{Deed, Error, Sweep, Swept};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What becomes of a recording before anybody reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Complete,
    Interrupted,
    Silent,
    Failed,
}

impl Kind {
    const ALL: [Self; 4] = [
        Self::Complete,
        Self::Interrupted,
        Self::Silent,
        Self::Failed,
    ];

    /// Its state before there is a transcript.
    fn state(self) -> State {
        match self {
            Self::Complete => State::Pending,
            Self::Interrupted => State::Interrupted,
            Self::Silent => State::Silent,
            Self::Failed => State::Failed,
        }
    }
}

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
        self.record_as(Kind::Complete, title, age_ms)
    }

    /// The same, of any kind; one that is to fail does so once it is merged.
    fn record_as(&self, kind: Kind, title: &str, age_ms: i64) -> RecordingId {
        let mut card = Card {
            recorded_at: moment(self.now_ms() - age_ms),
            added_at: moment(self.now_ms()),
            tags: Vec::new(),
            samples: u64::from(SEGMENT_SAMPLES),
            ..card(title)
        };
        let mut writer = self.open.vault().begin(&card).unwrap();
        writer.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
        match kind {
            Kind::Interrupted => return writer.id(),
            Kind::Silent => card.signal.silent_fraction = 1.0,
            Kind::Complete | Kind::Failed => {}
        }
        writer.finish(&card).unwrap()
    }

    /// Takes in a file now that says it is of this date.
    fn import(&self, recorded_ms: i64) -> RecordingId {
        let card = Card {
            recorded_at: moment(recorded_ms),
            added_at: moment(self.now_ms()),
            samples: u64::from(SEGMENT_SAMPLES),
            source: Source::Import,
            content_hash: None,
            ..card("imported")
        };
        let mut writer = self.open.vault().begin(&card).unwrap();
        writer.push(&packets(2, 0), SEGMENT_SAMPLES).unwrap();
        writer.finish(&card).unwrap()
    }

    fn fail(&self, id: RecordingId) {
        let fails = &mut |card: &mut Card| card.failure = Some("the model ran dry".to_owned());
        self.open.update_card(id, fails).unwrap();
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
fn an_interrupted_a_silent_and_a_failed_recording_go_like_any_other() {
    let world = World::new();
    world.rule(None, days(1), days(1));
    let ids = Kind::ALL.map(|kind| world.record_as(kind, "one", 0));
    world.open.merge().unwrap();
    world.fail(ids[3]);
    let state = |id| world.open.recording(id).unwrap().state();
    assert_eq!(ids.map(state), Kind::ALL.map(Kind::state));
    world.set(RECORDED_MS + DAY_MS);
    assert_eq!(world.swept().gone.len(), ids.len());
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

/// What is true of a recording, whatever clocks say.
#[derive(Debug, Clone)]
struct Truth {
    kind: Kind,
    /// By a clock that never leaps.
    entered_ms: i64,
    /// What the clock said then.
    told_ms: i64,
    /// Its date, as that clock has it.
    date_ms: i64,
    /// From when its age counts at the latest: later than it entered if a clock was ahead.
    counts_from_ms: i64,
    tagged: bool,
    pinned: bool,
    merged: bool,
    written: bool,
}

impl Truth {
    /// Whether the clock was right or ahead when it was recorded.
    fn is_honest(&self) -> bool {
        self.told_ms >= self.entered_ms
    }

    /// Whether it is still to be written down.
    fn is_awaited(&self) -> bool {
        matches!(self.kind, Kind::Complete | Kind::Interrupted) && !self.written
    }
}

/// What must hold after a sweep, by another reading of the rules than theirs.
struct Oracle {
    /// How far the clock is off.
    skew_ms: i64,
    /// Whether it ever was.
    ever_wrong: bool,
    /// Whether the vault may have seen a time that is still to come, and nobody has said
    /// since what time it is.
    seen_ahead: bool,
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
        self.days(truth).0 == Some(0) && truth.is_awaited() && both_there
    }

    /// Whether so many days have truly gone by since then.
    fn over(&self, from_ms: i64, days: Option<u32>) -> bool {
        days.is_some_and(|days| self.true_ms >= from_ms.saturating_add(i64::from(days) * DAY_MS))
    }

    /// What the vault knows of time from somebody who has a watch.
    fn confirmed(&mut self) {
        self.seen_ahead = false;
        for truth in self.truths.values_mut() {
            // A date in the future is the owner's, and what still waits in the inbox has
            // the time at which it came in on its card.
            let on_card_ms = match truth.merged {
                true => truth.date_ms,
                false => truth.date_ms.max(truth.told_ms),
            };
            let from_ms = on_card_ms.max(self.true_ms);
            truth.counts_from_ms = truth.counts_from_ms.min(from_ms);
        }
    }

    /// Nothing went that is pinned or whose time had not truly come.
    fn check_gone(&self, swept: &Swept) -> Result<(), TestCaseError> {
        for gone in &swept.gone {
            let truth = &self.truths[&gone.id];
            prop_assert!(!truth.pinned, "a pinned one went: {:?}", gone.what);
            prop_assert!(truth.merged);
            let (audio, text) = self.days(truth);
            let entered_ms = truth.entered_ms;
            let (audio, text) = (self.over(entered_ms, audio), self.over(entered_ms, text));
            let was = gone.recording.as_ref().unwrap();
            prop_assert!(!self.waits(truth, was), "it waited: {:?}", gone.what);
            let is_due = match gone.what {
                Going::Audio => audio,
                Going::Text => text,
                Going::Everything => (audio || was.audio_bytes == 0) && (text || was.text_shredded),
            };
            // A recorder whose clock was behind is as right as the last time seen.
            prop_assert!(
                is_due || !truth.is_honest(),
                "{:?} went early: {truth:?}",
                gone.what
            );
        }
        Ok(())
    }

    /// Nothing is left whose time has come, by a clock that is right.
    fn check_left(&self, world: &World) -> Result<(), TestCaseError> {
        for recording in world.open.recordings().unwrap() {
            let truth = &self.truths[&recording.id];
            let (audio, text) = self.days(truth);
            let from_ms = truth.counts_from_ms;
            let (audio, text) = (self.over(from_ms, audio), self.over(from_ms, text));
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

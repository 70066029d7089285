//! What goes by the rules, how much of it, and what is waited for.

use super::*;
use crate::vault::Error;

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
    assert_eq!(swept.receipt.shredded[0].transcripts, Some(1));
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

//! A microphone that goes, comes back, falls silent or lies, and the recording of it.

use std::sync::Arc;
use std::time::Duration;

use self::script::{Script, Step, TONE_HZ};
use super::{new_vault, now, only};
use crate::audio::{StoredRate, StoredSound};
use crate::error::{Exit, Failure};
use crate::recording::{Card, Ending, Moment, State};
use crate::vault::{OpenVault, Vault};
use crate::worker::recorder::ear::Hearing;
use crate::worker::recorder::{Options, Recorded, Recorder};
use crate::worker::samples::shape_of;

mod script;

/// Records until the script is over.
fn record(vault: &Vault, steps: &[Step], options: Options) -> Result<Recorded, Failure> {
    let script = Script::new(steps);
    let recorder = Recorder::hear(vault, script.ear(), options, Box::new(now), None).unwrap();
    while !script.is_over() && recorder.wait(Duration::from_millis(5)) {}
    recorder.stop()
}

fn recorded(steps: &[Step]) -> (tempfile::TempDir, OpenVault, Recorded) {
    let (dir, open) = new_vault();
    let recorded = record(open.vault(), steps, Options::default()).unwrap();
    (dir, open, recorded)
}

/// Gaps as milliseconds: where, and how much.
fn gaps_ms(card: &Card) -> Vec<(u64, u64)> {
    card.gaps
        .iter()
        .map(|gap| (gap.at_sample / 48, gap.samples / 48))
        .collect()
}

/// All of the sound at 48 kHz.
fn sound_of(open: &OpenVault) -> Vec<f32> {
    let recording = only(open);
    let mut decoder = StoredSound::new(shape_of(&recording.card), StoredRate::Full).unwrap();
    let mut reader = open.sound(recording.id).unwrap();
    let mut pcm = Vec::new();
    while let Some(segment) = reader.next_segment().unwrap() {
        decoder.push(&segment.packets, &mut pcm).unwrap();
    }
    pcm
}

#[test]
fn a_microphone_that_stays_leaves_no_gap_and_no_word() {
    let (_dir, open, recorded) = recorded(&[Step::Tone(700); 5]);
    assert!(recorded.shortfall.is_none());
    let card = only(&open).card;
    assert_eq!((card.samples, gaps_ms(&card)), (3_500 * 48, vec![]));
    assert_eq!(card.ending, Ending::Complete);
}

#[test]
fn one_that_goes_away_and_comes_back_leaves_a_gap_as_long_as_it_was_away() {
    // Two seconds pass before it counts as lost, and half a one until it speaks.
    let (_dir, open, recorded) = recorded(&[
        Step::Tone(900),
        Step::Tone(900),
        Step::Quiet(2_000),
        Step::Away(3_000),
        Step::Away(2_000),
        Step::Back(48_000, 2),
        Step::Quiet(500),
        Step::Tone(900),
        Step::Tone(900),
    ]);
    assert!(recorded.shortfall.is_none());
    let card = only(&open).card;
    assert_eq!(gaps_ms(&card), [(1_800, 7_500)]);
    assert_eq!(card.samples, 3_600 * 48);
    assert_eq!(card.ending, Ending::Complete);
}

#[test]
fn one_that_does_not_come_back_ends_with_seven_and_what_came_is_kept() {
    let (_dir, open, recorded) = recorded(&[Step::Tone(900), Step::Tone(900), Step::Away(4_000)]);
    assert_eq!(recorded.shortfall.unwrap().exit, Exit::NoMicrophone);
    assert_eq!(recorded.state, State::Interrupted);
    let card = only(&open).card;
    assert_eq!(gaps_ms(&card), [(1_800, 4_000)]);
    assert_eq!(
        (card.samples, card.ending),
        (1_800 * 48, Ending::Interrupted)
    );
}

#[test]
fn one_that_comes_back_as_another_goes_on_at_the_same_pitch() {
    let (_dir, open, _) = recorded(&[
        Step::Tone(2_000),
        Step::Away(1_000),
        Step::Back(44_100, 1),
        Step::Tone(2_000),
        Step::Away(1_000),
        Step::Back(16_000, 4),
        Step::Tone(2_000),
        Step::Away(1_000),
        Step::Back(48_000, 2),
        Step::Tone(2_000),
    ]);
    let sound = sound_of(&open);
    let part = |from_s: usize| &sound[from_s * 48_000 + 24_000..(from_s + 1) * 48_000];
    for second in [0, 2, 4, 6] {
        let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
        for (at, sample) in part(second).iter().enumerate() {
            let turn = std::f64::consts::TAU * TONE_HZ * at as f64 / 48_000.0;
            let sample = f64::from(*sample);
            re += sample * turn.cos();
            im += sample * turn.sin();
            power += sample * sample;
        }
        // What is not the tone is less than a hundredth of it.
        let of_tone = 2.0 * (re * re + im * im) / (part(second).len() as f64 * power);
        assert!(of_tone > 0.99, "second {second}: {of_tone}");
    }
    // The resamplers keep a few milliseconds of each end.
    assert!(
        sound.len().abs_diff(8 * 48_000) < 48 * 100,
        "{}",
        sound.len()
    );
}

#[test]
fn one_from_which_nothing_ever_comes_is_named_after_two_seconds_and_given_up_later() {
    let script = Script::new(&[Step::Quiet(1_900), Step::Quiet(200), Step::Quiet(100)]);
    let mut ear = script.ear();
    let mut block = Vec::new();
    ear.listen(&mut block).unwrap();
    assert_eq!(ear.hearing(), Hearing::Opening);
    ear.listen(&mut block).unwrap();
    assert_eq!(ear.hearing(), Hearing::Nothing);
    assert!(!ear.is_hopeless());

    let (dir, open) = new_vault();
    let failure = record(open.vault(), &[Step::Quiet(1_000); 21], Options::default()).unwrap_err();
    assert_eq!(failure.exit, Exit::NoMicrophone);
    let left = dir.path().join("vault/inbox").read_dir().unwrap().count();
    assert_eq!(left, 0, "nothing is left of it");
}

#[test]
fn one_that_gives_zeros_makes_a_recording_that_is_named_silent() {
    let script = Script::new(&[Step::Tone(500)]);
    let (_dir, open) = new_vault();
    let vault = open.vault();
    let recorder =
        Recorder::hear(vault, script.ear(), Options::default(), Box::new(now), None).unwrap();
    let add = |step| script.steps.lock().unwrap().push_back(step);
    let wait_for = |silent_s: f64| {
        for _ in 0..2_000 {
            if (recorder.status().silent_s - silent_s).abs() < 0.01 && script.is_over() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{:?}", recorder.status());
    };
    // The control: a tone is no silence, and ends one.
    wait_for(0.0);
    for _ in 0..6 {
        add(Step::Zeros(1_000));
    }
    wait_for(6.0);
    add(Step::Tone(500));
    wait_for(0.0);
    drop(recorder.stop().unwrap());

    let (_dir, open, recorded) = recorded(&[Step::Zeros(900); 5]);
    assert_eq!(recorded.state, State::Silent);
    let recording = only(&open);
    assert_eq!(recording.state(), State::Silent);
    assert!(!recording.waits_for_transcript());
}

#[test]
fn what_was_dropped_on_the_way_in_is_a_gap_where_it_is_missing() {
    let (_dir, open, _) = recorded(&[Step::Tone(900), Step::Overrun(600, 900), Step::Tone(900)]);
    let card = only(&open).card;
    assert_eq!(gaps_ms(&card), [(900, 600)]);
    assert_eq!(card.samples, 2_700 * 48);
}

#[test]
fn a_process_that_stood_still_misses_what_was_not_kept_for_it_and_no_more() {
    // Ten seconds, of which four were kept; all of them; and all but what may
    // just as well be late.
    for (kept_ms, missing) in [
        (4_000, vec![(900, 6_000)]),
        (10_000, vec![]),
        (9_800, vec![]),
    ] {
        let steps = [
            Step::Tone(900),
            Step::Stopped(10_000, kept_ms),
            Step::Tone(900),
            Step::Tone(900),
            Step::Tone(900),
        ];
        let (_dir, open, _) = recorded(&steps);
        let card = only(&open).card;
        assert_eq!(gaps_ms(&card), missing, "{kept_ms}");
        assert_eq!(card.samples, (4 * 900 + kept_ms) * 48);
    }
}

#[test]
fn a_recording_begins_with_the_first_sound_however_long_that_takes() {
    for quiet_ms in [0, 1_000, 1_900, 2_100, 6_000] {
        let (_dir, open) = new_vault();
        let steps = [
            Step::Quiet(quiet_ms / 2),
            Step::Quiet(quiet_ms / 2),
            Step::Tone(900),
            Step::Tone(900),
        ];
        let script = Script::new(&steps);
        let clock = Arc::clone(&script.clock);
        // The vault has a clock of its own, and believes this one.
        let begun = Moment::from_zoned(&jiff::Zoned::now());
        let by_script = move || Moment {
            unix_ms: begun.unix_ms + clock.lock().unwrap().as_millis() as i64,
            ..begun
        };
        let limit = Duration::from_millis(1_500);
        let options = Options {
            limit: Some(limit),
            ..Options::default()
        };
        let recorder = Recorder::hear(
            open.vault(),
            script.ear(),
            options,
            Box::new(by_script),
            None,
        )
        .unwrap();
        while recorder.wait(Duration::from_millis(5)) {}
        let recorded = recorder.stop().unwrap();
        assert_eq!(
            (recorded.duration, recorded.missing),
            (limit, Duration::ZERO)
        );
        let card = only(&open).card;
        assert_eq!(
            (card.samples, gaps_ms(&card)),
            (1_500 * 48, vec![]),
            "{quiet_ms}"
        );
        // Its date is that of its first sound.
        let first_ms = begun.unix_ms + quiet_ms as i64;
        assert_eq!(card.recorded_at.unix_ms, first_ms, "{quiet_ms}");
        assert_eq!(card.added_at, card.recorded_at);
    }
}

#[test]
fn one_that_is_pulled_before_its_first_sound_is_named_gone_and_the_recording_begins_later() {
    let script = Script::new(&[Step::Quiet(100), Step::Away(1_000), Step::Away(1_000)]);
    let mut ear = script.ear();
    let mut block = Vec::new();
    for hearing in [Hearing::Opening, Hearing::Opening, Hearing::Lost] {
        ear.listen(&mut block).unwrap();
        assert_eq!((ear.hearing(), ear.missing_now()), (hearing, 0));
    }
    let (_dir, open, recorded) = recorded(&[
        Step::Quiet(100),
        Step::Away(3_000),
        Step::Back(48_000, 2),
        Step::Quiet(500),
        Step::Tone(900),
        Step::Tone(900),
    ]);
    assert!(recorded.shortfall.is_none());
    let card = only(&open).card;
    assert_eq!((card.samples, gaps_ms(&card)), (1_800 * 48, vec![]));

    let (_dir, open) = new_vault();
    let away = [Step::Quiet(100), Step::Away(4_000)];
    let failure = record(open.vault(), &away, Options::default()).unwrap_err();
    assert_eq!(failure.exit, Exit::NoMicrophone);
    assert!(failure.why.contains("lost before any sound"), "{failure}");
}

#[test]
fn one_that_falls_silent_for_a_moment_misses_that_and_what_comes_late_is_not_missing() {
    let on = [Step::Tone(900); 3];
    // A second and a half in which it gave nothing; the same where the recording ends
    // before it is sure; and where all of it comes after all.
    let lost = [&[Step::Tone(900), Step::Quiet(1_500)][..], &on].concat();
    let short = [Step::Tone(900), Step::Quiet(1_500), Step::Tone(900)];
    let late = [
        &[Step::Tone(900), Step::Quiet(1_500), Step::Stopped(0, 1_500)][..],
        &on,
    ]
    .concat();
    for (steps, missing, kept_ms) in [
        (&lost[..], vec![(900, 1_500)], 3_600),
        (&short[..], vec![(900, 1_500)], 1_800),
        (&late[..], vec![], 5_100),
    ] {
        let (_dir, open, recorded) = recorded(steps);
        let card = only(&open).card;
        assert_eq!(
            (gaps_ms(&card), card.samples),
            (missing, kept_ms * 48),
            "{steps:?}"
        );
        assert_eq!(
            recorded.missing.as_millis(),
            u128::from(card.missing() / 48)
        );
    }
}

#[test]
fn a_limit_is_met_to_the_sample_and_counts_what_is_missing() {
    let (_dir, open) = new_vault();
    let options = || Options {
        limit: Some(Duration::from_secs(5)),
        ..Options::default()
    };
    record(open.vault(), &[Step::Tone(700); 20], options()).unwrap();
    assert_eq!(only(&open).card.samples, 5 * 48_000);

    let (_dir, open) = new_vault();
    let away = [Step::Tone(900), Step::Away(9_000), Step::Away(9_000)];
    let recorded = record(open.vault(), &away, options()).unwrap();
    assert_eq!(recorded.shortfall.unwrap().exit, Exit::NoMicrophone);
    assert_eq!(only(&open).card.samples, 900 * 48);
}

//! Sound that says where in it one is: a step of another pitch every tenth of a
//! second, in an order that does not repeat.

use crate::support::sound::Pcm;

/// The rate at which it is fed.
pub(super) const RATE_HZ: u32 = 16_000;

const STEP_S: f64 = 0.1;
const PITCHES_HZ: [f64; 8] = [
    320.0, 470.0, 610.0, 790.0, 1_020.0, 1_310.0, 1_700.0, 2_210.0,
];

/// Which pitch a step has: another than the step before, and no pattern that a
/// shift by some steps would repeat.
fn pitch_of(step: usize) -> usize {
    let mixed = (step as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    // Even steps have the lower four, odd ones the upper four.
    (mixed % 4) as usize + 4 * (step % 2)
}

/// So many seconds of it.
pub(super) fn steps(seconds: f64) -> Pcm {
    let count = (seconds * f64::from(RATE_HZ)) as usize;
    let mut phase = 0.0_f64;
    let samples = (0..count).map(|at| {
        let step = (at as f64 / f64::from(RATE_HZ) / STEP_S) as usize;
        phase += PITCHES_HZ[pitch_of(step)] * std::f64::consts::TAU / f64::from(RATE_HZ);
        (phase.sin() * 12_000.0) as i16
    });
    Pcm {
        rate_hz: RATE_HZ,
        samples: samples.collect(),
    }
}

/// How many whole steps there are, and which of them do not sound as they were
/// fed.
pub(super) fn heard(sound: &Pcm) -> (usize, Vec<usize>) {
    let rate = f64::from(sound.rate_hz);
    let step = (STEP_S * rate) as usize;
    let whole = sound.samples.len() / step;
    let wrong = (0..whole).filter(|number| {
        // Its middle, where no neighbour is heard.
        let middle = number * step + step / 4..number * step + 3 * step / 4;
        let power = PITCHES_HZ.map(|pitch| power_at(&sound.samples[middle.clone()], pitch / rate));
        let expected = power[pitch_of(*number)];
        power.iter().filter(|other| **other >= expected).count() != 1
    });
    (whole, wrong.collect())
}

/// Goertzel.
fn power_at(samples: &[i16], cycles_per_sample: f64) -> f64 {
    let turn = 2.0 * (cycles_per_sample * std::f64::consts::TAU).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        let next = f64::from(*sample) + turn * one - two;
        (one, two) = (next, one);
    }
    one * one + two * two - turn * one * two
}

#[test]
fn a_sound_is_known_by_its_steps_and_a_shifted_one_is_not() {
    let sound = steps(6.05);
    assert_eq!(heard(&sound), (60, Vec::new()));
    let mut shifted = sound;
    shifted.samples.drain(..RATE_HZ as usize / 5);
    let (whole, wrong) = heard(&shifted);
    assert!(whole == 58 && wrong.len() > 20, "{whole} {wrong:?}");
}

//! Faster or slower at the same pitch, one channel, as a stream.
//!
//! WSOLA (Verhelst and Roelands 1993): blocks of 20 ms are taken from the input at
//! the wanted pace and overlapped by half; each is shifted, by 15 ms at most, to where
//! it fits best to what was given before it. The output is as long as the input
//! divided by the speed, to the sample. Memory does not grow with the length.

use std::str::FromStr;

/// Half a block: what is given at once, 10 ms at 48 kHz.
const HOP: usize = 480;

/// How far a block may be shifted to either side: 15 ms, a whole period of the
/// deepest voices.
const REACH: usize = 720;

/// The first look is at a sixth of the rate, which holds what a voice's period is told by;
/// the places around the best one are then tried one by one.
const COARSE: usize = 6;

/// How fast sound goes, from a quarter to four times as fast as it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(f64);

/// There is no such speed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no number from 0.25 to 4")]
pub struct NoSuchSpeed;

impl Speed {
    /// As it was recorded.
    pub const NORMAL: Self = Self(1.0);

    /// How many times as fast.
    #[must_use]
    pub const fn factor(self) -> f64 {
        self.0
    }

    /// How many samples so many become.
    #[must_use]
    pub fn given_for(self, taken: u64) -> u64 {
        (taken as f64 / self.0).round() as u64
    }

    /// Of how many samples so many were made.
    #[must_use]
    pub fn taken_for(self, given: u64) -> u64 {
        (given as f64 * self.0).round() as u64
    }
}

impl FromStr for Speed {
    type Err = NoSuchSpeed;

    fn from_str(text: &str) -> Result<Self, NoSuchSpeed> {
        let factor: f64 = text.parse().map_err(|_| NoSuchSpeed)?;
        if (0.25..=4.0).contains(&factor) {
            Ok(Self(factor))
        } else {
            Err(NoSuchSpeed)
        }
    }
}

/// Changes how fast sound goes.
pub struct Tempo {
    speed: Speed,
    /// Where the next block is looked for, and where the one before continues.
    input: Window,
    /// Rising flank of a block; the falling one is what is missing to 1.
    rise: Vec<f32>,
    /// The falling half of the block before; empty before the first one.
    tail: Vec<f32>,
    /// Where in the input the block before begins.
    before: u64,
    blocks: u64,
    taken: u64,
    given: u64,
}

impl Tempo {
    /// Sound at this speed.
    #[must_use]
    pub fn new(speed: Speed) -> Self {
        let flank = |at: usize| {
            let angle = std::f32::consts::FRAC_PI_2 * (at as f32 + 0.5) / HOP as f32;
            angle.sin().powi(2)
        };
        Self {
            speed,
            input: Window::default(),
            rise: (0..HOP).map(flank).collect(),
            tail: Vec::new(),
            before: 0,
            blocks: 0,
            taken: 0,
            given: 0,
        }
    }

    /// Takes mono samples in and appends what is ready to `out`.
    pub fn push(&mut self, mono: &[f32], out: &mut Vec<f32>) {
        self.taken += mono.len() as u64;
        if self.speed == Speed::NORMAL {
            out.extend_from_slice(mono);
            return;
        }
        self.input.samples.extend_from_slice(mono);
        while self.input.end() >= self.needed() {
            self.give_block(out);
        }
    }

    /// Appends the rest.
    pub fn finish(mut self, out: &mut Vec<f32>) {
        if self.speed == Speed::NORMAL {
            return;
        }
        let due = self.speed.given_for(self.taken);
        while self.given < due {
            let missing = self.needed().saturating_sub(self.input.end());
            let length = self.input.samples.len() + missing as usize;
            self.input.samples.resize(length, 0.0);
            self.give_block(out);
        }
        // The last block may reach beyond the end, by less than its half.
        let excess = (self.given - due) as usize;
        out.truncate(out.len().saturating_sub(excess));
    }

    /// Where the next block would be taken from if it needed not fit.
    fn ideal(&self) -> u64 {
        self.speed.taken_for(self.blocks * HOP as u64)
    }

    /// How much of the input has to be there for the next block.
    fn needed(&self) -> u64 {
        (self.ideal() + REACH as u64).max(self.before + HOP as u64) + 2 * HOP as u64
    }

    fn give_block(&mut self, out: &mut Vec<f32>) {
        let ideal = self.ideal();
        let at = if self.tail.is_empty() {
            ideal
        } else {
            let first = ideal.saturating_sub(REACH as u64);
            let wanted = self.input.from(self.before + HOP as u64, 2 * HOP);
            let places = (ideal + REACH as u64 - first) as usize;
            let among = self.input.from(first, places + 2 * HOP);
            first + best_fit(wanted, among, (ideal - first) as usize) as u64
        };
        let block = self.input.from(at, 2 * HOP);
        let (head, rest) = block.split_at(HOP.min(block.len()));
        if self.tail.is_empty() {
            out.extend_from_slice(head);
        } else {
            let faded = head.iter().zip(&self.rise).zip(&self.tail);
            out.extend(faded.map(|((sample, rise), tail)| sample * rise + tail));
        }
        let falling = rest.iter().zip(&self.rise);
        self.tail = falling
            .map(|(sample, rise)| sample * (1.0 - rise))
            .collect();
        self.before = at;
        self.blocks += 1;
        self.given += HOP as u64;
        let next = self.ideal().saturating_sub(REACH as u64);
        self.input.forget_before(next.min(at + HOP as u64));
    }
}

/// The part of the input that may still be needed.
#[derive(Default)]
struct Window {
    samples: Vec<f32>,
    /// Number of its first sample.
    first: u64,
}

impl Window {
    fn end(&self) -> u64 {
        self.first + self.samples.len() as u64
    }

    /// So many samples from this one on; fewer where they are not there.
    fn from(&self, at: u64, count: usize) -> &[f32] {
        let start = at.saturating_sub(self.first) as usize;
        let end = (start + count).min(self.samples.len());
        self.samples.get(start..end).unwrap_or_default()
    }

    fn forget_before(&mut self, at: u64) {
        let count = (at.saturating_sub(self.first) as usize).min(self.samples.len());
        self.samples.drain(..count);
        self.first += count as u64;
    }
}

/// Where in `among` what is most like `wanted` begins; `ideal` where nothing is more
/// like it than what begins there.
fn best_fit(wanted: &[f32], among: &[f32], ideal: usize) -> usize {
    let (coarse, coarsely_among) = (coarsened(wanted), coarsened(among));
    let places = 0..=coarsely_among.len().saturating_sub(coarse.len());
    let rough = COARSE * likest(&coarse, &coarsely_among, ideal / COARSE, places);
    let last = among.len().saturating_sub(wanted.len());
    let around = rough.saturating_sub(COARSE)..=(rough + COARSE).min(last);
    likest(wanted, among, rough.min(last), around)
}

/// Sums of neighbours.
fn coarsened(samples: &[f32]) -> Vec<f32> {
    let chunks = samples.chunks_exact(COARSE);
    chunks.map(|chunk| chunk.iter().sum()).collect()
}

/// The first place at which `among` is more like `wanted` than anywhere else, also than
/// at `start`.
fn likest(
    wanted: &[f32],
    among: &[f32],
    start: usize,
    places: std::ops::RangeInclusive<usize>,
) -> usize {
    let mut best = (start, likeness(wanted, among, start));
    for place in places {
        let score = likeness(wanted, among, place);
        if score > best.1 {
            best = (place, score);
        }
    }
    best.0
}

/// How alike two stretches are, whatever the level of the second one; 0 for silence.
fn likeness(wanted: &[f32], among: &[f32], place: usize) -> f32 {
    let there = among.get(place..).unwrap_or_default();
    let (mut product, mut power) = (0.0_f32, 0.0_f32);
    for (one, other) in wanted.iter().zip(there) {
        product += one * other;
        power += other * other;
    }
    if power > 0.0 {
        product / power.sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;
    use crate::audio::synthetic::{level_of, noise, tone};

    fn at_speed(speed: &str, input: &[f32], block: usize) -> Vec<f32> {
        let mut tempo = Tempo::new(speed.parse().unwrap());
        let mut out = Vec::new();
        for block in input.chunks(block) {
            tempo.push(block, &mut out);
        }
        tempo.finish(&mut out);
        out
    }

    #[test]
    fn speeds_are_numbers_from_a_quarter_to_four() {
        for text in ["0.25", "1", "1.5", "4", "4.0"] {
            assert!(text.parse::<Speed>().is_ok(), "{text}");
        }
        for text in [
            "", "0", "-1", "0.2", "4.01", "nan", "inf", "fast", "2x", "1,5",
        ] {
            assert_eq!(text.parse::<Speed>(), Err(NoSuchSpeed), "{text}");
        }
    }

    #[test]
    fn the_length_is_that_of_the_input_divided_by_the_speed() {
        for speed in ["0.25", "0.5", "0.9", "1", "1.1", "1.5", "2", "3.7", "4"] {
            for samples in [0, 1, 479, 480, 2_000, 9_001] {
                let out = at_speed(speed, &noise(samples, -20.0), 701);
                let due = (samples as f64 / speed.parse::<f64>().unwrap()).round();
                assert_eq!(out.len(), due as usize, "{samples} at {speed}");
            }
        }
    }

    #[test]
    fn at_its_own_speed_nothing_is_changed() {
        let input = noise(10_000, -20.0);
        assert_eq!(at_speed("1.0", &input, 333), input);
    }

    #[test]
    fn a_tone_keeps_its_pitch_and_level_and_has_no_seams() {
        for speed in ["0.25", "0.5", "0.8", "1.3", "2", "4"] {
            for hz in [100.0, 217.0, 440.0] {
                let out = at_speed(speed, &tone(hz, -12.0, 24_000), 9_000);
                // Near its end a block has no more choice of where it fits.
                let end = out.len() - (2_400.0 / speed.parse::<f64>().unwrap()) as usize;
                // In pieces: of a block that fits but for half a sample the phase drifts.
                for piece in out[2_400..end].chunks_exact(4_800) {
                    let level = level_of(piece, hz);
                    assert!((level + 12.0).abs() < 0.3, "{hz} Hz at {speed}: {level}");
                    let power: f32 = piece.iter().map(|x| x * x).sum();
                    let all = 10.0 * f64::from(power / piece.len() as f32).log10();
                    assert!((all + 12.0).abs() < 0.3, "{hz} Hz at {speed}: {all} in all");
                }
            }
        }
    }

    #[test]
    fn what_is_said_is_said_when_it_is_due() {
        for (speed, due) in [("0.5", 48_000_i64), ("1.5", 16_000), ("3", 8_000)] {
            let mut input = vec![0.0; 24_000];
            input.extend(tone(300.0, -12.0, 4_800));
            let out = at_speed(speed, &input, 5_000);
            let onset = out.iter().position(|x| x.abs() > 0.1).unwrap() as i64;
            assert!((onset - due).abs() < 1_500, "{onset} at {speed}");
        }
    }

    #[test]
    fn how_it_is_cut_into_blocks_makes_no_difference() {
        let mut input = noise(5_000, -20.0);
        input.extend(tone(150.0, -12.0, 5_000));
        assert_eq!(at_speed("1.7", &input, 97), at_speed("1.7", &input, 38_400));
    }
}

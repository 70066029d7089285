//! From one rate to another, one channel, as a stream.
//!
//! The output is as long as the input to the sample and starts with it: the
//! filter's delay is taken off at the start and waited for at the end. Memory
//! does not grow with the length. Does not mix channels and does not clip: what
//! comes in has to be numbers of sensible size. The libraries behind it panic on
//! others, which is told as an error.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, Fft, FixedAsync, FixedSync, SincInterpolationParameters, WindowFunction};

use super::error::AudioError;
use crate::fence::fenced;

/// Frames handed to the filter at once: some 20 ms, so that little waits.
const CHUNK: usize = 1024;

/// Above this many input samples per block an FFT of the exact ratio is
/// pointless: it would wait for seconds (44,101 Hz to 48 kHz have no common
/// divisor) and an interpolated filter does as well.
const LARGEST_BLOCK: u32 = 4096;

/// Turns mono samples of one rate into mono samples of another.
pub struct Resampler {
    from_hz: u32,
    to_hz: u32,
    /// None where both rates are the same.
    filter: Option<Filter>,
    taken: u64,
    given: u64,
}

struct Filter {
    engine: Box<dyn rubato::Resampler<f32>>,
    waiting: Vec<f32>,
    output: Vec<f32>,
    /// Output samples of the filter's delay that are still to be dropped.
    delay: usize,
}

impl Resampler {
    /// A resampler between two rates in Hz.
    ///
    /// # Errors
    /// [`AudioError::Codec`] where no filter can be made for them.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, AudioError> {
        let filter = if from_hz == to_hz {
            None
        } else {
            Some(Filter::new(from_hz, to_hz)?)
        };
        Ok(Self {
            from_hz,
            to_hz,
            filter,
            taken: 0,
            given: 0,
        })
    }

    /// Takes samples in and appends what is ready to `out`.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if the filter refuses.
    pub fn push(&mut self, input: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.taken += input.len() as u64;
        let before = out.len();
        match &mut self.filter {
            None => out.extend_from_slice(input),
            Some(filter) => filter.push(input, out)?,
        }
        self.given += (out.len() - before) as u64;
        Ok(())
    }

    /// Appends the rest: afterwards `round(input × ratio)` samples were given.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if the filter refuses.
    pub fn finish(mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let Some(filter) = &mut self.filter else {
            return Ok(());
        };
        let due = resampled_len(self.taken, self.from_hz, self.to_hz);
        let silence = [0.0; CHUNK];
        // More than the delay of any filter made here; a bound, so that a
        // filter that gives nothing can't keep us for ever.
        let patience = 2 + filter.engine.input_frames_max() * 4 / CHUNK;
        for _ in 0..patience.max(64) {
            if self.given >= due {
                break;
            }
            let before = out.len();
            filter.push(&silence, out)?;
            let wanted = usize::try_from(due - self.given).unwrap_or(usize::MAX);
            out.truncate(before.saturating_add(wanted).min(out.len()));
            self.given += (out.len() - before) as u64;
        }
        // A filter may also have run ahead by its rounding.
        let excess = self.given.saturating_sub(due);
        out.truncate(
            out.len()
                .saturating_sub(usize::try_from(excess).unwrap_or(0)),
        );
        Ok(())
    }
}

/// How many samples `samples` at one rate are at another.
pub(super) fn resampled_len(samples: u64, from_hz: u32, to_hz: u32) -> u64 {
    let (from, to) = (u128::from(from_hz.max(1)), u128::from(to_hz));
    u64::try_from((u128::from(samples) * to + from / 2) / from).unwrap_or(u64::MAX)
}

impl Filter {
    fn new(from_hz: u32, to_hz: u32) -> Result<Self, AudioError> {
        let refused = |why: String| AudioError::Codec {
            codec: "resampler",
            why,
        };
        let (from, to) = (from_hz as usize, to_hz as usize);
        let engine: Box<dyn rubato::Resampler<f32>> =
            if from_hz / gcd(from_hz, to_hz) <= LARGEST_BLOCK {
                let fft = Fft::new_custom(
                    from,
                    to,
                    CHUNK,
                    1,
                    1,
                    WindowFunction::BlackmanHarris2,
                    FixedSync::Input,
                );
                Box::new(fft.map_err(|error| refused(error.to_string()))?)
            } else {
                let sinc = SincInterpolationParameters::new(128, WindowFunction::BlackmanHarris2);
                let ratio = f64::from(to_hz) / f64::from(from_hz);
                let asynchronous = Async::new_sinc(ratio, 1.1, &sinc, CHUNK, 1, FixedAsync::Input);
                Box::new(asynchronous.map_err(|error| refused(error.to_string()))?)
            };
        let delay = engine.output_delay();
        let output = vec![0.0; engine.output_frames_max()];
        Ok(Self {
            engine,
            waiting: Vec::with_capacity(2 * CHUNK),
            output,
            delay,
        })
    }

    fn push(&mut self, input: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        let refused = |why: String| AudioError::Codec {
            codec: "resampler",
            why,
        };
        self.waiting.extend_from_slice(input);
        let mut used = 0;
        loop {
            let wanted = self.engine.input_frames_next();
            let Some(chunk) = self.waiting.get(used..used + wanted) else {
                break;
            };
            let frames = self.output.len();
            let from = InterleavedSlice::new(chunk, 1, wanted)
                .map_err(|error| refused(error.to_string()))?;
            let mut to = InterleavedSlice::new_mut(&mut self.output, 1, frames)
                .map_err(|error| refused(error.to_string()))?;
            let engine = &mut self.engine;
            let (_, made) = fenced(|| engine.process_into_buffer(&from, &mut to, None))
                .ok_or_else(|| refused("it gave up on the sound".to_owned()))?
                .map_err(|error| refused(error.to_string()))?;
            let dropped = self.delay.min(made);
            self.delay -= dropped;
            out.extend_from_slice(self.output.get(dropped..made).unwrap_or_default());
            used += wanted;
        }
        self.waiting.drain(..used);
        Ok(())
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;
    use crate::audio::synthetic::{level_of, tone_at};

    fn resampled(input: &[f32], from_hz: u32, to_hz: u32, block: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
        let mut out = Vec::new();
        for block in input.chunks(block) {
            resampler.push(block, &mut out).unwrap();
        }
        resampler.finish(&mut out).unwrap();
        out
    }

    #[test]
    fn the_length_is_exact_for_every_rate_and_length() {
        for from_hz in [
            8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 44_101, 48_000, 96_000,
        ] {
            for samples in [0, 1, 50, 1_023, 1_024, 1_025, 30_000] {
                let out = resampled(&vec![0.1; samples], from_hz, 48_000, 333);
                let due = (samples as f64 * 48_000.0 / f64::from(from_hz)).round() as usize;
                assert_eq!(out.len(), due, "{samples} at {from_hz}");
            }
        }
    }

    #[test]
    fn numbers_that_no_filter_can_work_with_are_an_error_or_sound_and_never_a_panic() {
        let wild = [f32::MAX, -f32::MAX, f32::INFINITY, f32::NAN];
        for (from_hz, to_hz) in [(16_000, 48_000), (44_100, 48_000), (44_101, 48_000)] {
            for at in [0, 5_000, 40_000] {
                let mut input = vec![0.1; 50_000];
                input[at..at + 4].copy_from_slice(&wild);
                let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
                let mut out = Vec::new();
                if let Err(error) = resampler.push(&input, &mut out) {
                    let told = error.to_string();
                    assert_eq!(told, "resampler: it gave up on the sound");
                }
                // The filter lets what came before pass, and the fence is down again.
                assert!(out.iter().take(at / 2).all(|x| x.is_finite()));
                assert!(!crate::fence::panics_are_fenced());
            }
        }
    }

    #[test]
    fn the_delay_is_taken_off() {
        for from_hz in [8_000, 44_100, 44_101, 96_000] {
            let mut input = vec![0.0; from_hz as usize];
            input[from_hz as usize / 2] = 1.0;
            let out = resampled(&input, from_hz, 48_000, 100);
            let (loudest, _) = out
                .iter()
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(b.1))
                .unwrap();
            assert!(loudest.abs_diff(24_000) <= 1, "{from_hz}: {loudest}");
        }
    }

    #[test]
    fn a_tone_keeps_its_pitch_and_level_and_gains_nothing_else() {
        for from_hz in [16_000, 44_100, 44_101, 96_000] {
            let input = tone_at(from_hz, 1_000.0, -10.0, from_hz as usize * 2);
            let out = resampled(&input, from_hz, 48_000, 480);
            let middle = &out[24_000..72_000];
            assert!((level_of(middle, 1_000.0) + 10.0).abs() < 0.05, "{from_hz}");
            for stray in [500.0, 2_000.0, 3_000.0, 15_000.0, 17_000.0] {
                let level = level_of(middle, stray);
                assert!(level < -90.0, "{from_hz}: {level} at {stray}");
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_does_not_fold_back() {
        let input = tone_at(48_000, 11_000.0, -10.0, 96_000);
        let out = resampled(&input, 48_000, 16_000, 480);
        // 11 kHz would fold to 5 kHz, which at 48 kHz reads as 15 kHz.
        assert!(level_of(&out[8_000..24_000], 15_000.0) < -80.0);
    }
}

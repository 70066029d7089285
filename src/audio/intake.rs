//! All that happens to sound between its source and the vault, in one object.
//!
//! Blocks of interleaved samples go in; equal segments of Opus come out, and at
//! the end the length, the level verdict and the fingerprint. Memory does not
//! grow with the length, but for one byte every 20 ms of level.

use super::encode::{SegmentEncoder, SegmentSink};
use super::error::AudioError;
use super::fingerprint::Fingerprint;
use super::level::{LevelMeter, Momentary};
use super::resample::Resampler;
use super::shape::Shape;
use crate::recording::{STORED_RATE_HZ, Signal};

/// Why an intake stopped: the sound, or whoever takes the segments.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError<E> {
    /// The sound could not be worked with.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The segments could not be taken.
    #[error("{0}")]
    Sink(E),
}

/// What is known about sound once all of it went in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntakeSummary {
    /// Its length: samples, mono, at 48 kHz.
    pub samples: u64,
    /// Samples at 48 kHz that a decoder drops at the start.
    pub pre_skip: u16,
    /// How loud it is.
    pub signal: Signal,
    /// By what the same sound is recognised.
    pub content_hash: [u8; 32],
}

/// Takes sound in.
pub struct Intake {
    shape: Shape,
    fingerprint: Fingerprint,
    meter: LevelMeter,
    resampler: Resampler,
    encoder: SegmentEncoder,
    /// Reused between blocks: the mix, and the mix at 48 kHz.
    mono: Vec<f32>,
    stored: Vec<f32>,
}

impl Intake {
    /// An intake for sound of this shape.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if the resampler or the encoder refuses to start.
    pub fn new(shape: Shape) -> Result<Self, AudioError> {
        Ok(Self {
            fingerprint: Fingerprint::new(&shape),
            meter: LevelMeter::new(&shape),
            resampler: Resampler::new(shape.rate_hz(), STORED_RATE_HZ)?,
            encoder: SegmentEncoder::new()?,
            shape,
            mono: Vec::new(),
            stored: Vec::new(),
        })
    }

    /// Samples (48 kHz) that went in so far, but for the few that wait in the
    /// resampler.
    #[must_use]
    pub const fn samples(&self) -> u64 {
        self.encoder.samples()
    }

    /// Samples at 48 kHz that a decoder drops at the start.
    #[must_use]
    pub const fn pre_skip(&self) -> u16 {
        self.encoder.pre_skip()
    }

    /// Takes in whole frames of interleaved samples; hands each full segment
    /// and how many of its samples count to `sink`.
    ///
    /// # Errors
    /// What `sink` returns, or a failure of resampler or encoder.
    pub fn push<E>(
        &mut self,
        interleaved: &[f32],
        sink: &mut SegmentSink<'_, E>,
    ) -> Result<(), IntakeError<E>> {
        self.mono.clear();
        self.stored.clear();
        self.shape.mix(interleaved, &mut self.mono);
        self.fingerprint.push(interleaved);
        self.meter.push(interleaved, &self.mono);
        self.resampler.push(&self.mono, &mut self.stored)?;
        self.encoder.push(&self.stored, &mut |segment, samples| {
            sink(segment, samples).map_err(IntakeError::Sink)
        })
    }

    /// The level since the last look.
    pub fn momentary(&mut self) -> Momentary {
        self.meter.momentary()
    }

    /// The verdict over all that came so far.
    #[must_use]
    pub fn signal_so_far(&self) -> Signal {
        self.meter.signal()
    }

    /// The loudest moment in each of `columns` equal spans so far, dBFS.
    #[must_use]
    pub fn waveform(&self, columns: usize) -> Vec<f32> {
        self.meter.waveform(columns)
    }

    /// Hands over what is left and sums up.
    ///
    /// # Errors
    /// What `sink` returns, or a failure of resampler or encoder.
    pub fn finish<E>(
        mut self,
        sink: &mut SegmentSink<'_, E>,
    ) -> Result<IntakeSummary, IntakeError<E>> {
        let mut sink =
            |segment: &[u8], samples: u32| sink(segment, samples).map_err(IntakeError::Sink);
        self.stored.clear();
        self.resampler.finish(&mut self.stored)?;
        self.encoder.push(&self.stored, &mut sink)?;
        let pre_skip = self.encoder.pre_skip();
        Ok(IntakeSummary {
            samples: self.encoder.finish(&mut sink)?,
            pre_skip,
            signal: self.meter.signal(),
            content_hash: self.fingerprint.finish(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;
    use crate::audio::synthetic::tone_at;

    #[test]
    fn an_hour_or_a_moment_comes_out_as_long_as_it_is() {
        for rate_hz in [
            8_000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000,
        ] {
            let frames = 12_345;
            let mut segments = 0;
            let mut sink = |_: &[u8], _| {
                segments += 1;
                Ok::<(), std::convert::Infallible>(())
            };
            let mut intake = Intake::new(Shape::new(rate_hz, 2).unwrap()).unwrap();
            let mono = tone_at(rate_hz, 300.0, -20.0, frames);
            let stereo: Vec<f32> = mono.iter().flat_map(|x| [*x, *x]).collect();
            for block in stereo.chunks(500) {
                intake.push(block, &mut sink).unwrap();
            }
            let summary = intake.finish(&mut sink).unwrap();
            let due = (frames as f64 * 48_000.0 / f64::from(rate_hz)).round() as u64;
            assert_eq!(summary.samples, due, "{rate_hz}");
            assert!((summary.signal.rms_dbfs + 20.0).abs() < 0.5, "{summary:?}");
            assert!(segments > 0);
        }
    }

    #[test]
    fn no_sample_that_a_float_can_hold_stops_it_or_spoils_what_is_known() {
        let (most, tiny) = (f32::MAX, f32::from_bits(1));
        let wild: [[f32; 4]; 5] = [
            [most, most, most, most],
            [most, -most, most, -most],
            [tiny, -tiny, tiny, tiny],
            [f32::INFINITY, f32::NEG_INFINITY, most, -most],
            [f32::NAN, 3e38, -3e38, 1e30],
        ];
        for rate_hz in [16_000, 44_100, 44_101, 48_000] {
            for (channels, wild) in [1, 2].into_iter().flat_map(|n| wild.map(|wild| (n, wild))) {
                let frames = rate_hz as usize;
                let tone = tone_at(rate_hz, 300.0, -20.0, frames * channels);
                let mut sound = tone.clone();
                // A moment in good sound, and nothing but that.
                sound[frames / 2..frames / 2 + 4].copy_from_slice(&wild);
                for sound in [sound, wild.repeat(frames * channels / 4)] {
                    let mut samples = 0;
                    let mut sink = |_: &[u8], count: u32| {
                        samples += u64::from(count);
                        Ok::<(), std::convert::Infallible>(())
                    };
                    let shape = Shape::new(rate_hz, channels as u16).unwrap();
                    let mut intake = Intake::new(shape).unwrap();
                    for block in sound.chunks(1_000) {
                        intake.push(block, &mut sink).unwrap();
                        let now = intake.momentary();
                        assert!(now.peak_dbfs.is_finite() && now.rms_dbfs.is_finite());
                    }
                    assert!(intake.waveform(50).iter().all(|level| level.is_finite()));
                    let signal = intake.finish(&mut sink).unwrap().signal;
                    let due = sound.len() as f64 / channels as f64 / f64::from(rate_hz);
                    let due = (due * 48_000.0).round() as u64;
                    assert_eq!(samples, due, "{rate_hz} {channels} {wild:?}");
                    assert!((-120.0..18.1).contains(&signal.peak_dbfs), "{signal:?}");
                    assert!((-120.0..18.1).contains(&signal.rms_dbfs), "{signal:?}");
                    for part in [signal.silent_fraction, signal.clipped_fraction] {
                        assert!((0.0..=1.0).contains(&part), "{signal:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_the_sink_refuses_stops_the_intake() {
        let mut intake = Intake::new(Shape::new(48_000, 1).unwrap()).unwrap();
        let refused = intake.push(&vec![0.0; 40_000], &mut |_, _| Err("full"));
        assert!(matches!(refused, Err(IntakeError::Sink("full"))));
    }
}

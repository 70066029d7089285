//! Kept segments back into samples.
//!
//! The caller fetches segments, one after the other, and hands them in; the
//! decoder drops the pre-skip and what padded the end, so that what comes out
//! is as long as what was recorded, to the sample. It can start anywhere, after a
//! run-up in which the decoder's state becomes right. Does not
//! unseal, and does not know where segments lie.

use std::ops::Range;

use opusic_c::{Channels, Decoder, SampleRate};

use super::SPEECH_RATE_HZ;
use super::encode::{PACKET_BYTES, PACKET_SAMPLES, SEGMENT_BYTES, SEGMENT_PACKETS, refused};
use super::error::AudioError;
use super::resample::resampled_len;
use crate::recording::STORED_RATE_HZ;

/// Packets decoded before the first one that is wanted: 200 ms. RFC 7845, 4.6
/// asks for 80; shortly after an onset the pitch predictor needs more until the
/// samples are the same as without a seek.
const RUN_UP_PACKETS: u64 = 10;

/// At which rate samples come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredRate {
    /// 48 kHz, for people.
    Full,
    /// 16 kHz, for the speech model: libopus decodes to it directly, which
    /// costs less than resampling.
    Speech,
}

impl StoredRate {
    /// Samples per second.
    #[must_use]
    pub const fn hz(self) -> u32 {
        match self {
            Self::Full => STORED_RATE_HZ,
            Self::Speech => SPEECH_RATE_HZ,
        }
    }

    const fn opus(self) -> SampleRate {
        match self {
            Self::Full => SampleRate::Hz48000,
            Self::Speech => SampleRate::Hz16000,
        }
    }

    /// A position at 48 kHz as one at this rate.
    fn of_stored(self, samples: u64) -> u64 {
        resampled_len(samples, STORED_RATE_HZ, self.hz())
    }
}

/// How long a recording is and where it begins: what its card says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredShape {
    /// Samples at 48 kHz.
    pub samples: u64,
    /// Samples at 48 kHz that are dropped at the start.
    pub pre_skip: u16,
}

impl StoredShape {
    /// Packets that carry the recording; those after them are padding.
    #[must_use]
    pub const fn packets(self) -> u64 {
        if self.samples == 0 {
            return 0;
        }
        (self.samples.saturating_add(self.pre_skip as u64)).div_ceil(PACKET_SAMPLES as u64)
    }

    /// Segments that carry the recording.
    #[must_use]
    pub const fn segments(self) -> u64 {
        self.packets().div_ceil(SEGMENT_PACKETS as u64)
    }

    /// The shape of these segments alone, so that what stands before, they and what
    /// follows are as long together as the whole. Only the first is begun with silence
    /// of the encoder.
    #[must_use]
    pub fn stretch(self, segments: Range<u64>) -> Self {
        let at = |segment: u64| segment.saturating_mul((SEGMENT_PACKETS * PACKET_SAMPLES) as u64);
        let whole = self.samples.saturating_add(self.pre_skip.into());
        let pre_skip = if segments.start == 0 {
            self.pre_skip
        } else {
            0
        };
        let end = whole.min(at(segments.end));
        Self {
            samples: end.saturating_sub(at(segments.start) + u64::from(pre_skip)),
            pre_skip,
        }
    }
}

/// Decodes a recording, segment by segment.
pub struct StoredSound {
    decoder: Decoder,
    rate: StoredRate,
    /// Segment that is wanted next, and the first one that is not.
    next: u64,
    end: u64,
    /// Packets to pass over in the next segment.
    passed_over: usize,
    /// Decoded samples to drop before the first that counts.
    drop: u64,
    /// Samples still due.
    due: u64,
}

impl StoredSound {
    /// The whole recording.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if libopus refuses to start.
    pub fn new(shape: StoredShape, rate: StoredRate) -> Result<Self, AudioError> {
        Self::from_sample(shape, rate, 0)
    }

    /// The recording from this sample (48 kHz) on; nothing if it is beyond the
    /// end.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if libopus refuses to start.
    pub fn from_sample(
        shape: StoredShape,
        rate: StoredRate,
        start: u64,
    ) -> Result<Self, AudioError> {
        let decoder = Decoder::new(Channels::Mono, rate.opus()).map_err(refused)?;
        let start = start.min(shape.samples);
        let packet = PACKET_SAMPLES as u64;
        // Where the wanted sample lies in what the decoder gives from packet 0.
        let at = start.saturating_add(u64::from(shape.pre_skip));
        let first_packet = (at / packet).saturating_sub(RUN_UP_PACKETS);
        let per_segment = SEGMENT_PACKETS as u64;
        Ok(Self {
            decoder,
            rate,
            next: first_packet / per_segment,
            end: if start < shape.samples {
                shape.segments()
            } else {
                0
            },
            passed_over: (first_packet % per_segment) as usize,
            drop: rate.of_stored(at - first_packet * packet),
            due: rate.of_stored(shape.samples) - rate.of_stored(start),
        })
    }

    /// The number of the segment to hand in next, counted from 0; None when the
    /// recording is complete.
    #[must_use]
    pub const fn next_segment(&self) -> Option<u64> {
        if self.next < self.end && self.due > 0 {
            Some(self.next)
        } else {
            None
        }
    }

    /// Samples still to come, at the rate that was chosen.
    #[must_use]
    pub const fn due(&self) -> u64 {
        self.due
    }

    /// Takes in the segment that [`next_segment`](Self::next_segment) named and
    /// appends its samples to `out`, mono in -1..1. Without a byte it is one that
    /// was lost: see [`skip_lost`](Self::skip_lost).
    ///
    /// # Errors
    /// [`AudioError::Stored`] if it is no such segment.
    pub fn push(&mut self, segment: &[u8], out: &mut Vec<f32>) -> Result<(), AudioError> {
        if segment.is_empty() {
            return self.skip_lost(out);
        }
        if segment.len() != SEGMENT_BYTES {
            let why = format!("a segment of {} bytes", segment.len());
            return Err(AudioError::Stored { why });
        }
        let mut samples = [0.0; PACKET_SAMPLES];
        for packet in segment.chunks_exact(PACKET_BYTES).skip(self.passed_over) {
            let count = self
                .decoder
                .decode_float_to_slice(packet, self.samples_of_packet(&mut samples), false)
                .map_err(|error| AudioError::Stored {
                    why: error.message().to_owned(),
                })?;
            self.give(samples.get(..count).unwrap_or_default(), out);
        }
        self.passed_over = 0;
        self.next += 1;
        Ok(())
    }

    /// Stands in for a segment that is lost: silence of its length, so that
    /// what follows stays where it was.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if libopus can't be reset.
    pub fn skip_lost(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.decoder.reset().map_err(refused)?;
        let mut samples = [0.0; PACKET_SAMPLES];
        let count = self.samples_of_packet(&mut samples).len();
        for _ in self.passed_over..SEGMENT_PACKETS {
            self.give(samples.get(..count).unwrap_or_default(), out);
        }
        self.passed_over = 0;
        self.next += 1;
        Ok(())
    }

    /// Appends the silence that is missing where the last segments never came:
    /// of a recording that was interrupted, the encoder kept the last 6.5 ms.
    pub fn finish(mut self, out: &mut Vec<f32>) {
        // No more than that is ever the encoder's; a longer end was cut off,
        // and inventing it would hide that.
        let missing = self.due.min(PACKET_SAMPLES as u64);
        out.extend(std::iter::repeat_n(0.0, missing as usize));
        self.due = 0;
    }

    fn samples_of_packet<'a>(&self, all: &'a mut [f32; PACKET_SAMPLES]) -> &'a mut [f32] {
        let count = PACKET_SAMPLES * self.rate.hz() as usize / STORED_RATE_HZ as usize;
        all.get_mut(..count).unwrap_or_default()
    }

    fn give(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let dropped = self.drop.min(samples.len() as u64);
        self.drop -= dropped;
        let rest = samples.get(dropped as usize..).unwrap_or_default();
        let count = self.due.min(rest.len() as u64);
        self.due -= count;
        out.extend_from_slice(rest.get(..count as usize).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;
    use crate::audio::synthetic::{level_of, stored, tone};

    fn decoded(segments: &[Vec<u8>], mut sound: StoredSound) -> Vec<f32> {
        let mut out = Vec::new();
        while let Some(number) = sound.next_segment() {
            let Some(segment) = segments.get(number as usize) else {
                break;
            };
            sound.push(segment, &mut out).unwrap();
        }
        sound.finish(&mut out);
        out
    }

    #[test]
    fn what_comes_out_is_as_long_as_what_went_in() {
        for samples in [
            1, 311, 959, 960, 2_400, 38_087, 38_088, 38_089, 38_400, 100_001,
        ] {
            let (segments, shape) = stored(&tone(440.0, -12.0, samples));
            assert_eq!(shape.segments(), segments.len() as u64, "{samples}");
            let full = StoredSound::new(shape, StoredRate::Full).unwrap();
            assert_eq!(decoded(&segments, full).len(), samples);
            let speech = StoredSound::new(shape, StoredRate::Speech).unwrap();
            let due = (samples as f64 / 3.0).round() as usize;
            assert_eq!(decoded(&segments, speech).len(), due, "{samples}");
        }
    }

    #[test]
    fn the_tone_is_where_it_was_and_as_loud() {
        let mut sound = vec![0.0; 48_000];
        sound.extend(tone(440.0, -12.0, 48_000));
        let (segments, shape) = stored(&sound);
        let out = decoded(
            &segments,
            StoredSound::new(shape, StoredRate::Full).unwrap(),
        );
        let level = level_of(&out[60_000..84_000], 440.0);
        assert!((level + 12.0).abs() < 1.0, "{level}");
        let onset = out.iter().position(|x| x.abs() > 0.1).unwrap();
        assert!((47_800..48_500).contains(&onset), "{onset}");
    }

    #[test]
    fn starting_in_the_middle_gives_the_same_samples() {
        let (segments, shape) = stored(&tone(440.0, -12.0, 120_000));
        let whole = decoded(
            &segments,
            StoredSound::new(shape, StoredRate::Full).unwrap(),
        );
        for start in [0, 1, 5_000, 38_400, 41_234, 119_999, 120_000, 500_000] {
            let from = StoredSound::from_sample(shape, StoredRate::Full, start).unwrap();
            let part = decoded(&segments, from);
            let due = &whole[(start as usize).min(whole.len())..];
            assert_eq!(part.len(), due.len());
            let worst = part
                .iter()
                .zip(due)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(worst < 0.02, "from {start}: {worst}");
        }
    }

    #[test]
    fn an_interrupted_recording_keeps_its_length() {
        let (mut segments, mut shape) = stored(&tone(440.0, -12.0, 120_000));
        segments.truncate(2);
        shape.samples = 2 * 38_400;
        let out = decoded(
            &segments,
            StoredSound::new(shape, StoredRate::Full).unwrap(),
        );
        assert_eq!(out.len(), 2 * 38_400);
    }

    #[test]
    fn a_lost_segment_is_silence_and_the_rest_stays_in_place() {
        let (segments, shape) = stored(&tone(440.0, -12.0, 120_000));
        let mut sound = StoredSound::new(shape, StoredRate::Full).unwrap();
        let mut out = Vec::new();
        sound.push(&segments[0], &mut out).unwrap();
        sound.skip_lost(&mut out).unwrap();
        sound.push(&segments[2], &mut out).unwrap();
        sound.push(&segments[3], &mut out).unwrap();
        assert_eq!(out.len(), 120_000);
        assert!(out[40_000..70_000].iter().all(|x| *x == 0.0));
        assert!((level_of(&out[90_000..114_000], 440.0) + 12.0).abs() < 1.0);
    }

    #[test]
    fn a_segment_of_another_size_is_refused() {
        let shape = StoredShape {
            samples: 38_400,
            pre_skip: 312,
        };
        let mut sound = StoredSound::new(shape, StoredRate::Full).unwrap();
        assert!(sound.push(&[0; 100], &mut Vec::new()).is_err());
    }
}

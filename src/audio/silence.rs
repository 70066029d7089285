//! Takes a span out of kept sound: silence in the place of whole packets.
//!
//! A packet of 20 ms is the smallest part of stored sound that can be exchanged
//! without coding what is around it anew. So the span is widened until nothing of
//! it is in any packet that stays:
//!
//! - before it, to the first packet for which the encoder had heard a sample of
//!   it: it looks 6.5 ms ahead of what it codes;
//! - behind it, to the last packet that is coded as a difference to samples of
//!   it: the predictors of Opus look back some 24 ms.
//!
//! A silent packet has the size of every other. It is coded in CELT, whose
//! silence is exact and begins at once, and behind which the decoder takes up
//! speech with a clean state: in SILK, what was loud before would fade over
//! several packets. What stays behind the span was chosen by an encoder that had
//! heard it, whose slow estimates (how loud, how noisy) show in how coarsely it
//! coded; no sample of the span is in it.

use std::ops::Range;

use opusic_c::{Application, Bitrate, Channels, Encoder, SampleRate};

use super::encode::{PACKET_BYTES, PACKET_SAMPLES, SEGMENT_PACKETS, SegmentEncoder};
use super::error::AudioError;
use crate::recording::SEGMENT_SAMPLES;

/// Packet size times packets per second.
const BITS_PER_S: u32 = PACKET_BYTES as u32 * 8 * 50;

/// How far back of what it codes a packet is predicted from, samples at 48 kHz:
/// 30 ms. CELT's comb filter takes 1,024 samples and its window 120 more (RFC
/// 6716, 4.3.7), SILK's pitch predictor 18 ms and its filter 1 ms more (4.2.7.6);
/// the rest is to spare.
const LOOKS_BACK_SAMPLES: u64 = 1_440;

/// A segment that holds nothing to hear, for where one can't be read.
///
/// # Errors
/// [`AudioError::Codec`] if libopus refuses to code silence.
pub fn silent_segment() -> Result<Vec<u8>, AudioError> {
    let mut silence = Vec::new();
    SegmentEncoder::new()?.push(
        &vec![0.0; SEGMENT_SAMPLES as usize],
        &mut |segment: &[u8], _samples| -> Result<(), AudioError> {
            silence = segment.to_vec();
            Ok(())
        },
    )?;
    Ok(silence)
}

/// A span of a recording that is to be silent.
pub struct Silencer {
    packets: Range<u64>,
    pre_skip: u64,
    silent: [u8; PACKET_BYTES],
}

impl Silencer {
    /// Silence for the samples (48 kHz) of this span; `pre_skip` is what the
    /// recording's card says.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if libopus refuses to code silence.
    pub fn new(span: &Range<u64>, pre_skip: u16) -> Result<Self, AudioError> {
        let packet = PACKET_SAMPLES as u64;
        let pre_skip = u64::from(pre_skip);
        // A sample goes into the packet of its number, and comes out of it or,
        // by the look-ahead, of the next one.
        let first = span.start / packet;
        let end = span
            .end
            .saturating_add(pre_skip + LOOKS_BACK_SAMPLES)
            .div_ceil(packet);
        Ok(Self {
            packets: first..end.max(first),
            pre_skip,
            silent: silent_packet()?,
        })
    }

    /// The samples that can't be heard any more: the span, widened.
    #[must_use]
    pub fn silenced(&self) -> Range<u64> {
        let heard_at = |number: u64| {
            let sample = number.saturating_mul(PACKET_SAMPLES as u64);
            sample.saturating_sub(self.pre_skip)
        };
        heard_at(self.packets.start)..heard_at(self.packets.end)
    }

    /// Silences what of this segment lies in the span.
    pub fn silence(&self, segment: u64, packets: &mut [u8]) {
        let first = segment.saturating_mul(SEGMENT_PACKETS as u64);
        for (number, packet) in (first..).zip(packets.chunks_mut(PACKET_BYTES)) {
            if self.packets.contains(&number) {
                let silent = self.silent.get(..packet.len()).unwrap_or_default();
                packet.copy_from_slice(silent);
            }
        }
    }
}

/// 20 ms of silence of the size of every other packet.
pub(super) fn silent_packet() -> Result<[u8; PACKET_BYTES], AudioError> {
    let coded = || {
        // For low delay, libopus uses CELT alone.
        let mut encoder = Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::LowDelay)?;
        encoder.set_vbr(false)?;
        encoder.set_bitrate(Bitrate::Value(BITS_PER_S))?;
        let mut packet = [0; PACKET_BYTES];
        let bytes = encoder.encode_float_to_slice(&[0.0; PACKET_SAMPLES], &mut packet)?;
        Ok((packet, bytes))
    };
    let refused = |why: String| AudioError::Codec { codec: "opus", why };
    let (packet, bytes) =
        coded().map_err(|error: opusic_c::ErrorCode| refused(error.message().to_owned()))?;
    if bytes != PACKET_BYTES {
        return Err(refused(format!("a silent packet of {bytes} bytes")));
    }
    Ok(packet)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use proptest::prelude::*;

    use super::super::encode::SEGMENT_BYTES;
    use super::super::stored::{StoredRate, StoredShape, StoredSound};
    use super::super::synthetic::{noise, stored, tone};
    use super::*;

    /// Like a voice: a gliding pitch with overtones, in syllables.
    fn voice(samples: usize, pitch_hz: f32) -> Vec<f32> {
        let mut phase = 0.0_f32;
        (0..samples)
            .map(|at| {
                let t = at as f32 / 48_000.0;
                phase += (pitch_hz + 20.0 * (t * 2.1).sin()) / 48_000.0;
                let syllable = 0.2 + (t * 4.0 * std::f32::consts::TAU).sin().max(0.0).sqrt();
                let overtone = |n: i32| (phase * n as f32 * std::f32::consts::TAU).sin() / n as f32;
                0.15 * syllable * (1..30).map(overtone).sum::<f32>()
            })
            .collect()
    }

    fn decoded(segments: &[Vec<u8>], shape: StoredShape) -> Vec<f32> {
        let mut sound = StoredSound::new(shape, StoredRate::Full).unwrap();
        let mut out = Vec::new();
        while let Some(number) = sound.next_segment() {
            sound.push(&segments[number as usize], &mut out).unwrap();
        }
        sound.finish(&mut out);
        out
    }

    fn rms_dbfs(samples: &[f32]) -> f64 {
        let power: f64 = samples.iter().map(|x| f64::from(*x).powi(2)).sum();
        10.0 * (power / samples.len().max(1) as f64).max(1e-12).log10()
    }

    fn silenced(mono: &[f32], span: Range<u64>) -> (Vec<f32>, Vec<f32>, Range<usize>) {
        let (mut segments, shape) = stored(mono);
        let before = decoded(&segments, shape);
        let silencer = Silencer::new(&span, shape.pre_skip).unwrap();
        for (number, segment) in segments.iter_mut().enumerate() {
            silencer.silence(number as u64, segment);
            assert_eq!(segment.len(), SEGMENT_BYTES);
        }
        let Range { start, end } = silencer.silenced();
        let gone = start as usize..(end as usize).min(before.len());
        (before, decoded(&segments, shape), gone)
    }

    /// Samples in which a decoder fades out of what went before: 20 ms.
    const RINGING: usize = PACKET_SAMPLES;

    /// Samples after which a decoder has found back: as when it starts anywhere.
    const RUN_UP: usize = 10 * PACKET_SAMPLES;

    #[test]
    fn the_span_is_silent_and_what_is_around_it_stays() {
        let sounds = [
            ("voice", voice(240_000, 120.0)),
            ("high voice", voice(240_000, 230.0)),
            ("tone", tone(440.0, -6.0, 240_000)),
            ("noise", noise(240_000, -12.0)),
        ];
        for (name, sound) in sounds {
            for span in [76_800..115_200, 80_123..81_000, 100_001..170_777] {
                let (before, after, gone) = silenced(&sound, span.clone());
                assert_eq!(before.len(), after.len(), "{name}");
                assert!(gone.start as u64 <= span.start && gone.end as u64 >= span.end);
                assert!(gone.len() as u64 <= span.end - span.start + 4 * 960);
                assert_eq!(before[..gone.start], after[..gone.start], "{name}");
                let heard = rms_dbfs(&before[gone.clone()]);
                assert!(heard > -40.0, "{name}: the control, {heard}");
                let rest = rms_dbfs(&after[gone.start + RINGING..gone.end]);
                assert!(rest < -80.0, "{name} {span:?}: {rest} dBFS");
                let from = gone.end + RUN_UP;
                let differ = |(a, b): (&f32, &f32)| (a - b).abs();
                let worst = before[from..].iter().zip(&after[from..]).map(differ);
                let worst = worst.fold(0.0, f32::max);
                assert!(worst < 0.02, "{name} {span:?}: {worst}");
            }
        }
    }

    #[test]
    fn all_of_a_recording_and_its_edges_can_be_silenced() {
        let sound = voice(100_001, 150.0);
        let (_, after, _) = silenced(&sound, 0..100_001);
        assert!(rms_dbfs(&after) < -110.0);
        let (before, after, gone) = silenced(&sound, 60_000..100_001);
        assert_eq!(gone.end, 100_001);
        assert_eq!(before[..gone.start], after[..gone.start]);
        assert!(rms_dbfs(&after[gone.start + RINGING..]) < -80.0);
        let (_, after, gone) = silenced(&sound, 0..10);
        assert!(rms_dbfs(&after[..gone.end]) < -80.0);
    }

    #[test]
    fn what_follows_sounds_the_same_whatever_was_said_in_the_span() {
        let (mut loud, mut quiet) = (voice(240_000, 120.0), voice(240_000, 120.0));
        let span = 100_000..140_000_usize;
        loud[span.clone()].copy_from_slice(&noise(40_000, -6.0));
        quiet[span.clone()].fill(0.0);
        let span = span.start as u64..span.end as u64;
        let (before, one, gone) = silenced(&loud, span.clone());
        let (_, two, _) = silenced(&quiet, span);
        let behind = gone.end..gone.end + RUN_UP;
        let heard = rms_dbfs(&before[behind.clone()]);
        let differ: Vec<f32> = behind.map(|at| one[at] - two[at]).collect();
        // As much as coding it costs anyway.
        let differ = rms_dbfs(&differ);
        assert!(differ < heard - 6.0, "{differ} of {heard} dBFS");
    }

    #[test]
    fn the_same_packet_stands_for_all_of_it() {
        let silencer = Silencer::new(&(0..u64::MAX), 312).unwrap();
        let mut segment = vec![7; SEGMENT_BYTES];
        silencer.silence(3, &mut segment);
        let (first, rest) = segment.split_at(PACKET_BYTES);
        assert!(rest.chunks(PACKET_BYTES).all(|packet| packet == first));
        assert_ne!(first, [7; PACKET_BYTES]);
    }

    proptest! {
        #[test]
        fn every_packet_that_can_tell_of_the_span_is_silenced_and_few_others(
            start in 0_u64..1_000_000,
            length in 1_u64..200_000,
        ) {
            let span = start..start + length;
            let silencer = Silencer::new(&span, 312).unwrap();
            for number in 0..1_300_u64 {
                let mut segment = vec![7; PACKET_BYTES * (number % 40 + 1) as usize];
                silencer.silence(number / 40, &mut segment);
                let is_silent = !segment.ends_with(&[7; PACKET_BYTES]);
                // What the encoder had heard of by then, and what it predicts from.
                let heard = number * 960 - (number * 960).min(312 + 1_164)..(number + 1) * 960;
                let tells = heard.start < span.end && span.start < heard.end;
                prop_assert!(is_silent || !tells, "packet {number} of {span:?}");
                let far = heard.start > span.end + 2 * 960 || heard.end + 960 < span.start;
                prop_assert!(!is_silent || !far, "packet {number} of {span:?}");
            }
        }
    }
}

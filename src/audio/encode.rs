//! Samples into segments: what the vault keeps.
//!
//! Opus at 28 kbit/s, hard constant bit rate, no discontinuous transmission:
//! every 20 ms make one packet of exactly 70 bytes and 40 packets one segment
//! of exactly 2,800, because the sizes of variable-rate speech betray what is
//! said. The encoder looks ahead, so a decoder first gives [`pre_skip`] samples
//! of silence that have to be dropped, and the end is padded until they are
//! made up for.
//!
//! The encoder is in its VOIP mode: it takes off what lies below the voice
//! (rumble, an offset of the converter) and spends its bits on formants, which
//! is what a listener and a speech model need of a microphone. It is told that
//! the signal is a voice, or it would have to guess that first.

use opusic_c::{Application, Bitrate, Channels, Encoder, SampleRate, Signal};

use super::error::AudioError;

/// Bytes of one packet.
pub const PACKET_BYTES: usize = 70;

/// Samples (mono, 48 kHz) in one packet: 20 ms.
pub const PACKET_SAMPLES: usize = 960;

/// Packets in one segment.
pub const SEGMENT_PACKETS: usize = 40;

/// Bytes of one segment.
pub const SEGMENT_BYTES: usize = PACKET_BYTES * SEGMENT_PACKETS;

/// Packet size times packets per second: 28 kbit/s.
const BITS_PER_S: u32 = PACKET_BYTES as u32 * 8 * 50;

/// libopus' effort, 0 to 10. From 5 on it searches pitch and noise shaping
/// thoroughly; above, the time grows faster than what one can hear.
const COMPLEXITY: u8 = 5;

/// Takes each segment (2,800 bytes) and how many of its 38,400 samples count.
pub type SegmentSink<'a, E> = dyn FnMut(&[u8], u32) -> Result<(), E> + 'a;

/// Encodes a stream of mono samples at 48 kHz.
pub struct SegmentEncoder {
    encoder: Encoder,
    pre_skip: u16,
    waiting: Vec<f32>,
    segment: Vec<u8>,
    /// Samples of the recording in the segment being filled.
    valid: u32,
    samples: u64,
    packets: u64,
}

/// Samples at 48 kHz that the encoder here is late, and a decoder drops.
///
/// # Errors
/// [`AudioError::Codec`] if libopus refuses to start.
pub fn pre_skip() -> Result<u16, AudioError> {
    Ok(SegmentEncoder::new()?.pre_skip)
}

impl SegmentEncoder {
    /// An encoder at the start of a recording.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if libopus refuses to start.
    pub fn new() -> Result<Self, AudioError> {
        let made = || {
            let mut encoder = Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Voip)?;
            encoder.set_vbr(false)?;
            encoder.set_bitrate(Bitrate::Value(BITS_PER_S))?;
            encoder.set_dtx(false)?;
            encoder.set_signal(Signal::Voice)?;
            encoder.set_complexity(COMPLEXITY)?;
            let look_ahead = encoder.get_look_ahead()?;
            Ok((encoder, look_ahead))
        };
        let (encoder, look_ahead) = made().map_err(refused)?;
        let pre_skip = u16::try_from(look_ahead).map_err(|_| AudioError::Codec {
            codec: "opus",
            why: format!("a look-ahead of {look_ahead} samples"),
        })?;
        Ok(Self {
            encoder,
            pre_skip,
            waiting: Vec::with_capacity(PACKET_SAMPLES),
            segment: Vec::with_capacity(SEGMENT_BYTES),
            valid: 0,
            samples: 0,
            packets: 0,
        })
    }

    /// Samples at 48 kHz that a decoder drops at the start.
    #[must_use]
    pub const fn pre_skip(&self) -> u16 {
        self.pre_skip
    }

    /// Samples taken in so far.
    #[must_use]
    pub const fn samples(&self) -> u64 {
        self.samples
    }

    /// Takes samples in; hands each full segment and how many of its samples
    /// count to `sink`. What is beyond full scale is cut off there, and what is not
    /// a number is silence.
    ///
    /// # Errors
    /// What `sink` returns, or a failure of libopus.
    pub fn push<E: From<AudioError>>(
        &mut self,
        mono: &[f32],
        sink: &mut SegmentSink<'_, E>,
    ) -> Result<(), E> {
        let mut rest = mono;
        while !rest.is_empty() {
            let room = PACKET_SAMPLES - self.waiting.len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.waiting.extend(now.iter().map(|x| match x.is_nan() {
                true => 0.0,
                false => x.clamp(-1.0, 1.0),
            }));
            self.samples += now.len() as u64;
            self.valid += now.len() as u32;
            rest = later;
            if self.waiting.len() == PACKET_SAMPLES {
                self.close_packet(sink)?;
            }
        }
        Ok(())
    }

    /// Pads the end with silence, hands over what is left, and returns how many
    /// samples there were in all. A recording without samples has no segment.
    ///
    /// # Errors
    /// What `sink` returns, or a failure of libopus.
    pub fn finish<E: From<AudioError>>(mut self, sink: &mut SegmentSink<'_, E>) -> Result<u64, E> {
        if self.samples == 0 {
            return Ok(0);
        }
        let due = self.samples + u64::from(self.pre_skip);
        while self.packets * (PACKET_SAMPLES as u64) < due || !self.segment.is_empty() {
            self.waiting.resize(PACKET_SAMPLES, 0.0);
            self.close_packet(sink)?;
        }
        Ok(self.samples)
    }

    fn close_packet<E: From<AudioError>>(
        &mut self,
        sink: &mut SegmentSink<'_, E>,
    ) -> Result<(), E> {
        let mut packet = [0; PACKET_BYTES];
        let bytes = self
            .encoder
            .encode_float_to_slice(&self.waiting, &mut packet)
            .map_err(refused)?;
        if bytes != PACKET_BYTES {
            // Would betray what is said, and could not be found again.
            let why = format!("a packet of {bytes} bytes where {PACKET_BYTES} were due");
            return Err(AudioError::Codec { codec: "opus", why }.into());
        }
        self.waiting.clear();
        self.segment.extend_from_slice(&packet);
        self.packets += 1;
        if self.segment.len() == SEGMENT_BYTES {
            sink(&self.segment, self.valid)?;
            self.segment.clear();
            self.valid = 0;
        }
        Ok(())
    }
}

/// What the codec said no with.
pub(super) fn refused(error: opusic_c::ErrorCode) -> AudioError {
    AudioError::Codec {
        codec: "opus",
        why: error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;
    use crate::audio::synthetic::{noise, tone};

    fn segments_of(mono: &[f32], block: usize) -> (Vec<(Vec<u8>, u32)>, u64) {
        let mut segments = Vec::new();
        let mut sink = |bytes: &[u8], samples: u32| {
            segments.push((bytes.to_vec(), samples));
            Ok::<(), AudioError>(())
        };
        let mut encoder = SegmentEncoder::new().unwrap();
        for block in mono.chunks(block) {
            encoder.push(block, &mut sink).unwrap();
        }
        let samples = encoder.finish(&mut sink).unwrap();
        (segments, samples)
    }

    #[test]
    fn every_segment_has_the_same_size_whatever_is_said() {
        let mut sound = vec![0.0; 50_000];
        sound.extend(tone(220.0, -12.0, 50_000));
        sound.extend(noise(50_000, -6.0));
        let (segments, samples) = segments_of(&sound, 1_000);
        assert_eq!(samples, 150_000);
        assert!(
            segments
                .iter()
                .all(|(bytes, _)| bytes.len() == SEGMENT_BYTES)
        );
        let counts: Vec<u32> = segments.iter().map(|(_, samples)| *samples).collect();
        assert_eq!(counts, [38_400, 38_400, 38_400, 34_800]);
    }

    #[test]
    fn a_full_last_segment_is_followed_by_what_the_encoder_still_holds() {
        let (segments, samples) = segments_of(&tone(220.0, -12.0, 38_400), 960);
        assert_eq!(samples, 38_400);
        assert_eq!(
            segments
                .iter()
                .map(|(_, samples)| *samples)
                .collect::<Vec<_>>(),
            [38_400, 0]
        );
    }

    #[test]
    fn how_the_samples_were_cut_makes_no_difference() {
        let sound = tone(300.0, -20.0, 60_000);
        assert_eq!(segments_of(&sound, 60_000), segments_of(&sound, 77));
    }

    #[test]
    fn a_recording_without_samples_has_no_segment() {
        assert_eq!(segments_of(&[], 1), (Vec::new(), 0));
    }
}

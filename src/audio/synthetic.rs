//! Sound made in code, for tests.

#![allow(clippy::unwrap_used, reason = "tests only")]

use super::{AudioError, SegmentEncoder, StoredShape};

/// A sine of this level (RMS, dBFS) at 48 kHz.
pub(super) fn tone(hz: f64, dbfs: f32, samples: usize) -> Vec<f32> {
    tone_at(48_000, hz, dbfs, samples)
}

/// The same at another rate.
pub(super) fn tone_at(rate_hz: u32, hz: f64, dbfs: f32, samples: usize) -> Vec<f32> {
    let size = f64::from(10.0_f32.powf(dbfs / 20.0)) * std::f64::consts::SQRT_2;
    let turn = std::f64::consts::TAU * hz / f64::from(rate_hz);
    (0..samples)
        .map(|at| (size * (turn * at as f64).sin()) as f32)
        .collect()
}

/// White noise of this level (RMS, dBFS), the same every time.
pub(super) fn noise(samples: usize, dbfs: f32) -> Vec<f32> {
    let size = 10.0_f32.powf(dbfs / 20.0) * 3.0_f32.sqrt();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..samples).map(|_| uniform() * size).collect()
}

/// Level of one frequency in 48 kHz sound (Goertzel), dBFS RMS.
pub(super) fn level_of(sound: &[f32], hz: f64) -> f64 {
    let turn = std::f64::consts::TAU * hz / 48_000.0;
    let (mut re, mut im) = (0.0, 0.0);
    for (at, x) in sound.iter().enumerate() {
        re += f64::from(*x) * (turn * at as f64).cos();
        im += f64::from(*x) * (turn * at as f64).sin();
    }
    20.0 * (re.hypot(im) * std::f64::consts::SQRT_2 / sound.len() as f64).log10()
}

/// Samples as the bytes of 16-bit little-endian PCM.
pub(super) fn s16le(samples: &[f32]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|x| ((x * 32_767.0).round() as i16).to_le_bytes())
        .collect()
}

/// A WAV file of 16-bit PCM, with the sizes that its header claims.
pub(super) fn wav(rate_hz: u32, channels: u16, data: &[u8], claimed: u32) -> Vec<u8> {
    let block = channels * 2;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend(claimed.saturating_add(36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(claimed.to_le_bytes());
    file.extend(data);
    file
}

/// Sound at 48 kHz as the vault keeps it: the packets of each segment, and the shape.
pub(super) fn stored(mono: &[f32]) -> (Vec<Vec<u8>>, StoredShape) {
    let mut segments = Vec::new();
    let mut sink = |bytes: &[u8], _| {
        segments.push(bytes.to_vec());
        Ok::<(), AudioError>(())
    };
    let mut encoder = SegmentEncoder::new().unwrap();
    let pre_skip = encoder.pre_skip();
    encoder.push(mono, &mut sink).unwrap();
    let samples = encoder.finish(&mut sink).unwrap();
    (segments, StoredShape { samples, pre_skip })
}

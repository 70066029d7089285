//! WAV: plain 16-bit PCM, mono, as a stream.

use std::io::Write;

use super::to_16_bits;
use crate::audio::error::AudioError;

/// Bytes between the size field of `RIFF` and the sound.
const HEADER_REST: u32 = 36;

/// Bytes of one sample.
const SAMPLE_BYTES: u16 = 2;

/// Writes a WAV file.
pub struct WavWriter<W: Write> {
    to: W,
    bytes: Vec<u8>,
}

impl<W: Write> WavWriter<W> {
    /// Writes the header of a file of this many samples. Above 4 GiB (12 hours
    /// at 48 kHz) the size can't be said; the header then says, as streams do,
    /// that it is unknown, and players read to the end.
    ///
    /// # Errors
    /// [`AudioError::Write`].
    pub fn new(mut to: W, samples: u64, rate_hz: u32) -> Result<Self, AudioError> {
        let data = samples
            .checked_mul(u64::from(SAMPLE_BYTES))
            .and_then(|bytes| u32::try_from(bytes).ok())
            .filter(|bytes| *bytes < u32::MAX - HEADER_REST);
        let mut header = Vec::with_capacity(44);
        header.extend(b"RIFF");
        header.extend(
            data.map_or(u32::MAX, |bytes| bytes + HEADER_REST)
                .to_le_bytes(),
        );
        header.extend(b"WAVEfmt ");
        header.extend(16_u32.to_le_bytes()); // length of this chunk
        header.extend(1_u16.to_le_bytes()); // PCM
        header.extend(1_u16.to_le_bytes()); // channels
        header.extend(rate_hz.to_le_bytes());
        header.extend(
            rate_hz
                .saturating_mul(u32::from(SAMPLE_BYTES))
                .to_le_bytes(),
        );
        header.extend(SAMPLE_BYTES.to_le_bytes()); // bytes per frame
        header.extend((SAMPLE_BYTES * 8).to_le_bytes());
        header.extend(b"data");
        header.extend(data.unwrap_or(u32::MAX).to_le_bytes());
        to.write_all(&header).map_err(AudioError::Write)?;
        Ok(Self {
            to,
            bytes: Vec::new(),
        })
    }

    /// Writes mono samples in -1..1.
    ///
    /// # Errors
    /// [`AudioError::Write`].
    pub fn push(&mut self, mono: &[f32]) -> Result<(), AudioError> {
        self.bytes.clear();
        self.bytes
            .extend(mono.iter().flat_map(|x| to_16_bits(*x).to_le_bytes()));
        self.to.write_all(&self.bytes).map_err(AudioError::Write)
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// [`AudioError::Write`].
    pub fn finish(mut self) -> Result<W, AudioError> {
        self.to.flush().map_err(AudioError::Write)?;
        Ok(self.to)
    }
}

//! FLAC: 16 bits, mono, frame by frame.
//!
//! The checksum over all samples that a FLAC header may hold is left out (zero
//! means unknown, RFC 9639, 8.2): it would have to be known before the first
//! frame. Every frame has a checksum of its own.

use std::io::Write;

use flacenc::bitsink::MemSink;
use flacenc::component::{BitRepr, MetadataBlockData, StreamInfo};
use flacenc::config::Encoder;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Fill, FrameBuf};

use super::to_16_bits;
use crate::audio::error::AudioError;

/// Samples per frame, as the reference encoder has it at its default.
const FRAME_SAMPLES: usize = 4096;

/// Writes a FLAC file.
pub struct FlacWriter<W: Write> {
    to: W,
    config: Verified<Encoder>,
    info: StreamInfo,
    buffer: FrameBuf,
    waiting: Vec<i32>,
    frames: usize,
}

impl<W: Write> FlacWriter<W> {
    /// Writes the header of a file of this many samples.
    ///
    /// # Errors
    /// [`AudioError::Write`], and `Codec` where FLAC can't carry the rate.
    pub fn new(mut to: W, samples: u64, rate_hz: u32) -> Result<Self, AudioError> {
        let config = Encoder::default()
            .into_verified()
            .map_err(|(_, error)| refused(&error))?;
        let mut info = StreamInfo::new(rate_hz as usize, 1, 16).map_err(|error| refused(&error))?;
        info.set_total_samples(usize::try_from(samples).unwrap_or(0));
        info.set_block_sizes(FRAME_SAMPLES, FRAME_SAMPLES)
            .map_err(|error| refused(&error))?;
        let block = MetadataBlockData::from(info.clone());
        let mut header = b"fLaC".to_vec();
        // Last metadata block, of kind 0, 34 bytes.
        header.extend([0x80, 0, 0, 34]);
        header.extend(bytes_of(&block)?);
        to.write_all(&header).map_err(AudioError::Write)?;
        let buffer = FrameBuf::with_size(1, FRAME_SAMPLES).map_err(|error| refused(&error))?;
        let waiting = Vec::with_capacity(FRAME_SAMPLES);
        Ok(Self {
            to,
            config,
            info,
            buffer,
            waiting,
            frames: 0,
        })
    }

    /// Writes mono samples in -1..1.
    ///
    /// # Errors
    /// [`AudioError::Write`] and `Codec`.
    pub fn push(&mut self, mono: &[f32]) -> Result<(), AudioError> {
        let mut rest = mono;
        while !rest.is_empty() {
            let room = FRAME_SAMPLES - self.waiting.len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.waiting
                .extend(now.iter().map(|x| i32::from(to_16_bits(*x))));
            rest = later;
            if self.waiting.len() == FRAME_SAMPLES {
                self.close_frame()?;
            }
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// [`AudioError::Write`] and `Codec`.
    pub fn finish(mut self) -> Result<W, AudioError> {
        if !self.waiting.is_empty() {
            self.close_frame()?;
        }
        self.to.flush().map_err(AudioError::Write)?;
        Ok(self.to)
    }

    fn close_frame(&mut self) -> Result<(), AudioError> {
        self.buffer.resize(self.waiting.len().max(1));
        self.buffer
            .fill_interleaved(&self.waiting)
            .map_err(|error| refused(&error))?;
        let frame =
            flacenc::encode_fixed_size_frame(&self.config, &self.buffer, self.frames, &self.info)
                .map_err(|error| refused(&error))?;
        self.to
            .write_all(&bytes_of(&frame)?)
            .map_err(AudioError::Write)?;
        self.waiting.clear();
        self.frames += 1;
        Ok(())
    }
}

fn bytes_of(part: &impl BitRepr) -> Result<Vec<u8>, AudioError> {
    let mut sink = MemSink::<u8>::new();
    part.write(&mut sink).map_err(|error| refused(&error))?;
    Ok(sink.into_inner())
}

fn refused(error: &impl std::fmt::Display) -> AudioError {
    AudioError::Codec {
        codec: "flac",
        why: error.to_string(),
    }
}

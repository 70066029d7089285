//! Headerless PCM, as `arecord -t raw` and `parec` write it.

use std::io::{self, Read};
use std::str::FromStr;

use crate::audio::error::AudioError;
use crate::audio::shape::Shape;

/// Bytes read at once: a tenth of a second of stereo, so that a live pipe does
/// not wait long.
const BYTES_AT_ONCE: usize = 16 * 1024;

/// How one sample is written; named as ffmpeg and ALSA name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 16 bits, little endian.
    S16le,
    /// Signed, 16 bits, big endian.
    S16be,
    /// Signed, 24 bits in three bytes, little endian.
    S24le,
    /// Signed, 32 bits, little endian.
    S32le,
    /// IEEE float, 32 bits, little endian.
    F32le,
}

/// The names by which formats are given, each with its format.
const NAMES: [(&str, SampleFormat); 6] = [
    ("u8", SampleFormat::U8),
    ("s16le", SampleFormat::S16le),
    ("s16be", SampleFormat::S16be),
    ("s24le", SampleFormat::S24le),
    ("s32le", SampleFormat::S32le),
    ("f32le", SampleFormat::F32le),
];

/// There is no such sample format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown sample format, known are u8, s16le, s16be, s24le, s32le, f32le")]
pub struct NoSuchSampleFormat;

impl FromStr for SampleFormat {
    type Err = NoSuchSampleFormat;

    fn from_str(name: &str) -> Result<Self, NoSuchSampleFormat> {
        let named = NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, format)| *format).ok_or(NoSuchSampleFormat)
    }
}

impl SampleFormat {
    const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::S16le | Self::S16be => 2,
            Self::S24le => 3,
            Self::S32le | Self::F32le => 4,
        }
    }

    /// One sample in -1..1; the slice holds exactly its bytes.
    fn sample(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::U8, [a]) => (f32::from(*a) - 128.0) / 128.0,
            (Self::S16le, [a, b]) => f32::from(i16::from_le_bytes([*a, *b])) / 32_768.0,
            (Self::S16be, [a, b]) => f32::from(i16::from_be_bytes([*a, *b])) / 32_768.0,
            (Self::S24le, [a, b, c]) => {
                (i32::from_le_bytes([0, *a, *b, *c]) >> 8) as f32 / 8_388_608.0
            }
            (Self::S32le, [a, b, c, d]) => {
                (f64::from(i32::from_le_bytes([*a, *b, *c, *d])) / 2_147_483_648.0) as f32
            }
            (Self::F32le, [a, b, c, d]) => f32::from_le_bytes([*a, *b, *c, *d]),
            _ => 0.0,
        }
    }
}

/// What headerless PCM looks like: nothing in it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawFormat {
    /// How one sample is written.
    pub sample: SampleFormat,
    /// Frames per second.
    pub rate_hz: u32,
    /// Samples in one frame.
    pub channels: u16,
}

/// Headerless PCM that is being read.
pub(super) struct RawSound {
    stream: Box<dyn Read + Send + Sync>,
    shape: Shape,
    sample: SampleFormat,
    /// Bytes read that make no whole frame yet.
    waiting: Vec<u8>,
    ended: bool,
}

impl RawSound {
    pub(super) fn new(
        stream: Box<dyn Read + Send + Sync>,
        format: RawFormat,
    ) -> Result<Self, AudioError> {
        let shape = Shape::new(format.rate_hz, format.channels)?;
        Ok(Self {
            stream,
            shape,
            sample: format.sample,
            waiting: Vec::new(),
            ended: false,
        })
    }

    /// The end came in the middle of a frame.
    pub(super) fn is_truncated(&self) -> bool {
        self.ended && !self.waiting.is_empty()
    }

    pub(super) fn read(&mut self, block: &mut Vec<f32>) -> Result<Option<Shape>, AudioError> {
        let bytes = self.sample.bytes();
        let frame = bytes * self.shape.channels();
        while !self.ended {
            let held = self.waiting.len();
            self.waiting.resize(held + BYTES_AT_ONCE.max(frame), 0);
            let read = self
                .stream
                .read(self.waiting.get_mut(held..).unwrap_or_default());
            self.waiting
                .truncate(held + read.as_ref().map_or(0, |count| *count));
            match read {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(AudioError::Read {
                        which: "standard input".to_owned(),
                        source,
                    });
                }
            }
            let whole = self.waiting.len() / frame * frame;
            if whole > 0 {
                let taken = self.waiting.drain(..whole).collect::<Vec<u8>>();
                block.extend(
                    taken
                        .chunks_exact(bytes)
                        .map(|bytes| self.sample.sample(bytes)),
                );
                return Ok(Some(self.shape.clone()));
            }
        }
        Ok(None)
    }
}

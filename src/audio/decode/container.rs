//! Everything that has a header, through Symphonia.
//!
//! Symphonia reads foreign bytes; should it ever panic on crafted ones, that is
//! caught and counts as damage.

mod codec;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{
    FORMAT_ID_ADTS, FORMAT_ID_AIFF, FORMAT_ID_FLAC, FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3,
    FORMAT_ID_OGG,
};
use symphonia::core::formats::{FormatId, FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use self::codec::{Codec, Decoded, Trouble, guarded};
use super::mp4::Edit;
use crate::audio::error::AudioError;
use crate::audio::resample::resampled_len;
use crate::audio::shape::Shape;

pub(super) use self::codec::{CENTRE, FRONT, LOW, SIDE};

/// Packets in a row that can't be decoded before the rest is given up.
const MOST_BAD_PACKETS: u64 = 1_000;

/// What is known before the container is opened.
#[derive(Default)]
pub(super) struct Opening {
    pub(super) which: String,
    /// The first bytes, as many as were looked at.
    pub(super) head: Vec<u8>,
    /// Frames that count at most.
    pub(super) limit: Option<u64>,
    pub(super) edit: Option<Edit>,
    pub(super) duration: Option<Duration>,
    /// Bytes that did not come, counted by who reads them.
    pub(super) missing: Option<Arc<AtomicU64>>,
}

/// A container whose first sound track is decoded.
pub(super) struct Container {
    which: String,
    reader: Box<dyn FormatReader>,
    decoder: Codec,
    track_id: u32,
    /// Frames still to drop at the start, and to give at most.
    skip: u64,
    limit: Option<u64>,
    duration: Option<Duration>,
    /// Frames there should be, where that is known for sure.
    expected: Option<u64>,
    missing: Option<Arc<AtomicU64>>,
    edit: Option<Edit>,
    state: State,
    /// At least one sample was given.
    given: bool,
    skipped: u64,
    bad_in_a_row: u64,
    last_trouble: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Running,
    Ended,
    /// The rest can't be reached.
    CutOff,
}

impl Container {
    pub(super) fn open(
        source: Box<dyn MediaSource>,
        extension: Option<&str>,
        opening: Opening,
    ) -> Result<Box<Self>, AudioError> {
        let Opening {
            which,
            head,
            limit,
            edit,
            duration,
            missing,
        } = opening;
        let mut hint = Hint::new();
        if let Some(extension) = extension {
            hint.with_extension(extension);
        }
        let seekable = source.is_seekable();
        let stream = MediaSourceStream::new(source, Default::default());
        let probed = guarded(|| {
            symphonia::default::get_probe().probe(
                &hint,
                stream,
                FormatOptions::default(),
                MetadataOptions::default(),
            )
        });
        let reader = match probed {
            Ok(reader) => reader,
            Err(Trouble::Symphonia(Error::IoError(source)))
                if source.kind() != std::io::ErrorKind::UnexpectedEof =>
            {
                return Err(AudioError::Read { which, source });
            }
            // The probe says the same of text and of what it has no reader for.
            Err(Trouble::Symphonia(Error::Unsupported(_) | Error::IoError(_))) => {
                return Err(AudioError::Unknown { which });
            }
            Err(trouble) => {
                return Err(AudioError::Damaged {
                    which,
                    why: trouble.to_string(),
                });
            }
        };
        if !is_plausible(reader.format_info().format, &head, extension) {
            return Err(AudioError::Unknown { which });
        }
        let Some(track) = reader.first_track_known_codec(TrackType::Audio) else {
            let why = "there is no sound track in it that can be decoded".to_owned();
            return Err(AudioError::Unsupported { which, why });
        };
        let decoder = Codec::of(track).map_err(|why| AudioError::Unsupported {
            which: which.clone(),
            why,
        })?;
        let format = reader.format_info().format;
        let exact = match format {
            FORMAT_ID_FLAC | FORMAT_ID_AIFF | FORMAT_ID_OGG => true,
            // Without the tag that LAME writes the number is a guess.
            FORMAT_ID_MP3 => track.delay.is_some(),
            _ => false,
        };
        // The last page of a complete Ogg file says how long it is.
        let endless = format == FORMAT_ID_OGG && seekable && track.num_frames.is_none();
        let container = Self {
            track_id: track.id,
            skip: decoder.pre_skip().unwrap_or(0),
            limit,
            duration: duration.or_else(|| {
                let time = track.time_base?.calc_duration(track.duration?)?;
                Duration::try_from_secs_f64(time.as_secs_f64()).ok()
            }),
            expected: match track.num_frames.filter(|_| exact) {
                _ if endless => Some(u64::MAX),
                // Ogg counts what is dropped at the start of Opus as well.
                frames => {
                    frames.map(|frames| frames.saturating_sub(decoder.pre_skip().unwrap_or(0)))
                }
            },
            missing,
            edit,
            state: State::Fresh,
            given: false,
            skipped: 0,
            bad_in_a_row: 0,
            last_trouble: None,
            decoder,
            which,
            reader,
        };
        Ok(Box::new(container))
    }

    pub(super) const fn duration(&self) -> Option<Duration> {
        self.duration
    }

    pub(super) const fn skipped_packets(&self) -> u64 {
        self.skipped
    }

    /// The rest could not be reached, or was announced and did not come.
    pub(super) fn is_truncated(&self, frames: u64) -> bool {
        let missing = self
            .missing
            .as_ref()
            .is_some_and(|bytes| bytes.load(Ordering::Relaxed) > 0);
        match self.state {
            State::CutOff => true,
            // The limit may be reached before the container is.
            State::Ended => missing || self.expected.is_some_and(|expected| frames < expected),
            State::Fresh | State::Running => false,
        }
    }

    /// Appends the samples of the next packet that has any.
    pub(super) fn read(&mut self, block: &mut Vec<f32>) -> Result<Option<Shape>, AudioError> {
        while matches!(self.state, State::Fresh | State::Running) {
            if self.limit == Some(0) {
                self.state = State::Ended;
                break;
            }
            let Some(packet) = self.next_packet()? else {
                break;
            };
            let Some(shape) = self.decode(&packet, block)? else {
                continue;
            };
            if self.state == State::Fresh {
                self.apply_edit(&shape);
                self.state = State::Running;
            }
            self.trim(block, shape.channels());
            if !block.is_empty() {
                self.given = true;
                return Ok(Some(shape));
            }
        }
        match self.last_trouble.take() {
            // Nothing at all could be decoded, which is not the same as an end.
            Some(why) if !self.given => Err(AudioError::Damaged {
                which: self.which.clone(),
                why,
            }),
            _ => Ok(None),
        }
    }

    fn next_packet(&mut self) -> Result<Option<Packet>, AudioError> {
        loop {
            match guarded(|| self.reader.next_packet()) {
                Ok(Some(packet)) if packet.track_id == self.track_id => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.state = State::Ended;
                    return Ok(None);
                }
                Err(Trouble::Symphonia(Error::ResetRequired)) => self.follow_chain()?,
                Err(Trouble::Symphonia(Error::IoError(source)))
                    if source.kind() != std::io::ErrorKind::UnexpectedEof =>
                {
                    return Err(AudioError::Read {
                        which: self.which.clone(),
                        source,
                    });
                }
                // A header that tells no length is followed to the end; who
                // reads the bytes knows whether some were missing.
                Err(Trouble::Symphonia(Error::IoError(_))) if self.missing.is_some() => {
                    self.state = State::Ended;
                    return Ok(None);
                }
                Err(trouble) => {
                    self.last_trouble = Some(trouble.to_string());
                    self.state = State::CutOff;
                    return Ok(None);
                }
            }
        }
    }

    /// One stream ended and another follows in the same file.
    fn follow_chain(&mut self) -> Result<(), AudioError> {
        let unsupported = |why| AudioError::Unsupported {
            which: self.which.clone(),
            why,
        };
        let Some(track) = self.reader.first_track_known_codec(TrackType::Audio) else {
            return Err(unsupported("a later part of it holds no sound".to_owned()));
        };
        let decoder = Codec::of(track).map_err(unsupported)?;
        if let Some(skip) = decoder.pre_skip() {
            self.skip = skip;
        }
        self.track_id = track.id;
        self.decoder = decoder;
        // What was announced was the first part.
        self.expected = None;
        Ok(())
    }

    /// The samples of one packet; None where it has none or is damaged.
    fn decode(
        &mut self,
        packet: &Packet,
        block: &mut Vec<f32>,
    ) -> Result<Option<Shape>, AudioError> {
        match self.decoder.decode(packet, block) {
            Ok(Decoded {
                rate_hz,
                channels,
                weights,
            }) => {
                self.bad_in_a_row = 0;
                let channels = u16::try_from(channels).unwrap_or(u16::MAX);
                if channels == 0 || block.is_empty() {
                    return Ok(None);
                }
                let shape = Shape::new(rate_hz, channels)?;
                Ok(Some(
                    weights.map_or(shape.clone(), |weights| shape.weighted(&weights)),
                ))
            }
            Err(trouble) => {
                block.clear();
                self.skipped += 1;
                self.bad_in_a_row += 1;
                self.last_trouble = Some(trouble.to_string());
                // What the decoder keeps may be half of that packet.
                if self.bad_in_a_row > MOST_BAD_PACKETS || self.decoder.reset().is_err() {
                    self.state = State::CutOff;
                }
                Ok(None)
            }
        }
    }

    /// An edit list counts in units of the media, which the decoder's rate may
    /// be a multiple of.
    fn apply_edit(&mut self, shape: &Shape) {
        let Some(edit) = self.edit.take() else { return };
        let frames = |units| resampled_len(units, edit.scale_hz, shape.rate_hz());
        if self.decoder.pre_skip().is_none() {
            self.skip = frames(edit.skip);
        }
        self.limit = Some(frames(edit.length));
        self.expected = self.limit;
    }

    fn trim(&mut self, block: &mut Vec<f32>, channels: usize) {
        let frames = block.len() / channels;
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(frames);
        self.skip -= skipped as u64;
        block.drain(..skipped * channels);
        if let Some(limit) = &mut self.limit {
            let kept = usize::try_from(*limit)
                .unwrap_or(usize::MAX)
                .min(frames - skipped);
            *limit -= kept as u64;
            block.truncate(kept * channels);
        }
    }
}

/// MPEG streams have no header, only a mark of eleven bits before each packet,
/// which the probe finds in programs and pictures as well. So they must begin
/// with it, or with a tag, or be called by their name.
fn is_plausible(format: FormatId, head: &[u8], extension: Option<&str>) -> bool {
    let mpeg = [FORMAT_ID_MP1, FORMAT_ID_MP2, FORMAT_ID_MP3, FORMAT_ID_ADTS];
    let names = ["mp3", "mp2", "mp1", "mpga", "aac", "adts"];
    let named = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    !mpeg.contains(&format)
        || extension.is_some_and(named)
        || matches!(head, [0xff, 0xe0..=0xff, ..] | [b'I', b'D', b'3', ..])
}

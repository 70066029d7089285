//! What decodes the packets of a container: Symphonia, and libopus where they are Opus.

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::Track;
use symphonia::core::packet::Packet;

use crate::audio::decode::opus::OpusDecoder;
use crate::fence::fenced;

/// Weights in a mix of loudspeaker channels, after ITU-R BS.775 with both
/// fronts put together: speech sits in the centre, rumble in the low channel.
pub(in crate::audio::decode) const FRONT: f32 = 0.5;
pub(in crate::audio::decode) const CENTRE: f32 = std::f32::consts::FRAC_1_SQRT_2;
pub(in crate::audio::decode) const SIDE: f32 = 0.354;
pub(in crate::audio::decode) const LOW: f32 = 0.0;

/// What decodes.
pub(super) enum Codec {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<OpusDecoder>),
}

/// Of what shape the samples of a packet are.
pub(super) struct Decoded {
    pub(super) rate_hz: u32,
    pub(super) channels: usize,
    /// The weight of each channel in a mix, where they are loudspeakers.
    pub(super) weights: Option<Vec<f32>>,
}

impl Codec {
    /// The decoder of a track.
    ///
    /// # Errors
    /// Why there is none, for a person.
    pub(super) fn of(track: &Track) -> Result<Self, String> {
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
            return Err("its sound is not described".to_owned());
        };
        if parameters.codec == CODEC_ID_OPUS {
            let head = parameters.extra_data.as_deref().unwrap_or_default();
            return Ok(Self::Opus(Box::new(OpusDecoder::new(head)?)));
        }
        Self::symphonia(parameters).map_err(|trouble| trouble.to_string())
    }

    fn symphonia(parameters: &AudioCodecParameters) -> Result<Self, Trouble> {
        let options = AudioDecoderOptions::default();
        guarded(|| {
            let codecs = symphonia::default::get_codecs();
            Ok(Self::Symphonia(
                codecs.make_audio_decoder(parameters, &options)?,
            ))
        })
    }

    /// Frames to drop at the start; `None` where Symphonia drops them itself.
    pub(super) fn pre_skip(&self) -> Option<u64> {
        match self {
            Self::Opus(opus) => Some(opus.pre_skip().into()),
            Self::Symphonia(_) => None,
        }
    }

    /// Puts the samples of one packet into the block, in place of what was there.
    pub(super) fn decode(
        &mut self,
        packet: &Packet,
        block: &mut Vec<f32>,
    ) -> Result<Decoded, Trouble> {
        guarded(|| match self {
            Self::Symphonia(decoder) => {
                let buffer = decoder.decode(packet)?;
                let spec = buffer.spec();
                let channels = spec.channels();
                let decoded = Decoded {
                    rate_hz: spec.rate(),
                    channels: channels.count(),
                    weights: weights_of(channels),
                };
                buffer.copy_to_vec_interleaved(block);
                Ok(decoded)
            }
            Self::Opus(decoder) => {
                let samples = decoder
                    .decode(&packet.data)
                    .map_err(|_| Error::DecodeError("opus"))?;
                block.clear();
                block.extend_from_slice(samples);
                let channels = usize::from(decoder.channels());
                // Frames that pad the end, counted by the container.
                let padding = usize::try_from(packet.trim_end.get()).unwrap_or(usize::MAX);
                let kept = (block.len() / channels).saturating_sub(padding);
                block.truncate(kept * channels);
                Ok(Decoded {
                    rate_hz: 48_000,
                    channels,
                    weights: decoder.weights().map(<[f32]>::to_vec),
                })
            }
        })
    }

    /// Forgets what it keeps of packets before.
    pub(super) fn reset(&mut self) -> Result<(), Trouble> {
        match self {
            Self::Symphonia(decoder) => guarded(|| {
                decoder.reset();
                Ok(())
            }),
            Self::Opus(_) => Ok(()),
        }
    }
}

/// The weight of each channel, where they are loudspeakers in a room.
fn weights_of(channels: &Channels) -> Option<Vec<f32>> {
    let Channels::Positioned(positions) = channels else {
        return None;
    };
    let weight = |position: Position| match position {
        Position::LFE1 | Position::LFE2 => LOW,
        Position::FRONT_CENTER => CENTRE,
        Position::FRONT_LEFT | Position::FRONT_RIGHT => FRONT,
        _ => SIDE,
    };
    (channels.count() > 2).then(|| positions.iter().map(weight).collect())
}

/// Why a packet or a container could not be read.
pub(super) enum Trouble {
    Symphonia(Error),
    Panicked,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Symphonia(error) => error.fmt(f),
            Self::Panicked => f.write_str("the decoder gave up on it"),
        }
    }
}

/// Runs Symphonia and makes an error of a panic.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Trouble> {
    match fenced(work) {
        Some(result) => result.map_err(Trouble::Symphonia),
        None => Err(Trouble::Panicked),
    }
}

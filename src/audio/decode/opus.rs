//! Opus packets from any container, through libopus.
//!
//! Symphonia finds the packets; the header (RFC 7845, 5.1) says how many
//! channels they hold, how they are mapped, how loud they are to be, and how
//! much is dropped at the start. One to eight channels.

use opusic_c::multistream::{self, Config};
use opusic_c::{Channels, Decoder, ErrorCode, SampleRate};

/// Samples per channel in the longest packet: 120 ms at 48 kHz.
const LONGEST_PACKET: usize = 5_760;

/// A decoder at 48 kHz.
pub(super) struct OpusDecoder {
    streams: Streams,
    channels: u16,
    pre_skip: u16,
    samples: Vec<f32>,
}

enum Streams {
    One(Decoder),
    Several(multistream::Decoder),
}

impl OpusDecoder {
    /// From the `OpusHead` of a container. Err says why not.
    pub(super) fn new(head: &[u8]) -> Result<Self, String> {
        let Some(
            [
                b'O',
                b'p',
                b'u',
                b's',
                b'H',
                b'e',
                b'a',
                b'd',
                version,
                channels,
                header @ ..,
            ],
        ) = head.first_chunk::<19>()
        else {
            return Err("its Opus header is damaged".to_owned());
        };
        let [skip_low, skip_high, _, _, _, _, gain_low, gain_high, family] = *header;
        if version >> 4 != 0 {
            return Err(format!("its Opus version {version} is unknown"));
        }
        let streams = match (family, *channels) {
            (0, 1) => Decoder::new(Channels::Mono, SampleRate::Hz48000).map(Streams::One),
            (0, 2) => Decoder::new(Channels::Stereo, SampleRate::Hz48000).map(Streams::One),
            (1 | 255, 1..=8) => {
                let table = head.get(19..).unwrap_or_default();
                several(*channels, table)?.map(Streams::Several)
            }
            (family, channels) => {
                return Err(format!("Opus with {channels} channels of family {family}"));
            }
        };
        let mut streams = streams.map_err(|error| error.message().to_owned())?;
        let gain = i32::from(i16::from_le_bytes([gain_low, gain_high]));
        if gain != 0 {
            let set = match &mut streams {
                Streams::One(decoder) => decoder.set_gain(gain),
                Streams::Several(decoder) => decoder.set_gain(gain),
            };
            set.map_err(|error| error.message().to_owned())?;
        }
        let channels = u16::from(*channels);
        Ok(Self {
            streams,
            channels,
            pre_skip: u16::from_le_bytes([skip_low, skip_high]),
            samples: vec![0.0; LONGEST_PACKET * usize::from(channels)],
        })
    }

    pub(super) const fn channels(&self) -> u16 {
        self.channels
    }

    /// Frames that the decoder gives before the sound begins.
    pub(super) const fn pre_skip(&self) -> u16 {
        self.pre_skip
    }

    /// The weight of each channel in the mix, in the order of RFC 7845, 5.1.1.2,
    /// where they are loudspeakers.
    pub(super) fn weights(&self) -> Option<&'static [f32]> {
        use super::container::{CENTRE, FRONT, LOW, SIDE};
        match self.channels {
            3 => Some(&[FRONT, CENTRE, FRONT]),
            5 => Some(&[FRONT, CENTRE, FRONT, SIDE, SIDE]),
            6 => Some(&[FRONT, CENTRE, FRONT, SIDE, SIDE, LOW]),
            7 => Some(&[FRONT, CENTRE, FRONT, SIDE, SIDE, SIDE, LOW]),
            8 => Some(&[FRONT, CENTRE, FRONT, SIDE, SIDE, SIDE, SIDE, LOW]),
            _ => None,
        }
    }

    /// The interleaved samples of one packet; Err says why it has none.
    pub(super) fn decode(&mut self, packet: &[u8]) -> Result<&[f32], String> {
        if packet.is_empty() {
            return Err("an empty packet".to_owned());
        }
        let frames = match &mut self.streams {
            Streams::One(decoder) => {
                decoder.decode_float_to_slice(packet, &mut self.samples, false)
            }
            Streams::Several(decoder) => {
                decoder.decode_float_to_slice(packet, &mut self.samples, false)
            }
        };
        let frames = frames.map_err(|error| error.message().to_owned())?;
        Ok(self
            .samples
            .get(..frames * usize::from(self.channels))
            .unwrap_or_default())
    }
}

/// A decoder for several streams, from the mapping table of the header.
fn several(channels: u8, table: &[u8]) -> Result<Result<multistream::Decoder, ErrorCode>, String> {
    fn of<const CH: usize>(table: &[u8]) -> Option<Result<multistream::Decoder, ErrorCode>> {
        let [streams, coupled, mapping @ ..] = table else {
            return None;
        };
        let config = Config::<CH>::try_new(*streams, *coupled, *mapping.first_chunk()?)?;
        Some(multistream::Decoder::new(config, SampleRate::Hz48000))
    }
    let decoder = match channels {
        1 => of::<1>(table),
        2 => of::<2>(table),
        3 => of::<3>(table),
        4 => of::<4>(table),
        5 => of::<5>(table),
        6 => of::<6>(table),
        7 => of::<7>(table),
        _ => of::<8>(table),
    };
    decoder.ok_or_else(|| "its Opus channel mapping is damaged".to_owned())
}

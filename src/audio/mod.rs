//! Sound: how it comes in, how it is kept, and how it goes out again.
//!
//! In the order in which one reads it:
//!
//! * [`shape`](Shape) says what a stream of samples looks like, and how its
//!   channels become one.
//! * Sound comes in from a [`Microphone`] ([`Capture`]) or a file or pipe
//!   ([`SoundFile`]), as blocks of interleaved `f32` in -1..1 at whatever rate
//!   and with as many channels as it has.
//! * [`Intake`] makes of these blocks what the vault keeps: one channel at
//!   48 kHz ([`Resampler`]), judged for its level ([`LevelMeter`]), hashed, and
//!   cut into Opus segments of equal size ([`SegmentEncoder`]).
//! * [`StoredSound`] turns segments back into samples, at 48 kHz for people and
//!   at [`SPEECH_RATE_HZ`] for the speech model.
//! * [`Silencer`] takes a span out of what is kept.
//! * Sound goes out as files ([`OggOpusWriter`], [`WavWriter`], [`FlacWriter`])
//!   and through loudspeakers ([`Playback`]), also faster or slower ([`Tempo`]).
//! * [`OggOpusReader`] takes one such file back, packet by packet.
//!
//! Nothing here knows about keys, files in the vault, or threads: callers own
//! those. ALSA prints to standard error from C while devices are listed and
//! opened: it is hushed meanwhile, unless who owns the terminal leads standard
//! error elsewhere ([`StderrAside`]).
mod capture;
mod decode;
mod device;
mod encode;
mod error;
mod export;
mod fingerprint;
mod hush;
mod intake;
mod level;
mod microphone;
mod playback;
mod reread;
mod resample;
mod ring;
mod shape;
#[cfg(test)]
pub(crate) mod simulated;
mod silence;
mod stored;
mod tags;
#[cfg(test)]
mod synthetic;
mod tempo;

pub use capture::{Capture, Captured};
pub use decode::{NoSuchSampleFormat, RawFormat, Reading, SampleFormat, SoundFile};
pub use device::{DeviceInfo, microphones};
pub use encode::{
    PACKET_BYTES, PACKET_SAMPLES, SEGMENT_BYTES, SEGMENT_PACKETS, SegmentEncoder, SegmentSink,
    pre_skip,
};
pub use error::AudioError;
pub use export::{FlacWriter, OggOpusWriter, WavWriter, ogg_opus_bytes};
pub use fingerprint::Fingerprint;
pub use hush::Aside as StderrAside;
pub use intake::{Intake, IntakeError, IntakeSummary};
pub use level::{LevelMeter, Momentary};
pub use microphone::Microphone;
pub use playback::Playback;
pub use reread::OggOpusReader;
pub use resample::Resampler;
pub use ring::CaptureGap;
pub use shape::Shape;
pub use silence::{Silencer, silent_segment};
pub use stored::{StoredRate, StoredShape, StoredSound};
pub use tags::recorded as recorded_by_tag;
pub use tempo::{NoSuchSpeed, Speed, Tempo};

/// The rate that Whisper and the voice detector hear.
pub const SPEECH_RATE_HZ: u32 = 16_000;

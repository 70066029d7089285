//! Speech to text on this machine: models, voice detection, Whisper.
//!
//! Read in this order: [`Models`] keeps the folder of speech models and
//! converts foreign ones; the detector finds where somebody speaks; speech is
//! cut and packed into pieces; a [`Transcriber`] runs Whisper over them, and
//! words with their times come out.
//!
//! It never reaches for the network, keeps no sound and no text on disk, and
//! does not know what a vault is: sound comes in as mono f32 at 16 kHz, a
//! [`Transcript`](crate::transcript::Transcript) goes out.

mod bytes;
mod catalogue;
mod ct2;
mod detect;
mod effort;
mod engine;
mod error;
mod ggml;
mod language;
mod layout;
mod mel;
mod models;
mod package;
mod pieces;
mod queue;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod transcriber;
mod vocabulary;
mod words;

pub use detect::{FRAME_SAMPLES, SPEECH_OFF, SPEECH_ON, SPEECH_RATE_HZ, VoiceDetector};
pub use effort::Effort;
pub use error::{Error, Fault};
pub use language::Language;
pub use models::{ByteProgress, Model, Models};
pub use transcriber::{Control, Options, SoundSource, Transcriber};

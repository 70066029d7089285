//! Work that takes time: recording, taking in files, transcribing, playing, writing
//! sound out, silencing a span
//! after listening to it. It joins what [`audio`](crate::audio), [`speech`](crate::speech)
//! and [`vault`](crate::vault) do, which do not know each other.
//!
//! What runs beside a person's work owns a named thread, ends when it is told
//! to, and is joined.

pub mod listening;
mod outbox;
mod pieces;
pub mod player;
pub mod recorder;
pub mod redacting;
mod samples;
pub mod sounding;
pub mod space;
pub mod taking;
pub mod transcriber;
pub mod transcription;

/// Hears how far a piece of work is, and says whether it should end.
pub trait Control: Sync {
    /// So many milliseconds of sound are done.
    fn advance(&self, done_ms: u64);

    /// Whether to end at the next good moment.
    fn cancelled(&self) -> bool;

    /// Something a person should know at once.
    fn note(&self, _message: &str) {}
}

/// Samples at 48 kHz as milliseconds.
pub(crate) fn millis(samples: u64) -> u64 {
    samples * 1000 / u64::from(crate::recording::STORED_RATE_HZ)
}

//! What other programs and services leave behind: transcripts beside sound files, the
//! lists in data downloads, archives, and dates in the names of files.
//!
//! The formats and where they are described are in `docs/IMPORT.md`. All but `archive`
//! is pure: bytes or text in; plain data, or the reason why not, out. Nothing here
//! decides what is taken in, and nothing is written.

pub mod alexa;
pub mod archive;
pub mod cues;
pub mod html;
pub mod keep;
pub mod names;
pub mod srt;
pub mod table;
pub mod takeout;
pub mod text;
pub mod told;
pub mod vtt;
pub mod whisper;

mod error;
#[cfg(test)]
mod hostile;
mod timing;

pub use cues::{Cue, Spoken, Spot};
pub use error::Error;
pub use told::Told;

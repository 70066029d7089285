//! Recordings as files that every player knows.
//!
//! All writers take any `impl Write`, a pipe as well as a file: what a header
//! has to say is known from the recording's length, so none of them seeks. None
//! of them writes a program's name, a time or a tag into the file.

mod flac;
mod ogg_opus;
mod wav;

pub use flac::FlacWriter;
pub use ogg_opus::{OggOpusWriter, ogg_opus_bytes};
pub use wav::WavWriter;

/// One sample as 16 bits; what is beyond full scale is cut off there.
fn to_16_bits(sample: f32) -> i16 {
    // `as` saturates, and makes 0 of what is not a number.
    (sample * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests;

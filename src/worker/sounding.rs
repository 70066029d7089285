//! Writes the sound of a recording out: as it is stored, or decoded.

use std::io::Write;

use super::Control;
pub use super::pieces::Silenced;
use super::pieces::{Piece, Pieces};
use super::transcription::shape_of;
use crate::audio::{
    AudioError, FlacWriter, OggOpusWriter, StoredRate, StoredShape, StoredSound, WavWriter,
    silent_segment,
};
use crate::error::{Exit, Failure};
use crate::recording::{Recording, STORED_RATE_HZ};
use crate::vault::OpenVault;

/// A form in which sound leaves the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundFormat {
    /// Ogg Opus, with the very packets that are stored.
    Opus,
    /// WAV, 16-bit PCM, mono, 48 kHz.
    Wav,
    /// FLAC, 16 bit, mono, 48 kHz.
    Flac,
}

impl SoundFormat {
    /// The ending of its files, without the dot.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Wav => "wav",
            Self::Flac => "flac",
        }
    }
}

/// Writes the whole sound of a recording. Where segments of it are damaged,
/// silence stands in for them; answers with how many. So it does for those that are
/// gone for good.
///
/// # Errors
/// When nothing of the sound can be read, the work is to end, or `out` can't be
/// written.
pub fn write(
    vault: &OpenVault,
    recording: &Recording,
    format: SoundFormat,
    out: &mut dyn Write,
    control: &dyn Control,
) -> Result<Silenced, Failure> {
    let shape = shape_of(&recording.card);
    let samples = recording.card.samples;
    let mut pieces = Pieces::new(vault.sound(recording.id)?);
    match format {
        SoundFormat::Opus => {
            let silence = silent_segment()?;
            let mut writer = OggOpusWriter::new(out, shape)?;
            while let Some(piece) = next(&mut pieces, control)? {
                match piece {
                    Piece::Segment(segment) if !segment.packets.is_empty() => {
                        writer.push(&segment.packets)?;
                    }
                    Piece::Segment(_) | Piece::Lost => writer.push(&silence)?,
                }
            }
            writer.finish()?;
        }
        SoundFormat::Wav => {
            let mut writer = WavWriter::new(out, samples, STORED_RATE_HZ)?;
            decode(&mut pieces, shape, control, &mut |pcm| writer.push(pcm))?;
            writer.finish()?;
        }
        SoundFormat::Flac => {
            let mut writer = FlacWriter::new(out, samples, STORED_RATE_HZ)?;
            decode(&mut pieces, shape, control, &mut |pcm| writer.push(pcm))?;
            writer.finish()?;
        }
    }
    Ok(pieces.silenced())
}

/// Decodes segment by segment: memory does not grow with the length.
fn decode(
    pieces: &mut Pieces,
    shape: StoredShape,
    control: &dyn Control,
    sink: &mut dyn FnMut(&[f32]) -> Result<(), AudioError>,
) -> Result<(), Failure> {
    let mut decoder = StoredSound::new(shape, StoredRate::Full)?;
    let mut pcm = Vec::new();
    while let Some(piece) = next(pieces, control)? {
        pcm.clear();
        match piece {
            Piece::Segment(segment) => decoder.push(&segment.packets, &mut pcm)?,
            Piece::Lost => decoder.skip_lost(&mut pcm)?,
        }
        sink(&pcm)?;
    }
    pcm.clear();
    decoder.finish(&mut pcm);
    Ok(sink(&pcm)?)
}

/// The next piece, unless the work is to end.
fn next(pieces: &mut Pieces, control: &dyn Control) -> Result<Option<Piece>, Failure> {
    if control.cancelled() {
        return Err(Failure::new(Exit::Failed, "stopped", "it was cancelled"));
    }
    pieces.next()
}

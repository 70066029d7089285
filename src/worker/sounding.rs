//! Writes the sound of a recording out: as it is stored, or decoded.

use std::io::Write;

use super::Control;
use super::transcription::shape_of;
use crate::audio::{
    AudioError, FlacWriter, OggOpusWriter, StoredRate, StoredShape, StoredSound, WavWriter,
};
use crate::error::{Exit, Failure};
use crate::recording::{Recording, STORED_RATE_HZ};
use crate::vault::{OpenVault, SoundReader, SoundSegment};

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

/// Writes the whole sound of a recording.
///
/// # Errors
/// When the sound is damaged or gone, the work is to end, or `out` can't be
/// written.
pub fn write(
    vault: &OpenVault,
    recording: &Recording,
    format: SoundFormat,
    out: &mut dyn Write,
    control: &dyn Control,
) -> Result<(), Failure> {
    let shape = shape_of(&recording.card);
    let samples = recording.card.samples;
    let mut segments = vault.sound(recording.id)?;
    match format {
        SoundFormat::Opus => {
            let mut writer = OggOpusWriter::new(out, shape)?;
            while let Some(segment) = next(&mut segments, control)? {
                writer.push(&segment.packets)?;
            }
            writer.finish()?;
        }
        SoundFormat::Wav => {
            let mut writer = WavWriter::new(out, samples, STORED_RATE_HZ)?;
            decode(&mut segments, shape, control, &mut |pcm| writer.push(pcm))?;
            writer.finish()?;
        }
        SoundFormat::Flac => {
            let mut writer = FlacWriter::new(out, samples, STORED_RATE_HZ)?;
            decode(&mut segments, shape, control, &mut |pcm| writer.push(pcm))?;
            writer.finish()?;
        }
    }
    Ok(())
}

/// Decodes segment by segment: memory does not grow with the length.
fn decode(
    segments: &mut SoundReader,
    shape: StoredShape,
    control: &dyn Control,
    sink: &mut dyn FnMut(&[f32]) -> Result<(), AudioError>,
) -> Result<(), Failure> {
    let mut decoder = StoredSound::new(shape, StoredRate::Full)?;
    let mut pcm = Vec::new();
    while let Some(segment) = next(segments, control)? {
        pcm.clear();
        decoder.push(&segment.packets, &mut pcm)?;
        sink(&pcm)?;
    }
    pcm.clear();
    decoder.finish(&mut pcm);
    Ok(sink(&pcm)?)
}

/// The next segment, unless the work is to end.
fn next(
    segments: &mut SoundReader,
    control: &dyn Control,
) -> Result<Option<SoundSegment>, Failure> {
    if control.cancelled() {
        return Err(Failure::new(Exit::Failed, "stopped", "it was cancelled"));
    }
    Ok(segments.next_segment()?)
}

//! Writes the sound of a recording out: as it is stored, or decoded.

use std::io::Write;

use crate::audio::{self, StoredSound};
use crate::error::Failure;
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

/// Writes the whole sound of a recording.
///
/// # Errors
/// When the sound is damaged or gone, or `out` can't be written.
pub fn write(
    vault: &OpenVault,
    recording: &Recording,
    format: SoundFormat,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let card = &recording.card;
    let mut segments = vault.sound(recording.id)?;
    if format == SoundFormat::Opus {
        let mut writer = audio::OggOpusWriter::new(out, card.pre_skip, card.samples)?;
        while let Some(segment) = segments.next_segment()? {
            writer.push(&segment.packets)?;
        }
        return Ok(writer.finish()?);
    }
    let mut decoder = StoredSound::new(STORED_RATE_HZ, card.pre_skip, card.samples)?;
    let mut writer = audio::PcmWriter::new(out, format == SoundFormat::Flac, card.samples)?;
    let mut pcm = Vec::new();
    while let Some(segment) = segments.next_segment()? {
        pcm.clear();
        decoder.push(&segment.packets, &mut pcm)?;
        writer.push(&pcm)?;
    }
    Ok(writer.finish()?)
}

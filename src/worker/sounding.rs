//! Writes the sound of a recording out: as it is stored, or decoded.

use std::io::Write;

pub use super::pieces::Silenced;
use super::pieces::{Piece, Pieces};
use super::samples::{Samples, shape_of};
use super::{Control, millis};
use crate::audio::{
    AudioError, FlacWriter, OggOpusWriter, Speed, StoredRate, Tempo, WavWriter, silent_segment,
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
    if format == SoundFormat::Opus {
        return copy(vault, recording, out, control);
    }
    let mut samples = Samples::of(vault, recording, StoredRate::Full, 0)?;
    let total = recording.card.samples;
    if format == SoundFormat::Wav {
        let mut writer = WavWriter::new(out, total, STORED_RATE_HZ)?;
        decode(&mut samples, control, &mut |pcm| writer.push(pcm))?;
        writer.finish()?;
    } else {
        let mut writer = FlacWriter::new(out, total, STORED_RATE_HZ)?;
        decode(&mut samples, control, &mut |pcm| writer.push(pcm))?;
        writer.finish()?;
    }
    Ok(samples.silenced())
}

/// Writes the sound as WAV from this sample (at 48 kHz) on, at this speed. `out` gets
/// nothing before the sound is there to be read.
///
/// # Errors
/// As [`write()`].
pub fn write_wav(
    vault: &OpenVault,
    recording: &Recording,
    from: u64,
    speed: Speed,
    out: &mut dyn Write,
    control: &dyn Control,
) -> Result<Silenced, Failure> {
    let mut samples = Samples::of(vault, recording, StoredRate::Full, from)?;
    let total = speed.given_for(recording.card.samples.saturating_sub(from));
    let mut writer = WavWriter::new(out, total, STORED_RATE_HZ)?;
    let (mut tempo, mut pcm, mut taken) = (Tempo::new(speed), Vec::new(), from);
    decode(&mut samples, control, &mut |decoded| {
        pcm.clear();
        tempo.push(decoded, &mut pcm);
        taken += decoded.len() as u64;
        control.advance(millis(taken));
        writer.push(&pcm)
    })?;
    pcm.clear();
    tempo.finish(&mut pcm);
    writer.push(&pcm)?;
    writer.finish()?;
    Ok(samples.silenced())
}

/// Writes the very packets that are stored.
fn copy(
    vault: &OpenVault,
    recording: &Recording,
    out: &mut dyn Write,
    control: &dyn Control,
) -> Result<Silenced, Failure> {
    let mut pieces = Pieces::new(vault.sound(recording.id)?);
    let silence = silent_segment()?;
    let mut writer = OggOpusWriter::new(out, shape_of(&recording.card))?;
    go_on(control)?;
    while let Some(piece) = pieces.next()? {
        match piece {
            Piece::Segment(segment) if !segment.packets.is_empty() => {
                writer.push(&segment.packets)?;
            }
            Piece::Segment(_) | Piece::Lost => writer.push(&silence)?,
        }
        go_on(control)?;
    }
    writer.finish()?;
    Ok(pieces.silenced())
}

fn decode(
    samples: &mut Samples,
    control: &dyn Control,
    sink: &mut dyn FnMut(&[f32]) -> Result<(), AudioError>,
) -> Result<(), Failure> {
    let mut pcm = Vec::new();
    loop {
        go_on(control)?;
        pcm.clear();
        let more = samples.next(&mut pcm)?;
        sink(&pcm)?;
        if !more {
            return Ok(());
        }
    }
}

/// Fails if the work is to end.
fn go_on(control: &dyn Control) -> Result<(), Failure> {
    if control.cancelled() {
        return Err(Failure::new(Exit::Failed, "stopped", "it was cancelled"));
    }
    Ok(())
}

//! Sound files and pipes into blocks of samples.
//!
//! Reads WAV (also streamed, cut short, or with sizes that are wrong), AIFF,
//! FLAC, MP3, M4A, Ogg and WebM through Symphonia, Opus through libopus, and
//! headerless PCM. What encoders put before and after the sound is trimmed.
//! Memory does not grow with the length. Does not mix or resample.
//!
//! A file gives an answer or an error that names its reason. What is cut short
//! or damaged in the middle is read as far as it goes, and [`Reading`] says so.

mod container;
mod mp4;
mod opus;
mod raw;
mod wav;

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::time::Duration;

use container::{Container, Opening};
use raw::RawSound;
pub use raw::{NoSuchSampleFormat, RawFormat, SampleFormat};
use symphonia::core::io::MediaSource;

use super::error::AudioError;
use super::shape::Shape;

/// Sound that is being read, block by block.
pub struct SoundFile {
    source: Source,
    which: String,
    shape: Shape,
    block: Vec<f32>,
    /// The first block is decoded on opening, since only it tells the shape
    /// for sure.
    primed: bool,
    frames: u64,
}

enum Source {
    Container(Box<Container>),
    Raw(RawSound),
}

/// How reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Frames that were read.
    pub frames: u64,
    /// The sound goes on, but the file does not: it was cut off, or damaged so
    /// that nothing after this point can be found. Certain only at the end.
    pub truncated: bool,
    /// Packets in the middle that could not be decoded and were left out.
    pub skipped_packets: u64,
}

impl SoundFile {
    /// Opens a file. Named pipes and devices are read as streams.
    ///
    /// # Errors
    /// [`AudioError::Read`], `Empty`, `Unknown`, `Unsupported`, `Damaged` or
    /// `NoSound`, each with the path.
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        let which = path.display().to_string();
        let unreadable = |source| AudioError::Read {
            which: which.clone(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let kind = file.metadata().map_err(unreadable)?.file_type();
        if kind.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !kind.is_file() {
            return Self::stream(Box::new(file), extension, which);
        }
        Self::seekable(file, extension, which)
    }

    /// Reads a whole file that is in memory; `which` is what messages call it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn in_memory(
        bytes: Vec<u8>,
        extension: Option<&str>,
        which: &str,
    ) -> Result<Self, AudioError> {
        Self::seekable(Cursor::new(bytes), extension, which.to_owned())
    }

    fn seekable<M: MediaSource + 'static>(
        mut file: M,
        extension: Option<&str>,
        which: String,
    ) -> Result<Self, AudioError> {
        let unreadable = |source| AudioError::Read {
            which: which.clone(),
            source,
        };
        let head = head_of(&mut file).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        if head.is_empty() {
            return Err(AudioError::Empty { which });
        }
        if wav::is_wav(&head) {
            return Self::wav(Box::new(file), which);
        }
        let mut opening = Opening {
            which: which.clone(),
            head: head.clone(),
            ..Opening::default()
        };
        if mp4::is_mp4(&head) {
            opening.edit = mp4::edit_of(&mut file);
            file.rewind().map_err(unreadable)?;
        }
        let container = Container::open(Box::new(file), extension, opening);
        let container = container.map_err(|error| told_by_head(error, &head))?;
        Self::primed(Source::Container(container), which)
    }

    /// Reads a file that comes as a stream; `which` is what messages call it.
    ///
    /// # Errors
    /// As [`from_stream`](Self::from_stream).
    pub fn from_named_stream(
        stream: Box<dyn Read + Send + Sync>,
        hint: Option<&str>,
        which: &str,
    ) -> Result<Self, AudioError> {
        Self::stream(stream, hint, which.to_owned())
    }

    /// Reads what comes from a pipe until it ends. `hint` is a file extension,
    /// where one is known. M4A can't be read so, since its index is often last.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_stream(
        stream: Box<dyn Read + Send + Sync>,
        hint: Option<&str>,
    ) -> Result<Self, AudioError> {
        Self::stream(stream, hint, "standard input".to_owned())
    }

    /// Reads headerless PCM until it ends.
    ///
    /// # Errors
    /// [`AudioError::Shape`] where rate or channels are out of range, `Empty`,
    /// and `Read`.
    pub fn from_raw(
        stream: Box<dyn Read + Send + Sync>,
        format: RawFormat,
    ) -> Result<Self, AudioError> {
        let raw = RawSound::new(stream, format)?;
        match Self::primed(Source::Raw(raw), "standard input".to_owned()) {
            Err(AudioError::NoSound { which }) => Err(AudioError::Empty { which }),
            other => other,
        }
    }

    fn stream(
        mut stream: Box<dyn Read + Send + Sync>,
        hint: Option<&str>,
        which: String,
    ) -> Result<Self, AudioError> {
        let unreadable = |source| AudioError::Read {
            which: which.clone(),
            source,
        };
        let head = head_of(&mut stream).map_err(unreadable)?;
        if head.is_empty() {
            return Err(AudioError::Empty { which });
        }
        let (is_wav, is_mp4) = (wav::is_wav(&head), mp4::is_mp4(&head));
        let start = head.clone();
        let whole = Box::new(Cursor::new(head).chain(stream));
        if is_wav {
            return Self::wav(whole, which);
        }
        if is_mp4 {
            let why = "M4A can't be read from a pipe, only from a file".to_owned();
            return Err(AudioError::Unsupported { which, why });
        }
        let opening = Opening {
            which: which.clone(),
            head: start.clone(),
            ..Opening::default()
        };
        let source = symphonia::core::io::ReadOnlySource::new(whole);
        let container = Container::open(Box::new(source), hint, opening);
        let container = container.map_err(|error| told_by_head(error, &start))?;
        Self::primed(Source::Container(container), which)
    }

    fn wav(stream: Box<dyn Read + Send + Sync>, which: String) -> Result<Self, AudioError> {
        let mended = wav::mend(stream, &which)?;
        let opening = Opening {
            which: which.clone(),
            limit: mended.frames,
            duration: mended.duration,
            missing: Some(mended.missing),
            ..Opening::default()
        };
        let source = symphonia::core::io::ReadOnlySource::new(mended.stream);
        let container = Container::open(Box::new(source), Some("wav"), opening)?;
        Self::primed(Source::Container(container), which)
    }

    fn primed(mut source: Source, which: String) -> Result<Self, AudioError> {
        let mut block = Vec::new();
        match source.read(&mut block)? {
            Some(shape) => Ok(Self {
                source,
                which,
                shape,
                block,
                primed: true,
                frames: 0,
            }),
            None => Err(AudioError::NoSound { which }),
        }
    }

    /// Rate, channels, and how they are mixed.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How long it claims to be: an estimate, for progress. None for pipes.
    #[must_use]
    pub fn duration_hint(&self) -> Option<Duration> {
        match &self.source {
            Source::Container(container) => container.duration(),
            Source::Raw(_) => None,
        }
    }

    /// The next block of interleaved samples, never empty; None at the end.
    /// Nominally in -1..1; float files may go beyond.
    ///
    /// # Errors
    /// [`AudioError::Read`] where the system could not read on, and
    /// `Unsupported` where rate or channels change in the middle.
    pub fn next_block(&mut self) -> Result<Option<&[f32]>, AudioError> {
        if !std::mem::take(&mut self.primed) {
            self.block.clear();
            match self.source.read(&mut self.block)? {
                Some(shape) if shape == self.shape => {}
                Some(shape) => {
                    let why = format!(
                        "it changes from {} Hz with {} channels to {} Hz with {} in the middle",
                        self.shape.rate_hz(),
                        self.shape.channels(),
                        shape.rate_hz(),
                        shape.channels(),
                    );
                    return Err(AudioError::Unsupported {
                        which: self.which.clone(),
                        why,
                    });
                }
                None => return Ok(None),
            }
        }
        self.frames += (self.block.len() / self.shape.channels()) as u64;
        Ok(Some(&self.block))
    }

    /// How reading went so far.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let (truncated, skipped_packets) = match &self.source {
            Source::Container(container) => (
                container.is_truncated(self.frames),
                container.skipped_packets(),
            ),
            Source::Raw(raw) => (raw.is_truncated(), 0),
        };
        Reading {
            frames: self.frames,
            truncated,
            skipped_packets,
        }
    }
}

impl Source {
    /// Appends the next block and tells its shape; None at the end.
    fn read(&mut self, block: &mut Vec<f32>) -> Result<Option<Shape>, AudioError> {
        match self {
            Self::Container(container) => container.read(block),
            Self::Raw(raw) => raw.read(block),
        }
    }
}

/// A file whose first bytes are those of a known format is damaged, where the
/// probe says only that it knows no such file.
fn told_by_head(error: AudioError, head: &[u8]) -> AudioError {
    let known = mp4::is_mp4(head)
        || matches!(
            head.get(..4),
            Some(b"OggS" | b"fLaC" | b"FORM" | b"\x1aE\xdf\xa3")
        );
    match error {
        AudioError::Unknown { which } if known => {
            let why = "its header or index is damaged, or it was cut off".to_owned();
            AudioError::Damaged { which, why }
        }
        other => other,
    }
}

/// The first bytes, by which formats are told apart: at least twelve, unless
/// there are fewer. More is not waited for: a pipe may have no more yet.
fn head_of(stream: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = vec![0; 4096];
    let mut filled = 0;
    while filled < 12 {
        match stream.read(head.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    Ok(head)
}

#[cfg(test)]
mod tests;

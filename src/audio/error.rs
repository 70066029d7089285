//! What can go wrong with sound, and how it is told.

use std::io;

use crate::error::{Exit, Failure};

/// Why sound could not be read, made, captured or played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The file can't be opened or read: a matter of the file system.
    #[error("{source}")]
    Read {
        /// The file, or what stands for it.
        which: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is not a single byte in it.
    #[error("it is empty")]
    Empty {
        /// The file, or what stands for it.
        which: String,
    },
    /// Its bytes are no format that is known here.
    #[error("it is not a sound file that voxvault knows")]
    Unknown {
        /// The file, or what stands for it.
        which: String,
    },
    /// It is a known format, and no sample is in it.
    #[error("there is no sound in it")]
    NoSound {
        /// The file, or what stands for it.
        which: String,
    },
    /// It is a known format, holding something that can't be decoded here.
    #[error("{why}")]
    Unsupported {
        /// The file, or what stands for it.
        which: String,
        /// What it holds.
        why: String,
    },
    /// It is a known format, and nothing in it could be decoded.
    #[error("it is damaged: {why}")]
    Damaged {
        /// The file, or what stands for it.
        which: String,
        /// What the decoder said.
        why: String,
    },
    /// The rate or number of channels is beyond what is worked with.
    #[error("{rate_hz} Hz with {channels} channels is out of range")]
    Shape {
        /// Samples per second.
        rate_hz: u32,
        /// Channels.
        channels: u16,
    },
    /// Kept sound is not what the encoder here writes.
    #[error("stored sound is damaged: {why}")]
    Stored {
        /// What is wrong with it.
        why: String,
    },
    /// A codec refused to work: never expected, never hidden.
    #[error("{codec}: {why}")]
    Codec {
        /// Which one.
        codec: &'static str,
        /// What it said.
        why: String,
    },
    /// Writing an exported file failed.
    #[error("{0}")]
    Write(#[source] io::Error),
    /// There is no microphone at all.
    #[error("no microphone was found")]
    NoMicrophone,
    /// There is no such microphone or loudspeaker, or more than one.
    #[error("{why}")]
    NoSuchDevice {
        /// The name that was asked for.
        name: String,
        /// None or several of that name.
        why: String,
    },
    /// A device is there and can't be used.
    #[error("{why}")]
    Device {
        /// Its name.
        name: String,
        /// What the sound system said.
        why: String,
    },
    /// The microphone went away while it was listened to.
    #[error("{why}")]
    Lost {
        /// Its name.
        name: String,
        /// How that was noticed.
        why: String,
    },
}

impl AudioError {
    /// The microphone went away; [`Capture::reopen`](super::Capture::reopen)
    /// may bring it back.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }

    /// It is no sound at all, as opposed to sound that can't be read: what a
    /// walk through a folder passes over in silence.
    #[must_use]
    pub fn is_not_sound(&self) -> bool {
        matches!(self, Self::Empty { .. } | Self::Unknown { .. })
    }
}

impl From<AudioError> for Failure {
    fn from(error: AudioError) -> Self {
        let why = error.to_string();
        let say = |exit, what: &str| Self::new(exit, what, why.clone());
        match &error {
            AudioError::Read { which, .. } => {
                say(Exit::Failed, "can't read the sound").about(which)
            }
            AudioError::Empty { which }
            | AudioError::Unknown { which }
            | AudioError::Unsupported { which, .. } => say(Exit::Failed, "can't take in the file")
                .about(which)
                .hint(
                    "WAV, AIFF, FLAC, MP3, M4A, Ogg and WebM can be read; \
                     ffmpeg makes a WAV of almost anything else",
                ),
            AudioError::Damaged { which, .. } | AudioError::NoSound { which } => {
                say(Exit::Failed, "can't take in the file").about(which)
            }
            AudioError::Shape { .. } => say(Exit::Failed, "can't work with the sound"),
            AudioError::Stored { .. } => say(Exit::Damaged, "can't decode the recording"),
            AudioError::Codec { .. } => say(Exit::Failed, "can't code the sound"),
            AudioError::Write(source) => Self::of_output("can't write the sound", source),
            AudioError::NoMicrophone => say(Exit::NoMicrophone, "can't record").hint(
                "connect one and look at `voxvault devices`, or pipe sound in: \
                 arecord -f cd | voxvault record -",
            ),
            AudioError::NoSuchDevice { name, .. } => {
                say(Exit::NoMicrophone, "can't use the device")
                    .about(name)
                    .hint("`voxvault devices` lists the names")
            }
            AudioError::Device { name, .. } => say(Exit::NoMicrophone, "can't use the device")
                .about(name)
                .hint("`voxvault devices` lists what there is; sound can be piped in as well"),
            AudioError::Lost { name, .. } => {
                say(Exit::NoMicrophone, "the microphone was lost").about(name)
            }
        }
    }
}

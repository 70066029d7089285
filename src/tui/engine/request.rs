//! What the engine can be asked to do.

use std::ops::Range;

use crate::recording::RecordingId;
use crate::tui::secret::Secret;

/// Something to be done.
pub enum Request {
    /// How the vault stands; answered by [`Answer::Vault`](super::Answer::Vault).
    Look,
    /// Make a vault, and open it.
    Create(Secret),
    /// Open the vault.
    Unlock(Secret),
    /// Forget keys and text. A recording goes on.
    Lock,
    /// All recordings; answered by [`Answer::Listed`](super::Answer::Listed).
    List,
    /// The newest transcript of a recording.
    Read(RecordingId),
    /// The loudness of a recording over its length.
    Waveform(RecordingId),
    /// Search; the answer carries the same serial.
    Search {
        /// Counts up, so that late answers are known as such.
        serial: u64,
        /// As typed.
        query: String,
    },
    /// Begin to record the microphone.
    Record {
        /// Which microphone; the default one without.
        device: Option<String>,
    },
    /// How the recorder stands; answered by [`Answer::Recorder`](super::Answer::Recorder).
    Meter,
    /// Hold the recording.
    Pause,
    /// Go on with it.
    Resume,
    /// Mark this moment of it.
    Mark,
    /// Name it.
    Title(String),
    /// Stop, and keep it.
    StopRecording,
    /// Play from a position.
    Play {
        /// Which recording.
        id: RecordingId,
        /// From where, seconds.
        from_s: f64,
    },
    /// Hold or go on playing.
    PlayPause,
    /// Jump within what is played, seconds from the start.
    Seek(f64),
    /// End playing.
    StopPlaying,
    /// Destroy for good. Whoever asks this has asked the person.
    Shred(Vec<RecordingId>),
    /// Silence a span and destroy its words. Whoever asks this has asked the
    /// person.
    Redact {
        /// Of which recording.
        id: RecordingId,
        /// Which span, milliseconds, without the end.
        span_ms: Range<u32>,
    },
    /// Write copies in the clear.
    Export {
        /// Which recordings.
        ids: Vec<RecordingId>,
        /// As what.
        format: Format,
        /// A file for one, a folder for several.
        destination: String,
    },
    /// Change what is known about a recording.
    Edit {
        /// Which one.
        id: RecordingId,
        /// Its new title.
        title: String,
        /// Its new tags.
        tags: Vec<String>,
        /// Its new note.
        note: String,
    },
    /// Make another transcript.
    Transcribe(RecordingId),
    /// Microphones and speech models; answered by [`Answer::Equipment`](super::Answer::Equipment).
    Equipment,
    /// Transcribe with this model from now on.
    UseModel(String),
    /// The retention rules and what goes by them; answered by [`Answer::Retention`](super::Answer::Retention).
    Retention,
    /// The clock is right: destroy what is due by it. Whoever asks this has asked the
    /// person.
    ClockIsRight,
    /// What was done with the recordings; answered by [`Answer::Log`](super::Answer::Log).
    Log,
    /// The backups and what they hold; answered by [`Answer::Backups`](super::Answer::Backups), and later by
    /// [`Answer::BackupsNotThere`](super::Answer::BackupsNotThere).
    Backups,
    /// Back up to a folder; ends with [`Answer::Archived`](super::Answer::Archived).
    BackUp {
        /// As it was typed, or as the vault remembers it.
        folder: String,
        /// Which of the two.
        chosen: Chosen,
    },
    /// Read every byte of a backup; ends with [`Answer::Archived`](super::Answer::Archived).
    VerifyBackup(String),
    /// End what is done to a backup.
    StopBackup,
}

/// Where the name of a folder comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// Somebody typed it.
    Typed,
    /// The vault remembers a backup there, which must be found there.
    Remembered,
}

/// Forms of an exported copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Ogg Opus, the sound as it is kept.
    Opus,
    /// WAV, 16 bit.
    Wav,
    /// FLAC.
    Flac,
    /// Text.
    Txt,
    /// Markdown.
    Md,
    /// SubRip subtitles.
    Srt,
    /// WebVTT subtitles.
    Vtt,
    /// JSON.
    Json,
}

impl Format {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 8] = [
        Self::Opus,
        Self::Wav,
        Self::Flac,
        Self::Txt,
        Self::Md,
        Self::Srt,
        Self::Vtt,
        Self::Json,
    ];

    /// Its name, which is also the file's ending.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Txt => "txt",
            Self::Md => "md",
            Self::Srt => "srt",
            Self::Vtt => "vtt",
            Self::Json => "json",
        }
    }
}

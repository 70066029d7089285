//! What the interface needs done, and what comes back.
//!
//! The port between the screen and the rest of the program: requests go in as
//! data, answers come back as data through the mailbox the engine was made
//! with. `ask` never waits: work that takes time runs on the engine's own
//! threads. The interface is tested against an engine of these types alone.

use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;

use super::secret::Secret;
use crate::error::Failure;
use crate::recording::{Moment, Recording, RecordingId};
use crate::transcript::Transcript;
use crate::vault::{Deed, Stage};

mod real;

pub use real::Real;

/// Does the work.
pub trait Engine {
    /// Starts something; what comes of it arrives as [`Answer`]s.
    fn ask(&mut self, request: Request);
    /// Ends everything: a recording is stopped and kept, threads end, keys and
    /// text are wiped. Returns within a second.
    fn close(&mut self);
}

/// Something to be done.
pub enum Request {
    /// How the vault stands; answered by [`Answer::Vault`].
    Look,
    /// Make a vault, and open it.
    Create(Secret),
    /// Open the vault.
    Unlock(Secret),
    /// Forget keys and text. A recording goes on.
    Lock,
    /// All recordings; answered by [`Answer::Listed`].
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
    /// How the recorder stands; answered by [`Answer::Recorder`].
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
    /// Microphones and speech models; answered by [`Answer::Equipment`].
    Equipment,
    /// Transcribe with this model from now on.
    UseModel(String),
    /// The retention rules and what goes by them; answered by [`Answer::Retention`].
    Retention,
    /// The clock is right: destroy what is due by it. Whoever asks this has asked the
    /// person.
    ClockIsRight,
    /// What was done with the recordings; answered by [`Answer::Log`].
    Log,
    /// The backups and what they hold; answered by [`Answer::Backups`], and later by
    /// [`Answer::BackupsNotThere`].
    Backups,
    /// Back up to a folder; ends with [`Answer::Archived`].
    BackUp {
        /// As it was typed, or as the vault remembers it.
        folder: String,
        /// Which of the two.
        chosen: Chosen,
    },
    /// Read every byte of a backup; ends with [`Answer::Archived`].
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

/// What came of a request, or happened by itself.
pub enum Answer {
    /// How the vault stands.
    Vault(Vault),
    /// Whether it can be written.
    Access(Access),
    /// The vault is open; what was found while opening it.
    Unlocked {
        /// Sentences a person should read: damage mended, recordings merged.
        notices: Vec<String>,
    },
    /// The passphrase was wrong, or something else was.
    StaysLocked(Failure),
    /// Everything in the vault, newest first.
    Listed {
        /// The recordings.
        recordings: Arc<Vec<Recording>>,
        /// Today, where the person is.
        today: Date,
    },
    /// One recording as it is now: new, edited or transcribed.
    Changed(Box<Recording>),
    /// A transcript that was asked for; `None` when there is none.
    Read {
        /// Of which recording.
        id: RecordingId,
        /// Its newest version.
        transcript: Option<Transcript>,
    },
    /// The loudness of a recording.
    Waveform {
        /// Which one.
        id: RecordingId,
        /// Even steps over its length, 0 (nothing) to 255 (full scale).
        levels: Vec<u8>,
    },
    /// What a search found.
    Found {
        /// The request's.
        serial: u64,
        /// How long it took, milliseconds.
        took_ms: f64,
        /// How many recordings match; `hits` may hold fewer.
        total: usize,
        /// Best first.
        hits: Vec<Hit>,
    },
    /// How the recorder stands.
    Recorder(RecorderStatus),
    /// Nothing could be recorded.
    RecorderFailed(Failure),
    /// The recording ended and is kept.
    Recorded {
        /// Its length, seconds.
        duration_s: f64,
        /// Why it is shorter than it was meant to be: the microphone was lost,
        /// or the disk was full.
        shortfall: Option<Failure>,
    },
    /// Where the player stands.
    Playing(PlayerStatus),
    /// Nothing is played any more.
    PlayerStopped,
    /// The transcriber works.
    Transcribing {
        /// Which one of those that wait, from 1.
        position: usize,
        /// How many wait in all.
        of: usize,
        /// How far it is, 0 to 100.
        percent: u8,
    },
    /// The transcriber has nothing to do.
    TranscriberIdle,
    /// These are gone for good.
    Shredded {
        /// Which ones.
        ids: Vec<RecordingId>,
        /// The receipt, line by line.
        receipt: Vec<String>,
    },
    /// A span is gone for good.
    Redacted {
        /// The recording as it is now.
        recording: Box<Recording>,
        /// The receipt, line by line.
        receipt: Vec<String>,
    },
    /// The clock leapt, and something is due by it: nothing was destroyed.
    ClockLeapt(Leap),
    /// What was due by the retention rules is gone for good; the receipt, line by line.
    Swept(Vec<String>),
    /// The retention rules and what goes by them.
    Retention(Retention),
    /// Copies were written.
    Exported {
        /// Where.
        paths: Vec<String>,
    },
    /// Microphones and speech models.
    Equipment(Equipment),
    /// What was done with the recordings.
    Log(Logged),
    /// The backups and what they hold.
    Backups(Backups),
    /// The folders in which nothing lies now of the backup that the vault remembers.
    BackupsNotThere(Vec<String>),
    /// How far the work on a backup is.
    Archiving(Archiving),
    /// The work on a backup is over.
    Archived(Archived),
    /// Something to tell.
    Notice(String),
    /// Something could not be done.
    Failed(Failure),
}

/// How the vault stands before it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vault {
    /// There is none.
    Missing {
        /// Where it would be made.
        place: String,
    },
    /// It is there.
    Locked {
        /// Finished recordings that wait to be merged.
        waiting: usize,
        /// What was found out without a key.
        notices: Vec<String>,
    },
}

/// A clock that is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leap {
    /// What it says.
    pub now: String,
    /// Up to when it was believed.
    pub believed: String,
    /// What would go by it.
    pub due: Vec<Coming>,
}

/// Something that goes by the retention rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// From when on: date and time, or that it waits for its transcript; empty where it
    /// is due now.
    pub when: String,
    /// How much of it goes: everything, audio or text.
    pub what: &'static str,
    /// Its title, or what stands for it.
    pub title: String,
    /// The rule.
    pub by: String,
}

/// The retention rules and what goes by them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// The rules, a line each.
    pub rules: Vec<String>,
    /// What goes, in order.
    pub coming: Vec<Coming>,
    /// How many would go and are pinned.
    pub pinned: usize,
}

/// Whether a vault can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// It can.
    #[default]
    Full,
    /// The file system is read-only, or this user may not write there.
    ReadOnly,
}

/// A recording that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Which one.
    pub id: RecordingId,
    /// Where it matches, best first; empty when only title or tags do.
    pub moments: Vec<HitMoment>,
}

/// A place in a recording that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct HitMoment {
    /// When the first matching word begins, seconds.
    pub start_s: f64,
    /// The segment's text.
    pub text: String,
    /// Byte ranges of `text` that match.
    pub marks: Vec<[usize; 2]>,
}

/// How the recorder stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RecorderStatus {
    /// Recorded so far, seconds.
    pub elapsed_s: f64,
    /// Loudest sample of the last moment, dBFS.
    pub peak_dbfs: f32,
    /// Sound lost on its way in, seconds.
    pub gap_s: f64,
    /// For how long nothing but digital silence came, seconds.
    pub silent_s: f64,
    /// The microphone.
    pub device: String,
    /// What it is doing.
    pub phase: Phase,
    /// How much longer the disk lasts, seconds.
    pub space_left_s: Option<u64>,
    /// Marked moments.
    pub markers: usize,
}

/// What a recorder is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The microphone has just been opened: its first sound is to come.
    Opening,
    /// Sound comes in.
    Recording,
    /// Held.
    Paused,
    /// Nothing has come from the microphone for too long.
    NothingComes,
    /// The microphone is gone; goes on when it returns.
    WaitingForMicrophone,
    /// The disk is full: nothing can be kept.
    DiskFull,
}

/// Where the player stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayerStatus {
    /// What is played.
    pub id: RecordingId,
    /// Where it is, seconds.
    pub position_s: f64,
    /// How long it is, seconds.
    pub duration_s: f64,
    /// Held.
    pub paused: bool,
}

/// The log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logged {
    /// Newest first.
    pub entries: Vec<LoggedEntry>,
    /// What is wrong with it, a sentence each.
    pub lapses: Vec<String>,
    /// How many entries nobody would miss.
    pub unanchored: usize,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    /// Its number.
    pub number: u32,
    /// When it was written.
    pub at: Moment,
    /// What was done.
    pub deed: Deed,
    /// How far it had come.
    pub stage: Stage,
    /// To which recordings.
    pub ids: Vec<RecordingId>,
    /// As what, or whereto.
    pub detail: String,
}

/// The backups that the vault knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backups {
    /// The newest first.
    pub entries: Vec<BackupEntry>,
    /// How many recordings there are.
    pub recordings: usize,
    /// How many of them are in no backup.
    pub in_none: usize,
}

/// A backup and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupEntry {
    /// The folder.
    pub path: String,
    /// What is there.
    pub shape: BackupShape,
    /// When it was written last.
    pub at: Moment,
    /// Recordings of the vault that it holds.
    pub holds: usize,
    /// Recordings of the vault that came after it.
    pub lacks: usize,
    /// Recordings that were destroyed since, and that it still holds.
    pub destroyed: u32,
}

/// What a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupShape {
    /// A folder of so many segments.
    Folder(u32),
    /// A folder whose first run has not come to its end.
    Unfinished,
    /// Streams that went elsewhere.
    Stream,
}

/// What is done to a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// It is written.
    BackUp,
    /// It is read.
    Verify,
}

/// How far the work on a backup is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archiving {
    /// What is done.
    pub work: Archive,
    /// To which backup.
    pub folder: String,
    /// So many bytes of it are done.
    pub done_bytes: u64,
    /// Of so many; 0 while that is not known.
    pub of_bytes: u64,
}

/// What came of the work on a backup.
#[derive(Debug, Clone, PartialEq)]
pub enum Archived {
    /// It was written.
    BackedUp {
        /// Where it is.
        folder: String,
        /// Recordings that are new in it, or of which something is.
        recordings: usize,
        /// Recordings that it holds now.
        holds: usize,
        /// What could not be read and is not in it, a line each.
        damage: Vec<String>,
    },
    /// It was read.
    Verified {
        /// Where it is.
        folder: String,
        /// Recordings that can be brought back.
        recordings: u64,
        /// How much is not as it was written.
        damage: usize,
    },
    /// It was stopped.
    Stopped(Archive),
    /// It could not be done.
    Failed(Failure),
}

/// Microphones and speech models.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Equipment {
    /// Microphones.
    pub devices: Vec<Piece>,
    /// Speech models.
    pub models: Vec<Piece>,
}

/// A microphone or a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its name.
    pub name: String,
    /// What is worth knowing about it.
    pub facts: String,
    /// The one in use.
    pub in_use: bool,
}

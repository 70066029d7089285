//! What comes back from the engine, and what of it stands in no file of its own.

use std::sync::Arc;

use jiff::civil::Date;

use super::{Archived, Archiving, Backups, Leap, PlayerStatus, RecorderStatus, Retention};
use crate::error::Failure;
use crate::recording::{Moment, Recording, RecordingId};
use crate::transcript::Transcript;
use crate::vault::{Deed, Stage};

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
    /// Its keys are no longer those that it was opened with here: whatever is asked for
    /// fails until it is unlocked again.
    LockedOut(Failure),
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
    /// What was to be destroyed, by name or by the rules, was not, or not all of it.
    DestroyingFailed(Failure),
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

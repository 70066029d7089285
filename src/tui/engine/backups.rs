//! The backups that the vault knows, and the work on one of them.

use crate::error::Failure;
use crate::recording::Moment;

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
    /// A folder that something was restored from, and nothing written to from here.
    Source,
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

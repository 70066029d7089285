//! What a merge did, and what it could not do.

use super::sectors::Gone;
use crate::error::Failure;
use crate::recording::{Moment, RecordingId};
use crate::vault::error::Error;
use crate::vault::ground::disk::is_bad_sector;

/// What a merge did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergeReport {
    /// Recordings that are in the vault now.
    pub merged: Vec<RecordingId>,
    /// Imports whose sound the vault held already; they were destroyed.
    pub duplicates: Vec<Duplicate>,
    /// Of these, recordings whose clock was broken: they are dated by what the vault had
    /// seen.
    pub redated: Vec<Redated>,
    /// Recordings still in progress.
    pub running: Vec<RecordingId>,
    /// Recordings whose recorder died before it had recorded anything; nothing
    /// is kept of them.
    pub empty: Vec<RecordingId>,
    /// Imports that were cut off before their end; nothing is kept of them, for the
    /// files they came from are still there.
    pub unended: Vec<RecordingId>,
    /// Merged recordings whose file was damaged: all of it that still opens is in
    /// the vault.
    pub damaged: Vec<Refused>,
    /// Files that could not be taken in; they are left where they are.
    pub refused: Vec<Refused>,
    /// Files that are none of the vault's; they are left alone.
    pub strangers: Vec<String>,
    /// What is not needed any more and could not be taken away; the next merge tries again.
    pub left: Vec<Failure>,
    /// How many recordings wait on because the merge did not come to its end.
    pub waiting: usize,
    /// Why it did not.
    pub stopped: Option<Failure>,
}

impl MergeReport {
    /// Why this recording's file could not be taken in, if that is so.
    pub(crate) fn refused_file(&self, id: RecordingId) -> Option<&Refused> {
        let file = format!("{id}.rec");
        self.refused.iter().find(|refused| refused.file == file)
    }

    /// Notes what could not be taken away.
    pub(super) fn leave(&mut self, left: Vec<Error>) {
        self.left.extend(left.into_iter().map(Failure::from));
    }
}

/// An import of what was there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The import, which is gone.
    pub id: RecordingId,
    /// The recording with the same sound.
    pub of: RecordingId,
    /// How many transcripts came with the import that the recording did not have; they
    /// are versions of it now.
    pub transcripts: u32,
}

/// A recording whose clock was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redated {
    /// The recording.
    pub id: RecordingId,
    /// What the clock said when it was begun.
    pub clock: Moment,
}

/// A file and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its name in the inbox.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
    /// What can be done about it, where something can.
    pub remedy: Option<String>,
}

/// Why a file of the inbox is not taken in, and what can be done about it.
#[derive(Debug, Clone)]
pub(in crate::vault) struct Refusal {
    pub(in crate::vault) why: String,
    pub(in crate::vault) remedy: Option<String>,
}

impl Refusal {
    /// Of an error, which may be one that only a repair reads past.
    pub(super) fn of(error: &Error) -> Self {
        let is_bad = matches!(error, Error::Io { source, .. } if is_bad_sector(source));
        let remedy = "`voxvault verify --repair` keeps what can be read";
        Self {
            why: error.to_string(),
            remedy: is_bad.then(|| remedy.to_owned()),
        }
    }

    /// Of a file whose keys can't be read, also where only that is lost which can't be.
    pub(super) fn for_good(id: RecordingId, gone: &Gone) -> Self {
        let told = gone.told().unwrap_or_default();
        Self {
            why: format!("its keys can't be read: {told}"),
            remedy: Some(format!(
                "if it stays so, `voxvault shred {id}` gives that recording up"
            )),
        }
    }

    /// The same, of this recording.
    pub(super) fn about(self, id: RecordingId) -> Refused {
        let Self { why, remedy } = self;
        let file = format!("{id}.rec");
        Refused { file, why, remedy }
    }
}

impl<T: Into<String>> From<T> for Refusal {
    fn from(why: T) -> Self {
        Self {
            why: why.into(),
            remedy: None,
        }
    }
}

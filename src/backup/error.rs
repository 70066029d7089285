//! What can go wrong with a backup, and how it reads at the top.

use std::io;
use std::path::{Path, PathBuf};

use crate::audio::AudioError;
use crate::crypto::CryptoError;
use crate::error::{Exit, Failure};
use crate::recording::RecordingId;
use crate::vault;

/// The result of a backup operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done with a backup.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The vault could not do its part.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// A key could not do its part, or a segment could not be opened or sealed.
    #[error("{which}: {source}")]
    Key {
        /// The file or the recipient.
        which: String,
        /// Why not.
        source: CryptoError,
    },
    /// None of the keys at hand opens a segment.
    #[error("no key at hand opens {which}")]
    Locked {
        /// The file.
        which: String,
    },
    /// Stored sound could not be written as Ogg Opus, or not be read from it.
    #[error(transparent)]
    Sound(#[from] AudioError),
    /// The folder can't be used for a backup of this vault.
    #[error("{}: {why}", dir.display())]
    Unusable {
        /// The folder.
        dir: PathBuf,
        /// Why not.
        why: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
    /// Nothing can be sealed to the recipients that were given.
    #[error("can't seal to these recipients: {why}")]
    Recipients {
        /// Why not.
        why: String,
    },
    /// Another process writes to the folder.
    #[error("another process writes a backup to {}", dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },
    /// Some of the sound of a recording could not be read, and is silence in the
    /// backup.
    #[error("{id}: {segments} segments of its sound can't be read: {why}")]
    SoundLost {
        /// The recording.
        id: RecordingId,
        /// How many, 0.8 s each.
        segments: u64,
        /// Why the first of them can't.
        why: String,
    },
    /// The vault has lost something that a backup of it has.
    #[error("{id}: the vault has lost {what}, which the backup has")]
    Outlived {
        /// The recording.
        id: RecordingId,
        /// What is lost.
        what: String,
    },
    /// A segment, or something in it, is not what was written.
    #[error("{which}: {why}")]
    Damaged {
        /// The file, and the place in it.
        which: String,
        /// What is wrong with it.
        why: String,
    },
    /// The folder ends before the segment that the vault remembers as its last.
    #[error("{which}: it is missing, and the vault remembers it")]
    Behind {
        /// A segment that is not there.
        which: String,
    },
    /// A segment was written by a newer version of this program.
    #[error("{which} has format {format}, which this version does not know")]
    Newer {
        /// The file.
        which: String,
        /// The format it names.
        format: u32,
    },
    /// There is no backup in this place.
    #[error("there is no backup in {}", at.display())]
    NoBackup {
        /// Where it was looked for.
        at: PathBuf,
    },
    /// What was given is neither a folder nor a plain file.
    #[error("{} is neither a folder nor a plain file", at.display())]
    NoFile {
        /// What was given.
        at: PathBuf,
    },
    /// The backup holds no recording of this id.
    #[error("no recording {id} in the backup")]
    NotInBackup {
        /// The id.
        id: RecordingId,
    },
    /// It is whole, and not of the vault that it should be of.
    #[error("{which}: {why}")]
    Refused {
        /// The file.
        which: String,
        /// Whose it is instead.
        why: &'static str,
    },
    /// A file operation failed.
    #[error("can't {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The work was called off.
    #[error("stopped")]
    Cancelled,
}

impl Error {
    /// A failed file operation; for use in `map_err`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// A folder with what a later state of the vault has written.
    pub(super) fn of_later_state(dir: &Path) -> Self {
        Self::Unusable {
            dir: dir.to_owned(),
            why: "what lies there is of a later state of this vault, which was put back from an \
                  older copy",
            hint: "`voxvault restore` brings back the recordings that only this backup has; begin \
                   another in another folder",
        }
    }

    /// Damage in a segment.
    pub fn damaged(which: impl ToString, why: impl ToString) -> Self {
        Self::Damaged {
            which: which.to_string(),
            why: why.to_string(),
        }
    }

    /// A key that does not fit; for use in `map_err`.
    pub fn key(which: impl ToString) -> impl FnOnce(CryptoError) -> Self {
        let which = which.to_string();
        move |source| Self::Key { which, source }
    }
}

/// What to do where a backup lacks its end: nobody can tell a copy that lags behind from one
/// that was cut.
pub(crate) const BEHIND_HINT: &str = "this may be an older copy of the folder, or one of two that are used in turn: copy what it \
     lacks from the other one; to use both, give each a backup of its own";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Vault(error) => error.into(),
            Error::Key { which, source } => Self::from(source).about(which),
            Error::Locked { which } => Self::new(
                Exit::Locked,
                "can't open the backup",
                "no key at hand opens it",
            )
            .about(which),
            Error::Sound(error) => error.into(),
            Error::Unusable { dir, why, hint } => {
                Self::new(Exit::Failed, "can't back up to this folder", why)
                    .about(dir.display())
                    .hint(hint)
            }
            Error::Recipients { why } => {
                Self::new(Exit::Usage, "can't seal to these recipients", why)
            }
            Error::Busy { dir } => Self::new(
                Exit::Busy,
                "can't back up to this folder",
                "another process writes a backup there",
            )
            .about(dir.display())
            .hint("try again when it is done"),
            Error::SoundLost { id, segments, .. } => {
                let seconds = segments as f64 * 0.8;
                let why = format!(
                    "{seconds:.1} s of it can't be read; silence stands in for them in the backup"
                );
                Self::new(Exit::Damaged, "the sound is damaged", why)
                    .about(id.short())
                    .hint(vault::REPAIR_HINT)
            }
            Error::Outlived { id, what } => Self::new(
                Exit::Damaged,
                "the vault has less than the backup",
                format!("it has lost {what}; the backup keeps what it has"),
            )
            .about(id.short())
            .hint("`voxvault restore` brings it back"),
            Error::Damaged { which, why } => {
                Self::new(Exit::Damaged, "the backup is damaged", why).about(which)
            }
            Error::Behind { which } => Self::new(
                Exit::Damaged,
                "the backup is damaged",
                "it is missing, and the vault remembers it",
            )
            .about(which)
            .hint(BEHIND_HINT),
            Error::Newer { which, format } => Self::new(
                Exit::Failed,
                "can't read the backup",
                format!("it has format {format}, written by a newer version"),
            )
            .about(which)
            .hint("update voxvault"),
            Error::Io {
                action,
                path,
                source,
            } => Self::of_output(format!("can't {action}"), &source).about(path.display()),
            Error::NoBackup { at } => {
                Self::new(Exit::NotFound, "can't read the backup", "there is none")
                    .about(at.display())
            }
            Error::NoFile { at } => Self::new(
                Exit::Usage,
                "can't read the backup",
                "it is neither a folder nor a plain file",
            )
            .about(at.display())
            .hint("`voxvault restore -` reads a stream; for anything else save it to a file"),
            Error::NotInBackup { id } => Self::new(
                Exit::NotFound,
                "can't bring back the recording",
                "the backup does not hold it",
            )
            .about(id),
            Error::Refused { which, why } => {
                Self::new(Exit::Damaged, "the backup is refused", why).about(which)
            }
            Error::Cancelled => Self::new(Exit::Failed, "stopped", "it was cancelled"),
        }
    }
}

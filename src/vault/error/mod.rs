//! What can go wrong with a vault; how it reads at the top is in `told`.

mod told;

use std::io;
use std::path::{Path, PathBuf};

use crate::crypto::CryptoError;
use crate::recording::RecordingId;
pub(crate) use told::{NO_FILE_HINT, NO_STORE_HINT, NOT_A_FILE};

/// The result of a vault operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a vault operation could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no vault in this directory.
    #[error("there is no vault in {}", dir.display())]
    NoVault {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// A vault can't be made here.
    #[error("can't make a vault in {}: {why}", dir.display())]
    CannotInit {
        /// Where it was asked for.
        dir: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file was written by a newer version of this program.
    #[error("{} has format {version}, which this version does not know", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format version it names.
        version: u32,
    },
    /// None of the ways in opened with what was given.
    #[error("the passphrase does not open {}", dir.display())]
    WrongPassphrase {
        /// The vault.
        dir: PathBuf,
    },
    /// None of the identities that were given opens a way in.
    #[error("none of the identities opens {}", dir.display())]
    WrongIdentity {
        /// The vault.
        dir: PathBuf,
    },
    /// A key can't be used, or something is missing for it.
    #[error(transparent)]
    Key(CryptoError),
    /// The vault has no way in of this name.
    #[error("there is no way in named {name}")]
    NoWay {
        /// The name.
        name: String,
    },
    /// There is a way in of this name, or a file where its own would lie.
    #[error("there is a way in named {name} already")]
    WayExists {
        /// The name.
        name: String,
    },
    /// What can't be a name of a way in.
    #[error("{name:?} can't be the name of a way in")]
    BadWayName {
        /// What was to be one.
        name: String,
    },
    /// Without it nothing would open the vault any more.
    #[error("{name} is the last way in")]
    LastWay {
        /// Its name.
        name: String,
    },
    /// A way in under a passphrase can't be sealed anew without it.
    #[error("the passphrase of {name} is needed to seal it anew")]
    NeedsPassphrase {
        /// Its name.
        name: String,
    },
    /// The keys of the vault were replaced (passwd, key rotate) since it was
    /// unlocked here.
    #[error("the keys of {} were replaced since it was unlocked", dir.display())]
    KeysReplaced {
        /// The vault.
        dir: PathBuf,
    },
    /// Another process held a lock for too long.
    #[error("another process holds {}", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// Data is damaged or forged; what is sound was kept.
    #[error("{which}: {why}")]
    Damaged {
        /// The file, or the recording and the place in it.
        which: String,
        /// What is wrong with it.
        why: String,
    },
    /// The store can't be read as a whole. The records in it may be whole: it can
    /// be built anew from them.
    #[error("{}: {why}", path.display())]
    StoreDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A segment of sound is missing, and the disk did not give a sector of the store where it
    /// may lie: it may be there again some day.
    #[error("{id}, sound segment {number}: a sector of the store can't be read")]
    Unread {
        /// The recording.
        id: RecordingId,
        /// The segment.
        number: u32,
    },
    /// The vault holds no recording of this id.
    #[error("no recording {id}")]
    NoRecording {
        /// The id.
        id: RecordingId,
    },
    /// The recording has no such transcript.
    #[error("recording {id} has no transcript {number}")]
    NoTranscript {
        /// The recording.
        id: RecordingId,
        /// The version asked for.
        number: u32,
    },
    /// The sound of the recording was shredded.
    #[error("the sound of {id} was shredded")]
    NoSound {
        /// The recording.
        id: RecordingId,
    },
    /// The recording's keys were replaced or destroyed while the caller worked.
    #[error("{id} was shredded or redacted meanwhile")]
    Outdated {
        /// The recording.
        id: RecordingId,
        /// The epoch the caller worked with.
        epoch: u32,
    },
    /// The recording is in progress.
    #[error("{id} is being recorded")]
    Running {
        /// The recording.
        id: RecordingId,
    },
    /// The file of a recording in progress was taken away.
    #[error("the file of {id} was taken away while it was recorded")]
    TakenAway {
        /// The recording.
        id: RecordingId,
    },
    /// Keys are gone from the newest generation, but an older one could not be
    /// overwritten: what they open is not destroyed for good.
    #[error("{} could not be overwritten: {source}", path.display())]
    NotFinal {
        /// The file that still holds the older generation.
        path: PathBuf,
        /// Why it could not be overwritten.
        source: io::Error,
    },
    /// There is no room for a second copy of the store.
    #[error("a second copy in {} needs {needed_bytes} bytes, and {free_bytes} are free", dir.display())]
    NoRoom {
        /// The vault.
        dir: PathBuf,
        /// What the copy takes.
        needed_bytes: u64,
        /// What there is.
        free_bytes: u64,
    },
    /// A file operation failed.
    #[error("can't {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`, `sync`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A file of the inbox can't be read, and the change would forget the only key to it.
    #[error("can't read {}: {source}; its keys would be lost", path.display())]
    HoldsUp {
        /// The recording in it.
        id: RecordingId,
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// Sealing failed, or the system gave no random bytes.
    #[error("can't seal {which}: {why}")]
    Seal {
        /// What was to be sealed.
        which: String,
        /// Why not.
        why: String,
    },
}

impl Error {
    /// A failed file operation; for use in `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// Damage in a file or recording.
    pub(crate) fn damaged(which: impl ToString, why: impl ToString) -> Self {
        Self::Damaged {
            which: which.to_string(),
            why: why.to_string(),
        }
    }

    /// It can't be written: the file system is read-only, or this user may not
    /// write there.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), ReadOnlyFilesystem | PermissionDenied))
    }

    /// Damage of the store as a whole.
    pub(crate) fn store_damaged(path: &Path, why: impl ToString) -> Self {
        Self::StoreDamaged {
            path: path.to_owned(),
            why: why.to_string(),
        }
    }

    /// It keeps something from being written, and what is in the store can be read beside it.
    #[must_use]
    pub fn spares_reading(&self) -> bool {
        matches!(
            self,
            Self::Io { .. }
                | Self::HoldsUp { .. }
                | Self::NotFinal { .. }
                | Self::NoRoom { .. }
                | Self::Damaged { .. }
                | Self::StoreDamaged { .. }
        )
    }

    /// The file of a recording in progress is not there any more.
    #[must_use]
    pub fn is_taken_away(&self) -> bool {
        matches!(self, Self::TakenAway { .. })
    }

    /// The disk, or the quota, is full.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        match self {
            Self::Io { source, .. } | Self::NotFinal { source, .. } => no_space(source),
            Self::NoRoom { .. } => true,
            _ => false,
        }
    }
}

/// The disk is full, a quota is used up, or a file may not grow any longer
/// (`ulimit -f`). A file that is too long to be read has no number from the
/// system, and is another matter.
pub(crate) fn no_space(error: &io::Error) -> bool {
    let too_long = rustix::io::Errno::FBIG.raw_os_error();
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    ) || error.raw_os_error() == Some(too_long)
}

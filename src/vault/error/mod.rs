//! What can go wrong with a vault, and how it reads at the top.

use std::io;
use std::path::{Path, PathBuf};

use crate::crypto::CryptoError;
use crate::error::{Exit, Failure};
use crate::recording::RecordingId;
use crate::vault::ground::disk::{is_bad_sector, is_no_file};

/// How it is said that something else than a file has the name of one.
pub(crate) const NOT_A_FILE: &str = "it is not a file but";

/// What to do where that is the name of the store.
pub(crate) const NO_STORE_HINT: &str = "put the file of the store itself there; \
     if there is none any more, mv away what has its name, and an empty store takes its place";

/// What to do where that is the name of any other file.
pub(crate) const NO_FILE_HINT: &str = "mv away what has its name, then run it again: the file \
     itself may have another name now, and what the vault can make anew it makes";

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

/// Why a file operation failed, for a person.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        _ => error.to_string(),
    }
}

/// What can be done about it.
fn remedy(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => Some(
            "list, search, show, play and export work; for all else mount it for writing, or copy the vault",
        ),
        io::ErrorKind::PermissionDenied => {
            Some("look at who owns the vault's directory and its files, and may write there")
        }
        _ if is_no_file(error) => Some(NO_FILE_HINT),
        _ if no_space(error) => Some("make room where the vault is, then run it again"),
        _ => None,
    }
}

/// What can be done about a file of the inbox that can't be read and holds up a change of
/// the keys. What may pass by itself has no hint that destroys.
fn way_out(id: RecordingId, error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Some("give the file to the owner of the vault, or make it readable".to_owned())
        }
        _ if is_bad_sector(error) => Some(format!(
            "if it stays so, `voxvault shred {id}` gives that recording up; then all else \
             can be changed"
        )),
        _ => remedy(error).map(str::to_owned),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NoVault { dir } => Self::new(
                Exit::NotFound,
                "can't open the vault",
                "there is no vault here",
            )
            .about(dir.display())
            .hint("voxvault init"),
            Error::CannotInit { dir, why } => {
                Self::new(Exit::Failed, "can't make a vault", why).about(dir.display())
            }
            Error::Newer { path, version } => Self::new(
                Exit::Failed,
                "can't open the vault",
                format!("it has format {version}, written by a newer version"),
            )
            .about(path.display())
            .hint("update voxvault"),
            Error::WrongPassphrase { dir } => Self::new(
                Exit::Locked,
                "can't unlock the vault",
                "the passphrase does not open it",
            )
            .about(dir.display()),
            Error::WrongIdentity { dir } => Self::new(
                Exit::Locked,
                "can't unlock the vault",
                "none of the identities opens it",
            )
            .about(dir.display()),
            Error::Key(why) => why.into(),
            Error::NoWay { name } => {
                let why = "the vault does not know it";
                Self::new(Exit::NotFound, "no such way in", why)
                    .about(name)
                    .hint("voxvault key list")
            }
            Error::WayExists { name } => {
                let why = "there is one of this name already";
                Self::new(Exit::Usage, "can't add the way in", why)
                    .about(name)
                    .hint("--name gives it another")
            }
            Error::BadWayName { name } => {
                let why = "a name has up to 32 letters a to z, digits, - and _";
                Self::new(Exit::Usage, "can't add the way in", why).about(name)
            }
            Error::LastWay { name } => {
                let why = "it is the last one: nothing would open the vault any more";
                Self::new(Exit::Failed, "can't remove the way in", why)
                    .about(name)
                    .hint("add another one first: voxvault key add")
            }
            Error::NeedsPassphrase { name } => {
                let why = "its passphrase is needed to seal it anew";
                Self::new(Exit::Locked, "can't make a new master key", why)
                    .about(&name)
                    .hint(format!(
                        "run this on a terminal, or drop this way in: --drop {name}"
                    ))
            }
            Error::KeysReplaced { dir } => Self::new(
                Exit::Locked,
                "the vault is locked",
                "its keys were replaced meanwhile",
            )
            .about(dir.display())
            .hint("unlock it again"),
            Error::Busy { path } => {
                Self::new(Exit::Busy, "the vault is busy", "another process holds it")
                    .about(path.display())
                    .hint("try again when the other voxvault is done")
            }
            Error::Damaged { which, why } => Self::new(Exit::Damaged, "damaged data", why)
                .about(which)
                .hint("put the file back from a copy, if there is one; what other files hold is untouched"),
            Error::StoreDamaged { path, why } => {
                let hint = match why.starts_with(NOT_A_FILE) {
                    true => NO_STORE_HINT,
                    false => crate::vault::REPAIR_HINT,
                };
                Self::new(Exit::Damaged, "the store is damaged", why)
                    .about(path.display())
                    .hint(hint)
            }
            Error::Unread { id, number } => Self::new(
                Exit::Damaged,
                "the sound can't be read",
                format!("the disk does not give a sector of the store, where segment {number} may lie"),
            )
            .about(id)
            .hint("look at the disk, and try again: an error of a disk may pass"),
            Error::NoRecording { id } => Self::new(
                Exit::NotFound,
                "no such recording",
                "the vault does not hold it",
            )
            .about(id),
            Error::NoTranscript { id, number } => Self::new(
                Exit::NotFound,
                "no such transcript",
                format!("there is no version {number}"),
            )
            .about(id),
            Error::NoSound { id } => {
                Self::new(Exit::NotFound, "can't read the sound", "it was shredded").about(id)
            }
            Error::Outdated { id, .. } => Self::new(
                Exit::Failed,
                "the result was dropped",
                "the recording was shredded or redacted meanwhile",
            )
            .about(id),
            Error::Running { id } => Self::new(
                Exit::Failed,
                "can't change the recording",
                "it is being recorded",
            )
            .about(id)
            .hint("stop it first"),
            Error::TakenAway { id } => Self::new(
                Exit::Failed,
                "can't go on recording",
                "its file is not there any more: all was destroyed, or the vault was moved",
            )
            .about(id),
            Error::NotFinal { path, source } => Self::new(
                if no_space(&source) {
                    Exit::NoSpace
                } else {
                    Exit::Failed
                },
                "the change is not final",
                format!("an older generation of the keys could not be overwritten: {source}"),
            )
            .about(path.display())
            .hint("run it again: that starts by finishing this"),
            Error::NoRoom {
                dir,
                needed_bytes,
                free_bytes,
            } => Self::new(
                Exit::NoSpace,
                "can't write the store anew",
                format!(
                    "the copy takes {needed_bytes} bytes and {free_bytes} are free; nothing was changed"
                ),
            )
            .about(dir.display())
            .hint("make room on this file system, or shred what is not needed first"),
            Error::Io {
                action,
                path,
                source,
            } => Self::new(
                if no_space(&source) {
                    Exit::NoSpace
                } else {
                    Exit::Failed
                },
                format!("can't {action}"),
                reason(&source),
            )
            .about(path.display())
            .hint_if(remedy(&source)),
            Error::HoldsUp { id, path, source } => Self::new(
                Exit::Failed,
                "can't read a recording that waits",
                format!("{}; the only key to it would be forgotten", reason(&source)),
            )
            .about(path.display())
            .hint_if(way_out(id, &source).as_deref()),
            Error::Seal { which, why } => Self::new(Exit::Failed, "can't seal", why).about(which),
        }
    }
}

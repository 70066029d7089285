//! How what goes wrong with a vault reads at the top: what failed, why, what to do next,
//! and the exit code.

use std::io;

use super::{Error, no_space};
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

//! The inbox: recordings in progress, and those that wait to be merged.
//!
//! ```text
//! inbox/<id>.rec   keys frame, sealed to the inbox key
//!                  draft of the card
//!                  sound frames; a draft of the card every few seconds
//!                  card
//! ```
//!
//! Frames stand one after the other and are only ever added. A file whose last
//! frame is no card is an interrupted recording. Whoever gets the flock on a
//! file knows that its recorder is gone.
//!
//! `inbox/<id>.open` is empty and lies beside a recording that has not come to its end:
//! what lies there without it was acknowledged, however it ends.
//!
//! `inbox/<id>.gone` is one of which nothing is to be kept, on its way to be
//! overwritten: half of it under its old name would look like damage.

mod adopting;
pub(super) mod content;
mod frames;
mod holes;
pub(super) mod incoming;
pub(super) mod intake;
mod keyless;
pub(super) mod merge;
pub(super) mod recorder;
mod removal;
mod report;
pub(super) mod running;
pub(super) mod sectors;
mod sequential;
mod survey;
pub(super) mod unmerged;
mod words;

use std::io;
use std::path::{Path, PathBuf};

pub use self::adopting::{Adoptable, Unreadable, adoptable};
pub use self::keyless::InboxEntry;
pub(crate) use self::keyless::{entries, walk};
pub(crate) use self::removal::{destroy, discard, sweep, sweep_marks, unmark};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, Disk, DiskFile, Hold};

/// The directory in the vault.
pub(crate) const DIR: &str = "inbox";

const EXTENSION: &str = ".rec";

/// The mark of a recording that has not come to its end.
const UNENDED: &str = ".open";

/// What a file is called once nothing of it is to be kept.
const GONE: &str = ".gone";

/// The file of a recording.
pub(crate) fn path(dir: &Path, id: RecordingId) -> PathBuf {
    dir.join(DIR).join(format!("{id}{EXTENSION}"))
}

/// The mark beside the file of a recording, until that has come to its end. It stands
/// apart: whatever part of the file is lost, it tells a recording that was acknowledged
/// from one whose recorder died.
pub(crate) fn mark(dir: &Path, id: RecordingId) -> PathBuf {
    dir.join(DIR).join(format!("{id}{UNENDED}"))
}

/// What lies in the inbox: recordings, and names that are none.
pub(crate) struct Names {
    /// Recordings, by their ids.
    pub recordings: Vec<RecordingId>,
    /// Recordings that are marked as not ended, whether or not they are there.
    pub unended: Vec<RecordingId>,
    /// Names of files that are to be overwritten and removed.
    pub gone: Vec<String>,
    /// Other names; nobody touches them.
    pub strangers: Vec<String>,
}

/// The names in the inbox. One that is not there is an empty one.
pub(crate) fn names(disk: &dyn Disk, dir: &Path) -> Result<Names> {
    let inbox = dir.join(DIR);
    let listed = match disk.list(&inbox) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => match disk.exists(&inbox) {
            Ok(false) => Vec::new(),
            // A link that leads nowhere hides what lies where it should lead.
            _ => return Err(Error::io("list", &inbox)(leads_nowhere())),
        },
        Err(error) => return Err(Error::io("list", &inbox)(error)),
    };
    let mut names = Names {
        recordings: Vec::new(),
        unended: Vec::new(),
        gone: Vec::new(),
        strangers: Vec::new(),
    };
    for name in listed {
        if is_gone(&name) {
            names.gone.push(name);
            continue;
        }
        match (id_of(&name, EXTENSION), id_of(&name, UNENDED)) {
            (Some(id), _) => names.recordings.push(id),
            (_, Some(id)) => names.unended.push(id),
            (None, None) => names.strangers.push(name),
        }
    }
    Ok(names)
}

fn leads_nowhere() -> io::Error {
    io::Error::other("it is a symbolic link that leads nowhere; what waits there is out of reach")
}

/// A file of the inbox, opened by somebody who is not its recorder.
pub(crate) enum Claim {
    /// The recorder is gone; its flock is held as long as the file is open.
    Left(Box<dyn DiskFile>),
    /// It is still being written.
    Running,
    /// It is not there.
    Absent,
}

/// Tries to take over a file whose recorder is gone.
///
/// While a recorder starts, its file is there and not locked yet; who acts on
/// what a claim says holds the gate alone.
pub(crate) fn claim(disk: &dyn Disk, dir: &Path, id: RecordingId, hold: Hold) -> Result<Claim> {
    let path = path(dir, id);
    let file = match disk.open(&path, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Claim::Absent),
        Err(error) => return Err(Error::io("open", &path)(error)),
    };
    match file.try_lock(hold).map_err(Error::io("lock", &path))? {
        true => Ok(Claim::Left(file)),
        false => Ok(Claim::Running),
    }
}

/// Whether this is the name of a file of the inbox.
pub(crate) fn is_own(name: &str) -> bool {
    is_gone(name) || id_of(name, EXTENSION).is_some() || is_mark(name)
}

/// Whether this is the name of the mark of a recording.
pub(crate) fn is_mark(name: &str) -> bool {
    id_of(name, UNENDED).is_some()
}

/// The recording of this name. Only the spelling that we write: another would be
/// another file.
fn id_of(name: &str, extension: &str) -> Option<RecordingId> {
    let id: RecordingId = name.strip_suffix(extension)?.parse().ok()?;
    (*name == format!("{id}{extension}")).then_some(id)
}

/// Whether this is the name of a file of which nothing is to be kept.
pub(crate) fn is_gone(name: &str) -> bool {
    let id = name.strip_suffix(GONE);
    id.is_some_and(|id| id.parse::<RecordingId>().is_ok())
}

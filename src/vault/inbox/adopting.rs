//! The keys that a rotation takes out of the inbox before it forgets the key to them.

use std::io;
use std::path::{Path, PathBuf};

use super::frames::Frames;
use super::intake::{self, First};
use super::sectors::{Gone, past_bad};
use super::sequential::Sequential;
use super::{names, path};
use crate::crypto::{ClipKeys, InboxIdentity};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Access, Disk};

/// A recording of the inbox whose keys open with the inbox key of the vault.
pub struct Adoptable {
    /// The recording.
    pub id: RecordingId,
    /// Its keys.
    pub keys: ClipKeys,
}

/// What a rotation finds in the inbox.
#[derive(Default)]
pub struct ToAdopt {
    /// Recordings whose keys open.
    pub adoptable: Vec<Adoptable>,
    /// Files that can't be read now and perhaps can later. Passing one over would
    /// destroy it, because its only other key is about to be forgotten.
    pub unreadable: Vec<Unreadable>,
}

/// A recording of the inbox whose beginning can't be read.
pub struct Unreadable {
    /// The recording.
    pub id: RecordingId,
    /// Its file.
    pub path: PathBuf,
    /// What the system answered.
    pub source: io::Error,
}

/// The keys of every recording in the inbox that this inbox key opens, running
/// ones too, except those that are `known`. What it does not open is not ours, or
/// damaged; the merge tells which. Called by the rotation while it holds the gate.
///
/// # Errors
/// [`Error::Io`] if the inbox can't be listed.
pub fn adoptable(
    disk: &dyn Disk,
    dir: &Path,
    inbox: &InboxIdentity,
    known: &dyn Fn(RecordingId) -> bool,
) -> Result<ToAdopt> {
    let mut found = ToAdopt::default();
    for id in names(disk, dir)?.recordings {
        if known(id) {
            continue;
        }
        let path = path(dir, id);
        let file = match disk.open(&path, Access::Read) {
            Ok(file) => file,
            // A recorder may discard its file at any time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if disk::is_no_file(&error) => continue,
            Err(source) => {
                found.unreadable.push(Unreadable { id, path, source });
                continue;
            }
        };
        // More is read than the first frame, and only that has to be there.
        let gone = Gone::default();
        let mut frames = Frames::new(Sequential::new(past_bad(file, gone.clone())));
        let first = intake::first(&mut frames, id, |error| Error::io("read", &path)(error));
        match first {
            Ok(First::Sealed(sealed)) => {
                if let Ok(keys) = intake::open_keys(id, &sealed, inbox) {
                    found.adoptable.push(Adoptable { id, keys });
                }
            }
            Err(Error::Io { source, .. }) => found.unreadable.push(Unreadable { id, path, source }),
            // Damaged, or not to be read.
            Ok(First::Torn) | Err(_) => {
                let unreadable = |source| Unreadable { id, path, source };
                found.unreadable.extend(gone.into_error().map(unreadable));
            }
        }
    }
    Ok(found)
}

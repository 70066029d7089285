//! Takes files and marks out of the inbox, so that no power cut makes half of one pass for
//! damage or for a recording that was acknowledged.

use std::io;
use std::path::Path;

use super::{DIR, GONE, Names, mark, names, path};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Disk};

/// Takes the mark away; fine if there is none. The directory is synced by the caller.
pub(crate) fn unmark(disk: &dyn Disk, dir: &Path, id: RecordingId) -> Result<()> {
    let mark = mark(dir, id);
    match disk.unlink(&mark) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        unlinked => unlinked.map_err(Error::io("remove", &mark)),
    }
}

/// Overwrites and removes files of which nothing is to be kept and that no bag and
/// no tombstone knows: a power cut must not leave half of one for damage. So they
/// lose their names first. All of them are tried; answers with what failed.
pub(crate) fn discard(
    disk: &dyn Disk,
    dir: &Path,
    ids: impl IntoIterator<Item = RecordingId>,
) -> Vec<Error> {
    let inbox = dir.join(DIR);
    let (mut gone, mut renamed_ids, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for id in ids {
        let (from, name) = (path(dir, id), format!("{id}{GONE}"));
        match disk.rename(&from, &inbox.join(&name)) {
            Ok(()) => {
                gone.push(name);
                renamed_ids.push(id);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => failed.push(Error::io("rename", &from)(error)),
        }
    }
    if gone.is_empty() {
        return failed;
    }
    if let Err(error) = disk.sync_dir(&inbox) {
        failed.push(Error::io("sync", &inbox)(error));
        return failed;
    }
    // Only now: a recording without its mark passes for one that was acknowledged.
    let unmarked = renamed_ids.into_iter().map(|id| unmark(disk, dir, id));
    let unmarked: Vec<Result<()>> = unmarked.collect();
    failed.extend(sweep(disk, dir, &gone));
    failed.extend(unmarked.into_iter().filter_map(Result::err));
    failed
}

/// Takes marks away whose recording is not there. The gate has to be held alone: a
/// recorder that is just starting has a mark and no file yet.
pub(crate) fn sweep_marks(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let Names {
        recordings,
        unended,
        ..
    } = names(disk, dir)?;
    let inbox = dir.join(DIR);
    let sync = || disk.sync_dir(&inbox).map_err(Error::io("sync", &inbox));
    // Who gave up a recording renames its file, and may not have made that durable.
    sync()?;
    let alone = |id: &RecordingId| recordings.binary_search(id).is_err();
    let alone = unended.into_iter().filter(alone);
    let unmarked = alone
        .map(|id| unmark(disk, dir, id))
        .fold(Ok(()), Result::and);
    sync().and(unmarked)
}

/// Overwrites and removes what has lost its name already. All of it is tried; answers
/// with what failed.
pub(crate) fn sweep(disk: &dyn Disk, dir: &Path, gone: &[String]) -> Vec<Error> {
    let inbox = dir.join(DIR);
    let erase = |name: &String| {
        let path = inbox.join(name);
        disk::erase(disk, &path).map_err(Error::io("erase", &path))
    };
    let mut failed: Vec<Error> = gone.iter().filter_map(|name| erase(name).err()).collect();
    failed.extend(sync_after(disk, &inbox, !gone.is_empty()));
    failed
}

/// Overwrites files of the inbox and removes them, durably. For what the bag or a
/// tombstone knows: half of one is finished by the next merge. All of them are tried;
/// answers with what failed.
pub(crate) fn destroy(
    disk: &dyn Disk,
    dir: &Path,
    ids: impl IntoIterator<Item = RecordingId>,
) -> Vec<Error> {
    let (mut any, mut failed) = (false, Vec::new());
    for id in ids {
        any = true;
        let path = path(dir, id);
        let erased = disk::erase(disk, &path).map_err(Error::io("erase", &path));
        // A power cut may have brought the mark back.
        failed.extend(erased.and_then(|()| unmark(disk, dir, id)).err());
    }
    failed.extend(sync_after(disk, &dir.join(DIR), any));
    failed
}

fn sync_after(disk: &dyn Disk, inbox: &Path, any: bool) -> Option<Error> {
    let sync = || disk.sync_dir(inbox).map_err(Error::io("sync", inbox));
    any.then(sync)?.err()
}

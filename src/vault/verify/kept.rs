//! Stores that a repair kept because it could not read all of them. What of them can be read
//! by now comes back; one that was read whole, and has nothing any more that the vault has
//! not, is overwritten.

use std::path::{Path, PathBuf};

use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, DiskFile};
use crate::vault::restore;
use crate::vault::session::Held;
use crate::vault::store::finding;

/// Tries all of these once more, and notes what came of each.
///
/// # Errors
/// Why the vault can't be read or written; a kept store that can't be read is noted.
pub(super) fn take_in(
    held: &mut Held<'_>,
    kept: &[PathBuf],
    notes: &mut Vec<String>,
) -> Result<()> {
    for path in kept {
        match held.disk().open(path, Access::Read) {
            Ok(file) => one(held, path, &*file, notes)?,
            Err(error) => notes.push(Error::io("read", path)(error).to_string()),
        }
    }
    Ok(())
}

fn one(
    held: &mut Held<'_>,
    path: &Path,
    file: &dyn DiskFile,
    notes: &mut Vec<String>,
) -> Result<()> {
    let place = path.display();
    let records = match finding::find(held.bag(), file, &|_| ()) {
        Ok(records) => records,
        Err(error) => {
            notes.push(Error::io("read", path)(error).to_string());
            return Ok(());
        }
    };
    for id in restore::take_in(held, &records, file)? {
        notes.push(format!(
            "{id}: what was missing of it is back, from {place}; no rule takes it before \
             `voxvault edit {} --unpin`",
            id.short()
        ));
    }
    match records.unread {
        0 if records.strange || !restore::has_all(held, &records, file)? => {}
        0 => notes.push(match held.store().drop_kept(path) {
            Ok(()) => format!(
                "{place}: all of it could be read, and nothing in it is missing any more; it \
                 was overwritten and removed"
            ),
            Err(error) => format!("{place}: it could not be overwritten: {error}"),
        }),
        blocks => notes.push(format!(
            "{place}: {blocks} blocks of it still can't be read; the next repair tries again, \
             and who removes the file gives up what is nowhere else"
        )),
    }
    Ok(())
}

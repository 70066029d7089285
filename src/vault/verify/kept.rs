//! Stores that a repair kept because it could not read all of them. What of them can be read
//! by now comes back; one that was read whole, and has nothing any more that the vault has
//! not, is overwritten. Of any other it is said what is only in it.

use std::path::{Path, PathBuf};

use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, DiskFile};
use crate::vault::restore;
use crate::vault::session::Held;
use crate::vault::store::finding::{self, Records};

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
        0 => notes.extend(read_whole(held, path, &records, file)?),
        blocks => notes.push(format!(
            "{place}: {blocks} blocks of it still can't be read; the next repair tries again, \
             and who removes the file gives up what is nowhere else"
        )),
    }
    Ok(())
}

/// Overwrites one that could be read whole, if the vault has all of it; what came of that.
fn read_whole(
    held: &Held<'_>,
    path: &Path,
    records: &Records,
    file: &dyn DiskFile,
) -> Result<Option<String>> {
    let place = path.display();
    Ok(match restore::left_out(held, records, file)? {
        Some(left) if !left.is_empty() => Some(format!(
            "{place}: all of it could be read, and it is kept for what is only in it: {}; who \
             removes the file gives that up",
            left.join("; ")
        )),
        Some(_) if !records.strange => Some(match held.store().drop_kept(held.lock(), path) {
            Ok(()) => format!(
                "{place}: all of it could be read, and nothing in it is missing any more; it \
                 was overwritten and removed"
            ),
            Err(error) => format!("{place}: it could not be overwritten: {error}"),
        }),
        _ => None,
    })
}

//! Bytes that hold nothing, and names that are not ours.

use std::io;

use super::{Meter, Verified};
use crate::vault::destroy::strangers;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, Disk};
use crate::vault::ground::lock::{GATE_FILE, LOCK_FILE};
use crate::vault::inbox;
use crate::vault::keys::root::Copy;
use crate::vault::keys::{keyslots, reserve};
use crate::vault::restore::RESTORING_FILE;
use crate::vault::session::Held;
use crate::vault::store;

/// Counts the bytes of all files, which say how much there is to be done.
pub(super) fn measure(held: &Held<'_>, found: &mut Verified, meter: &Meter<'_>) {
    let dir = held.dir();
    for folder in [
        dir.to_owned(),
        dir.join(keyslots::DIR),
        dir.join(inbox::DIR),
    ] {
        for name in held.disk().list(&folder).unwrap_or_default() {
            found.bytes += length(held.disk(), &folder.join(name));
        }
    }
    // The store is read twice: by redb and record by record.
    let store = length(held.disk(), &dir.join(store::FILE));
    meter.expect(found.bytes + store);
    meter.advance(found.bytes - store);
}

fn length(disk: &dyn Disk, path: &std::path::Path) -> u64 {
    let file = disk.open(path, Access::Read);
    file.and_then(|file| file.len()).unwrap_or(0)
}

pub(super) fn look(held: &Held<'_>, found: &mut Verified) -> Result<()> {
    let (disk, dir) = (held.disk(), held.dir());
    for name in disk.list(dir).map_err(Error::io("list", dir))? {
        let path = dir.join(&name);
        let place = path.display();
        match name.as_str() {
            reserve::FILE => found.idle_bytes += length(disk, &path),
            LOCK_FILE | GATE_FILE | RESTORING_FILE => {
                let bytes = length(disk, &path);
                found.idle_bytes += bytes;
                if bytes > 0 {
                    found.notes.push(format!(
                        "{place}: {bytes} bytes in a file that is only locked"
                    ));
                }
            }
            store::NEW_FILE => found.notes.push(format!(
                "{place}: a store that was being made; unlocking removes it"
            )),
            store::replace::OLD_FILE => found.notes.push(format!(
                "{place}: a store that was replaced; unlocking overwrites it"
            )),
            _ if store::replace::aside_number(&name).is_some() => found.notes.push(format!(
                "{place}: a store that a repair kept as it was; the next one takes in what is \
                 missing and can be read by now, and whoever removes it gives that up"
            )),
            _ if strangers::is_own(&name) => {}
            _ => found
                .notes
                .push(format!("{place}: not a file of the vault")),
        }
    }
    found.notes.extend(of_reserve(held));
    Ok(())
}

/// Unlocking makes the reserve anew where there is room for it: what is missing then stays
/// missing, and nobody notices before the disk is full.
fn of_reserve(held: &Held<'_>) -> Option<String> {
    let path = held.dir().join(reserve::FILE);
    let bag = Copy::A.bag_file(held.dir(), held.generation());
    let wanted = reserve::wanted(length(held.disk(), &bag));
    let file = held.disk().open(&path, Access::Read);
    let why = match file.and_then(|file| file.len()) {
        Ok(there) if there >= wanted => return None,
        Ok(_) => "it is too short".to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => "it is missing".to_owned(),
        Err(error) => error.to_string(),
    };
    Some(format!(
        "{}: {why}; without it nothing can be shredded on a full disk",
        path.display()
    ))
}

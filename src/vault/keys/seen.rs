//! The last generation of a vault that was seen on this machine, kept outside
//! the vault, so that an older copy put in its place is noticed.

use std::path::PathBuf;

use crate::crypto::VaultId;
use crate::vault::ground::disk;
use crate::vault::ground::site::Site;
use crate::vault::notice::Notice;

fn path(site: &Site, vault: VaultId) -> Option<PathBuf> {
    Some(site.state_dir.as_ref()?.join(format!("{vault}.generation")))
}

fn read(site: &Site, vault: VaultId) -> Option<u64> {
    let bytes = disk::read(&*site.disk, &path(site, vault)?).ok()?;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

/// Says if a newer generation than this was seen before.
pub(in crate::vault) fn compare(site: &Site, vault: VaultId, found: u64) -> Option<Notice> {
    let seen = read(site, vault)?;
    (seen > found).then_some(Notice::Older { seen, found })
}

/// Notes that this generation was seen. A note that can't be written costs a
/// warning some day and nothing else, so that is no error.
pub(in crate::vault) fn note(site: &Site, vault: VaultId, generation: u64) {
    let Some(path) = path(site, vault) else {
        return;
    };
    if read(site, vault).is_some_and(|seen| seen >= generation) {
        return;
    }
    let (Some(dir), beside) = (path.parent(), path.with_extension("new")) else {
        return;
    };
    let disk = &*site.disk;
    let _ = disk
        .create_dir(dir)
        .and_then(|()| disk::write(disk, &beside, format!("{generation}\n").as_bytes()))
        .and_then(|()| disk.rename(&beside, &path));
}

/// Forgets that a vault was ever seen, once it is destroyed.
pub(in crate::vault) fn forget(site: &Site, vault: VaultId) {
    if let Some(path) = path(site, vault) {
        let _ = site.disk.unlink(&path.with_extension("new"));
        let _ = site.disk.unlink(&path);
    }
}

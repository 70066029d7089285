//! Room kept free, so that a full disk can still shred: a file of three bag
//! sizes, given back to the file system when a bag no longer fits.

use std::io;

use crate::vault::ground::disk::{self, Access};
use crate::vault::ground::site::Site;

pub(in crate::vault) const FILE: &str = "reserve";

/// How many bags it has room for: two copies, and one for what grows meanwhile.
const BAGS: u64 = 3;

/// Bytes that it has beside a bag of this size.
pub(in crate::vault) const fn wanted(bag_len: u64) -> u64 {
    BAGS * bag_len
}

/// Makes it as large as three bags of this size. It need not be durable; its
/// bytes are random, so that no file system stores them as nothing.
pub(in crate::vault) fn keep(site: &Site, bag_len: u64) -> io::Result<()> {
    let file = site.disk.open(&site.path(FILE), Access::WriteOrCreate)?;
    let (there, wanted) = (file.len()?, wanted(bag_len));
    if there < wanted {
        disk::overwrite_range(&*file, there, wanted - there)?;
    }
    Ok(())
}

/// Gives it back.
pub(in crate::vault) fn spend(site: &Site) -> io::Result<()> {
    match site.disk.unlink(&site.path(FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => site.disk.sync_dir(&site.dir),
    }
}

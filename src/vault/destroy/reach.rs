//! What overwriting can't reach, for receipts.

use std::path::Path;

use super::receipt::NotErased;
use crate::vault::ground::medium::{Medium, Overwriting};

/// Where `what` may still be, and why it can't be overwritten there.
pub(in crate::vault) fn of(dir: &Path, what: &str) -> Vec<NotErased> {
    let medium = Medium::of(dir);
    let mut whys = vec![
        "if the disk is an SSD, a card or virtual, cells it has put aside can't be overwritten"
            .to_owned(),
        "copies and snapshots of the directory made before open what they held then".to_owned(),
    ];
    match medium.overwriting {
        Overwriting::InPlace => {}
        Overwriting::LeavesOldBytes(why) => whys.insert(
            0,
            format!("{} does not overwrite in place: {why}", medium.name),
        ),
        Overwriting::Depends(why) => whys.push(format!("{}: {why}", medium.name)),
        Overwriting::Unknown => whys.insert(
            0,
            "it is not known whether this file system overwrites in place".to_owned(),
        ),
    }
    whys.into_iter()
        .map(|why| NotErased {
            what: what.to_owned(),
            where_: dir.display().to_string(),
            why,
        })
        .collect()
}

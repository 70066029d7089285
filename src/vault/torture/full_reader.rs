//! The forensic reader of the tests from outside, for samples: it takes every
//! stanza at any offset for what it is, and knows nothing of how it was written.
#![allow(dead_code, reason = "shared with tests that need the rest")]

#[path = "../../../tests/it/support/files.rs"]
mod files;
#[path = "../../../tests/it/support/forensic/mod.rs"]
pub(super) mod forensic;
#[path = "../../../tests/it/support/needles.rs"]
mod needles;

use self::forensic::{Evidence, Findings, read_all};
use super::facts::{Facts, What};
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::sealed::frame::Kind;

/// All that can be read of a disk and of what was ever written to it, except the
/// roots that are not there any more.
pub(super) fn read(disk: &SimDisk, passphrase: &str) -> Findings {
    let mut evidence = Evidence::default();
    for (number, written) in disk.written_since(0).into_iter().enumerate() {
        let name = written
            .path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if !name.starts_with("root.") {
            evidence.add(&format!("{name}, write {number}"), written.bytes.to_vec());
        }
    }
    for (number, bytes) in disk.remains().into_iter().enumerate() {
        evidence.add(&format!("file {number}"), bytes);
    }
    read_all(&evidence, &[passphrase])
}

/// Finds everything that is there, and nothing that is gone.
pub(super) fn attack(disk: &SimDisk, facts: &Facts) -> Result<(), String> {
    let found = read(disk, facts.passphrase.unwrap());
    for (id, clip) in &facts.clips {
        if found.count(*id, Kind::Card) == 0 {
            return Err(format!("the control: no card of {} was found", clip.number));
        }
    }
    for gone in &facts.gone {
        let reached = match gone.what {
            What::All => found.reaches(gone.id),
            What::Sound => found.count(gone.id, Kind::Sound) > 0,
            What::Words => found.count(gone.id, Kind::Words) > 0,
            // It does not tell revisions and epochs apart.
            What::CardsBefore(_) | What::Epoch(_) => false,
        };
        if reached {
            return Err(format!("{:?} of {} was read", gone.what, gone.id));
        }
    }
    Ok(())
}

//! Microphones and disks that fail, and a microphone that never does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use crate::crypto::{Passphrase, WorkFactor};
use crate::recording::{Moment, Recording};
use crate::vault::disk::{Disk, RealDisk};
use crate::vault::site::Site;
use crate::vault::{InitOptions, OpenVault, Vault};

mod disk;
mod long;
mod microphone;

/// A vault that opens at once, on this disk.
fn vault_on(disk: impl Disk + 'static) -> (TempDir, OpenVault) {
    let dir = tempfile::tempdir().unwrap();
    let site = site(&dir.path().join("vault"), disk);
    let options = InitOptions {
        work: WorkFactor::NONE,
        ..InitOptions::default()
    };
    let passphrase = Passphrase::new("six words that nobody guesses".to_owned());
    let open = Vault::init_at(site, &passphrase, options).unwrap();
    (dir, open)
}

fn site(dir: &Path, disk: impl Disk + 'static) -> Site {
    Site {
        disk: Arc::new(disk),
        ..Site::new(dir, None)
    }
}

fn new_vault() -> (TempDir, OpenVault) {
    vault_on(RealDisk)
}

fn now() -> Moment {
    Moment {
        unix_ms: 1_763_800_000_000,
        offset_s: 0,
    }
}

/// The only recording there is, after a merge.
fn only(open: &OpenVault) -> Recording {
    let report = open.merge().unwrap();
    assert!(
        report.damaged.is_empty() && report.refused.is_empty(),
        "{report:?}"
    );
    let mut recordings = open.recordings().unwrap();
    assert_eq!(recordings.len(), 1, "{recordings:?}");
    recordings.remove(0)
}

//! What is destroyed while a backup runs.

use std::cell::Cell;
use std::fs;

use voxvault::backup::Error;
use voxvault::backup::manifest::Tombstone;
use voxvault::backup::write::{Order, Watch, to_folder, to_stream};
use voxvault::recording::{Moment, RecordingId};
use voxvault::vault::{OpenVault, ShredScope};

use super::{manifest, manifests, segments};
use crate::support::library;
use crate::support::prepared::{make_quick_vault, quick_folder};

/// Shreds a recording as soon as the first sound is written.
struct Shredder<'a> {
    vault: &'a OpenVault,
    victim: RecordingId,
    has: Cell<bool>,
}

impl Watch for Shredder<'_> {
    fn done(&self, _bytes: u64, _of_bytes: u64) {
        if !self.has.replace(true) {
            let receipt = self
                .vault
                .shred(&[self.victim], ShredScope::Everything, &mut |_, _| ())
                .unwrap();
            // The backup that is being written may hold it, and is named.
            assert_eq!(receipt.backups_still_holding.len(), 1);
        }
    }

    fn damaged(&self, error: Error) {
        panic!("{error}");
    }

    fn note(&self, _message: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}

const NOW: Moment = Moment {
    unix_ms: 1_795_335_120_042,
    offset_s: 0,
};

fn order() -> Order<'static> {
    Order::at(&|| NOW)
}

#[test]
fn what_is_shredded_while_a_backup_runs_is_in_none_of_its_files() {
    // The one that is being written, one that comes next, and the last one.
    for victim in [0, 1, 5] {
        let folder = quick_folder();
        let vault = make_quick_vault(&folder.path().join("vault"));
        let mut ids: Vec<RecordingId> = (0..6)
            .map(|number| library::record(vault.vault(), &format!("number {number}"), 40))
            .collect();
        vault.merge().unwrap();
        ids.sort();
        let dir = folder.path().join("backup");
        let watch = Shredder {
            vault: &vault,
            victim: ids[victim],
            has: Cell::new(false),
        };
        let outcome = to_folder(&vault, &dir, order(), &watch).unwrap();
        assert_eq!(outcome.holds, 5);
        let manifests = manifests(&vault, &dir);
        let tombstone = Tombstone {
            id: ids[victim],
            epoch: 0,
        };
        for manifest in &manifests {
            let of = format!("{}/", ids[victim]);
            assert!(!manifest.files.iter().any(|file| file.path.starts_with(&of)));
            assert!(!manifest.recordings.iter().any(|one| one.id == ids[victim]));
        }
        assert_eq!(manifests.last().unwrap().tombstones, [tombstone]);
        let held: usize = manifests.iter().map(|one| one.recordings.len()).sum();
        assert_eq!(held, 5);
        assert_eq!(segments(&dir).len(), manifests.len());

        // A stream can't take back what was written; it does not name it, and buries it.
        let vault = make_quick_vault(&folder.path().join("other"));
        let mut ids: Vec<RecordingId> = (0..6)
            .map(|number| library::record(vault.vault(), &format!("number {number}"), 40))
            .collect();
        vault.merge().unwrap();
        ids.sort();
        let watch = Shredder {
            vault: &vault,
            victim: ids[victim],
            has: Cell::new(false),
        };
        let mut stream = Vec::new();
        let outcome = to_stream(&vault, &mut stream, order(), &watch).unwrap();
        assert_eq!(outcome.holds, 5);
        let file = folder.path().join("stream");
        fs::write(&file, stream).unwrap();
        let manifest = manifest(&vault, &file);
        assert!(!manifest.recordings.iter().any(|one| one.id == ids[victim]));
        assert!(manifest.tombstones.iter().any(|one| one.id == ids[victim]));
    }
}

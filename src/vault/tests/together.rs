//! Several at once: recorders, rotations, a second shell.

use std::thread;

use super::*;
use crate::vault::{Error, ShredScope};

#[test]
fn two_recorders_run_while_another_process_merges_rotates_and_shreds() {
    let (_dir, open) = new_vault();
    let old = record(open.vault(), 9, 3);
    open.merge().unwrap();
    let recorded: Vec<RecordingId> = thread::scope(|scope| {
        let recorders: Vec<_> = [1, 2]
            .map(|recording| {
                let locked = Vault::open(open.vault().dir()).unwrap();
                scope.spawn(move || {
                    (0..8)
                        .map(|_| record(&locked, recording, 6))
                        .collect::<Vec<_>>()
                })
            })
            .into();
        let other = again(&open);
        other
            .shred(&[old], ShredScope::Everything, &mut |_, _| ())
            .unwrap();
        for name in ["a", "b", "c"] {
            other
                .change_settings(&mut |all| drop(all.searches.insert(name.into(), "tag:x".into())))
                .unwrap();
            other.merge().unwrap();
        }
        recorders
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    open.merge().unwrap();
    let listing = open.listing().unwrap();
    assert_eq!((listing.recordings.len(), listing.damaged.len()), (16, 0));
    for (place, id) in recorded.into_iter().enumerate() {
        assert_sound(&open, id, 1 + (place / 8) as u8, 6);
    }
    assert_eq!(open.settings().unwrap().searches.len(), 3);
}

#[test]
fn a_recording_that_runs_through_a_new_passphrase_is_merged_after_it() {
    let (_dir, open) = new_vault();
    let other = again(&open);
    let mut running = open.vault().begin(&card("through")).unwrap();
    running.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
    let new = Passphrase::new("another six words by now".to_owned());
    open.change_passphrase_with(&new, WorkFactor::NONE).unwrap();
    running.push(&packets(1, 1), SEGMENT_SAMPLES).unwrap();
    let id = running.finish(&card("through")).unwrap();

    assert!(matches!(
        other.recordings(),
        Err(Error::KeysReplaced { .. })
    ));
    assert!(matches!(
        Vault::open(open.vault().dir())
            .unwrap()
            .unlock(&passphrase()),
        Err(Error::WrongPassphrase { .. })
    ));
    let fresh = Vault::open(open.vault().dir())
        .unwrap()
        .unlock(&new)
        .unwrap();
    assert_eq!(fresh.merge().unwrap().merged, [id]);
    assert_sound(&open, id, 1, 2);
}

#[test]
fn a_recording_is_refused_by_shred_while_it_runs_and_shredded_when_it_ended() {
    let (_dir, open) = new_vault();
    let mut running = open.vault().begin(&card("running")).unwrap();
    let id = running.id();
    running.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
    for scope in [ShredScope::Everything, ShredScope::Sound] {
        let refused = open.shred(&[id], scope, &mut |_, _| ());
        assert!(matches!(refused, Err(Error::Running { .. })));
    }
    running.finish(&card("ended")).unwrap();
    // Never merged: the keys go with the inbox key that opens them.
    let receipt = open
        .shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    assert!(receipt.erased.iter().any(|line| line.contains("inbox/")));
    assert!(open.vault().inbox().unwrap().is_empty());
    assert_eq!(open.merge().unwrap().merged, []);
}

#[test]
fn a_vault_held_by_another_is_busy() {
    let (_dir, open) = new_vault();
    let dir = open.vault().dir();
    let held =
        crate::vault::ground::lock::Lock::take(&crate::vault::ground::disk::RealDisk, dir).unwrap();
    let id = record(open.vault(), 1, 1);
    assert!(matches!(open.recordings(), Err(Error::Busy { .. })));
    drop(held);
    assert_eq!(open.merge().unwrap().merged, [id]);
}

//! Destroying recordings: in one rotation, whatever is damaged, on a full disk and
//! on one that fails.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::crypto::ClipKeys;
use crate::vault::ground::disk::{Access, Disk as _, Hold, RealDisk};
use crate::vault::ground::sim_disk::SimDisk;
use crate::vault::ground::site::NoObserver;
use crate::vault::keys::bag::{Clip, Extent};
use crate::vault::{Error, ShredScope};

fn nobody(_: u64, _: u64) {}

fn simulated() -> (SimDisk, OpenVault) {
    let disk = SimDisk::default();
    let site = Site {
        disk: Arc::new(disk.clone()),
        dir: "/vault".into(),
        state_dir: None,
        observer: Arc::new(NoObserver),
        clock: stopped_clock(),
    };
    let options = InitOptions {
        work: WorkFactor::NONE,
        ..InitOptions::default()
    };
    let open = Vault::init_at(site, &passphrase(), options).unwrap();
    (disk, open)
}

fn generation(open: &OpenVault) -> u64 {
    open.session().with(|held| Ok(held.generation())).unwrap()
}

fn shred(open: &OpenVault, ids: &[RecordingId]) -> crate::vault::Receipt {
    open.shred(ids, ShredScope::Everything, &mut nobody)
        .unwrap()
}

#[test]
fn many_are_destroyed_in_one_rotation_and_every_step_of_it_is_told() {
    let (_dir, open) = new_vault();
    let mut ids: Vec<_> = (0..20)
        .map(|number| record(open.vault(), number, 1))
        .collect();
    open.merge().unwrap();
    // Two that were never merged are among them.
    ids.extend((20..22).map(|number| record(open.vault(), number, 1)));
    let before = generation(&open);
    let mut told = Vec::new();
    let receipt = open
        .shred(&ids, ShredScope::Everything, &mut |done, all| {
            told.push((done, all))
        })
        .unwrap();
    assert_eq!(generation(&open), before + 1);
    assert_eq!(receipt.shredded.len(), 22);
    assert!(
        receipt.shredded.iter().all(|one| one.audio_bytes > Some(0)),
        "{receipt:?}"
    );
    let all = told[0].1;
    let counted: Vec<_> = (0..=all).map(|done| (done, all)).collect();
    assert_eq!(told, counted);
    assert_eq!(open.ids().unwrap(), []);
}

#[test]
fn what_is_running_is_refused_before_anything_is_destroyed() {
    let (_dir, open) = new_vault();
    let kept = record(open.vault(), 1, 2);
    open.merge().unwrap();
    let running = open.vault().begin(&card("running")).unwrap();
    let before = generation(&open);
    let both = [kept, running.id()];
    for answer in [
        open.check_shred(&both),
        open.shred(&both, ShredScope::Everything, &mut nobody)
            .map(drop),
    ] {
        assert!(matches!(answer, Err(Error::Running { id }) if id == running.id()));
    }
    assert_eq!(generation(&open), before);
    assert_sound(&open, kept, 1, 2);
    drop(running);
    open.check_shred(&both).unwrap();
}

#[test]
fn neither_a_damaged_store_nor_a_damaged_card_keeps_anybody_from_destroying() {
    let (_dir, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    let (damaged, kept) = (record(open.vault(), 1, 2), record(open.vault(), 2, 2));
    open.merge().unwrap();
    let waiting = record(open.vault(), 3, 2);

    // The card of one is hit where the store itself sees nothing wrong.
    let hit = open.session().with(|held| {
        let (at, _) = held.clip(damaged)?;
        held.store().write(held.lock(), |rows| {
            let mut row = rows.card(at)?.unwrap();
            *row.last_mut().unwrap() ^= 1;
            rows.put_card(at, &row)
        })
    });
    hit.unwrap();
    let picked = open.pick(&[damaged, kept, waiting]).unwrap();
    assert!(picked[0].1.is_err(), "the control: its card can't be read");
    assert!(picked[1].1.is_ok() && picked[2].1.is_ok(), "{picked:?}");
    assert!(shred(&open, &[damaged]).not_final.is_none());
    assert!(!open.ids().unwrap().contains(&damaged));
    assert_sound(&open, kept, 2, 2);

    // And the whole store.
    std::fs::write(dir.join("store.redb"), vec![7; 100_000]).unwrap();
    let open = again(&open);
    assert!(
        open.recordings().is_err(),
        "the control: it can't be listed"
    );
    assert!(open.pick(&[waiting]).unwrap()[0].1.is_ok());
    let receipt = shred(&open, &[kept, waiting]);
    assert!(receipt.not_final.is_none());
    assert!(
        receipt
            .not_erased
            .iter()
            .any(|left| left.where_ == "store.redb"),
        "{receipt:?}"
    );
    assert_eq!(open.ids().unwrap(), []);
    assert!(!inbox_file(&dir, waiting).exists());
}

#[test]
fn a_shred_whose_old_keys_could_not_be_overwritten_is_told_as_not_final_and_where() {
    let (disk, open) = simulated();
    let id = record(open.vault(), 1, 1);
    open.merge().unwrap();
    disk.break_writes(Some(Path::new("/vault/root.b")));
    let receipt = shred(&open, &[id]);
    let why = receipt.not_final.clone().unwrap();
    assert!(why.contains("root.b"), "{why}");
    assert_eq!(receipt.failure().unwrap().exit as u8, 1);
    assert_eq!(receipt.not_erased[0].where_, "/vault/root.b");
    let of_root = receipt.not_erased.iter();
    let of_root = of_root.filter(|left| left.where_ == "/vault/root.b");
    assert_eq!(of_root.count(), 1, "said once: {receipt:?}");
    let claims = |receipt: &crate::vault::Receipt| {
        receipt
            .erased
            .iter()
            .any(|line| line.starts_with("the keys"))
    };
    assert!(!claims(&receipt), "{receipt:?}");
    // Shredding it once more finishes it.
    disk.break_writes(None);
    let receipt = shred(&open, &[id]);
    assert!(receipt.not_final.is_none() && claims(&receipt));
}

#[test]
fn ten_years_of_recordings_can_be_shredded_on_a_full_disk() {
    let (disk, open) = simulated();
    let id = record(open.vault(), 1, 1);
    open.merge().unwrap();
    let rotated = open.session().with(|held| {
        held.rotate(|bag| {
            for number in 0..36_500_u128 {
                let clip = Clip {
                    extent: Some(Extent {
                        segments: 1,
                        hash: [0; 32],
                    }),
                    ..Clip::adopted(ClipKeys::generate().unwrap(), 0)
                };
                bag.clips
                    .insert(RecordingId::from_bytes(number.to_be_bytes()), clip);
            }
            Ok(())
        })
    });
    rotated.unwrap();
    let bag = disk
        .files()
        .into_iter()
        .find(|(path, _)| path.ends_with("bag.3.a"));
    let bag_len = bag.map(|(_, bytes)| bytes.len()).unwrap();
    assert!(bag_len > 4 << 20, "{bag_len}");
    disk.leave_room(0);
    let full = disk.open(Path::new("/vault/more"), Access::Create).unwrap();
    assert!(full.write_at(0, b"x").is_err(), "the control");
    let receipt = shred(&open, &[id]);
    assert!(receipt.not_final.is_none(), "{receipt:?}");
    assert!(!open.ids().unwrap().contains(&id));
}

#[test]
fn the_sound_of_what_can_not_come_in_yet_is_not_shredded_at_the_cost_of_its_words() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 3);
    let file = inbox_file(open.vault().dir(), id);
    // Somebody who lists the inbox looks at it at this moment.
    let looking = RealDisk.open(&file, Access::Read).unwrap();
    assert!(looking.try_lock(Hold::Shared).unwrap());
    let refused = open.shred(&[id], ShredScope::Sound, &mut |_, _| ());
    assert!(
        matches!(refused, Err(Error::Damaged { .. } | Error::Running { .. })),
        "{refused:?}"
    );
    drop(looking);
    open.merge().unwrap();
    assert_sound(&open, id, 1, 3);
    open.shred(&[id], ShredScope::Sound, &mut |_, _| ())
        .unwrap();
    assert_eq!(open.recording(id).unwrap().card.title, "recording 1");
}

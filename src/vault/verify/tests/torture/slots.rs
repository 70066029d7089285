//! Bytes of root slots.

use super::*;
use crate::vault::keys::root::NoSlot;

/// All that opening asks of a slot is whether it is whole and what it says. So a
/// changed byte that makes it no slot is the same change as every other one that
/// does, and of those the test above opens a sample; that each of them does makes
/// it no slot is shown here, byte by byte.
#[test]
fn every_changed_byte_of_a_root_slot_makes_it_no_slot_or_changes_noise_into_noise() {
    let tally = Begun::new("bytes of root slots");
    let small = Small::new();
    // The MAC stands outside the hash; the key finds it, as the test below shows.
    const COVERED: usize = SLOT_LEN - 32;
    let mut slots = BTreeMap::new();
    for (path, bytes) in small
        .disk
        .files()
        .into_iter()
        .filter(|(path, _)| is_root(path))
    {
        for (number, slot) in bytes.chunks_exact(SLOT_LEN).enumerate() {
            let name = path.join(format!("slot {number}"));
            slots.insert(name, (slot.to_vec(), RootSlot::decode(slot.to_vec()).err()));
        }
    }
    assert_eq!(slots.values().filter(|(_, why)| why.is_none()).count(), 2);
    let files: Vec<Places> = slots
        .iter()
        .map(|(name, (_, why))| {
            let least = if why.is_none() { 600 } else { 2000 };
            (name.clone(), COVERED, least)
        })
        .collect();
    let mut counts: BTreeMap<PathBuf, Counts> = BTreeMap::new();
    each_place(&files, |name, at| {
        let (slot, was) = &slots[name];
        let mut changed = slot.clone();
        changed[at] ^= 1 << (at % 8);
        let counts = counts.entry(name.to_owned()).or_default();
        counts.tried += 1;
        match (was, RootSlot::decode(changed).err()) {
            (None, Some(_)) => counts.named += 1,
            (Some(NoSlot::Noise), Some(NoSlot::Noise)) => counts.harmless += 1,
            (_, now) => panic!("{}, byte {at}: {now:?}", name.display()),
        }
    });
    report(tally, &files, &counts);
}

#[test]
fn a_changed_mac_of_one_copy_is_found_by_the_key_and_mended() {
    let small = Small::new();
    for (path, bytes) in small
        .disk
        .files()
        .into_iter()
        .filter(|(path, _)| is_root(path))
    {
        for (number, slot) in bytes.chunks_exact(SLOT_LEN).enumerate() {
            if RootSlot::decode(slot.to_vec()).is_err() {
                continue;
            }
            for at in SLOT_LEN - 32..SLOT_LEN {
                let disk = small.with(&path, |bytes| bytes[number * SLOT_LEN + at] ^= 1);
                let open = open(&disk).unwrap();
                let found = verify(&open).flaws;
                let place = path.display().to_string();
                assert!(
                    matches!(&*found, [flaw] if flaw.mended && flaw.place == place),
                    "{found:?}"
                );
                drop(open);
                assert_eq!(verify(&super::open(&disk).unwrap()).flaws, []);
            }
        }
    }
}

#[test]
fn whatever_lies_where_a_root_slot_was_is_named_and_mended_in_either_copy() {
    const SECTOR: usize = 512;
    let small = Small::new();
    let roots = small
        .disk
        .files()
        .into_iter()
        .filter(|(path, _)| is_root(path));
    for (path, bytes) in roots {
        let slots = bytes.chunks_exact(SLOT_LEN);
        let in_force = slots.map(|slot| RootSlot::decode(slot.to_vec()).is_ok());
        let start = SLOT_LEN * in_force.clone().position(|is| is).unwrap();
        assert_eq!(in_force.filter(|is| *is).count(), 1);
        let mut spans: Vec<_> = (0..8).map(|at| start + at..start + at + 1).collect();
        for length in [8, SECTOR, BLOCK, SLOT_LEN] {
            spans.push(start..start + length);
        }
        spans.push(0..bytes.len());
        for span in spans {
            for kind in ["ones", "zeros", "noise"] {
                let disk = small.with(&path, |bytes| match kind {
                    "ones" => bytes[span.clone()].fill(0xff),
                    "zeros" => bytes[span.clone()].fill(0),
                    _ if span.len() == 1 => bytes[span.start] ^= 0x80,
                    _ => crate::crypto::fill_random(&mut bytes[span.clone()]).unwrap(),
                });
                let open = open(&disk).unwrap();
                let found = verify(&open).flaws;
                let place = path.display().to_string();
                assert!(
                    matches!(&*found, [flaw] if flaw.mended && flaw.place == place),
                    "{kind} at {span:?} of {place}: {found:?}"
                );
                drop(open);
                assert_eq!(verify(&super::open(&disk).unwrap()).flaws, []);
            }
        }
    }
}

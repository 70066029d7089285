//! What somebody makes who can write the directory and has no key, or puts back.

use super::*;

/// What somebody makes who can write the directory and has no key.
fn forge(disk: &SimDisk, generation: u64, copies: &[Copy]) {
    let elsewhere = SimDisk::default();
    let mut ring = init(
        &site(&elsewhere),
        &FirstWays::of(&new()),
        CHEAP,
        &mut |_| Ok(()),
    )
    .unwrap();
    while ring.generation() < generation {
        add(&site(&elsewhere), &mut ring, 66).unwrap();
    }
    let dir = Path::new(DIR);
    for copy in copies {
        let position = Position::of(*copy, generation);
        let slot = position.read(&elsewhere, dir).unwrap();
        position.write(disk, dir, &slot).unwrap();
        let bag = copy.bag_file(dir, generation);
        let bytes = content(&elsewhere)[&bag].clone();
        crate::vault::ground::disk::write(disk, &bag, &bytes).unwrap();
    }
}

/// Every byte of the bags and of the ways in is as before, and every whole slot.
fn nothing_whole_was_overwritten(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    now: &BTreeMap<PathBuf, Vec<u8>>,
) {
    assert!(before.keys().any(|path| path.starts_with("/vault/keys")));
    for (path, bytes) in before {
        let now = &now[path];
        if path.ends_with("root.a") || path.ends_with("root.b") {
            for (was, is) in bytes.chunks(SLOT_LEN).zip(now.chunks(SLOT_LEN)) {
                let whole = RootSlot::decode(was.to_vec()).is_ok();
                assert!(!whole || was == is, "a whole slot was overwritten");
            }
        } else {
            assert!(now == bytes, "{}", path.display());
        }
    }
}

#[test]
fn a_forged_newer_root_overwrites_nothing_and_stops_nobody() {
    let (whole, ring) = vault();
    let next = ring.generation() + 1;
    // In the free slots; over one true copy, two generations on; and over one
    // true copy and its bag, as if it were the same generation.
    for (generation, copies) in [
        (next, &Copy::BOTH[..]),
        (next, &[Copy::A]),
        (next + 1, &[Copy::A]),
        (next + 1, &[Copy::B]),
        (next - 1, &[Copy::A]),
        (next - 1, &[Copy::B]),
    ] {
        let disk = whole.fork();
        forge(&disk, generation, copies);
        let before = content(&disk);
        let (facts, _) = recover::open(&disk, Path::new(DIR)).unwrap();
        assert_eq!(
            facts.generation, generation,
            "without a key the forgery looks true"
        );
        nothing_whole_was_overwritten(&before, &content(&disk));
        let (mut ring, notices) = KeyRing::unlock(&site(&disk), &old()).unwrap();
        assert_eq!(holds(&ring), [1, 2, 3]);
        assert!(
            notices
                .iter()
                .any(|n| matches!(n, Notice::Forged { generation: g, .. } if *g == generation))
        );
        nothing_whole_was_overwritten(&before, &content(&disk));
        // The next change of the vault's own sweeps it away.
        add(&site(&disk), &mut ring, 4).unwrap();
        assert_eq!(holds(&recovered(&disk, &old()).unwrap()), [1, 2, 3, 4]);
    }
}

#[test]
fn a_vault_that_was_put_back_is_announced() {
    let (disk, mut ring) = vault();
    let earlier = content(&disk);
    let seen = ring.generation() + 1;
    shred(&site(&disk), &mut ring, 2).unwrap();
    for copy in Copy::BOTH {
        let bag = copy.bag_file(Path::new(DIR), seen - 1);
        crate::vault::ground::disk::write(&disk, &bag, &earlier[&bag]).unwrap();
        let root = copy.root_file(Path::new(DIR));
        crate::vault::ground::disk::write(&disk, &root, &earlier[&root]).unwrap();
    }
    let (_, notices) = unlock(&disk, &old()).unwrap();
    assert_eq!(
        notices,
        [Notice::Older {
            seen,
            found: seen - 1
        }]
    );
}

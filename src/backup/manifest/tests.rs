//! Manifests are read back as they were written, signed, and as nothing else.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;

fn id(number: u8) -> RecordingId {
    RecordingId::from_bytes([number; 16])
}

fn manifest() -> Manifest {
    Manifest {
        format: FORMAT,
        vault: VaultId::from_bytes([3; 16]),
        backup: written::Digits([4; 16]),
        generation: 12,
        log: Some(Logged {
            number: 40,
            sha256: Hash::of(b"an entry"),
        }),
        made_at: Moment {
            unix_ms: 1_795_335_120_042,
            offset_s: 3600,
        },
        segment: 2,
        before: Some(Hash::of(b"the one before")),
        files: vec![FileEntry {
            path: Member::Meta(id(1)).to_string(),
            bytes: 9,
            sha256: Hash::of(b"meta.json"),
        }],
        recordings: vec![Entry {
            id: id(1),
            epoch: 1,
            revision: 4,
            card: written::Digits([7; 16]),
            versions: vec![1, 2],
            numbered: Some(4),
            sound: SoundAt::Segment(1),
            stretches: Vec::new(),
            gone: vec![(8, 9)],
            recovered: true,
            lost: vec![(3, 5)],
            carried_from: Some(1),
        }],
        stretches: vec![Stretch {
            id: id(2),
            epoch: 0,
            number: 1,
            span: (0, 22_500),
            gone: vec![(3, 4)],
            lost: Vec::new(),
        }],
        dropped: vec![Dropped {
            segment: 1,
            sha256: Hash::of(b"taken away"),
        }],
        tombstones: vec![Tombstone {
            id: id(9),
            epoch: 0,
        }],
        lacking: vec![Lacking {
            id: id(1),
            epoch: 1,
            sound: false,
            words: true,
        }],
    }
}

#[test]
fn what_was_signed_is_read_and_says_whose_it_is() {
    let seed = SigningSeed::generate().unwrap();
    let written = manifest().sign(&seed).unwrap();
    let read = Signed::read("0002.tar.age", &written).unwrap();
    assert_eq!(read.manifest, manifest());
    assert_eq!(read.signer, seed.public());
    // Anybody can read it, and check the first line.
    let json: serde_json::Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(json["manifest"]["recordings"][0]["sound"]["segment"], 1);
    let text = String::from_utf8(written).unwrap();
    let body = text.lines().next().unwrap();
    let body = body.strip_prefix("{\"manifest\":").unwrap();
    let signature: Signature = json["signature"].as_str().unwrap().parse().unwrap();
    read.signer
        .verify(body.strip_suffix(',').unwrap().as_bytes(), &signature)
        .unwrap();
}

#[test]
fn every_changed_byte_is_noticed() {
    let seed = SigningSeed::generate().unwrap();
    let written = manifest().sign(&seed).unwrap();
    for at in 0..written.len() {
        let mut changed = written.clone();
        changed[at] ^= 1;
        // The signer may be another one only where the whole signature is.
        assert!(Signed::read("0002.tar.age", &changed).is_err(), "byte {at}");
    }
}

#[test]
fn a_newer_format_is_named_and_not_guessed_at() {
    let newer = Manifest {
        format: FORMAT + 1,
        ..manifest()
    };
    let written = newer.sign(&SigningSeed::generate().unwrap()).unwrap();
    assert!(matches!(
        Signed::read("0002.tar.age", &written),
        Err(Error::Newer { format: 2, .. })
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes: Vec<u8>, framed: bool) {
        let mut whole = bytes;
        if framed {
            whole.splice(0..0, BEFORE.bytes());
            whole.extend(BEHIND.bytes());
        }
        prop_assert!(Signed::read("0002.tar.age", &whole).is_err());
    }
}

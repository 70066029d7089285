//! Backups that no vault wrote: by somebody who knows the recipient, or who can sign.

use proptest::prelude::*;

use super::*;
use crate::backup::Error;
use crate::backup::verify::Kind;
use crate::recording::SoundLeft;

/// A segment with one recording, and one more file before the manifest.
fn with(scene: &Scene, file: File) -> Vec<u8> {
    let mut all = files(1, 0, 40_000);
    let manifest = scene
        .owner
        .manifest(1, &all, vec![entry(1, 0, SoundAt::Here)]);
    all.push(file);
    scene.owner.segment(&all, &manifest)
}

#[test]
fn paths_and_kinds_that_no_backup_has_are_refused_and_nothing_is_made_of_them() {
    let scene = Scene::new();
    let outside = scene.folder().join("outside");
    let path = outside.display().to_string();
    let strange = [
        File::named(&path, b"x".to_vec()),
        File::named("../../outside", b"x".to_vec()),
        File::named("/etc/outside", b"x".to_vec()),
        File::named("a/../b", Vec::new()),
        File::new(Member::Text(id(2)), Vec::new()).of_kind(EntryType::Symlink),
        File::new(Member::Text(id(2)), Vec::new()).of_kind(EntryType::Link),
        File::new(Member::Text(id(2)), Vec::new()).of_kind(EntryType::Char),
        File::new(Member::Text(id(2)), Vec::new()).of_kind(EntryType::Fifo),
        File::new(Member::Text(id(2)), Vec::new()).of_kind(EntryType::Directory),
        File::named("././@LongLink", vec![b'a'; 9_000]).of_kind(EntryType::GNULongName),
        File::named("pax", b"30 size=99999999999999999999\n".to_vec()).of_kind(EntryType::XHeader),
    ];
    for file in strange {
        let (path, kind) = (file.path.clone(), file.kind);
        let sealed = with(&scene, file);
        scene.put(1, &sealed);
        assert!(!scene.verify().damage.is_empty(), "{path} {kind:?}");
        assert!(scene.stream(&sealed, None).is_err(), "{path} {kind:?}");
        scene.assert_holds(&[]);
        assert!(!outside.exists());
    }
    scene.put(1, &with(&scene, File::new(Member::Text(id(1)), Vec::new())));
    let twice = scene.verify().damage;
    assert!(twice.iter().any(|one| one.kind == Kind::Added), "{twice:?}");
}

#[test]
fn sizes_beyond_all_reason_cost_no_memory() {
    let scene = Scene::new();
    for says in [1 << 20, 1 << 32, (1 << 33) - 1] {
        for member in [Member::Meta(id(2)), Member::Audio(id(2)), Member::Manifest] {
            let mut file = File::new(member, b"little".to_vec());
            file.says = Some(says);
            let sealed = with(&scene, file);
            scene.put(1, &sealed);
            assert!(!scene.verify().damage.is_empty());
            assert!(scene.stream(&sealed, None).is_err());
        }
    }
    // A manifest that says so of another file.
    let all = files(1, 0, 40_000);
    let mut manifest = scene
        .owner
        .manifest(1, &all, vec![entry(1, 0, SoundAt::Here)]);
    manifest.files[0].bytes = u64::MAX;
    scene.put(1, &scene.owner.segment(&all, &manifest));
    assert!(!scene.restore().damage.is_empty());
    scene.assert_holds(&[]);
}

/// Reading a card can take many times its length.
#[test]
fn a_long_card_is_read_only_where_its_signer_is_believed() {
    let scene = Scene::new();
    let forger = Owner {
        vault: scene.owner.vault,
        seed: SigningSeed::generate().unwrap(),
        identity: scene.owner.identity.duplicate(),
    };
    let segment = |owner: &Owner, bytes: Vec<u8>| {
        let mut all = files(1, 0, 40_000);
        all[0].bytes = bytes;
        let entries = vec![entry(1, 0, SoundAt::Here)];
        owner.segment(&all, &owner.manifest(1, &all, entries))
    };
    let found = |sealed: &[u8]| {
        scene.put(1, sealed);
        let damage = scene.verify().damage;
        damage.iter().map(|one| one.kind).collect::<Vec<_>>()
    };
    let junk = |bytes: usize| vec![b'{'; bytes];
    let (short, long) = (junk(9_000), junk(5 << 20));
    let both = [Kind::Altered, Kind::Added];
    let sorted = |mut kinds: Vec<Kind>| {
        kinds.sort_by_key(|kind| kind.word() == "added");
        kinds
    };
    assert_eq!(sorted(found(&segment(&forger, short))), both, "the control");
    assert_eq!(found(&segment(&forger, long.clone())), [Kind::Added]);
    assert_eq!(found(&segment(&scene.owner, long)), [Kind::Altered]);
    // A long one that says something is whole.
    let mut wordy = meta(1, 0, 40_000);
    wordy.note = "x".repeat(5 << 20);
    let whole = segment(&scene.owner, wordy.write().unwrap());
    assert_eq!(found(&whole), []);
}

#[test]
fn what_ends_within_the_header_of_age_is_cut_off() {
    let scene = Scene::new();
    let all = files(1, 0, 40_000);
    let manifest = scene
        .owner
        .manifest(1, &all, vec![entry(1, 0, SoundAt::Here)]);
    let sealed = scene.owner.segment(&all, &manifest);
    let end = sealed
        .windows(5)
        .position(|bytes| bytes == b"\n--- ")
        .unwrap();
    // Within each of its lines, and within the nonce behind it.
    for length in [0, 5, 22, 30, 60, end + 3, end + 20, end + 49, end + 55] {
        let short = &sealed[..length];
        let refused = scene.stream(short, None).unwrap_err();
        let is_cut = matches!(&refused, Error::Damaged { why, .. } if why == "it is cut off");
        assert!(is_cut, "{length}: {refused:?}");
        scene.put(1, short);
        let found = scene.verify().damage;
        let first = &found[0];
        assert_eq!(first.kind, Kind::Truncated, "{length}: {found:?}");
        assert_eq!(first.what, "it is cut off");
    }
}

#[test]
fn what_another_signed_or_sealed_is_refused() {
    let scene = Scene::new();
    let all = files(1, 0, 40_000);
    let entries = || vec![entry(1, 0, SoundAt::Here)];
    // Somebody who knows the recipient, and the vault's name.
    let forger = Owner {
        vault: scene.owner.vault,
        seed: SigningSeed::generate().unwrap(),
        identity: scene.owner.identity.duplicate(),
    };
    let forged = forger.segment(&all, &forger.manifest(1, &all, entries()));
    // Another vault's, sealed to this one's key as well.
    let stranger = Owner {
        identity: scene.owner.identity.duplicate(),
        ..Owner::new()
    };
    let strange = stranger.segment(&all, &stranger.manifest(1, &all, entries()));
    for sealed in [&forged, &strange] {
        scene.put(1, sealed);
        let kinds: Vec<_> = scene.verify().damage.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::Added]);
        let refused = scene.restore_from(&scene.folder(), None);
        assert!(matches!(refused, Err(Error::Refused { .. })));
        assert!(matches!(
            scene.stream(sealed, None),
            Err(Error::Refused { .. })
        ));
        scene.assert_holds(&[]);
    }
    // Beside one that is whole, it costs itself only.
    let own = files(2, 0, 40_000);
    let manifest = scene
        .owner
        .manifest(2, &own, vec![entry(2, 0, SoundAt::Here)]);
    scene.put(2, &scene.owner.segment(&own, &manifest));
    assert_eq!(scene.restore().damage.len(), 1);
    scene.assert_holds(&[2]);
    // And one that no key opens.
    let locked = Owner::new();
    let sealed = locked.segment(&all, &locked.manifest(1, &all, entries()));
    assert!(matches!(
        scene.stream(&sealed, None),
        Err(Error::Locked { .. })
    ));
    let path = scene.put(1, &sealed);
    let found = scene.verify_at(&path);
    assert!(matches!(found, Err(Error::Locked { .. })), "{found:?}");
}

#[test]
fn a_header_that_does_not_end_and_one_under_a_passphrase_are_refused_at_once() {
    let scene = Scene::new();
    let mut endless = b"age-encryption.org/v1\n".to_vec();
    while endless.len() < 200_000 {
        endless.extend(b"-> X25519 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
        endless.extend(b"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n");
    }
    endless.extend(b"--- ccccccccccccccccccccccccccccccccccccccccccc\n");
    let greedy: &[u8] = b"age-encryption.org/v1\n\
        -> scrypt aaaaaaaaaaaaaaaaaaaaaa 40\n\
        bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n\
        --- ccccccccccccccccccccccccccccccccccccccccccc\n0123456789abcdef0123456789abcdef";
    for sealed in [&endless, greedy, &b"not age at all"[..], &[]] {
        assert!(scene.stream(sealed, None).is_err());
        scene.put(1, sealed);
        let found = scene.verify_at(&scene.folder());
        assert!(found.is_err() || !found.unwrap().damage.is_empty());
    }
    scene.assert_holds(&[]);
}

#[test]
fn cards_and_sound_that_no_vault_would_keep_are_left_out_with_a_reason() {
    let changes: [fn(&mut Meta); 9] = [
        |meta| meta.samples = u64::MAX,
        |meta| meta.samples = 3,
        |meta| meta.pre_skip = 1,
        |meta| meta.title = "x".repeat(1 << 20),
        |meta| meta.tags = vec![String::new(); 20_000],
        |meta| meta.epoch = u32::MAX,
        |meta| meta.versions[0].number = 0,
        |meta| meta.versions[0].number = u32::MAX,
        |meta| {
            let again = meta.versions[0].clone();
            meta.versions.push(again);
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let scene = Scene::new();
        let mut wild = meta(1, 0, 40_000);
        change(&mut wild);
        let mut all = files(1, 0, 40_000);
        all[0].bytes = wild.write().unwrap();
        all.extend(files(2, 0, 40_000));
        let entries = vec![entry(1, 0, SoundAt::Here), entry(2, 0, SoundAt::Here)];
        let manifest = scene.owner.manifest(1, &all, entries);
        let sealed = scene.owner.segment(&all, &manifest);
        scene.put(1, &sealed);
        assert!(!scene.restore().damage.is_empty(), "{number}");
        let sound_is_bad = matches!(number, 1 | 2);
        match sound_is_bad {
            true => scene.assert_holds(&[1, 2]),
            false => scene.assert_holds(&[2]),
        }
    }
    // Control characters stay what they are: whoever shows them takes them out.
    let sounds: [fn(Vec<u8>) -> Vec<u8>; 4] = [
        |_| b"RIFF not Ogg at all".to_vec(),
        |_| Vec::new(),
        |mut ogg| {
            ogg.truncate(ogg.len() / 2);
            ogg
        },
        |mut ogg| {
            let at = ogg.windows(8).position(|bytes| bytes == [70; 8]).unwrap();
            ogg[at] = 90;
            ogg
        },
    ];
    for change in sounds {
        let scene = Scene::new();
        let mut all = files(1, 0, 40_000);
        all[1].bytes = change(all[1].bytes.clone());
        let manifest = scene
            .owner
            .manifest(1, &all, vec![entry(1, 0, SoundAt::Here)]);
        let sealed = scene.owner.segment(&all, &manifest);
        let outcome = scene.stream(&sealed, None).unwrap();
        assert_eq!(outcome.damage.len(), 1, "{:?}", outcome.damage);
        scene.assert_holds(&[1]);
        let left = scene.vault.recording(id(1)).unwrap().sound_left();
        assert_eq!(left, SoundLeft::Lost);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_sealed_is_refused_or_read_and_never_panics(
        at: prop::sample::Index,
        junk in prop::collection::vec(any::<u8>(), 0..700),
        removed in 0_usize..700,
    ) {
        thread_local! {
            static SCENE: Scene = Scene::new();
        }
        SCENE.with(|scene| {
            let mut all = files(1, 0, 40_000);
            let manifest = scene.owner.manifest(1, &all, vec![entry(1, 0, SoundAt::Here)]);
            all.push(File::new(Member::Manifest, manifest.sign(&scene.owner.seed).unwrap()));
            let mut plain = tar_of(&all);
            let at = at.index(plain.len());
            let end = (at + removed).min(plain.len());
            plain.splice(at..end, junk);
            let sealed = scene.owner.seal(&plain);
            let _ = scene.stream(&sealed, None);
            scene.put(1, &sealed);
            let _ = scene.verify_at(&scene.folder());
            let _ = scene.restore_from(&scene.folder(), None);
            // What is in the vault by then is what was signed, or its words.
            for one in scene.vault.recordings().unwrap() {
                let mut due = card(1, 40_000);
                if one.sound_left() == SoundLeft::Lost {
                    // Which is all that its card may say besides.
                    due.gaps.clone_from(&one.card.gaps);
                    due.content_hash = None;
                }
                assert_eq!(one.card, due);
            }
        });
    }

    #[test]
    fn any_bytes_in_the_place_of_a_card_are_refused_or_taken_and_never_panic(text in "\\PC*") {
        let mut value = serde_json::to_value(meta(1, 0, 40_000)).unwrap();
        value["title"] = text.into();
        let bytes = serde_json::to_vec(&value).unwrap();
        prop_assert!(Meta::read("meta.json", &bytes).is_ok());
    }
}

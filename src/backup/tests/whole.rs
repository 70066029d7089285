//! Whole backups, and such as lost something.

use std::fs;

use super::*;
use crate::backup::Error;
use crate::backup::verify::Kind;
use crate::vault::bag::{BackupEnd, KnownBackup, Settings};

const LONG: u64 = 48_000 * 21 + 5;

fn first(scene: &Scene) -> Vec<u8> {
    let all = [files(1, 0, LONG), files(2, 2, 40_000), files(3, 0, 1)].concat();
    let entries = vec![
        entry(1, 0, SoundAt::Here),
        entry(2, 2, SoundAt::Here),
        entry(3, 0, SoundAt::Here),
    ];
    let manifest = scene.owner.manifest(1, &all, entries);
    scene.owner.segment(&all, &manifest)
}

/// Behind it: 2 was edited, 3 was shredded, 4 is new and has no sound any more.
fn second(scene: &Scene, before: &[u8]) -> Vec<u8> {
    let mut edited = meta(2, 2, 40_000);
    edited.title = "edited".to_owned();
    let mut all = files(2, 2, 40_000);
    all[0].bytes = edited.write().unwrap();
    all.remove(1);
    let mut silent = files(4, 0, 40_000);
    silent.remove(1);
    all.extend(silent);
    let entries = vec![entry(2, 2, SoundAt::Segment(1)), entry(4, 0, SoundAt::Gone)];
    let mut manifest = scene.owner.manifest(2, &all, entries);
    manifest.before = Some(Hash::of(before));
    manifest.tombstones = vec![gone(3, 0), gone(2, 1)];
    scene.owner.segment(&all, &manifest)
}

fn both(scene: &Scene) -> [Vec<u8>; 2] {
    let one = first(scene);
    let two = second(scene, &one);
    scene.put(1, &one);
    scene.put(2, &two);
    [one, two]
}

#[test]
fn what_two_segments_hold_together_comes_back_and_what_was_shredded_does_not() {
    let scene = Scene::new();
    both(&scene);
    let verified = scene.verify();
    assert_eq!(verified.damage, []);
    assert_eq!((verified.recordings, verified.files), (3, 12 + 1 + 6 + 1));
    assert_eq!(verified.signer, Some(scene.owner.seed.public()));
    let outcome = scene.restore();
    assert_eq!((outcome.damage.as_slice(), outcome.destroyed), (&[][..], 1));
    scene.assert_holds(&[1, 2, 4]);
    scene.assert_sounds(id(1), 1, LONG);
    scene.assert_sounds(id(2), 2, 40_000);
    let two = scene.vault.recording(id(2)).unwrap();
    assert_eq!((two.epoch, two.card.title.as_str()), (2, "edited"));
    assert_eq!(
        scene.vault.transcript(id(1), 1).unwrap(),
        transcript("said in 1")
    );
    assert!(scene.vault.sound(id(4)).is_err());
    // Once more changes nothing.
    let revision = scene.vault.revision().unwrap();
    let again = scene.restore();
    assert_eq!((again.restored.len(), again.there), (0, 3));
    assert_eq!(scene.vault.revision().unwrap(), revision);
}

#[test]
fn what_was_shredded_comes_back_under_a_new_id_when_it_is_asked_for() {
    let scene = Scene::new();
    both(&scene);
    let outcome = scene.restore_from(&scene.folder(), Some(id(3))).unwrap();
    let new = outcome.resurrected.unwrap();
    assert_ne!(new, id(3));
    assert_eq!(outcome.restored.len(), 4);
    assert_eq!(scene.vault.recording(new).unwrap().epoch, 0);
    scene.assert_sounds(new, 3, 1);
    let nobody = scene.restore_from(&scene.folder(), Some(id(9)));
    assert!(matches!(nobody, Err(Error::NotInBackup { .. })));
}

#[test]
fn a_damaged_byte_anywhere_is_found_and_costs_what_lies_there() {
    let scene = Scene::new();
    let [one, two] = both(&scene);
    for (number, whole) in [(1, &one), (2, &two)] {
        for at in (0..whole.len()).step_by(997).chain([whole.len() - 1]) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            scene.put(number, &damaged);
            let place = segment_name(number);
            match scene.verify_at(&scene.folder()) {
                Ok(found) => {
                    let named = |one: &verify::Damage| one.place.starts_with(&place);
                    assert!(found.damage.iter().any(named), "{number} {at} {found:?}");
                }
                Err(error) => panic!("{number}, byte {at}: {error}"),
            }
        }
        scene.put(number, whole);
    }
    assert_eq!(scene.verify().damage, [], "the control");
    // The end of the second: what the first holds comes back, in its earlier state; but
    // only the second knew that 3 was shredded.
    let mut damaged = two.clone();
    *damaged.last_mut().unwrap() ^= 1;
    scene.put(2, &damaged);
    let outcome = scene.restore();
    assert_eq!(outcome.damage.len(), 1, "{:?}", outcome.damage);
    scene.assert_holds(&[1, 2, 3]);
    assert_eq!(
        scene.vault.recording(id(2)).unwrap().card.title,
        "recording 2"
    );
}

/// A second segment in which 1 lacks its sound and its words, and the first segment
/// before it.
fn first_and_lacking(scene: &Scene) -> [(Vec<File>, Manifest); 2] {
    let all = files(1, 0, LONG);
    let one = scene
        .owner
        .manifest(1, &all, vec![entry(1, 0, SoundAt::Here)]);
    let mut lacking = meta(1, 0, LONG);
    lacking.versions.clear();
    lacking.text_shredded = true;
    let mut less = files(1, 0, LONG);
    less[0].bytes = lacking.write().unwrap();
    less.remove(1);
    let mut entry = entry(1, 0, SoundAt::Gone);
    entry.versions.clear();
    let mut two = scene.owner.manifest(2, &less, vec![entry]);
    two.lacking = vec![Lacking {
        id: id(1),
        epoch: 0,
        sound: true,
        words: true,
    }];
    [(all, one), (less, two)]
}

#[test]
fn sound_and_words_that_were_shredded_do_not_come_back_and_no_words_are_made_anew() {
    let scene = Scene::new();
    for (files, manifest) in first_and_lacking(&scene) {
        scene.put(manifest.segment, &scene.owner.segment(&files, &manifest));
    }
    assert_eq!(scene.restore().damage, []);
    scene.assert_holds(&[1]);
    assert!(scene.vault.sound(id(1)).is_err());
    assert!(scene.vault.recording(id(1)).unwrap().text_shredded);
}

#[test]
fn an_earlier_state_comes_back_without_the_parts_that_were_shredded_since() {
    // What is known of the recording can't be read in the second segment; then all of
    // the second can't, and a third says once more what is gone.
    for third in [false, true] {
        let scene = Scene::new();
        let [(all, one), (mut less, two)] = first_and_lacking(&scene);
        scene.put(1, &scene.owner.segment(&all, &one));
        less[0].bytes = vec![b'x'; less[0].bytes.len()];
        let mut sealed = scene.owner.segment(&less, &two);
        if third {
            *sealed.last_mut().unwrap() ^= 1;
            let mut again = scene.owner.manifest(3, &[], Vec::new());
            again.lacking.clone_from(&two.lacking);
            scene.put(3, &scene.owner.segment(&[], &again));
        }
        scene.put(2, &sealed);
        assert!(!scene.restore().damage.is_empty());
        scene.assert_holds(&[1]);
        assert!(scene.vault.sound(id(1)).is_err());
        let back = scene.vault.recording(id(1)).unwrap();
        assert!(back.text_shredded && back.versions.is_empty());
    }
    // The control: where nothing says so, all of the earlier state comes back.
    let scene = Scene::new();
    let [(all, one), (mut less, mut two)] = first_and_lacking(&scene);
    scene.put(1, &scene.owner.segment(&all, &one));
    less[0].bytes = vec![b'x'; less[0].bytes.len()];
    two.lacking.clear();
    two.recordings[0].sound = SoundAt::Segment(1);
    scene.put(2, &scene.owner.segment(&less, &two));
    assert!(!scene.restore().damage.is_empty());
    scene.assert_sounds(id(1), 1, LONG);
    assert_eq!(scene.vault.recording(id(1)).unwrap().versions.len(), 1);
}

#[test]
fn sound_that_is_damaged_costs_the_words_nothing() {
    let scene = Scene::new();
    let [mut one, _] = both(&scene);
    // In the second of three chunks, where the long one's sound lies.
    one[65_536 / 2] ^= 1;
    scene.put(1, &one);
    let outcome = scene.restore();
    assert!(!outcome.damage.is_empty());
    let back = scene.vault.recordings().unwrap();
    assert!(back.iter().any(|one| one.id == id(2) || one.id == id(4)));
    let verified = scene.vault.verify(&|_, _| ()).unwrap();
    assert_eq!(verified.flaws, []);
}

#[test]
fn a_segment_that_is_missing_exchanged_or_put_back_is_named() {
    let scene = Scene::new();
    let [one, two] = both(&scene);
    let kinds =
        |found: &Verified| -> Vec<Kind> { found.damage.iter().map(|one| one.kind).collect() };
    fs::remove_file(scene.folder().join(segment_name(1))).unwrap();
    let found = scene.verify();
    assert!(kinds(&found).contains(&Kind::Missing), "{found:?}");
    let outcome = scene.restore();
    assert!(outcome.damage.iter().any(|one| one.kind == Kind::Missing));
    // Words without the sound.
    scene.assert_holds(&[2, 4]);

    // Another whole one of the same vault and number.
    let all = files(7, 0, 40_000);
    let other = scene
        .owner
        .manifest(1, &all, vec![entry(7, 0, SoundAt::Here)]);
    scene.put(1, &scene.owner.segment(&all, &other));
    assert!(kinds(&scene.verify()).contains(&Kind::Altered));
    // One in the place of another.
    scene.put(1, &two);
    assert!(kinds(&scene.verify()).contains(&Kind::Altered));
    // Cut off.
    scene.put(1, &one[..one.len() / 2]);
    assert!(!scene.verify().damage.is_empty());
    scene.put(1, &one);
    assert_eq!(scene.verify().damage, [], "the control");
}

#[test]
fn a_damaged_segment_names_the_recordings_that_it_costs_something_and_no_other() {
    let scene = Scene::new();
    let [one, _] = both(&scene);
    let named = || -> Vec<(RecordingId, String)> {
        let found = scene.verify().damage.into_iter();
        let named = found.filter_map(|one| Some((one.id?, one.what)));
        named.collect()
    };
    assert_eq!(named(), [], "the control");
    // Its manifest says what lies there.
    let mut damaged = one.clone();
    damaged[32_768] ^= 1;
    scene.put(1, &damaged);
    let told = "its meta.json, audio.opus can't be read".to_owned();
    assert_eq!(named(), [(id(1), told)]);
    // Without it the second says where the sound is of what it holds.
    let elsewhere = [(id(2), "its sound lies there".to_owned())];
    scene.put(1, &one[..one.len() / 2]);
    assert_eq!(named(), elsewhere);
    fs::remove_file(scene.folder().join(segment_name(1))).unwrap();
    assert_eq!(named(), elsewhere);
}

#[test]
fn an_earlier_state_of_the_backup_is_told_from_the_one_that_the_vault_knows() {
    let scene = Scene::new();
    let [_, two] = both(&scene);
    let backup = KnownBackup {
        id: [4; 16],
        path: scene.folder().display().to_string(),
        made_at_ms: 0,
        generation: 5,
        finished: 5,
        destroyed: 0,
        end: Some(BackupEnd {
            segments: 2,
            hash: Hash::of(&two).0,
        }),
        slots: Vec::new(),
    };
    let trust = scene.owner.trust();
    // Other disks that were mounted in its place are not what it is compared with,
    // whenever they were.
    let other = KnownBackup {
        id: [5; 16],
        end: None,
        ..backup.clone()
    };
    let look_as = |backup: &KnownBackup| {
        let backups = vec![other.clone(), backup.clone(), other.clone()];
        let remembered = scene.owner.remembers(Settings {
            backups,
            ..Settings::default()
        });
        let known = Known {
            trust: &trust,
            own: Some(&remembered),
            opened: None,
        };
        let own = [scene.owner.identity.duplicate()];
        verify::verify(&scene.folder(), Opener::Vault(&own), known, &|_, _| ()).unwrap()
    };
    let look = || look_as(&backup);
    assert_eq!(look().damage, []);
    // A run that found nothing new may have noted a later generation.
    let mut later = backup.clone();
    later.generation += 1;
    assert_eq!(look_as(&later).damage, []);
    later.end.as_mut().unwrap().hash = [0; 32];
    let kinds: Vec<_> = look_as(&later).damage.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [Kind::RolledBack]);
    // One that is damaged is there all the same.
    let mut damaged = two.clone();
    *damaged.last_mut().unwrap() ^= 1;
    scene.put(2, &damaged);
    let kinds: Vec<_> = look().damage.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [Kind::Altered]);
    fs::remove_file(scene.folder().join(segment_name(2))).unwrap();
    let kinds: Vec<_> = look().damage.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [Kind::RolledBack]);
}

#[test]
fn a_stream_comes_back_as_a_folder_does_in_either_order_of_its_files() {
    let tombstoned = |scene: &Scene, all: &[File]| {
        let entries = vec![
            entry(1, 0, SoundAt::Here),
            entry(2, 2, SoundAt::Here),
            entry(3, 0, SoundAt::Here),
        ];
        let mut manifest = scene.owner.manifest(1, all, entries);
        manifest.tombstones = vec![gone(3, 0)];
        scene.owner.segment(all, &manifest)
    };
    for sound_first in [false, true] {
        let scene = Scene::new();
        let mut all = [files(1, 0, LONG), files(2, 2, 40_000), files(3, 0, 1)].concat();
        if sound_first {
            all.swap(0, 1);
            all.swap(4, 5);
        }
        let sealed = tombstoned(&scene, &all);
        let outcome = scene.stream(&sealed, Some(id(3))).unwrap();
        assert_eq!((outcome.damage.as_slice(), outcome.destroyed), (&[][..], 1));
        let new = outcome.resurrected.unwrap();
        scene.assert_sounds(new, 3, 1);
        scene.assert_sounds(id(1), 1, LONG);
        scene.assert_sounds(id(2), 2, 40_000);
        assert!(scene.vault.recording(id(3)).is_err());
        assert_eq!(scene.vault.recordings().unwrap().len(), 3);
        let again = scene.stream(&sealed, None).unwrap();
        assert_eq!((again.restored.len(), again.there), (0, 2));
    }
}

#[test]
fn nothing_of_a_stream_comes_back_that_its_manifest_does_not_vouch_for() {
    let scene = Scene::new();
    let sealed = first(&scene);
    for cut in [sealed.len() - 1, sealed.len() / 2, 300] {
        assert!(scene.stream(&sealed[..cut], None).is_err(), "{cut}");
        scene.assert_holds(&[]);
    }
    // One is another one than was signed, and one is not named.
    let mut all = [files(1, 0, 40_000), files(2, 0, 40_000), files(3, 0, 1)].concat();
    let entries = vec![entry(1, 0, SoundAt::Here), entry(3, 0, SoundAt::Here)];
    let manifest = scene.owner.manifest(1, &all, entries);
    all[1].bytes = audio(7, 40_000);
    let outcome = scene
        .stream(&scene.owner.segment(&all, &manifest), None)
        .unwrap();
    assert_eq!(outcome.damage.len(), 1);
    scene.assert_holds(&[3]);
}

#[test]
fn without_the_vault_a_copy_of_a_way_in_that_is_cut_off_or_gone_is_named() {
    let scene = Scene::new();
    both(&scene);
    let copy = scene.folder().join("passphrase.age");
    let whole = fs::read(&copy).unwrap();
    let found = scene.verify();
    assert_eq!(found.damage, []);
    let told = found
        .notes
        .iter()
        .any(|note| note.contains("only the form"));
    assert!(told, "{:?}", found.notes);
    let kinds = || -> Vec<Kind> {
        let damage = scene.verify().damage;
        damage.iter().map(|one| one.kind).collect()
    };
    for length in [0, 30, whole.len() / 2, whole.len() - 1] {
        fs::write(&copy, &whole[..length]).unwrap();
        assert_eq!(kinds(), [Kind::Altered], "{length}");
    }
    fs::remove_file(&copy).unwrap();
    assert_eq!(kinds(), [Kind::Missing]);
}

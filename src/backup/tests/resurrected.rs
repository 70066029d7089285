//! One that is wanted under a new id: it comes back once, whatever the backup says of it.

use super::*;

const SAMPLES: u64 = 40_000;

/// A segment with a recording that was not destroyed.
fn alive(scene: &Scene) -> Vec<u8> {
    let all = files(1, 0, SAMPLES);
    let manifest = scene
        .owner
        .manifest(1, &all, vec![entry(1, 0, SoundAt::Here)]);
    scene.owner.segment(&all, &manifest)
}

/// It came back once and as itself, which is said; once more changes nothing.
fn assert_came_once(scene: &Scene, restore: &dyn Fn() -> Outcome) {
    let first = restore();
    assert_eq!(
        (&first.restored[..], first.resurrected),
        (&[id(1)][..], None)
    );
    let told = |outcome: &Outcome| outcome.notes.join("\n");
    assert!(told(&first).contains("was not destroyed"), "{first:?}");
    assert!(told(&first).contains(&id(1).short()), "{first:?}");
    assert_eq!(first.damage, []);
    scene.assert_holds(&[1]);
    scene.assert_sounds(id(1), 1, SAMPLES);
    let revision = scene.vault.revision().unwrap();
    let second = restore();
    assert_eq!((second.restored.len(), second.there), (0, 1));
    assert!(told(&second).contains("was not destroyed"), "{second:?}");
    assert_eq!(scene.vault.revision().unwrap(), revision);
}

#[test]
fn one_that_is_alive_in_a_folder_comes_back_once_as_itself() {
    let scene = Scene::new();
    scene.put(1, &alive(&scene));
    let restore = || scene.restore_from(&scene.folder(), Some(id(1))).unwrap();
    assert_came_once(&scene, &restore);
}

#[test]
fn one_that_is_alive_in_a_stream_comes_back_once_as_itself() {
    let scene = Scene::new();
    let sealed = alive(&scene);
    let restore = || scene.stream(&sealed, Some(id(1))).unwrap();
    assert_came_once(&scene, &restore);
}

#[test]
fn one_that_this_vault_destroyed_comes_back_from_a_backup_that_does_not_know() {
    for from_stream in [false, true] {
        let scene = Scene::new();
        let sealed = alive(&scene);
        scene.put(1, &sealed);
        let restore = |wanted| match from_stream {
            true => scene.stream(&sealed, wanted).unwrap(),
            false => scene.restore_from(&scene.folder(), wanted).unwrap(),
        };
        restore(None);
        let everything = crate::vault::ShredScope::Everything;
        scene
            .vault
            .shred(&[id(1)], everything, &mut |_, _| ())
            .unwrap();
        let outcome = restore(Some(id(1)));
        let new = outcome.resurrected.unwrap();
        assert_eq!((&outcome.restored[..], outcome.destroyed), (&[new][..], 1));
        scene.assert_sounds(new, 1, SAMPLES);
    }
}

#[test]
fn one_whose_sound_is_damaged_comes_back_once_and_the_damage_is_told_once() {
    for from_stream in [false, true] {
        let scene = Scene::new();
        let mut all = files(1, 0, SAMPLES);
        // As it was signed: it is no sound.
        all[1].bytes = vec![7; 100];
        let entries = vec![entry(1, 0, SoundAt::Here)];
        let manifest = scene.owner.manifest(1, &all, entries);
        let sealed = scene.owner.segment(&all, &manifest);
        scene.put(1, &sealed);
        let outcome = match from_stream {
            true => scene.stream(&sealed, Some(id(1))).unwrap(),
            false => scene.restore_from(&scene.folder(), Some(id(1))).unwrap(),
        };
        assert_eq!(outcome.damage.len(), 1, "{:?}", outcome.damage);
        assert_eq!(
            (&outcome.restored[..], outcome.resurrected),
            (&[id(1)][..], None)
        );
        scene.assert_holds(&[1]);
    }
}

#[test]
fn one_whose_card_is_damaged_does_not_come_back_and_the_damage_is_told_once() {
    let scene = Scene::new();
    let mut all = files(1, 0, SAMPLES);
    all[0].bytes = b"{\"format\":1}".to_vec();
    let entries = vec![entry(1, 0, SoundAt::Here)];
    let manifest = scene.owner.manifest(1, &all, entries);
    scene.put(1, &scene.owner.segment(&all, &manifest));
    let outcome = scene.restore_from(&scene.folder(), Some(id(1))).unwrap();
    assert_eq!(outcome.damage.len(), 1, "{:?}", outcome.damage);
    assert_eq!((outcome.restored.len(), outcome.resurrected), (0, None));
    scene.assert_holds(&[]);
}

#[test]
fn one_that_was_redacted_since_comes_back_as_it_is_now() {
    let scene = Scene::new();
    let one = alive(&scene);
    scene.put(1, &one);
    let all = files(1, 1, SAMPLES);
    let mut manifest = scene
        .owner
        .manifest(2, &all, vec![entry(1, 1, SoundAt::Here)]);
    manifest.before = Some(Hash::of(&one));
    manifest.tombstones = vec![gone(1, 0)];
    scene.put(2, &scene.owner.segment(&all, &manifest));
    let outcome = scene.restore_from(&scene.folder(), Some(id(1))).unwrap();
    assert_eq!(
        (&outcome.restored[..], outcome.resurrected),
        (&[id(1)][..], None)
    );
    assert_eq!(scene.vault.recording(id(1)).unwrap().epoch, 1);
    scene.assert_holds(&[1]);
}

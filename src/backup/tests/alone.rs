//! One segment in a file: its recordings come back, and what the later segments beside it say
//! was destroyed since does not.

use super::*;

const SAMPLES: u64 = 40_000;

/// A folder with a first segment that holds 1 and 2.
fn scene() -> Scene {
    let scene = Scene::new();
    let all = [files(1, 0, SAMPLES), files(2, 0, SAMPLES)].concat();
    let entries = [1, 2].map(|number| entry(number, 0, SoundAt::Here));
    let manifest = scene.owner.manifest(1, &all, entries.into());
    scene.put(1, &scene.owner.segment(&all, &manifest));
    scene
}

/// What a later segment says that holds nothing: 2 was destroyed.
fn later(scene: &Scene, number: u32) -> Manifest {
    let mut manifest = scene.owner.manifest(number, &[], Vec::new());
    manifest.tombstones = vec![gone(2, 0)];
    manifest
}

fn put(scene: &Scene, manifest: &Manifest) -> PathBuf {
    scene.put(manifest.segment, &scene.owner.segment(&[], manifest))
}

/// Restores the first segment by itself, from where it lies.
fn restored(scene: &Scene) -> Outcome {
    let at = scene.folder().join(segment_name(1));
    scene.restore_from(&at, None).unwrap()
}

/// Whether a note says that what was destroyed later is not known.
fn is_unsure(outcome: &Outcome) -> bool {
    let is_said = |note: &String| note.contains("what was shredded or redacted after");
    outcome.notes.iter().any(is_said)
}

#[test]
fn what_later_segments_beside_it_say_was_destroyed_does_not_come_back_with_it() {
    let scene = scene();
    // A third recording there, which is not asked for.
    let third = files(3, 0, SAMPLES);
    let mut two = scene
        .owner
        .manifest(2, &third, vec![entry(3, 0, SoundAt::Here)]);
    two.tombstones = vec![gone(2, 0)];
    two.lacking = vec![Lacking {
        id: id(1),
        epoch: 0,
        sound: false,
        words: true,
    }];
    scene.put(2, &scene.owner.segment(&third, &two));
    // And one that says it in its entry.
    let three = scene
        .owner
        .manifest(3, &[], vec![entry(1, 0, SoundAt::Gone)]);
    put(&scene, &three);
    let outcome = restored(&scene);
    assert_eq!(
        (&outcome.damage[..], &outcome.notes[..]),
        (&[][..], &[][..])
    );
    assert_eq!((outcome.restored, outcome.destroyed), (vec![id(1)], 1));
    scene.assert_holds(&[1]);
    assert!(scene.vault.sound(id(1)).is_err());
    let back = scene.vault.recording(id(1)).unwrap();
    assert!(back.text_shredded && back.sound_shredded);
}

#[test]
fn a_link_to_it_finds_the_segments_beside_what_it_points_to() {
    let scene = scene();
    put(&scene, &later(&scene, 2));
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.age");
    std::os::unix::fs::symlink(scene.folder().join(segment_name(1)), &link).unwrap();
    let outcome = scene.restore_from(&link, None).unwrap();
    assert!(!is_unsure(&outcome), "{:?}", outcome.notes);
    scene.assert_holds(&[1]);
}

#[test]
fn where_nothing_newer_of_its_backup_lies_beside_it_that_is_said() {
    let alone = scene();
    assert!(is_unsure(&restored(&alone)));
    alone.assert_holds(&[1, 2]);
    // The last one of a folder, and one beside another backup's.
    let last = scene();
    let at = put(&last, &later(&last, 2));
    assert!(is_unsure(&last.restore_from(&at, None).unwrap()));
    let other = scene();
    let mut another = later(&other, 2);
    another.backup = Digits([5; 16]);
    put(&other, &another);
    let outcome = restored(&other);
    assert!(is_unsure(&outcome) && outcome.damage.is_empty());
    other.assert_holds(&[1, 2]);
    // The folder says nothing of it.
    assert!(!is_unsure(&scene().restore()));
}

#[test]
fn a_later_segment_that_can_not_be_read_is_named() {
    let damaged = scene();
    let at = put(&damaged, &later(&damaged, 2));
    let mut bytes = fs::read(&at).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&at, bytes).unwrap();
    let outcome = restored(&damaged);
    assert!(is_unsure(&outcome));
    let [damage] = &outcome.damage[..] else {
        panic!("{:?}", outcome.damage)
    };
    assert!(damage.place.starts_with("0002.tar.age"), "{damage:?}");
    assert!(damage.what.contains("is not known"), "{damage:?}");
    // The one behind it says it once more.
    put(&damaged, &later(&damaged, 3));
    let outcome = restored(&damaged);
    assert!(!is_unsure(&outcome) && outcome.damage.len() == 1);
    assert_eq!(outcome.kept, [id(2)]);
    // One before it has nothing to say that it does not say itself.
    let at = put(&damaged, &later(&damaged, 4));
    let outcome = damaged.restore_from(&at, None).unwrap();
    assert_eq!(outcome.damage, []);
}

#[test]
fn a_later_segment_that_is_closed_to_the_key_is_a_note() {
    let scene = scene();
    let stranger = Owner::new();
    let sealed = stranger.segment(&[], &later(&scene, 2));
    scene.put(2, &sealed);
    let outcome = restored(&scene);
    assert_eq!(outcome.damage, []);
    let is_named = |note: &String| note.contains("0002.tar.age") && note.contains("is not known");
    assert!(outcome.notes.iter().any(is_named), "{:?}", outcome.notes);
    assert!(is_unsure(&outcome));
}

#[test]
fn a_later_segment_that_is_forged_or_an_earlier_one_in_its_place_counts_for_nothing() {
    let forged = scene();
    let mut forger = Owner::new();
    forger.identity = forged.owner.identity.duplicate();
    forger.vault = forged.owner.vault;
    let manifest = later(&forged, 2);
    forged.put(2, &forger.segment(&[], &manifest));
    let outcome = restored(&forged);
    assert!(is_unsure(&outcome));
    assert_eq!(outcome.damage[0].kind, verify::Kind::Added);
    forged.assert_holds(&[1, 2]);
    // A copy of the first, which would hide what the second said.
    let swapped = scene();
    let first = fs::read(swapped.folder().join(segment_name(1))).unwrap();
    swapped.put(2, &first);
    let outcome = restored(&swapped);
    assert!(is_unsure(&outcome));
    assert_eq!(outcome.damage[0].kind, verify::Kind::Altered);
    assert_eq!(outcome.damage[0].place, "0002.tar.age");
}

#[test]
fn later_segments_that_are_gone_are_a_note_unless_a_repack_took_them_away() {
    let scene = scene();
    let mut four = later(&scene, 4);
    put(&scene, &four);
    let outcome = restored(&scene);
    let is_named = |note: &String| note.contains("0002.tar.age, 0003.tar.age");
    assert!(outcome.notes.iter().any(is_named), "{:?}", outcome.notes);
    four.dropped = [2, 3].map(dropped).into();
    put(&scene, &four);
    assert_eq!(restored(&scene).notes, Vec::<String>::new());
    scene.assert_holds(&[1]);
}

fn dropped(segment: u32) -> Dropped {
    let sha256 = Hash::of(b"");
    Dropped { segment, sha256 }
}

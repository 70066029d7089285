//! Which numbers of transcripts are known to have been given.

use super::*;

const SAMPLES: u64 = 40_000;

/// Two segments: the newer one says of the card that transcripts were numbered up to this.
fn segments(scene: &Scene, numbered: u32) -> [Vec<File>; 2] {
    let all = files(1, 0, SAMPLES);
    let mut later = files(1, 0, SAMPLES);
    later.remove(1);
    later[0].bytes = meta(1, 0, SAMPLES)
        .numbered_up_to(numbered)
        .write()
        .unwrap();
    let manifest = scene
        .owner
        .manifest(1, &all, vec![entry(1, 0, SoundAt::Here)]);
    scene.put(1, &scene.owner.segment(&all, &manifest));
    [all, later]
}

fn second(scene: &Scene, files: &[File], numbered: Option<u32>) {
    let mut newest = entry(1, 0, SoundAt::Segment(1));
    newest.numbered = numbered;
    let mut manifest = scene.owner.manifest(2, files, vec![newest]);
    manifest.before = None;
    scene.put(2, &scene.owner.segment(files, &manifest));
}

/// The number that the next one gets.
fn next(scene: &Scene) -> u32 {
    scene
        .vault
        .add_transcript(id(1), 0, &transcript("anew"))
        .unwrap()
}

#[test]
fn they_are_known_where_the_newest_card_can_not_be_read() {
    let scene = Scene::new();
    let [_, mut later] = segments(&scene, 5);
    later[0].bytes = b"{\"format\":1}".to_vec();
    second(&scene, &later, Some(5));
    let outcome = scene.restore();
    assert_eq!((outcome.restored.len(), outcome.damage.len()), (1, 1));
    assert_eq!(next(&scene), 6);
}

#[test]
fn they_are_known_by_the_card_alone_and_by_an_older_entry_alone() {
    for number in [1, 2] {
        let scene = Scene::new();
        let [first, later] = segments(&scene, 5);
        match number {
            1 => second(&scene, &later, None),
            _ => {
                // The older one names two that nothing has any more.
                let mut older = entry(1, 0, SoundAt::Here);
                older.versions = vec![1, 4, 5];
                let manifest = scene.owner.manifest(1, &first, vec![older]);
                scene.put(1, &scene.owner.segment(&first, &manifest));
                second(&scene, &first[..1], None);
            }
        }
        scene.restore();
        assert_eq!(next(&scene), 6, "{number}");
    }
}

#[test]
fn a_segment_of_before_they_were_told_is_read_as_ever() {
    let scene = Scene::new();
    let [first, _] = segments(&scene, 5);
    let text = String::from_utf8(first[0].bytes.clone()).unwrap();
    assert!(!text.contains("numbered"), "{text}");
    let outcome = scene.restore();
    assert_eq!((outcome.restored.len(), outcome.damage.len()), (1, 0));
    assert_eq!(next(&scene), 2);
}

#[test]
fn a_number_beyond_all_reason_keeps_nobody_from_the_next() {
    let scene = Scene::new();
    let [_, later] = segments(&scene, u32::MAX);
    second(&scene, &later, Some(u32::MAX));
    scene.restore();
    let one = next(&scene);
    assert!((2..=(1 << 20) + 1).contains(&one), "{one}");
    assert_eq!(next(&scene), one + 1);
}

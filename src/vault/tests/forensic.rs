//! Somebody with the passphrase and every byte of the directory, after a shred.

use std::fs;

use super::*;
use crate::crypto::{ClipKey, CryptoError, open as unseal};
use crate::vault::ShredScope;
use crate::vault::keys::bag::Bag;
use crate::vault::sealed::frame::Kind;
use crate::vault::sealed::scan::{self, What};

/// Every sealed record in a directory that some key opens: kind, recording and
/// number.
type Opened = std::collections::BTreeSet<(Kind, RecordingId, u32)>;

/// Kinds and revisions of cards.
pub(super) type Revisions = std::collections::BTreeSet<(Kind, u32)>;

pub(super) fn files(dir: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(fs::read(entry.path()).unwrap()),
        }
    }
    found
}

pub(super) fn keys(bag: &Bag) -> Vec<&ClipKey> {
    bag.clips
        .values()
        .flat_map(|clip| clip.sound.iter().chain(&clip.words).chain([&clip.card]))
        .collect()
}

/// Tries every key on everything that looks sealed, at any offset, and the inbox
/// key too. A header that opens counts, whatever became of the body.
fn attack(dir: &Path, bag: &Bag) -> (Opened, usize) {
    let keys = keys(bag);
    let (mut opened, mut strangers) = (Opened::new(), 0);
    for bytes in files(dir) {
        for found in scan::scan(&bytes) {
            match found.what {
                What::Frame(frame) => {
                    let fits = |key: &&&ClipKey| unseal(**key, frame.body).is_ok();
                    if keys.iter().any(|key| fits(&key)) || bag.inbox.open(frame.body).is_ok() {
                        let facts = frame.facts;
                        opened.insert((facts.kind, facts.id, facts.number));
                    }
                }
                What::Age(sealed) => {
                    let header = &sealed[..sealed.len().min(149 + 64)];
                    let knows = |key: &&ClipKey| {
                        !matches!(unseal(*key, header), Err(CryptoError::WrongKey))
                            && header.len() == 149 + 64
                    };
                    let sealed_here = header.starts_with(b"age-encryption.org/v1\n-> scrypt ");
                    if sealed_here && !keys.iter().any(knows) {
                        strangers += 1;
                    }
                }
                What::Remains { .. } => {}
            }
        }
    }
    (opened, strangers)
}

/// Which revisions of a card, of the inbox or the store, these keys open.
pub(super) fn card_revisions(files: &[Vec<u8>], bag: &Bag, id: RecordingId) -> Revisions {
    let keys = keys(bag);
    files
        .iter()
        .flat_map(|bytes| scan::frames(bytes))
        .map(|(_, frame)| frame)
        .filter(|frame| {
            matches!(frame.facts.kind, Kind::Card | Kind::Draft) && frame.facts.id == id
        })
        .filter(|frame| keys.iter().any(|key| unseal(*key, frame.body).is_ok()))
        .map(|frame| (frame.facts.kind, frame.facts.revision))
        .collect()
}

pub(super) fn bag_of(open: &OpenVault) -> Bag {
    open.session()
        .with(|held| Ok(held.bag().duplicate()))
        .unwrap()
}

fn of(opened: &Opened, id: RecordingId) -> usize {
    opened.iter().filter(|(_, whose, _)| *whose == id).count()
}

#[test]
fn after_a_shred_no_key_that_the_passphrase_reaches_opens_anything_of_it() {
    let (_dir, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    let (live, doomed) = (record(open.vault(), 1, 13), record(open.vault(), 2, 17));
    open.merge().unwrap();
    for id in [live, doomed] {
        open.add_transcript(id, 0, &transcript("first")).unwrap();
        open.add_transcript(id, 0, &transcript("second")).unwrap();
        open.update_card(id, &mut |card| card.note = "a note".to_owned())
            .unwrap();
    }
    let waiting = record(open.vault(), 3, 2);
    let bag_before = bag_of(&open);
    // The positive control: before, everything of it opens.
    let (before, _) = attack(&dir, &bag_before);
    assert_eq!(
        (of(&before, live), of(&before, doomed)),
        (13 + 2 + 1, 17 + 2 + 1)
    );
    assert_eq!(of(&before, waiting), 1, "its keys, by the inbox key");

    open.shred(&[doomed, waiting], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    let bag = bag_of(&again(&open));
    let (after, strangers) = attack(&dir, &bag);
    assert_eq!((of(&after, doomed), of(&after, waiting)), (0, 0));
    assert_eq!(of(&after, live), of(&before, live));
    // The bytes are still there, as redb leaves them: it is the keys that are gone.
    assert!(strangers > 0);
    let (with_old_keys, _) = attack(&dir, &bag_before);
    assert!(
        of(&with_old_keys, doomed) > 0,
        "the control finds what the new bag can't open"
    );
}

#[test]
fn after_shredding_the_sound_words_and_card_open_and_no_segment_does() {
    let (_dir, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    let id = record(open.vault(), 1, 11);
    open.merge().unwrap();
    open.add_transcript(id, 0, &transcript("kept")).unwrap();
    open.shred(&[id], ShredScope::Sound, &mut |_, _| ())
        .unwrap();
    let (after, _) = attack(&dir, &bag_of(&again(&open)));
    let kinds: Vec<Kind> = after.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [Kind::Words, Kind::Card]);
}

#[test]
fn after_forgetting_no_key_that_the_passphrase_reaches_opens_an_older_card() {
    let (_dir, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    let (id, other) = (record(open.vault(), 1, 3), record(open.vault(), 2, 1));
    open.merge().unwrap();
    // redb writes over some of its free pages, so not every revision is left.
    for note in ["too much", "much", "a lot", "some", "less", "nothing"] {
        let note = &format!("said {note}");
        for id in [id, other] {
            open.update_card(id, &mut |card| card.note.clone_from(note))
                .unwrap();
        }
    }
    // Begun before, so with the epoch of before.
    let epoch = open.recording(id).unwrap().epoch;
    let bag_before = bag_of(&open);
    let before = |id| card_revisions(&files(&dir), &bag_before, id);
    assert!(before(id).len() > 1, "the control: {:?}", before(id));
    let others = before(other);

    open.forget_revisions(id).unwrap();
    let open = again(&open);
    let bag = bag_of(&open);
    let after = |id| card_revisions(&files(&dir), &bag, id);
    assert_eq!(after(id).len(), 1, "{:?}", after(id));
    assert!(
        after(other).is_subset(&others) && after(other).contains(others.last().unwrap()),
        "others keep theirs, as far as redb does: {:?}",
        after(other)
    );
    assert_eq!(open.recording(id).unwrap().card.note, "said nothing");
    // Their bytes are still there, as redb leaves them: it is the key that is gone.
    assert!(!before(id).is_empty(), "the control after");
    assert!(
        before(id).is_disjoint(&after(id)),
        "the key of before opens nothing new"
    );

    // What else there is stays as it was, also when the store is built anew.
    open.add_transcript(id, epoch, &transcript("heard meanwhile"))
        .unwrap();
    open.rebuild_store().unwrap();
    assert_sound(&open, id, 1, 3);
    assert_eq!(
        open.transcript(id, 1).unwrap(),
        transcript("heard meanwhile")
    );
    assert_eq!(open.recording(id).unwrap().card.note, "said nothing");
    assert_eq!(open.listing().unwrap().damaged, []);
}

#[test]
fn nothing_that_was_said_or_written_stands_in_the_directory_in_the_clear() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 3);
    open.merge().unwrap();
    open.add_transcript(id, 0, &transcript("a phrase that nobody else says"))
        .unwrap();
    open.update_card(id, &mut |card| {
        card.note = "a note to be searched for".to_owned()
    })
    .unwrap();
    let segment = packets(1, 1);
    let secrets: [&[u8]; 6] = [
        b"a phrase that nobody",
        b"a note to be",
        b"minutes",
        b"recording 1",
        b"USB microphone",
        &segment[..24],
    ];
    let all = files(open.vault().dir());
    let found = |secret: &[u8]| {
        all.iter()
            .any(|bytes| bytes.windows(secret.len()).any(|window| window == secret))
    };
    assert!(found(b"\x8fvoxrec\n"), "the control");
    for secret in secrets {
        assert!(!found(secret), "{}", String::from_utf8_lossy(secret));
    }
}

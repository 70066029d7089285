//! Records exchanged, doubled and put into other places behind the vault's back, in
//! a store whose tree is sound.

use super::*;
use crate::vault::frame;
use crate::vault::store::rows::ClipId;

/// All rows of a recording.
#[derive(Clone)]
struct Rows {
    card: Vec<u8>,
    words: Vec<u8>,
    sound: Vec<(u32, Vec<u8>)>,
}

fn at(id: RecordingId) -> ClipId {
    ClipId { id, epoch: 0 }
}

fn rows_of(open: &OpenVault, id: RecordingId) -> Rows {
    open.session()
        .with(|held| {
            held.store().read(held.lock(), |store| {
                let rows = store.begin()?;
                Ok(Rows {
                    card: rows.card(at(id))?.unwrap(),
                    words: rows.words(at(id), 1)?.unwrap(),
                    sound: rows.sound(at(id), 0, 100)?,
                })
            })
        })
        .unwrap()
}

fn put(open: &OpenVault, id: RecordingId, rows: &Rows) {
    open.session()
        .with(|held| {
            held.store().write(held.lock(), |writing| {
                writing.delete_all(id)?;
                writing.put_card(at(id), &rows.card)?;
                writing.add_words(at(id), 1, &rows.words)?;
                for (number, row) in &rows.sound {
                    writing.add_sound(at(id), *number, row)?;
                }
                Ok(())
            })
        })
        .unwrap();
}

fn frames(row: &[u8]) -> Vec<Vec<u8>> {
    frame::run(row)
        .map(|frame| frame.unwrap().bytes.to_vec())
        .collect()
}

/// Does this to the rows of the first recording, and says what verify names; the
/// other recording is as it was, and a repair leaves nothing to be named.
fn named_after(change: impl FnOnce(&mut Rows, &Rows)) -> Vec<Flaw> {
    let small = Small::new();
    let open = open(&small.disk).unwrap();
    let [one, two] = small.merged;
    let (mut mine, theirs) = (rows_of(&open, one.0), rows_of(&open, two.0));
    change(&mut mine, &theirs);
    put(&open, one.0, &mine);
    let found = verify(&open).flaws;
    assert!(!found.is_empty(), "nothing is named");
    assert!(found.iter().all(|flaw| flaw.id == Some(one.0)), "{found:?}");
    assert_eq!(read(&open, two), Whole::All);
    repair(&open);
    assert_eq!(verify(&open).flaws, []);
    assert_eq!(read(&open, two), Whole::All);
    // Whatever it gives is its own, which reading asserts.
    let _ = read(&open, one);
    found
}

#[test]
fn segments_exchanged_within_a_row_are_named() {
    let found = named_after(|mine, _| {
        let mut row = frames(&mine.sound[0].1);
        row.swap(2, 3);
        mine.sound[0].1 = row.concat();
    });
    assert!(found[0].what.contains("segment 2"), "{found:?}");
    assert!(found[0].what.contains("not in order"), "{found:?}");
}

#[test]
fn a_segment_that_is_there_twice_is_named() {
    let found = named_after(|mine, _| {
        let mut row = frames(&mine.sound[0].1);
        let again = row[2].clone();
        row.insert(3, again);
        mine.sound[0].1 = row.concat();
    });
    assert!(found[0].what.contains("there twice"), "{found:?}");
}

#[test]
fn rows_cut_off_exchanged_or_doubled_are_named() {
    let found = named_after(|mine, _| drop(mine.sound.pop()));
    assert!(
        found[0].what.contains("segments 10 to 11 (8.0 s to 9.6 s)"),
        "{found:?}"
    );
    let found = named_after(|mine, _| {
        let (first, second) = (mine.sound[0].1.clone(), mine.sound[1].1.clone());
        (mine.sound[0].1, mine.sound[1].1) = (second, first);
    });
    assert!(found[0].what.contains("another row"), "{found:?}");
    let found = named_after(|mine, _| {
        let first = mine.sound[0].1.clone();
        mine.sound.push((7, first));
    });
    assert!(found[0].what.contains("another row"), "{found:?}");
}

#[test]
fn sound_words_and_card_of_another_recording_are_named() {
    let found = named_after(|mine, theirs| mine.sound.clone_from(&theirs.sound));
    assert!(found[0].what.contains("segments 0 to 11"), "{found:?}");
    assert!(found[0].what.contains("another recording"), "{found:?}");
    let found = named_after(|mine, theirs| mine.words.clone_from(&theirs.words));
    assert!(
        found.iter().any(|flaw| flaw.what.contains("transcript 1")),
        "{found:?}"
    );
    let found = named_after(|mine, theirs| mine.card.clone_from(&theirs.card));
    assert!(
        found.iter().any(|flaw| flaw.what.contains("card")),
        "{found:?}"
    );
}

#[test]
fn records_that_only_say_that_they_are_of_this_recording_are_named() {
    let renamed = |row: &[u8], id: RecordingId| -> Vec<u8> {
        let frames = frame::run(row).map(|found| {
            let found = found.unwrap();
            let facts = frame::Facts { id, ..found.facts };
            frame::encode(&facts, found.body).unwrap()
        });
        frames.collect::<Vec<_>>().concat()
    };
    let found = named_after(|mine, theirs| {
        let own = frame::parse(&mine.card).unwrap().facts.id;
        mine.sound[0].1 = renamed(&theirs.sound[0].1, own);
    });
    assert!(found[0].what.contains("segments 0 to 9"), "{found:?}");
    let found = named_after(|mine, theirs| {
        let own = frame::parse(&mine.card).unwrap().facts.id;
        mine.card = renamed(&theirs.card, own);
    });
    assert!(
        found.iter().any(|flaw| flaw.what.contains("card")),
        "{found:?}"
    );
}

#[test]
fn a_lost_card_is_made_anew_and_a_lost_transcript_is_named_no_more() {
    let small = Small::new();
    let open = open(&small.disk).unwrap();
    let (id, recording, segments) = small.merged[0];
    let mut rows = rows_of(&open, id);
    let last = rows.card.len() - 1;
    rows.card[last] ^= 1;
    put(&open, id, &rows);
    // Older revisions lie in free pages; without them the card is lost for good.
    small
        .disk
        .tamper(&Path::new(DIR).join("store.redb"), |bytes| {
            let places: Vec<usize> = crate::vault::scan::frames(bytes)
                .filter(|(_, frame)| frame.facts.id == id && frame.facts.kind == frame::Kind::Card)
                .map(|(at, _)| at)
                .collect();
            places.iter().for_each(|at| bytes[*at] = 0);
        });
    let open = super::open(&small.disk).unwrap();
    let repaired = repair(&open).flaws;
    assert!(
        repaired
            .iter()
            .any(|flaw| flaw.id == Some(id) && !flaw.mended)
    );
    assert_eq!(verify(&open).flaws, []);
    let found = open.recording(id).unwrap();
    assert_eq!(found.card.title, "recovered recording");
    assert_eq!(found.card.samples, u64::from(segments) * 38_400);
    assert_eq!(
        open.transcript(id, 1).unwrap().text(),
        format!("said in {recording}")
    );
    assert_sound(&open, id, recording, segments);

    let mut rows = rows_of(&open, id);
    rows.words.truncate(100);
    put(&open, id, &rows);
    let store = Path::new(DIR).join("store.redb");
    small.disk.tamper(&store, |bytes| {
        let places: Vec<usize> = crate::vault::scan::frames(bytes)
            .filter(|(_, frame)| frame.facts.id == id && frame.facts.kind == frame::Kind::Words)
            .map(|(at, _)| at)
            .collect();
        places.iter().for_each(|at| bytes[*at] = 0);
    });
    let open = super::open(&small.disk).unwrap();
    repair(&open);
    assert_eq!(verify(&open).flaws, []);
    assert!(open.recording(id).unwrap().versions.is_empty());
    assert_sound(&open, id, recording, segments);
}

#[test]
fn inbox_files_with_each_others_names_are_named() {
    let small = Small::new();
    let vault = open(&small.disk).unwrap();
    let other = record(vault.vault(), 4, 2);
    let files = small.disk.files();
    let path = |id| crate::vault::inbox::path(Path::new(DIR), id);
    let (one, two) = (path(small.waiting.0), path(other));
    small
        .disk
        .tamper(&one, |bytes| bytes.clone_from(&files[&two]));
    small
        .disk
        .tamper(&two, |bytes| bytes.clone_from(&files[&one]));
    let found = verify(&vault).flaws;
    for id in [small.waiting.0, other] {
        assert!(found.iter().any(|flaw| flaw.id == Some(id)), "{found:?}");
    }
    vault.merge().unwrap();
    for one in small.merged {
        assert_eq!(read(&vault, one), Whole::All);
    }
}

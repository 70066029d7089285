//! Bytes of the store changed, cut off and exchanged.

use std::fs;

use super::*;
use crate::error::{Exit, Failure};
use crate::vault::store::rows::ClipId;
use crate::vault::{Error, ShredScope, frame, store};

fn store_file(open: &OpenVault) -> std::path::PathBuf {
    open.vault().dir().join(store::FILE)
}

/// Reads everything; what is damaged is named, and nothing that is read is wrong.
fn read_all(open: &OpenVault, recordings: &[(RecordingId, u8, u32)]) -> Result<usize, Error> {
    let listing = open.listing()?;
    let mut damaged = listing.damaged.len();
    for (id, recording, segments) in recordings {
        let Ok(mut sound) = open.sound(*id) else {
            continue;
        };
        for segment in 0..*segments {
            match sound.next_segment() {
                Ok(read) => assert_eq!(*read.unwrap().packets, packets(*recording, segment)),
                Err(_) => damaged += 1,
            }
        }
        if let Ok(text) = open.transcript(*id, 1) {
            assert_eq!(text.text(), format!("said in {recording}"));
        }
    }
    let mut heard = 0;
    damaged += open
        .newest_transcripts(&mut |_, _, text| {
            assert!(text.text().starts_with("said in "));
            heard += 1;
        })?
        .len();
    Ok(damaged)
}

#[test]
fn a_changed_byte_anywhere_in_the_store_is_named_and_never_believed() {
    let (_dir, open) = new_vault();
    let recordings: Vec<(RecordingId, u8, u32)> = [(1, 12), (2, 3)]
        .map(|(recording, segments)| {
            (
                record(open.vault(), recording, segments),
                recording,
                segments,
            )
        })
        .into();
    open.merge().unwrap();
    for (id, recording, _) in &recordings {
        open.add_transcript(*id, 0, &transcript(&format!("said in {recording}")))
            .unwrap();
    }
    let path = store_file(&open);
    let whole = fs::read(&path).unwrap();
    let (mut named, mut places) = (0, 0);
    for place in (0..whole.len()).step_by(whole.len() / 300) {
        // In every page, at another place of it each time.
        let place = (place & !4095) + (place * 7919) % 4096;
        let Some(byte) = whole.get(place) else {
            continue;
        };
        let mut changed = whole.clone();
        changed[place] = !byte;
        fs::write(&path, &changed).unwrap();
        let open = again(&open);
        if place % 8 == 0 {
            rebuilt(&open, &recordings, place);
            continue;
        }
        for _ in 0..2 {
            // The first time the tree is checked; after that it is trusted.
            match read_all(&open, &recordings) {
                Ok(damaged) => named += damaged,
                Err(error) => {
                    assert_eq!(Failure::from(error).exit, Exit::Damaged, "byte {place}");
                    named += 1;
                }
            }
        }
        places += 1;
    }
    assert!(named > 0 && places > 100, "{named} of {places}");
}

/// A store built anew costs at most the record that the byte lies in.
fn rebuilt(open: &OpenVault, recordings: &[(RecordingId, u8, u32)], place: usize) {
    let rescued = open.rebuild_store().unwrap().records;
    assert!(rescued >= 18, "byte {place}: {rescued} of 19 records");
    assert!(read_all(open, recordings).unwrap() <= 1, "byte {place}");
}

#[test]
fn a_store_built_anew_holds_the_newest_of_everything_and_nothing_shredded() {
    let (_dir, open) = new_vault();
    let (kept, gone) = (record(open.vault(), 1, 25), record(open.vault(), 2, 3));
    open.merge().unwrap();
    open.add_transcript(kept, 0, &transcript("one")).unwrap();
    open.add_transcript(kept, 0, &transcript("two")).unwrap();
    open.update_card(kept, &mut |card| card.title = "edited".to_owned())
        .unwrap();
    open.shred(&[gone], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    let before = (open.recordings().unwrap(), open.revision().unwrap());
    // Sound, words, the card, and what the log says of the shred.
    assert_eq!(open.rebuild_store().unwrap().records, 25 + 2 + 1 + 1);
    assert_eq!(open.recordings().unwrap(), before.0);
    assert_ne!(open.revision().unwrap(), before.1);
    assert_sound(&open, kept, 1, 25);
    assert_eq!(open.transcript(kept, 2).unwrap().text(), "two");
    let file = fs::read(store_file(&open)).unwrap();
    let mut frames = crate::vault::sealed::scan::frames(&file).map(|(_, frame)| frame.facts);
    assert!(frames.all(|facts| facts.id == kept || facts.kind == frame::Kind::Log));
}

#[test]
fn a_store_cut_short_or_gone_is_damage_and_not_an_empty_vault() {
    let (_dir, open) = new_vault();
    record(open.vault(), 1, 12);
    open.merge().unwrap();
    let path = store_file(&open);
    let whole = fs::read(&path).unwrap();
    for length in [0, 1, 4096, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let read = again(&open).listing();
        assert!(
            read.as_ref()
                .map_or(true, |listing| !listing.damaged.is_empty()),
            "{length}: {read:?}"
        );
    }
    fs::remove_file(&path).unwrap();
    let listing = again(&open).listing().unwrap();
    assert!(listing.damaged[0].why.contains("missing"));
}

/// Changes the first sound row of a recording behind the vault's back.
fn change_row(open: &OpenVault, id: RecordingId, change: impl Fn(&mut Vec<u8>)) {
    let at = ClipId { id, epoch: 0 };
    open.session()
        .with(|held| {
            let rows = held
                .store()
                .read(held.lock(), |store| store.begin()?.sound(at, 0, 2))?;
            held.store().write(held.lock(), |writing| {
                writing.delete_sound(id)?;
                for (number, mut row) in rows {
                    if number == 0 {
                        change(&mut row);
                    }
                    writing.add_sound(at, number, &row)?;
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

/// What reading to the end finds: places that were refused.
fn refused(open: &OpenVault, id: RecordingId, segments: u32) -> Vec<String> {
    let mut sound = open.sound(id).unwrap();
    let mut refused = Vec::new();
    for _ in 0..=segments {
        if let Err(error) = sound.next_segment() {
            assert_eq!(Failure::from(Error::damaged("", "")).exit, Exit::Damaged);
            refused.push(error.to_string());
        }
    }
    refused
}

#[test]
fn segments_cut_off_exchanged_or_reordered_are_named_with_their_place() {
    let (_dir, open) = new_vault();
    let (one, two) = (record(open.vault(), 1, 12), record(open.vault(), 2, 12));
    open.merge().unwrap();
    let row_of = |id| {
        open.session()
            .with(|held| {
                held.store().read(held.lock(), |store| {
                    store.begin()?.sound(ClipId { id, epoch: 0 }, 0, 1)
                })
            })
            .unwrap()
            .remove(0)
            .1
    };
    let (mine, other) = (row_of(one), row_of(two));

    change_row(&open, one, |row| row.truncate(row.len() - 10));
    let found = refused(&open, one, 12);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains(&format!("{one}, sound segment 9")),
        "{found:?}"
    );

    change_row(&open, one, |row| {
        let mut frames = frames(&mine);
        frames.swap(2, 3);
        *row = frames.concat();
    });
    assert!(refused(&open, one, 12)[0].contains("not in order"));

    change_row(&open, one, |row| row.clone_from(&other));
    assert!(refused(&open, one, 12)[0].contains("another recording"));

    // Renamed in the clear only: the seal does not fit.
    change_row(&open, one, |row| {
        let frames = frame::run(&other).map(|frame| {
            let frame = frame.unwrap();
            frame::encode(
                &frame::Facts {
                    id: one,
                    ..frame.facts
                },
                frame.body,
            )
            .unwrap()
        });
        *row = frames.collect::<Vec<_>>().concat();
    });
    assert_eq!(refused(&open, one, 12).len(), 10);

    change_row(&open, one, |row| row.clone_from(&mine));
    assert_sound(&open, one, 1, 12);
    // Without its last row.
    open.session()
        .with(|held| {
            held.store().write(held.lock(), |writing| {
                writing.delete_sound(one)?;
                writing
                    .add_sound(ClipId { id: one, epoch: 0 }, 0, &mine)
                    .map(drop)
            })
        })
        .unwrap();
    let found = refused(&open, one, 12);
    assert!(
        found.len() == 2 && found[0].contains("segment 10"),
        "{found:?}"
    );
    assert_sound(&open, two, 2, 12);
}

//! What a kill, a power cut or damage leaves of a recording.

use std::fs;

use super::*;
use crate::recording::State;
use crate::vault::RecordingWriter;
use crate::vault::sealed::frame::{self, Kind};

/// Records and drops the writer, as a kill would.
fn interrupted(vault: &Vault, recording: u8, segments: u32) -> RecordingId {
    let mut writer: RecordingWriter = vault.begin(&card("interrupted")).unwrap();
    for segment in 0..segments {
        writer
            .push(&packets(recording, segment), SEGMENT_SAMPLES)
            .unwrap();
    }
    writer.id()
}

#[test]
fn a_killed_recorder_leaves_a_recording_as_long_as_its_segments() {
    let (_dir, open) = new_vault();
    let mut writer = open.vault().begin(&card("before")).unwrap();
    writer.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
    let heard = Signal {
        peak_dbfs: -1.0,
        ..card("").signal
    };
    writer
        .checkpoint(&Card {
            title: "after".to_owned(),
            signal: heard,
            ..card("")
        })
        .unwrap();
    writer.push(&packets(1, 1), 100).unwrap();
    let id = writer.id();
    drop(writer);

    assert_eq!(open.merge().unwrap().merged, [id]);
    let recording = open.recording(id).unwrap();
    assert_eq!(recording.card.samples, u64::from(SEGMENT_SAMPLES) + 100);
    assert_eq!(
        (recording.card.title.as_str(), recording.card.signal),
        ("after", heard)
    );
    assert_eq!(recording.state(), State::Interrupted);
    let mut sound = open.sound(id).unwrap();
    sound.seek(1);
    assert_eq!(sound.next_segment().unwrap().unwrap().samples, 100);
}

#[test]
fn a_recording_in_progress_is_left_alone_and_a_discarded_one_leaves_nothing() {
    let (_dir, open) = new_vault();
    let mut running = open.vault().begin(&card("running")).unwrap();
    let discarded = open.vault().begin(&card("discarded")).unwrap();
    running.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
    // A rotation adopts the keys of both.
    open.change_settings(&mut |settings| drop(settings.searches.insert("a".into(), "b".into())))
        .unwrap();
    discarded.discard().unwrap();
    let report = open.merge().unwrap();
    assert_eq!(
        (report.running, report.merged),
        (vec![running.id()], vec![])
    );
    running.push(&packets(1, 1), SEGMENT_SAMPLES).unwrap();
    let id = running.finish(&card("done")).unwrap();
    assert_eq!(open.merge().unwrap().merged, [id]);
    assert_sound(&open, id, 1, 2);
    assert_eq!(open.listing().unwrap().damaged, []);
}

#[test]
fn a_file_cut_at_any_place_is_merged_up_to_there_or_was_empty() {
    let (_dir, open) = new_vault();
    let file = |id| inbox_file(open.vault().dir(), id);
    let mut expected = Vec::new();
    let mut cut = 0;
    loop {
        // Each cut is made in a recording of its own; one merge takes them all.
        let id = interrupted(open.vault(), 1, 2);
        let whole = fs::read(file(id)).unwrap();
        let kept = whole.len().min(cut);
        fs::write(file(id), &whole[..kept]).unwrap();
        let segments = frame::run(&whole[..kept])
            .filter(|frame| frame.is_ok_and(|frame| frame.facts.kind == Kind::Sound))
            .count();
        expected.push((cut, id, segments));
        if cut > whole.len() {
            break;
        }
        cut += 64;
    }
    let report = open.merge().unwrap();
    assert_eq!((report.refused, report.damaged), (vec![], vec![]));
    for (cut, id, segments) in expected {
        assert_eq!(report.empty.contains(&id), segments == 0, "cut at {cut}");
        assert_eq!(report.merged.contains(&id), segments > 0, "cut at {cut}");
        if segments > 0 {
            assert_sound(&open, id, 1, segments as u32);
        }
    }
    assert!(open.vault().inbox().unwrap().is_empty());
}

#[test]
fn a_tail_of_zeros_is_a_torn_write_and_no_damage() {
    let (_dir, open) = new_vault();
    let id = interrupted(open.vault(), 1, 3);
    let path = inbox_file(open.vault().dir(), id);
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[length - 1000..].fill(0);
    bytes.resize(length + 5000, 0);
    fs::write(&path, bytes).unwrap();
    let report = open.merge().unwrap();
    assert_eq!((report.merged, report.damaged), (vec![id], vec![]));
    assert_sound(&open, id, 1, 2);
}

#[test]
fn a_foreign_file_is_named_and_left_alone() {
    let (_dir, open) = new_vault();
    let (_other_dir, other) = new_vault();
    let foreign = record(other.vault(), 1, 2);
    let here = inbox_file(open.vault().dir(), foreign);
    fs::create_dir_all(here.parent().unwrap()).unwrap();
    fs::copy(inbox_file(other.vault().dir(), foreign), &here).unwrap();
    fs::write(here.with_file_name("notes.txt"), "mine").unwrap();
    let before = fs::read(&here).unwrap();
    let mine = record(open.vault(), 2, 1);
    let report = open.merge().unwrap();
    assert_eq!(report.merged, [mine]);
    let refused: Vec<&str> = report
        .refused
        .iter()
        .map(|refused| refused.file.as_str())
        .collect();
    assert_eq!(refused, [format!("{foreign}.rec")]);
    assert_eq!(report.strangers, ["notes.txt"]);
    assert_eq!(fs::read(&here).unwrap(), before);
}

#[test]
fn a_file_that_is_still_there_after_its_merge_undoes_no_edit() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 3);
    let path = inbox_file(open.vault().dir(), id);
    let file = fs::read(&path).unwrap();
    open.merge().unwrap();
    open.update_card(id, &mut |card| card.title = "edited".to_owned())
        .unwrap();
    // As if the merge had been killed before its last step.
    fs::write(&path, &file).unwrap();
    let report = open.merge().unwrap();
    assert_eq!(report.merged, []);
    assert!(!path.exists());
    assert_eq!(open.recording(id).unwrap().card.title, "edited");
    // And after a shred it is destroyed, never merged.
    open.shred(&[id], crate::vault::ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    fs::write(&path, &file).unwrap();
    assert_eq!(open.merge().unwrap().merged, []);
    assert!(!path.exists() && open.recordings().unwrap().is_empty());
}

#[test]
fn a_file_cut_short_after_it_was_counted_is_named() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 4);
    let path = inbox_file(open.vault().dir(), id);
    let file = fs::read(&path).unwrap();
    open.merge().unwrap();
    // As if the merge had been killed between the rotation and the rows, and
    // somebody had cut the file before the next one.
    let lock = crate::vault::ground::lock::Lock::take(
        &crate::vault::ground::disk::RealDisk,
        open.vault().dir(),
    )
    .unwrap();
    fs::remove_file(open.vault().dir().join(crate::vault::store::FILE)).unwrap();
    drop(lock);
    fs::write(&path, &file[..file.len() - 2500 - 3081]).unwrap();
    let open = again(&open);
    let report = open.merge().unwrap();
    assert_eq!(report.merged, [id]);
    assert!(
        report.damaged[0].why.contains("4 segments"),
        "{:?}",
        report.damaged
    );
}

/// Changes the file of an interrupted recording behind the vault's back.
fn change(open: &OpenVault, id: RecordingId, change: impl FnOnce(&mut Vec<u8>)) {
    let path = inbox_file(open.vault().dir(), id);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
}

/// Where the frame of this segment begins.
fn place_of(bytes: &[u8], segment: u32) -> usize {
    let is_it =
        |frame: &frame::Frame<'_>| (frame.facts.kind, frame.facts.number) == (Kind::Sound, segment);
    let found = crate::vault::sealed::scan::frames(bytes).find(|(_, frame)| is_it(frame));
    found.expect("the segment").0
}

/// Which segments can be heard; each of them as it was recorded.
fn heard(open: &OpenVault, id: RecordingId, recording: u8, segments: u32) -> Vec<u32> {
    let mut sound = open.sound(id).unwrap();
    assert_eq!(sound.segments(), u64::from(segments));
    let mut heard = Vec::new();
    for segment in 0..segments {
        if let Ok(read) = sound.next_segment() {
            let read = read.unwrap();
            // What is noted as lost has no packets: silence stands in for it.
            if !read.packets.is_empty() {
                assert_eq!(*read.packets, packets(recording, segment));
                heard.push(segment);
            }
        }
    }
    heard
}

#[test]
fn a_flipped_bit_costs_its_own_segment_and_none_behind_it() {
    let length_field = 40..44;
    for at in [0, 20, 32, 40, 41, 42, 43, 50, 100] {
        let (_dir, open) = new_vault();
        let id = interrupted(open.vault(), 1, 25);
        change(&open, id, |bytes| {
            let place = place_of(bytes, 3);
            bytes[place + at] ^= 1;
        });
        let report = open.merge().unwrap();
        assert_eq!(
            (report.merged, report.damaged.len()),
            (vec![id], 1),
            "byte {at}{}",
            if length_field.contains(&at) {
                ", of the length"
            } else {
                ""
            }
        );
        let rest: Vec<u32> = (0..25).filter(|segment| *segment != 3).collect();
        assert_eq!(heard(&open, id, 1, 25), rest, "byte {at}");
        let card = open.recording(id).unwrap().card;
        assert_eq!(card.samples, 25 * u64::from(SEGMENT_SAMPLES));
        assert_eq!(card.gaps.len(), 1);
    }
}

#[test]
fn whole_rows_may_be_lost_and_what_follows_stays() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 45);
    change(&open, id, |bytes| {
        let (from, to) = (place_of(bytes, 8), place_of(bytes, 31));
        bytes[from..to].fill(7);
    });
    let report = open.merge().unwrap();
    assert_eq!((report.merged, report.damaged.len()), (vec![id], 1));
    let rest: Vec<u32> = (0..8).chain(31..45).collect();
    assert_eq!(heard(&open, id, 1, 45), rest);
    assert_eq!(open.recording(id).unwrap().state(), State::Pending);
}

#[test]
fn a_frame_that_no_key_opens_is_passed_over_and_hides_no_other() {
    let (_dir, open) = new_vault();
    let id = interrupted(open.vault(), 1, 5);
    change(&open, id, |bytes| {
        let place = place_of(bytes, 2);
        let facts = frame::parse(&bytes[place..]).unwrap().facts;
        let forged = frame::encode(&facts, &[9; 500]).unwrap();
        bytes.splice(place..place, forged);
    });
    let report = open.merge().unwrap();
    assert_eq!((report.merged, report.damaged.len()), (vec![id], 1));
    assert_sound(&open, id, 1, 5);
}

#[test]
fn a_damaged_first_frame_costs_nothing_once_the_bag_has_the_keys() {
    for at in [0, 42, 100] {
        let (_dir, open) = new_vault();
        let writer = open.vault().begin(&card("running")).unwrap();
        // A rotation adopts its keys.
        open.change_settings(&mut |settings| {
            drop(settings.searches.insert("a".into(), "b".into()));
        })
        .unwrap();
        let mut writer = writer;
        writer.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
        let id = writer.finish(&card("done")).unwrap();
        change(&open, id, |bytes| bytes[at] ^= 1);
        let report = open.merge().unwrap();
        assert_eq!((report.merged, report.damaged.len()), (vec![id], 1), "{at}");
        assert_sound(&open, id, 1, 1);
    }
}

#[test]
fn a_damaged_import_is_kept_and_can_be_imported_again() {
    let (_dir, open) = new_vault();
    let import = || {
        let card = Card {
            source: Source::Import,
            content_hash: Some([7; 32]),
            samples: 2 * u64::from(SEGMENT_SAMPLES),
            ..card("import")
        };
        let mut writer = open.vault().begin_copy(&card).unwrap();
        for segment in 0..2 {
            writer.push(&packets(1, segment), SEGMENT_SAMPLES).unwrap();
        }
        writer.finish(&card).unwrap()
    };
    let damaged = import();
    // The card at its end.
    change(&open, damaged, |bytes| *bytes.last_mut().unwrap() ^= 1);
    let report = open.merge().unwrap();
    assert_eq!((report.merged, report.damaged.len()), (vec![damaged], 1));
    assert_eq!(heard(&open, damaged, 1, 2), [0, 1]);
    let whole = import();
    assert_eq!(open.merge().unwrap().merged, [whole]);
    let again = import();
    assert_eq!(open.merge().unwrap().duplicates[0].id, again);
    // Who shredded the sound may take it in again.
    open.shred(&[whole], crate::vault::ShredScope::Sound, &mut |_, _| ())
        .unwrap();
    let third = import();
    assert_eq!(open.merge().unwrap().merged, [third]);
}

#[test]
fn a_double_waits_with_what_holds_its_sound_where_that_cannot_come_in() {
    let (disk, open) = crash::fresh();
    let import = |added: i64| {
        let card = Card {
            source: Source::Import,
            content_hash: Some([7; 32]),
            added_at: moment(added),
            ..card("import")
        };
        let mut writer = open.vault().begin_copy(&card).unwrap();
        writer.push(&packets(1, 0), SEGMENT_SAMPLES).unwrap();
        writer.finish(&card).unwrap()
    };
    let (first, second) = (import(1000), import(2000));
    disk.break_writes(Some(&inbox_file(open.vault().dir(), first)));
    let report = open.merge().unwrap();
    assert_eq!((report.merged.len(), report.duplicates.len()), (0, 0));
    assert_eq!(report.refused.len(), 1);
    assert_eq!(open.vault().inbox().unwrap().len(), 2);
    disk.break_writes(None);
    let report = open.merge().unwrap();
    assert_eq!(
        (report.merged, report.duplicates[0].id),
        (vec![first], second)
    );
    assert!(open.vault().inbox().unwrap().is_empty());
}

#[test]
fn a_name_in_the_inbox_that_is_no_file_costs_only_itself() {
    let (_dir, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    let strange = [1, 2, 3].map(|number| RecordingId::from_bytes([number; 16]));
    let [directory, link, pipe] = strange.map(|id| inbox_file(&dir, id));
    fs::create_dir_all(&directory).unwrap();
    fs::write(dir.join("elsewhere"), "untouched").unwrap();
    std::os::unix::fs::symlink(dir.join("elsewhere"), link).unwrap();
    let made = std::process::Command::new("mkfifo").arg(pipe).status();
    assert!(made.unwrap().success());
    let id = record(open.vault(), 1, 2);
    assert_eq!(open.vault().inbox().unwrap().len(), 1);
    assert!(open.running().unwrap().is_empty());
    let report = open.merge().unwrap();
    assert_eq!((report.merged, report.refused.len()), (vec![id], 3));
    assert_sound(&open, id, 1, 2);
    // Nor does it keep a recording of that name from being shredded.
    fs::create_dir(inbox_file(&dir, id)).unwrap();
    let everything = crate::vault::ShredScope::Everything;
    let receipt = open.shred(&[id], everything, &mut |_, _| ()).unwrap();
    assert_eq!(receipt.not_final, None);
    assert!(open.recordings().unwrap().is_empty());
    assert_eq!(fs::read(dir.join("elsewhere")).unwrap(), b"untouched");
}

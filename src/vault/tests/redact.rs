//! A span taken out of a recording: whole before or whole after, wherever the
//! power is cut, and never to be had again.

use super::crash::{at_every_cut, fresh};
use super::forensic::{bag_of, files, keys};
use super::*;
use crate::crypto::open as unseal;
use crate::vault::keys::bag::Bag;
use crate::vault::sealed::scan;
use crate::vault::store::rows::Share;
use crate::vault::{Error, Receipt, Redaction, Result, ShredScope};

/// Takes out segments 3 and 4 and every transcript's first word.
struct Span;

const SILENT: [u8; 2800] = [0x55; 2800];
const SPAN: std::ops::Range<u32> = 3..5;

impl Redaction for Span {
    fn silence(&self, segment: u32, packets: &mut [u8]) {
        if SPAN.contains(&segment) {
            packets.copy_from_slice(&SILENT);
        }
    }

    fn blank(&self, _number: u32, old: &Transcript) -> Option<Transcript> {
        let text = blanked(&old.segments[0].text)?;
        let mut new = old.clone();
        new.segments[0].text = text;
        Some(new)
    }

    fn trim(&self, card: &mut Card) {
        card.markers.retain(|at| *at == 0);
    }
}

fn blanked(text: &str) -> Option<String> {
    let (first, rest) = text.split_once(' ')?;
    (first != "[redacted]").then(|| format!("[redacted] {rest}"))
}

fn nothing(_: u64, _: u64) {}

fn redact(open: &OpenVault, id: RecordingId) -> Receipt {
    open.redact(id, &Span, &mut nothing).unwrap().receipt
}

fn prepared(open: &OpenVault, recording: u8) -> RecordingId {
    let id = record(open.vault(), recording, 13);
    open.merge().unwrap();
    for text in ["secretly said", "clandestinely said"] {
        open.add_transcript(id, 0, &transcript(text)).unwrap();
    }
    open.update_card(id, &mut |card| card.markers = vec![0, 4 * 38_400])
        .unwrap();
    id
}

fn assert_redacted(open: &OpenVault, id: RecordingId, number: u8, when: &str) {
    let recording = open.recording(id).unwrap();
    assert_eq!(recording.versions.len(), 2, "{when}");
    assert_eq!(recording.card.markers, [0], "{when}");
    let mut sound = open.sound(id).unwrap();
    for segment in 0..13 {
        let read = sound.next_segment().unwrap().expect("a segment");
        let due = match SPAN.contains(&segment) {
            true => SILENT.to_vec(),
            false => packets(number, segment),
        };
        assert_eq!(*read.packets, due, "{when}, segment {segment}");
        assert_eq!(read.samples, SEGMENT_SAMPLES);
    }
    assert!(sound.next_segment().unwrap().is_none(), "{when}");
    for version in 1..=2 {
        let words = open.transcript(id, version).unwrap();
        assert_eq!(words, transcript("[redacted] said"), "{when}");
    }
}

/// Epochs of every card in the store, and whether a note is left.
fn epochs(open: &OpenVault) -> (Vec<(RecordingId, u32)>, usize) {
    let look = |held: &mut crate::vault::session::Held<'_>| {
        held.store().read(held.lock(), |store| {
            let (rows, mut found) = (store.begin()?, Vec::new());
            for share in Share::split(1) {
                rows.each_card(share, |at, _| {
                    found.push((at.id, at.epoch));
                    Ok(())
                })?;
            }
            Ok((found, rows.rekeyed()?.len()))
        })
    };
    open.session().with(look).unwrap()
}

#[test]
fn a_redaction_keeps_everything_but_the_span() {
    let (_dir, open) = new_vault();
    let id = prepared(&open, 1);
    let before = open.recording(id).unwrap();
    let mut heard = Vec::new();
    let done = open
        .redact(id, &Span, &mut |done, of| heard.push((done, of)))
        .unwrap();
    assert_eq!((done.transcripts, done.lost_segments), (2, 0));
    assert_eq!((done.receipt.not_final, done.lost_transcripts), (None, 0));
    assert!(heard.iter().all(|(done, of)| done <= of && *of == 13));
    let after = open.recording(id).unwrap();
    assert_eq!((before.epoch, after.epoch), (0, 1));
    assert_eq!(after.audio_bytes, before.audio_bytes, "the same size");
    assert_eq!(
        (after.card.title, after.card.samples, after.versions),
        (before.card.title, before.card.samples, before.versions)
    );
    assert_redacted(&open, id, 1, "here");
    assert_redacted(&again(&open), id, 1, "in another process");
    // Twice is once more: another epoch, and nothing else changes.
    let twice = open.redact(id, &Span, &mut nothing).unwrap();
    assert_eq!(twice.transcripts, 0);
    assert_redacted(&open, id, 1, "twice");
    assert_eq!(epochs(&open), (vec![(id, 2)], 0));
    open.rebuild_store().unwrap();
    assert_redacted(&open, id, 1, "after a rescue");
}

#[test]
fn after_a_redaction_no_key_that_the_passphrase_reaches_opens_the_span() {
    let (_dir, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    let (id, live) = (prepared(&open, 1), prepared(&open, 2));
    let bag_before = bag_of(&open);
    redact(&open, id);
    let open = again(&open);
    let found = |bag: &Bag, id: RecordingId, secret: &[u8]| -> usize {
        let plain = |bytes: &Vec<u8>| -> usize {
            scan::frames(bytes)
                .filter(|(_, frame)| frame.facts.id == id)
                .flat_map(|(_, frame)| keys(bag).into_iter().map(move |key| (key, frame.body)))
                .filter_map(|(key, body)| unseal(key, body).ok())
                .filter(|plain| plain.windows(secret.len()).any(|window| window == secret))
                .count()
        };
        files(&dir).iter().map(plain).sum()
    };
    let bag = bag_of(&open);
    for segment in SPAN {
        let (gone, kept) = (packets(1, segment), packets(2, segment));
        assert_eq!(found(&bag, id, &gone), 0, "segment {segment}");
        assert!(found(&bag, live, &kept) > 0, "the control");
    }
    assert!(
        found(&bag, id, &packets(1, 2)) > 0,
        "the next segment stays"
    );
    for word in ["secretly", "clandestinely"] {
        assert_eq!(found(&bag, id, word.as_bytes()), 0, "{word}");
        assert!(found(&bag, live, word.as_bytes()) > 0, "the control");
    }
    assert!(found(&bag, id, b"[redacted] said") >= 2);
    // The old rows are still there, as redb leaves them: it is the keys that are
    // gone.
    assert!(found(&bag_before, id, &packets(1, 3)) > 0, "the control");
    assert_sound(&open, live, 2, 13);
}

#[test]
fn a_redaction_interrupted_anywhere_leaves_the_recording_whole_before_or_after() {
    let (disk, open) = fresh();
    let (id, live) = (prepared(&open, 1), prepared(&open, 2));
    drop(open);
    let (before, after) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let operations = at_every_cut(
        &disk,
        |open| {
            let done = open.redact(id, &Span, &mut nothing)?;
            // Past the commit nothing is undone; the receipt says what failed.
            let rows = |line: &crate::vault::NotErased| line.where_ == "store.redb";
            let failed = done.receipt.not_erased.iter().any(rows);
            match done.receipt.not_final.is_some() || failed {
                true => Err(Error::damaged("the receipt", "not final")),
                false => Ok(()),
            }
        },
        |open, when| {
            assert_eq!(open.listing().unwrap().damaged, [], "{when}");
            match open.recording(id).unwrap().epoch {
                0 => {
                    before.set(before.get() + 1);
                    assert_sound(open, id, 1, 13);
                    assert_eq!(
                        open.transcript(id, 1).unwrap(),
                        transcript("secretly said"),
                        "{when}"
                    );
                }
                _ => {
                    after.set(after.get() + 1);
                    assert_redacted(open, id, 1, when);
                }
            }
            // The next merge deletes what is left over.
            let epoch = open.recording(id).unwrap().epoch;
            open.merge().unwrap();
            let mut due = vec![(id, epoch), (live, 0)];
            due.sort_unstable();
            assert_eq!(epochs(open), (due, 0), "{when}");
            assert_sound(open, live, 2, 13);
            // Once more ends it, whatever was left.
            assert_eq!(redact(open, id).not_final, None, "{when}");
            assert_redacted(open, id, 1, when);
        },
    );
    assert!(operations > 30, "{operations}");
    assert!(
        before.get() > 30 && after.get() > 10,
        "{before:?} {after:?}"
    );
}

#[test]
fn what_a_cut_redaction_left_without_a_key_is_deleted_by_the_next_try() {
    let (disk, open) = fresh();
    let id = prepared(&open, 1);
    // The disk fills up while rows are written.
    disk.leave_room(60_000);
    let error = open.redact(id, &Span, &mut nothing).unwrap_err();
    assert!(error.is_no_space(), "{error}");
    disk.leave_room(10 << 20);
    assert_sound(&open, id, 1, 13);
    redact(&open, id);
    assert_redacted(&open, id, 1, "after");
    assert_eq!(epochs(&open), (vec![(id, 1)], 0));
}

#[test]
fn an_old_inbox_file_put_back_does_not_bring_the_span_back() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 13);
    let file = inbox_file(open.vault().dir(), id);
    let old = std::fs::read(&file).unwrap();
    // A recording in the inbox comes in first.
    redact(&open, id);
    std::fs::write(&file, &old).unwrap();
    let report = open.merge().unwrap();
    assert_eq!((report.merged, report.damaged), (vec![], vec![]));
    assert!(!file.exists());
    assert_eq!(open.recording(id).unwrap().epoch, 1);
    // Also where the card is lost, and with it the sign that it came in once.
    open.session()
        .with(|held| held.store().write(held.lock(), |rows| rows.delete_all(id)))
        .unwrap();
    std::fs::write(&file, &old).unwrap();
    assert_eq!(open.merge().unwrap().refused, []);
    assert!(!file.exists());
}

#[test]
fn an_old_inbox_file_of_a_redacted_recording_is_told_once_and_hides_no_damage_of_it() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 13);
    let file = inbox_file(open.vault().dir(), id);
    let old = std::fs::read(&file).unwrap();
    redact(&open, id);
    let verify = || open.verify(&|_, _| ()).unwrap();
    let control = verify();
    std::fs::write(&file, &old).unwrap();
    let found = verify();
    assert_eq!((&found.flaws, found.recordings), (&vec![], 1));
    assert_eq!(found.records, control.records);
    let of_file = |note: &&String| note.contains(&id.to_string());
    let notes: Vec<_> = found.notes.iter().filter(of_file).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("it is in the store already"), "{notes:?}");
    // Its card is not still to come.
    open.session()
        .with(|held| held.store().write(held.lock(), |rows| rows.delete_all(id)))
        .unwrap();
    let found = verify();
    let of_it = |flaw: &crate::vault::Flaw| flaw.id == Some(id);
    assert!(found.flaws.iter().any(of_it), "{found:?}");
    // One that was shredded is.
    open.shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    std::fs::write(&file, &old).unwrap();
    let found = verify();
    assert_eq!((&found.flaws, found.recordings), (&vec![], 0));
    let says = |note: &String| note.contains("a recording that was shredded");
    assert!(found.notes.iter().any(says), "{found:?}");
}

#[test]
fn who_worked_on_the_recording_of_before_is_told_that_it_is_outdated() {
    let (_dir, open) = new_vault();
    let id = prepared(&open, 1);
    let mut playing = open.sound(id).unwrap();
    redact(&open, id);
    assert!(matches!(
        playing.next_segment(),
        Err(Error::Outdated { .. })
    ));
    let late = open.add_transcript(id, 0, &transcript("secretly said"));
    assert!(matches!(late, Err(Error::Outdated { .. })));
    assert_eq!(open.recording(id).unwrap().versions.len(), 2);
    assert_eq!(open.add_transcript(id, 1, &transcript("x")).unwrap(), 3);
}

#[test]
fn what_was_shredded_before_stays_so_and_what_was_redacted_can_be_shredded() {
    let (_dir, open) = new_vault();
    let id = prepared(&open, 1);
    let shred = |scope| -> Result<Receipt> { open.shred(&[id], scope, &mut nothing) };
    shred(ShredScope::Sound).unwrap();
    redact(&open, id);
    assert!(matches!(open.sound(id), Err(Error::NoSound { .. })));
    assert_eq!(open.recording(id).unwrap().audio_bytes, 0);
    assert_eq!(
        open.transcript(id, 1).unwrap(),
        transcript("[redacted] said")
    );
    shred(ShredScope::Everything).unwrap();
    assert!(matches!(open.recording(id), Err(Error::NoRecording { .. })));
    assert!(matches!(
        open.redact(id, &Span, &mut nothing),
        Err(Error::NoRecording { .. })
    ));
    let bag = bag_of(&open);
    assert!(bag.is_tombstoned(id, 1) && !bag.is_tombstoned(id, 2));
    shred(ShredScope::Everything).unwrap();
}

#[test]
fn damage_outside_the_span_keeps_nobody_from_redacting_and_is_a_gap_from_then_on() {
    let (_dir, open) = new_vault();
    let id = prepared(&open, 1);
    let path = open.vault().dir().join("store.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    let frame = |bytes: &[u8], number| {
        let wanted = |frame: &scan::Found<'_>| match frame.what {
            scan::What::Frame(frame) => {
                frame.facts.kind == super::super::sealed::frame::Kind::Sound
                    && frame.facts.number == number
            }
            _ => false,
        };
        scan::scan(bytes).find(wanted).unwrap().at
    };
    let at = frame(&bytes, 7);
    bytes[at + 200] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let done = open.redact(id, &Span, &mut nothing).unwrap();
    assert_eq!(done.lost_segments, 1);
    let noted = &open.recording(id).unwrap().card.gaps;
    let per_segment = u64::from(SEGMENT_SAMPLES);
    let gap = crate::recording::Gap {
        at_sample: 7 * per_segment,
        samples: per_segment,
    };
    assert_eq!(*noted, [gap]);
    let mut sound = open.sound(id).unwrap();
    while sound.next_segment().unwrap().is_some() {}
    // A gap that is known is told once.
    let again = open.redact(id, &Span, &mut nothing).unwrap();
    assert_eq!(again.lost_segments, 0);
    assert_eq!(open.recording(id).unwrap().card.gaps, [gap]);
}

#[test]
fn a_running_recording_is_not_redacted() {
    let (_dir, open) = new_vault();
    let writer = open.vault().begin(&card("running")).unwrap();
    let refused = open.redact(writer.id(), &Span, &mut nothing);
    assert!(matches!(refused, Err(Error::Running { .. })));
}

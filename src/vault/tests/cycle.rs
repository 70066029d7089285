//! From the microphone to the receipt.

use super::*;
use crate::error::{Exit, Failure};
use crate::vault::{Error, ShredScope};

#[test]
fn what_was_recorded_while_locked_is_read_after_unlocking_edited_and_shredded() {
    let (_dir, open) = new_vault();
    let locked = Vault::open(open.vault().dir()).unwrap();
    let id = record(&locked, 1, 25);
    assert!(open.recordings().unwrap().is_empty());
    assert_eq!(locked.inbox().unwrap()[0].segments, 25);

    let report = open.merge().unwrap();
    assert_eq!(report.merged, [id]);
    assert!(locked.inbox().unwrap().is_empty());
    let recording = &open.recordings().unwrap()[0];
    assert_eq!(
        (recording.id, recording.card.title.as_str()),
        (id, "recording 1")
    );
    assert_eq!(recording.card.ending, Ending::Complete);
    assert!(recording.audio_bytes > 25 * 2800 && recording.waits_for_transcript());
    assert_sound(&open, id, 1, 25);

    let said = transcript("the bees are well");
    assert_eq!(open.add_transcript(id, 0, &said).unwrap(), 1);
    assert_eq!(
        open.add_transcript(id, 0, &transcript("the bees are swell"))
            .unwrap(),
        2
    );
    assert_eq!(open.transcript(id, 1).unwrap(), said);
    let edited = open
        .update_card(id, &mut |card| card.title = "bees".to_owned())
        .unwrap();
    assert_eq!(edited.title, "bees");

    let other = again(&open);
    let recording = other.recording(id).unwrap();
    assert_eq!(
        (recording.card.title.as_str(), recording.versions.len()),
        ("bees", 2)
    );
    let mut newest = Vec::new();
    other
        .newest_transcripts(&mut |id, number, text| newest.push((id, number, text.text())))
        .unwrap();
    assert_eq!(newest, [(id, 2, "the bees are swell".to_owned())]);

    let mut steps = Vec::new();
    let receipt = open
        .shred(&[id], ShredScope::Everything, &mut |done, of| {
            steps.push((done, of))
        })
        .unwrap();
    assert_eq!(
        (receipt.shredded[0].id, receipt.shredded[0].transcripts),
        (id, Some(2))
    );
    assert_eq!(receipt.shredded[0].audio_bytes, Some(recording.audio_bytes));
    assert!(receipt.failure().is_none() && !receipt.erased.is_empty());
    assert!(
        receipt
            .not_erased
            .iter()
            .any(|line| line.why.contains("SSD"))
    );
    assert_eq!(steps.last(), Some(&(4, 4)));
    // The other process notices by itself.
    assert!(other.recordings().unwrap().is_empty());
    assert!(matches!(other.sound(id), Err(Error::NoRecording { .. })));
}

#[test]
fn the_revision_grows_with_every_change_and_with_nothing_else() {
    let (_dir, open) = new_vault();
    let mut last = open.revision().unwrap();
    let mut grown = |what: &str| {
        let now = open.revision().unwrap();
        assert!(now > last, "{what}");
        last = now;
    };
    let id = record(open.vault(), 1, 2);
    open.merge().unwrap();
    grown("merge");
    open.add_transcript(id, 0, &transcript("words")).unwrap();
    grown("transcript");
    open.update_card(id, &mut |card| card.pinned = true)
        .unwrap();
    grown("edit");
    open.shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    grown("shred");
    open.recordings().unwrap();
    assert_eq!(open.revision().unwrap(), last);
}

#[test]
fn shredding_the_sound_leaves_words_and_card() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 12);
    // Still in the inbox: the shred takes it in first.
    let receipt = open
        .shred(&[id], ShredScope::Sound, &mut |_, _| ())
        .unwrap();
    assert!(receipt.shredded[0].audio_bytes > Some(0));
    open.add_transcript(id, 0, &transcript("kept")).unwrap();
    let recording = open.recording(id).unwrap();
    assert_eq!((recording.audio_bytes, recording.versions.len()), (0, 1));
    assert!(!recording.waits_for_transcript());
    assert!(matches!(open.sound(id), Err(Error::NoSound { .. })));
    assert_eq!(open.merge().unwrap().merged, []);
}

#[test]
fn a_transcript_that_is_to_be_the_first_is_not_put_on_top_of_one_that_came_meanwhile() {
    let (_dir, open) = new_vault();
    let other = again(&open);
    let (id, late) = (record(open.vault(), 1, 2), record(open.vault(), 2, 2));
    open.merge().unwrap();
    let first = |id, epoch, text| open.add_first_transcript(id, epoch, &transcript(text));
    other
        .add_transcript(id, 0, &transcript("corrected"))
        .unwrap();
    let revision = open.revision().unwrap();
    assert_eq!(first(id, 0, "heard as well").unwrap(), None);
    assert_eq!(open.revision().unwrap(), revision);
    assert_eq!(open.recording(id).unwrap().versions.len(), 1);

    assert_eq!(first(late, 0, "heard").unwrap(), Some(1));
    assert_eq!(first(late, 0, "heard again").unwrap(), None);
    let outdated = |made| matches!(made, Err(Error::Outdated { .. }));
    open.shred(&[late], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    assert!(outdated(first(late, 0, "too late")));
}

#[test]
fn a_result_for_a_shredded_recording_is_dropped() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 1, 2);
    open.merge().unwrap();
    assert!(matches!(
        open.add_transcript(id, 1, &transcript("another epoch")),
        Err(Error::Outdated { .. })
    ));
    let mut sound = open.sound(id).unwrap();
    open.shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    assert!(matches!(
        open.add_transcript(id, 0, &transcript("late")),
        Err(Error::Outdated { .. })
    ));
    assert!(matches!(sound.next_segment(), Err(Error::Outdated { .. })));
}

#[test]
fn the_same_import_is_kept_once_and_named() {
    let (_dir, open) = new_vault();
    let import = |added: i64| {
        let mut card = card("tape");
        card.source = Source::Import;
        card.content_hash = Some([9; 32]);
        card.added_at = moment(added);
        let mut writer = open.vault().begin(&card).unwrap();
        writer.push(&packets(1, 0), 100).unwrap();
        writer.finish(&card).unwrap()
    };
    let (second, first) = (import(2000), import(1000));
    let report = open.merge().unwrap();
    assert_eq!(report.merged, [first]);
    assert_eq!(
        (report.duplicates[0].id, report.duplicates[0].of),
        (second, first)
    );
    let third = import(3000);
    let report = open.merge().unwrap();
    assert_eq!(
        (report.duplicates[0].id, report.duplicates[0].of),
        (third, first)
    );
    assert!(open.vault().inbox().unwrap().is_empty());
    assert_eq!(open.recordings().unwrap().len(), 1);
}

#[test]
fn newest_first_by_when_it_was_spoken_then_by_when_it_came_in() {
    let (_dir, open) = new_vault();
    for (title, recorded, added) in [("old", 1, 9), ("newer", 2, 1), ("newest", 2, 2)] {
        let mut card = card(title);
        let later = |ms: i64| moment(4_000_000_000_000 + ms);
        (card.recorded_at, card.added_at) = (later(recorded), later(added));
        open.vault().begin(&card).unwrap().finish(&card).unwrap();
    }
    open.merge().unwrap();
    let titles: Vec<String> = open
        .recordings()
        .unwrap()
        .into_iter()
        .map(|recording| recording.card.title)
        .collect();
    assert_eq!(titles, ["newest", "newer", "old"]);
}

#[test]
fn failures_end_with_the_exit_codes_of_the_manual() {
    let (dir, open) = new_vault();
    let exit = |error: Error| Failure::from(error).exit;
    let missing = Vault::open(dir.path()).unwrap_err();
    let failure = Failure::from(missing);
    assert_eq!(
        (failure.exit, failure.hint.as_deref()),
        (Exit::NotFound, Some("voxvault init"))
    );
    let wrong = Passphrase::new("not these words".to_owned());
    assert_eq!(
        exit(open.vault().unlock(&wrong).err().unwrap()),
        Exit::Locked
    );
    let id = RecordingId::from_bytes([1; 16]);
    assert_eq!(exit(open.recording(id).unwrap_err()), Exit::NotFound);
    let nothing = open.shred(&[id], ShredScope::Everything, &mut |_, _| ());
    assert_eq!(exit(nothing.unwrap_err()), Exit::NotFound);
    let running = open.vault().begin(&card("running")).unwrap();
    let refused = open.shred(&[running.id()], ShredScope::Everything, &mut |_, _| ());
    let failure = Failure::from(refused.unwrap_err());
    assert_eq!(
        (failure.exit, failure.hint.as_deref()),
        (Exit::Failed, Some("stop it first"))
    );
}

#[test]
fn every_sealed_segment_of_ten_fits_a_row_of_32_kib() {
    let (_dir, open) = new_vault();
    record(open.vault(), 1, 1);
    let bytes = open.vault().inbox().unwrap();
    let file = std::fs::read(inbox_file(open.vault().dir(), bytes[0].id)).unwrap();
    let sound: Vec<usize> = crate::vault::sealed::frame::run(&file)
        .map(|frame| frame.unwrap())
        .filter(|frame| frame.facts.kind == crate::vault::sealed::frame::Kind::Sound)
        .map(|frame| frame.bytes.len())
        .collect();
    assert_eq!(sound, [64 + 149 + 32 + 32 + 4 + 2800]);
    assert!(sound[0] < 3260);
}

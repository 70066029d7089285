//! Damage to what waits in the inbox: kept or named, and never destroyed in silence.

use super::*;
use crate::recording::{Card, RecordingId, SEGMENT_SAMPLES, Source};
use crate::vault::tests::card;
use crate::vault::{RecordingWriter, inbox};

const SEGMENTS: u32 = 6;

/// A vault in whose inbox one recording waits, which was acknowledged.
fn with_one(source: Source) -> (SimDisk, RecordingId) {
    let disk = SimDisk::default();
    let open = new_vault(&disk);
    let (writer, card) = before_its_end(open.vault(), source);
    (disk, writer.finish(&card).unwrap())
}

/// A recording with all its sound and a transcript, before its end.
fn before_its_end(vault: &Vault, source: Source) -> (RecordingWriter, Card) {
    let card = Card {
        source,
        content_hash: (source == Source::Import).then_some([7; 32]),
        ..card("recording 9")
    };
    let writer = match source {
        Source::Import => vault.begin_copy(&card),
        _ => vault.begin(&card),
    };
    let mut writer = writer.unwrap();
    for segment in 0..SEGMENTS {
        writer.push(&packets(9, segment), SEGMENT_SAMPLES).unwrap();
    }
    writer.add_transcript(&transcript("said in 9")).unwrap();
    (writer, card)
}

fn file_of(id: RecordingId) -> PathBuf {
    inbox::path(Path::new(DIR), id)
}

/// How many bytes the keys have, how many they have with the first draft, and how many
/// whole segments stand in so many of the first bytes.
fn frames(bytes: &[u8], first: usize) -> (usize, usize, u32) {
    let mut frames = crate::vault::scan::frames(bytes);
    let keys = frames.next().expect("keys").1.bytes.len();
    let (at, draft) = frames.next().expect("a draft");
    let is_sound = |frame: &crate::vault::frame::Frame<'_>| {
        frame.facts.kind == crate::vault::frame::Kind::Sound
    };
    let whole = frames.filter(|(at, frame)| is_sound(frame) && at + frame.bytes.len() <= first);
    let whole = whole.count() as u32;
    (keys, at + draft.bytes.len(), whole)
}

#[test]
fn what_was_acknowledged_and_lost_its_end_is_kept_and_named_whatever_was_lost() {
    for source in [Source::Import, Source::Mic, Source::Stdin] {
        let (disk, id) = with_one(source);
        let bytes = disk.files()[&file_of(id)].len();
        let near = [1, 16, 65, 512, 1000, 1500];
        let lost = near.into_iter().chain((2000..bytes).step_by(1487));
        for lost in lost.chain([bytes]) {
            for zeros in [false, true] {
                let at = format!("{source:?}, {lost} bytes lost, zeros: {zeros}");
                loses_its_end(&disk.fork(), id, lost, zeros.then_some(lost), &at);
            }
        }
    }
}

/// Cuts a recording's file, puts so many zeros there, and looks how it is told.
fn loses_its_end(disk: &SimDisk, id: RecordingId, lost: usize, zeros: Option<usize>, at: &str) {
    let file = file_of(id);
    let bytes = disk.files()[&file].clone();
    let left = bytes.len() - lost;
    disk.tamper(&file, |bytes| {
        bytes.truncate(left);
        bytes.resize(left + zeros.unwrap_or(0), 0);
    });
    if disk.files()[&file] == bytes {
        // What it ended with were zeros.
        return;
    }
    let open = open(disk).unwrap();
    let (_, _, segments) = frames(&bytes, left);
    let (found, repaired) = (verify(&open), repair(&open));
    let is_named = |verified: &Verified| {
        let mut flaws = verified.flaws.iter();
        flaws.any(|flaw| flaw.id == Some(id) && !flaw.mended)
    };
    assert!(is_named(&found), "{at}: {found:?}");
    assert!(is_named(&repaired), "{at}: {repaired:?}");
    if segments == 0 {
        assert!(disk.files().contains_key(&file), "{at}: it stays");
        return;
    }
    let kept = open
        .recording(id)
        .unwrap_or_else(|error| panic!("{at}: {error}"));
    assert_eq!(kept.card.ending, crate::recording::Ending::Interrupted);
    assert_eq!(kept.card.content_hash, None, "it can be imported again");
    assert_sound(&open, id, 9, segments);
}

#[test]
fn a_recording_whose_recorder_died_is_merged_and_is_no_damage() {
    let disk = SimDisk::default();
    let vault = new_vault(&disk);
    let (writer, _) = before_its_end(vault.vault(), Source::Mic);
    let id = writer.id();
    drop(writer);
    drop(vault);
    let mark = inbox::mark(Path::new(DIR), id);
    assert!(disk.files().contains_key(&mark));
    let open = open(&disk).unwrap();
    assert_eq!(verify(&open).flaws, []);
    let report = open.merge().unwrap();
    assert_eq!((report.merged, report.damaged), (vec![id], Vec::new()));
    assert_sound(&open, id, 9, SEGMENTS);
    assert!(!disk.files().contains_key(&mark));
}

#[test]
fn an_import_that_was_cut_off_is_dropped_by_name_and_is_no_damage() {
    for finished in [false, true] {
        let disk = SimDisk::default();
        let vault = new_vault(&disk);
        let (writer, card) = before_its_end(vault.vault(), Source::Import);
        let id = writer.id();
        match finished {
            true => drop(writer.finish(&card).unwrap()),
            false => drop(writer),
        }
        let marks = |disk: &SimDisk| {
            let files = disk.files().into_keys();
            files
                .filter(|path| path.extension().is_some_and(|end| end == "open"))
                .count()
        };
        assert_eq!(marks(&disk), usize::from(!finished));
        drop(vault);
        let open = open(&disk).unwrap();
        let says = |verified: &Verified| {
            let mut notes = verified.notes.iter();
            notes.any(|note| note.contains(&id.to_string()) && note.contains("is still there"))
        };
        let found = verify(&open);
        assert_eq!(
            (found.flaws.len(), says(&found)),
            (0, !finished),
            "{found:?}"
        );
        let merged = Vault::open_at(site(&disk.fork())).unwrap();
        let merged = merged.unlock(&passphrase()).unwrap().merge().unwrap();
        assert_eq!(merged.unended.contains(&id), !finished, "{merged:?}");
        let repaired = repair(&open);
        assert_eq!((repaired.flaws.len(), says(&repaired)), (0, !finished));
        assert_eq!(open.recording(id).is_ok(), finished);
        assert_eq!(marks(&disk), 0);
        assert!(!disk.files().contains_key(&file_of(id)));
    }
}

#[test]
fn a_mark_whose_recording_is_not_there_is_noted_and_removed() {
    let (disk, id) = with_one(Source::Import);
    let open = open(&disk).unwrap();
    open.merge().unwrap();
    let mark = inbox::mark(Path::new(DIR), id);
    drop(crate::vault::ground::disk::put(&disk, &mark, b"").unwrap());
    let found = verify(&open);
    assert_eq!((found.flaws.len(), found.notes.len()), (0, 1), "{found:?}");
    let report = open.merge().unwrap();
    assert_eq!(report.strangers, [] as [String; 0]);
    assert!(!disk.files().contains_key(&mark));
    assert_eq!(verify(&open).notes, [] as [String; 0]);
}

#[test]
fn zeros_in_the_place_of_what_was_on_the_disk_are_damage_and_the_file_is_kept() {
    let disk = SimDisk::default();
    let open = new_vault(&disk);
    let id = record(open.vault(), 1, 20);
    let file = file_of(id);
    let whole = disk.files()[&file].clone();
    let (keys, draft, _) = frames(&whole, 0);
    // From somewhere in the keys, or behind them, up to the end.
    for from in [0, 63, keys - 1, keys, draft, draft + 5000] {
        let disk = disk.fork();
        disk.tamper(&file, |bytes| bytes[from..].fill(0));
        let open = super::open(&disk).unwrap();
        let of_it = |flaw: &Flaw| flaw.id == Some(id);
        let found = verify(&open);
        assert!(found.flaws.iter().any(of_it), "{from}: {found:?}");
        let report = open.merge().unwrap();
        assert_eq!(report.empty, [], "{from}");
        assert_eq!(report.refused.len() + report.damaged.len(), 1, "{from}");
        let is_kept = disk.files().contains_key(&file);
        assert_eq!(is_kept, report.merged.is_empty(), "{from}");
    }
}

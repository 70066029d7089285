//! The vault through the library: recordings made of known bytes, and whether
//! they are all there.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableTable as _, TableDefinition};
use voxvault::crypto::{Passphrase, WorkFactor};
use voxvault::recording::{Card, Ending, Moment, RecordingId, SEGMENT_SAMPLES, Signal, Source};
use voxvault::transcript::{Segment, Transcript};
use voxvault::vault::disk::Disk;
use voxvault::vault::frame;
use voxvault::vault::site::Site;
use voxvault::vault::{InitOptions, OpenVault, RecordingWriter, Vault};

use super::PASSPHRASE;

/// Bytes in a segment of sound.
const SEGMENT_BYTES: usize = 2_800;

/// A passphrase as the library takes it.
pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

/// The place of a vault on a disk of the test's own.
pub(crate) fn site(dir: &Path, disk: impl Disk + 'static) -> Site {
    Site {
        disk: Arc::new(disk),
        ..Site::new(dir, None)
    }
}

/// Makes a vault that opens at once.
pub(crate) fn init(site: Site) -> OpenVault {
    let options = InitOptions {
        work: WorkFactor::NONE,
        ..InitOptions::default()
    };
    Vault::init_at(site, &passphrase(PASSPHRASE), options).unwrap()
}

/// Opens a vault with this passphrase.
pub(crate) fn unlock(dir: &Path, with: &str) -> OpenVault {
    Vault::open(dir).unwrap().unlock(&passphrase(with)).unwrap()
}

/// A card for a recording of so many whole segments.
pub(crate) fn card(title: &str, segments: u32) -> Card {
    let moment = Moment {
        unix_ms: 1_763_800_000_000,
        offset_s: 0,
    };
    Card {
        title: title.to_owned(),
        recorded_at: moment,
        added_at: moment,
        tags: vec!["tagged".to_owned()],
        note: String::new(),
        pinned: false,
        source: Source::Mic,
        device: None,
        samples: u64::from(segments) * u64::from(SEGMENT_SAMPLES),
        pre_skip: 312,
        signal: Signal {
            peak_dbfs: -6.0,
            rms_dbfs: -24.0,
            silent_fraction: 0.0,
            clipped_fraction: 0.0,
        },
        gaps: Vec::new(),
        markers: Vec::new(),
        content_hash: None,
        ending: Ending::Complete,
        failure: None,
    }
}

/// The packets of a segment: like those of no other title or number.
pub(crate) fn packets(title: &str, number: u32) -> Vec<u8> {
    let mut state = title.bytes().fold(u64::from(number) + 1, |state, byte| {
        state.wrapping_mul(1_099_511_628_211) ^ u64::from(byte)
    });
    let byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(byte).take(SEGMENT_BYTES).collect()
}

/// Begins a recording of this title and puts so many segments into it.
pub(crate) fn begin(vault: &Vault, title: &str, segments: u32) -> RecordingWriter {
    let mut writer = vault.begin(&card(title, 0)).unwrap();
    for number in 0..segments {
        writer
            .push(&packets(title, number), SEGMENT_SAMPLES)
            .unwrap();
    }
    writer
}

/// A whole recording, in the inbox.
pub(crate) fn record(vault: &Vault, title: &str, segments: u32) -> RecordingId {
    begin(vault, title, segments)
        .finish(&card(title, segments))
        .unwrap()
}

/// A transcript that says this.
pub(crate) fn transcript(text: &str) -> Transcript {
    Transcript {
        model: "tiny.en".to_owned(),
        settings: String::new(),
        language: "en".to_owned(),
        made_at: card("", 0).added_at,
        segments: vec![Segment {
            start_ms: 0,
            end_ms: 800,
            text: text.to_owned(),
            words: Vec::new(),
        }],
    }
}

/// Fails unless a recording is there as it was spoken, from its first segment
/// to its last.
pub(crate) fn assert_whole(open: &OpenVault, id: RecordingId, title: &str, segments: u32) {
    let recording = open
        .recording(id)
        .unwrap_or_else(|error| panic!("{title}: {error}"));
    assert_eq!(recording.card.title, title);
    let mut sound = open
        .sound(id)
        .unwrap_or_else(|error| panic!("{title}: {error}"));
    for number in 0..segments {
        let segment = sound
            .next_segment()
            .unwrap_or_else(|error| panic!("{title}: {error}"));
        let segment = segment.unwrap_or_else(|| panic!("{title} ends before segment {number}"));
        assert_eq!(
            *segment.packets,
            packets(title, number),
            "{title}, segment {number}"
        );
        assert_eq!(segment.samples, SEGMENT_SAMPLES);
    }
    assert!(
        sound.next_segment().unwrap().is_none(),
        "{title} has more than was spoken"
    );
}

/// Puts junk in the place of every entry of the log.
pub(crate) fn lose_log(store: &Path) {
    const LOG: TableDefinition<'_, &[u8; 4], &[u8]> = TableDefinition::new("log");
    let db = Database::open(store).unwrap();
    let change = db.begin_write().unwrap();
    {
        let mut table = change.open_table(LOG).unwrap();
        let rows = table.iter().unwrap();
        let numbers: Vec<[u8; 4]> = rows.map(|row| *row.unwrap().0.value()).collect();
        for number in numbers {
            table.insert(&number, b"junk".as_slice()).unwrap();
        }
    }
    change.commit().unwrap();
}

/// Changes a byte of a segment of sound, in a store whose tree is whole. What stood there is
/// not left among what is free either, where a repair would find it.
pub(crate) fn tear(store: &Path, id: RecordingId, segment: usize) {
    tear_of_epoch(store, id, 0, segment);
}

/// The same, of a recording that was redacted so often.
pub(crate) fn tear_of_epoch(store: &Path, id: RecordingId, epoch: u32, segment: usize) {
    const SOUND: TableDefinition<'_, &[u8; 24], &[u8]> = TableDefinition::new("sound");
    let mut key = [0; 24];
    key[..16].copy_from_slice(id.as_bytes());
    key[16..20].copy_from_slice(&epoch.to_be_bytes());
    let db = Database::open(store).unwrap();
    let change = db.begin_write().unwrap();
    let was;
    {
        let mut table = change.open_table(SOUND).unwrap();
        let mut row = table.get(&key).unwrap().unwrap().value().to_vec();
        let before = frame::run(&row).take(segment);
        let at: usize = before.map(|frame| frame.unwrap().bytes.len()).sum();
        was = row[at + 484..at + 516].to_vec();
        row[at + 500] ^= 1;
        table.insert(&key, row.as_slice()).unwrap();
    }
    change.commit().unwrap();
    drop(db);
    wipe(store, &was);
}

/// Zeros wherever these bytes stand, so that a repair does not find them among what is free.
fn wipe(store: &Path, was: &[u8]) {
    let mut bytes = std::fs::read(store).unwrap();
    let windows = bytes.windows(was.len()).enumerate();
    let copies = windows.filter(|(_, window)| *window == was);
    let copies: Vec<usize> = copies.map(|(at, _)| at).collect();
    for copy in copies {
        bytes[copy..copy + was.len()].fill(0);
    }
    std::fs::write(store, bytes).unwrap();
}

/// Takes a transcript out of a store whose tree is whole, and leaves nothing of it.
pub(crate) fn lose_words(store: &Path, id: RecordingId, number: u32) {
    const WORDS: TableDefinition<'_, &[u8; 24], &[u8]> = TableDefinition::new("words");
    let mut key = [0; 24];
    key[..16].copy_from_slice(id.as_bytes());
    key[20..].copy_from_slice(&number.to_be_bytes());
    let db = Database::open(store).unwrap();
    let change = db.begin_write().unwrap();
    let was = {
        let mut table = change.open_table(WORDS).unwrap();
        let row = table.remove(&key).unwrap().unwrap();
        row.value().to_vec()
    };
    change.commit().unwrap();
    drop(db);
    wipe(store, &was);
}

/// Puts what nothing opens in the place of a card, in a store whose tree is whole.
pub(crate) fn spoil_card(store: &Path, id: RecordingId) {
    const CARD: TableDefinition<'_, &[u8; 20], &[u8]> = TableDefinition::new("card");
    let mut key = [0; 20];
    key[..16].copy_from_slice(id.as_bytes());
    let db = Database::open(store).unwrap();
    let change = db.begin_write().unwrap();
    {
        let mut table = change.open_table(CARD).unwrap();
        let before = table.insert(&key, &b"no card"[..]).unwrap();
        assert!(before.is_some(), "the card lies in the store");
    }
    change.commit().unwrap();
}

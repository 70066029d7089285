//! What can be done with a vault whose store is damaged, before it is repaired.

use super::*;
use crate::vault::frame::{Frame, Kind};
use crate::vault::ground::disk::Disk as _;
use crate::vault::scan;
use crate::vault::{Error, ShredScope, Shredded};

fn store() -> PathBuf {
    Path::new(DIR).join("store.redb")
}

/// Where this segment of the first recording lies.
fn place_of(small: &Small, store: &[u8], number: u32) -> usize {
    let is_it = |(_, frame): &(usize, Frame<'_>)| {
        let facts = frame.facts;
        facts.id == small.merged[0].0 && (facts.kind, facts.number) == (Kind::Sound, number)
    };
    scan::frames(store).find(is_it).expect("the segment").0
}

#[test]
fn with_a_damaged_page_all_that_is_sound_is_listed_read_and_heard_and_nothing_is_changed() {
    let small = Small::new();
    let disk = small.with(&store(), |bytes| {
        let at = place_of(&small, bytes, 1);
        bytes[at + 100..at + 200].fill(0x5a);
    });
    assert_usable(&small, &disk);
}

#[test]
fn with_a_sector_that_the_disk_does_not_give_any_more_it_is_the_same() {
    let small = Small::new();
    let disk = small.with(&store(), |_| ());
    let at = place_of(&small, &disk.files()[&store()], 1);
    // In one of the segments behind it.
    let sector = at.next_multiple_of(4096);
    disk.break_reads(&store(), sector..sector + 512);
    assert_usable(&small, &disk);
}

fn assert_usable(small: &Small, disk: &SimDisk) {
    let open = open(disk).unwrap();
    // The second time it is known.
    for _ in 0..2 {
        let flaw = open.store_flaw().unwrap();
        assert!(matches!(flaw, Some(Error::StoreDamaged { .. })), "{flaw:?}");
    }
    let listing = open.listing().unwrap();
    assert_eq!((listing.recordings.len(), listing.damaged.len()), (2, 0));
    assert_eq!(read(&open, small.merged[0]), Whole::Part);
    assert_eq!(read(&open, small.merged[1]), Whole::All);
    let mut said = 0;
    open.newest_transcripts(&mut |_, _, _| said += 1).unwrap();
    assert_eq!(said, 2);

    let refused = |done: Result<()>| matches!(done, Err(Error::StoreDamaged { .. }));
    let title = |card: &mut crate::recording::Card| card.title = "edited".into();
    let id = small.merged[1].0;
    assert!(refused(open.update_card(id, &mut { title }).map(drop)));
    assert!(refused(open.merge().map(drop)));
    let waits = |disk: &SimDisk| {
        let file = crate::vault::inbox::path(Path::new(DIR), small.waiting.0);
        disk.files().contains_key(&file)
    };
    assert!(waits(disk));

    assert!(repair(&open).flaws.iter().any(|flaw| flaw.mended));
    assert_eq!(
        open.store_flaw().unwrap().map(|flaw| flaw.to_string()),
        None
    );
    assert!(open.update_card(id, &mut { title }).is_ok());
    open.merge().unwrap();
    assert!(!waits(disk));
    assert_eq!(read(&open, small.waiting), Whole::All);
}

#[test]
fn nothing_comes_into_a_store_that_is_not_the_one_that_the_keys_know() {
    let small = Small::new();
    let disk = small.with(&store(), |_| ());
    let whole = disk.files()[&store()].clone();
    disk.unlink(&store()).unwrap();
    let opened = open(&disk).unwrap();
    let flaw = opened.store_flaw().unwrap();
    assert!(matches!(flaw, Some(Error::StoreDamaged { .. })), "{flaw:?}");
    let merged = opened.merge();
    assert!(matches!(merged, Err(Error::StoreDamaged { .. })));
    drop(opened);
    // Put back, nothing is missing.
    let back = disk.fork();
    back.tamper(&store(), |bytes| *bytes = whole);
    let opened = open(&back).unwrap();
    opened.merge().unwrap();
    for id in [small.merged[0], small.merged[1], small.waiting] {
        assert_eq!(read(&opened, id), Whole::All);
    }
    drop(opened);
    // And where it is gone for good, what waits comes in once that is noted.
    let opened = open(&disk).unwrap();
    repair(&opened);
    assert_eq!(read(&opened, small.waiting), Whole::All);
}

/// What a receipt says of the first recording, on this disk.
fn shredded_on(small: &Small, disk: &SimDisk) -> Shredded {
    let open = open(disk).unwrap();
    let id = small.merged[0].0;
    let receipt = open.shred(&[id], ShredScope::Everything, &mut |_, _| ());
    receipt.unwrap().shredded.remove(0)
}

#[test]
fn a_receipt_says_what_went_also_where_the_card_can_not_be_read() {
    let small = Small::new();
    let (id, _, segments) = small.merged[0];
    let mut segment_bytes = 0;
    let disk = small.with(&store(), |bytes| {
        let of_it = |frame: &Frame<'_>| frame.facts.id == id;
        let found = scan::frames(bytes).filter(|(_, frame)| of_it(frame));
        let found: Vec<_> = found
            .map(|(at, frame)| (at, frame.facts.kind, frame.bytes.len() as u64))
            .collect();
        for (at, kind, length) in found {
            match kind {
                Kind::Card => bytes[at + 100] ^= 1,
                Kind::Sound => segment_bytes = length,
                _ => {}
            }
        }
    });
    let shredded = shredded_on(&small, &disk);
    let sound_bytes = segment_bytes * u64::from(segments);
    assert_eq!(shredded.audio_bytes, Some(sound_bytes));
    assert_eq!(shredded.transcripts, Some(1));

    let disk = small.disk.fork();
    disk.break_reads(&store(), 0..disk.files()[&store()].len());
    let shredded = shredded_on(&small, &disk);
    assert_eq!((shredded.audio_bytes, shredded.transcripts), (None, None));
}

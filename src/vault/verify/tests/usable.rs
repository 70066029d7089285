//! What can be done with a vault whose store is damaged, before it is repaired.

use super::*;
use crate::vault::Error;
use crate::vault::frame::Kind;
use crate::vault::scan;

/// Damages the page in which this segment of the first recording lies.
fn with_damaged_segment(small: &Small, number: u32) -> SimDisk {
    let store = Path::new(DIR).join("store.redb");
    small.with(&store, |bytes| {
        let (at, _) = scan::frames(bytes)
            .find(|(_, frame)| {
                let facts = frame.facts;
                facts.id == small.merged[0].0 && (facts.kind, facts.number) == (Kind::Sound, number)
            })
            .expect("the segment");
        bytes[at + 100..at + 200].fill(0x5a);
    })
}

#[test]
fn with_a_damaged_page_all_that_is_sound_is_listed_read_and_heard_and_nothing_is_changed() {
    let small = Small::new();
    let disk = with_damaged_segment(&small, 1);
    let open = open(&disk).unwrap();
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
    assert!(waits(&disk));

    assert!(repair(&open).flaws.iter().any(|flaw| flaw.mended));
    assert_eq!(
        open.store_flaw().unwrap().map(|flaw| flaw.to_string()),
        None
    );
    assert!(open.update_card(id, &mut { title }).is_ok());
    open.merge().unwrap();
    assert!(!waits(&disk));
    assert_eq!(read(&open, small.waiting), Whole::All);
}

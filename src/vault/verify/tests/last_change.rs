//! The byte of the store's header that says which of its last two states is in force.

use super::*;
use crate::vault::Notice;

const FLAGS_AT: usize = 9;
const SECOND: u8 = 1;
const NOT_CLOSED: u8 = 2;
const TWO_PHASES: u8 = 4;

fn store() -> PathBuf {
    Path::new(DIR).join("store.redb")
}

/// A vault whose last change was that of a title; nobody opened it since.
fn just_edited() -> (SimDisk, RecordingId) {
    let disk = SimDisk::default();
    let open = new_vault(&disk);
    let id = record(open.vault(), 1, 12);
    open.merge().unwrap();
    open.update_card(id, &mut |card| card.title = "edited".into())
        .unwrap();
    (disk, id)
}

#[test]
fn the_last_change_is_there_whatever_the_byte_says_that_names_the_state_in_force() {
    let (disk, id) = just_edited();
    let before = disk.files()[&store()][FLAGS_AT];
    assert_eq!(
        before & (NOT_CLOSED | TWO_PHASES),
        TWO_PHASES,
        "it was closed"
    );
    for flags in 0..=u8::MAX {
        let disk = disk.fork();
        disk.tamper(&store(), |bytes| bytes[FLAGS_AT] = flags);
        let open = open(&disk).unwrap();
        let notices = open.notices();
        let (found, again) = (verify(&open), verify(&super::open(&disk).unwrap()));
        let title = open.recording(id).unwrap().card.title;
        // Without two phases redb takes the later one by itself.
        let is_moved = (flags ^ before) & SECOND != 0 && flags & TWO_PHASES != 0;
        match (is_moved, flags & NOT_CLOSED != 0) {
            (true, false) => {
                assert_eq!(title, "edited", "{flags:#x}");
                let path = store();
                assert_eq!(notices, [Notice::PutInForce { path }], "{flags:#x}");
                assert!(found.flaws.iter().all(|flaw| flaw.mended), "{found:?}");
                assert_eq!((found.flaws.len(), again.flaws.len()), (1, 0));
            }
            // What a change leaves that was cut off looks like this too.
            (true, true) => {
                let path = store();
                assert_eq!(notices, [Notice::Unfinished { path }], "{flags:#x}");
                assert_eq!((found.flaws.len(), found.notes.len()), (0, 1));
                assert_ne!(title, "edited", "{flags:#x}");
            }
            (false, _) => {
                assert_eq!(title, "edited", "{flags:#x}");
                assert_eq!((notices, found.flaws), (Vec::new(), Vec::new()));
            }
        }
    }
}

#[test]
fn each_change_leaves_the_later_state_in_force_also_in_a_store_that_is_only_read() {
    let (disk, id) = just_edited();
    for round in 0..6 {
        let open = open(&disk).unwrap();
        assert_eq!(open.notices(), [], "{round}");
        if round % 2 == 0 {
            open.update_card(id, &mut |card| card.title = format!("edited {round}"))
                .unwrap();
        }
        assert!(open.recording(id).is_ok());
    }
}

/// Where the later of the two states begins in a store that was closed.
fn in_force(bytes: &[u8]) -> usize {
    [64, 192][usize::from(bytes[FLAGS_AT] & SECOND)]
}

#[test]
fn a_number_of_the_state_in_force_that_is_damaged_takes_nothing_back_in_silence() {
    let (disk, id) = just_edited();
    for bit in 0..64 {
        let disk = disk.fork();
        disk.tamper(&store(), |bytes| {
            let at = in_force(bytes) + 104;
            bytes[at + bit / 8] ^= 1 << (bit % 8);
        });
        let open = open(&disk).unwrap();
        let title = open.recording(id).map(|found| found.card.title);
        let is_there = title.as_ref().is_ok_and(|title| title == "edited");
        let is_told = title.is_err() && !verify(&open).flaws.is_empty();
        assert!(is_there || is_told, "bit {bit}: {title:?}");
        repair(&open);
        assert_eq!(
            open.recording(id).unwrap().card.title,
            "edited",
            "bit {bit}"
        );
    }
}

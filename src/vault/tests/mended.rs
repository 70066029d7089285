//! What was lost to damage comes back in its place, and a power cut on the way costs
//! nothing that was there.

use std::collections::BTreeMap;
use std::ops::Range;

use super::crash::{fresh, reopen};
use super::*;
use crate::vault::disk::Access;
use crate::vault::frame::{self, Kind};
use crate::vault::ground::sim_disk::Cut;
use crate::vault::scan;
use crate::vault::{
    Deed, Fate, Mending, Restoring, Result, Returned, ReturnedSound, Returning, ShredScope,
};

const SEGMENTS: u32 = 25;

/// Segments that are damaged: in the middle of a row, across two rows, the last.
const TORN: [Range<u64>; 3] = [3..4, 8..12, 24..25];

struct Packets(Range<u32>);

impl Returned for Packets {
    fn next_segment(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(self.0.next().map(|segment| packets(1, segment)))
    }
}

/// A recording with two transcripts, and its card.
fn recorded(open: &OpenVault) -> (RecordingId, Card) {
    let id = record(open.vault(), 1, SEGMENTS);
    open.merge().unwrap();
    for text in ["one", "two"] {
        open.add_transcript(id, 0, &transcript(text)).unwrap();
    }
    open.update_card(id, &mut |card| card.note = "a note".to_owned())
        .unwrap();
    (id, open.recording(id).unwrap().card)
}

/// Damages every copy of what is to be lost, and has a repair note it.
fn tear(open: &OpenVault, id: RecordingId) {
    tear_out(open, |facts| {
        facts.id == id
            && match facts.kind {
                Kind::Sound => TORN.iter().any(|torn| torn.contains(&facts.number.into())),
                Kind::Words => facts.number == 2,
                kind => kind == Kind::Card,
            }
    });
    assert_sound_but(open, id, &TORN);
    let found = open.recording(id).unwrap();
    assert!(found.card.is_recovered() && found.versions.len() == 1);
}

/// Damages every copy of these records, and has a repair note that they are lost.
pub(in crate::vault) fn tear_out(open: &OpenVault, is_torn: impl Fn(&frame::Facts) -> bool) {
    open.session()
        .with(|held| {
            let path = held.dir().join(crate::vault::store::FILE);
            let file = held.disk().open(&path, Access::Write).unwrap();
            let mut bytes = vec![0; file.len().unwrap() as usize];
            file.read_at(0, &mut bytes).unwrap();
            let frames = scan::frames(&bytes);
            for (at, _) in frames.filter(|(_, frame)| is_torn(&frame.facts)) {
                file.write_at(at as u64 + 200, &[!bytes[at + 200]]).unwrap();
            }
            file.sync().unwrap();
            Ok(())
        })
        .unwrap();
    open.repair(moment(RECORDED_MS), &|_, _| ()).unwrap();
}

/// Whether anything is wrong that unlocking did not put in order.
fn has_flaws(open: &OpenVault) -> bool {
    let verified = open.verify(&|_, _| ()).unwrap();
    verified.flaws.iter().any(|flaw| !flaw.mended)
}

fn assert_sound_but(open: &OpenVault, id: RecordingId, torn: &[Range<u64>]) {
    let mut sound = open.sound(id).unwrap();
    for segment in 0..SEGMENTS {
        let read = sound.next_segment().unwrap().unwrap();
        match torn.iter().any(|torn| torn.contains(&segment.into())) {
            true => assert!(read.packets.is_empty(), "{segment}"),
            false => assert_eq!(*read.packets, packets(1, segment), "{segment}"),
        }
    }
    assert!(sound.next_segment().unwrap().is_none());
}

/// Brings back the segments of `wanted`, the card and the second transcript.
fn mend(open: &OpenVault, id: RecordingId, card: &Card, wanted: &[Range<u64>]) -> Result<bool> {
    let mut restoring = open.begin_restore()?;
    let Some(holding) = restoring.holding(id).filter(|one| one.is_damaged()) else {
        return Ok(false);
    };
    let sound_is_lost = !holding.lost.is_empty();
    if sound_is_lost {
        restoring.fill(id, card, wanted, &mut Packets(0..SEGMENTS))?;
    }
    let mending = Mending {
        card: Some(card.clone()),
        words: BTreeMap::from([(1, transcript("another")), (2, transcript("two"))]),
        content_hash: card.content_hash,
    };
    restoring.mend(id, mending)?;
    Ok(restoring.commit()?.mended == [id])
}

fn assert_whole(open: &OpenVault, id: RecordingId, card: &Card, when: &str) {
    assert!(!has_flaws(open), "{when}");
    let found = open.recording(id).unwrap();
    assert_eq!((&found.card, found.epoch), (card, 0), "{when}");
    let numbers: Vec<u32> = found.versions.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2], "{when}");
    // What was there was not overwritten.
    assert_eq!(open.transcript(id, 1).unwrap(), transcript("one"), "{when}");
    assert_eq!(open.transcript(id, 2).unwrap(), transcript("two"), "{when}");
    assert_sound(open, id, 1, SEGMENTS);
}

#[test]
fn what_was_lost_is_back_in_its_place_and_what_is_there_stays_as_it_is() {
    let (_dir, open) = new_vault();
    let (id, card) = recorded(&open);
    let key = |open: &OpenVault| {
        open.session()
            .with(|held| Ok(*held.clip(id)?.1.sound.as_ref().unwrap().expose()))
            .unwrap()
    };
    let before = key(&open);
    tear(&open, id);
    // A part of it first: the rest stays a gap.
    assert!(mend(&open, id, &card, &TORN[..2]).unwrap());
    assert_sound_but(&open, id, &TORN[2..]);
    let found = open.recording(id).unwrap();
    assert_eq!(
        (found.card.title, found.card.gaps.len()),
        (card.title.clone(), 1)
    );
    assert!(!has_flaws(&open));
    // Then all of it.
    assert!(mend(&open, id, &card, &TORN).unwrap());
    let open = again(&open);
    assert_whole(&open, id, &card, "at the end");
    assert_eq!(key(&open), before);
    let log = open.read_log().unwrap().entries;
    let told = log
        .iter()
        .filter(|one| one.deed == Deed::Restore && one.ids == [id]);
    assert_eq!(told.count(), 2);
    assert!(
        !mend(&open, id, &card, &TORN).unwrap(),
        "nothing is lacking"
    );
}

#[test]
fn what_was_destroyed_is_not_lost_and_is_not_filled_in() {
    let (_dir, open) = new_vault();
    let (id, card) = recorded(&open);
    tear(&open, id);
    open.shred(&[id], ShredScope::Sound, &mut |_, _| ())
        .unwrap();
    let mut restoring = open.begin_restore().unwrap();
    assert!(restoring.holding(id).unwrap().lost.is_empty());
    let filled = restoring.fill(id, &card, &TORN, &mut Packets(0..SEGMENTS));
    assert!(filled.is_err(), "{filled:?}");
}

#[test]
fn sound_of_which_nothing_is_left_comes_back_as_long_as_it_was() {
    let (_dir, open) = new_vault();
    let returning = Returning {
        id: RecordingId::from_bytes([1; 16]),
        epoch: 3,
        card: Card {
            samples: u64::from(SEGMENTS) * u64::from(SEGMENT_SAMPLES),
            ..card("recording 1")
        },
        words: None,
        numbered: 0,
    };
    let id = returning.id;
    let mut restoring = open.begin_restore().unwrap();
    let put = restoring.put(&returning, ReturnedSound::Lost).unwrap();
    assert_eq!(put, Fate::Waits);
    restoring.commit().unwrap();
    drop(restoring);
    let mut restoring: Restoring = open.begin_restore().unwrap();
    assert!(restoring.holding(id).unwrap().is_soundless());
    let all = 0..u64::from(SEGMENTS);
    restoring
        .fill(id, &returning.card, &[all], &mut Packets(0..SEGMENTS))
        .unwrap();
    restoring.mend(id, Mending::default()).unwrap();
    assert_eq!(restoring.commit().unwrap().mended, [id]);
    assert_sound(&open, id, 1, SEGMENTS);
    let found = open.recording(id).unwrap();
    assert!(found.card.gaps.is_empty() && found.audio_bytes > 0);
    assert!(!has_flaws(&open));
}

#[test]
fn a_power_cut_anywhere_costs_nothing_that_was_there_and_once_more_brings_the_rest() {
    let (disk, open) = fresh();
    let (id, card) = recorded(&open);
    tear(&open, id);
    drop(open);
    for operations in 0.. {
        let machine = disk.fork();
        let open = reopen(&machine);
        machine.cut_after(operations);
        let done = mend(&open, id, &card, &TORN);
        let was_cut = machine.was_cut();
        assert_eq!(done.is_ok(), !was_cut, "after {operations}: {done:?}");
        let kinds = [Cut::Kill, Cut::LoseUnsynced, Cut::Tear(operations as u64)];
        let kind = kinds[operations % kinds.len()];
        let when = format!("{kind:?} after {operations} operations");
        let open = reopen(&machine.after(kind));
        assert!(!has_flaws(&open), "{when}");
        assert_eq!(open.transcript(id, 1).unwrap(), transcript("one"), "{when}");
        let mut sound = open.sound(id).unwrap();
        for segment in 0..SEGMENTS {
            let read = sound.next_segment().unwrap().unwrap();
            let is_torn = TORN.iter().any(|torn| torn.contains(&segment.into()));
            let is_gap = is_torn && read.packets.is_empty();
            assert!(is_gap || *read.packets == packets(1, segment), "{when}");
        }
        mend(&open, id, &card, &TORN).unwrap();
        assert_whole(&open, id, &card, &when);
        if !was_cut {
            assert!(operations > 20, "{operations}");
            break;
        }
    }
}

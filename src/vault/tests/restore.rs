//! What a backup held comes back, under new keys, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{again, card, new_vault, packets, record, transcript};
use crate::recording::{Card, Gap, RecordingId, SEGMENT_SAMPLES, SoundLeft};
use crate::vault::bag::Tombstone;
use crate::vault::{
    Deed, Error, Fate, OpenVault, Restoring, Result, Returned, ReturnedSound, Returning, ShredScope,
};

pub(super) struct Packets(pub(super) u8, pub(super) Range<u32>);

impl Returned for Packets {
    fn next_segment(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(self.1.next().map(|segment| packets(self.0, segment)))
    }
}

/// Sound that can't be read to its end.
struct Broken(u32);

impl Returned for Broken {
    fn next_segment(&mut self) -> Result<Option<Vec<u8>>> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Ok(Some(packets(1, left)))
            }
            None => Err(Error::damaged("audio.opus", "it ends here")),
        }
    }
}

pub(super) fn returning(number: u8, segments: u32, epoch: u32) -> Returning {
    Returning {
        id: RecordingId::from_bytes([number; 16]),
        epoch,
        card: Card {
            samples: u64::from(segments) * u64::from(SEGMENT_SAMPLES) - 400,
            pinned: true,
            note: format!("note {number}"),
            ..card(&format!("recording {number}"))
        },
        words: Some(BTreeMap::from([
            (1, transcript("one")),
            (3, transcript("three")),
        ])),
        numbered: 0,
    }
}

fn put(restoring: &mut Restoring, number: u8, segments: u32, epoch: u32) -> Fate {
    let mut sound = Packets(number, 0..segments);
    let recording = returning(number, segments, epoch);
    restoring
        .put(&recording, ReturnedSound::Segments(&mut sound))
        .unwrap()
}

fn assert_whole(open: &OpenVault) {
    let verified = open.verify(&|_, _| ()).unwrap();
    assert!(verified.flaws.is_empty(), "{:?}", verified.flaws);
    assert!(verified.notes.is_empty(), "{:?}", verified.notes);
}

/// Frames of a recording in the store, whichever key they need.
fn rows_of(open: &OpenVault, id: RecordingId) -> usize {
    let bytes = std::fs::read(open.vault().dir().join("store.redb")).unwrap();
    let found = crate::vault::scan::frames(&bytes);
    found.filter(|(_, frame)| frame.facts.id == id).count()
}

#[test]
fn a_recording_comes_back_with_all_that_was_known_of_it() {
    let (_dir, open) = new_vault();
    let mut restoring = open.begin_restore().unwrap();
    assert_eq!(put(&mut restoring, 1, 25, 2), Fate::Waits);
    assert_eq!(put(&mut restoring, 2, 1, 0), Fate::Waits);
    assert!(open.recordings().unwrap().is_empty(), "before the commit");
    let generation = open.revision().unwrap();
    let done = restoring.commit().unwrap();
    assert_eq!(done.restored.len(), 2);
    assert!(open.revision().unwrap() > generation);
    let open = again(&open);
    for (number, segments, epoch) in [(1, 25, 2), (2, 1, 0)] {
        let due = returning(number, segments, epoch);
        let found = open.recording(due.id).unwrap();
        assert_eq!((found.epoch, &found.card), (epoch, &due.card));
        let versions: Vec<u32> = found.versions.iter().map(|one| one.number).collect();
        assert_eq!(versions, [1, 3]);
        assert_eq!(open.transcript(due.id, 3).unwrap(), transcript("three"));
        super::assert_sound(&open, due.id, number, segments);
    }
    assert_whole(&open);
    // It lives on as any other does.
    let id = returning(1, 1, 0).id;
    assert_eq!(open.add_transcript(id, 2, &transcript("more")).unwrap(), 4);
    open.scrub(&mut |_, _| ()).unwrap();
    open.shred(&[id], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    assert_whole(&open);
}

#[test]
fn what_was_destroyed_here_or_there_stays_so() {
    let (_dir, open) = new_vault();
    let gone = record(open.vault(), 9, 1);
    open.merge().unwrap();
    open.shred(&[gone], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    let mut restoring = open.begin_restore().unwrap();
    let (first, later) = (returning(1, 1, 0).id, returning(2, 1, 0).id);
    let tombstone = |id, epoch| BTreeSet::from([Tombstone { id, epoch }]);
    assert_eq!(restoring.forbid(&tombstone(first, 4)).unwrap(), []);
    for epoch in [0, 4] {
        assert_eq!(put(&mut restoring, 1, 1, epoch), Fate::Destroyed);
    }
    let own = Returning {
        id: gone,
        ..returning(9, 1, 0)
    };
    assert_eq!(
        restoring.put(&own, ReturnedSound::Shredded).unwrap(),
        Fate::Destroyed
    );
    // In a stream it is known only when all was put.
    assert_eq!(put(&mut restoring, 2, 1, 0), Fate::Waits);
    assert_eq!(put(&mut restoring, 3, 1, 0), Fate::Waits);
    restoring.forbid(&tombstone(later, 0)).unwrap();
    let done = restoring.commit().unwrap();
    assert_eq!(done.destroyed, [later]);
    assert_eq!(done.restored, [returning(3, 1, 0).id]);
    // The epoch behind a redaction is another matter.
    assert_eq!(put(&mut restoring, 1, 1, 5), Fate::Waits);
    assert_eq!(restoring.commit().unwrap().restored, [first]);
    assert_whole(&open);
}

#[test]
fn a_backup_that_brings_nothing_but_what_was_destroyed_elsewhere_is_in_the_log_once() {
    let (_dir, open) = new_vault();
    let here = record(open.vault(), 9, 1);
    open.merge().unwrap();
    let mut restoring = open.begin_restore().unwrap();
    let ids = [returning(1, 1, 0).id, returning(2, 1, 0).id, here];
    let tombstones = ids.map(|id| Tombstone { id, epoch: 0 });
    let destroyed = BTreeSet::from(tombstones);
    let revision = || open.revision().unwrap();
    for _ in 0..2 {
        assert_eq!(restoring.forbid(&destroyed).unwrap(), [here]);
        restoring.commit().unwrap();
    }
    let before = revision();
    assert_eq!(restoring.forbid(&destroyed).unwrap(), [here]);
    assert_eq!(revision(), before);
    let entries = open.read_log().unwrap().entries;
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    assert_eq!((entry.deed, entry.ids.len()), (Deed::Restore, 0));
    assert!(entry.detail.starts_with("2 recordings"), "{entry:?}");
}

#[test]
fn what_is_there_is_never_changed_whatever_the_backup_says() {
    let (_dir, open) = new_vault();
    let id = record(open.vault(), 9, 2);
    open.merge().unwrap();
    let before = open.recording(id).unwrap();
    let mut restoring = open.begin_restore().unwrap();
    let other = Returning {
        id,
        ..returning(1, 3, 7)
    };
    assert_eq!(
        restoring
            .put(&other, ReturnedSound::Segments(&mut Packets(1, 0..3)))
            .unwrap(),
        Fate::IsThere
    );
    let destroyed = BTreeSet::from([Tombstone { id, epoch: 0 }]);
    assert_eq!(restoring.forbid(&destroyed).unwrap(), [id]);
    restoring.commit().unwrap();
    assert_eq!(open.recording(id).unwrap(), before);
    super::assert_sound(&open, id, 9, 2);
    // A further one changes nothing at all.
    assert_eq!(put(&mut restoring, 1, 1, 0), Fate::Waits);
    restoring.commit().unwrap();
    let revision = open.revision().unwrap();
    assert_eq!(put(&mut restoring, 1, 1, 0), Fate::IsThere);
    assert_eq!(restoring.commit().unwrap(), Default::default());
    assert_eq!(open.revision().unwrap(), revision);
}

#[test]
fn sound_that_was_lost_stays_a_gap_and_what_was_shredded_stays_shredded() {
    let (_dir, open) = new_vault();
    let mut restoring = open.begin_restore().unwrap();
    let mut gapped = returning(1, 25, 0);
    gapped.card.gaps = vec![Gap {
        at_sample: 9 * u64::from(SEGMENT_SAMPLES),
        samples: 11 * u64::from(SEGMENT_SAMPLES),
    }];
    restoring
        .put(&gapped, ReturnedSound::Segments(&mut Packets(1, 0..25)))
        .unwrap();
    let silent = Returning {
        words: None,
        ..returning(2, 1, 0)
    };
    restoring.put(&silent, ReturnedSound::Shredded).unwrap();
    restoring.commit().unwrap();
    assert_whole(&open);
    let mut sound = open.sound(gapped.id).unwrap();
    for segment in 0..25 {
        let read = sound.next_segment().unwrap().unwrap();
        match (9..20).contains(&segment) {
            true => assert!(read.packets.is_empty()),
            false => assert_eq!(*read.packets, packets(1, segment)),
        }
    }
    assert!(matches!(open.sound(silent.id), Err(Error::NoSound { .. })));
    assert!(open.recording(silent.id).unwrap().versions.is_empty());
    assert!(matches!(
        open.add_transcript(silent.id, 0, &transcript("no")),
        Err(Error::Outdated { .. })
    ));
}

#[test]
fn sound_that_no_backup_could_give_is_lost_and_not_shredded() {
    let (_dir, open) = new_vault();
    let mut restoring = open.begin_restore().unwrap();
    let mut lost = returning(1, 25, 0);
    // A minute without a microphone stays what it is.
    let missed = Gap {
        at_sample: 480_000,
        samples: 2_880_000,
    };
    lost.card.gaps = vec![missed];
    restoring.put(&lost, ReturnedSound::Lost).unwrap();
    let shredded = returning(2, 1, 0);
    restoring.put(&shredded, ReturnedSound::Shredded).unwrap();
    restoring.commit().unwrap();
    assert_whole(&open);
    let found = open.recording(lost.id).unwrap();
    assert_eq!(found.sound_left(), SoundLeft::Lost);
    assert_eq!(found.lacks(), Some("sound lost"));
    assert!(found.card.gaps.contains(&missed));
    assert_eq!(open.transcript(lost.id, 1).unwrap(), transcript("one"));
    assert_eq!(
        found.card.missing(),
        missed.samples + 25 * u64::from(SEGMENT_SAMPLES)
    );
    let found = open.recording(shredded.id).unwrap();
    assert_eq!(found.sound_left(), SoundLeft::Shredded);
    // A rule that takes the sound takes its key, too.
    open.shred(&[lost.id], ShredScope::Sound, &mut |_, _| ())
        .unwrap();
    let found = open.recording(lost.id).unwrap();
    assert_eq!(found.sound_left(), SoundLeft::Shredded);
}

#[test]
fn one_that_can_not_be_read_to_its_end_costs_only_itself() {
    let (_dir, open) = new_vault();
    let mut restoring = open.begin_restore().unwrap();
    put(&mut restoring, 2, 1, 0);
    // More than goes into one transaction, so that a part of it is written.
    let long = returning(1, 60, 0);
    let broken = ReturnedSound::Segments(&mut Broken(60));
    assert!(restoring.put(&long, broken).is_err());
    assert!(rows_of(&open, long.id) > 0, "the control");
    put(&mut restoring, 3, 1, 0);
    assert_eq!(restoring.commit().unwrap().restored.len(), 2);
    assert!(matches!(
        open.recording(long.id),
        Err(Error::NoRecording { .. })
    ));
    assert_whole(&open);
    // Nothing is in the way of a better copy of it.
    put(&mut restoring, 1, 2, 0);
    assert_eq!(restoring.commit().unwrap().restored, [long.id]);
    assert_whole(&open);
}

#[test]
fn only_one_restores_at_a_time_and_others_leave_his_rows_alone() {
    let (_dir, open) = new_vault();
    let other = again(&open);
    let mut restoring = open.begin_restore().unwrap();
    assert!(matches!(other.begin_restore(), Err(Error::Busy { .. })));
    let recording = returning(1, 60, 0);
    put(&mut restoring, 1, 60, 0);
    assert!(rows_of(&open, recording.id) > 0, "the control");
    other.merge().unwrap();
    assert_eq!(restoring.commit().unwrap().restored, [recording.id]);
    assert_whole(&other);
    // Who gives up leaves nothing behind that stays.
    put(&mut restoring, 2, 60, 0);
    drop(restoring);
    let noted = |open: &OpenVault| {
        open.session()
            .with(|held| {
                held.store()
                    .read(held.lock(), |store| store.begin()?.restoring())
            })
            .unwrap()
            .len()
    };
    assert_eq!(noted(&other), 1);
    other.merge().unwrap();
    assert_eq!(noted(&other), 0);
    assert!(other.begin_restore().is_ok());
}

#[test]
fn a_store_that_is_written_anew_meanwhile_costs_a_second_try_and_no_more() {
    let (_dir, open) = new_vault();
    let mut restoring = open.begin_restore().unwrap();
    let recording = returning(1, 60, 0);
    put(&mut restoring, 1, 60, 0);
    assert!(rows_of(&open, recording.id) > 0, "the control");
    again(&open).scrub(&mut |_, _| ()).unwrap();
    put(&mut restoring, 2, 1, 0);
    let done = restoring.commit().unwrap();
    assert_eq!(done.disturbed, [recording.id]);
    assert_eq!(done.restored.len(), 1);
    assert_whole(&open);
    put(&mut restoring, 1, 60, 0);
    assert_eq!(restoring.commit().unwrap().restored, [recording.id]);
    assert_whole(&open);
}

//! What is planned for what a backup holds.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::backup::manifest::FORMAT;
use crate::crypto::VaultId;
use crate::recording::Moment;

pub(in crate::backup::write) fn id(number: u8) -> RecordingId {
    RecordingId::from_bytes([number; 16])
}

pub(in crate::backup::write) fn stocked(number: u8) -> Stocked {
    Stocked {
        id: id(number),
        epoch: 0,
        since: 2,
        revision: 1,
        mark: [number; 16],
        sound: Kept::Kept,
        segments: 9,
        words: Kept::Kept,
    }
}

pub(in crate::backup::write) fn stock(held: Vec<Stocked>) -> Stock {
    Stock {
        vault: VaultId::from_bytes([1; 16]),
        generation: 5,
        latest: 2,
        signer: crate::crypto::SigningSeed::from_bytes(&[1; 32]).public(),
        tombstones: BTreeSet::new(),
        lacking: Vec::new(),
        held,
        damaged: Vec::new(),
    }
}

pub(in crate::backup::write) fn manifest(segment: u32, recordings: Vec<Entry>) -> Manifest {
    Manifest {
        format: FORMAT,
        vault: VaultId::from_bytes([1; 16]),
        backup: Digits([2; 16]),
        generation: 5,
        log: None,
        made_at: Moment {
            unix_ms: 0,
            offset_s: 0,
        },
        segment,
        before: None,
        files: Vec::new(),
        recordings,
        stretches: Vec::new(),
        dropped: Vec::new(),
        tombstones: vec![Tombstone {
            id: id(9),
            epoch: 0,
        }],
        lacking: Vec::new(),
    }
}

pub(in crate::backup::write) fn entry(number: u8, sound: SoundAt) -> Entry {
    Entry {
        id: id(number),
        epoch: 0,
        revision: 1,
        card: Digits([number; 16]),
        versions: vec![1],
        numbered: None,
        sound,
        stretches: Vec::new(),
        gone: Vec::new(),
        recovered: false,
        lost: Vec::new(),
        carried_from: None,
    }
}

/// All of the sound that a recording has here.
const WHOLE: Sound = Sound::Here(Stretch {
    number: 1,
    of: 1,
    from: 0,
    to: 9,
});

fn sounds(holding: &Holding, held: Vec<Stocked>) -> Vec<Sound> {
    let (tasks, doubtful) = holding.lacks(&stock(held), 5);
    assert!(doubtful.is_empty());
    tasks.iter().map(|task| task.sound).collect()
}

#[test]
fn what_did_not_change_is_not_written_again() {
    let mut holding = Holding::default();
    holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
    assert!(sounds(&holding, vec![stocked(1)]).is_empty());
    assert_eq!(sounds(&holding, vec![stocked(1), stocked(2)]), [WHOLE]);
    assert_eq!(holding.recordings(), 1);
}

#[test]
fn what_must_not_come_back_is_said_by_two_segments() {
    let buried = Tombstone {
        id: id(9),
        epoch: 0,
    };
    let mut holding = Holding::default();
    assert!(holding.buries(std::iter::empty()));
    holding.add(manifest(1, Vec::new()));
    assert!(!holding.buries([buried].into_iter()));
    holding.add(manifest(2, Vec::new()));
    assert!(holding.buries([buried].into_iter()));
    assert!(!holding.buries(std::iter::empty()));
}

#[test]
fn another_card_is_written_without_the_sound_and_another_epoch_with_it() {
    let mut holding = Holding::default();
    holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
    let mut edited = stocked(1);
    edited.mark = [77; 16];
    assert_eq!(sounds(&holding, vec![edited]), [Sound::At(1)]);
    holding.add(manifest(
        2,
        vec![Entry {
            card: Digits([77; 16]),
            ..entry(1, SoundAt::Segment(1))
        }],
    ));
    assert!(sounds(&holding, vec![edited]).is_empty());
    let redacted = Stocked { epoch: 1, ..edited };
    assert_eq!(sounds(&holding, vec![redacted]), [WHOLE]);
}

#[test]
fn sound_and_words_that_were_shredded_are_written_as_gone() {
    let mut holding = Holding::default();
    holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
    let silent = Stocked {
        sound: Kept::Shredded,
        segments: 0,
        ..stocked(1)
    };
    assert_eq!(sounds(&holding, vec![silent]), [Sound::Gone]);
    let wordless = Stocked {
        words: Kept::Shredded,
        ..stocked(1)
    };
    assert_eq!(sounds(&holding, vec![wordless]), [Sound::At(1)]);
}

#[test]
fn what_the_vault_has_lost_stays_in_the_backup_that_has_it() {
    let mut holding = Holding::default();
    let lost = Stocked {
        segments: 0,
        mark: [77; 16],
        ..stocked(1)
    };
    assert_eq!(sounds(&holding, vec![lost]), [Sound::Lost]);
    holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
    assert_eq!(sounds(&holding, vec![lost]), [Sound::At(1)]);
    // Silence was written for what was lost then; by another card it may be back.
    let torn = Entry {
        gone: vec![(3, 4)],
        ..entry(1, SoundAt::Here)
    };
    holding.add(manifest(2, vec![torn]));
    assert!(sounds(&holding, vec![stocked(1)]).is_empty());
    let mended = Stocked {
        mark: [77; 16],
        ..stocked(1)
    };
    assert_eq!(sounds(&holding, vec![mended]), [WHOLE]);
    // Of which no segment has anything, comes once it is there.
    holding.add(manifest(3, vec![entry(2, SoundAt::Lost)]));
    let still = Stocked {
        segments: 0,
        ..stocked(2)
    };
    assert!(sounds(&holding, vec![still]).is_empty());
    assert_eq!(sounds(&holding, vec![stocked(2)]), [WHOLE]);
}

#[test]
fn that_a_part_is_gone_is_said_by_two_segments_where_the_backup_had_it() {
    let gone = copying::Lacking {
        id: id(1),
        epoch: 0,
        sound: true,
        words: false,
    };
    let never_here = copying::Lacking { id: id(2), ..gone };
    let other_epoch = copying::Lacking { epoch: 1, ..gone };
    let mut holding = Holding::default();
    holding.add(manifest(1, vec![entry(1, SoundAt::Here)]));
    let unsaid = holding.unsaid(&[gone, never_here, other_epoch]);
    assert_eq!(unsaid, [Lacking::from(gone)]);
    for segment in 2..=3 {
        assert_eq!(holding.unsaid(&[gone]).len(), 1);
        holding.add(Manifest {
            lacking: holding.unsaid(&[gone]),
            ..manifest(segment, Vec::new())
        });
    }
    assert!(holding.unsaid(&[gone]).is_empty());
    // Then the words go, too.
    let both = copying::Lacking {
        words: true,
        ..gone
    };
    assert_eq!(holding.unsaid(&[both]), [Lacking::from(both)]);
}

#[test]
fn what_lay_in_a_segment_that_is_gone_is_written_again() {
    let mut holding = Holding::default();
    holding.add(manifest(2, vec![entry(1, SoundAt::Segment(1))]));
    assert_eq!(sounds(&holding, vec![stocked(1)]), [WHOLE]);
}

#[test]
fn long_sound_is_written_in_stretches_and_goes_on_where_it_stopped() {
    let lengths = Lengths {
        whole: 4,
        stretch: 4,
    };
    let spans = |holding: &Holding| -> Vec<_> {
        let (tasks, _) = holding.lacks(&stock(vec![stocked(1)]), 5);
        let tasks = holding.in_stretches(tasks, lengths);
        let spans = tasks.iter().filter_map(|task| match task.sound {
            Sound::Here(stretch) => Some((stretch.number, stretch.of, stretch.span())),
            Sound::At(_) | Sound::Gone | Sound::Lost => None,
        });
        spans.collect()
    };
    let stretch = |number, span, lost: &[(u64, u64)]| manifest::Stretch {
        id: id(1),
        epoch: 0,
        number,
        span,
        gone: Vec::new(),
        lost: lost.to_vec(),
    };
    let with = |segment, stretch| Manifest {
        stretches: vec![stretch],
        ..manifest(segment, Vec::new())
    };
    let last = Stretch {
        number: 3,
        of: 3,
        from: 8,
        to: 9,
    };
    let mut holding = Holding::default();
    let all = [(1, 3, 0..4), (2, 3, 4..8), (3, 3, 8..9)];
    assert_eq!(spans(&holding), all);
    holding.add(with(1, stretch(1, (0, 4), &[])));
    assert_eq!(spans(&holding), all[1..]);
    assert!(holding.before(&stocked(1), last).is_none());
    // What could not be read then is tried again; of another length it is no use.
    holding.add(with(2, stretch(2, (4, 8), &[(5, 6)])));
    assert_eq!(spans(&holding), all[1..]);
    assert_eq!(
        holding.before(&stocked(1), last).unwrap().lost,
        [(5, 6)],
        "and counts if it can't be read again"
    );
    holding.add(with(3, stretch(2, (4, 7), &[])));
    assert_eq!(spans(&holding), all[1..]);
    assert!(holding.before(&stocked(1), last).is_none());
    // Nor is one with silence for what was lost in the vault, which may be back there.
    let torn = manifest::Stretch {
        gone: vec![(5, 6)],
        ..stretch(2, (4, 8), &[])
    };
    holding.add(with(6, torn));
    assert_eq!(spans(&holding), all[1..]);
    holding.add(with(4, stretch(2, (4, 8), &[])));
    assert_eq!(spans(&holding), all[2..]);
    let before = holding.before(&stocked(1), last).unwrap();
    assert_eq!((&*before.segments, &*before.lost), (&[1, 4][..], &[][..]));
    // And once it is whole, nothing is written.
    let whole = Entry {
        stretches: before.segments,
        ..entry(1, SoundAt::Here)
    };
    holding.add(manifest(5, vec![whole]));
    assert!(spans(&holding).is_empty());
    holding.segments.remove(&4);
    assert_eq!(spans(&holding).last(), Some(&all[2]));
}

#[test]
fn sound_that_was_not_whole_is_looked_at_again() {
    let mut holding = Holding::default();
    let torn = Entry {
        lost: vec![(3, 4)],
        ..entry(1, SoundAt::Here)
    };
    holding.add(manifest(1, vec![torn]));
    let (tasks, doubtful) = holding.lacks(&stock(vec![stocked(1)]), 5);
    assert!(tasks.is_empty());
    assert_eq!(
        (doubtful[0].sound, &*doubtful[0].lost),
        (WHOLE, &[(3, 4)][..])
    );
    let mut edited = stocked(1);
    edited.mark = [77; 16];
    assert_eq!(sounds(&holding, vec![edited]), [WHOLE]);
}

#[test]
fn what_came_after_the_backup_was_noted_is_left_for_the_next_one() {
    let holding = Holding::default();
    let later = Stocked {
        since: 6,
        ..stocked(1)
    };
    assert!(sounds(&holding, vec![later]).is_empty());
}

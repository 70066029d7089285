//! What the table restores: recordings that come back, one without its sound, and one
//! that a backup still holds and that was destroyed.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Clip, Gone, Sound, What, card_of};
use super::stage::Stage;
use crate::recording::RecordingId;
use crate::vault::bag::Tombstone;
use crate::vault::tests::{packets, transcript};
use crate::vault::{Error, Fate, Result, Returned, ReturnedSound, Returning};

/// Recordings that come back: their numbers, segments and epochs. The first is more
/// than one row of the store, the second has no sound any more.
const BACK: [(u8, u32, u32); 3] = [(7, 12, 0), (8, 2, 3), (9, 1, 1)];
const WITHOUT_SOUND: u8 = 8;

/// The one that was destroyed before this epoch was over.
const DESTROYED: (u8, u32, u32) = (11, 2, 4);

/// When it is known what was destroyed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Before anything is put.
    First,
    /// Behind all that is put, as in a stream, whose manifest comes last.
    Last,
}

/// The sound of a test recording.
pub(super) struct Packets {
    pub(super) number: u8,
    pub(super) segments: std::ops::Range<u32>,
}

impl Returned for Packets {
    fn next_segment(&mut self) -> Result<Option<Vec<u8>>> {
        let next = self.segments.next();
        Ok(next.map(|segment| packets(self.number, segment)))
    }
}

pub(super) fn id_of(number: u8) -> RecordingId {
    RecordingId::from_bytes([number; 16])
}

/// Whether this one was never here, and a backup said that it was destroyed.
pub(super) fn was_never_here(id: RecordingId) -> bool {
    id == id_of(DESTROYED.0)
}

fn returning((number, segments, epoch): (u8, u32, u32)) -> Returning {
    let words = [1, 4].map(|version| (version, transcript(&format!("said in {number}"))));
    Returning {
        id: id_of(number),
        epoch,
        card: card_of(number, segments),
        words: Some(BTreeMap::from(words)),
        numbered: 0,
    }
}

/// Puts all of them back, and says so once they are committed.
pub(super) fn restore(stage: &Stage, known: Known) -> Result<()> {
    let open = stage.open()?;
    let mut restoring = open.begin_restore()?;
    let (number, _, epoch) = DESTROYED;
    let tombstone = Tombstone {
        id: id_of(number),
        epoch,
    };
    // And one that the vault has destroyed itself, as `id` says.
    let own = stage.facts().gone.first().map(|gone| gone.id);
    let destroyed = BTreeSet::from([tombstone]);
    if known == Known::First {
        restoring.forbid(&destroyed)?;
    }
    stage.will(|facts| {
        for (number, segments, _) in BACK {
            let said = format!("said in {number}");
            let clip = Clip {
                words: vec![said.clone(), said],
                sound: match number {
                    WITHOUT_SOUND => Sound::Destroyed,
                    _ => Sound::Kept,
                },
                ..Clip::ended(number, segments)
            };
            facts.clips.insert(id_of(number), clip);
        }
        facts.gone.push(Gone {
            id: tombstone.id,
            what: What::All,
        });
    });
    for one in BACK.into_iter().chain([DESTROYED]) {
        let (number, segments, _) = one;
        let mut sound = Packets {
            number,
            segments: 0..segments,
        };
        let sound = match number {
            WITHOUT_SOUND => ReturnedSound::Shredded,
            _ => ReturnedSound::Segments(&mut sound),
        };
        let fate = restoring.put(&returning(one), sound)?;
        let due = match (one == DESTROYED, known) {
            (true, Known::First) => Fate::Destroyed,
            _ => Fate::Waits,
        };
        assert_eq!(fate, due, "{number}");
    }
    if let Some(id) = own {
        let again = Returning {
            id,
            ..returning((1, 3, 0))
        };
        assert_eq!(
            restoring.put(&again, ReturnedSound::Shredded)?,
            Fate::Destroyed
        );
    }
    if known == Known::Last {
        restoring.forbid(&destroyed)?;
    }
    let done = restoring.commit()?;
    let back: Vec<RecordingId> = BACK.iter().map(|one| id_of(one.0)).collect();
    if done.restored != back {
        let why = format!("{done:?}");
        return Err(Error::damaged("what came back", why));
    }
    stage.did();
    Ok(())
}

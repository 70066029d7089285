//! What a backup takes out of the vault: what there is, without opening anything,
//! and then sealed rows with the keys to them, a portion at a time.
//!
//! The vault's lock is held while rows are fetched, and not while they are opened:
//! that takes most of the time, is done on several threads, and others go on with
//! their work meanwhile. So what was there a moment ago may be shredded, which each
//! portion says. What leaves the vault, and in what form, is not decided here.

use std::collections::BTreeSet;
use std::ops::Range;

pub use self::opening::{Head, Opened};
use super::error::{Error, Result};
use super::inbox;
use super::keys::bag::{Bag, Clip, LogHead, Tombstone};
use super::log::book;
pub use super::log::book::Recalled;
use super::open::OpenVault;
use super::sealed::frame::{self, HEADER_BYTES};
use super::session::Held;
use super::store::Snapshots;
use super::store::library::{self, Damage};
use super::store::rows::{ClipId, Reading, SEGMENTS_PER_ROW};
use crate::crypto::{SignerKey, SigningSeed, VaultId};
use crate::recording::RecordingId;

mod opening;

/// What the vault holds, as its bag and the frames in the clear tell it.
pub struct Stock {
    /// The vault's name for good.
    pub vault: VaultId,
    /// The generation in force.
    pub generation: u64,
    /// The generation with which the latest of the recordings came in.
    pub latest: u64,
    /// What it signs backups with.
    pub signer: SignerKey,
    /// Everything that must not come back.
    pub tombstones: BTreeSet<Tombstone>,
    /// Recordings of which a part must not come back.
    pub lacking: Vec<Lacking>,
    /// Every recording that was merged, sorted by id.
    pub held: Vec<Stocked>,
    /// Those whose card is not there.
    pub damaged: Vec<Damage>,
}

/// A recording, by what can be told without opening its card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stocked {
    /// Its name for good.
    pub id: RecordingId,
    /// How often its keys were replaced.
    pub epoch: u32,
    /// The generation with which it was merged.
    pub since: u64,
    /// How often its card was rewritten.
    pub revision: u32,
    /// The checksum of its card: another one means another card.
    pub mark: [u8; 16],
    /// Whether its sound is kept.
    pub sound: Kept,
    /// Segments of sound that are there; none once the sound was shredded, or lost.
    pub segments: u64,
    /// Whether its transcripts are kept.
    pub words: Kept,
}

/// Whether a part of a recording is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is, as far as there is any.
    Kept,
    /// It was shredded, and must not come back.
    Shredded,
}

impl Kept {
    /// Whether the key to it is there.
    fn of<T>(key: Option<&T>) -> Self {
        match key {
            Some(_) => Self::Kept,
            None => Self::Shredded,
        }
    }
}

/// A part of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portion {
    /// The recording.
    pub id: RecordingId,
    /// The epoch in which it was seen.
    pub epoch: u32,
    /// Which part.
    pub part: Part,
}

/// Which part of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Its card and its transcripts.
    Head,
    /// These segments of its sound.
    Sound(Range<u64>),
}

/// A portion as it lies in the store, and the keys to it.
pub struct Sealed {
    at: ClipId,
    clip: Clip,
    rows: Rows,
}

enum Rows {
    Head {
        card: Option<Vec<u8>>,
        words: Vec<(u32, Vec<u8>)>,
    },
    Sound {
        segments: Range<u64>,
        rows: Vec<(u32, Vec<u8>)>,
    },
}

/// A recording of which a part was destroyed, and the rest was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lacking {
    /// The recording.
    pub id: RecordingId,
    /// The epoch of its keys.
    pub epoch: u32,
    /// Whether its sound is gone.
    pub sound: bool,
    /// Whether its transcripts are.
    pub words: bool,
}

/// What the end of a segment says of the vault.
pub struct Standing {
    /// The generation in force.
    pub generation: u64,
    /// Everything that must not come back.
    pub tombstones: BTreeSet<Tombstone>,
    /// Recordings of which a part must not come back.
    pub lacking: Vec<Lacking>,
    /// The newest entry of the log at the last rotation.
    pub log_head: Option<LogHead>,
    /// Signs the manifest.
    pub signing: SigningSeed,
}

impl OpenVault {
    /// What the vault holds. Opens no card, and reads nothing but their table.
    pub fn stock(&self) -> Result<Stock> {
        self.session().with(|held| stock(held))
    }

    /// Fetches portions, each with its keys; [`Error::Outdated`] for one of a
    /// recording of which that part is there no more.
    pub fn fetch(&self, portions: &[Portion]) -> Result<Vec<Result<Sealed>>> {
        self.session().with(|held| {
            held.store().read(held.lock(), |store| {
                let rows = store.begin()?;
                portions.iter().map(|one| fetch(held, &rows, one)).collect()
            })
        })
    }

    /// What the end of a segment says, and whether what was written of these, by
    /// epoch and parts, may stand.
    ///
    /// # Errors
    /// [`Error::Outdated`] names one that was shredded or redacted meanwhile, or a
    /// part of it.
    pub fn standing(&self, written: &[Stocked]) -> Result<Standing> {
        self.session().with(|held| {
            for one in written {
                let outdated = Error::Outdated {
                    id: one.id,
                    epoch: one.epoch,
                };
                let Some(clip) = held.bag().clips.get(&one.id) else {
                    return Err(outdated);
                };
                let sound_went = one.sound == Kept::Kept && clip.sound.is_none();
                let words_went = one.words == Kept::Kept && clip.words.is_none();
                if clip.epoch != one.epoch || sound_went || words_went {
                    return Err(outdated);
                }
            }
            Ok(Standing {
                generation: held.generation(),
                tombstones: held.bag().tombstones.clone(),
                lacking: lacking(held.bag()),
                log_head: held.bag().settings.log_head,
                signing: held.bag().signing.duplicate(),
            })
        })
    }

    /// Whether the log has these entries, each in its place.
    pub fn recall(&self, heads: &[LogHead]) -> Result<Vec<Recalled>> {
        self.session().with(|held| {
            held.store().read(held.lock(), |store| {
                let rows = store.begin()?;
                let recall = |head: &LogHead| book::recall(&rows, held.bag(), *head);
                heads.iter().map(recall).collect()
            })
        })
    }
}

fn lacking(bag: &Bag) -> Vec<Lacking> {
    let all = bag.clips.iter().map(|(id, clip)| Lacking {
        id: *id,
        epoch: clip.epoch,
        sound: clip.sound.is_none(),
        words: clip.words.is_none(),
    });
    all.filter(|one| one.sound || one.words).collect()
}

fn stock(held: &Held<'_>) -> Result<Stock> {
    let clips = &held.bag().clips;
    let cards = held.store().read(held.lock(), |store| {
        library::on_threads(|share| cards_of(store, share, held))
    })?;
    let mut stock: Vec<Stocked> = cards.into_iter().flatten().collect();
    stock.sort_unstable_by_key(|one| one.id);
    let merged = clips.iter().filter(|(_, clip)| clip.extent.is_some());
    let mut damaged = Vec::new();
    if merged.clone().count() != stock.len() {
        // One that still lies in the inbox is not missing.
        let waiting = inbox::names(held.disk(), held.dir())?.recordings;
        let is_there = |id: &RecordingId| {
            stock.binary_search_by_key(id, |one| one.id).is_ok()
                || waiting.binary_search(id).is_ok()
        };
        let missing = merged.filter(|(id, _)| !is_there(id));
        damaged.extend(missing.map(|(id, _)| Damage {
            id: *id,
            why: "its card is missing from the store".into(),
        }));
    }
    Ok(Stock {
        vault: held.vault_id(),
        generation: held.generation(),
        latest: clips.values().map(|clip| clip.came).max().unwrap_or(0),
        signer: held.bag().signing.public(),
        tombstones: held.bag().tombstones.clone(),
        lacking: lacking(held.bag()),
        held: stock,
        damaged,
    })
}

fn cards_of(
    store: &Snapshots<'_>,
    share: super::store::rows::Share,
    held: &Held<'_>,
) -> Result<Vec<Stocked>> {
    let mut found = Vec::new();
    store.begin()?.each_card(share, |at, row| {
        let clip = held.bag().clips.get(&at.id);
        let clip = clip.filter(|clip| clip.epoch == at.epoch);
        if let Some((clip, extent)) = clip.and_then(|clip| Some((clip, clip.extent?))) {
            // A header that can't be read is found out when the card is opened.
            let (revision, mark) = seen(row).unwrap_or_default();
            found.push(Stocked {
                id: at.id,
                epoch: at.epoch,
                since: clip.since,
                revision,
                mark,
                sound: Kept::of(clip.sound.as_ref()),
                segments: clip.sound.as_ref().map_or(0, |_| extent.segments),
                words: Kept::of(clip.words.as_ref()),
            });
        }
        Ok(())
    })?;
    Ok(found)
}

/// Revision and checksum of the frame at the start of a row.
fn seen(row: &[u8]) -> Option<(u32, [u8; 16])> {
    let header = row.first_chunk::<HEADER_BYTES>()?;
    Some((
        frame::facts_of(header)?.revision,
        frame::checksum_of(header),
    ))
}

fn fetch(held: &Held<'_>, rows: &Reading, portion: &Portion) -> Result<Result<Sealed>> {
    let outdated = || Error::Outdated {
        id: portion.id,
        epoch: portion.epoch,
    };
    let Ok((at, clip)) = held.clip(portion.id) else {
        return Ok(Err(outdated()));
    };
    let sound_went = matches!(portion.part, Part::Sound(_)) && clip.sound.is_none();
    if at.epoch != portion.epoch || sound_went {
        return Ok(Err(outdated()));
    }
    let fetched = match &portion.part {
        Part::Head => Rows::Head {
            card: rows.card(at)?,
            words: match clip.words {
                Some(_) => rows.words_from(at, 0, usize::MAX)?,
                None => Vec::new(),
            },
        },
        Part::Sound(segments) => {
            let row = |segment: u64| {
                u32::try_from(segment / u64::from(SEGMENTS_PER_ROW))
                    .map_err(|_| Error::damaged(at.id, "no recording has so many segments"))
            };
            let (first, last) = (row(segments.start)?, row(segments.end.saturating_sub(1))?);
            let most = (last - first + 1) as usize;
            let mut found = rows.sound(at, first, most)?;
            found.retain(|(number, _)| *number <= last);
            Rows::Sound {
                segments: segments.clone(),
                rows: found,
            }
        }
    };
    Ok(Ok(Sealed {
        at,
        clip: clip.duplicate(),
        rows: fetched,
    }))
}

//! What a backup takes out of the vault: what there is, without opening anything,
//! and then sealed rows with the keys to them, a portion at a time.
//!
//! The vault's lock is held while rows are fetched, and not while they are opened:
//! that takes most of the time, is done on several threads, and others go on with
//! their work meanwhile. So what was there a moment ago may be shredded, which each
//! portion says. What leaves the vault, and in what form, is not decided here.

use std::collections::BTreeSet;
use std::ops::Range;

use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::inbox;
use super::keys::bag::{Bag, Clip, LogHead, Tombstone};
use super::log::book;
pub use super::log::book::Recalled;
use super::open::OpenVault;
use super::sealed::frame::{self, Frame, HEADER_BYTES, Kind};
use super::sealed::{record, scan};
use super::session::Held;
use super::store::library::{self, Damage};
use super::store::rows::{ClipId, Reading, SEGMENTS_PER_ROW};
use super::store::{Snapshots, gaps};
use crate::crypto::{BackupIdentity, ClipKey, SignerKey, SigningSeed, VaultId};
use crate::recording::{Recording, RecordingId};
use crate::transcript::Transcript;

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

/// A portion that was opened.
pub enum Opened {
    /// Card and transcripts.
    Head(Box<Head>),
    /// Segments of sound, as packets, or why one can't be read.
    Sound(Vec<Result<Zeroizing<Vec<u8>>>>),
}

/// All that is known of a recording but its sound.
pub struct Head {
    /// The recording.
    pub recording: Recording,
    /// How often its card was rewritten.
    pub revision: u32,
    /// The checksum of its card.
    pub mark: [u8; 16],
    /// The transcripts that could be read, with their numbers.
    pub transcripts: Vec<(u32, Transcript)>,
    /// Why others could not.
    pub damaged: Vec<Error>,
    /// Segments that are gone for good, as the card says: there is no damage in
    /// their being missing.
    pub gone: Vec<Range<u64>>,
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

    /// The identities that open backups: the one in force, and those before it, the
    /// newest first.
    pub fn backup_identities(&self) -> Result<Vec<BackupIdentity>> {
        self.session().with(|held| {
            let former = held.bag().former_backups.iter().rev();
            let all = std::iter::once(held.backup_identity()).chain(former);
            Ok(all.map(BackupIdentity::duplicate).collect())
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

impl Sealed {
    /// Opens it.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the card can't be read. Of a transcript or a segment
    /// that can't be, what is opened says so.
    pub fn open(&self) -> Result<Opened> {
        match &self.rows {
            Rows::Head { card, words } => {
                let row = card.as_ref().ok_or_else(|| library::no_card(self.at.id))?;
                let head = self.open_head(row, words)?;
                Ok(Opened::Head(Box::new(head)))
            }
            Rows::Sound { segments, rows } => {
                let none = || Error::NoSound { id: self.at.id };
                let key = self.clip.sound.as_ref().ok_or_else(none)?;
                Ok(Opened::Sound(self.open_sound(key, segments, rows)))
            }
        }
    }

    fn open_head(&self, row: &[u8], words: &[(u32, Vec<u8>)]) -> Result<Head> {
        let library::FoundCard { record, .. } = library::card_in(self.at, &self.clip, row)?;
        // As the stock tells it, so that the two can be compared.
        let (revision, mark) = seen(row).unwrap_or_default();
        // Until when it is kept is not written down: rules change.
        let recording = library::recording(self.at, &self.clip, record, &[]);
        let (mut transcripts, mut damaged) = (Vec::new(), Vec::new());
        for version in &recording.versions {
            let number = version.number;
            let row = words.iter().find(|(found, _)| *found == number);
            let opened = row
                .ok_or(Error::NoTranscript {
                    id: self.at.id,
                    number,
                })
                .and_then(|(_, row)| library::open_words(self.at, number, &self.clip, row));
            match opened {
                Ok(transcript) => transcripts.push((number, transcript)),
                Err(Error::NoTranscript { id, number }) => damaged.push(Error::damaged(
                    format!("{id}, transcript {number}"),
                    "it is missing from the store",
                )),
                Err(error) => damaged.push(error),
            }
        }
        let gone = gaps::segments_of(&recording.card.gaps);
        Ok(Head {
            recording,
            revision,
            mark,
            transcripts,
            damaged,
            gone,
        })
    }

    /// What each segment holds, in order. That they are those of this recording and
    /// stand in their places is sealed in each.
    fn open_sound(
        &self,
        key: &ClipKey,
        segments: &Range<u64>,
        rows: &[(u32, Vec<u8>)],
    ) -> Vec<Result<Zeroizing<Vec<u8>>>> {
        let mut opened: Vec<Option<Result<Zeroizing<Vec<u8>>>>> = Vec::new();
        opened.resize_with((segments.end - segments.start) as usize, || None);
        for (_, row) in rows {
            for frame in frames_in(row) {
                let facts = frame.facts;
                let number = u64::from(facts.number);
                let is_ours = facts.kind == Kind::Sound
                    && (facts.id, facts.epoch) == (self.at.id, self.at.epoch)
                    && segments.contains(&number);
                if is_ours {
                    let sound = record::open_sound(key, &frame).map(|sound| sound.packets);
                    opened[(number - segments.start) as usize] = Some(sound);
                }
            }
        }
        let missing = |(at, one): (usize, Option<_>)| {
            one.unwrap_or_else(|| {
                let number = segments.start + at as u64;
                let place = format!("{}, sound segment {number}", self.at.id);
                Err(Error::damaged(
                    place,
                    "it is damaged or missing from the store",
                ))
            })
        };
        opened.into_iter().enumerate().map(missing).collect()
    }
}

/// The frames of a row. Where they stand one behind the other their checksums are
/// not asked: what is sealed in them says more. Else they are searched for.
fn frames_in(row: &[u8]) -> Vec<Frame<'_>> {
    let mut found = Vec::with_capacity(SEGMENTS_PER_ROW as usize);
    let mut rest = row;
    while !rest.is_empty() {
        let Some(frame) = frame::unchecked(rest) else {
            return scan::frames(row).map(|(_, frame)| frame).collect();
        };
        rest = &rest[frame.bytes.len()..];
        found.push(frame);
    }
    found
}

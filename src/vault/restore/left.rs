//! What a store that was kept holds and the vault does not.
//!
//! A repair goes on from what it could read, so the revisions of cards and the numbers of
//! transcripts are given a second time behind it. What a record says is compared, therefore,
//! and never its number alone.

use std::collections::{BTreeMap, BTreeSet};

use super::lacks::{Holding, Stand};
use super::mend;
use crate::recording::{Card, RECOVERED_NOTE, RECOVERED_TITLE, RecordingId};
use crate::transcript::Transcript;
use crate::vault::error::Result;
use crate::vault::ground::disk::DiskFile;
use crate::vault::log::chain::Checker;
use crate::vault::sealed::frame::{self, Kind};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::session::Held;
use crate::vault::store::finding::{self, Found, Records};
use crate::vault::store::opened;
use crate::vault::store::rows::{ClipId, Reading};

/// What these records of another store have that the vault has not, in words; `None` where
/// they are none.
///
/// # Errors
/// If the vault's own store can't be read.
pub(in crate::vault) fn left_out(
    held: &Held<'_>,
    records: &Records,
    file: &dyn DiskFile,
) -> Result<Option<Vec<String>>> {
    if records.found.is_empty() {
        return Ok(None);
    }
    let stand = Stand::of(held)?;
    held.store().read(held.lock(), |store| {
        let rows = store.begin()?;
        let mut left = Vec::new();
        let same = |one: &Found, two: &Found| records.clip(one) == records.clip(two);
        for found in records.found.chunk_by(same) {
            let at = records.clip(&found[0]);
            match stand.holding(at) {
                Some(holding) => {
                    let own = Own {
                        held,
                        rows: &rows,
                        at,
                        holding,
                    };
                    own.compare(found, file, &mut left)?;
                }
                None => left.push(format!("all of {}, whose card can't be read", at.id)),
            }
        }
        left.extend(lost_entries(held, &rows, records)?);
        Ok(Some(left))
    })
}

/// Transcripts of another store that the vault has under no number, but another one under
/// theirs.
///
/// # Errors
/// If the vault's own store can't be read.
pub(super) fn other_words(
    held: &Held<'_>,
    stand: &Stand,
    records: &Records,
    file: &dyn DiskFile,
) -> Result<BTreeMap<RecordingId, Vec<Transcript>>> {
    let mut others: BTreeMap<_, Vec<_>> = BTreeMap::new();
    held.store().read(held.lock(), |store| {
        let rows = store.begin()?;
        for found in records.found.iter().filter(|one| one.kind == Kind::Words) {
            let at = records.clip(found);
            let Some(holding) = stand.holding(at) else {
                continue;
            };
            let own = Own {
                held,
                rows: &rows,
                at,
                holding,
            };
            if holding.lacks_words(found.number) {
                continue;
            }
            if let Some(other) = own.open_words(found, file)?
                && !own.has_words(found.number, &other)?
            {
                others.entry(at.id).or_default().push(other);
            }
        }
        Ok(())
    })?;
    Ok(others)
}

/// Entries of the log that the vault's own has not.
fn lost_entries(held: &Held<'_>, rows: &Reading, records: &Records) -> Result<Option<String>> {
    let mut checker = Checker::new(held.bag());
    rows.each_log(|number, row| checker.row(number, row))?;
    let own = checker.finish().entries;
    let own: BTreeMap<u32, _> = own.iter().map(|entry| (entry.number, entry)).collect();
    let lost: BTreeSet<u32> = records
        .log
        .iter()
        .filter(|(entry, _)| own.get(&entry.number) != Some(&entry))
        .map(|(entry, _)| entry.number)
        .collect();
    let lost: Vec<String> = lost.iter().map(u32::to_string).collect();
    let named = || {
        let numbers = lost.join(", ");
        format!("entries of the log, which no repair takes in: {numbers}")
    };
    Ok((!lost.is_empty()).then(named))
}

/// What the vault has of a recording.
struct Own<'a, 'h> {
    held: &'a Held<'h>,
    rows: &'a Reading,
    at: ClipId,
    holding: &'a Holding,
}

impl Own<'_, '_> {
    /// Notes what of these records of it the vault has not.
    fn compare(&self, found: &[Found], file: &dyn DiskFile, left: &mut Vec<String>) -> Result<()> {
        let id = self.at.id;
        let lacks = |one: &Found| one.kind == Kind::Sound && self.holding.lacks_segment(one.number);
        if found.iter().any(lacks) {
            left.push(format!("sound of {id}"));
        }
        for one in found {
            match one.kind {
                Kind::Words => {
                    let is_here = match self.open_words(one, file)? {
                        Some(other) => self.has_words(one.number, &other)?,
                        None => false,
                    };
                    if !is_here {
                        left.push(format!("transcript {} of {id}", one.number));
                    }
                }
                Kind::Card => match self.open_card(one, file)? {
                    Some(other) => left.extend(self.compare_card(&other)?),
                    None => left.push(format!("the card of {id}")),
                },
                _ => {}
            }
        }
        Ok(())
    }

    fn compare_card(&self, other: &Card) -> Result<Option<String>> {
        let id = self.at.id;
        let clip = mend::clip(self.held, self.at)?;
        let row = self.rows.card(self.at)?;
        let row = row.ok_or_else(|| opened::no_card(id))?;
        let own = opened::open_card(self.at, clip, &row)?.card;
        let differing = differing(&own, other);
        let named = || {
            let differing = differing.join(", ");
            format!("the card of {id} in it is another one: {differing}")
        };
        Ok((!differing.is_empty()).then(named))
    }

    /// Whether there is this transcript, under its number or another.
    fn has_words(&self, number: u32, other: &Transcript) -> Result<bool> {
        let clip = mend::clip(self.held, self.at)?;
        let numbers = self.holding.versions.iter().flatten().copied();
        for number in [number].into_iter().chain(numbers) {
            let row = self.rows.words(self.at, number)?;
            let own = row.map(|row| opened::open_words(self.at, number, clip, &row));
            if own.is_some_and(|own| own.is_ok_and(|own| own == *other)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn open_words(&self, found: &Found, file: &dyn DiskFile) -> Result<Option<Transcript>> {
        let key = mend::clip(self.held, self.at)?.words.as_ref();
        let bytes = read(file, found);
        let opened = key.zip(bytes.as_deref()).and_then(|(key, bytes)| {
            let frame = frame::parse(bytes).ok()?;
            record::open_text(key, &frame).ok()
        });
        Ok(opened)
    }

    fn open_card(&self, found: &Found, file: &dyn DiskFile) -> Result<Option<Card>> {
        let key = &mend::clip(self.held, self.at)?.card;
        let opened = read(file, found).and_then(|bytes| {
            let frame = frame::parse(&bytes).ok()?;
            record::open_text::<CardRecord>(key, &frame).ok()
        });
        Ok(opened.map(|record| record.card))
    }
}

/// What the owner gave the other card, and this one has not. What was noted on one that was
/// made anew, nobody gave it.
fn differing(own: &Card, other: &Card) -> Vec<String> {
    let is_told = !other.is_recovered();
    let mut differing = Vec::new();
    if other.title != own.title && (is_told || other.title != RECOVERED_TITLE) {
        differing.push(format!("title {:?}", other.title));
    }
    if other.tags != own.tags && (is_told || !other.tags.is_empty()) {
        differing.push(format!("tags {:?}", other.tags.join(" ")));
    }
    if other.note != own.note && (is_told || other.note != RECOVERED_NOTE) {
        differing.push(format!("note {:?}", other.note));
    }
    if other.markers != own.markers && (is_told || !other.markers.is_empty()) {
        differing.push("markers".into());
    }
    if other.recorded_at != own.recorded_at && is_told {
        differing.push("date".into());
    }
    if other.pinned && !own.pinned && is_told {
        differing.push("pinned".into());
    }
    if is_told && own.is_recovered() {
        differing.push("it is no card that was made anew".into());
    }
    differing
}

/// The bytes of a record, if they can be read.
pub(super) fn read(file: &dyn DiskFile, found: &Found) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    finding::read(file, found, &mut bytes).ok()?;
    Some(bytes)
}

//! Lost segments on their way into the rows where they lay, and what of the sound is there.

use std::collections::BTreeMap;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::mend::{self, Waiting, facts};
use crate::crypto::ClipKey;
use crate::recording::{Card, SEGMENT_SAMPLES};
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::Extent;
use crate::vault::sealed::frame::Kind;
use crate::vault::sealed::record;
use crate::vault::sealed::scan;
use crate::vault::session::Held;
use crate::vault::store::rows::{ClipId, SEGMENTS_PER_ROW};
use crate::vault::store::{gaps, opened};

/// Rows that are read at once.
const BATCH_ROWS: usize = 64;

/// The sound that is there.
pub(super) struct Heard {
    pub(super) extent: Extent,
    pub(super) lost: Vec<Range<u64>>,
    pub(super) bytes: u64,
}

/// Segments on their way into the rows where they lay.
pub(super) struct Filling {
    at: ClipId,
    key: ClipKey,
    rows: BTreeMap<u32, BTreeMap<u32, Vec<u8>>>,
    bytes: usize,
}

impl Filling {
    pub(super) fn new(at: ClipId, key: ClipKey) -> Self {
        Self {
            at,
            key,
            rows: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// How much was taken and is not written yet.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn segment(&mut self, number: u32, card: &Card, packets: &[u8]) -> Result<()> {
        let before = u64::from(number) * u64::from(SEGMENT_SAMPLES);
        let left = card.samples.saturating_sub(before);
        let samples = u32::try_from(left).map_or(SEGMENT_SAMPLES, |left| left.min(SEGMENT_SAMPLES));
        let facts = facts(self.at, Kind::Sound, number);
        self.frame(
            number,
            record::seal_sound(&self.key, &facts, packets, samples)?,
        );
        Ok(())
    }

    /// Takes one that is sealed under the key that it has.
    pub(super) fn frame(&mut self, number: u32, frame: Vec<u8>) {
        self.bytes += frame.len();
        let row = self.rows.entry(number / SEGMENTS_PER_ROW).or_default();
        row.insert(number, frame);
    }

    /// Writes what was taken so far.
    pub(super) fn write(&mut self, held: &Held<'_>) -> Result<()> {
        // Shredded meanwhile, it gets no row that its key would open.
        if mend::clip(held, self.at)?.sound.is_none() {
            return Err(Error::NoSound { id: self.at.id });
        }
        if self.rows.is_empty() {
            return Ok(());
        }
        held.store().write(held.lock(), |rows| {
            for (number, new) in &self.rows {
                let was = rows.sound(self.at, *number, 1)?;
                let was = was.into_iter().find(|(row, _)| row == number);
                let was = was.map(|(_, was)| was).unwrap_or_default();
                let mut all = new.clone();
                // What is there stays as it is.
                for (segment, frame, _) in opened(self.at, &self.key, *number, &was) {
                    all.insert(segment, frame.to_vec());
                }
                let all: Vec<u8> = all.into_values().flatten().collect();
                rows.put_sound(self.at, *number, &all)?;
            }
            Ok(())
        })?;
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// The segments in a row that open, with their frames and samples.
fn opened<'r>(
    at: ClipId,
    key: &ClipKey,
    row: u32,
    bytes: &'r [u8],
) -> impl Iterator<Item = (u32, &'r [u8], u32)> {
    scan::frames(bytes).filter_map(move |(_, frame)| {
        let facts = frame.facts;
        let is_here = (facts.kind, facts.id, facts.epoch) == (Kind::Sound, at.id, at.epoch)
            && facts.number / SEGMENTS_PER_ROW == row;
        let segment = is_here.then(|| record::open_sound(key, &frame).ok())??;
        Some((facts.number, frame.bytes, segment.samples))
    })
}

/// What of the sound is there, of so many segments.
pub(super) fn heard(held: &Held<'_>, at: ClipId, key: &ClipKey, segments: u64) -> Result<Heard> {
    held.store().read(held.lock(), |store| {
        let reading = store.begin()?;
        let (mut digest, mut lost, mut bytes) = (Sha256::new(), Vec::new(), 0);
        let (mut next, mut from) = (0, 0);
        loop {
            let rows = reading.sound(at, from, BATCH_ROWS)?;
            let Some((last, _)) = rows.last() else { break };
            from = last.saturating_add(1);
            for (row, frames) in &rows {
                for (number, frame, _) in opened(at, key, *row, frames) {
                    let number = u64::from(number);
                    if number < next || number >= segments {
                        continue;
                    }
                    lost.push(next..number);
                    next = number + 1;
                    bytes += frame.len() as u64;
                    digest.update(frame);
                }
            }
        }
        lost.push(next..segments);
        lost.retain(|span: &Range<u64>| !span.is_empty());
        let hash = digest.finalize().into();
        Ok(Heard {
            extent: Extent { segments, hash },
            lost,
            bytes,
        })
    })
}

/// Has the card say what is lost where the extent counts segments that it notes as lost:
/// an earlier one was cut short behind the rotation. Once more segments come, the extent
/// would count neither all of them nor those that lie in no gap.
pub(super) fn note_counted(
    held: &Held<'_>,
    at: ClipId,
    key: &ClipKey,
    segments: u64,
) -> Result<()> {
    let clip = mend::clip(held, at)?;
    let there = heard(held, at, key, segments)?;
    // Where nothing is lost any more nothing comes.
    if clip.extent != Some(there.extent) || there.lost.is_empty() {
        return Ok(());
    }
    let store = held.store();
    let row = store.read(held.lock(), |store| store.begin()?.card(at))?;
    let row = row.ok_or_else(|| opened::no_card(at.id))?;
    let card = opened::open_card(at, clip, &row)?.card;
    if gaps::segments_of(&card.gaps) == there.lost {
        return Ok(());
    }
    store.write(held.lock(), |rows| {
        mend::put(rows, at, clip, &Waiting::of(at.epoch), Some(&there))
    })
}

//! Takes a span out of a recording, for good.
//!
//! The recording gets new keys and the next epoch. Its rows are written anew
//! under them, without what is to go; one rotation puts the new keys in the
//! place of the old ones, and the rows of the epoch before are as dead as those
//! of a recording that was shredded. A tombstone keeps that epoch from coming
//! back.
//!
//! Both epochs lie in the store side by side for a while, and the bag in force
//! says which of them counts:
//!
//! | the power is cut | the bag in force has | the store holds |
//! |---|---|---|
//! | while rows are written | the old epoch | it, and a part of the new one |
//! | before the commit | the old epoch | both |
//! | before rows are deleted | the new epoch | both |
//! | later | the new epoch | it |
//!
//! The rows are written before the rotation begins: however long the recording
//! is, nobody who wants to begin another one waits for that. A note in the store
//! says that a recording has rows of two epochs, until [`settle`] has deleted
//! those that do not count. They open with no key: keys of an epoch that did not
//! come into force were never written down.
//!
//! What is silence, and which words go, is not known here: see [`Redaction`].

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::receipt::{NotErased, Receipt};
use super::shred;
use crate::crypto::{ClipKey, ClipKeys};
use crate::recording::{Card, RecordingId};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::Hold;
use crate::vault::inbox::{self, Claim, merge};
use crate::vault::keys::bag::{Clip, Extent, Tombstone};
use crate::vault::log::{Deed, Draft, book};
use crate::vault::sealed::frame::{Facts, Kind};
use crate::vault::sealed::{record, scan};
use crate::vault::session::Held;
use crate::vault::store::digest::SoundDigest;
use crate::vault::store::rows::{ClipId, SEGMENTS_PER_ROW, Writing};
use crate::vault::store::{self, gaps, library};

/// Rows of sound in one transaction: about 8 MB, and as much of the new epoch.
const ROWS_PER_COMMIT: usize = 256;

/// Rows of sound in memory at once.
const ROWS_AT_ONCE: usize = 16;

/// What is taken out of a recording, by those who know sound and words.
pub trait Redaction {
    /// Puts silence in the place of what is to go among the packets of this
    /// segment, which keep their size.
    fn silence(&self, segment: u32, packets: &mut [u8]);

    /// The transcript of this number without what is to go; `None` if nothing in
    /// it is.
    fn blank(&self, number: u32, transcript: &Transcript) -> Option<Transcript>;

    /// Takes out of the card what speaks of the span.
    fn trim(&self, card: &mut Card);
}

/// What was taken out, and what is out of reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The recording.
    pub id: RecordingId,
    /// Transcripts of which something was blanked.
    pub transcripts: u32,
    /// Segments of sound that were damaged or missing and are noted as gaps now;
    /// those that the card had noted before don't count.
    pub lost_segments: u64,
    /// Transcripts that were damaged; there is nothing left of them.
    pub lost_transcripts: u32,
    /// What was erased, and what could not be.
    pub receipt: Receipt,
}

/// Redacts a recording. `progress` hears of segments done and segments in all.
pub(crate) fn redact(
    held: &mut Held<'_>,
    id: RecordingId,
    redaction: &dyn Redaction,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Redacted> {
    let waited = come_in(held, id)?;
    let (at, clip) = held.clip(id)?;
    let before = clip.duplicate();
    let mut rekeying = Rekeying::new(at, &before, redaction)?;
    if let Err(error) = rekeying.write(held, progress) {
        // What was written is left over; if it can't be deleted now, it is later.
        let _ = settle(held);
        return Err(error);
    }
    let Rekeying {
        mut after, counted, ..
    } = rekeying;
    // An error leaves the rows where they are: the keys in force are read anew
    // before anybody settles which ones count.
    let draft = Draft::done(Deed::Redact, &[id]);
    let rotated = held.rotate_logged(draft, |bag| {
        let missing = Error::NoRecording { id };
        let place = bag.clips.get_mut(&id).ok_or(missing)?;
        std::mem::swap(place, &mut after);
        bag.tombstones.insert(Tombstone {
            id,
            epoch: at.epoch,
        });
        Ok(())
    })?;
    let keys = "the keys to the recording as it was before";
    let receipt = Receipt::of_keys(held, keys, rotated);
    let mut receipt = receipt.held_since(held, before.since);
    match settle(held) {
        Ok(rows) => receipt.erased.push(format!(
            "{rows} rows of store.redb; sealed bytes may stay in its free pages, without a key"
        )),
        Err(error) => receipt.not_erased.push(NotErased {
            what: "sealed rows, without a key".into(),
            where_: store::FILE.into(),
            why: error.to_string(),
        }),
    }
    if waited {
        // It came in, and its file may have stayed.
        shred::destroy_inbox_file(held, id, &mut receipt);
    }
    Ok(Redacted {
        id,
        transcripts: counted.transcripts,
        lost_segments: counted.lost_segments,
        lost_transcripts: counted.lost_transcripts,
        receipt,
    })
}

/// Takes the recording out of the inbox, if it is still there; whether it was.
///
/// # Errors
/// [`Error::Damaged`] if it could not be taken out: nothing of it can be redacted then.
fn come_in(held: &mut Held<'_>, id: RecordingId) -> Result<bool> {
    match inbox::claim(held.disk(), held.dir(), id, Hold::Shared) {
        Ok(Claim::Running) => Err(Error::Running { id }),
        Ok(Claim::Left(file)) => {
            drop(file);
            match merge::merge(held)?.refused_file(id).is_some() {
                true => Err(Error::damaged(id, "it can't be taken out of the inbox yet")),
                false => Ok(true),
            }
        }
        Ok(Claim::Absent) => Ok(false),
        // It is in the vault, whatever has the name of its file.
        Err(_) if held.clip(id).is_ok() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes what redactions left over, whether they came to their end or not: rows
/// of an epoch that is not in the bag. How many there were.
pub(crate) fn settle(held: &Held<'_>) -> Result<u64> {
    let ids = held
        .store()
        .read(held.lock(), |store| store.begin()?.rekeyed())?;
    if ids.is_empty() {
        return Ok(0);
    }
    held.store().write(held.lock(), |rows| {
        book::put_carried(rows, held.bag())?;
        let mut deleted = 0;
        for id in ids {
            deleted += match held.clip(id) {
                Ok((at, _)) => rows.delete_other_epochs(at)?,
                // It was shredded since.
                Err(_) => rows.delete_all(id)?,
            };
            rows.forget_rekeyed(id)?;
        }
        Ok(deleted)
    })
}

/// A recording on its way into its next epoch.
struct Rekeying<'a> {
    redaction: &'a dyn Redaction,
    /// Where it was, with its keys of before.
    from: ClipId,
    before: &'a Clip,
    /// Where it will be, with its new keys; the extent grows with the rows.
    to: ClipId,
    after: Clip,
    /// Segments of which no frame came over.
    missing: Vec<Range<u64>>,
    /// Whether those that did are those that were recorded.
    all_there: bool,
    counted: Counted,
}

/// What came over and what did not.
#[derive(Default)]
struct Counted {
    transcripts: u32,
    lost_segments: u64,
    lost_transcripts: u32,
    audio_bytes: u64,
}

impl<'a> Rekeying<'a> {
    fn new(from: ClipId, before: &'a Clip, redaction: &'a dyn Redaction) -> Result<Self> {
        let seal = |why: String| Error::Seal {
            which: from.id.to_string(),
            why,
        };
        let keys = ClipKeys::generate().map_err(|error| seal(error.to_string()))?;
        let epoch = from
            .epoch
            .checked_add(1)
            .ok_or_else(|| seal("it was redacted too often".into()))?;
        let after = Clip {
            epoch,
            // What was shredded before stays so.
            sound: before.sound.is_some().then_some(keys.sound),
            words: before.words.is_some().then_some(keys.words),
            card: keys.card,
            extent: before.extent,
            since: before.since,
            came: before.came,
            kept_from: before.kept_from,
            pinned: before.pinned,
        };
        Ok(Self {
            redaction,
            from,
            before,
            to: ClipId { epoch, ..from },
            after,
            missing: Vec::new(),
            all_there: true,
            counted: Counted::default(),
        })
    }

    /// Writes all rows of the new epoch, durably.
    fn write(&mut self, held: &Held<'_>, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        held.store().change(held.lock(), |store| {
            let noted = store.commit(|rows| {
                // An earlier try may have left rows in the place of these.
                rows.delete_other_epochs(self.from)?;
                rows.note_rekeyed(self.to)?;
                self.gaps_before(rows)
            })?;
            if let (Some(old), Some(new)) = (&self.before.sound, &self.after.sound) {
                let (old, new) = (old.duplicate(), new.duplicate());
                let mut sound = Sound::new(self, noted, &old, &new)?;
                let total = sound.segments.into();
                while let Some(done) = store.commit(|rows| sound.write_some(rows))? {
                    progress(done.into(), total);
                }
                let moved = sound.end();
                self.after.extent = Some(moved.extent);
                self.counted.audio_bytes = moved.audio_bytes;
                self.missing = moved.missing;
                self.all_there = moved.is_as_recorded;
            }
            store.commit(|rows| self.write_text(rows))
        })
    }

    /// The segments that its card notes as lost.
    fn gaps_before(&self, rows: &Writing) -> Result<Vec<Range<u64>>> {
        let row = rows
            .card(self.from)?
            .ok_or_else(|| library::no_card(self.from.id))?;
        let found = library::card_in(self.from, self.before, &row)?;
        Ok(gaps::segments_of(&found.record.card.gaps))
    }

    /// Every transcript and, last of all, the card.
    fn write_text(&mut self, rows: &Writing) -> Result<()> {
        let mut kept = Vec::new();
        if let (Some(_), Some(new)) = (&self.before.words, &self.after.words) {
            let mut from = 0;
            while let Some((number, row)) = rows.words_from(self.from, from, 1)?.pop() {
                from = number.saturating_add(1);
                // A damaged one can't be blanked, so it can't be taken along.
                let Ok(old) = library::open_words(self.from, number, self.before, &row) else {
                    self.counted.lost_transcripts += 1;
                    continue;
                };
                let blanked = self.redaction.blank(number, &old);
                self.counted.transcripts += u32::from(blanked.is_some());
                let facts = self.facts(Kind::Words, number, 0);
                let frame = record::seal_text(new, &facts, &blanked.unwrap_or(old))?;
                rows.add_words(self.to, number, &frame)?;
                kept.push(number);
            }
        }
        let row = rows
            .card(self.from)?
            .ok_or_else(|| library::no_card(self.from.id))?;
        let library::FoundCard { frame, mut record } =
            library::card_in(self.from, self.before, &row)?;
        self.note_gaps(&mut record.card)?;
        self.redaction.trim(&mut record.card);
        if self.after.words.is_some() {
            let named = record.versions.len();
            record
                .versions
                .retain(|version| kept.contains(&version.number));
            // Some may have no row at all.
            let lost = u32::try_from(named - record.versions.len()).unwrap_or(u32::MAX);
            self.counted.lost_transcripts = self.counted.lost_transcripts.max(lost);
        }
        if self.after.sound.is_some() {
            record.audio_bytes = self.counted.audio_bytes;
        }
        let facts = frame.facts;
        let facts = self.facts(Kind::Card, facts.number, facts.revision.wrapping_add(1));
        let card = record::seal_text(&self.after.card, &facts, &record)?;
        rows.put_card(self.to, &card)
    }

    /// What did not come over is gone for good with its keys, and from now on a gap.
    fn note_gaps(&mut self, card: &mut Card) -> Result<()> {
        let known = gaps::segments_of(&card.gaps);
        let fresh: Vec<Range<u64>> = self
            .missing
            .iter()
            .flat_map(|segments| gaps::outside(segments, &known))
            .collect();
        if fresh.is_empty() && !self.all_there {
            // It must not pass for whole under a hash of its own.
            let why = "the sound is not the one that was recorded";
            return Err(Error::damaged(self.from.id, why));
        }
        self.counted.lost_segments = fresh.iter().map(|span| span.end - span.start).sum();
        card.gaps.extend(fresh.iter().map(gaps::gap_of));
        card.gaps.sort_by_key(|gap| gap.at_sample);
        Ok(())
    }

    fn facts(&self, kind: Kind, number: u32, revision: u32) -> Facts {
        Facts {
            kind,
            id: self.to.id,
            epoch: self.to.epoch,
            number,
            revision,
        }
    }
}

/// The sound as it came over.
struct Moved {
    extent: Extent,
    audio_bytes: u64,
    missing: Vec<Range<u64>>,
    is_as_recorded: bool,
}

/// The sound of a recording on its way into its next epoch.
struct Sound<'a> {
    redaction: &'a dyn Redaction,
    from: ClipId,
    to: ClipId,
    old: &'a ClipKey,
    new: &'a ClipKey,
    segments: u32,
    /// What its frames are to be together, and which of them its card notes as lost.
    due: Extent,
    noted: Vec<Range<u64>>,
    /// The next row to take, and the next segment.
    row: u32,
    next: u32,
    missing: Vec<Range<u64>>,
    audio_bytes: u64,
    hash_before: SoundDigest,
    hash: Sha256,
}

impl<'a> Sound<'a> {
    fn new(
        rekeying: &Rekeying<'a>,
        noted: Vec<Range<u64>>,
        old: &'a ClipKey,
        new: &'a ClipKey,
    ) -> Result<Self> {
        let id = rekeying.from.id;
        let extent = rekeying.before.extent.ok_or(Error::NoRecording { id })?;
        let segments = u32::try_from(extent.segments)
            .map_err(|_| Error::damaged(id, "no recording has so many segments"))?;
        Ok(Self {
            redaction: rekeying.redaction,
            from: rekeying.from,
            to: rekeying.to,
            old,
            new,
            segments,
            due: extent,
            noted,
            row: 0,
            next: 0,
            missing: Vec::new(),
            audio_bytes: 0,
            hash_before: SoundDigest::new(),
            hash: Sha256::new(),
        })
    }

    /// The next rows, as many as go into one transaction; which segment is next,
    /// or `None` behind the last row.
    fn write_some(&mut self, rows: &Writing) -> Result<Option<u32>> {
        for _ in 0..ROWS_PER_COMMIT / ROWS_AT_ONCE {
            let batch = rows.sound(self.from, self.row, ROWS_AT_ONCE)?;
            let Some((last, _)) = batch.last() else {
                return Ok(None);
            };
            self.row = last.saturating_add(1);
            for (row, frames) in &batch {
                let frames = self.take(*row, frames)?;
                if !frames.is_empty() {
                    rows.add_sound(self.to, *row, &frames)?;
                }
            }
        }
        Ok(Some(self.next))
    }

    /// The frames of a row, sealed anew. What does not open is lost already.
    fn take(&mut self, row: u32, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut frames = Vec::with_capacity(bytes.len());
        for (_, frame) in scan::frames(bytes) {
            let number = frame.facts.number;
            let expected = Facts {
                kind: Kind::Sound,
                id: self.from.id,
                epoch: self.from.epoch,
                number,
                revision: frame.facts.revision,
            };
            let is_due = frame.facts == expected
                && number / SEGMENTS_PER_ROW == row
                && (self.next..self.segments).contains(&number);
            let Some(mut segment) = is_due
                .then(|| record::open_sound(self.old, &frame).ok())
                .flatten()
            else {
                continue;
            };
            let is_in_gap = self.noted.iter().any(|gap| gap.contains(&number.into()));
            self.hash_before.add(frame.bytes, is_in_gap);
            self.redaction.silence(number, &mut segment.packets);
            let facts = Facts {
                epoch: self.to.epoch,
                ..expected
            };
            let sealed = record::seal_sound(self.new, &facts, &segment.packets, segment.samples)?;
            self.hash.update(&sealed);
            self.audio_bytes += sealed.len() as u64;
            self.miss_up_to(number);
            self.next = number + 1;
            frames.extend(sealed);
        }
        Ok(frames)
    }

    /// Nothing came over between the next segment and this one.
    fn miss_up_to(&mut self, number: u32) {
        if self.next < number {
            self.missing.push(self.next.into()..number.into());
        }
    }

    fn end(mut self) -> Moved {
        self.miss_up_to(self.segments);
        Moved {
            extent: Extent {
                segments: self.segments.into(),
                hash: self.hash.finalize().into(),
            },
            audio_bytes: self.audio_bytes,
            missing: self.missing,
            is_as_recorded: self.hash_before.is_of(&self.due),
        }
    }
}

//! A recording on its way into its next epoch: new keys, and every row written anew under
//! them, what is to go left out.

use std::ops::Range;

use super::Redaction;
use super::sound::Sound;
use crate::crypto::ClipKeys;
use crate::recording::Card;
use crate::vault::error::{Error, Result};
use crate::vault::keys::bag::Clip;
use crate::vault::sealed::frame::{Facts, Kind};
use crate::vault::sealed::record;
use crate::vault::session::Held;
use crate::vault::store::rows::{ClipId, Writing};
use crate::vault::store::{gaps, opened};

/// A recording on its way into its next epoch.
pub(super) struct Rekeying<'a> {
    pub(super) redaction: &'a dyn Redaction,
    /// Where it was, with its keys of before.
    pub(super) from: ClipId,
    pub(super) before: &'a Clip,
    /// Where it will be, with its new keys; the extent grows with the rows.
    pub(super) to: ClipId,
    pub(super) after: Clip,
    /// Segments of which no frame came over.
    missing: Vec<Range<u64>>,
    /// Whether those that did are those that were recorded.
    all_there: bool,
    pub(super) counted: Counted,
}

/// What came over and what did not.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) transcripts: u32,
    pub(super) lost_segments: u64,
    pub(super) lost_transcripts: u32,
    audio_bytes: u64,
}

impl<'a> Rekeying<'a> {
    pub(super) fn new(
        from: ClipId,
        before: &'a Clip,
        redaction: &'a dyn Redaction,
    ) -> Result<Self> {
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
    pub(super) fn write(
        &mut self,
        held: &Held<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<()> {
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
            .ok_or_else(|| opened::no_card(self.from.id))?;
        let found = opened::card_in(self.from, self.before, &row)?;
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
                let Ok(old) = opened::open_words(self.from, number, self.before, &row) else {
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
            .ok_or_else(|| opened::no_card(self.from.id))?;
        let opened::FoundCard { frame, mut record } =
            opened::card_in(self.from, self.before, &row)?;
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

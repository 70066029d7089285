//! Takes finished and interrupted recordings out of the inbox into the store.
//!
//! First their keys go into the bag, one rotation for all of them; then their
//! rows into the store, only where they are absent, the card in the same
//! transaction as the last rows; then the inbox file is overwritten and removed.
//! Whatever step a crash falls on, the next merge goes on there: once the card
//! is in the store only the last step is left, so no edit is ever undone.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{self, Content};
use super::incoming;
use super::intake::FIRST_EPOCH;
use super::report::Refusal;
pub use super::report::{Duplicate, MergeReport, Redated, Refused};
use super::sectors::{Gone, Reading, past_bad};
use super::survey::Survey;
use super::words;
use crate::crypto::ClipKeys;
use crate::recording::{Card, Moment, RecordingId, Source};
use crate::retention;
use crate::vault::destroy::redact;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, DiskFile, Hold};
use crate::vault::ground::lock::Gate;
use crate::vault::inbox::{self, Claim};
use crate::vault::keys::bag::{Clip, Extent};
use crate::vault::restore;
use crate::vault::session::Held;
use crate::vault::store::library;
use crate::vault::store::rows::ClipId;

/// A recording that waits, with what its file holds.
pub(in crate::vault) struct Waiting {
    pub(in crate::vault) id: RecordingId,
    pub(in crate::vault) keys: ClipKeys,
    pub(in crate::vault) extent: Extent,
    /// How many of its segments are there.
    pub(in crate::vault) found: u32,
    /// How many transcripts came with it.
    pub(in crate::vault) transcripts: u32,
    /// Where in its file frames begin that do not count.
    pub(in crate::vault) passed_over: BTreeSet<u64>,
    pub(in crate::vault) audio_bytes: u64,
    pub(in crate::vault) card: Card,
    damage: Option<String>,
    /// How its file was read, and what could not be.
    reading: Reading,
    gone: Gone,
}

/// What is to be done with a file of the inbox.
enum Verdict {
    Merge(Box<Waiting>),
    /// Nothing of it belongs into the vault.
    Destroy,
    /// Its recorder died before it had recorded anything.
    Empty,
    /// An import that was cut off before its end.
    Drop,
    Refuse(Refusal),
}

/// Merges what waits in the inbox. That something can't be taken away which is in the
/// store already, or of which nothing is to be kept, costs nothing else: it is reported.
pub(crate) fn merge(held: &mut Held<'_>) -> Result<MergeReport> {
    merge_reading(held, Reading::Whole)
}

/// The same, where what can't be read of a file costs no more than what lies in it, if its
/// keys are known.
pub(in crate::vault) fn merge_past_bad_sectors(held: &mut Held<'_>) -> Result<MergeReport> {
    merge_reading(held, Reading::PastBadSectors)
}

fn merge_reading(held: &mut Held<'_>, reading: Reading) -> Result<MergeReport> {
    if let Some(strange) = library::strange_store(held)? {
        return Err(strange);
    }
    let mut report = MergeReport::default();
    // What is left over has no key and disturbs nobody; the next merge tries
    // again.
    let _ = redact::settle(held);
    let _ = restore::settle(held);
    let _ = held.store().finish(held.lock(), &mut |_| ());
    let names = inbox::names(held.disk(), held.dir())?;
    report.strangers = names.strangers;
    report.leave(inbox::sweep(held.disk(), held.dir(), &names.gone));
    let is_there = |id: &RecordingId| names.recordings.binary_search(id).is_ok();
    if !names.unended.iter().all(is_there)
        && let Ok(_gate) = Gate::close(held.disk(), held.dir(), held.lock())
    {
        let _ = inbox::sweep_marks(held.disk(), held.dir());
    }
    let (mut waiting, mut obsolete) = (Vec::new(), Vec::new());
    let (mut empty, mut unended) = (Vec::new(), Vec::new());
    for id in left_behind(held, names.recordings, &mut report)? {
        match judge(held, id, reading)? {
            Verdict::Merge(found) => waiting.push(*found),
            Verdict::Destroy => obsolete.push(id),
            Verdict::Empty => empty.push(id),
            Verdict::Drop => unended.push(id),
            Verdict::Refuse(refusal) => report.refused.push(refusal.about(id)),
        }
    }
    let doubles = sort_out_duplicates(held, &mut waiting)?;
    report.leave(inbox::destroy(held.disk(), held.dir(), obsolete));
    report.empty = discard(held, empty, &mut report);
    report.unended = discard(held, unended, &mut report);
    make_durable(held, &mut waiting, &mut report)?;
    let believed_ms = held.bag().settings.believed_ms;
    keep_keys(held, &waiting, believed_ms)?;
    date(held, &mut waiting, believed_ms, &mut report);
    report.leave(incoming::insert_all(held, &waiting)?);
    for (one, of) in doubles {
        if held.clip(of).is_err() {
            // What holds the same sound could not come in: both wait for the next merge.
            continue;
        }
        let transcripts = words::carry_over(held, &one, of)?;
        let gone = discard(held, vec![one.id], &mut report);
        report
            .duplicates
            .extend(gone.into_iter().map(|id| Duplicate {
                id,
                of,
                transcripts,
            }));
    }
    for one in waiting {
        if let Some(why) = one.damage {
            report.damaged.push(Refusal::from(why).about(one.id));
        }
        report.merged.push(one.id);
    }
    Ok(report)
}

/// Takes recordings away of which nothing is to be kept; answers with those that have
/// no file any more.
fn discard(
    held: &Held<'_>,
    mut ids: Vec<RecordingId>,
    report: &mut MergeReport,
) -> Vec<RecordingId> {
    report.leave(inbox::discard(held.disk(), held.dir(), ids.iter().copied()));
    ids.retain(|id| matches!(held.disk().exists(&inbox::path(held.dir(), *id)), Ok(false)));
    ids
}

/// Those whose recorder is gone. Decided while the gate is held alone: a
/// recorder that is just starting has a file and no flock on it yet.
fn left_behind(
    held: &Held<'_>,
    ids: Vec<RecordingId>,
    report: &mut MergeReport,
) -> Result<Vec<RecordingId>> {
    if ids.is_empty() {
        return Ok(ids);
    }
    let _gate = Gate::close(held.disk(), held.dir(), held.lock())?;
    let mut left = Vec::new();
    for id in ids {
        match inbox::claim(held.disk(), held.dir(), id, Hold::Exclusive) {
            // A dead recorder's file stays one: the flock need not be kept.
            Ok(Claim::Left(_)) => left.push(id),
            Ok(Claim::Running) => report.running.push(id),
            Ok(Claim::Absent) => {}
            Err(error) => report.refused.push(Refusal::of(&error).about(id)),
        }
    }
    Ok(left)
}

/// Reads a file through and says what is to be done with it.
fn judge(held: &Held<'_>, id: RecordingId, reading: Reading) -> Result<Verdict> {
    // What comes in has the first epoch. Of one that was redacted since, that is
    // destroyed: an old file of it that was put back opens with no key.
    if held.bag().is_tombstoned(id, FIRST_EPOCH) {
        return Ok(Verdict::Destroy);
    }
    let known = held.bag().clips.get(&id);
    match known {
        // Merged before, up to the last step.
        Some(clip)
            if held.store().read(held.lock(), |rows| {
                Ok(rows
                    .begin()?
                    .card(ClipId {
                        id,
                        epoch: clip.epoch,
                    })?
                    .is_some())
            })? =>
        {
            return Ok(Verdict::Destroy);
        }
        _ => {}
    }
    Ok(match content::read_through(held, id, reading)? {
        Content::Some(keys, survey, gone) => weigh(id, keys, *survey, reading, gone),
        Content::Empty => Verdict::Empty,
        Content::Unended => Verdict::Drop,
        Content::Refused(why) => Verdict::Refuse(why),
    })
}

fn weigh(
    id: RecordingId,
    keys: ClipKeys,
    mut survey: Survey,
    reading: Reading,
    gone: Gone,
) -> Verdict {
    let damage = survey.damage.clone();
    let nothing = survey.is_without_sound();
    let (segments, hash, audio_bytes) = (survey.segments, survey.hash, survey.audio_bytes);
    let (found, transcripts) = (survey.found, survey.transcripts);
    let passed_over = std::mem::take(&mut survey.passed_over);
    match (survey.into_card(), damage) {
        (None, Some(why)) => Verdict::Refuse(why.into()),
        (_, Some(why)) if nothing => Verdict::Refuse(why.into()),
        (None, None) => Verdict::Empty,
        (_, None) if nothing => Verdict::Empty,
        (Some(card), damage) => Verdict::Merge(Box::new(Waiting {
            id,
            keys,
            extent: Extent {
                segments: segments.into(),
                hash,
            },
            found,
            transcripts,
            passed_over,
            audio_bytes,
            card,
            damage,
            reading,
            gone,
        })),
    }
}

pub(in crate::vault) fn open(held: &Held<'_>, id: RecordingId) -> Result<Box<dyn DiskFile>> {
    let path = inbox::path(held.dir(), id);
    held.disk()
        .open(&path, Access::Read)
        .map_err(Error::io("open", &path))
}

/// Opens the file of a recording that was read through, to be read once more.
pub(super) fn reopen(held: &Held<'_>, one: &Waiting) -> Result<Box<dyn DiskFile>> {
    let file = open(held, one.id)?;
    Ok(match one.reading {
        Reading::Whole => file,
        Reading::PastBadSectors => past_bad(file, one.gone.clone()),
    })
}

/// Takes out imports of sound that is there already; of two that wait, the one
/// added first stays. Answers with each that was taken out, and what it is a double of.
fn sort_out_duplicates(
    held: &mut Held<'_>,
    waiting: &mut Vec<Waiting>,
) -> Result<Vec<(Waiting, RecordingId)>> {
    let mut doubles = Vec::new();
    let imported = |card: &Card| card.content_hash.filter(|_| card.source == Source::Import);
    if !waiting.iter().any(|one| imported(&one.card).is_some()) {
        return Ok(doubles);
    }
    waiting.sort_by_key(|one| (one.card.added_at, one.id));
    // Nothing is dropped for what a damaged store says.
    let store = held.store();
    store.read(held.lock(), |rows| rows.begin()?.revision())?;
    let listing = library::list(held)?;
    // A recording whose sound was shredded does not hold it any more.
    let has_sound = |id| {
        let clip = held.bag().clips.get(id);
        clip.is_some_and(|clip| clip.sound.is_some())
    };
    let mut holders: BTreeMap<[u8; 32], RecordingId> = listing
        .recordings
        .iter()
        .filter(|recording| has_sound(&recording.id))
        .filter_map(|recording| Some((recording.card.content_hash?, recording.id)))
        .collect();
    let mut kept = Vec::new();
    for one in std::mem::take(waiting) {
        let of = imported(&one.card).and_then(|hash| holders.get(&hash).copied());
        if let Some(of) = of {
            // Its keys, if a rotation adopted them, go with the next one.
            doubles.push((one, of));
            continue;
        }
        if let Some(hash) = one.card.content_hash {
            holders.entry(hash).or_insert(one.id);
        }
        kept.push(one);
    }
    *waiting = kept;
    Ok(doubles)
}

/// A recorder that was killed may have left the end of its file in the page cache only.
/// What is counted has to be on the disk; what can't be is left for the next merge.
/// A full disk is no fault of the file, and ends this merge.
fn make_durable(
    held: &Held<'_>,
    waiting: &mut Vec<Waiting>,
    report: &mut MergeReport,
) -> Result<()> {
    for one in std::mem::take(waiting) {
        let path = inbox::path(held.dir(), one.id);
        let file = open(held, one.id);
        match file.and_then(|file| file.sync().map_err(Error::io("sync", &path))) {
            Ok(()) => waiting.push(one),
            Err(error) if error.is_no_space() => return Err(error),
            Err(error) => {
                let refusal = Refusal::from(error.to_string());
                report.refused.push(refusal.about(one.id));
            }
        }
    }
    Ok(())
}

/// One rotation for all whose keys or extent the bag does not have yet.
fn keep_keys(held: &mut Held<'_>, waiting: &[Waiting], believed_ms: i64) -> Result<()> {
    let is_kept = |one: &Waiting| {
        held.bag()
            .clips
            .get(&one.id)
            .is_some_and(|clip| clip.extent == Some(one.extent))
    };
    if waiting.iter().all(is_kept) {
        return Ok(());
    }
    // What could not be overwritten holds nothing that is to be gone; the next
    // unlock tries again.
    let next = held.generation() + 1;
    held.rotate(|bag| {
        let last_seen_ms = bag.settings.last_seen_ms;
        let mut redated = 0;
        for one in waiting {
            let adopted = || Clip::adopted(one.keys.duplicate(), last_seen_ms);
            let clip = bag.clips.get_or_insert_with(one.id, adopted);
            clip.extent = Some(one.extent);
            (clip.since, clip.came) = (next, next);
            clip.learn(&one.card);
            redated += i64::from(date_anew(clip, &one.card, believed_ms).is_some());
        }
        // Each of these takes a millisecond, so that what the same clock records later
        // comes behind them also in a merge of its own.
        bag.settings.last_seen_ms = last_seen_ms.saturating_add(redated);
        Ok(())
    })
    .map(drop)
}

/// When that came in which this card says it did; `None` if its clock may have been right.
fn date_anew(clip: &Clip, card: &Card, believed_ms: i64) -> Option<Moment> {
    // Where its own date is what counts, that says nothing of the clock.
    if clip.kept_from.unix_ms <= card.recorded_at.unix_ms {
        return None;
    }
    let added_at = retention::dated(clip.kept_from.unix_ms, believed_ms, card.added_at);
    (added_at != card.added_at).then_some(added_at)
}

/// Dates anew what a broken clock has dated. Who records knows no more than what the clock
/// says; from when its age counts is known by now, which is never before what the vault had
/// seen when it was begun. What was imported with a date of its own keeps that.
fn date(held: &Held<'_>, waiting: &mut [Waiting], believed_ms: i64, report: &mut MergeReport) {
    let mut redated = Vec::new();
    for one in waiting {
        let Some(clip) = held.bag().clips.get(&one.id) else {
            continue;
        };
        let (id, card) = (one.id, &mut one.card);
        let clock = card.added_at;
        let has_own_date = card.source == Source::Import && card.recorded_at != clock;
        let Some(added_at) = date_anew(clip, card, believed_ms) else {
            continue;
        };
        card.added_at = added_at;
        report.redated.push(Redated { id, clock });
        redated.push((clock.unix_ms, card, has_own_date));
    }
    // A millisecond apart, so that a list has them in the order in which they were begun,
    // and the last of them is the one that was added last.
    redated.sort_unstable_by_key(|(clock_ms, ..)| *clock_ms);
    let begun_at_once = redated.chunk_by_mut(|(one, ..), (next, ..)| one == next);
    for (after_ms, cards) in (0..).zip(begun_at_once) {
        for (_, card, has_own_date) in cards {
            card.added_at.unix_ms = card.added_at.unix_ms.saturating_add(after_ms);
            if !*has_own_date {
                card.recorded_at = card.added_at;
            }
        }
    }
}

//! Destroys what the retention rules say is over, by one rotation for all of it.
//!
//! What is due is decided under the same lock under which it is destroyed, so that a pin
//! or a tag that was put on a moment ago counts. What the rules mean is in
//! [`retention`]; here stands what they are applied to.
//!
//! The bag knows of each recording from when its age counts and whether it is pinned.
//! So a damaged card lets nothing go early: without its tags, the last of all rules that
//! may be meant counts. It keeps nothing for good either, but where that rule waits for a
//! transcript. And only the cards of those that can be due by the shortest of all rules
//! are opened.

use std::collections::BTreeMap;

use self::outlook::due_now;
pub(crate) use self::outlook::look;
pub use self::outlook::{Expiry, Outlook};
use super::receipt::{NotErased, Receipt};
use super::{shred, tally};
use crate::recording::{Moment, RecordingId};
use crate::retention::{self, ClockVerdict, Going, Trust};
use crate::vault::error::Result;
use crate::vault::inbox;
use crate::vault::keys::bag::Clip;
use crate::vault::log::{Deed, Draft, book};
use crate::vault::session::Held;
use crate::vault::store::rows::Writing;

mod outlook;

/// The time is noted where this much went by since it was noted last: noting it costs a
/// rotation, and every rotation notes it.
const NOTE_EVERY_MS: i64 = 2 * 3_600_000;

/// What came of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub enum Sweep {
    /// Nothing was due.
    Nothing,
    /// There are rules by which things go, and the clock can't be taken at its word: nothing
    /// was destroyed.
    Doubtful(Doubt),
    /// What was due is destroyed.
    Done(Box<Swept>),
}

/// A clock that is ahead by more than a day, while there are rules by which things go.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// The latest time up to which clocks went on without a leap, or were confirmed;
    /// milliseconds since 1970-01-01T00:00:00Z.
    pub believed_ms: i64,
    /// What the clock says.
    pub now: Moment,
    /// What would go by it already.
    pub due: Vec<Expiry>,
}

/// What a sweep destroyed.
#[derive(Debug, Clone, PartialEq)]
pub struct Swept {
    /// What went, and by which rule.
    pub gone: Vec<Expiry>,
    /// The receipt.
    pub receipt: Receipt,
    /// Recordings of which something is due and could not be destroyed, each with why.
    pub failed: Vec<(RecordingId, String)>,
}

/// Destroys what is due, except these, and notes what time it is. `progress` hears of
/// recordings done and recordings in all.
///
/// # Errors
/// When the keys can't be rotated; then nothing is destroyed.
pub(crate) fn sweep(
    held: &mut Held<'_>,
    now: Moment,
    trust: Trust,
    spared: &[RecordingId],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Sweep> {
    let settings = &held.bag().settings;
    let believed_ms = settings.believed_ms;
    let leapt = settings.judge(now) == ClockVerdict::Ahead && trust == Trust::IfPlausible;
    if !leapt && is_lost_in_time(held) {
        // All that is here counts from now, where this is the first clock to be believed.
        note_time(held, now, trust)?;
    }
    let mut due = match is_lost_in_time(held) {
        true => Vec::new(),
        false => due_now(held, now)?,
    };
    due.retain(|expiry| !spared.contains(&expiry.id));
    let settings = &held.bag().settings;
    // Said where it is seen: a leap that nobody hears of stands in the way of every sweep
    // behind it.
    if leapt && retention::let_go(&settings.retention) {
        if due.is_empty() {
            note_time(held, now, trust)?;
        }
        return Ok(Sweep::Doubtful(Doubt {
            believed_ms,
            now,
            due,
        }));
    }
    if due.is_empty() {
        note_time(held, now, trust)?;
        return Ok(Sweep::Nothing);
    }
    destroy(held, due, now, trust, progress).map(|swept| Sweep::Done(Box::new(swept)))
}

/// Whether the vault has believed no clock yet that can be right.
fn is_lost_in_time(held: &Held<'_>) -> bool {
    let earliest_ms = held.site().clock.earliest_ms();
    held.bag().settings.is_lost_in_time(earliest_ms)
}

/// Notes what time it is, where that is due or its owner says so.
fn note_time(held: &mut Held<'_>, now: Moment, trust: Trust) -> Result<()> {
    let settings = &held.bag().settings;
    let is_old = |noted_ms: i64| now.unix_ms.saturating_sub(noted_ms) >= NOTE_EVERY_MS;
    // One that is behind a leap goes on from what was believed as well.
    let believed = settings.judge(now) != ClockVerdict::Ahead || trust == Trust::Confirmed;
    let is_due = is_old(settings.last_seen_ms) || (believed && is_old(settings.believed_ms));
    let is_ahead = |clip: &Clip| clip.kept_from.unix_ms > now.unix_ms;
    let is_set_back = trust == Trust::Confirmed
        && (now.unix_ms < settings.last_seen_ms || held.bag().clips.values().any(is_ahead));
    if !is_due && !is_set_back {
        return Ok(());
    }
    let earliest_ms = held.site().clock.earliest_ms();
    held.rotate(|bag| {
        bag.see(now, trust, earliest_ms);
        Ok(())
    })
    .map(drop)
}

fn destroy(
    held: &mut Held<'_>,
    due: Vec<Expiry>,
    now: Moment,
    trust: Trust,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Swept> {
    let all = 2 * due.len() as u64 + 1;
    progress(0, all);
    let (due, failed) = part_waiting(held, due);
    let ids: Vec<_> = due.iter().map(|expiry| expiry.id).collect();
    let clips = ids.iter().filter_map(|id| held.bag().clips.get(id));
    let since = clips.map(Clip::in_backups_since).min().unwrap_or(0);
    let tally = |expiry: &Expiry| {
        let card = expiry.recording.as_deref().ok();
        tally::of(held, expiry.id, card, expiry.what)
    };
    let shredded = due.iter().map(tally).collect();
    let draft = Draft::done(Deed::Sweep, &ids).detail(logged(&due));
    let earliest_ms = held.site().clock.earliest_ms();
    let rotated = held.rotate_logged(draft, |bag| {
        for expiry in &due {
            let clip = bag.clips.get_mut(&expiry.id);
            match (expiry.what, clip) {
                (Going::Everything, _) => drop(bag.bury(expiry.id)),
                (Going::Audio, Some(clip)) => clip.sound = None,
                (Going::Text, Some(clip)) => clip.words = None,
                (Going::Audio | Going::Text, None) => {}
            }
        }
        bag.see(now, trust, earliest_ms);
        Ok(())
    })?;
    progress(1, all);
    let mut swept = Swept {
        receipt: Receipt {
            shredded,
            ..Receipt::of_keys(held, &keys_of(&due), rotated).held_since(held, since)
        },
        gone: due,
        failed,
    };
    delete_rows(held, &mut swept);
    progress(1 + swept.gone.len() as u64, all);
    for expiry in swept
        .gone
        .iter()
        .filter(|one| one.what == Going::Everything)
    {
        shred::destroy_inbox_file(held, expiry.id, &mut swept.receipt);
    }
    progress(all, all);
    Ok(swept)
}

/// Takes out those that still have a file in the inbox and of which a part is to stay:
/// with a key less it could never be taken out of there.
fn part_waiting(held: &Held<'_>, due: Vec<Expiry>) -> (Vec<Expiry>, Vec<(RecordingId, String)>) {
    let (mut ready, mut failed) = (Vec::new(), Vec::new());
    for expiry in due {
        let path = inbox::path(held.dir(), expiry.id);
        let waits = expiry.what != Going::Everything && expiry.recording.is_err();
        match waits && !matches!(held.disk().exists(&path), Ok(false)) {
            true => failed.push((
                expiry.id,
                "it can't be taken out of the inbox yet; nothing of it was destroyed".to_owned(),
            )),
            false => ready.push(expiry),
        }
    }
    (ready, failed)
}

/// How much of how many, and by which rules, for the log: those for a tag without its
/// name, which is to be gone with the recordings that had it.
fn logged(due: &[Expiry]) -> String {
    let mut counts: BTreeMap<(Going, String), usize> = BTreeMap::new();
    for expiry in due {
        *counts.entry((expiry.what, expiry.nameless())).or_default() += 1;
    }
    let parts = counts.iter().map(|((what, by), many)| {
        let what = what.name();
        format!("{what} of {many} by {by}")
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// `the keys to the sound of 3 recordings, and to all of 1 recording`.
fn keys_of(due: &[Expiry]) -> String {
    let kinds = [
        (Going::Everything, "sound, words and card"),
        (Going::Audio, "sound"),
        (Going::Text, "words"),
    ];
    let parts = kinds.iter().filter_map(|(what, keys)| {
        let many = due.iter().filter(|expiry| expiry.what == *what).count();
        let recordings = if many == 1 { "recording" } else { "recordings" };
        (many > 0).then(|| format!("the {keys} of {many} {recordings}"))
    });
    format!("the keys to {}", parts.collect::<Vec<_>>().join(", "))
}

/// The keys are gone by now: what fails here is told, and the others go on.
fn delete_rows(held: &Held<'_>, swept: &mut Swept) {
    let of = |rows: &Writing, expiry: &Expiry| match expiry.what {
        Going::Everything => rows.delete_all(expiry.id),
        Going::Audio => rows.delete_sound(expiry.id),
        Going::Text => rows.delete_words(expiry.id),
    };
    let together = held.store().write(held.lock(), |rows| {
        // The entry that came with the rotation goes where the others are.
        book::put_carried(rows, held.bag())?;
        let each = swept.gone.iter().map(|expiry| of(rows, expiry));
        each.sum::<Result<u64>>()
    });
    let deleted = together.unwrap_or_else(|_| {
        let mut deleted = 0;
        for expiry in &swept.gone {
            match held.store().write(held.lock(), |rows| of(rows, expiry)) {
                Ok(rows) => deleted += rows,
                Err(error) => {
                    swept.receipt.not_erased.push(NotErased {
                        what: format!("sealed rows of {}, without a key", expiry.id),
                        where_: crate::vault::store::FILE.into(),
                        why: error.to_string(),
                    });
                }
            }
        }
        deleted
    });
    swept.receipt.erased.push(format!(
        "{deleted} rows of store.redb; sealed bytes may stay in its free pages, without a key"
    ));
}

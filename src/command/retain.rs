//! How long recordings are kept: the rules, what they will destroy and when, and
//! destroying it.
//!
//! Rules are applied at unlock, where the inbox is merged (`at_unlock`), and when it is
//! asked for ([`apply`]). What they mean is in [`retention`](crate::retention).

use std::collections::BTreeMap;

use super::{ClockWord, Context, Progress, Unit, clock, damage, merge_only, tell_of_inbox};
use crate::error::{Exit, Failure};
use crate::recording::{Moment, RecordingId, shown_tag};
use crate::retention::{
    ClockVerdict, Going, Keep, Rule, TRUSTED_AHEAD_MS, Trust, dated, let_go, remove_rule, set_rule,
};
use crate::vault::{Doubt, Expiry, OpenVault, Outlook, Sweep, Swept};

/// The flag that confirms the clock, for hints.
pub const CLOCK_HINT: &str =
    "if the clock is right, `voxvault retain --apply --clock-is-right` goes on";

/// A change of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets the clocks that are given; the others stay as they are.
    Set {
        /// For recordings with this tag; for all without one.
        tag: Option<String>,
        /// How long the audio is kept.
        audio: Option<Keep>,
        /// How long the text is kept.
        text: Option<Keep>,
    },
    /// Takes a rule away.
    Remove {
        /// The one for this tag; the one for all without one.
        tag: Option<String>,
    },
}

/// What the rules say now of what is in the vault. What waits in the inbox stays there: a
/// sweep leaves alone what it takes in itself, so to take it in here would be to destroy
/// by a preview what the sweep would have spared.
///
/// # Errors
/// When the vault can't be unlocked or read.
pub fn outlook(context: &Context, progress: &dyn Progress) -> Result<Outlook, Failure> {
    let vault = context.unlocked()?;
    tell_of_inbox(&vault, progress);
    let outlook = vault.outlook(context.now())?;
    tell_of_unreadable(&outlook, progress);
    Ok(outlook)
}

/// Changes the rules; what they say then. Nothing is destroyed by that, but it may be by
/// the next unlock.
///
/// # Errors
/// When the tag can't be used, there is no such rule to take away, or the vault can't be
/// written.
pub fn change(
    context: &Context,
    change: &Change,
    progress: &dyn Progress,
) -> Result<Outlook, Failure> {
    let vault = context.unlocked()?;
    match change {
        Change::Set { tag, audio, text } => {
            if let Some(tag) = tag {
                super::tag::check_tag(tag)?;
            }
            vault.change_settings(&mut |settings| {
                set_rule(&mut settings.retention, tag.as_deref(), *audio, *text);
            })?;
        }
        Change::Remove { tag } => {
            let is_it = |rule: &Rule| rule.is_for(tag.as_deref());
            if !vault.settings()?.retention.iter().any(is_it) {
                let which = tag.as_ref().map(|tag| format!("tag:{}", shown_tag(tag)));
                let why = "there is none for it";
                return Err(Failure::new(Exit::NotFound, "no such rule", why)
                    .about(which.unwrap_or_else(|| "all".to_owned()))
                    .hint("`voxvault retain --show` lists them"));
            }
            vault.change_settings(&mut |settings| {
                remove_rule(&mut settings.retention, tag.as_deref());
            })?;
        }
    }
    let outlook = outlook(context, progress)?;
    match outlook.due.len() {
        0 => {}
        due => progress.note(&format!(
            "{} past what the rules say now: the next unlock destroys that for good; \
             `voxvault retain --apply --dry-run` lists it",
            several(due, "recording is", "recordings are"),
        )),
    }
    Ok(outlook)
}

/// Destroys what is due. Where the clock can't be taken at its word, its owner is asked,
/// also if nothing is due by it yet: it is now that he knows why it leapt. What comes in
/// since the unlock is left for the next one, so that it can be transcribed first.
///
/// # Errors
/// When the clock is not believed and nobody says that it is right, or the keys can't be
/// rotated: nothing is destroyed then. What could not be done of it is in [`Swept`]:
/// see [`failure`].
pub fn apply(
    context: &Context,
    trust: Trust,
    progress: &dyn Progress,
) -> Result<Option<Swept>, Failure> {
    if trust == Trust::Confirmed {
        clock::confirm(context.now())?;
    }
    let vault = context.unlocked()?;
    merge_only(&vault, progress)?;
    let spared = vault.came_in();
    vault.begin_sweeping();
    match sweep(&vault, context.now(), trust, &spared, progress)? {
        Sweep::Nothing => Ok(None),
        Sweep::Done(swept) => Ok(Some(*swept)),
        Sweep::Doubtful(doubt) if progress.ask_about_clock(&doubt) == ClockWord::Right => {
            match sweep(&vault, context.now(), Trust::Confirmed, &spared, progress)? {
                Sweep::Done(swept) => Ok(Some(*swept)),
                Sweep::Nothing | Sweep::Doubtful(_) => Ok(None),
            }
        }
        Sweep::Doubtful(doubt) => {
            Err(
                Failure::new(Exit::Failed, "nothing was destroyed", in_doubt(&doubt))
                    .hint(CLOCK_HINT),
            )
        }
    }
}

/// Applies the rules once after an unlock, and tells of it. These are left alone until the
/// next time: what came in just now, so that it can be transcribed first.
pub(super) fn at_unlock(vault: &OpenVault, spared: &[RecordingId], progress: &dyn Progress) {
    if vault.vault().may_write().is_err() || !vault.begin_sweeping() {
        return;
    }
    let now = vault.clock();
    if let Ok(settings) = vault.settings() {
        let last_seen_ms = settings.last_seen_ms;
        let is_far = last_seen_ms.saturating_sub(now.unix_ms) > TRUSTED_AHEAD_MS;
        if settings.dated(now) != now || (is_far && !settings.retention.is_empty()) {
            progress.note(&behind(last_seen_ms, settings.believed_ms, now));
        }
    }
    let mut swept = sweep(vault, now, Trust::IfPlausible, spared, progress);
    if let Ok(Sweep::Doubtful(doubt)) = &swept {
        // Nothing hangs on it yet, and who only wants to read has other business.
        if doubt.due.is_empty() {
            return;
        }
        match progress.ask_about_clock(doubt) {
            ClockWord::Right => {}
            ClockWord::Later => return,
            ClockWord::None => {
                return progress.note(&format!(
                    "nothing was destroyed by the retention rules: {}; {CLOCK_HINT}",
                    in_doubt(doubt)
                ));
            }
        }
        swept = sweep(vault, now, Trust::Confirmed, spared, progress);
    }
    match swept {
        Ok(Sweep::Done(swept)) => {
            progress.note(&told(&swept));
            if let Some(failure) = failure(&swept) {
                progress.refuse(&failure);
            }
        }
        Ok(Sweep::Nothing | Sweep::Doubtful(_)) => {}
        // Reading goes on: it needs nothing of this.
        Err(failure) => progress.refuse(&failure),
    }
}

fn sweep(
    vault: &OpenVault,
    now: Moment,
    trust: Trust,
    spared: &[RecordingId],
    progress: &dyn Progress,
) -> Result<Sweep, Failure> {
    progress.begin("shredding by the retention rules", None, Unit::Items);
    let swept = vault.sweep(now, trust, spared, &mut |done, _| progress.advance(done));
    progress.end();
    swept.map_err(|error| Failure {
        what: "can't apply the retention rules".to_owned(),
        ..Failure::from(error)
    })
}

/// What to end with, if something that was due could not be destroyed for good.
#[must_use]
pub fn failure(swept: &Swept) -> Option<Failure> {
    let one = |(id, why): &(RecordingId, String)| format!("{}: {why}", id.short());
    swept.receipt.failure().or_else(|| {
        let failed: Vec<String> = swept.failed.iter().map(one).collect();
        (!failed.is_empty()).then(|| {
            let what = "the retention rules were not applied to all";
            Failure::new(Exit::Failed, what, failed.join("; "))
        })
    })
}

/// What was destroyed, in a sentence.
#[must_use]
pub fn told(swept: &Swept) -> String {
    let ids: Vec<String> = swept.gone.iter().map(|expiry| expiry.id.short()).collect();
    let ids = match ids.is_empty() {
        true => String::new(),
        false => format!(" ({})", ids.join(" ")),
    };
    let unheard = swept.gone.iter().filter(|one| one.goes_unheard()).count();
    let unheard = match unheard {
        0 => String::new(),
        1 => "; transcribing 1 of them had failed".to_owned(),
        many => format!("; transcribing {many} of them had failed"),
    };
    let counted = counted(swept);
    format!("shredded by the retention rules: {counted}{ids}{unheard}")
}

/// How much was destroyed of how many.
#[must_use]
pub fn counted(swept: &Swept) -> String {
    let mut counts: BTreeMap<Going, usize> = BTreeMap::new();
    for expiry in &swept.gone {
        *counts.entry(expiry.what).or_default() += 1;
    }
    let part = |(what, many): (&Going, &usize)| {
        let recordings = several(*many, "recording", "recordings");
        match what {
            Going::Everything => recordings,
            Going::Audio => format!("the audio of {recordings}"),
            Going::Text => format!("the text of {recordings}"),
        }
    };
    let parts: Vec<String> = counts.iter().map(part).collect();
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(", "),
    }
}

/// Why a clock is not believed.
#[must_use]
pub fn in_doubt(doubt: &Doubt) -> String {
    let believed = Moment {
        unix_ms: doubt.believed_ms,
        offset_s: doubt.now.offset_s,
    };
    let days = (doubt.now.unix_ms - doubt.believed_ms) / 86_400_000;
    let due = match doubt.due.len() {
        0 => "nothing is".to_owned(),
        many => several(many, "recording is", "recordings are"),
    };
    format!(
        "the clock says {}, and no clock was confirmed since {believed}, {} before; {due} due \
         by it",
        doubt.now,
        several(usize::try_from(days).unwrap_or(0), "day", "days"),
    )
}

fn several(many: usize, one: &str, more: &str) -> String {
    format!("{many} {}", if many == 1 { one } else { more })
}

/// Says which recordings the rules go by without knowing their cards.
fn tell_of_unreadable(outlook: &Outlook, progress: &dyn Progress) {
    let mut told = std::collections::BTreeSet::new();
    for expiry in outlook.due.iter().chain(&outlook.later) {
        if let (Err(why), true) = (&expiry.recording, told.insert(expiry.id)) {
            let why = format!("{why}; it is kept as long as any of the rules may mean");
            progress.refuse(&damage("its card can't be read", why).about(expiry.id.short()));
        }
    }
}

/// What goes with the next sweep and what later, one behind the other.
pub fn coming(outlook: &Outlook) -> impl Iterator<Item = &Expiry> {
    outlook.due.iter().chain(&outlook.later)
}

/// What a person should know of the clock before relying on what is to come.
#[must_use]
pub fn clock_note(outlook: &Outlook) -> Option<String> {
    let moment = |unix_ms| Moment {
        unix_ms,
        offset_s: 0,
    };
    match outlook.clock {
        ClockVerdict::Right => None,
        ClockVerdict::Ahead if !let_go(&outlook.rules) => None,
        ClockVerdict::Ahead => Some(format!(
            "no clock was confirmed since {}, more than a day before: nothing is destroyed by \
             this one until somebody says that it is right (`voxvault retain --apply` asks)",
            moment(outlook.believed_ms)
        )),
        ClockVerdict::Behind => Some(behind(
            outlook.last_seen_ms,
            outlook.believed_ms,
            outlook.at,
        )),
    }
}

fn behind(last_seen_ms: i64, believed_ms: i64, now: Moment) -> String {
    let counts = match dated(last_seen_ms, believed_ms, now) == now {
        true => "counts from then",
        false => "counts from then and is dated by it",
    };
    let last_seen = Moment {
        unix_ms: last_seen_ms,
        ..now
    };
    format!(
        "the vault has seen {last_seen}, which is later than the clock says: what comes in \
         {counts}; {CLOCK_HINT}"
    )
}

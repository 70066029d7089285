//! Puts a vault in order: what has a second copy is mended from it, the store is
//! built anew from its records, and what is gone for good is noted.

use super::{Flaw, Look, Meter, Verified, flaw_of_log, kept, look, roots, settle, tree};
use crate::error::{Exit, Failure};
use crate::recording::Moment;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk;
use crate::vault::inbox::{
    self,
    merge::{self, MergeReport, Refused},
};
use crate::vault::log::{Deed, Draft, book};
use crate::vault::notice::Notice;
use crate::vault::session::Held;
use crate::vault::store::rescue;

/// Looks at everything, repairs, and looks again. The answer names what was found
/// first; [`Flaw::mended`] says of each whether all is as it was again.
///
/// # Errors
/// If something can't be written, a full disk for one: the store is then the one
/// that it was. Where something else has its name, or nothing can be written at all,
/// nothing is changed.
pub(in crate::vault) fn repair(
    held: &mut Held<'_>,
    notices: &[Notice],
    now: Moment,
    tell: &(dyn Fn(u64, u64) + Sync),
) -> Result<Verified> {
    let may_write = held.disk().may_write(held.dir());
    may_write.map_err(Error::io("write", held.dir()))?;
    let Look {
        found: before,
        store: mut store_flaws,
        log,
    } = look(held, notices, &Meter::new(tell))?;
    let mut flaws = before.flaws;
    let mut notes = before.notes;
    // What this repair keeps itself is for another day.
    let kept = held.store().kept()?;
    if !store_flaws.is_empty() {
        let lost = mend_store(held, now, &mut notes, tell)?;
        for flaw in &mut store_flaws {
            // A card that could be found in its place may be one from before an edit.
            let is_of_card = flaw.what.starts_with("its card");
            flaw.mended = !is_of_card && !lost.iter().any(|one| one.is(flaw));
        }
        for one in lost {
            if !store_flaws.iter().any(|flaw| flaw.is(&one)) {
                store_flaws.push(one);
            }
        }
    } else if !log.lapses.is_empty() {
        let draft = Draft::done(Deed::Repair, &[]).detail("the log was put in order");
        book::mend(held, draft)?;
    }
    // What can't be written is named, and costs nothing else that can be put in order.
    let mut undone = Vec::new();
    match mend_roots(held, &mut flaws) {
        Err(error) if is_beside(&error) => undone.push(Failure::from(error)),
        mended => mended?,
    }
    // What waits is taken in, with its damage noted, as far as it can be read.
    let merged = match merge::merge_past_bad_sectors(held) {
        Err(error) if is_beside(&error) => {
            undone.push(error.into());
            MergeReport::default()
        }
        merged => merged?,
    };
    undone.extend(merged.left);
    for one in merged.damaged.iter().chain(&merged.refused) {
        let lost = flaw_of_file(held, one);
        if !flaws.iter().any(|known| known.is(&lost)) {
            flaws.push(lost);
        }
    }
    notes.extend(merged.unended.iter().map(|id| {
        format!("{id}: dropped, an import that was cut off: the file it came from is still there")
    }));
    match kept::take_in(held, &kept, &mut notes) {
        Err(error) if is_beside(&error) => undone.push(error.into()),
        taken => taken?,
    }
    let empty = merged.empty.iter();
    notes.extend(empty.map(|id| format!("{id}: removed, it was begun and nothing of it is there")));
    let after = look(held, &[], &Meter::new(tell))?;
    flaws.extend(store_flaws);
    let (damage, undone): (Vec<_>, Vec<_>) = undone
        .into_iter()
        .partition(|failure| failure.exit == Exit::Damaged);
    for flaw in damage.iter().map(flaw_of_failure) {
        if !flaws.iter().any(|known| known.is(&flaw)) {
            flaws.push(flaw);
        }
    }
    for lapse in &log.lapses {
        // What could not be put back is noted, or still there.
        let left = || after.log.noted.iter().chain(&after.log.lapses);
        let mended = !left().any(|one| one.first <= lapse.last && lapse.first <= one.last);
        let flaw = flaw_of_log(held, lapse);
        flaws.push(Flaw { mended, ..flaw });
    }
    let still = after.log.lapses.iter().map(|one| flaw_of_log(held, one));
    let still: Vec<Flaw> = still.collect();
    for flaw in after
        .found
        .flaws
        .into_iter()
        .chain(after.store)
        .chain(still)
    {
        if !flaws.iter().any(|known| known.is(&flaw)) {
            flaws.push(flaw);
        }
    }
    for note in after.found.notes {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    // Without damage, the first is what it ends with.
    let beside = undone.iter().skip(usize::from(flaws.is_empty()));
    notes.extend(beside.map(Failure::to_string));
    Ok(Verified {
        flaws,
        notes,
        undone,
        ..after.found
    })
}

/// What a file of the inbox has cost or does not give.
fn flaw_of_file(held: &Held<'_>, one: &Refused) -> Flaw {
    let path = held.dir().join(inbox::DIR).join(&one.file);
    let id = one.file.strip_suffix(".rec").and_then(|id| id.parse().ok());
    let what = match &one.remedy {
        Some(remedy) => format!("{}; {remedy}", one.why),
        None => one.why.clone(),
    };
    Flaw {
        id,
        ..Flaw::new(path.display(), what)
    }
}

/// Whether a repair goes on beside it. Where there is no room, it is done once there is.
fn is_beside(error: &Error) -> bool {
    error.spares_reading() && !error.is_no_space()
}

fn flaw_of_failure(failure: &Failure) -> Flaw {
    let place = failure.which.as_deref().unwrap_or_default();
    let hint = failure.hint.as_ref();
    let hint = hint.map_or_else(String::new, |hint| format!("; {hint}"));
    Flaw::new(place, format!("{}: {}{hint}", failure.what, failure.why))
}

/// Builds the store anew and notes what is not in it any more; answers with that.
fn mend_store(
    held: &mut Held<'_>,
    now: Moment,
    notes: &mut Vec<String>,
    tell: &(dyn Fn(u64, u64) + Sync),
) -> Result<Vec<Flaw>> {
    let rescued = rescue::rebuild(held, &|_| ())?;
    notes.push(format!(
        "the store was built anew from {} records; of a card that was damaged the newest \
         that could be read counts",
        rescued.records
    ));
    if let Some(why) = rescued.not_erased {
        notes.push(format!("the damaged store could not be overwritten: {why}"));
    }
    if let Some(path) = rescued.kept {
        let why = match rescued.unread {
            0 => "has records of recordings that the keys know nothing of".to_owned(),
            blocks => format!(
                "could not be read whole: the disk did not give {blocks} blocks of it, and may \
                 give them another day, when `voxvault verify --repair` takes in what is \
                 missing"
            ),
        };
        let path = path.display();
        notes.push(format!("the damaged store {why}; it is kept as {path}"));
    }
    if let Some(path) = rescued.earlier {
        notes.push(format!(
            "an earlier store was not yet overwritten, and there may be more in it; it is \
             kept as {}",
            path.display()
        ));
    }
    let meter = Meter::new(tell);
    let after = tree::look(held, &mut Verified::default(), &meter)?;
    let cause = match rescued.unread {
        0 => settle::Cause::Damage,
        _ => settle::Cause::Unread,
    };
    settle::settle(held, &after.conditions, cause, now)?;
    if cause == settle::Cause::Unread {
        notes.extend(after.conditions.iter().map(|one| {
            let id = one.at.id.short();
            format!("{id}: pinned, so that no rule takes what is left before the rest is back")
        }));
    }
    Ok(after.flaws)
}

/// A rotation writes both copies of everything anew, and overwrites the rest.
fn mend_roots(held: &mut Held<'_>, flaws: &mut [Flaw]) -> Result<()> {
    let mut before = Verified::default();
    roots::look(held, &mut before)?;
    if before.flaws.is_empty() {
        return Ok(());
    }
    let draft = Draft::done(Deed::Repair, &[]).detail("the keys were written anew");
    match held.rotate_logged(draft, |_| Ok(())) {
        // Something else has the name of a root: who took it there has to take it away.
        Err(Error::Io { source, .. }) if disk::is_no_file(&source) => return Ok(()),
        rotated => rotated?,
    };
    let mut after = Verified::default();
    roots::look(held, &mut after)?;
    for flaw in flaws {
        if before.flaws.iter().any(|one| one.is(flaw)) {
            flaw.mended = !after.flaws.iter().any(|one| one.is(flaw));
        }
    }
    Ok(())
}

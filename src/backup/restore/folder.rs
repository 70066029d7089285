//! From a folder, or from one segment in a file: what is wanted is read from where it
//! lies.

use std::path::Path;

use super::kin::Kin;
use super::shelf::Shelf;
use super::siblings;
use super::work::Work;
use super::{Outcome, Tell, Wanted};
use crate::backup::error::{Error, Result};
use crate::backup::layout::segment_name;
use crate::backup::read::places;
use crate::backup::read::plan::Plan;
use crate::backup::read::{Keys, SegmentFile, Source};
use crate::backup::verify::{Damage, Kind};
use crate::vault::{Fate, OpenVault};

/// Restores what a folder or a file holds. `tell` hears of recordings done and
/// recordings in all.
///
/// # Errors
/// If there is no backup, no key opens any of it, it is another vault's, or the vault
/// can't be written. Damage is no error: it is in the outcome, and what is sound comes
/// back.
pub fn from_folder(
    vault: &OpenVault,
    at: &Path,
    keys: &Keys<'_>,
    wanted: &Wanted<'_>,
    tell: Tell<'_>,
) -> Result<Outcome> {
    let source = Source::find(at)?;
    let mut outcome = Outcome::default();
    outcome.notes.extend(source.notes());
    for gone in source.missing() {
        // Whether it is gone by right, a manifest says.
        outcome
            .damage
            .push(Damage::new(Kind::Missing, gone, "it is not there"));
    }
    let (plan, readable) = survey(&source, keys, wanted, &mut outcome)?;
    if let Some(id) = wanted.resurrect
        && !plan.recordings().any(|(one, _)| one == id)
    {
        return Err(Error::NotInBackup { id });
    }
    // Before what was destroyed elsewhere counts here, too.
    let kin = Kin::of(vault, &plan, &outcome)?;
    let mut restoring = vault.begin_restore()?;
    outcome.kept = super::forbid(&mut restoring, plan.tombstones())?;
    let mut newest = plan.newest();
    // Also of what is there already: it may be mended, or have come from it before.
    let comes = newest.any(|(id, one)| restoring.fate(id, one.epoch) != Fate::Destroyed);
    if let Some((backup, made_at)) = outcome.backup
        && (comes || wanted.resurrect.is_some())
    {
        let path = source.place().display().to_string();
        let generation = match kin.is_own() {
            true => plan.states.generation,
            false => 0,
        };
        super::remember(vault, backup, &path, made_at, generation)?;
    }
    let mut work = Work {
        plan: &plan,
        kin,
        shelf: Shelf::of(keys, readable),
        restoring,
        outcome,
        partial: Vec::new(),
    };
    work.all(tell)?;
    if let Some(id) = wanted.resurrect {
        work.resurrect(id)?;
    }
    work.join()?;
    Ok(work.outcome)
}

/// Reads all manifests, also those beside a file that was given alone. A segment whose
/// manifest can't be read, or is not believed, costs itself.
fn survey(
    source: &Source,
    keys: &Keys<'_>,
    wanted: &Wanted<'_>,
    outcome: &mut Outcome,
) -> Result<(Plan, Vec<(u32, SegmentFile)>)> {
    let mut plan = Plan::default();
    let mut readable = Vec::new();
    let (mut locked, mut refused) = (None, None);
    for file in source.segments() {
        let signed = match places::manifest(file, keys) {
            Ok(signed) => signed,
            Err(error) => {
                let mut damage = Damage::from_error(error)?;
                if damage.kind == Kind::Closed {
                    locked.get_or_insert(file.which.clone());
                }
                damage.what.push_str(siblings::UNKNOWN);
                outcome.damage.push(damage);
                continue;
            }
        };
        if let Err(why) = outcome.accept(wanted.trust, &signed) {
            refused.get_or_insert((file.which.clone(), why));
            outcome
                .damage
                .push(Damage::new(Kind::Added, &file.which, why));
            continue;
        }
        let says = signed.manifest.segment;
        if file.number.is_some_and(|number| number != says) {
            let what = format!("it says that it is {}", segment_name(says));
            outcome
                .damage
                .push(Damage::new(Kind::Altered, &file.which, what));
            continue;
        }
        for dropped in &signed.manifest.dropped {
            let name = segment_name(dropped.segment);
            outcome
                .damage
                .retain(|damage| damage.kind != Kind::Missing || damage.place != name);
        }
        plan.add(says, &signed.manifest);
        if !source.is_folder() {
            siblings::heed(source, &signed.manifest, keys, wanted, &mut plan, outcome)?;
        }
        readable.push((says, file.clone()));
    }
    match (readable.is_empty(), locked, refused) {
        (true, Some(which), _) => Err(Error::Locked { which }),
        (true, None, Some((which, why))) => Err(Error::Refused { which, why }),
        _ => Ok((plan, readable)),
    }
}

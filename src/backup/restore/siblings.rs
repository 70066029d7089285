//! What the later segments beside a file that was given alone say must not come back.
//!
//! Nothing else is taken from them. What was destroyed by the time that the file itself was
//! written, its own manifest says, so the earlier ones are not looked at. Where no later one
//! can be read, that is told: what was destroyed since is not known then.

use std::collections::BTreeSet;

use super::{Outcome, Wanted};
use crate::backup::error::{Error, Result};
use crate::backup::layout::{gaps, segment_name};
use crate::backup::manifest::Manifest;
use crate::backup::read::plan::Plan;
use crate::backup::read::{Keys, SegmentFile, Source, places};
use crate::backup::verify::{Damage, Kind};

/// What is said of a segment the manifest of which can't be read.
pub(super) const UNKNOWN: &str = "; whether it says that something was shredded is not known";

/// Adds to the plan what must not come back of this file, as the segments beside it say.
///
/// # Errors
/// What is no damage.
pub(super) fn heed(
    source: &Source,
    own: &Manifest,
    keys: &Keys<'_>,
    wanted: &Wanted<'_>,
    plan: &mut Plan,
    outcome: &mut Outcome,
) -> Result<()> {
    let files = source.siblings().unwrap_or_else(|error| {
        outcome.notes.push(error.to_string());
        Vec::new()
    });
    let later = files.iter().filter(|one| one.number > Some(own.segment));
    let mut there = BTreeSet::new();
    let (mut heard, mut dropped) = (BTreeSet::new(), BTreeSet::new());
    for file in later {
        there.extend(file.number);
        let Some(manifest) = read(file, own, keys, wanted, outcome)? else {
            continue;
        };
        plan.forbid(&manifest);
        heard.insert(manifest.segment);
        dropped.extend(manifest.dropped.iter().map(|one| one.segment));
    }
    match heard.last() {
        Some(last) => {
            let is_known = |number: &u32| {
                *number <= own.segment || there.contains(number) || dropped.contains(number)
            };
            let gone: Vec<_> = gaps(*last, is_known).map(segment_name).collect();
            if !gone.is_empty() {
                outcome.notes.push(format!(
                    "{}: not there; of sound or words that were shredded alone it may have been \
                     said there only",
                    gone.join(", ")
                ));
            }
        }
        None => outcome.notes.push(format!(
            "beside the file that was given lies nothing newer of its backup that can be read, \
             so what was shredded or redacted after {} is not known here",
            own.made_at
        )),
    }
    Ok(())
}

/// The manifest of a segment beside, if it is one of the same backup. What is wrong with it
/// is in the outcome then.
fn read(
    file: &SegmentFile,
    own: &Manifest,
    keys: &Keys<'_>,
    wanted: &Wanted<'_>,
    outcome: &mut Outcome,
) -> Result<Option<Manifest>> {
    let signed = match places::manifest(file, keys) {
        Ok(signed) => signed,
        // It may be another backup's, or for others.
        Err(error @ (Error::Locked { .. } | Error::Newer { .. })) => {
            outcome.notes.push(format!("{error}{UNKNOWN}"));
            return Ok(None);
        }
        Err(error) => {
            let mut damage = Damage::from_error(error)?;
            damage.what.push_str(UNKNOWN);
            outcome.damage.push(damage);
            return Ok(None);
        }
    };
    if signed.manifest.backup != own.backup {
        return Ok(None);
    }
    let says = signed.manifest.segment;
    let is_of_same = outcome.origin == Some((signed.manifest.vault, signed.signer));
    let (kind, what) = match wanted.trust.accepts(&signed) {
        Err(why) => (Kind::Added, why.to_owned()),
        Ok(()) if !is_of_same => {
            let what = "it is of another vault than the one that was given";
            (Kind::Added, what.to_owned())
        }
        Ok(()) if file.number != Some(says) => {
            let what = format!("it says that it is {}", segment_name(says));
            (Kind::Altered, what)
        }
        Ok(()) => return Ok(Some(signed.manifest)),
    };
    outcome.damage.push(Damage::new(kind, &file.which, what));
    Ok(None)
}

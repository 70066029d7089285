//! What segments say of each other: the chain, whose they are, and whether what one
//! says another holds is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::segment::Checked;
use super::{Damage, Kind, Known, Verified, cost};
use crate::backup::layout::{gaps, segment_name};
use crate::backup::manifest::{Signed, SoundAt};
use crate::backup::read::plan::Plan;
use crate::backup::read::{Source, Trust};
use crate::backup::written::Hash;
use crate::crypto::VaultId;
use crate::recording::RecordingId;
use crate::vault::bag::KnownBackup;

pub(super) fn compare(
    source: &Source,
    checked: &[Checked],
    known: Known<'_>,
    verified: &mut Verified,
) {
    let dropped = dropped(checked);
    belongs(checked, known.trust, verified);
    numbers(source, checked, &dropped, verified);
    order(checked, &dropped, verified);
    let mut plan = Plan::default();
    for one in checked {
        if let Some(signed) = &one.signed {
            plan.add(signed.manifest.segment, &signed.manifest);
        }
    }
    sound(&plan, checked, &dropped, verified);
    cost::tell(checked, &plan, &mut verified.damage);
    verified.recordings = plan.alive() as u64;
    if let Some(own) = known.own.filter(|_| source.is_folder()) {
        rolled_back(source, checked, &own.settings.backups, verified);
    }
}

/// Segments that a repack took away, and the hashes that they had.
fn dropped(checked: &[Checked]) -> BTreeMap<u32, Hash> {
    let signed = checked.iter().filter_map(|one| one.signed.as_ref());
    let dropped = signed.flat_map(|signed| &signed.manifest.dropped);
    dropped.map(|one| (one.segment, one.sha256)).collect()
}

/// All of one vault, and signed by it.
fn belongs(checked: &[Checked], trust: &Trust, verified: &mut Verified) {
    let mut first: Option<(VaultId, &Signed)> = None;
    for one in checked {
        let Some(signed) = &one.signed else { continue };
        if let Err(why) = trust.accepts(signed) {
            verified
                .damage
                .push(Damage::new(Kind::Added, &one.which, why));
            continue;
        }
        match first {
            None => {
                first = Some((signed.manifest.vault, signed));
                verified.signer = Some(signed.signer);
            }
            Some((vault, other)) => {
                if vault != signed.manifest.vault || other.signer != signed.signer {
                    let what = "it is of another vault than those before it";
                    verified
                        .damage
                        .push(Damage::new(Kind::Added, &one.which, what));
                }
            }
        }
    }
}

/// Every number from the first to the last is there, or was taken away.
fn numbers(
    source: &Source,
    checked: &[Checked],
    dropped: &BTreeMap<u32, Hash>,
    verified: &mut Verified,
) {
    for one in checked {
        let (Some(number), Some(signed)) = (one.number, &one.signed) else {
            continue;
        };
        let says = signed.manifest.segment;
        if says != number {
            let what = format!("it says that it is {}", segment_name(says));
            verified
                .damage
                .push(Damage::new(Kind::Altered, &one.which, what));
        }
        if dropped.contains_key(&number) {
            verified.notes.push(format!(
                "{}: a repack has replaced it and did not come to its end; it still holds \
                 what was shredded",
                one.which
            ));
        }
    }
    if !source.is_folder() {
        return;
    }
    let there: BTreeSet<u32> = checked.iter().filter_map(|one| one.number).collect();
    let last = there.last().copied().unwrap_or(0);
    let by_right = |number: &u32| there.contains(number) || dropped.contains_key(number);
    for gone in gaps(last, by_right) {
        let what = "there are later segments, and this one is gone";
        verified
            .damage
            .push(Damage::new(Kind::Missing, segment_name(gone), what));
    }
}

/// Each segment names the hash of the one before it.
fn order(checked: &[Checked], dropped: &BTreeMap<u32, Hash>, verified: &mut Verified) {
    let hashes: BTreeMap<u32, _> = checked
        .iter()
        .filter_map(|one| Some((one.number?, one.hash)))
        .chain(dropped.iter().map(|(number, hash)| (*number, *hash)))
        .collect();
    let is_damaged: BTreeSet<u32> = checked
        .iter()
        .filter(|one| one.signed.is_none())
        .filter_map(|one| one.number)
        .collect();
    let mut generation = 0;
    for one in checked {
        let (Some(number), Some(signed)) = (one.number, &one.signed) else {
            continue;
        };
        let manifest = &signed.manifest;
        if manifest.generation < generation {
            let what = "it is older than the one before it";
            verified
                .damage
                .push(Damage::new(Kind::RolledBack, &one.which, what));
        }
        generation = generation.max(manifest.generation);
        let before = number.checked_sub(1).filter(|before| *before > 0);
        let due = before.and_then(|before| hashes.get(&before));
        let differs = match (manifest.before, due) {
            (Some(said), Some(found)) => said != *found,
            (None, Some(_)) => true,
            // The one before is missing, which is told.
            (_, None) => false,
        };
        // That it was altered is told where it is damaged; here it is what was put
        // in the place of another whole one.
        if let Some(before) = before.filter(|before| differs && !is_damaged.contains(before)) {
            let what = format!("it is not the one that {} was written behind", one.which);
            verified
                .damage
                .push(Damage::new(Kind::Altered, segment_name(before), what));
        }
    }
}

/// Where the sound is in an earlier segment, that one has it. What a damaged one holds, its
/// own manifest says better.
fn sound(plan: &Plan, checked: &[Checked], dropped: &BTreeMap<u32, Hash>, verified: &mut Verified) {
    // A file alone can't have what another holds.
    if checked.iter().any(|one| one.number.is_none()) {
        return;
    }
    let readable: BTreeSet<u32> = checked
        .iter()
        .filter(|one| one.signed.is_some())
        .filter_map(|one| one.number)
        .collect();
    let told: BTreeSet<u32> = checked
        .iter()
        .filter(|one| one.costs.is_some())
        .filter_map(|one| one.number)
        .collect();
    let tell = |id: RecordingId, number: u32, what: &str| {
        Damage::new(Kind::Missing, segment_name(number), what).of(Some(id))
    };
    let mut check = |id: RecordingId, number: u32, has_it: bool, none: &str| {
        let what = match readable.contains(&number) {
            _ if dropped.contains_key(&number) => return,
            true if has_it => return,
            true => none,
            false if told.contains(&number) => return,
            false => "its sound lies there",
        };
        verified.damage.push(tell(id, number, what));
    };
    for (id, entry) in plan.newest() {
        let last = match entry.sound {
            SoundAt::Here => entry.segment,
            SoundAt::Segment(number) => number,
            SoundAt::Gone | SoundAt::Lost => continue,
        };
        if plan.is_destroyed(id, entry.epoch) {
            continue;
        }
        let lies = plan.sound(id, last);
        let has_it = lies.is_some();
        check(id, last, has_it, "it has no sound of this recording");
        let Some(lies) = lies else { continue };
        for (stretch, &number) in (1..).zip(&lies.stretches) {
            let has_it = plan.has_stretch(id, lies.epoch, stretch, number);
            check(id, number, has_it, "it has no such stretch of it");
        }
    }
}

/// Whether it is an earlier state of a backup that the vault knows. It goes by the name in
/// its manifests and not by its place: a folder is moved, and a copy lies elsewhere.
fn rolled_back(
    source: &Source,
    checked: &[Checked],
    known: &[KnownBackup],
    verified: &mut Verified,
) {
    let signed = checked.iter().filter_map(|one| one.signed.as_ref());
    let Some(newest) = signed.max_by_key(|signed| signed.manifest.segment) else {
        return;
    };
    let is_named = |one: &&KnownBackup| one.id == newest.manifest.backup.0;
    let Some(backup) = known.iter().find(is_named) else {
        return;
    };
    // One that is there and can't be read is damaged, which is told.
    let numbers = checked.iter().filter_map(|one| one.number);
    let last = numbers.max().unwrap_or(newest.manifest.segment);
    let is_last_read = last == newest.manifest.segment;
    // The generation that is remembered may be later than any segment: it is noted
    // before the first byte, and where there was nothing new.
    let is_its_end = backup.end.is_some_and(|end| {
        let is_it = |one: &Checked| one.number == Some(end.segments) && one.hash.0 == end.hash;
        end.segments == last && checked.iter().any(is_it)
    });
    let end = backup.end.map(|end| end.segments);
    let is_older = is_last_read && !is_its_end && newest.manifest.generation < backup.generation;
    if is_older || end.is_some_and(|end| last < end) {
        let remembered = match end {
            Some(end) if end != last => segment_name(end),
            Some(end) => format!("another {}", segment_name(end)),
            None => "a later state of it".to_owned(),
        };
        let here = source.place();
        let at = match Path::new(&backup.path) == here {
            true => String::new(),
            false => format!(" at {}", backup.path),
        };
        verified.lags_behind = true;
        let what = format!(
            "it ends with {}; the vault remembers {remembered}{at}",
            segment_name(last)
        );
        verified
            .damage
            .push(Damage::new(Kind::RolledBack, here.display(), what));
    }
}

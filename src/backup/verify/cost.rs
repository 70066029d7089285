//! Which recordings a damaged segment costs something.
//!
//! A segment that can't be walked to its end may have its manifest all the same. Then each
//! of its files is tried where it lies, as a restore does. Where it has none, later segments
//! say of some sound that it lies there.

use std::collections::BTreeMap;
use std::io;

use super::segment::Checked;
use super::{Damage, Kind};
use crate::backup::layout::Member;
use crate::backup::read::places::{self, Segment};
use crate::backup::read::plan::Plan;
use crate::backup::read::{Keys, SegmentFile, Trust};
use crate::recording::RecordingId;

/// What of a recording can't be read in a segment.
pub(super) struct Cost {
    id: RecordingId,
    epoch: u32,
    files: Vec<Member>,
}

/// What can't be read in a segment, by its own manifest; `None` where that can't be read
/// or is not believed.
pub(super) fn of(file: &SegmentFile, keys: &Keys<'_>, trust: &Trust) -> Option<Vec<Cost>> {
    let signed = places::manifest(file, keys).ok()?;
    trust.accepts(&signed).ok()?;
    let mut segment = Segment::open(file, keys).ok()?;
    let mut costs: BTreeMap<RecordingId, Vec<Member>> = BTreeMap::new();
    for (member, place) in places::places(&signed.manifest.files) {
        let Some(id) = member.id() else { continue };
        let part = segment.part(member, &place);
        let is_read = part.is_ok_and(|mut part| io::copy(&mut part, &mut io::sink()).is_ok());
        if !is_read {
            costs.entry(id).or_default().push(member);
        }
    }
    let cost = |(id, epoch)| {
        let files = costs.remove(&id)?;
        Some(Cost { id, epoch, files })
    };
    let entries = signed.manifest.recordings.iter();
    let stretches = signed.manifest.stretches.iter();
    let all = entries.map(|one| (one.id, one.epoch));
    let all = all.chain(stretches.map(|one| (one.id, one.epoch)));
    Some(all.filter_map(cost).collect())
}

/// A damage for each recording that may come back.
pub(super) fn tell(checked: &[Checked], plan: &Plan, damage: &mut Vec<Damage>) {
    for one in checked {
        for cost in one.costs.iter().flatten() {
            if plan.is_destroyed(cost.id, cost.epoch) {
                continue;
            }
            let names: Vec<String> = cost.files.iter().map(name).collect();
            let what = format!("its {} can't be read", names.join(", "));
            damage.push(Damage::new(Kind::Altered, &one.which, what).of(Some(cost.id)));
        }
    }
}

/// The last part of a path.
fn name(member: &Member) -> String {
    let path = member.to_string();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

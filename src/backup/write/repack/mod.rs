//! Rids a backup of what was destroyed since it was written.
//!
//! Segments are never changed, so one that holds something that was destroyed goes as
//! a whole, and what of it still counts is written anew behind the last one: copied as
//! it is, or without the sound or the words that were destroyed, and older states of a
//! recording as well where only they have something. The last segment that
//! is written names those that go, with the hashes that they had, so that the chain
//! still holds without them. Only when it is durable are they overwritten and
//! removed; cut short before, nothing has changed, and behind it the next run removes
//! what is left.

mod only;
mod view;
mod whole;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use self::view::{Held, View, read};
use self::work::{Shelf, Work};
use super::folder::Folder;
use super::note::{Ending, Note};
use super::run::before;
use super::{Order, Watch};
use crate::backup::error::{Error, Result};
use crate::backup::layout::segment_name;
use crate::backup::read::{Keys, Source};
use crate::vault::bag::{BackupEnd, KnownBackup};
use crate::vault::{Deed, OpenVault};

/// What a repack did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repacked {
    /// Segments that went.
    pub dropped: Vec<u32>,
    /// Segments that were written.
    pub written: Vec<u32>,
    /// Bytes of the ones that went, and of those that were written.
    pub dropped_bytes: u64,
    /// The same.
    pub written_bytes: u64,
    /// Recordings that are gone from it, or a part of which is.
    pub recordings: u64,
}

/// Repacks a folder.
///
/// # Errors
/// [`Error::Unusable`] or [`Error::Refused`] if it holds no backup of this vault,
/// [`Error::Damaged`] if something that is to be copied can't be read and the vault
/// does not hold all of it. Until all of it is written nothing goes.
pub fn repack(
    vault: &OpenVault,
    dir: &Path,
    order: Order<'_>,
    watch: &dyn Watch,
) -> Result<Repacked> {
    let now = order.now;
    let recipients = order.with_own(vault)?;
    let source = Source::find(dir)?;
    if !source.is_folder() {
        let which = dir.display().to_string();
        return Err(Error::damaged(which, "only a folder can be repacked"));
    }
    let mut folder = Folder::open(dir, vault.vault().dir())?;
    let keys = Keys::of_backups(&vault.backup_keys()?.identities);
    // Before the stock: what is destroyed from now on stays counted.
    let remembered = vault.settings()?.backups;
    let stock = vault.stock()?;
    let held = read(vault, &source, &keys, watch)?;
    if !held.states.are_of(vault)? {
        return Err(Error::of_later_state(folder.dir()));
    }
    let view = View {
        stock: &stock,
        held: &held,
    };
    let known = remembered.iter().find(|known| known.id == held.backup.0);
    let noted = known.and_then(|known| known.end);
    let there = folder.segments.last().copied().unwrap_or(0);
    let last = noted.map_or(there, |end| end.segments.max(there));
    if last > there {
        // What is written goes behind it all the same, so that it is missed later, too.
        watch.damaged(Error::Behind {
            which: segment_name(last),
        });
    }
    let doomed = view.doomed();
    let left_over: BTreeSet<u32> = held
        .dropped
        .keys()
        .copied()
        .filter(|number| folder.segments.contains(number))
        .collect();
    let mut done = Repacked::default();
    if doomed.is_empty() && left_over.is_empty() {
        folder.clear(&|error| watch.damaged(error))?;
        if known.is_some_and(|known| known.destroyed > 0) {
            let now_ms = now().unix_ms;
            note(vault, &held, &folder, noted, known, Ending::Rid, now_ms)?;
        }
        return Ok(done);
    }
    vault.log(Deed::Repack, &[], &format!("in {}", folder.dir().display()))?;
    folder.clear(&|error| watch.damaged(error))?;
    let mut end = noted;
    if !doomed.is_empty() {
        let mut work = Work {
            vault,
            watch,
            now,
            recipients: &recipients,
            folder: &folder,
            view: &view,
            doomed: &doomed,
            shelf: Shelf {
                keys: &keys,
                source: &source,
                open: None,
            },
            last,
            before: before(&folder, last, noted)?,
            moved: BTreeMap::new(),
            done: &mut done,
        };
        end = Some(work.all()?);
        let now_ms = now().unix_ms;
        note(vault, &held, &folder, end, None, Ending::Rid, now_ms)?;
    }
    let going: BTreeSet<u32> = doomed.into_iter().chain(left_over).collect();
    let mut told = several(view.destroyed_in(&going), "recording") + " dropped";
    for &number in &going {
        let path = folder.segment(number);
        done.dropped_bytes += std::fs::metadata(&path).map_or(0, |found| found.len());
        match folder.remove_segment(number) {
            Ok(()) => done.dropped.push(number),
            failed => watch.go_on(failed)?,
        }
    }
    let stuck = going.len() - done.dropped.len();
    if stuck > 0 {
        told += &format!("; {} could not be removed", several(stuck, "segment"));
    }
    // Only now are they gone from it, unless one is still there.
    let known = known.filter(|_| stuck == 0);
    let ending = |rid| Ending::Repacked { rid, told };
    note(vault, &held, &folder, end, known, ending, now().unix_ms)?;
    Ok(done)
}

fn several(many: usize, what: &str) -> String {
    format!("{many} {what}{}", if many == 1 { "" } else { "s" })
}

/// Has the vault remember where the backup ends now, and that of what was destroyed
/// before it was looked at nothing is in it any more.
fn note(
    vault: &OpenVault,
    held: &Held,
    folder: &Folder,
    end: Option<BackupEnd>,
    before: Option<&KnownBackup>,
    ending: impl FnOnce(u32) -> Ending,
    now_ms: i64,
) -> Result<()> {
    let path = folder.dir().display().to_string();
    let generations = held.manifests.values().map(|manifest| manifest.generation);
    // Where it was not known: those that should be there are missed if they are not.
    let mut slots = folder.slots.clone();
    slots.extend(vault.ways()?.into_keys());
    slots.sort_unstable();
    slots.dedup();
    let note = Note {
        id: held.backup,
        path: &path,
        generation: generations.max().unwrap_or(0),
        slots,
    };
    // What can't be read may hold some of it.
    let gone = match held.unread {
        0 => before.map_or(0, |known| known.destroyed),
        _ => 0,
    };
    note.behind(vault, now_ms, end, ending(gone))
}

//! A run that adds to a folder what is new.

use std::collections::BTreeSet;
use std::path::Path;

use age::Recipient;
use sha2::{Digest, Sha256};

use super::fill::{Destroyed, Filling, Limit};
use super::folder::Folder;
use super::found::{Earlier, Owner};
use super::note::{Ending, Note};
use super::plan::Holding;
use super::tarball::{self, SegmentWriter};
use super::task::Task;
use super::{About, Added, Order, Outcome, Watch, new_id, probe, supply, tell_of_missing, weight};
use crate::backup::error::{Error, Result};
use crate::backup::layout::{Lengths, segment_name, slot_name};
use crate::backup::manifest::Tombstone;
use crate::backup::plain;
use crate::backup::written::{BackupId, Digits, Hash};
use crate::recording::Moment;
use crate::vault::bag::{self, BackupEnd, KnownBackup, Retired};
use crate::vault::copying::{self, Stock};
use crate::vault::{self, OpenVault, SlotFile};

/// Writes what is new to a folder.
///
/// # Errors
/// [`Error::Unusable`] if it is not the place for it. After any other error, all
/// segments that are there are whole, and the next run goes on behind them.
pub fn to_folder(
    vault: &OpenVault,
    dir: &Path,
    order: Order<'_>,
    watch: &dyn Watch,
) -> Result<Outcome> {
    let (now, lengths) = (order.now, order.lengths);
    let recipients = order.with_own(vault)?;
    let mut folder = Folder::open(dir, vault.vault().dir())?;
    let stock = vault.stock()?;
    let slots = vault.vault().slot_files()?;
    let settings = vault.settings()?;
    let earlier = {
        let identities = vault.backup_keys()?.identities;
        let owner = Owner {
            vault: stock.vault,
            signer: stock.signer,
            identities: &identities,
            known: &settings.backups,
            slots: &slots,
            is_in: &|states| Ok(states.are_of(vault)?),
        };
        Earlier::read(&folder, &owner)?
    };
    earlier
        .damage
        .into_iter()
        .for_each(|error| watch.damaged(error));
    tell_of_missing(&stock, watch);
    let path = folder.dir().display().to_string();
    let known = known(&settings.backups, earlier.id, &path);
    let known_slots = known.map_or_else(Vec::new, |known| known.slots.clone());
    let id = earlier.id.or(known.map(|known| Digits(known.id)));
    let id = id.map_or_else(new_id, Ok)?;
    let end = known.and_then(|known| known.end);
    let mut run = Run {
        vault,
        watch,
        recipients: &recipients,
        now,
        lengths,
        id,
        generation: stock.generation,
        last: earlier.last.max(end.map_or(0, |end| end.segments)),
        before: None,
        holding: earlier.holding,
        outcome: Outcome {
            path: path.clone(),
            added: Vec::new(),
            recordings: 0,
            holds: 0,
        },
    };
    run.before = before(&folder, run.last, end)?;
    let mut tasks = run.lacking(&stock)?;
    let stale: Vec<String> = known_slots
        .iter()
        .filter(|name| !slots.iter().any(|slot| slot.name == **name))
        .filter(|name| folder.slots.contains(*name))
        .cloned()
        .collect();
    let changed: Vec<&SlotFile> = slots
        .iter()
        .filter(|slot| folder.read_slot(&slot.name).as_ref() != Some(&slot.sealed))
        .collect();
    let same_slots = stale.is_empty() && changed.is_empty();
    let is_noted = known.is_some_and(|known| {
        known.path == path
            && known.end.map(|end| end.segments) == Some(run.last)
            && known.finished >= stock.latest
    });
    if tasks.is_empty() && run.buries(&stock.tombstones, &stock.lacking) && same_slots && is_noted {
        folder.clear(&|error| watch.damaged(error))?;
        run.outcome.holds = run.holding.recordings();
        return Ok(run.outcome);
    }
    let note = Note {
        id,
        path: &path,
        generation: stock.generation,
        slots: slots.iter().map(|slot| slot.name.clone()).collect(),
    };
    note.before(vault, watch, now().unix_ms)?;
    folder.clear(&|error| watch.damaged(error))?;
    for slot in &changed {
        let hurt = hurt(&folder, slot, &known_slots, &settings.retired);
        let put = folder.put_slot(&slot.name, &slot.sealed);
        if let (Ok(()), Some(how)) = (&put, hurt) {
            let name = slot_name(&slot.name);
            watch.note(&format!(
                "{name}: this copy of a way in {how}, and was written anew"
            ));
        }
        watch.go_on(put)?;
    }
    for name in &stale {
        watch.go_on(folder.remove_slot(name))?;
    }
    let total: u64 = tasks.iter().map(weight).sum();
    let mut done = 0;
    while !tasks.is_empty() || !run.buries_now()? {
        let weighs = |tasks: &[Task]| tasks.iter().map(weight).sum::<u64>();
        match run.segment(&folder, &tasks, &mut |bytes| {
            watch.done((done + bytes).min(total), total);
        }) {
            Ok(count) => {
                done += weighs(&tasks[..count]);
                tasks.drain(..count);
            }
            Err(Error::Vault(vault::Error::Outdated { .. })) => {
                tasks = run.lacking(&vault.stock()?)?;
            }
            Err(error) => return Err(error),
        }
    }
    let end = match run.before {
        Some(hash) => Some(BackupEnd {
            segments: run.last,
            hash: hash.0,
        }),
        None => None,
    };
    note.behind(vault, now().unix_ms, end, Ending::Written)?;
    run.outcome.holds = run.holding.recordings();
    Ok(run.outcome)
}

/// What became of the copy of a way in that an earlier run wrote; `None` if there was none,
/// or it is one of before the ways in were changed.
fn hurt(
    folder: &Folder,
    slot: &SlotFile,
    written: &[String],
    retired: &[Retired],
) -> Option<&'static str> {
    let is_former = |sealed: &[u8]| {
        let hash = Hash::of(sealed).0;
        retired.iter().any(|one| one.hash == hash)
    };
    match folder.read_slot(&slot.name) {
        _ if folder.segments.is_empty() => None,
        Some(sealed) if is_former(&sealed) => None,
        None if !folder.slots.contains(&slot.name) => {
            written.contains(&slot.name).then_some("was missing")
        }
        Some(_) | None => Some("was damaged"),
    }
}

/// A backup to a folder while it runs.
struct Run<'a> {
    vault: &'a OpenVault,
    watch: &'a dyn Watch,
    recipients: &'a [Box<dyn Recipient + Send>],
    now: &'a dyn Fn() -> Moment,
    lengths: Lengths,
    id: BackupId,
    /// What was merged later is left for the next run.
    generation: u64,
    /// The number of the last segment, and its hash.
    last: u32,
    before: Option<Hash>,
    holding: Holding,
    outcome: Outcome,
}

impl Run<'_> {
    /// What has to be written.
    fn lacking(&self, stock: &Stock) -> Result<Vec<Task>> {
        let (mut tasks, doubtful) = self.holding.lacks(stock, self.generation);
        for task in doubtful {
            let probe::Probed { lost, why } = probe::probe(self.vault, &task)?;
            match why {
                // No more can be read than then.
                Some(why) if lost == task.lost => self.watch.damaged(why),
                _ => tasks.push(task),
            }
        }
        Ok(self.holding.in_stretches(tasks, self.lengths))
    }

    /// Whether the backup says of all that was destroyed that it must not come back.
    fn buries(&self, tombstones: &BTreeSet<bag::Tombstone>, lacking: &[copying::Lacking]) -> bool {
        let tombstones = tombstones.iter().map(|one| Tombstone::from(*one));
        self.holding.buries(tombstones) && self.holding.unsaid(lacking).is_empty()
    }

    fn buries_now(&self) -> Result<bool> {
        let standing = self.vault.standing(&[])?;
        Ok(self.buries(&standing.tombstones, &standing.lacking))
    }

    /// Writes the next segment; how many of the tasks are done with it.
    fn segment(
        &mut self,
        folder: &Folder,
        tasks: &[Task],
        advance: &mut dyn FnMut(u64),
    ) -> Result<usize> {
        let number = self.last + 1;
        let name = segment_name(number);
        let mut writer =
            SegmentWriter::begin(&name, folder.part(number)?, tarball::each(self.recipients))?;
        let mut done = 0;
        let mut add = |bytes: u64| {
            done += bytes;
            advance(done);
        };
        let mut filling = Filling::new(
            &mut writer,
            tasks,
            &self.holding,
            Destroyed::BeginAnew,
            Limit::Segment,
            &mut add,
        )?;
        supply::supply(self.vault, tasks, |piece| match self.watch.cancelled() {
            true => Err(Error::Cancelled),
            false => filling.take(piece),
        })?;
        let mut filled = filling.end();
        let standing = self.vault.standing(&filled.written)?;
        let (count, recordings) = (filled.tasks, filled.entries.len());
        std::mem::take(&mut filled.damage)
            .into_iter()
            .for_each(|error| self.watch.damaged(error));
        let holds_nothing = recordings == 0 && filled.stretches.is_empty();
        if holds_nothing && self.buries(&standing.tombstones, &standing.lacking) {
            // Nothing of it could be read.
            return Ok(count);
        }
        let at = (self.now)();
        let about = About {
            id: self.id,
            vault: self.vault.vault_id()?,
            segment: number,
            before: self.before,
            at,
        };
        let mut signed = None;
        let written = writer.finish(at, |files| {
            let lacking = self.holding.unsaid(&standing.lacking);
            let manifest = about.manifest(files, filled, &standing, lacking);
            let bytes = manifest.sign(&standing.signing);
            signed = Some(manifest);
            bytes
        })?;
        written.to.publish()?;
        self.outcome.added.push(Added {
            segment: number,
            bytes: written.bytes,
        });
        self.outcome.recordings += recordings;
        (self.last, self.before) = (number, Some(written.hash));
        if let Some(manifest) = signed {
            self.holding.add(manifest);
        }
        Ok(count)
    }
}

/// The backup that is meant, among those that the vault knows: by its name, or by
/// its place if it has none yet.
fn known<'k>(
    backups: &'k [KnownBackup],
    id: Option<BackupId>,
    path: &str,
) -> Option<&'k KnownBackup> {
    backups.iter().find(|known| match id {
        Some(id) => known.id == id.0,
        None => known.path == path && known.end.is_none(),
    })
}

/// The hash of the last segment: as it was noted when it was written, else as it lies
/// there.
pub(super) fn before(folder: &Folder, last: u32, end: Option<BackupEnd>) -> Result<Option<Hash>> {
    match end {
        _ if last == 0 => Ok(None),
        Some(end) if end.segments == last => Ok(Some(Digits(end.hash))),
        _ => match hash_of(folder, last) {
            // What is no file has no hash.
            Err(Error::Damaged { .. }) => Ok(None),
            hashed => hashed.map(Some),
        },
    }
}

pub(super) fn hash_of(folder: &Folder, number: u32) -> Result<Hash> {
    let path = folder.segment(number);
    let mut hash = Sha256::new();
    let mut file = plain::open(&segment_name(number), &path)?;
    std::io::copy(&mut file, &mut hash).map_err(Error::io("read", &path))?;
    Ok(Digits(hash.finalize().into()))
}

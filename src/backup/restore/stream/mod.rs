//! From a stream, which is read once and as it comes.
//!
//! What must not come back, and whose all of it is, stands in the manifest at its end.
//! Until that was read and believed, no key to anything that came before it is in the
//! vault; and what it does not know as it came is left out. So a stream that is cut
//! off brings nothing back: saved to a file, it gives all that is whole in it.

mod coming;

use std::collections::BTreeMap;
use std::io::Read;

use self::coming::Work;
use super::{Outcome, Tell, Tombstones, Wanted, recording};
use crate::backup::error::{Error, Result};
use crate::backup::layout::Member;
use crate::backup::manifest::{Entry, FileEntry, Manifest, Signed, SoundAt};
use crate::backup::read::Keys;
use crate::backup::read::walk::Walk;
use crate::backup::segment::{self, place};
use crate::backup::verify::{Damage, Kind};
use crate::backup::write::STREAM;
use crate::backup::written::{Digits, Hash};
use crate::vault::OpenVault;

/// What a stream is called in messages.
const WHICH: &str = "standard input";

/// Restores what a stream holds. `tell` hears of recordings done, and no number of
/// all.
///
/// # Errors
/// If no key opens it, it is another vault's or cut off, or the vault can't be
/// written; then nothing of it came back.
pub fn from_stream(
    vault: &OpenVault,
    from: impl Read,
    keys: &Keys<'_>,
    wanted: &Wanted<'_>,
    tell: Tell<'_>,
) -> Result<Outcome> {
    let plain = segment::open(WHICH, from, keys.each())?;
    let tar = Walk::new(WHICH, plain);
    let mut work = Work::new(tar, vault.begin_restore()?, wanted.resurrect);
    let manifest = work.read(tell)?;
    let signed = Signed::read(WHICH, &manifest)?;
    if let Err(why) = work.outcome.accept(wanted.trust, &signed) {
        let which = WHICH.to_owned();
        return Err(Error::Refused { which, why });
    }
    if let (Some(id), None) = (wanted.resurrect, work.new) {
        return Err(Error::NotInBackup { id });
    }
    leave_out(&mut work, &signed.manifest, wanted);
    let tombstones = signed.manifest.tombstones.iter();
    let destroyed: Tombstones = tombstones.map(|one| (*one).into()).collect();
    work.outcome.kept = super::forbid(&mut work.restoring, &destroyed)?;
    let alive = wanted.resurrect.filter(|id| work.is_alive(*id));
    if let (Some(_), Some(new)) = (alive, work.new) {
        // It comes back as itself.
        work.restoring.withdraw(new);
    }
    if let Some((_, made_at)) = work.outcome.backup {
        super::remember(vault, Digits([0; 16]), STREAM, made_at, 0)?;
    }
    let done = work.restoring.commit()?;
    let mut outcome = work.outcome;
    outcome.resurrected = work.new.filter(|new| done.restored.contains(new));
    outcome.take(done);
    if let Some(id) = alive {
        outcome.note_alive(id);
    }
    Ok(outcome)
}

/// Takes back what did not come as the manifest says, or is not in it.
fn leave_out<R>(work: &mut Work<R>, manifest: &Manifest, wanted: &Wanted<'_>) {
    for (member, why) in differences(manifest, &work.seen) {
        let damage = Damage::new(Kind::Altered, place(WHICH, &member), why);
        work.outcome.damage.push(damage.of(member.id()));
        if let Some(id) = member.id() {
            let new = work.new.filter(|_| wanted.resurrect == Some(id));
            let all = [Some(id), new].into_iter().flatten();
            all.for_each(|one| work.restoring.withdraw(one));
        }
    }
    for (id, epoch) in &work.put {
        let mut entries = manifest.recordings.iter();
        match entries.find(|entry| entry.id == *id && entry.epoch == *epoch) {
            Some(entry) => work.outcome.notes.extend(lacks(entry)),
            None => work.restoring.withdraw(*id),
        }
    }
}

/// What is told of a recording of which the stream has not all.
fn lacks(entry: &Entry) -> Vec<String> {
    let id = entry.id.short();
    let mut notes = Vec::new();
    if !entry.lost.is_empty() {
        notes.push(format!("{id}: {}", recording::LOST));
    }
    let elsewhere = match entry.sound {
        SoundAt::Segment(number) => Some(format!("segment {number}")),
        SoundAt::Here if !entry.stretches.is_empty() => Some("several segments".to_owned()),
        SoundAt::Here | SoundAt::Gone | SoundAt::Lost => None,
    };
    notes.extend(elsewhere.map(|elsewhere| {
        format!(
            "{id}: its sound is in {elsewhere} of the backup, which is not this stream; its \
             words came back without it"
        )
    }));
    notes
}

/// Files that did not come as the manifest says, and what is wrong with them.
fn differences(
    manifest: &Manifest,
    seen: &BTreeMap<Member, (u64, Hash)>,
) -> Vec<(Member, &'static str)> {
    let mut found = Vec::new();
    let mut due = BTreeMap::new();
    for FileEntry {
        path,
        bytes,
        sha256,
    } in &manifest.files
    {
        if let Some(member) = Member::parse(path) {
            due.insert(member, (*bytes, *sha256));
        }
    }
    for (member, came) in seen {
        match due.remove(member) {
            Some(due) if due == *came => {}
            Some(_) => found.push((*member, "it is not the one that was written")),
            None => found.push((*member, "the manifest does not know it")),
        }
    }
    found.extend(due.into_keys().map(|member| (member, "it did not come")));
    found
}

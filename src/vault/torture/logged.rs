//! Whether the log is whole, names everything that was done, and claims nothing else.

use std::collections::BTreeMap;

use super::facts::{Clip, Facts, Gone, Sound, What};
use super::returning;
use crate::recording::RecordingId;
use crate::vault::{Deed, Entry, Log, ShredScope};

/// Compares a log with what was promised before the fault and might have come into force
/// by then, and with what the vault turned out to hold. How often it says that something
/// was played.
pub(super) fn check(
    log: &Log,
    allowed: &[&Facts],
    state: &Facts,
    found: &BTreeMap<RecordingId, Clip>,
) -> Result<u32, String> {
    if let Some(lapse) = log.lapses.first() {
        return Err(format!("{lapse}"));
    }
    for gone in &state.gone {
        if returning::was_never_here(gone.id) {
            continue;
        }
        if !log.entries.iter().any(|entry| tells(entry, gone)) {
            return Err(format!("it says nothing of {gone:?}"));
        }
    }
    for entry in &log.entries {
        for id in &entry.ids {
            if !is_true(entry, *id, found, allowed) {
                return Err(format!("it claims what was not done: {entry:?}"));
            }
        }
    }
    let is_play = |entry: &&Entry| entry.deed == Deed::Play;
    let plays = log.entries.iter().filter(is_play).count() as u32;
    let least = allowed.iter().map(|facts| facts.plays).min();
    let most = allowed.iter().map(|facts| facts.plays).max();
    match least <= Some(plays) && Some(plays) <= most {
        true => Ok(plays),
        false => Err(format!("{plays} plays, and not {least:?} to {most:?}")),
    }
}

fn tells(entry: &Entry, gone: &Gone) -> bool {
    if entry.deed == Deed::Sweep {
        return entry.ids.contains(&gone.id);
    }
    let (deed, scope) = match gone.what {
        What::All => (Deed::Shred, Some(ShredScope::Everything)),
        What::Sound => (Deed::Shred, Some(ShredScope::Sound)),
        What::Words => (Deed::Sweep, None),
        What::CardsBefore(_) => (Deed::Forget, None),
        What::Epoch(_) => (Deed::Redact, None),
    };
    let fits = scope.is_none_or(|scope| entry.detail == scope.name());
    entry.deed == deed && fits && entry.ids.contains(&gone.id)
}

fn is_true(
    entry: &Entry,
    id: RecordingId,
    found: &BTreeMap<RecordingId, Clip>,
    allowed: &[&Facts],
) -> bool {
    let is_there = found.get(&id);
    match entry.deed {
        Deed::Shred if entry.detail == ShredScope::Sound.name() => {
            is_there.is_none_or(|clip| clip.sound == Sound::Destroyed)
        }
        Deed::Shred => is_there.is_none(),
        Deed::Sweep => {
            let is_less = |clip: &Clip| clip.sound == Sound::Destroyed || clip.words.is_empty();
            is_there.is_none_or(is_less)
        }
        Deed::Redact => is_there.is_none_or(|clip| !clip.silenced.is_empty()),
        Deed::Forget => {
            let mut gone = allowed.iter().flat_map(|facts| &facts.gone);
            gone.any(|gone| gone.id == id && matches!(gone.what, What::CardsBefore(_)))
        }
        _ => true,
    }
}

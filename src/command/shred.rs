//! Destroys recordings for good.

use std::collections::BTreeMap;

use jiff::Zoned;

use super::{
    Context, Progress, Unit, last, merge_quietly, resolve, tell_of_damage, tell_of_notices,
};
use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId};
use crate::search::{Filter, last_added};
use crate::vault::{self, MergeReport, OpenVault, Receipt, ShredScope, Unmerged};

/// What to destroy.
#[derive(Debug, Clone)]
pub struct Args {
    /// Ids, `last`, or filters; never free words.
    pub which: Vec<String>,
    /// All of each recording, or only its sound.
    pub scope: ShredScope,
}

/// A recording that would be destroyed.
#[derive(Debug, Clone, PartialEq)]
pub struct Doomed {
    /// Its name for good.
    pub id: RecordingId,
    /// What is known of it, or why that can't be read. It can be destroyed all the
    /// same.
    pub recording: Result<Box<Recording>, String>,
}

impl Doomed {
    /// Its title, as far as that can be read.
    #[must_use]
    pub fn title(&self) -> &str {
        self.recording
            .as_ref()
            .map_or("", |recording| recording.card.title.as_str())
    }
}

/// The recordings that would be destroyed, so that a person can be asked.
///
/// What is named by its id is destroyed where it lies and however damaged it or the
/// store is; a filter needs the cards, so that what waits in the inbox is merged
/// first. Where there is no room for that, it is chosen by the card in its file.
///
/// # Errors
/// When the words name nothing, can't be used, or name a recording that is being
/// made; where only sound is to go and none of them has any; or the vault can't be
/// unlocked.
pub fn plan(
    context: &Context,
    args: &Args,
    progress: &dyn Progress,
) -> Result<Vec<Doomed>, Failure> {
    let selection = resolve::Selection::parse(&args.which)?;
    let vault = context.unlocked()?;
    let doomed = match &selection {
        resolve::Selection::Named(names) if !selection.asks_for_last() => {
            tell_of_notices(&vault, progress);
            let ids = resolve::by_names(names, &[], &vault.ids()?)?;
            picked(&vault, &ids, progress)?
        }
        _ => chosen(context, &vault, &selection, progress)?,
    };
    let doomed = match args.scope {
        ShredScope::Everything => doomed,
        ShredScope::Sound => with_sound(doomed, progress)?,
    };
    let ids: Vec<_> = doomed.iter().map(|one| one.id).collect();
    vault.check_shred(&ids)?;
    Ok(doomed)
}

/// What takes every card to choose: filters, and `last`.
fn chosen(
    context: &Context,
    vault: &OpenVault,
    selection: &resolve::Selection,
    progress: &dyn Progress,
) -> Result<Vec<Doomed>, Failure> {
    let now = context.clock.now();
    // Before the merge: what ends in between is in both.
    let running = vault.running()?;
    let merged = merge_quietly(vault, progress)?;
    let mut waiting = waiting(vault, &merged)?;
    let mut recordings = all_cards(vault, selection, &merged, progress)?;
    waiting.retain(|one| recordings.iter().all(|come| come.id != one.id));
    recordings.append(&mut waiting);
    let ids = match selection {
        resolve::Selection::Named(names) => resolve::by_names(names, &recordings, &vault.ids()?)?,
        resolve::Selection::Filtered(filter) => {
            refuse_matching(filter, &running, &recordings, &now)?;
            resolve::filtered(filter, &recordings, &now)?
        }
    };
    let mut known: BTreeMap<_, _> = recordings.into_iter().map(|one| (one.id, one)).collect();
    let (mut doomed, mut others) = (Vec::new(), Vec::new());
    for id in ids {
        match known.remove(&id) {
            Some(recording) => doomed.push(Doomed {
                id,
                recording: Ok(Box::new(recording)),
            }),
            None => others.push(id),
        }
    }
    doomed.extend(picked(vault, &others, progress)?);
    Ok(doomed)
}

/// Every card, to choose by. What is destroyed for what the cards say has to be chosen from
/// all of them where it is the last one, and by a store that is whole.
fn all_cards(
    vault: &OpenVault,
    selection: &resolve::Selection,
    merged: &MergeReport,
    progress: &dyn Progress,
) -> Result<Vec<Recording>, Failure> {
    if let Some(flaw) = vault.store_flaw()? {
        return Err(last::in_doubt(flaw.to_string()));
    }
    let listing = vault.listing()?;
    if selection.asks_for_last() {
        last::is_sure(&listing, merged)?;
    }
    tell_of_damage(&listing.damaged, progress);
    Ok(listing.recordings)
}

/// Those that have sound: of the others it is told that theirs is gone.
///
/// # Errors
/// [`Exit::NotFound`] where there is none of any.
fn with_sound(doomed: Vec<Doomed>, progress: &dyn Progress) -> Result<Vec<Doomed>, Failure> {
    const GONE: &str = "its sound was shredded before";
    let is_gone = |one: &Doomed| matches!(&one.recording, Ok(known) if known.sound_shredded);
    let (gone, left): (Vec<_>, Vec<_>) = doomed.into_iter().partition(is_gone);
    match (left.is_empty(), gone.as_slice()) {
        (true, [one]) => {
            let failure = Failure::new(Exit::NotFound, "nothing to shred", GONE);
            Err(failure.about(one.id.short()))
        }
        (true, [_, ..]) => {
            let why = format!("the sound of all {} was shredded before", gone.len());
            Err(Failure::new(Exit::NotFound, "nothing to shred", why))
        }
        _ => {
            for one in gone {
                progress.note(&format!("{}: {GONE}", one.id.short()));
            }
            Ok(left)
        }
    }
}

/// What no merge could take in: it is meant like everything else. What was refused, and
/// can't be looked at, has been told of as damage.
fn waiting(vault: &OpenVault, merged: &MergeReport) -> Result<Vec<Recording>, Failure> {
    let Unmerged { recordings, unread } = vault.unmerged()?;
    let many = unread.len();
    match &merged.stopped {
        Some(stopped) if many > 0 => {
            let wait = super::waits(many);
            let why = format!("{wait} in the inbox and can't be looked at; nothing was destroyed");
            let what = "can't tell which recordings are meant";
            Err(
                Failure::new(stopped.exit, what, why).hint(match stopped.exit {
                    Exit::NoSpace => {
                        "make room so that they can come in, or name recordings by their ids"
                    }
                    _ => "name recordings by their ids",
                }),
            )
        }
        _ => Ok(recordings),
    }
}

/// These, by their own cards alone. Damage is told of, and keeps nobody from
/// destroying what is damaged.
fn picked(
    vault: &OpenVault,
    ids: &[RecordingId],
    progress: &dyn Progress,
) -> Result<Vec<Doomed>, Failure> {
    let one = |(id, found): (RecordingId, vault::Result<Recording>)| Doomed {
        id,
        recording: found.map(Box::new).map_err(|error| {
            let why = error.to_string();
            if let vault::Error::Damaged { .. } = error {
                progress.refuse(&error.into());
            }
            why
        }),
    };
    Ok(vault.pick(ids)?.into_iter().map(one).collect())
}

/// A recording that is still running can't be destroyed under its recorder, also
/// where it was a filter that named it.
fn refuse_matching(
    filter: &Filter,
    running: &[Recording],
    recordings: &[Recording],
    now: &Zoned,
) -> Result<(), Failure> {
    let sieve = filter.at(now, last_added(recordings));
    let is_over = |id| recordings.iter().any(|ended| ended.id == id);
    let mut matching = running.iter().filter(|one| sieve.passes(*one));
    match matching.find(|one| !is_over(one.id)) {
        Some(one) => Err(vault::Error::Running { id: one.id }.into()),
        None => Ok(()),
    }
}

/// Destroys exactly these recordings and answers with the receipt.
///
/// # Errors
/// When the vault can't be unlocked, or a recording is being made. What could not
/// be overwritten is in the receipt: see [`Receipt::failure`].
pub fn run(
    context: &Context,
    ids: &[RecordingId],
    scope: ShredScope,
    progress: &dyn Progress,
) -> Result<Receipt, Failure> {
    let vault = context.unlocked()?;
    let all = ids.len() as u64;
    progress.begin("shredding", Some(all), Unit::Items);
    let receipt = vault.shred(ids, scope, &mut |done, steps| {
        progress.advance(done * all / steps.max(1));
    });
    progress.end();
    Ok(receipt?)
}

//! Brings recordings back from a backup: into the vault, or into one that is made for
//! it.
//!
//! Where there is no vault yet, one is made that opens with the passphrase that opened
//! the backup: the one of the machine that was lost. Where something else opened it, a
//! new one is asked for. No vault is made, and none stays, where nothing comes back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

mod bring;
mod fresh;
mod rehearsal;

pub use bring::From;
use bring::bring;
pub use rehearsal::{Compared, Rehearsed};

use super::backup_access::{self as access, Access, Openers};
use super::{Context, Progress, merge_quietly};
use crate::backup::Source;
use crate::backup::restore::{Outcome, Wanted};
use crate::backup::verify::{self, Beside, Damage, Kind, Own};
use crate::crypto::{Asker, Key, Passphrase};
use crate::error::{Exit, Failure};
use crate::recording::RecordingId;
use crate::vault::{self, OpenVault, Vault};

/// Whether anything is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The recordings come into the vault.
    #[default]
    Keep,
    /// They come into a vault that is made for the test and destroyed.
    Rehearse,
}

/// What to restore.
pub struct Args {
    /// Where from.
    pub from: From,
    /// Whether anything is kept.
    pub mode: Mode,
    /// A key instead of the vault's own.
    pub from_identity: Option<PathBuf>,
    /// Whom that key asks.
    pub asker: Arc<dyn Asker>,
    /// One that was destroyed and is wanted all the same.
    pub resurrect: Option<String>,
    /// Asks for the passphrase of a vault that has to be made, where none opened the
    /// backup and none was given.
    pub new_passphrase: Box<dyn FnOnce() -> Result<Passphrase, Failure>>,
}

/// What came of it.
pub struct Done {
    /// What came back.
    pub outcome: Outcome,
    /// The vault that was made for it.
    pub made: Option<PathBuf>,
    /// What a rehearsal found.
    pub rehearsed: Option<Rehearsed>,
}

/// Restores.
///
/// # Errors
/// When no key opens the backup, it is another vault's, or the vault can't be written.
pub fn run(context: &Context, args: Args, progress: &dyn Progress) -> Result<Done, Failure> {
    let resurrect = args.resurrect.as_deref().map(whole_id).transpose()?;
    if let From::Path(at) = &args.from {
        // Before anybody is asked for anything.
        Source::find(at)?;
    }
    let (vault, key) = match Vault::exists(&context.paths.vault) {
        true => {
            let (vault, key) = match args.mode {
                Mode::Keep => (context.unlocked()?, None),
                Mode::Rehearse => {
                    let (vault, key) = context.unlocked_keeping()?;
                    (vault, Some(key))
                }
            };
            merge_quietly(&vault, progress)?;
            (Some(vault), key)
        }
        false => (None, None),
    };
    if let (Some(id), Some(vault)) = (resurrect, &vault) {
        check_destroyed(vault, id)?;
    }
    let (access, passphrase) = opened(context, &args, vault.as_deref())?;
    let wanted = Wanted {
        trust: &access.trust,
        resurrect,
    };
    if args.mode == Mode::Rehearse {
        // It is to be destroyed however this ends.
        progress.hold();
        let rehearsal = rehearsal::Vault::make()?;
        let beside = match &args.from {
            From::Path(at) => beside(at, &access, vault.as_deref(), key.as_ref())?,
            From::Stream(_) => Beside::default(),
        };
        let mut outcome = bring(&rehearsal.vault, args.from, &access, &wanted, progress)?;
        outcome.damage.extend(beside.damage);
        outcome.notes.extend(beside.notes);
        let rehearsed = rehearsal.compare(&outcome, vault.as_deref(), progress)?;
        return Ok(Done {
            outcome,
            made: None,
            rehearsed: Some(rehearsed),
        });
    }
    let done = |outcome, made| Done {
        outcome,
        made,
        rehearsed: None,
    };
    if let Some(vault) = vault {
        let outcome = bring(&vault, args.from, &access, &wanted, progress)?;
        return Ok(done(outcome, None));
    }
    let (from, ask) = (args.from, args.new_passphrase);
    let passphrase = || passphrase.map_or_else(|| fresh::new_passphrase(context, ask), Ok);
    let (outcome, made) = fresh::restore(context, from, &access, &wanted, passphrase, progress)?;
    Ok(done(outcome, made))
}

/// The keys to the backup, and the passphrase that gave them, if one did.
fn opened(
    context: &Context,
    args: &Args,
    vault: Option<&OpenVault>,
) -> Result<(Access, Option<Passphrase>), Failure> {
    if let Some(file) = &args.from_identity {
        let access = match &args.from {
            From::Path(at) => Access::of_file_for(context, file, at, vault, &args.asker)?,
            From::Stream(_) => Access::of_file(context, file, vault, &args.asker)?,
        };
        return Ok((access, None));
    }
    let at = match &args.from {
        From::Path(at) => Some(at.as_path()),
        From::Stream(_) => None,
    };
    if let Some(vault) = vault {
        let own = Access::of_vault(vault)?;
        let Some(at) = at.filter(|at| !own.opens(at)) else {
            return Ok((own, None));
        };
        // Another vault's, the ways in of which may lie beside it.
        return Ok(match from_slots(context, at, Some(vault))? {
            Some((access, _)) => (access, None),
            None => (own, None),
        });
    }
    let Some(at) = at else {
        let why = "a stream brings no way in along";
        return Err(Failure::new(Exit::Locked, "can't open the backup", why).hint(access::KEY_FILE));
    };
    from_slots(context, at, None)?.ok_or_else(|| access::no_slot(at))
}

/// The passphrase comes along if one did it, to be that of a new vault. A recovery key
/// that was typed in its place is none: it would only open as it was typed.
fn from_slots(
    context: &Context,
    at: &Path,
    vault: Option<&OpenVault>,
) -> Result<Option<(Access, Option<Passphrase>)>, Failure> {
    let Some(dir) = access::slots_dir(at) else {
        return Ok(None);
    };
    let key = context.key()?;
    let Some(access) = Access::of_slots(dir, &key, vault)? else {
        return Ok(None);
    };
    Ok(Some(match key {
        Key::Passphrase(passphrase) if !passphrase.is_some_recovery_key() => {
            (access, Some(passphrase))
        }
        Key::Passphrase(_) | Key::Identities(_) => (access, None),
    }))
}

/// How the ways in that lie beside a backup fare: whether they are as they should be, and
/// whether the key of this vault opens one, which it would have to where the vault is lost.
fn beside(
    at: &Path,
    access: &Access,
    vault: Option<&OpenVault>,
    key: Option<&Key>,
) -> Result<Beside, Failure> {
    let own = vault.map(Own::of).transpose()?;
    let known = access.known(own.as_ref());
    let mut beside = verify::beside(at, access.opener(), known)?;
    let is_own = vault.is_some() && access.slot.is_none() && access.opens(at);
    let (true, true, Some(key), Openers::Vault(_)) = (is_own, at.is_dir(), key, &access.openers)
    else {
        return Ok(beside);
    };
    match Access::of_slots(at, key, vault)? {
        Some(by) if by.opens(at) => {
            let slot = by.slot.unwrap_or_default();
            beside.notes.push(format!(
                "{slot}: the key that was given opens it, and with it the backup"
            ));
        }
        _ => {
            let what = "the key that was given opens no copy of a way in: where the vault is \
                        lost, it does not open the backup";
            let damage = Damage::new(Kind::Closed, at.display(), what);
            beside.damage.push(damage);
        }
    }
    Ok(beside)
}

/// What is alive comes back by itself where it is missing; a second one of it nobody wants.
fn check_destroyed(vault: &OpenVault, id: RecordingId) -> Result<(), Failure> {
    match vault.recording(id) {
        Err(vault::Error::NoRecording { .. }) => Ok(()),
        _ => {
            let why = "it was not destroyed: the vault holds it";
            let failure = Failure::new(Exit::Failed, "can't resurrect it", why);
            Err(failure.about(id.short()).hint(
                "without --resurrect, what it lacks is brought back; `voxvault shred` destroys it",
            ))
        }
    }
}

/// Whatever was destroyed is in no list, so its id has to be given whole.
fn whole_id(text: &str) -> Result<RecordingId, Failure> {
    text.parse().map_err(|_| {
        let why = "it has to be the whole id, 32 hexadecimal digits";
        Failure::new(Exit::Usage, "can't use the id", why).about(text)
    })
}

/// The failure to end with, if something could not be brought back, or a rehearsal
/// found something.
#[must_use]
pub fn failure(done: &Done) -> Option<Failure> {
    let damage = done.outcome.damage.len();
    let differing = done
        .rehearsed
        .as_ref()
        .map_or(0, |rehearsed| rehearsed.differences.len());
    if damage + differing == 0 {
        return None;
    }
    let outcome = &done.outcome;
    let nothing_came = outcome.restored.is_empty() && outcome.mended.is_empty();
    if differing == 0 && outcome.damage.iter().all(Damage::is_of_vault) {
        let why = format!("of {damage} recordings it has not noted what is lost");
        let failure = Failure::new(Exit::Damaged, "the vault is damaged", why);
        return Some(failure.hint("`voxvault verify --repair` notes it; then restore again"));
    }
    let came = match (&done.rehearsed, nothing_came) {
        (Some(_), _) => "what is sound could be restored",
        (None, false) => "what is sound was restored",
        (None, true) => "nothing was restored",
    };
    let why = match (damage, differing) {
        (damage, 0) => format!("{damage} found; {came}"),
        (damage, differing) => {
            format!("{damage} found, and {differing} that differ from the vault")
        }
    };
    Some(Failure::new(Exit::Damaged, "the backup is damaged", why))
}

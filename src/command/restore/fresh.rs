//! Restores where there is no vault: one is made, once it is known that something of
//! the backup opens. Where nothing comes back, none stays.

use std::path::PathBuf;

use super::bring::{From, bring};
use super::rehearsal;
use crate::backup::Started;
use crate::backup::restore::{Outcome, Wanted};
use crate::command::backup_access::Access;
use crate::command::{Context, Progress, init};
use crate::crypto::Passphrase;
use crate::error::{Exit, Failure};
use crate::vault::{self, OpenVault, Placement};

/// What came back, and the vault that was made for it.
///
/// # Errors
/// When nothing of it opens, there is no passphrase, or the vault can't be written.
pub(super) fn restore(
    context: &Context,
    from: From,
    access: &Access,
    wanted: &Wanted<'_>,
    passphrase: impl FnOnce() -> Result<Passphrase, Failure>,
    progress: &dyn Progress,
) -> Result<(Outcome, Option<PathBuf>), Failure> {
    let (opens, from) = looked_at(from, access)?;
    if !opens {
        return Ok((in_vain(from, access, wanted, progress)?, None));
    }
    let wanted_vault = init::Args {
        passphrase: passphrase()?,
        placement: Placement::Local,
        recovery_out: None,
    };
    let made = init::run(context, wanted_vault, progress)?.vault;
    let vault = context.unlocked()?;
    let outcome = bring(&vault, from, access, wanted, progress);
    let failed = match &outcome {
        Ok(outcome) => !outcome.damage.is_empty() && outcome.restored.is_empty(),
        Err(_) => true,
    };
    if failed && is_empty(&vault) {
        drop(vault);
        take_back(context, progress);
        return Ok((outcome?, None));
    }
    Ok((outcome?, Some(made)))
}

/// Whether it opens, as far as that is seen from its start or its manifests; and the
/// backup, of which nothing is used up.
fn looked_at(from: From, access: &Access) -> Result<(bool, From), Failure> {
    match from {
        From::Path(at) => Ok((access.opens(&at), From::Path(at))),
        From::Stream(stream) => {
            let started = Started::read(stream).map_err(|error| {
                Failure::new(Exit::Failed, "can't read the backup", error.to_string())
            })?;
            let opens = started.opens(&access.keys()?);
            Ok((opens, From::Stream(started.into_stream())))
        }
    }
}

/// Why nothing comes back of what does not open, without a vault that is made for
/// nothing.
fn in_vain(
    from: From,
    access: &Access,
    wanted: &Wanted<'_>,
    progress: &dyn Progress,
) -> Result<Outcome, Failure> {
    let rehearsal = rehearsal::Vault::make()?;
    let outcome = bring(&rehearsal.vault, from, access, wanted, progress)?;
    match outcome.restored.is_empty() {
        true => Ok(outcome),
        false => {
            let why = "it was changed while it was read";
            Err(Failure::new(Exit::Failed, "can't restore the backup", why)
                .hint("restore it once more"))
        }
    }
}

/// The passphrase of the vault that is made. A recovery key in its place would be a
/// passphrase that opens only as it was typed, and no recovery key.
///
/// # Errors
/// When one was given and can't be had, or nobody can be asked.
pub(super) fn new_passphrase(
    context: &Context,
    ask: Box<dyn FnOnce() -> Result<Passphrase, Failure>>,
) -> Result<Passphrase, Failure> {
    match context.new_passphrase()? {
        Some(given) if !given.is_some_recovery_key() => Ok(given),
        Some(_) => ask().map_err(|failure| {
            failure.hint(
                "--identity FILE takes the recovery key; --passphrase-file FILE then gives \
                 the passphrase of the new vault",
            )
        }),
        None => ask(),
    }
}

/// Whether nothing is in it, nor waits to be taken in.
fn is_empty(vault: &OpenVault) -> bool {
    let ids = vault.ids().is_ok_and(|ids| ids.is_empty());
    ids && vault
        .vault()
        .inbox()
        .is_ok_and(|waiting| waiting.is_empty())
}

/// Removes the vault that was made for what did not come back.
fn take_back(context: &Context, progress: &dyn Progress) {
    context.lock();
    let removed = vault::wipe(&context.site(&context.paths.vault), &mut |_, _| ());
    let is_gone = removed.is_ok_and(|receipt| receipt.not_final.is_none());
    progress.note(match is_gone {
        true => "nothing came back, so the vault that was made for it was removed again",
        false => "nothing came back; the vault that was made for it could not be removed",
    });
}

//! Commands that read a backup: verifying it, and bringing recordings back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Session;
use crate::cli::asking::Terminal;
use crate::cli::definition::RestoreArgs;
use crate::cli::{keys, print};
use crate::command::{Progress, backup_verify, repack, restore};
use crate::error::{Exit, Failure};

impl Session {
    pub(super) fn backup_verify(
        &self,
        at: PathBuf,
        from_identity: Option<PathBuf>,
    ) -> Result<Exit, Failure> {
        let args = backup_verify::Args {
            at,
            from_identity,
            asker: Arc::new(Terminal),
        };
        self.console.let_go();
        let verified = backup_verify::run(&self.context, &args, &self.console)?;
        for note in &verified.notes {
            self.console.note(note);
        }
        self.print(|out| match self.json {
            true => print::backup_verified_json(out, &verified),
            false => print::backup_verified(out, &verified),
        })?;
        backup_verify::failure(&verified).map_or(Ok(Exit::Done), Err)
    }

    pub(super) fn backup_repack(&self, args: &repack::Args) -> Result<Exit, Failure> {
        let done = repack::run(&self.context, args, &self.console)?;
        self.print(|out| match self.json {
            true => print::repacked_json(out, &done),
            false => print::repacked(out, &done),
        })
    }

    pub(super) fn restore(&self, args: RestoreArgs) -> Result<Exit, Failure> {
        let from = match args.from == Path::new("-") {
            true => restore::From::Stream(Box::new(std::io::stdin())),
            false => restore::From::Path(args.from),
        };
        let wanted = restore::Args {
            from,
            mode: match args.test {
                true => restore::Mode::Rehearse,
                false => restore::Mode::Keep,
            },
            from_identity: args.from_identity,
            asker: Arc::new(Terminal),
            resurrect: args.resurrect,
            new_passphrase: Box::new(keys::ask_new),
        };
        let done = restore::run(&self.context, wanted, &self.console)?;
        for note in &done.outcome.notes {
            self.console.note(note);
        }
        self.print(|out| match self.json {
            true => print::restored_json(out, &done),
            false => print::restored(out, &done),
        })?;
        restore::failure(&done).map_or(Ok(Exit::Done), Err)
    }
}

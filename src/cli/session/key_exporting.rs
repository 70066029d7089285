//! Copies of the ways in.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::Session;
use crate::cli::definition::KeyExportArgs;
use crate::cli::stdout::UntilStopped;
use crate::command::export::Existing;
use crate::command::key_export::{self, Target};
use crate::error::{Exit, Failure};

impl Session {
    pub(super) fn key_export(&self, args: KeyExportArgs) -> Result<Exit, Failure> {
        let existing = match args.force {
            true => Existing::Replace,
            false => Existing::Keep,
        };
        let wanted = |to| key_export::Args {
            name: args.name.clone(),
            to,
            existing,
        };
        let written = match &args.output {
            Some(path) if path == Path::new("-") => {
                if io::stdout().is_terminal() {
                    let why = "a sealed key on a terminal helps nobody";
                    return Err(Failure::new(Exit::Usage, "can't export the key", why)
                        .hint("redirect it, or give -o FILE"));
                }
                let mut stdout = UntilStopped::new(self.console.stop());
                let done = key_export::run(&self.context, wanted(Target::Stream(&mut stdout)));
                if stdout.is_closed() {
                    return Ok(Exit::Done);
                }
                return done.map(|_| Exit::Done);
            }
            // One goes into a file of that name, unless a folder has it.
            Some(path) if args.name.is_some() && !path.is_dir() => {
                key_export::run(&self.context, wanted(Target::File(path.clone())))?
            }
            folder => {
                let folder = folder.clone().unwrap_or_else(|| PathBuf::from("."));
                key_export::run(&self.context, wanted(Target::Folder(folder)))?
            }
        };
        self.print(|out| match self.json {
            true => crate::cli::print::keys_exported_json(out, &written),
            false => written
                .iter()
                .try_for_each(|path| writeln!(out, "{}", path.display())),
        })
    }
}

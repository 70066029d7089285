//! Backups.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::{NO_TERMINAL, Session};
use crate::cli::definition::{BackupArgs, BackupCommand};
use crate::cli::print;
use crate::cli::stdout::UntilStopped;
use crate::command::backup::{self, Target};
use crate::command::{backup_forget, repack};
use crate::error::{Exit, Failure};

impl Session {
    pub(super) fn backup(&self, args: BackupArgs) -> Result<Exit, Failure> {
        if let Some(command) = args.command {
            return match command {
                BackupCommand::List => {
                    let known = backup::list(&self.context)?;
                    self.print(|out| match self.json {
                        true => print::backups_json(out, &known),
                        false => print::backups(out, &known),
                    })
                }
                BackupCommand::Verify { at, from_identity } => {
                    self.backup_verify(at, from_identity)
                }
                BackupCommand::Forget { name, yes } => self.backup_forget(&name, yes),
                BackupCommand::Repack {
                    dir,
                    recipients,
                    recipient_files,
                } => self.backup_repack(&repack::Args {
                    dir,
                    recipients,
                    recipient_files,
                }),
            };
        }
        let Some(dir) = args.dir else {
            let why = "a folder, or - for standard output, is missing";
            return Err(Failure::new(Exit::Usage, "can't back up", why));
        };
        let wanted = |to| backup::Args {
            to,
            recipients: args.recipients.clone(),
            recipient_files: args.recipient_files.clone(),
        };
        if dir != Path::new("-") {
            let outcome = backup::run(&self.context, wanted(Target::Folder(dir)), &self.console)?;
            return self.print(|out| match self.json {
                true => print::backed_up_json(out, &outcome),
                false => print::backed_up(out, &outcome),
            });
        }
        if io::stdout().is_terminal() {
            let why = "an encrypted stream on a terminal helps nobody";
            return Err(Failure::new(Exit::Usage, "can't back up", why)
                .hint("redirect it: voxvault backup - > backup.tar.age"));
        }
        let mut stdout = UntilStopped::new(self.console.stop());
        let done = backup::run(
            &self.context,
            wanted(Target::Stream(&mut stdout)),
            &self.console,
        );
        if stdout.is_closed() {
            return Ok(Exit::Done);
        }
        done.map(|_| Exit::Done)
    }

    fn backup_forget(&self, name: &Path, yes: bool) -> Result<Exit, Failure> {
        let plan = backup_forget::plan(&self.context, name)?;
        if !yes && !Self::agreed_to_forget(&plan)? {
            let why = "the answer was no";
            return Err(Failure::new(Exit::Failed, "nothing was forgotten", why));
        }
        plan.run()?;
        self.print(|out| match self.json {
            true => print::backup_forgotten_json(out, &plan),
            false => print::backup_forgotten(out, &plan),
        })
    }

    /// Names it, says what can't be seen any more then, and asks; the default is no.
    fn agreed_to_forget(plan: &backup_forget::Plan) -> Result<bool, Failure> {
        let refusal = Failure::new(Exit::Usage, "can't forget the backup", NO_TERMINAL)
            .hint("--yes forgets it without asking");
        Self::agreed(refusal, |err| {
            print::about_to_forget(err, plan)?;
            write!(err, "forget it?")
        })
    }
}

//! Fills the plain arguments of a command, runs it, and prints what came of it.

mod backing_up;
mod changing;
mod destroying;
mod key_exporting;
mod keys;
mod logged;
mod keeping;
mod playing;
mod reading;
mod returning;
mod taking;

use std::io::{self, IsTerminal, Write};

use super::console::Console;
use super::definition::Command;
use super::{pages, print, unprintable};
use crate::command::{Context, doctor, list};
use crate::error::{Exit, Failure};

/// Why what asks first is refused.
const NO_TERMINAL: &str = "there is no terminal to ask on";

/// What a command runs in, and how to say what came of it.
pub(super) struct Session {
    pub(super) context: Context,
    pub(super) console: Console,
    pub(super) json: bool,
}

impl Session {
    pub(super) fn dispatch(&self, command: Command) -> Result<Exit, Failure> {
        match command {
            Command::Init(args) => self.init(&args),
            Command::Record(args) => self.record(args),
            Command::Import(args) => self.import(args),
            Command::Transcribe(args) => self.transcribe(args),
            Command::List(args) => {
                let args = list::Args {
                    filter: args.filter,
                };
                let listed = list::run(&self.context, &args, &self.console)?;
                self.print(|out| match self.json {
                    true => print::list_json(out, &listed),
                    false => print::list(out, &listed),
                })
            }
            Command::Search(args) => self.search(&args),
            Command::Show(args) => self.show(&args),
            Command::Play(args) => self.play(&args),
            Command::Export(args) => self.export(args),
            Command::Edit(args) => self.edit(args),
            Command::Redact(args) => self.redact(args),
            Command::Shred(args) => self.shred(args),
            Command::Scrub => self.scrub(),
            Command::Retain(args) => self.retain(&args),
            Command::Passwd(args) => self.passwd(args),
            Command::Key { command } => self.key(command),
            Command::Verify(args) => self.verify(&args),
            Command::Backup(args) => self.backup(args),
            Command::Log(args) => self.log(&args),
            Command::Restore(args) => self.restore(args),
            Command::Model { command } => self.model(command),
            Command::Devices(args) => self.devices(&args),
            Command::Doctor => self.doctor(),
            Command::Demo { dir } => self.demo(dir),
            Command::Completions { shell } => pages::completions(shell),
            Command::Man { command } => pages::manual(command.as_deref()),
        }
    }

    fn doctor(&self) -> Result<Exit, Failure> {
        let checks = doctor::run(&self.context, &self.console);
        self.print(|out| match self.json {
            true => print::checks_json(out, &checks),
            false => print::checks(out, &checks),
        })?;
        Ok(match checks.iter().all(|check| check.ok) {
            true => Exit::Done,
            false => Exit::Failed,
        })
    }

    /// Asks on the terminal; the default is no.
    ///
    /// # Errors
    /// `refusal`, where there is no terminal to ask on.
    fn agreed(
        refusal: Failure,
        question: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<bool, Failure> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(refusal);
        }
        let mut err = io::stderr().lock();
        let asked = question(&mut err).and_then(|()| {
            write!(err, " [y/N] ")?;
            err.flush()
        });
        asked.map_err(unprintable)?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(unprintable)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
    }

    pub(super) fn print(
        &self,
        print: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Exit, Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        print(&mut out)
            .and_then(|()| out.flush())
            .map_err(unprintable)?;
        Ok(Exit::Done)
    }
}

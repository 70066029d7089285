//! Commands that change the ways in.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use super::Session;
use crate::cli::asking::Terminal;
use crate::cli::definition::{DroppingArgs, KeyAddArgs, KeyCommand, PasswdArgs};
use crate::cli::{keys, print};
use crate::command::key::{self, Addition, Answers, Dropping, RecoveryFile};
use crate::command::{KeySource, Progress};
use crate::crypto::{Asker, Passphrase, RecoveryKey};
use crate::error::{Exit, Failure};

/// What is no way in any more still opens these.
const COPIES: &str = "it still opens copies and backups made before";

impl Session {
    pub(super) fn key(&self, command: KeyCommand) -> Result<Exit, Failure> {
        match command {
            KeyCommand::List => {
                let listed = key::list(&self.context)?;
                self.print(|out| match self.json {
                    true => print::keys_json(out, &listed),
                    false => print::keys(out, &listed),
                })
            }
            KeyCommand::Add(args) => self.add_key(args),
            KeyCommand::Remove { name, dropping } => {
                let mut dropping = dropped(dropping);
                dropping.names.push(name);
                self.rekey(&dropping)?;
                self.console.note(&format!(
                    "what was removed opens nothing here any more; {COPIES}"
                ));
                self.print_what_is_left()
            }
            KeyCommand::Export(args) => self.key_export(args),
            KeyCommand::Rotate(args) => {
                self.rekey(&dropped(args))?;
                self.print_what_is_left()
            }
        }
    }

    pub(super) fn passwd(&self, args: PasswdArgs) -> Result<Exit, Failure> {
        // The old one first, so that it is asked for first.
        let unlocked = key::unlock(&self.context)?;
        let new = new_passphrase(args.new_passphrase_file.as_deref())?;
        let (dropping, answers) = (dropped(args.dropping), answers());
        key::change_passphrase(
            &self.context,
            &unlocked,
            &new,
            &dropping,
            &answers,
            &self.console,
        )?;
        self.console.note(&format!(
            "the old passphrase opens nothing here any more; {COPIES}"
        ));
        self.print_what_is_left()
    }

    /// The ways in as they are now, for who reads the answer as JSON.
    fn print_what_is_left(&self) -> Result<Exit, Failure> {
        if !self.json {
            return Ok(Exit::Done);
        }
        let left = key::list(&self.context)?;
        self.print(|out| print::keys_json(out, &left))
    }

    fn rekey(&self, dropping: &Dropping) -> Result<(), Failure> {
        let unlocked = key::unlock(&self.context)?;
        key::rekey(
            &self.context,
            &unlocked,
            dropping,
            &answers(),
            &self.console,
        )
    }

    fn add_key(&self, args: KeyAddArgs) -> Result<Exit, Failure> {
        // What can't be used is told before anybody is asked for anything.
        let recipient = args.recipient.as_deref().map(str::parse).transpose()?;
        if let Some(path) = &args.recovery_out {
            key::check_recovery_path(path)?;
        }
        self.context.unlocked()?;
        let mut file = None;
        let addition = if let Some(recipient) = recipient {
            Addition::Recipient(recipient)
        } else if let Some(path) = &args.recovery_out {
            let key = RecoveryKey::generate();
            file = Some(RecoveryFile::write(&self.context, path, &key)?);
            Addition::Recovery(key)
        } else if args.recovery {
            Addition::Recovery(keys::recovery_on_terminal()?)
        } else {
            Addition::Passphrase(new_passphrase(args.new_passphrase_file.as_deref())?)
        };
        let asker: Arc<dyn Asker> = Arc::new(Terminal);
        let added = key::add(&self.context, args.name, &addition, &asker, &self.console);
        let added = match (added, file) {
            (Err(failure), Some(file)) => {
                file.take_back();
                return Err(failure);
            }
            (added, _) => added?,
        };
        if let Addition::Recipient(recipient) = &addition {
            self.console.note(&format!(
                "nobody can tell from here who has {}: try it with --identity before relying on it",
                recipient.kind().opened_by()
            ));
        }
        self.print(|out| match self.json {
            true => print::keys_json(out, std::slice::from_ref(&added)),
            false => writeln!(out, "{}", added.name),
        })
    }
}

fn dropped(args: DroppingArgs) -> Dropping {
    Dropping { names: args.drop }
}

fn new_passphrase(file: Option<&Path>) -> Result<Passphrase, Failure> {
    match file {
        Some(file) => keys::from_file(file)
            .and_then(|given| given.passphrase())
            .map_err(Failure::of_new_key),
        None => keys::ask_new(),
    }
}

/// Asks on the terminal, if there is one.
fn answers() -> Answers<'static> {
    Answers {
        passphrase_of: &|name| {
            let is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
            is_there.then(|| keys::ask(&format!("passphrase of the way in {name}: ")))
        },
        asker: Arc::new(Terminal),
    }
}

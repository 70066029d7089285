//! From the parsed line to a session in which its command runs: the key, what
//! the program forbids itself, the settings, the signals.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::console::{Console, Deliveries, Volume};
use super::definition::{Cli, ColorChoice, Command, KeyCommand};
use super::session::Session;
use super::{keys, pages};
use crate::command::{self, Colour, Context, KeySource, Progress, SystemClock};
use crate::config::{Config, Paths};
use crate::error::{Exit, Failure};
use crate::hardening;

/// Does what the parsed line asks for.
pub(super) fn run(cli: Cli) -> Result<Exit, Failure> {
    if let Some(Command::Completions { shell }) = cli.command {
        return pages::completions(shell);
    }
    if let Some(Command::Man { command }) = &cli.command {
        return pages::manual(command.as_deref());
    }
    silence_fenced_panics();
    outlive_file_size_limit();
    let memory = hardening::close_memory();
    // Before the network is forbidden: a command that prints the passphrase
    // may have to ask another machine.
    let keys = key_source(&cli)?;
    let network = hardening::forbid_network();
    let paths = Paths::of_this_user(cli.global.vault)?;
    let config = match Config::read(&paths.config_file) {
        // Settings that can't be read must not stand in the way of the panic button.
        Err(_) if destroys_everything(cli.command.as_ref()) => Config::default(),
        config => config?,
    };
    let context = Context::new(paths, config, Arc::new(SystemClock), keys).with_colour(
        match cli.global.color {
            ColorChoice::Auto => Colour::Auto,
            ColorChoice::Always => Colour::Always,
            ColorChoice::Never => Colour::Never,
        },
    );
    let Some(command) = cli.command else {
        if !cli.global.identity.is_empty() {
            open_beforehand(&context)?;
        }
        return interface(context);
    };
    let volume = if cli.global.quiet {
        Volume::Quiet
    } else {
        Volume::Normal
    };
    let deliveries = if cli.global.json {
        Deliveries::None
    } else {
        Deliveries::Lines
    };
    let console = Console::new(volume, deliveries).map_err(|error| {
        Failure::new(Exit::Failed, "can't listen for signals", error.to_string())
    })?;
    if cli.global.verbose {
        for (name, state) in [("network", network), ("memory", memory)] {
            let state = state.map_or_else(
                |why| format!("not protected: {why}"),
                |()| "protected".to_owned(),
            );
            console.note(&format!("{name}: {state}"));
        }
    }
    let session = Session {
        context,
        console,
        json: cli.global.json,
    };
    match session.dispatch(command)? {
        Exit::Done => Ok(session.console.exit_of_done()),
        exit => Ok(exit),
    }
}

/// Panics of the store on damaged files are caught and told as damage; the
/// hook that runs before must not print them.
fn silence_fenced_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::fence::panics_are_fenced() {
            usual(panic);
        }
    }));
}

/// A file that may not grow any longer (`ulimit -f`) is a full disk, and not the
/// end of the program that a signal would make of it.
fn outlive_file_size_limit() {
    // Should that be refused, such a limit ends the program, with all that was
    // recorded by then kept.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// A key that has to ask for something asks before the interface takes the terminal.
fn open_beforehand(context: &Context) -> Result<(), Failure> {
    let is_there = crate::vault::Vault::exists(&context.paths.vault);
    if is_there && io::stdin().is_terminal() && io::stdout().is_terminal() {
        context.unlocked()?;
    }
    Ok(())
}

fn interface(context: Context) -> Result<Exit, Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "can't open the interface",
            "there is no terminal",
        )
        .hint("`voxvault help` lists the commands that need none"));
    }
    crate::tui::run(Arc::new(context))?;
    Ok(Exit::Done)
}

fn key_source(cli: &Cli) -> Result<Box<dyn KeySource>, Failure> {
    let needs_none = matches!(
        cli.command,
        Some(Command::Model { .. } | Command::Devices(_) | Command::Doctor)
    );
    if needs_none || destroys_everything(cli.command.as_ref()) {
        return Ok(Box::new(command::NoKey));
    }
    let is_stdin = |path: &&PathBuf| path.as_path() == Path::new("-");
    let global = &cli.global;
    let given = global.identity.iter().chain(&global.passphrase_file);
    let dashes = given.filter(is_stdin).count() + usize::from(reads_stdin(cli.command.as_ref()));
    if dashes > 1 {
        let why = "`-` for standard input can stand once";
        return Err(Failure::new(Exit::Usage, "can't use the arguments", why));
    }
    let file = global.passphrase_file.as_deref();
    let file = file.map(|file| keys::or_failing(keys::from_file(file)));
    if !global.identity.is_empty() {
        let identities = keys::from_identities(&global.identity);
        return Ok(keys::or_failing(identities.map(|one| one.beside(file))));
    }
    if let Some(file) = file {
        return Ok(file);
    }
    let from_environment = || {
        let command = std::env::var("VOXVAULT_PASSPHRASE_COMMAND").ok();
        command.filter(|command| !command.trim().is_empty())
    };
    if let Some(command) = cli
        .global
        .passphrase_command
        .clone()
        .or_else(from_environment)
    {
        return Ok(keys::or_failing(keys::from_command(&command)));
    }
    Ok(Box::new(keys::Prompt))
}

fn destroys_everything(command: Option<&Command>) -> bool {
    matches!(command, Some(Command::Shred(args)) if args.everything)
}

fn reads_stdin(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Record(args)) => args.input.is_some(),
        Some(Command::Restore(args)) => args.from == Path::new("-"),
        Some(Command::Passwd(args)) => args.new_passphrase_file.as_deref() == Some(Path::new("-")),
        Some(Command::Key {
            command: KeyCommand::Add(args),
        }) => args.new_passphrase_file.as_deref() == Some(Path::new("-")),
        _ => false,
    }
}

//! The command line: parse, fill the arguments of a command, run it, print
//! what came of it, and end with the right exit code.

mod asking;
mod bar;
mod console;
mod definition;
mod keys;
mod meter;
mod pages;
mod print;
mod run;
mod session;
mod stdin;
mod stdout;
mod words;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use crate::error::{Exit, Failure};
use definition::Cli;

/// Runs the program with these arguments, the first being its own name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(words::set_apart(arguments)) {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error),
    };
    let ended = run::run(cli).and_then(|exit| {
        io::stdout().flush().map_err(unprintable)?;
        Ok(exit)
    });
    match ended {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(failure) if failure.exit == Exit::Done => ExitCode::SUCCESS,
        Err(failure) => {
            say(&console::told(&failure));
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Help and version go to standard output; what can't be parsed is one line,
/// as every other failure.
fn unparsed(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe has read as much as it wanted.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        kind => {
            let text = error.render().to_string();
            let mut lines = text.lines().filter(|line| !line.trim().is_empty());
            let first = lines.next().unwrap_or_default();
            let why = first
                .strip_prefix("error: ")
                .unwrap_or(first)
                .trim_end_matches(':');
            let missing: Vec<&str> = lines
                .take_while(|line| line.starts_with("  ") && kind != ErrorKind::InvalidSubcommand)
                .filter(|line| !line.trim_start().starts_with("tip:"))
                .map(str::trim)
                .collect();
            let why = if missing.is_empty() {
                why.to_owned()
            } else {
                format!("{why} {}", missing.join(" "))
            };
            let failure = Failure::new(Exit::Usage, "can't use the arguments", why)
                .hint("`voxvault help` lists the commands, `voxvault COMMAND --help` explains one");
            say(&console::told(&failure));
            ExitCode::from(Exit::Usage as u8)
        }
    }
}

/// A line on standard error; where that is closed nothing can be said.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A closed pipe is no failure: its reader has seen enough. Nor is a terminal that is no
/// more.
fn unprintable(error: io::Error) -> Failure {
    let is_gone = error.raw_os_error() == Some(Errno::IO.raw_os_error()) && is_device();
    let error = match is_gone {
        true => io::ErrorKind::BrokenPipe.into(),
        false => error,
    };
    Failure::of_output("can't write to standard output", &error)
}

/// Whether standard output is a terminal or the like: one that hung up says no more than
/// this.
fn is_device() -> bool {
    fstat(io::stdout())
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice)
}

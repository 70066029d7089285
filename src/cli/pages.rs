//! The manual and the completions, generated from the definition.

use std::io::{self, Write};

use clap::CommandFactory;

use super::definition::Cli;
use super::unprintable;
use crate::error::{Exit, Failure};

/// Prints what a shell reads to complete our arguments.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut page = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "voxvault", &mut page);
    print(&page)
}

/// Prints the manual of the program, or of one command, as roff.
pub(super) fn manual(command: Option<&str>) -> Result<Exit, Failure> {
    let mut whole = Cli::command();
    whole.build();
    let page = match command {
        None => whole,
        Some(name) => {
            let found = whole.find_subcommand(name).cloned().ok_or_else(|| {
                Failure::new(Exit::Usage, "no such command", "it has no manual")
                    .about(name)
                    .hint("`voxvault help` lists the commands")
            })?;
            let display = format!("voxvault-{name}");
            found.display_name(display)
        }
    };
    let mut roff = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut roff)
        .map_err(unprintable)?;
    print(&roff)
}

fn print(page: &[u8]) -> Result<Exit, Failure> {
    io::stdout().write_all(page).map_err(unprintable)?;
    Ok(Exit::Done)
}

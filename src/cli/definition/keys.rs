//! The arguments of commands about the ways in.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(in crate::cli) struct PasswdArgs {
    /// Read the new passphrase from a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) dropping: DroppingArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DroppingArgs {
    /// Also take this way in away, for example because nobody knows its passphrase;
    /// may be given several times
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) drop: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KeyExportArgs {
    /// Its name; all of them otherwise
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,
    /// A folder, a file for one, or - for standard output
    #[arg(short, long, value_name = "PATH")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Replace files that stand there
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeyCommand {
    /// List the ways in, with their kinds
    List,
    /// Add a way in; without one of the flags a passphrase is asked for
    Add(KeyAddArgs),
    /// Take a way in away: a new master key for those that stay
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        dropping: DroppingArgs,
    },
    /// Make a new master key for all ways in
    Rotate(DroppingArgs),
    /// Write copies of the ways in, for a backup that is a stream; works while locked
    Export(KeyExportArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KeyAddArgs {
    /// What to call it; everybody sees it who sees the vault's directory
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,
    /// Add a passphrase, read from a file; `-` is standard input
    #[arg(long, value_name = "FILE", group = "way")]
    pub(in crate::cli) new_passphrase_file: Option<PathBuf>,
    /// Add whoever has the private half: age1…, ssh-ed25519 …, or a plugin's
    #[arg(long, value_name = "RECIPIENT", group = "way")]
    pub(in crate::cli) recipient: Option<String>,
    /// Add a recovery key, and write it to this new file
    #[arg(long, value_name = "FILE", group = "way")]
    pub(in crate::cli) recovery_out: Option<PathBuf>,
    /// Add a recovery key, and show it once on the terminal
    #[arg(long, group = "way")]
    pub(in crate::cli) recovery: bool,
}

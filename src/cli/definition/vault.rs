//! The arguments of commands that are about the vault as a whole: made, read, its log.

use clap::{Args, Subcommand};

use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// Accept network and FUSE file systems
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Make a recovery key as well, and write it to this new file
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) recovery_out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Mend what has a second copy, build a damaged store anew, note what is lost
    #[arg(long)]
    pub(in crate::cli) repair: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LogArgs {
    /// How many at most; the newest ones
    #[arg(long, value_name = "N")]
    pub(in crate::cli) limit: Option<usize>,
    #[command(subcommand)]
    pub(in crate::cli) command: Option<LogCommand>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LogCommand {
    /// Look whether somebody without a key changed it, and name what is wrong
    Verify,
}

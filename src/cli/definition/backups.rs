//! The arguments of commands that write backups, look after them and read them back.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct BackupArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<BackupCommand>,
    /// A folder; `-` writes one .tar.age to standard output
    #[arg(value_name = "DIR|-")]
    pub(in crate::cli) dir: Option<PathBuf>,
    /// Somebody else who can open it, age1… or ssh-ed25519 …; may repeat
    #[arg(short = 'r', long = "recipient", value_name = "RECIPIENT")]
    pub(in crate::cli) recipients: Vec<String>,
    /// A file that lists such recipients, one a line; may repeat
    #[arg(short = 'R', long = "recipients-file", value_name = "FILE")]
    pub(in crate::cli) recipient_files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BackupCommand {
    /// List the backups that the vault knows
    List,
    /// Read every byte of a backup and say what is not as it was written
    Verify {
        /// The folder, or one segment
        #[arg(value_name = "DIR|FILE")]
        at: PathBuf,
        /// Open it with the keys in this file instead of the vault's
        #[arg(long, value_name = "FILE")]
        from_identity: Option<PathBuf>,
    },
    /// Forget a backup that is no more: receipts name it no longer; touches no file
    Forget {
        /// Its folder, `-` for all streams, or its id, as `backup list` tells them
        #[arg(value_name = "DIR|-|ID")]
        name: PathBuf,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Rid a backup of what was shredded since it was made
    Repack {
        /// The folder
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// Somebody else who can open what is written anew; may repeat
        #[arg(short = 'r', long = "recipient", value_name = "RECIPIENT")]
        recipients: Vec<String>,
        /// A file that lists such recipients, one a line; may repeat
        #[arg(short = 'R', long = "recipients-file", value_name = "FILE")]
        recipient_files: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// The folder, one segment, or `-` for a stream
    #[arg(value_name = "DIR|FILE|-")]
    pub(in crate::cli) from: PathBuf,
    /// Open it with the keys in this file instead of the vault's
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) from_identity: Option<PathBuf>,
    /// Only try: into a vault that is destroyed afterwards, and compare
    #[arg(long)]
    pub(in crate::cli) test: bool,
    /// Bring back one that was shredded, under a new id; one that is there is refused
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) resurrect: Option<String>,
}

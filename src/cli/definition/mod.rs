//! The command line, defined once: the parser, the help, the manual and the
//! completions all come from here.
//!
//! What a command takes stands in a file for each subject; which commands there are, and
//! what all of them take, stands here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod backups;
mod changing;
mod keys;
mod reading;
mod taking;
mod vault;

pub(super) use backups::{BackupArgs, BackupCommand, RestoreArgs};
pub(super) use changing::{EditArgs, RedactArgs, RetainArgs, ShredArgs};
pub(super) use keys::{DroppingArgs, KeyAddArgs, KeyCommand, KeyExportArgs, PasswdArgs};
pub(super) use reading::{
    ExportArgs, ExportForm, ListArgs, PlayArgs, SearchArgs, ShowArgs, TextForm,
};
pub(super) use taking::{DevicesArgs, ImportArgs, ModelCommand, RecordArgs, TranscribeArgs};
pub(super) use vault::{InitArgs, LogArgs, LogCommand, VerifyArgs};

/// A recording vault for the terminal: records and transcribes on this
/// machine, encrypted from the first frame.
///
/// Without a command it opens the interface.
#[derive(Debug, Parser)]
#[command(name = "voxvault", version, max_term_width = 100, after_help = EXITS)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

const EXITS: &str = "Exit codes: 0 done, 1 failed, 2 unusable arguments, 3 locked, 4 not found, \
5 damage found, 6 vault busy, 7 no microphone, 8 no speech model, 9 out of space, \
130 ended by a signal.";

#[derive(Debug, Args)]
pub(super) struct Global {
    /// The vault [default: VOXVAULT_DIR, else $XDG_DATA_HOME/voxvault/vault]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) vault: Option<PathBuf>,
    /// Unlock with an age identity file, an SSH private key of type Ed25519, or the
    /// identity of an age plugin; may be given several times; `-` is standard input
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) identity: Vec<PathBuf>,
    /// Read the passphrase from a file; `-` is standard input
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) passphrase_file: Option<PathBuf>,
    /// Run a command that prints the passphrase
    /// [default: VOXVAULT_PASSPHRASE_COMMAND]
    #[arg(long, value_name = "CMD", global = true)]
    pub(super) passphrase_command: Option<String>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Say less: no progress, no notes
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, global = true)]
    pub(super) color: ColorChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a vault
    Init(InitArgs),
    /// Record the microphone or a stream, also while locked
    Record(RecordArgs),
    /// Take in sound files, folders and data downloads, also while locked
    Import(ImportArgs),
    /// Turn sound into text: a new version, never over an old one
    Transcribe(TranscribeArgs),
    /// List recordings, newest first
    List(ListArgs),
    /// Find recordings by what was said
    Search(SearchArgs),
    /// Show a transcript
    Show(ShowArgs),
    /// Play a recording here, or write it as WAV to standard output
    ///
    /// Plays on this machine's loudspeaker until the end or Ctrl-C, both of which end with
    /// 0. What is played is in the log before it is heard.
    Play(PlayArgs),
    /// Write decrypted copies
    Export(ExportArgs),
    /// Change title, tags, note, pin, or correct the transcript
    Edit(EditArgs),
    /// Take a span out of a recording for good
    Redact(RedactArgs),
    /// Destroy recordings for good
    Shred(ShredArgs),
    /// Write the store anew and overwrite the old file
    Scrub,
    /// Say how long recordings are kept, and destroy what is over
    Retain(RetainArgs),
    /// Give the vault another passphrase
    Passwd(PasswdArgs),
    /// Manage the ways to unlock: passphrases, age and SSH keys, plugins, a recovery key
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Read every byte of the vault and say what is damaged
    Verify(VerifyArgs),
    /// Write an encrypted backup; only what is new is added to one that is there
    Backup(BackupArgs),
    /// Say what was played, exported, backed up and destroyed
    Log(LogArgs),
    /// Bring recordings back from a backup, into this vault or a new one
    Restore(RestoreArgs),
    /// Manage speech models
    Model {
        #[command(subcommand)]
        command: ModelCommand,
    },
    /// List the microphones of this machine, or test one
    Devices(DevicesArgs),
    /// Say what works here and what does not, also while locked
    Doctor,
    /// Make a vault full of example recordings
    Demo {
        /// Where to make it
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual
    Man {
        /// The command to print it of; all of the program otherwise
        command: Option<String>,
    },
}

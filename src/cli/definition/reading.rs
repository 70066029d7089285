//! The arguments of commands that find recordings and give them out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    /// Filters such as tag:work, after:2026-01-31, longer:10m, is:pinned, today
    #[arg(value_name = "FILTER")]
    pub(in crate::cli) filter: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SearchArgs {
    /// Words, "phrases", -excluded words, and filters
    #[arg(value_name = "QUERY", required = true, allow_negative_numbers = true)]
    pub(in crate::cli) query: Vec<String>,
    /// How many hits at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(in crate::cli) limit: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// An id, the start of one, or last
    #[arg(value_name = "ID")]
    pub(in crate::cli) id: String,
    /// The form
    #[arg(long, value_enum)]
    pub(in crate::cli) format: Option<TextForm>,
    /// The version; the newest otherwise
    #[arg(long, value_name = "N")]
    pub(in crate::cli) version: Option<u32>,
    /// Compare two versions
    #[arg(long, num_args = 2, value_names = ["M", "N"], conflicts_with_all = ["version", "format"])]
    pub(in crate::cli) diff: Option<Vec<u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TextForm {
    Txt,
    Md,
    Srt,
    Vtt,
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PlayArgs {
    /// An id, the start of one, or last
    #[arg(value_name = "ID")]
    pub(in crate::cli) id: String,
    /// Where to begin: 12.5, 1:02:03.5
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) from: Option<String>,
    /// How many times as fast, from 0.25 to 4, at the same pitch; also with --stdout
    #[arg(long, value_name = "X")]
    pub(in crate::cli) speed: Option<String>,
    /// Write plain 16-bit WAV to standard output, for a player elsewhere; not to a terminal,
    /// and not with --json. Stopped before the end it is not whole, and ends with 1
    #[arg(long)]
    pub(in crate::cli) stdout: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// Ids or filters
    #[arg(value_name = "ID|FILTER", required_unless_present = "search")]
    pub(in crate::cli) which: Vec<String>,
    /// All recordings that this query finds, instead of ids or filters
    #[arg(long, value_name = "QUERY", conflicts_with = "which")]
    pub(in crate::cli) search: Option<String>,
    /// The form
    #[arg(long, value_enum)]
    pub(in crate::cli) format: ExportForm,
    /// A file, a folder, or - for standard output
    #[arg(short, long, value_name = "PATH")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Replace files that stand there
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportForm {
    Opus,
    Wav,
    Flac,
    Txt,
    Md,
    Srt,
    Vtt,
    Json,
}

//! The arguments of commands that change recordings or destroy of them, also by rules.

use clap::Args;

#[derive(Debug, Args)]
pub(in crate::cli) struct EditArgs {
    /// An id, the start of one, or last
    #[arg(value_name = "ID")]
    pub(in crate::cli) id: String,
    /// The new title
    #[arg(long)]
    pub(in crate::cli) title: Option<String>,
    /// +T puts a tag on, -T takes it off; may repeat
    #[arg(long = "tag", value_name = "+T|-T", allow_hyphen_values = true)]
    pub(in crate::cli) tags: Vec<String>,
    /// The new note
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) note: Option<String>,
    /// Pin it: rules on how long things are kept leave it alone
    #[arg(long, conflicts_with = "unpin")]
    pub(in crate::cli) pin: bool,
    /// Take the pin off
    #[arg(long)]
    pub(in crate::cli) unpin: bool,
    /// Correct the newest transcript in a built-in editor: a new version
    #[arg(long)]
    pub(in crate::cli) text: bool,
    /// Destroy the key to titles, tags and notes it had before
    #[arg(long)]
    pub(in crate::cli) forget: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ShredArgs {
    /// Ids or filters; never free words
    #[arg(value_name = "ID|FILTER", required_unless_present = "everything")]
    pub(in crate::cli) which: Vec<String>,
    /// Destroy the sound and keep the text
    #[arg(long)]
    pub(in crate::cli) audio_only: bool,
    /// Don't ask
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Only say what would be destroyed
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Destroy the whole vault, without its passphrase: asks for its name, which
    /// without a terminal is read from standard input
    #[arg(long, conflicts_with_all = ["which", "audio_only", "yes", "dry_run"])]
    pub(in crate::cli) everything: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RedactArgs {
    /// An id, the start of one, or last
    #[arg(value_name = "ID")]
    pub(in crate::cli) id: String,
    /// Where the span begins: 12.5, 1:02:03.5
    #[arg(value_name = "FROM")]
    pub(in crate::cli) from: String,
    /// Where it ends
    #[arg(value_name = "TO")]
    pub(in crate::cli) to: String,
    /// Don't ask
    #[arg(long)]
    pub(in crate::cli) yes: bool,
}

/// Audio and text have clocks of their own. A rule for a tag replaces the one for all,
/// clock by clock; of several tags that fit, the rule that keeps longest counts. Once both
/// have run out the whole recording is destroyed. Rules are applied at each unlock; a
/// recording with a pin is left alone.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("sets").args(["audio", "text"]).multiple(true))]
pub(in crate::cli) struct RetainArgs {
    /// The rule for recordings with this tag; the one for all otherwise
    #[arg(long, value_name = "T", conflicts_with = "apply")]
    pub(in crate::cli) tag: Option<String>,
    /// How long audio is kept: 2h, 90d, 18mo, or forever; 0d keeps it until it is transcribed,
    /// or that failed
    #[arg(long, value_name = "AGE", conflicts_with = "apply")]
    pub(in crate::cli) audio: Option<String>,
    /// How long text is kept; where the audio waits for it, it is waited for as well
    #[arg(long, value_name = "AGE", conflicts_with = "apply")]
    pub(in crate::cli) text: Option<String>,
    /// Take the rule away
    #[arg(long, conflicts_with_all = ["sets", "show", "apply"])]
    pub(in crate::cli) remove: bool,
    /// Show the rules
    #[arg(long, conflicts_with_all = ["sets", "apply"])]
    pub(in crate::cli) show: bool,
    /// Destroy what is due
    #[arg(long)]
    pub(in crate::cli) apply: bool,
    /// Only say what would go, and when
    #[arg(long, requires = "apply")]
    pub(in crate::cli) dry_run: bool,
    /// Believe the clock also where the vault has seen no time for more than a day
    #[arg(long, requires = "apply")]
    pub(in crate::cli) clock_is_right: bool,
}

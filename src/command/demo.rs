//! Makes a vault full of example recordings to try things on.
//!
//! The clips are part of the program. They were spoken by a synthesiser; how
//! is said beside them, in `examples/clips`.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::ToSpan;
use serde::Deserialize;

use super::transcribe::{self, Outcome as Transcribed};
use super::{Context, Progress, merge_quietly};
use crate::audio::SoundFile;
use crate::crypto::Passphrase;
use crate::error::{Exit, Failure};
use crate::recording::{Moment, Source};
use crate::vault::{InitOptions, Vault};
use crate::worker::taking;
use crate::worker::transcription::Cause;

/// Opens a demonstration vault that was made without one of its own. It
/// protects recordings that are public anyway.
pub const PASSPHRASE: &str = "demonstration";

const MANIFEST: &str = include_str!("../../examples/clips/clips.toml");

/// The clips by the names that the manifest gives them.
const CLIPS: [(&str, &[u8]); 8] = [
    (
        "standup.opus",
        include_bytes!("../../examples/clips/standup.opus"),
    ),
    (
        "garden-sensor.opus",
        include_bytes!("../../examples/clips/garden-sensor.opus"),
    ),
    (
        "shopping.opus",
        include_bytes!("../../examples/clips/shopping.opus"),
    ),
    (
        "train.opus",
        include_bytes!("../../examples/clips/train.opus"),
    ),
    (
        "interview.opus",
        include_bytes!("../../examples/clips/interview.opus"),
    ),
    (
        "dream.opus",
        include_bytes!("../../examples/clips/dream.opus"),
    ),
    (
        "dentist.opus",
        include_bytes!("../../examples/clips/dentist.opus"),
    ),
    (
        "chapter-three.opus",
        include_bytes!("../../examples/clips/chapter-three.opus"),
    ),
];

#[derive(Deserialize)]
struct Manifest {
    clip: Vec<Clip>,
}

#[derive(Deserialize)]
struct Clip {
    file: String,
    title: String,
    tags: Vec<String>,
    hours_ago: i64,
}

/// Where to make it.
pub struct Args {
    /// The vault's directory.
    pub dir: PathBuf,
    /// What opens it; [`PASSPHRASE`] unless given.
    pub passphrase: Option<Passphrase>,
}

/// The vault that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its directory.
    pub vault: PathBuf,
    /// How many recordings are in it.
    pub recordings: usize,
    /// How many of them have a transcript.
    pub transcribed: usize,
    /// The passphrase, where it is not the owner's own.
    pub passphrase: Option<&'static str>,
}

/// Makes the vault, takes the clips in, and transcribes them where there is a
/// speech model.
///
/// # Errors
/// When there is a vault already, or the directory can't be written.
pub fn run(context: &Context, args: Args, progress: &dyn Progress) -> Result<Outcome, Failure> {
    let shown = args.passphrase.is_none().then_some(PASSPHRASE);
    let passphrase = args
        .passphrase
        .unwrap_or_else(|| Passphrase::new(PASSPHRASE.to_owned()));
    passphrase.check_length()?;
    let site = context.site(&args.dir);
    let made = Vault::init_at(site, &passphrase, InitOptions::default())?;
    let vault = Arc::new(made);
    let now = context.clock.now();
    for clip in clips()? {
        let sound =
            SoundFile::from_stream(Box::new(Cursor::new(bytes_of(&clip.file)?)), Some("opus"))?;
        let mut card = taking::card(Source::Import, clip.title, clip.tags, context.now());
        if let Ok(earlier) = now.checked_sub(clip.hours_ago.hours()) {
            card.recorded_at = Moment::from_zoned(&earlier);
        }
        taking::from_file(vault.vault(), sound, card, &super::Listening(progress))?;
    }
    merge_quietly(&vault, progress)?;
    let recordings = vault.recordings()?;
    let transcribed = match transcribe::these(
        context,
        &vault,
        &recordings,
        Cause::Waits,
        &transcribe::Args::default(),
        progress,
    ) {
        Err(failure) if failure.exit == Exit::NoModel => {
            progress.note("there is no speech model; the recordings wait to be transcribed");
            Transcribed::default()
        }
        other => other?,
    };
    Ok(Outcome {
        vault: args.dir,
        recordings: recordings.len(),
        transcribed: transcribed.made.len(),
        passphrase: shown,
    })
}

fn clips() -> Result<Vec<Clip>, Failure> {
    let manifest: Manifest = toml::from_str(MANIFEST).map_err(|error| {
        Failure::new(
            Exit::Failed,
            "can't read the example recordings",
            error.message(),
        )
    })?;
    Ok(manifest.clip)
}

fn bytes_of(file: &str) -> Result<&'static [u8], Failure> {
    CLIPS
        .iter()
        .find(|(name, _)| *name == file)
        .map(|(_, bytes)| *bytes)
        .ok_or_else(|| {
            Failure::new(
                Exit::Failed,
                "can't read the example recordings",
                "one is missing",
            )
            .about(file)
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn every_clip_of_the_manifest_is_in_the_program_and_the_other_way_round() {
        let mut named: Vec<String> = clips().unwrap().into_iter().map(|clip| clip.file).collect();
        let mut held: Vec<String> = CLIPS.iter().map(|(name, _)| (*name).to_owned()).collect();
        named.sort();
        held.sort();
        assert_eq!(named, held);
    }
}

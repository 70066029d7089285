//! Shows a transcript.

use super::{Context, merge_quietly, outside, resolve};
use crate::error::{Exit, Failure};
use crate::recording::Recording;
use crate::transcript::Transcript;

/// What to show.
#[derive(Debug, Clone)]
pub struct Args {
    /// An id, a prefix of one, or `last`.
    pub id: String,
    /// The version; the newest unless given.
    pub version: Option<u32>,
    /// Two versions to compare, instead of one to show.
    pub diff: Option<(u32, u32)>,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// One version.
    One(Box<Shown>),
    /// Two versions, to be compared.
    Two(Box<Shown>, Box<Shown>),
}

/// A recording with one of its transcripts.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What it belongs to.
    pub recording: Recording,
    /// Its number; 0 where there is no transcript.
    pub number: u32,
    /// The text, if there is one.
    pub transcript: Option<Transcript>,
}

/// Finds the transcript that is meant. A recording without one is shown
/// without text.
///
/// # Errors
/// When the vault can't be unlocked, there is no such recording or version, or its card
/// can't be read.
pub fn run(
    context: &Context,
    args: &Args,
    progress: &dyn super::Progress,
) -> Result<Outcome, Failure> {
    let vault = context.unlocked()?;
    let merged = merge_quietly(&vault, progress)?;
    let found = resolve::one_to_read(&args.id, &vault.listing()?, progress);
    let named = std::slice::from_ref(&args.id);
    let id = outside::unless_outside(found, &vault, named, &merged, "can't show")?;
    let recording = vault.recording(id)?;
    let version = |number: u32| -> Result<Box<Shown>, Failure> {
        if !recording
            .versions
            .iter()
            .any(|version| version.number == number)
        {
            let why = match recording.versions.len() {
                0 => "it has no transcript yet".to_owned(),
                _ => {
                    let known: Vec<String> = recording
                        .versions
                        .iter()
                        .map(|known| known.number.to_string())
                        .collect();
                    format!("its versions are {}", known.join(", "))
                }
            };
            let missing = Failure::new(Exit::NotFound, format!("no version {number}"), why);
            return Err(missing.about(id.short()));
        }
        let transcript = Some(vault.transcript(id, number)?);
        Ok(Box::new(Shown {
            recording: recording.clone(),
            number,
            transcript,
        }))
    };
    if let Some((from, to)) = args.diff {
        return Ok(Outcome::Two(version(from)?, version(to)?));
    }
    let newest = recording.versions.last().map(|newest| newest.number);
    match args.version.or(newest) {
        Some(number) => Ok(Outcome::One(version(number)?)),
        None => Ok(Outcome::One(Box::new(Shown {
            recording,
            number: 0,
            transcript: None,
        }))),
    }
}

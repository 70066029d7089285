//! Turns sound into text: a new version, never over an old one.

use super::resolve::{self, LAST};
use super::{Context, Listening, Progress, Unit, last, merge_quietly, outside, tell_of_damage};
use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId};
use crate::speech::{Effort, Language, Model, Models, Transcriber};
use crate::vault::OpenVault;
use crate::worker::transcription::{self, Cause};

/// What to transcribe, and how.
#[derive(Debug, Clone, Default)]
pub struct Args {
    /// Ids, prefixes or `last`; none means all that wait.
    pub ids: Vec<String>,
    /// The speech model; the one in use unless given.
    pub model: Option<String>,
    /// ISO 639-1 code or `auto`; the setting unless given.
    pub language: Option<String>,
}

/// One transcript that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The recording.
    pub id: RecordingId,
    /// The version's number.
    pub version: u32,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The new versions.
    pub made: Vec<Made>,
    /// Those that could not be transcribed; they have been told already.
    pub refused: Vec<(RecordingId, Failure)>,
}

/// Transcribes what is named, or all that waits. Nothing to do is no failure, and a
/// recording in which nothing can be heard leaves nothing to do.
///
/// # Errors
/// When the vault can't be unlocked, there is no model, or it can't be used.
pub fn run(context: &Context, args: &Args, progress: &dyn Progress) -> Result<Outcome, Failure> {
    let vault = context.unlocked()?;
    // Minutes of work are not begun for what can't be kept.
    vault.vault().may_write()?;
    let merged = merge_quietly(&vault, progress)?;
    let named = |name: &String| match name.as_str() {
        // It gets a version more: it has to be the one that is meant.
        LAST => last::to_change(&vault, name, &merged, "can't transcribe", progress)
            .map(|id| id.to_string()),
        name => Ok(name.to_owned()),
    };
    let ids: Vec<String> = args.ids.iter().map(named).collect::<Result<_, _>>()?;
    let listing = vault.listing()?;
    let chosen: Vec<Recording> = if ids.is_empty() {
        tell_of_damage(&listing.damaged, progress);
        let recordings = listing.recordings.into_iter();
        recordings.filter(Recording::waits_for_transcript).collect()
    } else {
        let mut chosen = Vec::new();
        let found = resolve::to_read(&ids, &listing, progress);
        let what = "can't transcribe";
        for id in outside::unless_outside(found, &vault, &ids, &merged, what)? {
            let mut recordings = listing.recordings.iter();
            let Some(recording) = recordings.find(|recording| recording.id == id) else {
                continue;
            };
            match is_silent(recording) {
                true => progress.note(&format!(
                    "{} is silent: there is nothing to transcribe",
                    id.short()
                )),
                false => chosen.push(recording.clone()),
            }
        }
        chosen
    };
    let cause = match args.ids.is_empty() {
        true => Cause::Waits,
        false => Cause::Named,
    };
    these(context, &vault, &chosen, cause, args, progress)
}

/// Transcribes exactly these recordings; of those that wait, none to which another process
/// gives a transcript meanwhile.
///
/// # Errors
/// When there is no model, or it can't be used.
pub fn these(
    context: &Context,
    vault: &OpenVault,
    chosen: &[Recording],
    cause: Cause,
    args: &Args,
    progress: &dyn Progress,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    if chosen.is_empty() {
        return Ok(outcome);
    }
    let language = language(args.language.as_deref().unwrap_or(&context.config.language))?;
    let model = model(context, args.model.as_deref())?;
    let mut transcriber = Transcriber::load(&model, Effort::for_this_machine())?;
    for (position, recording) in chosen.iter().enumerate() {
        let what = format!("transcribing {} of {}", position + 1, chosen.len());
        progress.begin(&what, Some(millis(recording)), Unit::SoundMs);
        let control = Listening(progress);
        let done = transcription::transcribe(
            vault,
            &mut transcriber,
            recording,
            cause,
            &language,
            &control,
        );
        progress.end();
        match done {
            Ok(version) => outcome.made.extend(version.map(|version| Made {
                id: recording.id,
                version,
            })),
            Err(failure) if progress.cancelled() => return Err(failure),
            Err(failure) => {
                let failure = failure.about(recording.id.short());
                progress.refuse(&failure);
                outcome.refused.push((recording.id, failure));
            }
        }
    }
    Ok(outcome)
}

/// A model hears words in silence, too; and none of them was said.
fn is_silent(recording: &Recording) -> bool {
    // Of what was shredded that is the reason, and told.
    let is_there = recording.audio_bytes > 0 && !recording.text_shredded;
    is_there && recording.card.signal.is_silent()
}

fn millis(recording: &Recording) -> u64 {
    u64::try_from(recording.card.duration().as_millis()).unwrap_or(u64::MAX)
}

/// The language that is meant by a code or `auto`.
///
/// # Errors
/// [`Exit::Usage`] for what is neither.
pub fn language(text: &str) -> Result<Language, Failure> {
    text.parse().map_err(|why: crate::speech::Error| {
        Failure::new(Exit::Usage, "can't use the language", why.to_string())
            .hint("give an ISO 639-1 code such as en, or auto")
    })
}

/// The model to use.
///
/// # Errors
/// [`Exit::NoModel`] when there is none, or none of that name.
pub fn model(context: &Context, name: Option<&str>) -> Result<Model, Failure> {
    let models = Models::at(&context.paths.models);
    Ok(match name {
        Some(name) => models.get(name)?,
        None => models.in_use()?,
    })
}

//! Records the microphone or a stream. Works while the vault is locked.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Context, Listening, Progress, Unit, edit, merge_quietly, transcribe};
use crate::audio::{RawFormat, SoundFile};
use crate::error::{Exit, Failure};
use crate::recording::{RecordingId, Source, State};
use crate::vault::OpenVault;
use crate::worker::recorder::{self, Recorder};
use crate::worker::taking;

/// Where the sound comes from.
pub enum Input {
    /// A microphone of this machine; the default one unless named.
    Microphone {
        /// Its name as `devices` lists it.
        device: Option<String>,
    },
    /// A stream, such as standard input.
    Stream {
        /// What is read.
        reader: Box<dyn Read + Send + Sync>,
        /// How to read it where it has no header.
        raw: Option<RawFormat>,
    },
}

/// When to transcribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transcribing {
    /// At the end, where the vault can be unlocked unattended and has a model.
    #[default]
    WhenPossible,
    /// Later.
    NotNow,
}

/// What to record.
pub struct Args {
    /// Where the sound comes from.
    pub input: Input,
    /// The title, if it has one already.
    pub title: Option<String>,
    /// Tags, in order.
    pub tags: Vec<String>,
    /// When to stop by itself.
    pub limit: Option<Duration>,
    /// Whether to transcribe at the end.
    pub transcribing: Transcribing,
    /// Set from elsewhere when a person or the system wants it to end.
    pub stop: Arc<AtomicBool>,
}

/// One recording as `record` and `import` report it.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Its id.
    pub id: RecordingId,
    /// The file it came from.
    pub file: Option<String>,
    /// Its length.
    pub duration: Duration,
    /// Where it stands.
    pub state: State,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The recording.
    pub taken: Taken,
    /// Set when the microphone was lost and had not returned at the end; the
    /// sound so far is kept.
    pub shortfall: Option<Failure>,
}

/// Records until the source ends, the limit is reached, or it is stopped.
///
/// # Errors
/// When there is no vault, no microphone, or no space; what was recorded by
/// then is kept.
pub fn run(context: &Context, args: Args, progress: &dyn Progress) -> Result<Outcome, Failure> {
    for tag in &args.tags {
        edit::check_tag(tag)?;
    }
    let vault = context.vault()?;
    let (taken, shortfall) = match args.input {
        Input::Microphone { device } => {
            let options = recorder::Options {
                device: device.or_else(|| context.config.device.clone()),
                title: args.title.unwrap_or_default(),
                tags: args.tags,
                limit: args.limit,
            };
            let recorder = Recorder::start(&vault, options, context.moments(), None)?;
            progress.begin("recording", None, Unit::SoundMs);
            while !args.stop.load(Ordering::Relaxed) && recorder.wait(Duration::from_millis(200)) {
                progress.advance((recorder.status().elapsed_s * 1000.0) as u64);
            }
            let stopped = recorder.stop();
            progress.end();
            let stopped = stopped?;
            let taken = Taken {
                id: stopped.id,
                file: None,
                duration: stopped.duration,
                state: stopped.state,
            };
            (taken, stopped.shortfall)
        }
        Input::Stream { reader, raw } => {
            let sound = match raw {
                Some(format) => SoundFile::from_raw(reader, format)?,
                None => SoundFile::from_stream(reader, None)?,
            };
            let card = taking::card(
                Source::Stdin,
                args.title.unwrap_or_default(),
                args.tags,
                context.now(),
            );
            let limits = taking::Limits {
                length: args.limit,
                stop: Arc::clone(&args.stop),
            };
            progress.begin("recording", None, Unit::SoundMs);
            let taken = taking::from_stream(&vault, sound, card, &limits, &Listening(progress));
            progress.end();
            let taken = taken?;
            (
                Taken {
                    id: taken.id,
                    file: None,
                    duration: taken.duration,
                    state: taken.state,
                },
                None,
            )
        }
    };
    let mut taken = vec![taken];
    finish(context, &mut taken, args.transcribing, progress)?;
    match taken.pop() {
        Some(taken) => Ok(Outcome { taken, shortfall }),
        None => Err(Failure::new(
            Exit::Failed,
            "can't keep the recording",
            "it was not merged",
        )),
    }
}

/// What `record` and `import` do at the end: merge and transcribe, where that
/// bothers nobody. Recordings that turn out to be held already are taken out
/// of `taken`.
///
/// # Errors
/// When a key was given and does not open the vault, or it can't be written.
pub fn finish(
    context: &Context,
    taken: &mut Vec<Taken>,
    transcribing: Transcribing,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let vault = match context.unlocked_quietly() {
        Ok(vault) => vault,
        Err(failure) => {
            deliver(taken, progress);
            return Err(failure);
        }
    };
    if let Some(vault) = &vault {
        let known = merge_quietly(vault, progress)?.duplicates;
        taken.retain(|one| !known.iter().any(|duplicate| duplicate.id == one.id));
    }
    deliver(taken, progress);
    let Some(vault) = vault else {
        return Ok(());
    };
    if transcribing == Transcribing::WhenPossible {
        transcribe_where_possible(context, &vault, taken, progress)?;
    }
    for one in taken {
        if let Ok(recording) = vault.recording(one.id) {
            one.state = recording.state();
        }
    }
    Ok(())
}

/// Says the ids, whatever becomes of them afterwards.
fn deliver(taken: &[Taken], progress: &dyn Progress) {
    for one in taken {
        progress.deliver(&one.id.to_string());
    }
}

fn transcribe_where_possible(
    context: &Context,
    vault: &OpenVault,
    taken: &[Taken],
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let mut waiting = super::recordings(vault, progress)?;
    waiting.retain(|recording| {
        recording.waits_for_transcript() && taken.iter().any(|one| one.id == recording.id)
    });
    waiting.reverse();
    match transcribe::these(
        context,
        vault,
        &waiting,
        &transcribe::Args::default(),
        progress,
    ) {
        Err(failure) if failure.exit == Exit::NoModel => {
            progress.note("there is no speech model; recordings wait to be transcribed");
            Ok(())
        }
        Err(failure) if progress.cancelled() => {
            progress.note(&format!("{failure}; the recordings are kept"));
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

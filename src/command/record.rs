//! Records the microphone or a stream. Works while the vault is locked.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Context, Listening, Progress, Unit, clock, merge_calling, tag, transcribe};
use crate::audio::{RawFormat, SoundFile};
use crate::error::{Exit, Failure};
use crate::recording::{RecordingId, Source, State};
use crate::vault::{OpenVault, Vault};
use crate::worker::recorder::{self, Phase, Recorder, Status};
use crate::worker::space::{self, Warnings};
use crate::worker::taking;
use crate::worker::transcription::Cause;

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
    /// How many transcripts came with it.
    pub transcripts: usize,
}

/// A file whose sound the vault held already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The file.
    pub file: String,
    /// The recording that holds its sound.
    pub id: RecordingId,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The recording; none where it was ended before any sound came.
    pub taken: Option<Taken>,
    /// What went wrong at the end or after it: the microphone had not returned,
    /// the key did not open the vault. The sound is kept all the same.
    pub shortfall: Option<Failure>,
}

/// Records until the source ends, the limit is reached, or it is stopped.
///
/// # Errors
/// When there is no vault, no microphone, or no space; what was recorded by
/// then is kept.
pub fn run(context: &Context, args: Args, progress: &dyn Progress) -> Result<Outcome, Failure> {
    let tags = tag::parse_tags(&args.tags)?;
    let vault = context.vault()?;
    // Before anything is read that would be lost.
    space::require(&vault)?;
    if let Some(warning) = clock::warning(context, &vault) {
        progress.note(&warning);
    }
    tell_of_no_way_in(&vault, progress);
    let (taken, shortfall) = match args.input {
        Input::Microphone { device } => {
            let options = recorder::Options {
                device: device.or_else(|| context.config.device.clone()),
                title: args.title.unwrap_or_default(),
                tags,
                limit: args.limit,
            };
            let recorder = Recorder::start(&vault, options, context.moments(), None)?;
            progress.begin("opening the microphone", None, Unit::Items);
            watch(&recorder, &args.stop, progress);
            let stopped = recorder.stop();
            progress.end();
            let stopped = stopped?;
            let lost_s = stopped.missing.as_secs_f64();
            if lost_s >= 0.1 {
                progress.note(&format!("{lost_s:.1} s of sound are missing"));
            }
            let taken = Taken {
                id: stopped.id,
                file: None,
                duration: stopped.duration,
                state: stopped.state,
                transcripts: 0,
            };
            (taken, stopped.shortfall)
        }
        Input::Stream { reader, raw } => {
            let sound = match raw {
                Some(format) => SoundFile::from_raw(reader, format),
                None => SoundFile::from_stream(reader, None),
            };
            let sound = match sound {
                Err(_) if args.stop.load(Ordering::Relaxed) => return Ok(nothing(progress)),
                sound => sound?,
            };
            let card = taking::card(
                Source::Stdin,
                args.title.unwrap_or_default(),
                tags,
                context.now(),
            );
            let limits = taking::Limits {
                length: args.limit,
                stop: Arc::clone(&args.stop),
            };
            progress.begin("recording", None, Unit::SoundMs);
            let taken = taking::from_stream(&vault, sound, card, &limits, &Listening(progress));
            progress.end();
            let Some(taken) = taken? else {
                return Ok(nothing(progress));
            };
            (
                Taken {
                    id: taken.id,
                    file: None,
                    duration: taken.duration,
                    state: taken.state,
                    transcripts: 0,
                },
                taken.shortfall,
            )
        }
    };
    if taken.state == State::Silent && shortfall.is_none() {
        progress.note("nothing can be heard in it: it is kept as a silent recording");
    }
    // What ended the recording does not end what follows.
    args.stop.store(false, Ordering::Relaxed);
    let mut taken = vec![taken];
    let finished = finish(
        context,
        &mut taken,
        &mut Vec::new(),
        args.transcribing,
        progress,
    );
    Ok(Outcome {
        taken: taken.pop(),
        shortfall: shortfall.or(finished.err()),
    })
}

/// Says that no key opens what comes in now. It is kept all the same: the ways in may come
/// back from a copy.
pub(super) fn tell_of_no_way_in(vault: &Vault, progress: &dyn Progress) {
    if let Some(unfit) = vault.no_way_in() {
        let (place, why) = (unfit.path.display(), unfit.why);
        progress.note(&format!("{place}: {why}; {}", unfit.remedy));
    }
}

/// Ended before any sound came.
fn nothing(progress: &dyn Progress) -> Outcome {
    progress.note("nothing was recorded");
    Outcome {
        taken: None,
        shortfall: None,
    }
}

/// Shows how a recording goes on until it ends or is to be ended, and says
/// what happens to the microphone and to the disk.
fn watch(recorder: &Recorder, stop: &AtomicBool, progress: &dyn Progress) {
    let mut news = News::default();
    let mut has_begun = false;
    while !stop.load(Ordering::Relaxed) && recorder.wait(Duration::from_millis(200)) {
        let status = recorder.status();
        if status.elapsed_s > 0.0 && !has_begun {
            has_begun = true;
            progress.end();
            progress.begin("recording", None, Unit::SoundMs);
        }
        progress.advance((status.elapsed_s * 1000.0) as u64);
        for line in news.of(&status) {
            progress.note(&line);
        }
    }
}

/// What was said of a recording so far, so that it is said once.
#[derive(Default)]
struct News {
    phase: Option<Phase>,
    silence_told: bool,
    warnings: Warnings,
}

impl News {
    /// What there is to say now.
    fn of(&mut self, status: &Status) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(left) = status.space_left
            && self.warnings.are_due(left)
        {
            lines.push(space::warning(left));
        }
        let before = self.phase.replace(status.phase);
        if before != Some(status.phase) {
            lines.extend(self.of_phase(before, status));
        }
        let is_silent = status.silent_s >= recorder::SILENT_AFTER_S;
        if is_silent != self.silence_told && status.phase == Phase::Recording {
            self.silence_told = is_silent;
            lines.push(match is_silent {
                true => "no signal: silence only comes from the microphone".to_owned(),
                false => "there is a signal now".to_owned(),
            });
        }
        lines
    }

    fn of_phase(&self, before: Option<Phase>, status: &Status) -> Option<String> {
        let line = match (before, status.phase) {
            (_, Phase::WaitingForMicrophone) => "the microphone went away; it is waited for".into(),
            (_, Phase::NothingComes) => format!("nothing comes from {}", status.device),
            (_, Phase::DiskFull) => space::FULL.into(),
            (Some(Phase::NothingComes), Phase::Recording) => {
                "sound comes from it now; the recording begins here".into()
            }
            (Some(Phase::WaitingForMicrophone), Phase::Recording) => {
                format!("the microphone is back; {:.1} s are missing", status.gap_s)
            }
            (Some(Phase::DiskFull), Phase::Recording) => {
                "there is room again; nothing is missing".into()
            }
            (_, Phase::Opening | Phase::Recording | Phase::Paused) => return None,
        };
        Some(line)
    }
}

/// What `record` and `import` do at the end: merge and transcribe, where that
/// bothers nobody. Recordings that turn out to be held already are taken out
/// of `taken`; those that came from files go to `held`.
///
/// # Errors
/// When a key was given and does not open the vault, or it can't be written.
pub fn finish(
    context: &Context,
    taken: &mut Vec<Taken>,
    held: &mut Vec<Held>,
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
        let file_of = |id: RecordingId| {
            let one = taken.iter().find(|one| one.id == id);
            one.and_then(|one| one.file.clone())
        };
        let name = |id: RecordingId| file_of(id).unwrap_or_else(|| id.short());
        let known = match merge_calling(vault, &name, progress) {
            Ok(report) => report.duplicates,
            Err(failure) => {
                deliver(taken, progress);
                return Err(failure);
            }
        };
        held.extend(known.iter().filter_map(|duplicate| {
            let (file, id) = (file_of(duplicate.id)?, duplicate.of);
            Some(Held { file, id })
        }));
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
        Cause::Waits,
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

//! Takes a span out of a recording, for good.

use std::ops::Range;
use std::time::Duration;

use super::{Context, Listening, Progress, Unit, last, merge_quietly, transcribe};
use crate::error::{Exit, Failure, plain};
use crate::recording::{Recording, STORED_RATE_HZ};
use crate::speech::{Effort, Transcriber};
use crate::time::clock;
use crate::transcript::{Heard, Outtake};
use crate::vault::{Error, OpenVault, Redacted};
use crate::worker::listening;
use crate::worker::redacting::{self, Beside, Span};

/// What to take out.
#[derive(Debug, Clone)]
pub struct Args {
    /// An id, a prefix of one, or `last`.
    pub id: String,
    /// Where the span begins.
    pub from: Duration,
    /// Where it ends.
    pub to: Duration,
}

/// What would be taken out, so that a person can be asked.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Of which recording.
    pub recording: Recording,
    /// Which span.
    pub span: Span,
    /// What goes with it from the transcripts.
    pub outtake: Outtake,
    /// What its newest transcript says there; empty where that is nothing.
    pub words: String,
}

impl Plan {
    /// The span, seconds.
    #[must_use]
    pub fn seconds(&self) -> Range<f64> {
        let seconds = |samples: u64| samples as f64 / f64::from(STORED_RATE_HZ);
        seconds(self.span.samples.start)..seconds(self.span.samples.end)
    }
}

/// What was taken out, and what a person should look at now.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was taken out, and what is out of reach.
    pub redacted: Redacted,
    /// What stays beside the blanks of each transcript that lost words.
    pub beside: Vec<Beside>,
}

/// Said where the sound of a word that went may still be there.
const SPOKEN_ELSEWHERE: &str = "the times of some of these words can't be right: \
                                their sound may lie outside the span, so listen too";

impl Outcome {
    /// What stays beside the blanks of each transcript, a line each, and whether the
    /// sound has to be looked after too.
    #[must_use]
    pub fn to_check(&self) -> Vec<String> {
        let blanks = self.beside.iter();
        let mut lines: Vec<String> = blanks
            .map(|one| format!("transcript {}: \"{}\"", one.transcript, plain(&one.words)))
            .collect();
        if self.beside.iter().any(|one| one.is_doubted) {
            lines.push(SPOKEN_ELSEWHERE.to_owned());
        }
        lines
    }
}

/// Finds the recording and the words that would go.
///
/// # Errors
/// When there is no such recording or no such span in it, when it is running, or
/// when the vault can't be unlocked.
pub fn plan(context: &Context, args: &Args, progress: &dyn Progress) -> Result<Plan, Failure> {
    let vault = context.unlocked()?;
    let report = merge_quietly(&vault, progress)?;
    let id = last::to_change(&vault, &args.id, &report, "can't redact", progress)?;
    let recording = vault.recording(id)?;
    let span = span_of(&recording, args.from, args.to)?;
    let heard = match speaks_there(&recording) {
        true => listen(context, &vault, &recording, &span, progress)?,
        false => Vec::new(),
    };
    let outtake = redacting::outtake(&recording.card, &span, heard);
    let words = match recording.versions.last() {
        Some(newest) => match vault.transcript(id, newest.number) {
            Ok(transcript) => transcript.said_in(&outtake),
            // Damage must not keep anybody from taking out what is damaged.
            Err(error @ Error::Damaged { .. }) => {
                progress.note(&format!("what it says there can't be shown: {error}"));
                String::new()
            }
            Err(error) => return Err(error.into()),
        },
        None => String::new(),
    };
    Ok(Plan {
        recording,
        span,
        outtake,
        words,
    })
}

/// Whether there are words that may have been spoken in a span, and sound to hear them in.
fn speaks_there(recording: &Recording) -> bool {
    let is_heard = recording.why_no_sound().is_none() && !recording.card.signal.is_silent();
    is_heard && !recording.versions.is_empty()
}

/// What the speech model in use hears in the span. Where it can't listen, words go by the
/// times of the transcripts alone, and a note says so.
///
/// # Errors
/// When a person wishes to end it.
fn listen(
    context: &Context,
    vault: &OpenVault,
    recording: &Recording,
    span: &Span,
    progress: &dyn Progress,
) -> Result<Vec<Heard>, Failure> {
    let listened = || {
        let language = transcribe::language(&context.config.language)?;
        let model = transcribe::model(context, None)?;
        let mut transcriber = Transcriber::load(&model, Effort::for_this_machine())?;
        progress.begin("listening to the span", None, Unit::SoundMs);
        let control = Listening(progress);
        let heard = listening::listen(
            vault,
            &mut transcriber,
            recording,
            span,
            &language,
            &control,
        );
        progress.end();
        heard
    };
    match listened() {
        Ok(heard) => Ok(heard),
        Err(failure) if progress.cancelled() => Err(failure),
        Err(failure) => {
            progress.note(&format!(
                "nobody listened to the span, so its words are chosen by their times alone: {}",
                failure.why
            ));
            Ok(Vec::new())
        }
    }
}

/// The span from one position to another.
///
/// # Errors
/// [`Exit::Usage`] when nothing of the recording lies between them.
pub fn span_of(recording: &Recording, from: Duration, to: Duration) -> Result<Span, Failure> {
    let length = recording.card.duration();
    let refused = |why: String| {
        Err(
            Failure::new(Exit::Usage, "can't redact", why)
                .about(recording.id.short())
                .hint(format!(
                    "FROM and TO are positions in the recording, such as 12.5 or 1:02:03.5; it is {:.1} s long",
                    length.as_secs_f64()
                )),
        )
    };
    if from >= to {
        return refused("FROM is not before TO".to_owned());
    }
    if from >= length {
        return refused(format!("FROM is beyond its end, {}", clock(length)));
    }
    // Its end is told in whole seconds: who types the next one means the end.
    if to >= length + Duration::from_secs(1) {
        return refused(format!("TO is beyond its end, {}", clock(length)));
    }
    let sample = |at: Duration| at.as_secs_f64() * f64::from(STORED_RATE_HZ);
    let start = sample(from).floor() as u64;
    let end = (sample(to).ceil() as u64).min(recording.card.samples);
    Ok(Span {
        samples: start..end.max(start + 1),
    })
}

/// Takes exactly this out, and answers with what is out of reach.
///
/// # Errors
/// When the vault can't be unlocked or written; then the recording is as it was.
pub fn run(context: &Context, plan: &Plan, progress: &dyn Progress) -> Result<Outcome, Failure> {
    let vault = context.unlocked()?;
    progress.begin("redacting", None, Unit::Items);
    let mut begun = false;
    let mut told = |done, total| {
        if !std::mem::replace(&mut begun, true) {
            progress.begin("redacting", Some(total), Unit::Items);
        }
        progress.advance(done);
    };
    let Plan {
        recording,
        span,
        outtake,
        ..
    } = plan;
    let redacted = redacting::redact(&vault, recording, span, outtake, &mut told);
    progress.end();
    let (redacted, beside) = redacted?;
    let id = redacted.id.short();
    let damage = |why: String| {
        progress.refuse(&Failure::new(Exit::Damaged, "the recording is damaged", why).about(&id));
    };
    match redacted.lost_segments {
        0 => {}
        lost => damage(format!("{lost} segments of its sound can't be read")),
    }
    match redacted.lost_transcripts {
        0 => {}
        lost => damage(format!(
            "{lost} of its transcripts could not be read; nothing is left of them"
        )),
    }
    Ok(Outcome { redacted, beside })
}

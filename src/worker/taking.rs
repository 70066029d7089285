//! Takes sound from a file or a stream into the inbox of a vault, which may
//! be locked.
//!
//! A file is taken whole or not at all: it is still there to be taken again.
//! A stream is kept up to where it broke: it is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::outbox::{Cut, Outbox, Room};
use super::space::{self, Warnings};
use super::{Control, millis};
use crate::audio::{Intake, IntakeError, SoundFile};
use crate::error::{Exit, Failure};
use crate::fence::fenced;
use crate::recording::{Card, Ending, Moment, RecordingId, Signal, Source, State};
use crate::transcript::Transcript;
use crate::vault::{self, Vault};

/// How often a full disk is tried again.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// What was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Its id.
    pub id: RecordingId,
    /// Its length.
    pub duration: Duration,
    /// Where it stands now.
    pub state: State,
    /// The source ended before its header said so.
    pub cut_short: bool,
    /// Why it is shorter than it was meant to be: the disk was full. What came by
    /// then is kept.
    pub shortfall: Option<Failure>,
}

/// When a stream ends before its end.
#[derive(Debug, Clone)]
pub struct Limits {
    /// After this much sound.
    pub length: Option<Duration>,
    /// When this is set.
    pub stop: Arc<AtomicBool>,
}

/// The card of a recording that begins now and holds nothing yet.
#[must_use]
pub fn card(source: Source, title: String, tags: Vec<String>, now: Moment) -> Card {
    Card {
        title,
        recorded_at: now,
        added_at: now,
        tags,
        note: String::new(),
        pinned: false,
        source,
        device: None,
        samples: 0,
        pre_skip: 0,
        signal: Signal {
            peak_dbfs: -120.0,
            rms_dbfs: -120.0,
            silent_fraction: 0.0,
            clipped_fraction: 0.0,
        },
        gaps: Vec::new(),
        markers: Vec::new(),
        content_hash: None,
        ending: Ending::Interrupted,
        failure: None,
    }
}

/// Takes a file in, whole or not at all.
///
/// # Errors
/// When the file holds no sound or is damaged, the work was cancelled, or the
/// vault can't be written. Nothing of it stays then.
pub fn from_file(
    vault: &Vault,
    sound: SoundFile,
    card: Card,
    control: &dyn Control,
) -> Result<Taken, Failure> {
    with_words(vault, sound, card, &mut |_| Vec::new(), control)
}

/// The same, together with what was said in it as somebody else heard it: `said` is
/// asked once the length of the sound is known.
///
/// # Errors
/// As [`from_file`].
pub fn with_words(
    vault: &Vault,
    mut sound: SoundFile,
    card: Card,
    said: &mut dyn FnMut(Duration) -> Vec<Transcript>,
    control: &dyn Control,
) -> Result<Taken, Failure> {
    let mut sink = Sink::new(vault, &sound, card)?;
    let pumped = fenced(|| {
        loop {
            if control.cancelled() {
                break Err(Failure::new(Exit::Failed, "stopped", "it was cancelled"));
            }
            match sound.next_block()? {
                Some(block) => sink.push(block)?,
                None => break Ok(()),
            }
            control.advance(sink.done_ms());
        }
    });
    match pumped.unwrap_or_else(|| Err(gave_up())) {
        Ok(()) if sink.frames > 0 => sink.finish(Ending::Complete, sound.reading().truncated, said),
        Ok(()) => {
            sink.discard();
            Err(Failure::new(
                Exit::Failed,
                "can't take in the file",
                "there is no sound in it",
            ))
        }
        Err(failure) => {
            sink.discard();
            Err(failure)
        }
    }
}

/// Takes a stream in until it ends, breaks, is stopped, or can't be written; what
/// came by then is kept. `None` where it was stopped before any sound came.
///
/// # Errors
/// When no sound came at all, or none could be kept.
pub fn from_stream(
    vault: &Vault,
    mut sound: SoundFile,
    card: Card,
    limits: &Limits,
    control: &dyn Control,
) -> Result<Option<Taken>, Failure> {
    let rate_hz = f64::from(sound.shape().rate_hz());
    let most = limits
        .length
        .map(|length| (length.as_secs_f64() * rate_hz).round() as u64);
    let mut sink = Sink::new(vault, &sound, card)?;
    let mut warnings = Warnings::default();
    let pumped = fenced(|| {
        while !limits.stop.load(Ordering::Relaxed) && most.is_none_or(|most| sink.frames < most) {
            if let Some(left) = sink.outbox.space_left(vault)
                && warnings.are_due(left)
            {
                control.note(&space::warning(left));
            }
            match sound.next_block() {
                Ok(Some(block)) => {
                    sink.push_up_to(block, most.unwrap_or(u64::MAX), limits, control)?;
                }
                Ok(None) => break,
                Err(error) => return Ok(Some(Failure::from(error))),
            }
            control.advance(sink.done_ms());
        }
        Ok(None)
    });
    let broke = match pumped.unwrap_or_else(|| Err(gave_up())) {
        Ok(broke) => broke,
        Err(failure) => return sink.give_up(failure).map(Some),
    };
    if sink.frames == 0 {
        sink.discard();
        if limits.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let silent = || Failure::new(Exit::Failed, "nothing was recorded", "no sound came");
        return Err(broke.unwrap_or_else(silent));
    }
    let ending = if broke.is_some() {
        Ending::Interrupted
    } else {
        Ending::Complete
    };
    let taken = sink.finish(ending, broke.is_some(), &mut |_| Vec::new());
    taken.map(Some)
}

/// Told where a library panicked on the sound that it was given.
pub fn gave_up() -> Failure {
    let why = "what reads or codes it gave up on it";
    Failure::new(Exit::Failed, "can't take in the sound", why)
}

/// One recording on its way into the inbox.
struct Sink {
    intake: Intake,
    outbox: Outbox,
    card: Card,
    channels: usize,
    /// Frames of the source that went in; some may still be in the resampler.
    frames: u64,
}

impl Sink {
    fn new(vault: &Vault, sound: &SoundFile, mut card: Card) -> Result<Self, Failure> {
        let intake = Intake::new(sound.shape().clone())?;
        card.pre_skip = intake.pre_skip();
        let outbox = match card.source {
            Source::Import => Outbox::of_copy(vault.begin_copy(&card)?),
            Source::Mic | Source::Stdin | Source::Listen => Outbox::new(vault.begin(&card)?),
        };
        Ok(Self {
            intake,
            outbox,
            card,
            channels: sound.shape().channels(),
            frames: 0,
        })
    }

    fn push(&mut self, interleaved: &[f32]) -> Result<(), Failure> {
        self.frames += (interleaved.len() / self.channels) as u64;
        let outbox = &mut self.outbox;
        self.intake
            .push(interleaved, &mut |packets, samples| {
                outbox.push(packets, samples)
            })
            .map_err(taken)
    }

    /// The same, until so many frames of the source are in. Waits a little where
    /// the disk is full; meanwhile the source waits in its pipe.
    fn push_up_to(
        &mut self,
        interleaved: &[f32],
        most: u64,
        limits: &Limits,
        control: &dyn Control,
    ) -> Result<(), Failure> {
        let left = usize::try_from(most.saturating_sub(self.frames)).unwrap_or(usize::MAX);
        let values = left.saturating_mul(self.channels).min(interleaved.len());
        self.push(&interleaved[..values])?;
        if self.outbox.room() == Room::Wanting {
            control.note(space::FULL);
        }
        while self.outbox.room() == Room::Wanting && !limits.stop.load(Ordering::Relaxed) {
            std::thread::sleep(TRY_EVERY);
            self.outbox.flush()?;
        }
        Ok(())
    }

    /// Ends a recording that could not be taken in any further.
    fn give_up(mut self, failure: Failure) -> Result<Taken, Failure> {
        self.card.signal = self.intake.signal_so_far();
        give_up(self.outbox, self.card, failure)
    }

    fn done_ms(&self) -> u64 {
        millis(self.intake.samples())
    }

    fn finish(
        self,
        ending: Ending,
        cut_short: bool,
        said: &mut dyn FnMut(Duration) -> Vec<Transcript>,
    ) -> Result<Taken, Failure> {
        let Self {
            intake,
            mut outbox,
            mut card,
            ..
        } = self;
        card.signal = intake.signal_so_far();
        let summed =
            fenced(|| intake.finish(&mut |packets, samples| outbox.push(packets, samples)));
        let summary = match summed.map(|summed| summed.map_err(taken)) {
            Some(Ok(summary)) => summary,
            Some(Err(failure)) => return give_up(outbox, card, failure),
            None => return give_up(outbox, card, gave_up()),
        };
        card.samples = summary.samples;
        card.signal = summary.signal;
        card.content_hash = Some(summary.content_hash);
        card.ending = ending;
        let id = outbox.id();
        let (mut state, duration) = (state_of(&card), card.duration());
        for transcript in said(duration) {
            if let Err(error) = outbox.add_transcript(&transcript) {
                outbox.discard();
                return Err(error.into());
            }
            state = State::Transcribed;
        }
        match outbox.finish(&card) {
            Ok(()) => Ok(Taken {
                id,
                duration,
                state,
                cut_short,
                shortfall: None,
            }),
            // A file is taken whole or not at all, and is still there.
            Err(cut) if card.source == Source::Import => Err(cut.failure),
            Err(cut) => interrupted(id, cut),
        }
    }

    /// Nothing of it stays.
    fn discard(self) {
        self.outbox.discard();
    }
}

/// Ends a recording that could not be taken in any further, with what was written. A
/// file is taken whole or not at all, and is still there.
fn give_up(outbox: Outbox, card: Card, failure: Failure) -> Result<Taken, Failure> {
    if card.source == Source::Import {
        outbox.discard();
        return Err(failure);
    }
    let id = outbox.id();
    let kept = outbox.give_up(card);
    interrupted(id, Cut { failure, kept })
}

/// What is kept of a recording that could not be ended with all that came.
fn interrupted(id: RecordingId, cut: Cut) -> Result<Taken, Failure> {
    let failure = space::ended(cut.failure, cut.kept);
    match cut.kept.is_zero() {
        true => Err(failure),
        false => Ok(Taken {
            id,
            duration: cut.kept,
            state: State::Interrupted,
            cut_short: true,
            shortfall: Some(failure),
        }),
    }
}

/// Why sound could not be taken in.
pub(super) fn taken(error: IntakeError<vault::Error>) -> Failure {
    match error {
        IntakeError::Audio(error) => error.into(),
        IntakeError::Sink(error) => error.into(),
    }
}

/// The state of a recording that is not merged yet.
pub(super) fn state_of(card: &Card) -> State {
    match card.ending {
        _ if card.signal.is_silent() => State::Silent,
        Ending::Interrupted => State::Interrupted,
        Ending::Complete => State::Pending,
    }
}

#[cfg(test)]
mod tests;

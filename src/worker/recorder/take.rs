//! The recorder's thread: takes in sound until it is told to stop.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::ear::{Ear, Hearing, Missing, PATIENCE};
use super::ending::{gone, interrupted, nothing_came, only_zeros};
use super::{Now, Phase, Recorded, Shared, Wake, seconds};
use crate::audio::Intake;
use crate::error::Failure;
use crate::fence::fenced;
use crate::recording::{Card, Ending, Gap, RecordingId, STORED_RATE_HZ, State};
use crate::vault::Vault;
use crate::worker::outbox::{Outbox, Room};
use crate::worker::taking::{self, state_of};

/// How often who looks at the recorder is woken.
const SHOW_EVERY: Duration = Duration::from_millis(250);

/// How much sound may pass before what is known about it is written too.
const NOTE_EVERY_SAMPLES: u64 = 5 * STORED_RATE_HZ as u64;

/// No sample louder than this is digital silence: two steps of 16 bits.
const SILENT: f32 = 2.0 / 32_768.0;

/// A recording that has just been begun.
pub(super) struct Begun {
    pub(super) id: RecordingId,
    pub(super) ear: Ear,
    pub(super) intake: Intake,
    pub(super) outbox: Outbox,
    pub(super) card: Card,
    pub(super) now: Now,
}

/// The recorder's thread.
pub(super) struct Take {
    shared: Arc<Shared>,
    vault: Vault,
    limit: Option<u64>,
    id: RecordingId,
    ear: Ear,
    intake: Intake,
    outbox: Outbox,
    card: Card,
    now: Now,
    noted_at: u64,
    /// Since which sample nothing but digital silence came.
    silent_since: u64,
    shown_at: Option<Instant>,
    wake: Option<Wake>,
}

impl Take {
    /// Takes in what the ear hears, until it is told to stop.
    pub(super) fn new(shared: Arc<Shared>, vault: Vault, begun: Begun) -> Self {
        Self {
            shared,
            vault,
            limit: None,
            id: begun.id,
            ear: begun.ear,
            intake: begun.intake,
            outbox: begun.outbox,
            card: begun.card,
            now: begun.now,
            noted_at: 0,
            silent_since: 0,
            shown_at: None,
            wake: None,
        }
    }

    /// The same, ending by itself after so many samples at 48 kHz.
    pub(super) fn until(self, limit: Option<u64>) -> Self {
        Self { limit, ..self }
    }

    /// The same, telling when there is something new to show.
    pub(super) fn telling(self, wake: Option<Wake>) -> Self {
        Self { wake, ..self }
    }

    pub(super) fn run(mut self) -> Result<Recorded, Failure> {
        let shared = Arc::clone(&self.shared);
        let wake = self.wake.take();
        let taken = fenced(|| self.take_until_stopped(wake.as_deref()));
        let broke = taken.unwrap_or_else(|| Err(taking::gave_up()));
        let recorded = self.finish(broke.err());
        shared.status().has_ended = true;
        shared.stopped.notify_all();
        if let Some(wake) = wake {
            wake();
        }
        recorded
    }

    fn take_until_stopped(&mut self, wake: Option<&(dyn Fn() + Send)>) -> Result<(), Failure> {
        let mut block = Vec::new();
        while !self.shared.stop.load(Ordering::Relaxed)
            && self.is_within_limit()
            && !self.ear.is_hopeless()
        {
            let paused = self.heed_wishes();
            if self.outbox.room() == Room::Wanting {
                // What comes meanwhile waits in the ring.
                std::thread::sleep(PATIENCE);
                self.outbox.flush()?;
                self.show(paused, wake);
                continue;
            }
            if paused {
                // What was heard before the pause; behind it, nothing is due.
                let missing = self.ear.settle();
                missing
                    .into_iter()
                    .for_each(|missing| self.note_gap(missing));
            }
            let heard = self.ear.listen(&mut block)?;
            if paused {
                self.ear.forgive();
            } else {
                for missing in heard.missing {
                    self.note_gap(missing);
                }
                if heard.sound {
                    self.keep(&block)?;
                }
            }
            self.show(paused, wake);
        }
        Ok(())
    }

    /// What is missing counts: who records for an hour is done an hour later.
    fn is_within_limit(&self) -> bool {
        let passed = || self.intake.samples() + self.card.missing() + self.ear.missing_now();
        self.limit.is_none_or(|limit| passed() < limit)
    }

    /// Takes up what its owner wants; whether it is paused.
    fn heed_wishes(&mut self) -> bool {
        let mut wishes = self.shared.wishes();
        for _ in 0..std::mem::take(&mut wishes.marks) {
            self.card.markers.push(self.intake.samples());
        }
        if let Some(title) = wishes.title.take() {
            self.card.title = title;
        }
        wishes.paused
    }

    fn note_gap(&mut self, missing: Missing) {
        let at = self.intake.samples().saturating_add_signed(missing.at);
        let gap = Gap {
            at_sample: at,
            samples: missing.samples,
        };
        // One that had to be waited for may be before others that are known.
        let gaps = &mut self.card.gaps;
        gaps.insert(gaps.partition_point(|gap| gap.at_sample <= at), gap);
    }

    /// It begins when its first sound was heard, however long it took to come.
    fn date(&mut self, block: &[f32]) {
        let shape = self.ear.shape();
        let frames = (block.len() / shape.channels()) as u64;
        let length_ms = frames * 1_000 / u64::from(shape.rate_hz());
        let mut at = (self.now)();
        at.unix_ms -= length_ms.cast_signed();
        (self.card.recorded_at, self.card.added_at) = (at, at);
    }

    fn keep(&mut self, block: &[f32]) -> Result<(), Failure> {
        if self.intake.samples() == 0 {
            self.date(block);
        }
        let block = self.up_to_limit(block);
        let outbox = &mut self.outbox;
        self.intake
            .push(block, &mut |packets, samples| outbox.push(packets, samples))
            .map_err(taking::taken)?;
        let samples = self.intake.samples();
        if block.iter().any(|sample| sample.abs() > SILENT) {
            self.silent_since = samples;
        }
        if samples - self.noted_at >= NOTE_EVERY_SAMPLES {
            self.noted_at = samples;
            self.card.samples = samples;
            self.card.signal = self.intake.signal_so_far();
            self.outbox.checkpoint(&self.card)?;
        }
        Ok(())
    }

    /// As much of it as is wanted yet.
    fn up_to_limit<'a>(&self, block: &'a [f32]) -> &'a [f32] {
        let Some(limit) = self.limit else {
            return block;
        };
        let shape = self.ear.shape();
        let left = limit.saturating_sub(self.intake.samples() + self.card.missing());
        let wanted = left.saturating_mul(u64::from(shape.rate_hz()));
        let frames = wanted.div_ceil(u64::from(STORED_RATE_HZ));
        let values = usize::try_from(frames).unwrap_or(usize::MAX);
        &block[..values.saturating_mul(shape.channels()).min(block.len())]
    }

    fn show(&mut self, paused: bool, wake: Option<&(dyn Fn() + Send)>) {
        let phase = match (self.outbox.room(), self.ear.hearing()) {
            (Room::Wanting, _) => Phase::DiskFull,
            (Room::Enough, Hearing::Lost) => Phase::WaitingForMicrophone,
            (Room::Enough, Hearing::Nothing) => Phase::NothingComes,
            (Room::Enough, Hearing::Opening | Hearing::Sound) if paused => Phase::Paused,
            (Room::Enough, Hearing::Opening) => Phase::Opening,
            (Room::Enough, Hearing::Sound) => Phase::Recording,
        };
        // What changes is told at once: looking for a microphone takes a while.
        let changed = self.shared.status().phase != phase;
        if !changed && self.shown_at.is_some_and(|at| at.elapsed() < SHOW_EVERY) {
            return;
        }
        self.shown_at = Some(Instant::now());
        let level = self.intake.momentary();
        let samples = self.intake.samples();
        let missing = self.card.missing() + self.ear.missing_now();
        let written = match phase {
            Phase::DiskFull => self.outbox.samples(),
            _ => samples,
        };
        let mut status = self.shared.status();
        status.phase = phase;
        status.elapsed_s = seconds(written);
        status.peak_dbfs = level.peak_dbfs;
        status.rms_dbfs = level.rms_dbfs;
        status.gap_s = seconds(missing);
        status.silent_s = seconds(samples.saturating_sub(self.silent_since));
        status.markers = self.card.markers.len();
        status.space_left = self.outbox.space_left(&self.vault);
        drop(status);
        if let Some(wake) = wake {
            wake();
        }
    }

    /// Keeps what came. Where it could not be written the last words are
    /// missing: what was durable stays, as an interrupted recording.
    fn finish(mut self, broke: Option<Failure>) -> Result<Recorded, Failure> {
        let hearing = self.ear.hearing();
        if self.intake.samples() == 0 {
            self.outbox.discard();
            return Err(broke.unwrap_or_else(|| match hearing {
                Hearing::Lost => nothing_came("the microphone was lost before any sound came"),
                Hearing::Opening | Hearing::Sound | Hearing::Nothing => {
                    nothing_came("the microphone gave no sound")
                }
            }));
        }
        let late = self.ear.settle();
        late.into_iter().for_each(|missing| self.note_gap(missing));
        let missing = self.ear.missing_now();
        if missing > 0 {
            self.note_gap(Missing {
                at: 0,
                samples: missing,
            });
        }
        let missing = Duration::from_secs_f64(seconds(self.card.missing()));
        self.card.signal = self.intake.signal_so_far();
        let id = self.id;
        let interrupted = |kept, failure| interrupted(id, kept, missing, failure);
        if let Some(failure) = broke {
            return interrupted(self.outbox.give_up(self.card), failure);
        }
        let (intake, outbox) = (self.intake, &mut self.outbox);
        let summed =
            fenced(|| intake.finish(&mut |packets, samples| outbox.push(packets, samples)));
        let summed = summed.map(|summed| summed.map_err(taking::taken));
        match summed.unwrap_or_else(|| Err(taking::gave_up())) {
            Ok(summary) => {
                self.card.samples = summary.samples;
                self.card.signal = summary.signal;
            }
            Err(failure) => {
                let kept = self.outbox.give_up(self.card);
                return interrupted(kept, failure);
            }
        }
        self.card.ending = match hearing {
            Hearing::Lost => Ending::Interrupted,
            Hearing::Opening | Hearing::Sound | Hearing::Nothing => Ending::Complete,
        };
        if let Err(cut) = self.outbox.finish(&self.card) {
            return interrupted(cut.kept, cut.failure);
        }
        let state = state_of(&self.card);
        Ok(Recorded {
            id,
            duration: self.card.duration(),
            missing,
            state,
            shortfall: match hearing {
                Hearing::Lost => Some(gone()),
                // Not even noise: nobody was so quiet.
                _ if state == State::Silent && self.card.signal.is_zeros() => Some(only_zeros()),
                _ => None,
            },
        })
    }
}

//! The recorder's thread: takes in sound until it is told to stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::bridge::Bridge;
use super::{Phase, Recorded, Shared, Wake, samples_of, seconds};
use crate::audio::{Capture, Intake, Shape};
use crate::error::{Exit, Failure};
use crate::recording::{Card, Ending, Gap, STORED_RATE_HZ, State};
use crate::vault::RecordingWriter;
use crate::worker::taking::{self, state_of};

/// How long the thread waits for sound before it looks at its wishes again.
const PATIENCE: Duration = Duration::from_millis(100);

/// How often who looks at the recorder is woken.
const SHOW_EVERY: Duration = Duration::from_millis(250);

/// How often a microphone that went away is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How much sound may pass before what is known about it is written too.
const NOTE_EVERY_SAMPLES: u64 = 5 * STORED_RATE_HZ as u64;

/// What is written for an hour of sound, until it is merged and after.
const BYTES_PER_HOUR: u64 = 30_000_000;

/// The recorder's thread.
pub(super) struct Take {
    shared: Arc<Shared>,
    limit: Option<u64>,
    vault: PathBuf,
    capture: Capture,
    /// What the intake was made for; the microphone may return with another.
    shape: Shape,
    bridge: Option<Bridge>,
    intake: Intake,
    writer: RecordingWriter,
    card: Card,
    noted_at: u64,
    lost_since: Option<Instant>,
    looked_at: Option<Instant>,
    shown_at: Option<Instant>,
    wake: Option<Wake>,
}

impl Take {
    /// Takes in what `capture` gives, until it is told to stop.
    pub(super) fn new(
        shared: Arc<Shared>,
        capture: Capture,
        intake: Intake,
        writer: RecordingWriter,
        card: Card,
    ) -> Self {
        Self {
            shared,
            limit: None,
            vault: PathBuf::new(),
            shape: capture.shape().clone(),
            bridge: None,
            capture,
            intake,
            writer,
            card,
            noted_at: 0,
            lost_since: None,
            looked_at: None,
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

    /// The same, watching the space that is left where the vault is.
    pub(super) fn measuring(self, vault: &Path) -> Self {
        Self {
            vault: vault.to_owned(),
            ..self
        }
    }

    pub(super) fn run(mut self) -> Result<Recorded, Failure> {
        let shared = Arc::clone(&self.shared);
        let wake = self.wake.take();
        let broke = self.take_until_stopped(wake.as_deref());
        let recorded = self.finish(broke.err());
        shared.status().phase = Phase::Stopped;
        shared.stopped.notify_all();
        if let Some(wake) = wake {
            wake();
        }
        recorded
    }

    fn take_until_stopped(&mut self, wake: Option<&(dyn Fn() + Send)>) -> Result<(), Failure> {
        let mut block = Vec::new();
        while !self.shared.stop.load(Ordering::Relaxed)
            && self.limit.is_none_or(|limit| self.intake.samples() < limit)
        {
            let paused = self.heed_wishes();
            match self.listen(&mut block)? {
                true if !paused => self.keep(&block)?,
                _ => {}
            }
            self.show(paused, wake);
        }
        Ok(())
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

    /// Waits a little for sound; whether some came.
    fn listen(&mut self, block: &mut Vec<f32>) -> Result<bool, Failure> {
        block.clear();
        if let Some(since) = self.lost_since {
            self.look_for_microphone(since);
            return Ok(false);
        }
        let capture = &mut self.capture;
        let rate_hz = f64::from(capture.shape().rate_hz());
        match capture.read(block, PATIENCE) {
            Ok(captured) => {
                let lost: u64 = captured.gaps.iter().map(|gap| gap.frames).sum();
                if lost > 0 {
                    self.note_gap((lost as f64 * f64::from(STORED_RATE_HZ) / rate_hz) as u64);
                }
                Ok(captured.frames > 0)
            }
            Err(error) if error.is_lost() => {
                self.lost_since = Some(Instant::now());
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Tries the microphone again. It may return with another rate.
    fn look_for_microphone(&mut self, since: Instant) {
        std::thread::sleep(PATIENCE);
        if self.looked_at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked_at = Some(Instant::now());
        if self.capture.reopen().is_err() {
            return;
        }
        if let Ok(bridge) = Bridge::between(self.capture.shape(), &self.shape) {
            self.note_gap(samples_of(since.elapsed()));
            self.bridge = bridge;
            self.lost_since = None;
        }
    }

    fn note_gap(&mut self, samples: u64) {
        self.card.gaps.push(Gap {
            at_sample: self.intake.samples(),
            samples,
        });
    }

    fn keep(&mut self, block: &[f32]) -> Result<(), Failure> {
        let bridged = self
            .bridge
            .as_mut()
            .map(|bridge| bridge.carry(block))
            .transpose()?;
        let block = bridged.unwrap_or(block);
        let writer = &mut self.writer;
        self.intake
            .push(block, &mut |packets, samples| writer.push(packets, samples))
            .map_err(taking::taken)?;
        let samples = self.intake.samples();
        if samples - self.noted_at >= NOTE_EVERY_SAMPLES {
            self.noted_at = samples;
            self.card.samples = samples;
            self.card.signal = self.intake.signal_so_far();
            self.writer.checkpoint(&self.card)?;
        }
        Ok(())
    }

    fn show(&mut self, paused: bool, wake: Option<&(dyn Fn() + Send)>) {
        if self.shown_at.is_some_and(|at| at.elapsed() < SHOW_EVERY) {
            return;
        }
        self.shown_at = Some(Instant::now());
        let level = self.intake.momentary();
        let gap: u64 = self.card.gaps.iter().map(|gap| gap.samples).sum();
        let lost_s = self
            .lost_since
            .map_or(0.0, |since| since.elapsed().as_secs_f64());
        let mut status = self.shared.status();
        status.phase = match (self.lost_since, paused) {
            (Some(_), _) => Phase::WaitingForMicrophone,
            (None, true) => Phase::Paused,
            (None, false) => Phase::Recording,
        };
        status.elapsed_s = seconds(self.intake.samples());
        status.peak_dbfs = level.peak_dbfs;
        status.rms_dbfs = level.rms_dbfs;
        status.gap_s = seconds(gap) + lost_s;
        status.markers = self.card.markers.len();
        status.space_left = space_left(&self.vault);
        drop(status);
        if let Some(wake) = wake {
            wake();
        }
    }

    /// Keeps what came. Where the disk is full the last words may be missing:
    /// what was durable stays, as an interrupted recording.
    fn finish(mut self, broke: Option<Failure>) -> Result<Recorded, Failure> {
        let lost = self.lost_since.is_some();
        if self.intake.samples() == 0 {
            // A file that can't be removed is an empty recording, which the
            // next merge throws away.
            let _ = self.writer.discard();
            return Err(broke.unwrap_or_else(|| if lost { gone() } else { nothing_came() }));
        }
        let id = self.writer.id();
        let so_far = Duration::from_secs_f64(seconds(self.intake.samples()));
        if let Some(failure) = broke {
            let state = State::Interrupted;
            return Ok(Recorded {
                id,
                duration: so_far,
                state,
                shortfall: Some(failure),
            });
        }
        if let Some(since) = self.lost_since {
            self.note_gap(samples_of(since.elapsed()));
        }
        let summary = taking::finish(self.intake, &mut self.writer)?;
        self.card.samples = summary.samples;
        self.card.signal = summary.signal;
        self.card.ending = if lost {
            Ending::Interrupted
        } else {
            Ending::Complete
        };
        self.writer.finish(&self.card)?;
        let duration = self.card.duration();
        let state = state_of(&self.card);
        Ok(Recorded {
            id,
            duration,
            state,
            shortfall: lost.then(gone),
        })
    }
}

fn gone() -> Failure {
    Failure::new(
        Exit::NoMicrophone,
        "the microphone was lost",
        "it had not returned at the end",
    )
    .hint("what came by then is kept; `voxvault devices` lists what is there now")
}

fn nothing_came() -> Failure {
    Failure::new(
        Exit::NoMicrophone,
        "nothing was recorded",
        "the microphone gave no sound",
    )
    .hint("`voxvault devices` lists the microphones")
}

/// How long the file system under the vault lasts.
fn space_left(vault: &Path) -> Option<Duration> {
    let space = rustix::fs::statvfs(vault).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    Some(Duration::from_secs(free / (BYTES_PER_HOUR / 3600)))
}

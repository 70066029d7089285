//! Records a microphone on a thread of its own, into the inbox of a vault that
//! may be locked.
//!
//! The thread ends when it is told to, when the limit is reached, or when the
//! vault can't be written. A microphone that goes away is waited for: what was
//! lost is noted as a gap, and the recording goes on when it returns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::taking::{self, state_of};
use crate::audio::{AudioError, Capture, Intake, Resampler, Shape};
use crate::error::{Exit, Failure};
use crate::recording::{Card, Ending, Gap, Moment, RecordingId, STORED_RATE_HZ, Source, State};
use crate::vault::{RecordingWriter, Vault};

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

/// What to record.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The microphone; the default one unless named.
    pub device: Option<String>,
    /// The title.
    pub title: String,
    /// Tags, in order.
    pub tags: Vec<String>,
    /// When to stop by itself.
    pub limit: Option<Duration>,
}

/// What the recorder is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It takes in sound.
    Recording,
    /// Its owner has paused it.
    Paused,
    /// The microphone went away; it is waited for.
    WaitingForMicrophone,
    /// It has ended; [`Recorder::stop`] says how.
    Stopped,
}

/// How the recording stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// What it is doing.
    pub phase: Phase,
    /// Sound so far, seconds.
    pub elapsed_s: f64,
    /// Loudest sample since the last look, dBFS.
    pub peak_dbfs: f32,
    /// Mean power since the last look, dBFS.
    pub rms_dbfs: f32,
    /// Sound that was lost, seconds.
    pub gap_s: f64,
    /// How many moments were marked.
    pub markers: usize,
    /// The microphone's name.
    pub device: String,
    /// How long the disk lasts; `None` where that can't be told.
    pub space_left: Option<Duration>,
}

/// A recording that has ended.
#[derive(Debug)]
pub struct Recorded {
    /// Its id.
    pub id: RecordingId,
    /// Its length.
    pub duration: Duration,
    /// Where it stands.
    pub state: State,
    /// Why it is shorter than it was meant to be: the microphone had not
    /// returned, or the disk was full. What came by then is kept.
    pub shortfall: Option<Failure>,
}

/// Tells the moment; passed in, as every clock is.
pub type Now = Box<dyn Fn() -> Moment + Send>;

/// Called on the recorder's thread when there is something new to show.
pub type Wake = Box<dyn Fn() + Send>;

/// A recording in progress. Dropped, it ends as if it had been stopped.
pub struct Recorder {
    id: RecordingId,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<Recorded, Failure>>>,
}

struct Shared {
    stop: AtomicBool,
    wishes: Mutex<Wishes>,
    status: Mutex<Status>,
    stopped: Condvar,
}

#[derive(Default)]
struct Wishes {
    paused: bool,
    marks: usize,
    title: Option<String>,
}

impl Recorder {
    /// Opens the microphone and begins. Needs no key.
    ///
    /// # Errors
    /// [`Exit::NoMicrophone`] when there is none, and when the vault can't be
    /// written.
    pub fn start(
        vault: &Vault,
        options: Options,
        now: Now,
        wake: Option<Wake>,
    ) -> Result<Self, Failure> {
        let capture = Capture::open(options.device.as_deref())?;
        let intake = Intake::new(capture.shape().clone())?;
        let mut card = taking::card(Source::Mic, options.title, options.tags, now());
        card.device = Some(capture.name().to_owned());
        card.pre_skip = intake.pre_skip();
        let writer = vault.begin(&card)?;
        let id = writer.id();
        let status = Status {
            phase: Phase::Recording,
            elapsed_s: 0.0,
            peak_dbfs: -120.0,
            rms_dbfs: -120.0,
            gap_s: 0.0,
            markers: 0,
            device: capture.name().to_owned(),
            space_left: None,
        };
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            wishes: Mutex::default(),
            status: Mutex::new(status),
            stopped: Condvar::new(),
        });
        let take = Take {
            shared: Arc::clone(&shared),
            limit: options.limit.map(samples_of),
            vault: vault.dir().to_owned(),
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
            wake,
        };
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || take.run())
            .map_err(|error| {
                Failure::new(Exit::Failed, "can't start the recorder", error.to_string())
            })?;
        Ok(Self {
            id,
            shared,
            thread: Some(thread),
        })
    }

    /// The recording's id, which it keeps.
    #[must_use]
    pub fn id(&self) -> RecordingId {
        self.id
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status().clone()
    }

    /// Takes no sound in until [`Recorder::resume`].
    pub fn pause(&self) {
        self.shared.wishes().paused = true;
    }

    /// Takes sound in again.
    pub fn resume(&self) {
        self.shared.wishes().paused = false;
    }

    /// Marks this moment.
    pub fn mark(&self) {
        self.shared.wishes().marks += 1;
    }

    /// Gives it another title.
    pub fn set_title(&self, title: String) {
        self.shared.wishes().title = Some(title);
    }

    /// Waits until it ends, at most this long; whether it still goes on.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        let status = self.shared.status();
        let ended = |status: &mut Status| status.phase != Phase::Stopped;
        let (status, _) = self
            .shared
            .stopped
            .wait_timeout_while(status, at_most, ended)
            .unwrap_or_else(PoisonError::into_inner);
        status.phase != Phase::Stopped
    }

    /// Ends it and keeps what was recorded.
    ///
    /// # Errors
    /// When no sound came at all, or the vault could not be written.
    pub fn stop(mut self) -> Result<Recorded, Failure> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let failed = || {
            Failure::new(
                Exit::Failed,
                "the recorder failed",
                "its thread ended early",
            )
        };
        match self.thread.take() {
            Some(thread) => thread.join().map_err(|_| failed())?,
            None => Err(failed()),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Nobody is left to be told; what was recorded is kept.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn wishes(&self) -> std::sync::MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> std::sync::MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The recorder's thread.
struct Take {
    shared: Arc<Shared>,
    limit: Option<u64>,
    vault: std::path::PathBuf,
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
    fn run(mut self) -> Result<Recorded, Failure> {
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

/// Carries sound of one shape over to another, for a microphone that returned
/// with a shape that the intake was not made for.
struct Bridge {
    from: Shape,
    channels: usize,
    resampler: Resampler,
    mono: Vec<f32>,
    resampled: Vec<f32>,
    carried: Vec<f32>,
}

impl Bridge {
    /// A bridge, where one is needed.
    fn between(from: &Shape, to: &Shape) -> Result<Option<Self>, AudioError> {
        if from.rate_hz() == to.rate_hz() && from.channels() == to.channels() {
            return Ok(None);
        }
        Ok(Some(Self {
            from: from.clone(),
            channels: to.channels(),
            resampler: Resampler::new(from.rate_hz(), to.rate_hz())?,
            mono: Vec::new(),
            resampled: Vec::new(),
            carried: Vec::new(),
        }))
    }

    /// The same sound, interleaved in the other shape.
    fn carry(&mut self, block: &[f32]) -> Result<&[f32], AudioError> {
        self.mono.clear();
        self.resampled.clear();
        self.carried.clear();
        self.from.mix(block, &mut self.mono);
        self.resampler.push(&self.mono, &mut self.resampled)?;
        for sample in &self.resampled {
            self.carried
                .extend(std::iter::repeat_n(*sample, self.channels));
        }
        Ok(&self.carried)
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

fn samples_of(length: Duration) -> u64 {
    (length.as_secs_f64() * f64::from(STORED_RATE_HZ)) as u64
}

fn seconds(samples: u64) -> f64 {
    samples as f64 / f64::from(STORED_RATE_HZ)
}

/// How long the file system under the vault lasts.
fn space_left(vault: &std::path::Path) -> Option<Duration> {
    let space = rustix::fs::statvfs(vault).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    Some(Duration::from_secs(free / (BYTES_PER_HOUR / 3600)))
}

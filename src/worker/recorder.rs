//! Records a microphone on a thread of its own, into the inbox of a vault that
//! may be locked.
//!
//! The recording begins with the first sound that comes from it. The thread ends
//! when it is told to, when the limit is reached, or when the vault can't be written.
//! A microphone that goes away is waited for: what was lost is noted as a gap, and the
//! recording goes on when it returns. A full disk is tried again for as long as the
//! sound can wait in the ring, six seconds; then the recording ends with all that was
//! written.

mod bridge;
mod clock;
mod ear;
mod ending;
mod lull;
mod take;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::outbox::Outbox;
use super::{space, taking};
use crate::audio::{Capture, Intake, Microphone};
use crate::error::{Exit, Failure};
use crate::recording::{Moment, RecordingId, STORED_RATE_HZ, Source, State};
use crate::vault::Vault;
use clock::Clock;
use ear::Ear;
use take::Take;

/// For how long nothing but digital silence may come without a word, seconds.
pub const SILENT_AFTER_S: f64 = 5.0;

/// What to record.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The microphone; the default one unless named.
    pub device: Option<String>,
    /// The title.
    pub title: String,
    /// Tags, in order.
    pub tags: Vec<String>,
    /// When to stop by itself, after the first sound; what is missing counts as well.
    pub limit: Option<Duration>,
}

/// What the recorder is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The microphone has just been opened: the recording begins with its first
    /// sound.
    Opening,
    /// It takes in sound.
    Recording,
    /// Its owner has paused it.
    Paused,
    /// The microphone has been open for a while, and nothing has come from it yet.
    NothingComes,
    /// The microphone went away; it is waited for.
    WaitingForMicrophone,
    /// The disk is full: what comes waits for a moment.
    DiskFull,
}

/// How the recording stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// What it is doing, or did last.
    pub phase: Phase,
    /// It has ended; [`Recorder::stop`] says how.
    pub has_ended: bool,
    /// Sound so far, seconds; on a full disk what of it is written.
    pub elapsed_s: f64,
    /// Loudest sample since the last look, dBFS.
    pub peak_dbfs: f32,
    /// Mean power since the last look, dBFS.
    pub rms_dbfs: f32,
    /// Sound that was lost, seconds.
    pub gap_s: f64,
    /// For how long nothing but digital silence came, seconds.
    pub silent_s: f64,
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
    /// What is missing of it.
    pub missing: Duration,
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
    /// Opens the microphone; the recording begins with its first sound. Needs no key.
    ///
    /// # Errors
    /// [`Exit::NoMicrophone`] when there is none, [`Exit::NoSpace`] on a full
    /// disk, and when the vault can't be written.
    pub fn start(
        vault: &Vault,
        options: Options,
        now: Now,
        wake: Option<Wake>,
    ) -> Result<Self, Failure> {
        // The microphone is not even opened for what can't be kept.
        space::require(vault)?;
        let capture = Capture::open(options.device.as_deref())?;
        Self::listen(vault, Box::new(capture), options, now, wake)
    }

    /// The same with a microphone that is open already.
    ///
    /// # Errors
    /// [`Exit::NoSpace`] on a full disk, and when the vault can't be written.
    pub fn listen(
        vault: &Vault,
        microphone: Box<dyn Microphone>,
        options: Options,
        now: Now,
        wake: Option<Wake>,
    ) -> Result<Self, Failure> {
        Self::hear(
            vault,
            Ear::new(microphone, Clock::new()),
            options,
            now,
            wake,
        )
    }

    fn hear(
        vault: &Vault,
        ear: Ear,
        options: Options,
        now: Now,
        wake: Option<Wake>,
    ) -> Result<Self, Failure> {
        space::require(vault)?;
        let intake = Intake::new(ear.shape().clone())?;
        let mut card = taking::card(Source::Mic, options.title, options.tags, now());
        card.device = Some(ear.name().to_owned());
        card.pre_skip = intake.pre_skip();
        let writer = vault.begin(&card)?;
        let id = writer.id();
        let outbox = Outbox::new(writer);
        let status = Status {
            phase: Phase::Opening,
            has_ended: false,
            elapsed_s: 0.0,
            peak_dbfs: -120.0,
            rms_dbfs: -120.0,
            gap_s: 0.0,
            silent_s: 0.0,
            markers: 0,
            device: ear.name().to_owned(),
            space_left: outbox.space_left(vault),
        };
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            wishes: Mutex::default(),
            status: Mutex::new(status),
            stopped: Condvar::new(),
        });
        let limit = options.limit.map(samples_of);
        let begun = take::Begun {
            id,
            ear,
            intake,
            outbox,
            card,
            now,
        };
        let take = Take::new(Arc::clone(&shared), vault.clone(), begun)
            .until(limit)
            .telling(wake);
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
        let goes_on = |status: &mut Status| !status.has_ended;
        let (status, _) = self
            .shared
            .stopped
            .wait_timeout_while(status, at_most, goes_on)
            .unwrap_or_else(PoisonError::into_inner);
        !status.has_ended
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

fn samples_of(length: Duration) -> u64 {
    (length.as_secs_f64() * f64::from(STORED_RATE_HZ)) as u64
}

fn seconds(samples: u64) -> f64 {
    samples as f64 / f64::from(STORED_RATE_HZ)
}

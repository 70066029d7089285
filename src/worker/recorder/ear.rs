//! What a recorder hears: a microphone that may go away and come back, open and
//! say nothing, fall silent for a moment, or be late.
//!
//! A recording begins with the first sound that comes: a device takes its time to
//! wake up. Whatever is missing from then on is told as a gap at the place where it
//! is missing, so that sound and gaps together are as long as the recording took.

use std::time::Duration;

use super::bridge::Bridge;
use super::clock::Clock;
use super::lull::Lull;
use crate::audio::{CaptureGap, Microphone, Shape};
use crate::error::Failure;
use crate::recording::STORED_RATE_HZ;

/// How long is waited for sound before there is a chance to do something else.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// How often a microphone that went away is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a microphone may take until its first sound, without a word.
const FIRST_WITHIN: Duration = Duration::from_secs(2);

/// From which nothing has come by then, nothing will.
const HOPELESS_AFTER: Duration = Duration::from_secs(20);

/// What there is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// The microphone has just been opened: its first sound is to come.
    Opening,
    /// Sound comes in.
    Sound,
    /// The microphone is open, and nothing has come from it for too long.
    Nothing,
    /// It went away.
    Lost,
}

/// What one listening brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Whether there is sound.
    pub(super) sound: bool,
    /// What is missing.
    pub(super) missing: Vec<Missing>,
}

/// Sound that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing {
    /// Where, in samples at 48 kHz behind the start of the sound that came with
    /// it, or before that.
    pub(super) at: i64,
    /// How much, samples at 48 kHz.
    pub(super) samples: u64,
}

/// How the microphone stands.
enum State {
    /// It is open, and nothing came since.
    Open,
    Sound,
    /// It went away, and could not be opened again when that was last tried.
    Gone {
        tried: Option<Duration>,
    },
}

/// Listens to a microphone.
pub(super) struct Ear {
    microphone: Box<dyn Microphone>,
    /// What its listener was told; the microphone may return with another.
    shape: Shape,
    bridge: Option<Bridge>,
    clock: Clock,
    state: State,
    /// Something came from it, ever.
    ever: bool,
    began: Duration,
    /// Until when all is accounted for, once something came.
    heard_at: Duration,
    lull: Option<Lull>,
    /// Frames since the microphone was opened, for the places of gaps.
    frames: u64,
    raw: Vec<f32>,
    gaps: Vec<CaptureGap>,
}

impl Ear {
    pub(super) fn new(microphone: Box<dyn Microphone>, clock: Clock) -> Self {
        let now = clock.now();
        Self {
            shape: microphone.shape().clone(),
            microphone,
            bridge: None,
            clock,
            state: State::Open,
            ever: false,
            began: now,
            heard_at: now,
            lull: None,
            frames: 0,
            raw: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Rate and channels of what [`listen`](Self::listen) gives, for good.
    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The microphone's name.
    pub(super) fn name(&self) -> &str {
        self.microphone.name()
    }

    /// What there is to hear.
    pub(super) fn hearing(&self) -> Hearing {
        match (&self.state, self.ever) {
            (State::Sound, _) => Hearing::Sound,
            (State::Open | State::Gone { .. }, true) => Hearing::Lost,
            // One that says nothing is closed and opened again; that is no loss.
            (State::Gone { tried: Some(_) }, false) => Hearing::Lost,
            _ if self.waited(self.clock.now()) >= FIRST_WITHIN => Hearing::Nothing,
            _ => Hearing::Opening,
        }
    }

    fn waited(&self, now: Duration) -> Duration {
        now.saturating_sub(self.began)
    }

    /// Nothing ever came from it, for so long that nothing will.
    pub(super) fn is_hopeless(&self) -> bool {
        !self.ever && self.waited(self.clock.now()) >= HOPELESS_AFTER
    }

    /// How much is missing up to now, samples at 48 kHz.
    pub(super) fn missing_now(&self) -> u64 {
        match (self.hearing(), self.ever) {
            (Hearing::Lost, true) => samples(self.clock.now().saturating_sub(self.heard_at)),
            _ => 0,
        }
    }

    /// What is missing up to now is not wanted: the recording is paused.
    pub(super) fn forgive(&mut self) {
        self.heard_at = self.clock.now();
        self.lull = None;
    }

    /// What is missing of what was heard and was not told yet, since it could have been
    /// late: the recording ends or is paused here, and it will not be waited for.
    pub(super) fn settle(&mut self) -> Option<Missing> {
        self.lull.take()?.missing()
    }

    /// Waits a little for sound, and puts it into `block`.
    ///
    /// # Errors
    /// When what came can't be worked with.
    pub(super) fn listen(&mut self, block: &mut Vec<f32>) -> Result<Heard, Failure> {
        block.clear();
        if let State::Gone { tried } = self.state {
            std::thread::sleep(PATIENCE);
            self.look_for_it(tried)?;
            return Ok(Heard::default());
        }
        self.raw.clear();
        let read = self.microphone.read(&mut self.raw, PATIENCE);
        let now = self.clock.now();
        let mut heard = Heard::default();
        match read {
            Ok(captured) => {
                self.gaps = captured.gaps;
                self.account(captured.frames, now, &mut heard);
            }
            Err(error) if error.is_lost() => {
                heard.missing.extend(self.settle());
                self.state = State::Gone { tried: None };
            }
            Err(error) => return Err(error.into()),
        }
        match &mut self.bridge {
            Some(bridge) => block.extend_from_slice(bridge.carry(&self.raw)?),
            None => std::mem::swap(block, &mut self.raw),
        }
        Ok(heard)
    }

    /// Counts what came, and what is missing before it and in it.
    fn account(&mut self, frames: u64, now: Duration, heard: &mut Heard) {
        let rate_hz = self.microphone.shape().rate_hz();
        let stored = |frames: u64| frames * u64::from(STORED_RATE_HZ) / u64::from(rate_hz);
        let came = stored(frames);
        heard.sound = frames > 0;
        if frames > 0 && self.ever && !matches!(self.state, State::Sound) {
            let due = samples(now.saturating_sub(self.heard_at));
            heard.missing.push(Missing {
                at: 0,
                samples: due.saturating_sub(came),
            });
        } else if frames > 0 && self.ever && self.lull.is_none() {
            self.lull = Lull::before(self.heard_at, now, came);
        }
        let mut told = 0;
        for gap in self.gaps.drain(..) {
            let at = stored(gap.at_frame.saturating_sub(self.frames).min(frames));
            told += stored(gap.frames);
            heard.missing.push(Missing {
                at: at.cast_signed(),
                samples: stored(gap.frames),
            });
        }
        self.frames += frames;
        if frames > 0 {
            (self.state, self.ever) = (State::Sound, true);
            self.heard_at = now;
        } else if told > 0 {
            // The sound behind it comes with the next read.
            self.heard_at = now.min(self.heard_at + length_of(told));
        }
        if let Some(lull) = self.lull.as_mut().filter(|_| frames > 0 || told > 0) {
            lull.count(now, came, told);
            if lull.is_settled(now) {
                let missing = self.settle().map(|missing| Missing {
                    // It is told before the sound is taken that came now.
                    at: missing.at + came.cast_signed(),
                    ..missing
                });
                heard.missing.extend(missing);
            }
        }
    }

    fn look_for_it(&mut self, tried: Option<Duration>) -> Result<(), Failure> {
        let now = self.clock.now();
        if tried.is_some_and(|at| now.saturating_sub(at) < LOOK_EVERY) {
            return Ok(());
        }
        self.state = match self.open_again()? {
            true => State::Open,
            false => State::Gone { tried: Some(now) },
        };
        Ok(())
    }

    /// Tries the microphone again; it may return with another rate or other
    /// channels.
    fn open_again(&mut self) -> Result<bool, Failure> {
        if self.microphone.reopen().is_err() {
            return Ok(false);
        }
        self.frames = 0;
        self.bridge = Bridge::between(self.microphone.shape(), &self.shape)?;
        Ok(true)
    }
}

fn length_of(samples: u64) -> Duration {
    Duration::from_secs_f64(samples as f64 / f64::from(STORED_RATE_HZ))
}

/// So much sound, in samples at 48 kHz.
pub(super) fn samples(length: Duration) -> u64 {
    let samples = length.as_nanos() * u128::from(STORED_RATE_HZ) / 1_000_000_000;
    u64::try_from(samples).unwrap_or(u64::MAX)
}

//! What a recorder hears: a microphone that may go away and come back, open and
//! say nothing, or be late because this process was stopped.
//!
//! Whatever is missing at the end is told as a gap at the place where it is
//! missing, so that sound and gaps together are as long as the recording took.

use std::time::Duration;

use super::bridge::Bridge;
use super::clock::Clock;
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

/// Between two looks there is a tenth of a second. When there was much more, this
/// process stood still, and the sound system may have dropped something.
const STOOD_STILL: Duration = Duration::from_secs(1);

/// By when all has come that was kept for a process that stood still.
const CAUGHT_UP: Duration = Duration::from_secs(2);

/// Less than this may just as well be late.
const LEAST_MISSING: Duration = Duration::from_millis(300);

/// What there is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// Sound comes in.
    Sound,
    /// The microphone is open, and nothing has come from it yet.
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

/// This process stood still for a while.
struct Stall {
    /// Since when.
    from: Duration,
    /// When that was noticed.
    noticed: Duration,
    /// What was heard and what was told as missing since, samples at 48 kHz.
    heard: u64,
    told: u64,
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
    /// Until when all is accounted for.
    heard_at: Duration,
    looked_at: Duration,
    stall: Option<Stall>,
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
            looked_at: now,
            stall: None,
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
            _ if self.waited(self.clock.now()) >= FIRST_WITHIN => Hearing::Nothing,
            _ => Hearing::Sound,
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
        match self.hearing() {
            Hearing::Sound => 0,
            Hearing::Nothing | Hearing::Lost => {
                samples(self.clock.now().saturating_sub(self.heard_at))
            }
        }
    }

    /// What is missing up to now is not wanted: the recording is paused.
    pub(super) fn forgive(&mut self) {
        self.heard_at = self.clock.now();
        self.stall = None;
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
            self.looked_at = self.clock.now();
            return Ok(Heard::default());
        }
        self.raw.clear();
        let read = self.microphone.read(&mut self.raw, PATIENCE);
        let now = self.clock.now();
        self.notice_standing_still(now);
        let mut heard = Heard::default();
        match read {
            Ok(captured) => {
                self.gaps = captured.gaps;
                let came = self.account(captured.frames, now, &mut heard);
                self.settle(now, came, &mut heard);
            }
            Err(error) if error.is_lost() => {
                self.settle_at(self.heard_at, 0, &mut heard);
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

    /// Counts what came, and what is missing before it and in it; how much came,
    /// samples at 48 kHz.
    fn account(&mut self, frames: u64, now: Duration, heard: &mut Heard) -> u64 {
        let rate_hz = self.microphone.shape().rate_hz();
        let stored = |frames: u64| frames * u64::from(STORED_RATE_HZ) / u64::from(rate_hz);
        heard.sound = frames > 0;
        let late = match self.ever {
            true => !matches!(self.state, State::Sound),
            false => self.waited(now) >= FIRST_WITHIN,
        };
        if frames > 0 && late {
            let length = Duration::from_secs_f64(frames as f64 / f64::from(rate_hz));
            let missing = now.saturating_sub(self.heard_at + length);
            heard.missing.push(Missing {
                at: 0,
                samples: samples(missing),
            });
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
        }
        if let Some(stall) = &mut self.stall {
            stall.heard += stored(frames);
            stall.told += told;
        }
        stored(frames)
    }

    fn notice_standing_still(&mut self, now: Duration) {
        let from = std::mem::replace(&mut self.looked_at, now);
        let heard_before = matches!(self.state, State::Sound);
        if now.saturating_sub(from) >= STOOD_STILL && heard_before && self.stall.is_none() {
            self.stall = Some(Stall {
                from,
                noticed: now,
                heard: 0,
                told: 0,
            });
        }
    }

    /// Tells what did not come after this process stood still.
    fn settle(&mut self, now: Duration, came: u64, heard: &mut Heard) {
        let caught_up = |stall: &Stall| now.saturating_sub(stall.noticed) >= CAUGHT_UP;
        if self.stall.as_ref().is_some_and(caught_up) {
            self.settle_at(now, came, heard);
        }
    }

    /// The same at once; `came` with the sound that is read now.
    fn settle_at(&mut self, until: Duration, came: u64, heard: &mut Heard) {
        let Some(stall) = self.stall.take() else {
            return;
        };
        let due = samples(until.saturating_sub(stall.from));
        let missing = due.saturating_sub(stall.heard + stall.told);
        if missing >= samples(LEAST_MISSING) {
            heard.missing.push(Missing {
                at: came.cast_signed() - stall.heard.cast_signed(),
                samples: missing,
            });
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

fn samples(length: Duration) -> u64 {
    (length.as_secs_f64() * f64::from(STORED_RATE_HZ)) as u64
}

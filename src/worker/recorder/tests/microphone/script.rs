//! A microphone that does what a script says, on a clock that the script moves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::audio::{AudioError, CaptureGap, Captured, Microphone, Shape};
use crate::worker::recorder::clock::Clock;
use crate::worker::recorder::ear::Ear;

pub(super) const TONE_HZ: f64 = 440.0;

/// What happens next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// So many milliseconds of a tone, or of digital silence.
    Tone(u64),
    Zeros(u64),
    /// The ring had no room for so many milliseconds, and then a tone comes.
    Overrun(u64, u64),
    /// It is open, and nothing comes for so long.
    Quiet(u64),
    /// It is not there for so long.
    Away(u64),
    /// It can be opened again, with this rate and so many channels.
    Back(u32, u16),
    /// This process stands still for so long, and then a tone of another length
    /// is there to be read.
    Stopped(u64, u64),
}

#[derive(Clone)]
pub(super) struct Script {
    pub(super) steps: Arc<Mutex<VecDeque<Step>>>,
    pub(super) clock: Arc<Mutex<Duration>>,
    pub(super) shape: Shape,
    /// Frames since it was opened, and of the tone.
    pub(super) frames: u64,
    pub(super) turned: f64,
}

impl Script {
    pub(super) fn new(steps: &[Step]) -> Self {
        Self {
            steps: Arc::new(Mutex::new(steps.iter().copied().collect())),
            clock: Arc::default(),
            shape: Shape::new(48_000, 2).unwrap(),
            frames: 0,
            turned: 0.0,
        }
    }

    pub(super) fn ear(&self) -> Ear {
        let clock = Clock::by_hand(Arc::clone(&self.clock));
        Ear::new(Box::new(self.clone()), clock)
    }

    pub(super) fn is_over(&self) -> bool {
        self.steps.lock().unwrap().is_empty()
    }

    pub(super) fn pass(&self, ms: u64) {
        *self.clock.lock().unwrap() += Duration::from_millis(ms);
    }

    fn sound(&mut self, ms: u64, loud: f64, out: &mut Vec<f32>) -> Captured {
        let rate_hz = f64::from(self.shape.rate_hz());
        let frames = ms * u64::from(self.shape.rate_hz()) / 1000;
        for _ in 0..frames {
            let sample = (self.turned.sin() * loud) as f32;
            out.extend(std::iter::repeat_n(sample, self.shape.channels()));
            self.turned += std::f64::consts::TAU * TONE_HZ / rate_hz;
        }
        self.frames += frames;
        Captured {
            frames,
            gaps: Vec::new(),
        }
    }
}

impl Microphone for Script {
    fn name(&self) -> &str {
        "scripted"
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn read(&mut self, out: &mut Vec<f32>, _: Duration) -> Result<Captured, AudioError> {
        let next = self.steps.lock().unwrap().front().copied();
        let Some(next) = next else {
            std::thread::sleep(Duration::from_millis(1));
            return Ok(Captured::default());
        };
        if matches!(next, Step::Away(_) | Step::Back(..)) {
            return Err(AudioError::Lost {
                name: "scripted".to_owned(),
                why: "it is no longer there".to_owned(),
            });
        }
        self.steps.lock().unwrap().pop_front();
        match next {
            Step::Tone(ms) => {
                self.pass(ms);
                Ok(self.sound(ms, 0.2, out))
            }
            Step::Zeros(ms) => {
                self.pass(ms);
                Ok(self.sound(ms, 0.0, out))
            }
            Step::Overrun(lost_ms, ms) => {
                self.pass(lost_ms + ms);
                let gap = CaptureGap {
                    at_frame: self.frames,
                    frames: lost_ms * u64::from(self.shape.rate_hz()) / 1000,
                };
                let sound = self.sound(ms, 0.2, out);
                Ok(Captured {
                    gaps: vec![gap],
                    ..sound
                })
            }
            Step::Quiet(ms) => {
                self.pass(ms);
                Ok(Captured::default())
            }
            Step::Stopped(still_ms, ms) => {
                self.pass(still_ms);
                Ok(self.sound(ms, 0.2, out))
            }
            Step::Away(_) | Step::Back(..) => Ok(Captured::default()),
        }
    }

    fn reopen(&mut self) -> Result<(), AudioError> {
        let next = self.steps.lock().unwrap().pop_front();
        match next {
            Some(Step::Back(rate_hz, channels)) => {
                self.shape = Shape::new(rate_hz, channels)?;
                self.frames = 0;
                Ok(())
            }
            Some(Step::Away(ms)) => {
                self.pass(ms);
                Err(AudioError::NoMicrophone)
            }
            other => {
                self.steps.lock().unwrap().extend(other);
                Err(AudioError::NoMicrophone)
            }
        }
    }
}

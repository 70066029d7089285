//! What a microphone's callback fills and a thread empties.
//!
//! The callback's side takes no lock, allocates nothing and logs nothing: a
//! callback that waits loses sound. When the ring is full, whole callbacks are
//! dropped, counted, and told as a gap at the place where they are missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

/// Sound that was lost on its way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureGap {
    /// Frames captured before it, since this stream was opened.
    pub at_frame: u64,
    /// Frames that are missing there.
    pub frames: u64,
}

/// Gaps that may wait to be read; more are put together with the last.
const MOST_GAPS: usize = 64;

/// What both sides see.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Callbacks so far: the sign of life.
    callbacks: AtomicU64,
    /// The sound system said that it lost something.
    overrun: AtomicBool,
    /// Why the stream is over; 0 while it is not.
    broken: AtomicU8,
}

/// Why a stream is over, as far as the error callback can say without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Broken {
    Gone = 1,
    Invalid = 2,
    Other = 3,
}

impl Shared {
    pub(super) fn callbacks(&self) -> u64 {
        self.callbacks.load(Ordering::Relaxed)
    }

    pub(super) fn broken(&self) -> Option<Broken> {
        match self.broken.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Broken::Gone),
            2 => Some(Broken::Invalid),
            _ => Some(Broken::Other),
        }
    }

    /// Called by the error callback.
    pub(super) fn note(&self, kind: cpal::ErrorKind) {
        use cpal::ErrorKind as Kind;
        let broken = match kind {
            Kind::Xrun => return self.overrun.store(true, Ordering::Relaxed),
            Kind::RealtimeDenied | Kind::DeviceChanged => return,
            Kind::DeviceNotAvailable | Kind::HostUnavailable => Broken::Gone,
            Kind::StreamInvalidated => Broken::Invalid,
            _ => Broken::Other,
        };
        self.broken.store(broken as u8, Ordering::Relaxed);
    }
}

/// The callback's side.
pub(super) struct Filler {
    samples: Producer<f32>,
    gaps: Producer<CaptureGap>,
    shared: Arc<Shared>,
    channels: usize,
    rate_hz: u32,
    /// Frames put in so far.
    frames: u64,
    /// Frames lost since the last that was put in.
    lost: u64,
    /// When the next frame is expected, on the device's clock.
    next_at: Option<std::time::Duration>,
}

/// The reader's side.
pub(super) struct Drain {
    samples: Consumer<f32>,
    gaps: Consumer<CaptureGap>,
    pub(super) shared: Arc<Shared>,
    channels: usize,
}

/// A ring that holds this many seconds.
pub(super) fn ring(rate_hz: u32, channels: usize, seconds: usize) -> (Filler, Drain) {
    let shared = Arc::new(Shared::default());
    let (fill, drain) = RingBuffer::new(rate_hz as usize * channels * seconds);
    let (fill_gaps, drain_gaps) = RingBuffer::new(MOST_GAPS);
    let filler = Filler {
        samples: fill,
        gaps: fill_gaps,
        shared: Arc::clone(&shared),
        channels,
        rate_hz,
        frames: 0,
        lost: 0,
        next_at: None,
    };
    (
        filler,
        Drain {
            samples: drain,
            gaps: drain_gaps,
            shared,
            channels,
        },
    )
}

impl Filler {
    /// Samples that fit in.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.samples.slots()
    }

    /// Takes what one callback brought: interleaved samples, and when the first
    /// of them was captured, on the device's clock.
    pub(super) fn take(
        &mut self,
        count: usize,
        captured_at: std::time::Duration,
        samples: impl Iterator<Item = f32>,
    ) {
        let frames = (count / self.channels) as u64;
        self.count_overrun(captured_at, frames);
        let (at_frame, lost) = (self.frames, self.lost);
        match self.samples.write_chunk_uninit(count) {
            Ok(chunk) => {
                // Told before the samples are to be seen, so that a gap is
                // never behind what follows it.
                let told = lost > 0
                    && self
                        .gaps
                        .push(CaptureGap {
                            at_frame,
                            frames: lost,
                        })
                        .is_ok();
                if told {
                    self.lost = 0;
                }
                chunk.fill_from_iter(samples);
                self.frames += frames;
            }
            Err(_) => self.lost += frames,
        }
        self.shared.callbacks.fetch_add(1, Ordering::Relaxed);
    }

    /// After an overrun in the sound system the clock tells what is missing.
    fn count_overrun(&mut self, captured_at: std::time::Duration, frames: u64) {
        if self.shared.overrun.swap(false, Ordering::Relaxed)
            && let Some(next_at) = self.next_at
        {
            let late = captured_at.saturating_sub(next_at).as_micros();
            let missing = late * u128::from(self.rate_hz) / 1_000_000;
            self.lost += u64::try_from(missing).unwrap_or(0);
        }
        let length = frames * 1_000_000 / u64::from(self.rate_hz.max(1));
        self.next_at = Some(captured_at + std::time::Duration::from_micros(length));
    }
}

impl Drain {
    /// Appends all that is there to `out`; returns the frames.
    pub(super) fn samples_into(&mut self, out: &mut Vec<f32>) -> u64 {
        let count = self.samples.slots() / self.channels * self.channels;
        let Ok(chunk) = self.samples.read_chunk(count) else {
            return 0;
        };
        let (first, second) = chunk.as_slices();
        out.extend_from_slice(first);
        out.extend_from_slice(second);
        chunk.commit_all();
        (count / self.channels) as u64
    }

    /// Appends the gaps that were told since the last time.
    pub(super) fn gaps_into(&mut self, out: &mut Vec<CaptureGap>) {
        while let Ok(gap) = self.gaps.pop() {
            out.push(gap);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn take(filler: &mut Filler, frames: usize, at_ms: u64) {
        let samples = vec![0.5; frames * 2];
        filler.take(
            samples.len(),
            Duration::from_millis(at_ms),
            samples.into_iter(),
        );
    }

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let (mut filler, mut drain) = ring(1_000, 2, 1);
        for round in 0..50 {
            let samples: Vec<f32> = (0..200).map(|x| (round * 200 + x) as f32).collect();
            filler.take(200, Duration::ZERO, samples.iter().copied());
            let mut out = Vec::new();
            assert_eq!(drain.samples_into(&mut out), 100);
            assert_eq!(out, samples);
        }
    }

    #[test]
    fn what_does_not_fit_is_told_as_a_gap_where_it_is_missing() {
        let (mut filler, mut drain) = ring(1_000, 2, 1);
        for at in 0..13 {
            take(&mut filler, 100, at * 100);
        }
        let (mut out, mut gaps) = (Vec::new(), Vec::new());
        assert_eq!(drain.samples_into(&mut out), 1_000);
        take(&mut filler, 100, 1_300);
        drain.gaps_into(&mut gaps);
        assert_eq!(
            gaps,
            [CaptureGap {
                at_frame: 1_000,
                frames: 300
            }]
        );
        assert_eq!(drain.samples_into(&mut out), 100);
    }

    #[test]
    fn what_the_sound_system_lost_is_counted_by_its_clock() {
        let (mut filler, mut drain) = ring(1_000, 2, 1);
        take(&mut filler, 100, 0);
        drain.shared.note(cpal::ErrorKind::Xrun);
        take(&mut filler, 100, 350);
        let mut gaps = Vec::new();
        drain.gaps_into(&mut gaps);
        assert_eq!(
            gaps,
            [CaptureGap {
                at_frame: 100,
                frames: 250
            }]
        );
    }

    #[test]
    fn a_late_callback_alone_is_no_gap() {
        let (mut filler, mut drain) = ring(1_000, 2, 1);
        take(&mut filler, 100, 0);
        take(&mut filler, 100, 350);
        let mut gaps = Vec::new();
        drain.gaps_into(&mut gaps);
        assert!(gaps.is_empty());
    }

    #[test]
    fn an_error_that_ends_the_stream_is_seen() {
        let (_filler, drain) = ring(1_000, 2, 1);
        drain.shared.note(cpal::ErrorKind::RealtimeDenied);
        assert_eq!(drain.shared.broken(), None);
        drain.shared.note(cpal::ErrorKind::DeviceNotAvailable);
        assert_eq!(drain.shared.broken(), Some(Broken::Gone));
    }
}

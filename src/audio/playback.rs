//! Loudspeakers.
//!
//! The caller writes mono samples at 48 kHz into a ring; the device takes them
//! at its own rate and format, the same on every channel. Pausing keeps the
//! device open and gives it silence, since not every ALSA plug-in can stop.
//! Speed is not changed here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{BufferSize, Device, FromSample, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use super::device::{self, Direction, with_sample_type};
use super::error::AudioError;
use super::hush::Hush;
use super::resample::Resampler;
use crate::recording::STORED_RATE_HZ;

/// What the ring holds, in tenths of a second: enough to survive a busy
/// machine, and little enough that a seek is heard at once.
const RING_TENTHS: usize = 5;

/// How often the device is to ask for more, where it lets one choose: with the
/// seconds that a sound server takes by itself, a pause would be heard late.
const CALLBACKS_PER_S: u32 = 20;

/// How long opening may take.
const OPEN_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Sound on its way to a loudspeaker. Dropping it falls silent at once.
pub struct Playback {
    name: String,
    rate_hz: u32,
    /// Held so that the device stays open; None only while it is closed.
    stream: Option<Stream>,
    ring: Producer<f32>,
    resampler: Option<Resampler>,
    /// Resampled, and not yet in the ring.
    waiting: Vec<f32>,
    shared: Arc<Shared>,
}

/// What the callback and the caller both see.
#[derive(Default)]
struct Shared {
    /// Frames of sound that the device took, at its own rate.
    played: AtomicU64,
    paused: AtomicBool,
    /// The callback is to throw away what is in the ring.
    flush: AtomicBool,
    broken: AtomicU8,
}

impl Playback {
    /// Opens the loudspeaker of this name, or the default one.
    ///
    /// # Errors
    /// [`AudioError::NoSuchDevice`] or `Device`.
    pub fn open(name: Option<&str>) -> Result<Self, AudioError> {
        let _hush = Hush::new();
        let device = device::find(name, Direction::Output).map_err(|error| match error {
            AudioError::NoMicrophone => AudioError::Device {
                name: "default".to_owned(),
                why: "there is no loudspeaker".to_owned(),
            },
            other => other,
        })?;
        let name = device::name_of(&device);
        let refused = |error: cpal::Error| device::refused(&name, &error);
        let usual = device.default_output_config().map_err(refused)?;
        let config =
            device::config_with(&device, Direction::Output, STORED_RATE_HZ, usual.channels())
                .unwrap_or(usual);
        let rate_hz = config.sample_rate();
        let shared = Arc::new(Shared::default());
        let open = |buffer| {
            let (ring, consumer) = RingBuffer::new(rate_hz as usize * RING_TENTHS / 10);
            let feed = Feed {
                ring: consumer,
                shared: Arc::clone(&shared),
                channels: usize::from(config.channels()),
            };
            let settings = StreamConfig {
                buffer_size: buffer,
                ..config.config()
            };
            let stream = with_sample_type!(config.sample_format(),
                T => speak::<T>(&device, settings, feed),
                otherwise Err(cpal::ErrorKind::UnsupportedConfig.into()));
            stream.map(|stream| (stream, ring))
        };
        let brief = BufferSize::Fixed(rate_hz / CALLBACKS_PER_S);
        let opened = open(brief).or_else(|_| open(BufferSize::Default));
        let (stream, ring) = opened.map_err(refused)?;
        stream.play().map_err(refused)?;
        let resampler = resampler_to(rate_hz)?;
        Ok(Self {
            name,
            rate_hz,
            stream: Some(stream),
            ring,
            resampler,
            waiting: Vec::new(),
            shared,
        })
    }

    /// The device's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes in mono samples at 48 kHz, as many as there is room for, without
    /// waiting; returns how many. The ring holds half a second.
    ///
    /// # Errors
    /// [`AudioError::Device`] once the loudspeaker is gone.
    pub fn write(&mut self, mono: &[f32]) -> Result<usize, AudioError> {
        if self.shared.broken.load(Ordering::Relaxed) != 0 {
            let why = "the loudspeaker is gone".to_owned();
            return Err(AudioError::Device {
                name: self.name.clone(),
                why,
            });
        }
        self.move_waiting();
        if !self.waiting.is_empty() {
            return Ok(0);
        }
        // Slots are counted at the device's rate.
        let room = self.ring.slots() as u64 * u64::from(STORED_RATE_HZ) / u64::from(self.rate_hz);
        let count = usize::try_from(room).unwrap_or(0).min(mono.len());
        let taken = mono.get(..count).unwrap_or_default();
        match &mut self.resampler {
            Some(resampler) => resampler.push(taken, &mut self.waiting)?,
            None => self.waiting.extend_from_slice(taken),
        }
        self.move_waiting();
        Ok(count)
    }

    /// Gives out the rest of the resampler: after the last `write`.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if the resampler refuses.
    pub fn end(&mut self) -> Result<(), AudioError> {
        if let Some(resampler) = self.resampler.take() {
            resampler.finish(&mut self.waiting)?;
            self.resampler = resampler_to(self.rate_hz)?;
        }
        self.move_waiting();
        Ok(())
    }

    fn move_waiting(&mut self) {
        let taken = self.ring.push_partial_slice(&self.waiting).0.len();
        self.waiting.drain(..taken);
    }

    /// Samples at 48 kHz that the device took since the opening or the last
    /// [`clear`](Self::clear).
    #[must_use]
    pub fn position(&self) -> u64 {
        let played = u128::from(self.shared.played.load(Ordering::Relaxed));
        let stored = played * u128::from(STORED_RATE_HZ) / u128::from(self.rate_hz.max(1));
        u64::try_from(stored).unwrap_or(u64::MAX)
    }

    /// All that was written was taken by the device, which plays its own buffer
    /// (some 50 ms) a little longer.
    #[must_use]
    pub fn is_drained(&mut self) -> bool {
        self.move_waiting();
        self.waiting.is_empty() && self.ring.slots() == self.ring.buffer().capacity()
    }

    /// Falls silent and keeps what is written.
    pub fn pause(&self) {
        self.shared.paused.store(true, Ordering::Relaxed);
    }

    /// Goes on where it was paused.
    pub fn resume(&self) {
        self.shared.paused.store(false, Ordering::Relaxed);
    }

    /// Throws away what is written but not played, for a jump elsewhere; the
    /// position counts from 0 again.
    ///
    /// # Errors
    /// [`AudioError::Codec`] if the resampler can't be made anew.
    pub fn clear(&mut self) -> Result<(), AudioError> {
        self.waiting.clear();
        self.resampler = resampler_to(self.rate_hz)?;
        self.shared.flush.store(true, Ordering::Release);
        // The callback comes every few milliseconds; what is written before it
        // came would be thrown away as well.
        for _ in 0..50 {
            let gone = self.shared.broken.load(Ordering::Relaxed) != 0;
            if gone || !self.shared.flush.load(Ordering::Acquire) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Playback {
    fn drop(&mut self) {
        self.stream.take().into_iter().for_each(device::close);
    }
}

fn resampler_to(rate_hz: u32) -> Result<Option<Resampler>, AudioError> {
    (rate_hz != STORED_RATE_HZ)
        .then(|| Resampler::new(STORED_RATE_HZ, rate_hz))
        .transpose()
}

/// The callback's side: takes no lock, allocates nothing.
struct Feed {
    ring: Consumer<f32>,
    shared: Arc<Shared>,
    channels: usize,
}

impl Feed {
    /// Fills one buffer of interleaved samples.
    fn fill<T: SizedSample + FromSample<f32>>(&mut self, buffer: &mut [T]) {
        if self.shared.flush.load(Ordering::Acquire) {
            let all = self.ring.slots();
            if let Ok(chunk) = self.ring.read_chunk(all) {
                chunk.commit_all();
            }
            self.shared.played.store(0, Ordering::Relaxed);
            self.shared.flush.store(false, Ordering::Release);
        }
        let paused = self.shared.paused.load(Ordering::Relaxed);
        let mut played = 0;
        for frame in buffer.chunks_exact_mut(self.channels) {
            let sample = if paused { None } else { self.ring.pop().ok() };
            played += u64::from(sample.is_some());
            frame.fill(T::from_sample(sample.unwrap_or(0.0).clamp(-1.0, 1.0)));
        }
        self.shared.played.fetch_add(played, Ordering::Relaxed);
    }
}

fn speak<T: SizedSample + FromSample<f32>>(
    device: &Device,
    config: StreamConfig,
    mut feed: Feed,
) -> Result<Stream, cpal::Error> {
    let shared = Arc::clone(&feed.shared);
    device.build_output_stream::<T, _, _>(
        config,
        move |buffer, _| feed.fill(buffer),
        move |error| {
            // After every other error cpal goes on: PulseAudio's plug-in for
            // one says once that it knows no delay before the first sound.
            if error.kind() == cpal::ErrorKind::DeviceNotAvailable {
                shared.broken.store(1, Ordering::Relaxed);
            }
        },
        Some(OPEN_WITHIN),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(samples: &[f32]) -> Feed {
        let (mut producer, ring) = RingBuffer::new(16);
        assert!(producer.push_entire_slice(samples).is_ok());
        Feed {
            ring,
            shared: Arc::default(),
            channels: 2,
        }
    }

    #[test]
    fn every_channel_gets_the_same_and_what_is_missing_is_silence() {
        let mut feed = feed(&[0.5, -0.5]);
        let mut buffer = [1.0_f32; 6];
        feed.fill(&mut buffer);
        assert_eq!(buffer, [0.5, 0.5, -0.5, -0.5, 0.0, 0.0]);
        assert_eq!(feed.shared.played.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_pause_keeps_what_is_written() {
        let mut feed = feed(&[0.5]);
        let mut buffer = [1.0_f32; 2];
        feed.shared.paused.store(true, Ordering::Relaxed);
        feed.fill(&mut buffer);
        assert_eq!(buffer, [0.0, 0.0]);
        feed.shared.paused.store(false, Ordering::Relaxed);
        feed.fill(&mut buffer);
        assert_eq!(buffer, [0.5, 0.5]);
    }

    #[test]
    fn a_flush_throws_away_what_is_written() {
        let mut feed = feed(&[0.5, 0.5, 0.5]);
        feed.shared.flush.store(true, Ordering::Relaxed);
        let mut buffer = [1_i16; 2];
        feed.fill(&mut buffer);
        assert_eq!(buffer, [0, 0]);
        assert!(!feed.shared.flush.load(Ordering::Relaxed));
    }
}

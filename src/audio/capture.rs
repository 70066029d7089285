//! The microphone.
//!
//! Sound is taken at the device's own rate, in its own format, with all of its
//! channels; nothing is converted but the format. The reader is never more than
//! a few seconds late without that being told as a gap. A microphone can vanish
//! without an error: when nothing came for two seconds, it is lost.

use std::thread;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{
    BufferSize, Device, FromSample, Sample, SizedSample, Stream, StreamConfig,
    SupportedStreamConfig,
};

use super::device::{self, Direction, with_sample_type};
use super::error::AudioError;
use super::hush::Hush;
use super::ring::{Broken, CaptureGap, Drain, Filler, ring};
use super::shape::Shape;

/// What the ring holds: longer than any fsync one would still record with.
const RING_S: usize = 8;

/// How often the device is to bring something: every 50 ms is soon enough for a
/// meter, and costs little.
const CALLBACKS_PER_S: u32 = 20;

/// No callback for this long means that the microphone is gone.
const LOST_AFTER: Duration = Duration::from_secs(2);

/// The first callback may take longer: sound servers wake a sleeping device up.
const FIRST_WITHIN: Duration = Duration::from_secs(5);

/// Who did not look for this long (stopped, asleep, busy with a slow disk) can't
/// say that nothing came meanwhile: the callbacks may be just as late.
const BLIND_AFTER: Duration = Duration::from_secs(1);

/// How often the reader looks while it waits.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long opening may take.
const OPEN_WITHIN: Duration = Duration::from_secs(5);

/// A microphone that is listened to. Dropping it closes the device.
pub struct Capture {
    /// What was asked for; None is the default, whatever that is by then.
    wanted: Option<String>,
    name: String,
    shape: Shape,
    /// Held so that the device stays open; None only while it is closed.
    stream: Option<Stream>,
    drain: Drain,
    watch: Watch,
}

/// What one read brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// Frames that were appended; 0 if none came in time.
    pub frames: u64,
    /// What was lost since the last read.
    pub gaps: Vec<CaptureGap>,
}

impl Capture {
    /// Opens the microphone of this name, or the default one, and starts it.
    ///
    /// # Errors
    /// [`AudioError::NoMicrophone`], `NoSuchDevice` or `Device`.
    pub fn open(name: Option<&str>) -> Result<Self, AudioError> {
        let _hush = Hush::new();
        let device = device::find(name, Direction::Input)?;
        let config = usual_config(&device)?;
        Self::start(name, &device, config)
    }

    fn start(
        wanted: Option<&str>,
        device: &Device,
        config: SupportedStreamConfig,
    ) -> Result<Self, AudioError> {
        let name = device::name_of(device);
        let shape = Shape::new(config.sample_rate(), config.channels())?;
        let open = |buffer| {
            let (filler, drain) = ring(shape.rate_hz(), shape.channels(), RING_S);
            let settings = StreamConfig {
                buffer_size: buffer,
                ..config.config()
            };
            let stream = with_sample_type!(config.sample_format(),
                T => listen::<T>(device, settings, filler, &drain),
                otherwise Err(cpal::ErrorKind::UnsupportedConfig.into()));
            stream.map(|stream| (stream, drain))
        };
        // What a sound server takes by itself may be seconds; not every device
        // lets one choose.
        let brief = BufferSize::Fixed(shape.rate_hz() / CALLBACKS_PER_S);
        let opened = open(brief).or_else(|_| open(BufferSize::Default));
        let (stream, drain) = opened.map_err(|error| device::refused(&name, &error))?;
        stream
            .play()
            .map_err(|error| device::refused(&name, &error))?;
        let watch = Watch::new(Instant::now());
        Ok(Self {
            wanted: wanted.map(str::to_owned),
            name,
            shape,
            stream: Some(stream),
            drain,
            watch,
        })
    }

    /// A microphone without a device, and what fills it.
    #[cfg(test)]
    pub(super) fn simulated(shape: Shape) -> (Self, Filler) {
        let (filler, drain) = ring(shape.rate_hz(), shape.channels(), RING_S);
        let simulated = Self {
            wanted: None,
            name: "simulated".to_owned(),
            shape,
            stream: None,
            drain,
            watch: Watch::new(Instant::now()),
        };
        (simulated, filler)
    }

    /// The device's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Rate and channels of what is captured.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Appends the interleaved samples that came since the last read; waits
    /// until there are some, at most for `timeout`.
    ///
    /// # Errors
    /// [`AudioError::Lost`] once all was read and the microphone is gone. From
    /// then on only [`reopen`](Self::reopen) helps.
    pub fn read(&mut self, out: &mut Vec<f32>, timeout: Duration) -> Result<Captured, AudioError> {
        let until = Instant::now() + timeout;
        loop {
            // Looked at first: what it says came before what is read next.
            let broken = self.drain.shared.broken();
            let frames = self.drain.samples_into(out);
            let mut captured = Captured {
                frames,
                gaps: Vec::new(),
            };
            self.drain.gaps_into(&mut captured.gaps);
            let now = Instant::now();
            let alive = self.watch.is_alive(self.drain.shared.callbacks(), now);
            if captured.frames > 0 || !captured.gaps.is_empty() {
                return Ok(captured);
            }
            match broken {
                Some(why) => return Err(self.lost(words_for(why))),
                None if !alive => return Err(self.lost("nothing comes from it any more")),
                None if now >= until => return Ok(captured),
                None => thread::sleep(LOOK_EVERY.min(until - now)),
            }
        }
    }

    fn lost(&self, why: &str) -> AudioError {
        AudioError::Lost {
            name: self.name.clone(),
            why: why.to_owned(),
        }
    }

    /// Opens the same microphone again, with the same rate and channels if it
    /// still has them; see [`shape`](Self::shape). Frames count from 0 again.
    ///
    /// # Errors
    /// As [`open`](Self::open), while it has not returned.
    pub fn reopen(&mut self) -> Result<(), AudioError> {
        let _hush = Hush::new();
        // Some drivers refuse a second stream while the dead one is held.
        self.stream.take().into_iter().for_each(device::close);
        let device = device::find(self.wanted.as_deref(), Direction::Input)?;
        let channels = u16::try_from(self.shape.channels()).unwrap_or(1);
        let same = device::config_with(&device, Direction::Input, self.shape.rate_hz(), channels);
        let config = match same {
            Some(config) => config,
            None => usual_config(&device)?,
        };
        *self = Self::start(self.wanted.as_deref(), &device, config)?;
        Ok(())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stream.take().into_iter().for_each(device::close);
    }
}

/// What the device itself prefers.
fn usual_config(device: &Device) -> Result<SupportedStreamConfig, AudioError> {
    let name = device::name_of(device);
    let config = device
        .default_input_config()
        .map_err(|error| device::refused(&name, &error))?;
    if device::is_pcm(config.sample_format()) {
        return Ok(config);
    }
    device::config_with(
        device,
        Direction::Input,
        config.sample_rate(),
        config.channels(),
    )
    .ok_or_else(|| AudioError::Device {
        name,
        why: "it has no PCM format".to_owned(),
    })
}

fn listen<T: SizedSample>(
    device: &Device,
    config: StreamConfig,
    mut filler: Filler,
    drain: &Drain,
) -> Result<Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let shared = std::sync::Arc::clone(&drain.shared);
    device.build_input_stream::<T, _, _>(
        config,
        move |samples, info| {
            let captured_at = info.timestamp().capture.as_nanos();
            let captured_at = Duration::from_nanos(u64::try_from(captured_at).unwrap_or(0));
            let as_f32 = samples.iter().map(|x| f32::from_sample(*x));
            filler.take(samples.len(), captured_at, as_f32);
        },
        move |error| shared.note(error.kind()),
        Some(OPEN_WITHIN),
    )
}

const fn words_for(broken: Broken) -> &'static str {
    match broken {
        Broken::Gone => "it is no longer there",
        Broken::Invalid => "its settings changed",
        Broken::Other => "the sound system reported an error",
    }
}

/// Tells from the number of callbacks whether a device still lives.
struct Watch {
    callbacks: u64,
    since: Instant,
    looked: Instant,
    patience: Duration,
}

impl Watch {
    const fn new(now: Instant) -> Self {
        Self {
            callbacks: 0,
            since: now,
            looked: now,
            patience: FIRST_WITHIN,
        }
    }

    fn is_alive(&mut self, callbacks: u64, now: Instant) -> bool {
        if callbacks != self.callbacks {
            (self.callbacks, self.since) = (callbacks, now);
            self.patience = LOST_AFTER;
        }
        let blind = now.saturating_duration_since(self.looked) >= BLIND_AFTER;
        if blind {
            self.since = now;
        }
        self.looked = now;
        now.saturating_duration_since(self.since) < self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_seconds_without_a_callback_mean_that_it_is_lost() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut watch = Watch::new(start);
        assert!(watch.is_alive(1, after(50)));
        assert!(
            (100..2_050)
                .step_by(50)
                .all(|ms| watch.is_alive(1, after(ms)))
        );
        assert!(!watch.is_alive(1, after(2_050)));
        assert!(watch.is_alive(2, after(2_100)));
    }

    #[test]
    fn a_device_that_wakes_up_slowly_is_waited_for() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut watch = Watch::new(start);
        assert!(
            (50..5_000)
                .step_by(50)
                .all(|ms| watch.is_alive(0, after(ms)))
        );
        assert!(!watch.is_alive(0, after(5_000)));
    }

    #[test]
    fn who_was_stopped_for_ten_seconds_does_not_blame_the_microphone() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut watch = Watch::new(start);
        assert!(watch.is_alive(1, after(50)));
        assert!(watch.is_alive(1, after(10_050)));
        assert!(
            (10_100..12_050)
                .step_by(50)
                .all(|ms| watch.is_alive(1, after(ms)))
        );
        assert!(!watch.is_alive(1, after(12_050)));
    }
}

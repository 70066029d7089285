//! The microphones of this machine, and how loud it is at one of them.

use std::time::{Duration, Instant};

use super::{Context, Progress, Unit};
use crate::audio::{self, Capture, DeviceInfo, LevelMeter, Momentary};
use crate::error::{Exit, Failure};

/// How often the level is shown.
const SHOWN_EVERY: Duration = Duration::from_millis(200);

/// The microphones, the default one first.
///
/// # Errors
/// When the sound system can't be asked.
pub fn run() -> Result<Vec<DeviceInfo>, Failure> {
    Ok(audio::microphones()?)
}

/// How loud it was at a microphone.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The microphone.
    pub device: String,
    /// Loudest sample, dBFS; -120 for digital silence.
    pub peak_dbfs: f32,
    /// Mean power, dBFS; -120 for digital silence.
    pub rms_dbfs: f32,
}

/// What a test does.
pub struct Test<'a> {
    /// The microphone; the default one unless named here or in the settings.
    pub device: Option<&'a str>,
    /// How long to listen once something comes; until it is ended otherwise.
    pub length: Option<Duration>,
    /// Asked between two looks whether a person has ended it.
    pub ended: &'a mut dyn FnMut() -> bool,
    /// Is shown the level since the last time, five times a second.
    pub show: &'a mut dyn FnMut(&str, Momentary),
}

/// Listens to a microphone and keeps nothing of what it hears; how loud it was
/// over all.
///
/// # Errors
/// [`Exit::NoMicrophone`] when there is none, nothing comes from it, or it is
/// lost.
pub fn test(context: &Context, test: Test<'_>, progress: &dyn Progress) -> Result<Level, Failure> {
    let device = test.device.or(context.config.device.as_deref());
    // Work is under way: a signal ends it in good order.
    progress.begin("listening", None, Unit::Items);
    let heard = listen(device, test, progress);
    progress.end();
    heard
}

fn listen(device: Option<&str>, test: Test<'_>, progress: &dyn Progress) -> Result<Level, Failure> {
    let mut capture = Capture::open(device)?;
    let name = capture.name().to_owned();
    let mut meter = LevelMeter::new(capture.shape());
    let (mut block, mut mono) = (Vec::new(), Vec::new());
    let mut since: Option<Instant> = None;
    let mut shown = Instant::now();
    while !progress.cancelled() && !(test.ended)() {
        let captured = capture.read(&mut block, SHOWN_EVERY / 2)?;
        if captured.frames > 0 {
            since.get_or_insert_with(Instant::now);
        }
        capture.shape().mix(&block, &mut mono);
        meter.push(&block, &mono);
        block.clear();
        mono.clear();
        if since.is_some() && shown.elapsed() >= SHOWN_EVERY {
            shown = Instant::now();
            (test.show)(&name, meter.momentary());
        }
        let due = test.length.zip(since);
        if due.is_some_and(|(length, since)| since.elapsed() >= length) {
            break;
        }
    }
    if since.is_none() {
        let why = "nothing came from it";
        return Err(Failure::new(Exit::NoMicrophone, "can't hear the microphone", why).about(name));
    }
    let heard = meter.signal();
    Ok(Level {
        device: name,
        peak_dbfs: heard.peak_dbfs,
        rms_dbfs: heard.rms_dbfs,
    })
}

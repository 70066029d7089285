//! How loud sound is: the verdict stored with a recording, the meter beside
//! the red dot, and a coarse waveform.
//!
//! Peaks and clipping are read from the samples as they came, before any
//! mixing. Everything else works on the mono mix, in windows of 20 ms: long
//! enough for a period of the lowest voice, short enough for a syllable. The
//! mean of each window is taken off, since a cheap converter's offset is no
//! sound. Memory: one byte per window, 180 KB an hour.
//!
//! **When nothing can be heard.** No fixed threshold tells a dead microphone
//! from a whisper: the noise of a boosted input may lie at -55 dBFS, and speech
//! far from a good microphone as well. What tells them apart is that noise
//! stays where it is. So a window is heard when it stands [`ABOVE_FLOOR_DB`]
//! above the recording's own noise floor (the level that a tenth of its windows
//! stay under), but whatever is louder than [`ALWAYS_HEARD_DBFS`] is heard even
//! if it never changes, and whatever is under [`NEVER_HEARD_DBFS`] never is:
//! that is less than the noise of a quiet room on any microphone. What is heard
//! for less than [`SHORTEST_RUN`] windows in a row is a click, and no word.

use crate::recording::Signal;

use super::shape::{LOUDEST, Shape};

/// Windows per second.
const WINDOWS_PER_S: u32 = 50;

/// Louder than this is heard, even if it is as steady as a fan.
const ALWAYS_HEARD_DBFS: f32 = -50.0;

/// Softer than this is never heard: the noise of 12-bit sound.
const NEVER_HEARD_DBFS: f32 = -70.0;

/// How far something stands above the noise floor in order to be heard. White
/// noise stays within 1 dB in windows of 20 ms, hum and pink noise within 4.
const ABOVE_FLOOR_DB: f32 = 6.0;

/// Windows in a row that make something heard: 60 ms, the length of a short
/// vowel. Recordings shorter than [`SHORT_RECORDING`] windows are spared this.
const SHORTEST_RUN: usize = 3;

/// Below this many windows (0.2 s) every window counts for itself.
const SHORT_RECORDING: usize = 10;

/// A sample this close to full scale was probably cut off there.
const CLIPPED: f32 = 0.9995;

/// What stands for digital silence.
const FLOOR_DBFS: f32 = -120.0;

/// Levels are kept in half decibels below full scale, one byte each.
const STEPS_PER_DB: f32 = 2.0;

/// The level of the last moments, for a meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Momentary {
    /// Loudest sample since the last look, dBFS; -120 for digital silence.
    pub peak_dbfs: f32,
    /// Mean power since the last look, dBFS; -120 for digital silence.
    pub rms_dbfs: f32,
    /// A sample since the last look stood at full scale.
    pub clipped: bool,
}

/// Judges a stream of sound.
#[derive(Debug, Clone)]
pub struct LevelMeter {
    window_len: usize,
    window: Power,
    whole: Power,
    recent: Power,
    /// Loudest sample of all, and since the last look; linear.
    peak: f32,
    recent_peak: f32,
    samples: u64,
    clipped: u64,
    recent_clipped: bool,
    /// One level per window, half decibels below full scale.
    levels: Vec<u8>,
}

/// Sums from which mean and power follow.
#[derive(Debug, Clone, Copy, Default)]
struct Power {
    count: u64,
    sum: f64,
    squares: f64,
}

impl Power {
    fn add(&mut self, samples: &[f32]) {
        // Sums of a few hundred samples are exact enough in f32 and quick.
        let (sum, squares) = samples
            .iter()
            .fold((0.0_f32, 0.0_f32), |(s, q), x| (s + x, x.mul_add(*x, q)));
        self.count += samples.len() as u64;
        self.sum += f64::from(sum);
        self.squares += f64::from(squares);
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    fn dbfs(&self) -> f32 {
        if self.count == 0 {
            return FLOOR_DBFS;
        }
        let count = self.count as f64;
        let mean = self.sum / count;
        let power = (self.squares / count - mean * mean).max(0.0);
        decibels(power.sqrt() as f32)
    }
}

impl LevelMeter {
    /// A meter for sound of this shape.
    #[must_use]
    pub fn new(shape: &Shape) -> Self {
        Self {
            window_len: (shape.rate_hz() / WINDOWS_PER_S).max(1) as usize,
            window: Power::default(),
            whole: Power::default(),
            recent: Power::default(),
            peak: 0.0,
            recent_peak: 0.0,
            samples: 0,
            clipped: 0,
            recent_clipped: false,
            levels: Vec::new(),
        }
    }

    /// Takes in a block as it came (interleaved) and its mono mix.
    pub fn push(&mut self, interleaved: &[f32], mono: &[f32]) {
        let (mut peak, mut clipped) = (0.0_f32, 0_u64);
        for x in interleaved {
            // `max` passes over what is not a number.
            let size = x.abs();
            peak = peak.max(size);
            clipped += u64::from(size >= CLIPPED);
        }
        // What is absurdly loud is cut off in the mix as well.
        let peak = peak.min(LOUDEST);
        self.peak = self.peak.max(peak);
        self.recent_peak = self.recent_peak.max(peak);
        self.clipped += clipped;
        self.recent_clipped |= clipped > 0;
        self.samples += interleaved.len() as u64;

        let mut rest = mono;
        while !rest.is_empty() {
            let room = self.window_len - self.window.count as usize;
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.window.add(now);
            rest = later;
            if self.window.count as usize >= self.window_len {
                self.close_window();
            }
        }
    }

    fn close_window(&mut self) {
        self.levels.push(step(self.window.dbfs()));
        self.whole.join(self.window);
        self.recent.join(self.window);
        self.window = Power::default();
    }

    /// The level since the last look.
    pub fn momentary(&mut self) -> Momentary {
        let seen = Momentary {
            peak_dbfs: decibels(self.recent_peak),
            rms_dbfs: self.recent.dbfs(),
            clipped: self.recent_clipped,
        };
        self.recent = Power::default();
        self.recent_peak = 0.0;
        self.recent_clipped = false;
        seen
    }

    /// The verdict over all that came so far.
    #[must_use]
    pub fn signal(&self) -> Signal {
        let mut whole = self.whole;
        whole.join(self.window);
        let samples = self.samples.max(1) as f64;
        Signal {
            peak_dbfs: decibels(self.peak),
            rms_dbfs: whole.dbfs(),
            silent_fraction: self.silent_fraction(),
            clipped_fraction: (self.clipped as f64 / samples) as f32,
        }
    }

    fn silent_fraction(&self) -> f32 {
        let last = (self.window.count > 0).then(|| step(self.window.dbfs()));
        let windows = self.levels.len() + usize::from(last.is_some());
        if windows == 0 {
            return 1.0;
        }
        let heard_at = threshold(self.levels.iter().copied().chain(last), windows);
        let shortest = if windows < SHORT_RECORDING {
            1
        } else {
            SHORTEST_RUN
        };
        let (mut heard, mut run) = (0, 0);
        for level in self.levels.iter().copied().chain(last) {
            // Steps count downwards from full scale.
            if f32::from(level) <= -heard_at * STEPS_PER_DB {
                run += 1;
            } else {
                heard += if run >= shortest { run } else { 0 };
                run = 0;
            }
        }
        heard += if run >= shortest { run } else { 0 };
        1.0 - heard as f32 / windows as f32
    }

    /// The loudest window in each of `columns` equal spans, dBFS; fewer columns
    /// where there are fewer windows.
    #[must_use]
    pub fn waveform(&self, columns: usize) -> Vec<f32> {
        let columns = columns.min(self.levels.len());
        (0..columns)
            .map(|column| {
                let span = column * self.levels.len() / columns
                    ..(column + 1) * self.levels.len() / columns;
                let loudest = self.levels.get(span).and_then(|span| span.iter().min());
                loudest.map_or(FLOOR_DBFS, |step| -f32::from(*step) / STEPS_PER_DB)
            })
            .collect()
    }
}

/// The level from which on a window of this recording is heard, dBFS.
fn threshold(levels: impl Iterator<Item = u8>, windows: usize) -> f32 {
    let mut histogram = [0_usize; 256];
    for level in levels {
        if let Some(count) = histogram.get_mut(usize::from(level)) {
            *count += 1;
        }
    }
    // From the softest upwards until a tenth of the windows lies below.
    let mut below = 0;
    let softest_tenth = (0..histogram.len()).rev().find(|&level| {
        below += histogram.get(level).copied().unwrap_or(0);
        below * 10 >= windows
    });
    let floor_dbfs = -(softest_tenth.unwrap_or(255) as f32) / STEPS_PER_DB;
    (floor_dbfs + ABOVE_FLOOR_DB).clamp(NEVER_HEARD_DBFS, ALWAYS_HEARD_DBFS)
}

fn step(dbfs: f32) -> u8 {
    // Saturating by the definition of `as`.
    (-dbfs * STEPS_PER_DB).round() as u8
}

fn decibels(linear: f32) -> f32 {
    if linear > 1e-6 {
        20.0 * linear.log10()
    } else {
        FLOOR_DBFS
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;
    use crate::audio::synthetic::{noise, tone};

    fn judged(mono: &[f32]) -> Signal {
        let mut meter = LevelMeter::new(&Shape::new(48_000, 1).unwrap());
        mono.chunks(441).for_each(|block| meter.push(block, block));
        meter.signal()
    }

    /// Ten seconds of noise with half-second bursts of a voice-like tone.
    fn speech_like(voice_dbfs: f32, noise_dbfs: f32) -> Vec<f32> {
        let mut sound = noise(480_000, noise_dbfs);
        for (at, x) in tone(180.0, voice_dbfs, 480_000).into_iter().enumerate() {
            if (at / 24_000) % 2 == 1 {
                sound[at] += x;
            }
        }
        sound
    }

    #[test]
    fn a_full_scale_tone_peaks_at_0_and_averages_3_below() {
        let signal = judged(&tone(1_000.0, -3.01, 48_000));
        assert!((signal.peak_dbfs - 0.0).abs() < 0.1, "{signal:?}");
        assert!((signal.rms_dbfs + 3.01).abs() < 0.1, "{signal:?}");
        assert_eq!(signal.silent_fraction, 0.0);
    }

    #[test]
    fn digital_silence_is_silent() {
        let signal = judged(&vec![0.0; 96_000]);
        assert!(signal.is_silent());
        assert_eq!((signal.peak_dbfs, signal.rms_dbfs), (-120.0, -120.0));
    }

    #[test]
    fn no_sound_at_all_is_silent() {
        assert!(judged(&[]).is_silent());
    }

    #[test]
    fn a_dead_microphone_is_silent_whatever_its_gain() {
        for floor_dbfs in [-90.0, -75.0, -65.0, -55.0, -51.0] {
            assert!(
                judged(&noise(480_000, floor_dbfs)).is_silent(),
                "{floor_dbfs}"
            );
        }
    }

    #[test]
    fn a_dead_microphone_with_an_offset_and_a_click_is_silent() {
        let mut sound = noise(480_000, -65.0);
        sound.iter_mut().for_each(|x| *x += 0.05);
        sound[200_000..200_100].fill(0.5);
        assert!(judged(&sound).is_silent());
    }

    #[test]
    fn quiet_speech_is_not_silent() {
        for (voice, noise) in [
            (-60.0, -90.0),
            (-55.0, -70.0),
            (-45.0, -55.0),
            (-30.0, -53.0),
        ] {
            let fraction = judged(&speech_like(voice, noise)).silent_fraction;
            assert!(
                (0.4..0.6).contains(&fraction),
                "{voice} over {noise}: {fraction}"
            );
        }
    }

    #[test]
    fn a_50_ms_clip_is_heard() {
        assert!(!judged(&tone(300.0, -20.0, 2_400)).is_silent());
    }

    #[test]
    fn clipping_is_counted() {
        let mut sound = tone(100.0, -20.0, 48_000);
        sound[..4_800].fill(1.0);
        assert!((judged(&sound).clipped_fraction - 0.1).abs() < 1e-3);
    }

    #[test]
    fn the_meter_forgets_what_it_has_shown() {
        let mut meter = LevelMeter::new(&Shape::new(48_000, 1).unwrap());
        let loud = tone(440.0, -6.0, 4_800);
        meter.push(&loud, &loud);
        assert!((meter.momentary().rms_dbfs + 6.0).abs() < 0.2);
        let quiet = vec![0.0; 4_800];
        meter.push(&quiet, &quiet);
        assert_eq!(meter.momentary().peak_dbfs, -120.0);
    }

    #[test]
    fn the_waveform_shows_where_it_is_loud() {
        let mut meter = LevelMeter::new(&Shape::new(48_000, 1).unwrap());
        let mut sound = vec![0.0; 48_000];
        sound.extend(tone(440.0, -10.0, 48_000));
        meter.push(&sound, &sound);
        let columns = meter.waveform(4);
        assert_eq!(columns[..2], [-120.0, -120.0]);
        assert!(columns[2] > -12.0 && columns[3] > -12.0, "{columns:?}");
    }
}

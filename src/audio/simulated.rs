//! A microphone that gives sound as fast as it is taken, through the ring of a
//! real one.
//!
//! Every second of it has a pitch of its own, so that a place in a recording can
//! be told by its sound.

#![allow(clippy::unwrap_used, reason = "tests only")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::capture::Capture;
use super::shape::Shape;
use super::synthetic;

const RATE_HZ: usize = 48_000;
const CHANNELS: usize = 2;
const PITCHES: u64 = 50;

/// Level of the sound (RMS).
const DBFS: f32 = -20.0;

/// The pitch of a second.
pub(crate) fn pitch_hz(second: u64) -> f64 {
    // Neighbours differ, and no shift by a few seconds goes unnoticed.
    let mixed = second.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    300.0 + 40.0 * (mixed % PITCHES) as f64
}

/// How loud a second's pitch is in this sound (mono, 48 kHz), against what a
/// whole second of it has, dB.
pub(crate) fn presence_db(sound: &[f32], second: u64) -> f64 {
    synthetic::level_of(sound, pitch_hz(second)) - f64::from(DBFS)
}

/// What fills the ring; it ends with this.
pub(crate) struct Speaker {
    done: Arc<AtomicBool>,
    delivered: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Speaker {
    /// Frames that went into the ring so far.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Acquire)
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// A microphone (stereo, 48 kHz) that gives so many seconds of sound, and then
/// nothing, without going away.
pub(crate) fn microphone(seconds: u64) -> (Capture, Speaker) {
    let shape = Shape::new(RATE_HZ as u32, CHANNELS as u16).unwrap();
    let (capture, mut filler) = Capture::simulated(shape);
    let (done, delivered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let (ended, given) = (Arc::clone(&done), Arc::clone(&delivered));
    let sounds: Vec<Vec<f32>> = (0..PITCHES)
        .map(|pitch| synthetic::tone(300.0 + 40.0 * pitch as f64, DBFS, RATE_HZ))
        .collect();
    let run = move || {
        let block = RATE_HZ / 20;
        let mut frame = 0;
        while !ended.load(Ordering::Acquire) {
            let second = (frame / RATE_HZ) as u64;
            if second >= seconds || filler.room() < block * CHANNELS {
                // A callback without sound: it is alive.
                filler.take(0, Duration::ZERO, std::iter::empty());
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            let sound = &sounds[((pitch_hz(second) - 300.0) / 40.0) as usize];
            let from = frame % RATE_HZ;
            let samples = sound[from..from + block].iter();
            filler.take(
                block * CHANNELS,
                Duration::ZERO,
                samples.flat_map(|sample| [*sample; CHANNELS]),
            );
            frame += block;
            given.store(frame as u64, Ordering::Release);
        }
    };
    let thread = std::thread::Builder::new()
        .name("simulated microphone".to_owned())
        .spawn(run)
        .unwrap();
    let speaker = Speaker {
        done,
        delivered,
        thread: Some(thread),
    };
    (capture, speaker)
}

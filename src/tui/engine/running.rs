//! How the recorder and the player stand while they run.

use crate::recording::RecordingId;
pub use crate::worker::recorder::Phase;

/// How the recorder stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RecorderStatus {
    /// Recorded so far, seconds.
    pub elapsed_s: f64,
    /// Loudest sample of the last moment, dBFS.
    pub peak_dbfs: f32,
    /// Sound lost on its way in, seconds.
    pub gap_s: f64,
    /// For how long nothing but digital silence came, seconds.
    pub silent_s: f64,
    /// The microphone.
    pub device: String,
    /// What it is doing.
    pub phase: Phase,
    /// How much longer the disk lasts, seconds.
    pub space_left_s: Option<u64>,
    /// Marked moments.
    pub markers: usize,
}

/// Where the player stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayerStatus {
    /// What is played.
    pub id: RecordingId,
    /// Where it is, seconds.
    pub position_s: f64,
    /// How long it is, seconds.
    pub duration_s: f64,
    /// Held.
    pub paused: bool,
}

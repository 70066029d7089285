//! Plays a recording on this machine's loudspeaker.

use std::time::Duration;

use super::log;
use crate::audio::Speed;
use crate::error::{Exit, Failure};
use crate::recording::{Recording, STORED_RATE_HZ, length_of};
use crate::time::clock;
use crate::vault::{Deed, OpenVault};
use crate::worker::player::Player;

/// Opens the loudspeaker and begins with this sample (at 48 kHz). What is played is
/// in the log before anybody hears it; where it can't be because the vault is
/// read-only, what to say about that is answered too.
///
/// # Errors
/// When its sound was shredded or can't be read, there is no loudspeaker, or the entry
/// can't be made durable.
pub fn begin(
    vault: &OpenVault,
    recording: &Recording,
    from: u64,
    speed: Speed,
) -> Result<(Player, Option<&'static str>), Failure> {
    check_sound(recording)?;
    let player = Player::open(vault, recording, from, speed)?;
    // The loudspeaker is there; it hears nothing before this is durable.
    let note = log::begin(vault, Deed::Play, &[recording.id], &from_position(from))?;
    Ok((player, note))
}

/// The sample (at 48 kHz) at this position.
#[must_use]
pub fn sample_at(position: Duration) -> u64 {
    (position.as_secs_f64() * f64::from(STORED_RATE_HZ)) as u64
}

fn from_position(sample: u64) -> String {
    format!("from {}", clock(length_of(sample)))
}

fn check_sound(recording: &Recording) -> Result<(), Failure> {
    if recording.audio_bytes > 0 {
        return Ok(());
    }
    let why = "its sound was shredded";
    let failure = Failure::new(Exit::NotFound, "can't play", why).about(recording.id.short());
    Err(failure.hint("`voxvault show` shows its text, where there is one"))
}

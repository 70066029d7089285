//! Lists the microphones of this machine.

use crate::audio::{self, Device};
use crate::error::Failure;

/// The microphones, the default one first.
///
/// # Errors
/// When the sound system can't be asked.
pub fn run() -> Result<Vec<Device>, Failure> {
    Ok(audio::devices()?)
}

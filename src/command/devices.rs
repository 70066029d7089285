//! Lists the microphones of this machine.

use crate::audio::{self, DeviceInfo};
use crate::error::Failure;

/// The microphones, the default one first.
///
/// # Errors
/// When the sound system can't be asked.
pub fn run() -> Result<Vec<DeviceInfo>, Failure> {
    Ok(audio::microphones()?)
}

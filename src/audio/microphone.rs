//! What a recorder listens to, whatever it is.

use std::time::Duration;

use super::capture::{Capture, Captured};
use super::error::AudioError;
use super::shape::Shape;

/// Something that is listened to. It may go away at any time, and come back as
/// something else. [`Capture`] is a device of this machine.
pub trait Microphone: Send {
    /// Its name.
    fn name(&self) -> &str;

    /// Rate and channels of what it gives now.
    fn shape(&self) -> &Shape;

    /// Appends the interleaved samples that came since the last read; waits
    /// until there are some, at most for `timeout`.
    ///
    /// # Errors
    /// [`AudioError::Lost`] once all was read and it is gone. From then on only
    /// [`reopen`](Self::reopen) helps.
    fn read(&mut self, out: &mut Vec<f32>, timeout: Duration) -> Result<Captured, AudioError>;

    /// Opens it again, perhaps with another [`shape`](Self::shape). That it is
    /// open does not mean that anything comes from it.
    ///
    /// # Errors
    /// While it has not returned.
    fn reopen(&mut self) -> Result<(), AudioError>;
}

impl Microphone for Capture {
    fn name(&self) -> &str {
        self.name()
    }

    fn shape(&self) -> &Shape {
        self.shape()
    }

    fn read(&mut self, out: &mut Vec<f32>, timeout: Duration) -> Result<Captured, AudioError> {
        self.read(out, timeout)
    }

    fn reopen(&mut self) -> Result<(), AudioError> {
        self.reopen()
    }
}

//! Keeps what C libraries print to standard error off the screen.
//!
//! ALSA and its plug-ins tell there of every card that they looked for and did
//! not find. What went wrong is told by our own errors.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

/// How many want it quiet, and where standard error went before.
static QUIET: Mutex<(usize, Option<OwnedFd>)> = Mutex::new((0, None));

/// Standard error goes nowhere while one of these lives, also what our own
/// threads say there: hold it for the length of one call.
pub(super) struct Hush(());

impl Hush {
    /// Quiet from now on. Where that is not possible it stays loud.
    pub(super) fn new() -> Self {
        let mut quiet = QUIET.lock().unwrap_or_else(PoisonError::into_inner);
        let (holders, before) = &mut *quiet;
        *holders += 1;
        if before.is_none() {
            *before = silence().ok();
        }
        Self(())
    }
}

fn silence() -> std::io::Result<OwnedFd> {
    let before = std::io::stderr().as_fd().try_clone_to_owned()?;
    let nowhere = File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    Ok(before)
}

impl Drop for Hush {
    fn drop(&mut self) {
        let mut quiet = QUIET.lock().unwrap_or_else(PoisonError::into_inner);
        let (holders, before) = &mut *quiet;
        *holders = holders.saturating_sub(1);
        if *holders == 0
            && let Some(before) = before.take()
        {
            // Without it, nothing could be said at all: it stays quiet.
            let _ = rustix::stdio::dup2_stderr(&before);
        }
    }
}

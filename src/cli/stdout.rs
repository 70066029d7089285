//! Standard output that ends when a person or the system wants the program to end: a
//! plain write would go on waiting for whoever reads it.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a pipe takes without waiting once it takes anything (`PIPE_BUF` of Linux).
const AT_ONCE: usize = 4096;

/// A signal interrupts waiting; this is for one that comes just before it.
const LOOK_AGAIN: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

/// Standard output, which takes nothing more once a signal has come. Without a buffer,
/// and past that of `Stdout`.
pub(super) struct UntilStopped {
    stop: Arc<AtomicBool>,
    is_closed: bool,
}

impl UntilStopped {
    /// Until this is set.
    pub(super) fn new(stop: Arc<AtomicBool>) -> Self {
        Self {
            stop,
            is_closed: false,
        }
    }

    /// Whether nobody reads it any more: whoever asked for it has enough.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }
}

impl Write for UntilStopped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stdout = io::stdout();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("it was stopped"));
            }
            let mut ready = [PollFd::new(&stdout, PollFlags::OUT)];
            match poll(&mut ready, Some(&LOOK_AGAIN)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => break,
                Err(error) => return Err(error.into()),
            }
        }
        let some = bytes.get(..AT_ONCE).unwrap_or(bytes);
        let written = rustix::io::write(&stdout, some);
        self.is_closed |= written == Err(rustix::io::Errno::PIPE);
        Ok(written?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

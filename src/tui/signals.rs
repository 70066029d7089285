//! What wakes the loop: signals, and messages from the engine's threads.
//!
//! Both write a byte into one socket on which the loop sleeps. A signal also
//! raises a flag of its own, so that nothing is lost when several come at once.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};

/// Wakes the loop from another thread.
#[derive(Clone)]
pub struct Waker(Arc<UnixStream>);

impl Waker {
    /// Wakes nobody: a test has no loop.
    #[cfg(test)]
    pub(in crate::tui) fn of_nobody() -> io::Result<Self> {
        let (_, writer) = UnixStream::pair()?;
        Ok(Self(Arc::new(writer)))
    }

    /// Ends the loop's sleep. A full socket means that it is woken already.
    pub fn wake(&self) {
        let _ = (&*self.0).write(&[1]);
    }
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The terminal has another size.
    Resized,
    /// Give the terminal back and stop until continued.
    Suspend,
    /// Running again after a stop.
    Continued,
    /// End, keeping what is being recorded: hang-up, termination, interrupt.
    End,
}

const WATCHED: [(i32, Signal); 6] = [
    (SIGWINCH, Signal::Resized),
    (SIGTSTP, Signal::Suspend),
    (SIGCONT, Signal::Continued),
    (SIGHUP, Signal::End),
    (SIGTERM, Signal::End),
    (SIGINT, Signal::End),
];

/// The registered signals; dropping it gives them back.
pub struct Signals {
    wakes: UnixStream,
    waker: Waker,
    flags: Vec<(Arc<AtomicBool>, Signal)>,
    registered: Vec<SigId>,
}

impl Signals {
    /// Starts watching.
    ///
    /// # Errors
    /// When the system gives no socket or refuses a handler.
    pub fn watch() -> io::Result<Self> {
        let (wakes, writer) = UnixStream::pair()?;
        wakes.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        let mut signals = Self {
            wakes,
            waker: Waker(Arc::new(writer.try_clone()?)),
            flags: Vec::new(),
            registered: Vec::new(),
        };
        for (number, meaning) in WATCHED {
            let flag = Arc::new(AtomicBool::new(false));
            // Actions run in the order of their registration: first the flag, then the wake.
            signals
                .registered
                .push(signal_hook::flag::register(number, Arc::clone(&flag))?);
            signals
                .registered
                .push(signal_hook::low_level::pipe::register(
                    number,
                    writer.try_clone()?,
                )?);
            signals.flags.push((flag, meaning));
        }
        Ok(signals)
    }

    /// Something with which other threads wake the loop.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// What becomes readable at a wake.
    #[must_use]
    pub fn readable(&self) -> BorrowedFd<'_> {
        self.wakes.as_fd()
    }

    /// The signals that came since the last call.
    pub fn take(&mut self) -> Vec<Signal> {
        let mut bytes = [0; 64];
        while matches!(self.wakes.read(&mut bytes), Ok(count) if count > 0) {}
        let raised = |(flag, signal): &(Arc<AtomicBool>, Signal)| {
            flag.swap(false, Ordering::SeqCst).then_some(*signal)
        };
        self.flags.iter().filter_map(raised).collect()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

//! Standard input that ends when a person or the system wants the program to
//! end: a plain read would go on waiting for the other side.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Standard input, at its end once a signal has come.
pub(super) struct UntilStopped {
    signals: UnixStream,
}

impl UntilStopped {
    /// From now on SIGINT, SIGTERM and SIGHUP end the input.
    pub(super) fn new() -> io::Result<Self> {
        let (signals, sender) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        Ok(Self { signals })
    }
}

impl Read for UntilStopped {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let stdin = io::stdin();
        let mut ready = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::new(&self.signals, PollFlags::IN),
        ];
        loop {
            match poll(&mut ready, None) {
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if ready[1].revents().contains(PollFlags::IN) {
            return Ok(0);
        }
        // Past the buffer of `Stdin`, which could hold bytes that `poll` does
        // not know of.
        Ok(rustix::io::read(&stdin, out)?)
    }
}

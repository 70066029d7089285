//! The one wait of a screen: on the terminal, and on the socket that signals and other
//! threads write to. Without a time that is due it lasts for good.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::signals::Signals;
use super::terminal::{Gone, Tty};

/// What ended a wait; of a time that was due there is neither.
pub(super) struct Woken {
    /// Something lies in the socket.
    pub called: bool,
    /// What became of the terminal.
    pub terminal: Seen,
}

/// What was seen of the terminal.
pub(super) enum Seen {
    /// Something was typed.
    Typed,
    /// Nothing new, or that it takes more of a frame.
    Nothing,
    /// Nobody will type any more.
    Gone,
}

/// Waits for something typed, a signal or a call; where a part of a frame is `unsent`, also
/// for a terminal that takes more of it; at most until so long from now.
///
/// # Errors
/// [`Gone`] where the system does not let it wait.
pub(super) fn wait(
    tty: &Tty,
    signals: &Signals,
    unsent: &[u8],
    at_most: Option<Duration>,
) -> Result<Woken, Gone> {
    // Rounded up, or the last millisecond is spent awake.
    let at_most = at_most.map(|wait| wait + Duration::from_micros(500));
    let at_most = at_most.and_then(|wait| Timespec::try_from(wait).ok());
    let wanted = match unsent.is_empty() {
        true => PollFlags::IN,
        false => PollFlags::IN | PollFlags::OUT,
    };
    let (tty, socket) = (tty.as_fd(), signals.readable());
    let mut fds = [
        PollFd::new(&tty, wanted),
        PollFd::new(&socket, PollFlags::IN),
    ];
    match poll(&mut fds, at_most.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(_) => return Err(Gone),
    }
    let [tty, socket] = fds.map(|fd| fd.revents());
    Ok(Woken {
        called: socket.contains(PollFlags::IN),
        terminal: seen(tty),
    })
}

fn seen(events: PollFlags) -> Seen {
    if events.contains(PollFlags::IN) {
        Seen::Typed
    } else if events.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        Seen::Gone
    } else {
        Seen::Nothing
    }
}

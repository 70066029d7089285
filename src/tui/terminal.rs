//! The terminal: taken over, and given back whatever happens.
//!
//! Raw mode, the alternate screen and the led-aside descriptor 2 are one guard.
//! It is given back when the guard is dropped, when the program is suspended,
//! and, before anything is printed, when this thread panics. All reading and
//! writing goes through a description of the terminal that is our own and does
//! not block, so that a terminal that is stuck or gone never holds up the loop.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::stderr::Aside;
use super::wire::ansi;

/// What has to be undone; outside the guard so that the panic hook reaches it.
struct Taken {
    owner: ThreadId,
    tty: OwnedFd,
    aside: Option<Aside>,
}

static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);

/// The terminal while the interface has it.
pub struct Tty {
    fd: OwnedFd,
}

/// The other side is gone: hang-up, closed window, lost connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl Tty {
    /// Takes the terminal over and sees to it that a panic gives it back.
    ///
    /// # Errors
    /// When there is no terminal or it refuses raw mode.
    pub fn take() -> io::Result<Self> {
        let fd = open()?;
        let tty = Self { fd };
        install_panic_hook();
        tty.enter()?;
        Ok(tty)
    }

    /// Raw mode, alternate screen, descriptor 2 led aside. Does nothing twice.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn enter(&self) -> io::Result<()> {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        enable_raw_mode()?;
        if taken.is_none() {
            let aside = Aside::begin().ok();
            *taken = Some(Taken {
                owner: thread::current().id(),
                tty: self.fd.try_clone()?,
                aside,
            });
        }
        let hello = [ansi(EnterAlternateScreen), ansi(EnableBracketedPaste)].concat();
        write_briefly(self.fd.as_fd(), hello.as_bytes());
        Ok(())
    }

    /// Gives the terminal back as it was.
    pub fn leave(&self) {
        give_back();
    }

    /// What C libraries printed, the last of it.
    #[must_use]
    pub fn printed(&self) -> String {
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        taken
            .as_ref()
            .and_then(|taken| taken.aside.as_ref())
            .map(Aside::log)
            .unwrap_or_default()
    }

    /// Columns and rows. A terminal that doesn't know says 80 by 24.
    #[must_use]
    pub fn size(&self) -> Size {
        match rustix::termios::tcgetwinsize(&self.fd) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
            _ => Size::new(80, 24),
        }
    }

    /// For sleeping on it.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// What was typed and not read yet, up to the length of `bytes`.
    ///
    /// # Errors
    /// [`Gone`] when nobody will ever type again.
    pub fn read(&self, bytes: &mut [u8]) -> Result<usize, Gone> {
        match rustix::io::read(&self.fd, bytes) {
            Ok(0) => Err(Gone),
            Ok(count) => Ok(count),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(0),
            Err(_) => Err(Gone),
        }
    }

    /// Sends as much of a frame as the terminal takes now; what is left stays there.
    ///
    /// # Errors
    /// [`Gone`] when nobody will ever see it.
    pub fn send(&self, unsent: &mut Zeroizing<Vec<u8>>) -> Result<(), Gone> {
        if !unsent.is_empty() {
            let sent = self.write(unsent)?;
            *unsent = Zeroizing::new(unsent.get(sent..).unwrap_or_default().to_vec());
        }
        Ok(())
    }

    fn write(&self, bytes: &[u8]) -> Result<usize, Gone> {
        match rustix::io::write(&self.fd, bytes) {
            Ok(count) => Ok(count),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(0),
            Err(_) => Err(Gone),
        }
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        give_back();
    }
}

/// A description of our own of the controlling terminal; another's would lend
/// its non-blocking mode to the shell that started us.
fn open() -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    if let Ok(fd) = rustix::fs::open("/dev/tty", flags, Mode::empty()) {
        return Ok(fd);
    }
    let stdin = rustix::stdio::stdin();
    if !rustix::termios::isatty(stdin) {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "there is no terminal",
        ));
    }
    Ok(rustix::io::fcntl_dupfd_cloexec(stdin, 3)?)
}

fn give_back() {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(mut taken) = taken.take() {
        let goodbye = [
            "\x1b[m".to_owned(),
            ansi(crossterm::terminal::EndSynchronizedUpdate),
            ansi(DisableBracketedPaste),
            ansi(LeaveAlternateScreen),
            ansi(Show),
        ];
        write_briefly(taken.tty.as_fd(), goodbye.concat().as_bytes());
        let _ = disable_raw_mode();
        if let Some(aside) = &mut taken.aside {
            aside.restore();
        }
    }
}

/// Sends all of it, but waits no longer than a moment for a stuck terminal.
fn write_briefly(tty: BorrowedFd<'_>, mut bytes: &[u8]) {
    let moment = Timespec {
        tv_sec: 0,
        tv_nsec: 200_000_000,
    };
    while !bytes.is_empty() {
        match rustix::io::write(tty, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let mut fds = [PollFd::new(&tty, PollFlags::OUT)];
                if !matches!(poll(&mut fds, Some(&moment)), Ok(ready) if ready > 0) {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

/// Chained before the hook that prints, once per process. Other threads' panics
/// leave the screen alone; what they print goes where descriptor 2 leads.
fn install_panic_hook() {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    INSTALLED.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A panic inside the lock itself must not wait for it.
            let ours = TAKEN.try_lock().is_ok_and(|taken| {
                taken
                    .as_ref()
                    .is_some_and(|taken| taken.owner == thread::current().id())
            });
            if ours {
                give_back();
            }
            print(info);
        }));
    });
}

//! Where standard error leads, for the whole process.
//!
//! ALSA and its plug-ins tell there of every card that they looked for and did
//! not find; what went wrong is told by our own errors. A [`Hush`] keeps that
//! off the screen for the length of one call. The interface keeps all of it off
//! for as long as it is up, and has it led into a pipe of its own: [`Aside`].
//! Both change descriptor 2, so one place knows what was there before.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Stderr {
    /// How many want it quiet.
    hushes: usize,
    /// Whether it is led aside, where it disturbs nobody.
    aside: bool,
    /// Where it went before; there while it goes anywhere else.
    before: Option<OwnedFd>,
}

static STDERR: Mutex<Stderr> = Mutex::new(Stderr {
    hushes: 0,
    aside: false,
    before: None,
});

fn stderr() -> MutexGuard<'static, Stderr> {
    STDERR.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stderr {
    fn lead_to(&mut self, fd: impl AsFd) -> io::Result<()> {
        let before = match self.before.take() {
            Some(before) => before,
            None => io::stderr().as_fd().try_clone_to_owned()?,
        };
        let led = rustix::stdio::dup2_stderr(fd);
        self.before = Some(before);
        Ok(led?)
    }

    /// Where it belongs when it is not led aside.
    fn settle(&mut self) {
        // Where that is not possible it stays as it is.
        if self.hushes > 0 {
            let nowhere = File::options().write(true).open("/dev/null");
            let _ = nowhere.and_then(|nowhere| self.lead_to(nowhere));
        } else if let Some(before) = self.before.take() {
            let _ = rustix::stdio::dup2_stderr(&before);
        }
    }
}

/// Standard error goes nowhere while one of these lives, also what our own
/// threads say there: hold it for the length of one call. It does nothing while
/// standard error is led aside.
pub(super) struct Hush(());

impl Hush {
    /// Quiet from now on. Where that is not possible it stays loud.
    pub(super) fn new() -> Self {
        let mut stderr = stderr();
        stderr.hushes += 1;
        if stderr.hushes == 1 && !stderr.aside {
            stderr.settle();
        }
        Self(())
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        let mut stderr = stderr();
        stderr.hushes = stderr.hushes.saturating_sub(1);
        if stderr.hushes == 0 && !stderr.aside {
            stderr.settle();
        }
    }
}

/// Standard error led somewhere else; dropping it leads it back.
pub struct Aside(());

impl Aside {
    /// Leads it to `fd`, a copy of which it keeps.
    ///
    /// # Errors
    /// When the system gives no descriptor, or it is led aside already.
    pub fn begin(fd: impl AsFd) -> io::Result<Self> {
        let mut stderr = stderr();
        if stderr.aside {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        stderr.lead_to(fd)?;
        stderr.aside = true;
        Ok(Self(()))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let mut stderr = stderr();
        stderr.aside = false;
        stderr.settle();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// What descriptor 2 leads to.
    fn leads_to(fd: impl AsFd) -> (u64, u64) {
        let stat = rustix::fs::fstat(fd).unwrap();
        (stat.st_dev, stat.st_ino)
    }

    fn now() -> (u64, u64) {
        leads_to(rustix::stdio::stderr())
    }

    // One test, because descriptor 2 is one for the process.
    #[test]
    fn whoever_ends_first_standard_error_leads_back_to_where_it_went() {
        let own = tempfile::tempfile().unwrap();
        let screen = rustix::io::dup(rustix::stdio::stderr()).unwrap();
        rustix::stdio::dup2_stderr(&own).unwrap();
        let own = leads_to(&own);
        let aside = tempfile::tempfile().unwrap();
        let nowhere = leads_to(File::open("/dev/null").unwrap());

        let hush = Hush::new();
        assert_eq!(now(), nowhere);
        let led = Aside::begin(&aside).unwrap();
        assert_eq!(now(), leads_to(&aside));
        drop(hush);
        assert_eq!(now(), leads_to(&aside));
        assert!(Aside::begin(&aside).is_err());
        let hush = Hush::new();
        assert_eq!(now(), leads_to(&aside), "a hush leaves what is led aside");
        drop(led);
        assert_eq!(now(), nowhere, "and holds once that has ended");
        drop((Hush::new(), hush));
        assert_eq!(now(), own);

        let led = Aside::begin(&aside).unwrap();
        drop(Hush::new());
        drop(led);
        assert_eq!(now(), own);
        rustix::stdio::dup2_stderr(&screen).unwrap();
    }
}

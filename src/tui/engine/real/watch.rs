//! Wakes the desk when another process changes the vault: a recording appears
//! in the inbox or leaves it, or the keys are rotated, as a merge or a shred
//! does. Sleeps in the kernel until then. What changes only the store, such as
//! an edit, is noticed when something is read from it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::mpsc::Sender;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::desk::Job;
use super::spawn;

/// Watching ends when this is dropped.
pub(super) struct Watch {
    _end: OwnedFd,
}

impl Watch {
    /// Watches the vault in this directory.
    pub(super) fn start(vault: &Path, desk: Sender<Job>) -> io::Result<Self> {
        let changes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        inotify::add_watch(&changes, vault, comes_and_goes())?;
        let (ended, end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let inbox = vault.join("inbox");
        spawn("watch", move || watch(&changes, &inbox, &ended, &desk))?;
        Ok(Self { _end: end })
    }
}

fn comes_and_goes() -> WatchFlags {
    WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE
}

fn watch(changes: &OwnedFd, inbox: &Path, ended: &OwnedFd, desk: &Sender<Job>) {
    // A recorder closes its file at the end; while it writes, nothing wakes.
    let finished = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::DELETE;
    loop {
        // A new vault has no inbox until something is recorded; twice is once.
        let _ = inotify::add_watch(changes, inbox, finished);
        let mut fds = [
            PollFd::new(changes, PollFlags::IN),
            PollFd::new(ended, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        let [changed, ended] = fds.map(|fd| fd.revents());
        if !ended.is_empty() {
            return;
        }
        if changed.is_empty() {
            continue;
        }
        let mut bytes = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(changes, &mut bytes);
        while events.next().is_ok() {}
        if desk.send(Job::Inbox).is_err() {
            return;
        }
    }
}

//! Wakes the desk when a recording appears in the inbox or leaves it, whoever
//! made it. Sleeps in the kernel until then.

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
    pub(super) fn start(inbox: &Path, desk: Sender<Job>) -> io::Result<Self> {
        let changes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // A recorder closes its file at the end; while it writes, nothing wakes.
        inotify::add_watch(
            &changes,
            inbox,
            WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::DELETE,
        )?;
        let (ended, end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        spawn("watch", move || watch(&changes, &ended, &desk))?;
        Ok(Self { _end: end })
    }
}

fn watch(changes: &OwnedFd, ended: &OwnedFd, desk: &Sender<Job>) {
    loop {
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

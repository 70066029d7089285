//! Named pipes that are given as files: they are read like one, and whoever reads them waits
//! until somebody writes.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::command::Progress;

/// Whoever writes at once has nothing told of it.
const SOON: Duration = Duration::from_millis(500);

/// Opens a file. Where that is a pipe and nothing comes out of it soon, what is waited for
/// is told.
pub(super) fn telling<T>(path: &Path, progress: &dyn Progress, open: impl FnOnce() -> T) -> T {
    let is_pipe = path
        .metadata()
        .is_ok_and(|facts| facts.file_type().is_fifo());
    if !is_pipe {
        return open();
    }
    let (opened, waits) = mpsc::channel::<()>();
    let tell = move || {
        if waits.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
            let path = path.display();
            progress.note(&format!(
                "{path} is a pipe: waiting for somebody to write into it"
            ));
        }
    };
    thread::scope(|scope| {
        // Where there is no thread to tell of it, it is waited for in silence.
        let thread = thread::Builder::new().name("pipe".to_owned());
        drop(thread.spawn_scoped(scope, tell));
        let done = open();
        drop(opened);
        done
    })
}

//! Keeps the screen clean of what C libraries print.
//!
//! ALSA and whisper.cpp write to descriptor 2 whenever they like. While the
//! interface is up that descriptor leads into a pipe, and a thread keeps the
//! last of what comes out of it in memory. It never goes to disk.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::audio::StderrAside;

/// How much of it is kept, bytes.
const KEPT: usize = 32 * 1024;

/// Descriptor 2 led aside; [`Aside::restore`] or dropping it leads it back.
pub struct Aside {
    led: Option<StderrAside>,
    log: Arc<Mutex<VecDeque<u8>>>,
}

impl Aside {
    /// Leads descriptor 2 into memory.
    ///
    /// # Errors
    /// When the system gives no pipe, descriptor or thread.
    pub fn begin() -> io::Result<Self> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&log);
        // Ends by itself: its pipe closes when descriptor 2 is led back.
        thread::Builder::new()
            .name("stderr".to_owned())
            .spawn(move || keep(File::from(read), &kept))?;
        Ok(Self {
            led: Some(StderrAside::begin(&write)?),
            log,
        })
    }

    /// Leads descriptor 2 back to where it went.
    pub fn restore(&mut self) {
        self.led = None;
    }

    /// The last of what was printed, for the person who asks.
    #[must_use]
    pub fn log(&self) -> String {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(log.make_contiguous()).into_owned()
    }
}

fn keep(mut pipe: File, log: &Mutex<VecDeque<u8>>) {
    let mut bytes = [0; 4096];
    loop {
        match pipe.read(&mut bytes) {
            Ok(0) => return,
            Ok(count) => {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.extend(bytes.get(..count).unwrap_or_default());
                let excess = log.len().saturating_sub(KEPT);
                log.drain(..excess);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

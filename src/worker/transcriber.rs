//! Transcribes what waits, in the background, while a vault is open.
//!
//! Its work is found in the store, not kept in a queue: a crash loses no job,
//! and what another process has done is not done again. The speech model is in
//! memory only while there is work.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::Control;
use super::transcription::{self, Cause};
use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId};
use crate::speech::{self, Effort, Language, Models};
use crate::vault::OpenVault;

/// What happens in the background. Sent from the transcriber's thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A recording is taken up.
    Started {
        /// Which.
        id: RecordingId,
        /// Its place in the work at hand, from 1.
        position: usize,
        /// How many there are.
        of: usize,
    },
    /// So far it has come.
    Progress {
        /// Which.
        id: RecordingId,
        /// Milliseconds of its sound that are done.
        done_ms: u64,
        /// Milliseconds of its sound.
        total_ms: u64,
    },
    /// It has a new version.
    Done {
        /// Which.
        id: RecordingId,
        /// The version's number.
        version: u32,
    },
    /// Another process has given it a transcript meanwhile: none is added here.
    Overtaken {
        /// Which.
        id: RecordingId,
    },
    /// It could not be transcribed; not tried again until the program is
    /// started anew.
    Failed {
        /// Which.
        id: RecordingId,
        /// Why.
        failure: Failure,
    },
    /// There is work, but no speech model.
    NoModel {
        /// Why.
        failure: Failure,
    },
    /// There is nothing left to do.
    Idle,
}

/// How to transcribe.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the speech models stand; the one in use is taken.
    pub models: PathBuf,
    /// What is spoken.
    pub language: Language,
}

/// Hears of events, on the transcriber's thread.
pub type Listener = Box<dyn Fn(Event) + Send + Sync>;

/// The background work. Ends when it is dropped.
pub struct Transcriber {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    wishes: Mutex<Wishes>,
    woken: Condvar,
    stop: AtomicBool,
    skip: AtomicBool,
}

#[derive(Default)]
struct Wishes {
    look: bool,
}

impl Transcriber {
    /// Starts the thread, which looks for work at once.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        vault: Arc<OpenVault>,
        settings: Settings,
        listener: Listener,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.wish();
        let work = Work {
            vault,
            settings,
            listener,
            shared: Arc::clone(&shared),
            failed: HashSet::new(),
        };
        let thread = std::thread::Builder::new()
            .name("transcriber".to_owned())
            .spawn(move || work.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Says that there may be new work.
    pub fn nudge(&self) {
        self.shared.wish();
    }

    /// Gives up the recording that is being transcribed and goes on with the
    /// next one.
    pub fn skip_current(&self) {
        self.shared.skip.store(true, Ordering::Relaxed);
    }

    /// Ends the work and waits until it has ended.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.wish();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been told by the panic hook.
            let _ = thread.join();
        }
    }
}

impl Drop for Transcriber {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn wish(&self) {
        self.wishes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .look = true;
        self.woken.notify_one();
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sleeps until there may be work; `false` when it is time to end.
    fn wait(&self) -> bool {
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        while !wishes.look && !self.stopped() {
            wishes = self
                .woken
                .wait(wishes)
                .unwrap_or_else(PoisonError::into_inner);
        }
        wishes.look = false;
        !self.stopped()
    }
}

struct Work {
    vault: Arc<OpenVault>,
    settings: Settings,
    listener: Listener,
    shared: Arc<Shared>,
    /// Of these epochs: once it is redacted, a recording is another one.
    failed: HashSet<(RecordingId, u32)>,
}

impl Work {
    fn run(mut self) {
        while self.shared.wait() {
            self.do_what_waits();
            if !self.shared.stopped() {
                (self.listener)(Event::Idle);
            }
        }
    }

    fn waiting(&self) -> Result<Vec<Recording>, Failure> {
        let mut waiting = self.vault.recordings()?;
        waiting.retain(|one| {
            one.waits_for_transcript() && !self.failed.contains(&(one.id, one.epoch))
        });
        Ok(waiting)
    }

    /// Does what waits, the newest first: that is what its owner looks at.
    fn do_what_waits(&mut self) {
        let waiting = match self.waiting() {
            Ok(waiting) if waiting.is_empty() => return,
            Ok(waiting) => waiting,
            Err(failure) => return (self.listener)(Event::NoModel { failure }),
        };
        let mut transcriber = match self.load() {
            Ok(transcriber) => transcriber,
            Err(failure) => return (self.listener)(Event::NoModel { failure }),
        };
        let of = waiting.len();
        for (position, recording) in (1..).zip(waiting) {
            if self.shared.stopped() {
                return;
            }
            self.one(&mut transcriber, &recording, position, of);
        }
    }

    fn load(&self) -> Result<speech::Transcriber, Failure> {
        let model = Models::at(&self.settings.models).in_use()?;
        Ok(speech::Transcriber::load(
            &model,
            Effort::for_this_machine(),
        )?)
    }

    fn one(
        &mut self,
        transcriber: &mut speech::Transcriber,
        recording: &Recording,
        position: usize,
        of: usize,
    ) {
        let id = recording.id;
        (self.listener)(Event::Started { id, position, of });
        let total_ms = super::millis(recording.card.samples);
        let control = Hearing {
            id,
            total_ms,
            listener: &self.listener,
            shared: &self.shared,
        };
        let language = &self.settings.language;
        let made = transcription::transcribe(
            &self.vault,
            transcriber,
            recording,
            Cause::Waits,
            language,
            &control,
        );
        let skipped = self.shared.skip.swap(false, Ordering::Relaxed);
        match made {
            Ok(Some(version)) => (self.listener)(Event::Done { id, version }),
            Ok(None) => (self.listener)(Event::Overtaken { id }),
            Err(_) if self.shared.stopped() => {}
            // It was shredded or re-keyed while it was being transcribed.
            Err(failure) if failure.exit == Exit::NotFound => {}
            Err(failure) => {
                self.failed.insert((id, recording.epoch));
                if !skipped {
                    (self.listener)(Event::Failed { id, failure });
                }
            }
        }
    }
}

struct Hearing<'a> {
    id: RecordingId,
    total_ms: u64,
    listener: &'a Listener,
    shared: &'a Shared,
}

impl Control for Hearing<'_> {
    fn advance(&self, done_ms: u64) {
        (self.listener)(Event::Progress {
            id: self.id,
            done_ms,
            total_ms: self.total_ms,
        });
    }

    fn cancelled(&self) -> bool {
        self.shared.stopped() || self.shared.skip.load(Ordering::Relaxed)
    }
}

//! What a command says while it works, on standard error: a bar where there
//! is a terminal and the work is long, notes and refusals as lines.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::ProgressDrawTarget;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::bar::Work;
use crate::command::{ClockWord, Progress, Unit, retain};
use crate::error::{Exit, Failure, plain};
use crate::vault::Doubt;

/// What a person who presses Ctrl-C outside of long work gets, as shells have it.
const INTERRUPTED: i32 = 130;

/// The signals that end work.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// How long work has to come to an end by itself, before one more signal ends the
/// program as it stands: what it waits for, such as a pipe, may never come.
const PATIENCE: Duration = Duration::from_secs(2);

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Volume {
    /// Only failures.
    Quiet,
    /// Progress and notes too.
    Normal,
}

/// What is delivered on standard output at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deliveries {
    /// Each as a line.
    Lines,
    /// Nothing: one JSON document comes at the end.
    None,
}

/// The terminal, or what stands in its place.
pub(super) struct Console {
    /// Standard error as it was at the start: while a microphone is looked for,
    /// descriptor 2 leads nowhere, and just then there is something to say.
    voice: File,
    volume: Volume,
    deliveries: Deliveries,
    stop: Arc<AtomicBool>,
    idle: Arc<AtomicBool>,
    /// Whether signals are somebody else's: an editor has the terminal.
    apart: Arc<AtomicBool>,
    held: AtomicBool,
    /// Whether the work is one that a signal may end at any moment.
    loose: AtomicBool,
    damage: AtomicBool,
    /// Whether something beside the work could not be done.
    missed: AtomicBool,
    work: Mutex<Option<Work>>,
}

impl Console {
    /// A console; from now on a signal ends work at the next good moment, and
    /// the program at once where none is under way.
    pub(super) fn new(volume: Volume, deliveries: Deliveries) -> io::Result<Self> {
        let voice = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let stop = Arc::new(AtomicBool::new(false));
        let idle = Arc::new(AtomicBool::new(true));
        let overdue = Arc::new(AtomicBool::new(false));
        for signal in ENDING {
            for at_once in [&idle, &overdue] {
                let at_once = Arc::clone(at_once);
                signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, at_once)?;
            }
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        let apart = Arc::new(AtomicBool::new(false));
        note_when_overdue(Arc::clone(&apart), overdue)?;
        Ok(Self {
            voice,
            volume,
            deliveries,
            stop,
            idle,
            apart,
            held: AtomicBool::new(false),
            loose: AtomicBool::new(false),
            damage: AtomicBool::new(false),
            missed: AtomicBool::new(false),
            work: Mutex::new(None),
        })
    }

    /// Set when a signal has come.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Does something that looks after signals by itself: none of them ends the
    /// program meanwhile.
    pub(super) fn undisturbed<T>(&self, work: impl FnOnce() -> T) -> T {
        self.idle.store(false, Ordering::Relaxed);
        self.apart.store(true, Ordering::Relaxed);
        let done = work();
        self.apart.store(false, Ordering::Relaxed);
        self.idle.store(true, Ordering::Relaxed);
        done
    }

    /// From now on a signal is left to the work, also between its pieces.
    pub(super) fn hold(&self) {
        self.held.store(true, Ordering::Relaxed);
        self.idle.store(false, Ordering::Relaxed);
    }

    /// From now on a signal ends the program at once, also during work: it only reads.
    pub(super) fn let_go(&self) {
        self.loose.store(true, Ordering::Relaxed);
    }

    /// How work ends that is done: what was told of meanwhile counts, damage first. It went
    /// on with what is sound.
    pub(super) fn exit_of_done(&self) -> Exit {
        let (damage, missed) = (&self.damage, &self.missed);
        match (
            damage.load(Ordering::Relaxed),
            missed.load(Ordering::Relaxed),
        ) {
            (true, _) => Exit::Damaged,
            (false, true) => Exit::Failed,
            (false, false) => Exit::Done,
        }
    }

    /// Says a line, above the bar if there is one.
    fn line(&self, text: &str) {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let say = || {
            // Nothing can be said where standard error is closed.
            let _ = (&self.voice).write_all(format!("{text}\n").as_bytes());
        };
        match work.as_ref() {
            Some(work) => work.beside(say),
            None => say(),
        }
    }
}

/// Sets `overdue` when a signal has had its time, so that a later one ends the program.
/// Whatever is cut off so is as after a crash: what was recorded is there, and the next
/// command ends what was begun.
fn note_when_overdue(apart: Arc<AtomicBool>, overdue: Arc<AtomicBool>) -> io::Result<()> {
    let mut signals = Signals::new(ENDING)?;
    let wait = move || {
        for _ in signals.forever() {
            if !apart.load(Ordering::Relaxed) {
                thread::sleep(PATIENCE);
                overdue.store(true, Ordering::Relaxed);
            }
        }
    };
    let thread = thread::Builder::new().name("signals".to_owned());
    thread.spawn(wait).map(drop)
}

/// A failure as it is told: a line, and a hint where there is one.
pub(super) fn told(failure: &Failure) -> String {
    match &failure.hint {
        Some(hint) => format!("voxvault: {failure}\nhint: {}", plain(hint)),
        None => format!("voxvault: {failure}"),
    }
}

impl Progress for Console {
    fn begin(&self, what: &str, total: Option<u64>, unit: Unit) {
        let loose = self.loose.load(Ordering::Relaxed);
        self.idle.store(loose, Ordering::Relaxed);
        let work = Work::begin(what, total, unit, Instant::now());
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }

    fn advance(&self, done: u64) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(work) = work.as_mut() else { return };
        if self.volume == Volume::Normal && io::stderr().is_terminal() {
            let stderr = || ProgressDrawTarget::stderr_with_hz(5);
            work.advance(done, Instant::now(), stderr);
        }
    }

    fn end(&self) {
        let work = self
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(work) = work {
            work.end();
        }
        let held = self.held.load(Ordering::Relaxed);
        self.idle.store(!held, Ordering::Relaxed);
    }

    fn hold(&self) {
        Self::hold(self);
    }

    fn note(&self, message: &str) {
        if self.volume != Volume::Quiet {
            self.line(&format!("voxvault: {}", plain(message)));
        }
    }

    fn refuse(&self, failure: &Failure) {
        if failure.exit == Exit::Damaged {
            self.damage.store(true, Ordering::Relaxed);
        }
        self.line(&told(failure));
    }

    fn miss(&self, failure: &Failure) {
        self.missed.store(true, Ordering::Relaxed);
        self.refuse(failure);
    }

    fn deliver(&self, line: &str) {
        if self.deliveries == Deliveries::Lines {
            // A closed pipe is noticed at the end, when all of it is said.
            let mut out = io::stdout().lock();
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn ask_about_clock(&self, doubt: &Doubt) -> ClockWord {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return ClockWord::None;
        }
        self.line(&format!("voxvault: {}", plain(&retain::in_doubt(doubt))));
        let question: &[u8] = match doubt.due.is_empty() {
            true => b"is the clock right? [y/N] ",
            false => b"is the clock right, and may that be destroyed? [y/N] ",
        };
        let _ = (&self.voice).write_all(question);
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        match answer.trim() {
            "y" | "Y" | "yes" | "Yes" if read.is_ok() => ClockWord::Right,
            _ => ClockWord::None,
        }
    }
}

//! The engine that does the work: commands, workers, vault and search, each on
//! a named thread that the interface never waits for.
//!
//! - `desk` has the vault: opens, lists, reads, changes, destroys;
//! - `finder` has the search index in memory;
//! - `errands` does what may take long: exports, waveforms, looking at devices;
//! - `archivist` writes and reads backups;
//! - `microphone` starts and stops the recorder, with or without a key;
//! - `player` plays;
//! - `watch` wakes the desk when another process changes the inbox.
//!
//! The keys are in one place, the [`Context`] that the desk locks and unlocks.
//! That context has no way to ask anybody for a passphrase: what comes too late
//! after locking fails instead of prompting.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::{Answer, Engine, Request};
use crate::command::{Context, NoKey};
use crate::crypto::Passphrase;
use crate::error::{Exit, Failure};
use crate::tui::app::Mailbox;
use archivist::{Leaves, Task, Work};
use copies::Copies;
use desk::Job;
use errands::{Errand, Keyed};
use finder::Find;
use halt::Halt;
use microphone::Microphone;
use player::Play;

mod archivist;
mod copies;
mod desk;
mod errands;
mod finder;
mod halt;
mod keeping;
mod microphone;
mod notes;
mod player;
mod watch;

#[cfg(test)]
mod tests;

/// How long an export has to take back what it has half written in the clear: as
/// long as a slow disk takes, but the end of the program comes.
const TAKE_BACK_WITHIN: Duration = Duration::from_secs(10);

/// How long threads have to end. What they do then is safe to cut off: the
/// recording in progress was stopped and kept before, and no copy is half
/// written.
const END_WITHIN: Duration = Duration::from_millis(500);

/// The engine of the program.
pub struct Real {
    shared: Shared,
    desk: Sender<Job>,
    finder: Sender<Find>,
    errands: Sender<Errand>,
    archivist: Sender<Work>,
    /// Raised by whoever stops the work on a backup.
    stop: Halt,
    player: Sender<Play>,
    microphone: Microphone,
    ended: Receiver<()>,
}

/// What every thread has.
#[derive(Clone)]
struct Shared {
    context: Arc<Context>,
    mail: Mailbox,
    /// Raised by locking.
    halt: Halt,
    /// Copies that are being written.
    copies: Copies,
    /// Dropped by each thread when it ends.
    _alive: Option<Sender<()>>,
}

impl Shared {
    fn tell(&self, answer: Answer) {
        self.mail.send(answer);
    }

    /// Says what went wrong, unless it is that the vault was locked here meanwhile. Where
    /// it is open here and locked all the same, another process replaced its keys.
    fn complain(&self, failure: Failure) {
        if failure.exit != Exit::Locked {
            self.tell(Answer::Failed(failure));
        } else if self.context.already_open().is_some() {
            self.tell(Answer::LockedOut(failure));
        }
    }
}

impl Real {
    /// Starts the threads. `given` opens the vault without asking.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        context: &Context,
        given: Option<Passphrase>,
        mail: Mailbox,
    ) -> std::io::Result<Self> {
        let open = context.already_open();
        // The keys are to go when the interface locks: nobody else holds them on.
        context.lock();
        let context = Context::new(
            context.paths.clone(),
            context.config.clone(),
            Arc::clone(&context.clock),
            Box::new(NoKey),
        );
        if let Some(open) = open {
            context.remember(open);
        }
        let (alive, ended) = channel();
        let shared = Shared {
            context: Arc::new(context),
            mail,
            halt: Halt::default(),
            copies: Copies::default(),
            _alive: Some(alive),
        };
        let (desk, jobs) = channel();
        let (finder, finds) = channel();
        let (errands, todo) = channel();
        let (archivist, works) = channel();
        let (player, plays) = channel();
        let microphone = Microphone::start(shared.clone(), desk.clone())?;
        spawn("finder", {
            let shared = shared.clone();
            move || finder::run(&shared, &finds)
        })?;
        spawn("errands", {
            let (shared, desk) = (shared.clone(), desk.clone());
            move || errands::run(&shared, &desk, &todo)
        })?;
        spawn("archivist", {
            let (shared, desk) = (shared.clone(), desk.clone());
            move || archivist::run(&shared, &desk, &works)
        })?;
        spawn("player", {
            let shared = shared.clone();
            move || player::run(&shared, &plays)
        })?;
        spawn("desk", {
            let (shared, back, finder, errands, player) = (
                shared.clone(),
                desk.clone(),
                finder.clone(),
                errands.clone(),
                player.clone(),
            );
            move || desk::Desk::new(shared, back, finder, errands, player, given).run(&jobs)
        })?;
        let shared = Shared {
            _alive: None,
            ..shared
        };
        Ok(Self {
            shared,
            desk,
            finder,
            errands,
            archivist,
            stop: Halt::default(),
            player,
            microphone,
            ended,
        })
    }

    fn work_on_backup(&self, task: Task) {
        let leaves = Leaves {
            keys: self.shared.halt.leave(),
            asked: self.stop.leave(),
        };
        drop(self.archivist.send(Work::Do(task, leaves)));
    }

    fn run_errand(&self, errand: Keyed) {
        let leave = self.shared.halt.leave();
        drop(self.errands.send(Errand::Keyed(errand, leave)));
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
}

impl Engine for Real {
    fn ask(&mut self, request: Request) {
        // A thread that ended has told why, or the program is ending.
        match request {
            Request::Search { serial, query } => {
                drop(self.finder.send(Find::Search { serial, query }))
            }
            Request::Record { device } => self.microphone.record(device),
            Request::Meter => self.microphone.look(),
            Request::Pause => self.microphone.pause(),
            Request::Resume => self.microphone.resume(),
            Request::Mark => self.microphone.mark(),
            Request::Title(title) => self.microphone.title(title),
            Request::StopRecording => self.microphone.stop(),
            Request::Play { id, from_s } => drop(self.player.send(Play::From { id, from_s })),
            Request::PlayPause => drop(self.player.send(Play::Pause)),
            Request::Seek(to_s) => drop(self.player.send(Play::Seek(to_s))),
            Request::StopPlaying => drop(self.player.send(Play::Stop)),
            Request::Waveform(id) => self.run_errand(Keyed::Waveform(id)),
            Request::Export {
                ids,
                format,
                destination,
            } => self.run_errand(Keyed::Export {
                ids,
                format,
                destination,
            }),
            Request::Log => self.run_errand(Keyed::Log),
            Request::Transcribe(id) => self.run_errand(Keyed::Transcribe(id)),
            Request::Backups => {
                drop(self.desk.send(Job::Ask(Request::Backups)));
                drop(self.archivist.send(Work::Look(self.shared.halt.leave())));
            }
            Request::BackUp { folder, chosen } => {
                self.work_on_backup(Task::BackUp { folder, chosen });
            }
            Request::VerifyBackup(folder) => self.work_on_backup(Task::Verify { folder }),
            Request::StopBackup => self.stop.raise(),
            Request::Equipment => drop(self.errands.send(Errand::Equipment)),
            Request::UseModel(name) => drop(self.errands.send(Errand::UseModel(name))),
            Request::Lock => {
                // At once: the desk may have much to do before it gets there.
                self.shared.halt.raise();
                drop(self.desk.send(Job::Ask(Request::Lock)));
            }
            for_the_desk => drop(self.desk.send(Job::Ask(for_the_desk))),
        }
    }

    fn close(&mut self) {
        self.shared.halt.raise();
        // First what can be lost.
        self.microphone.close();
        let _ = self.player.send(Play::End);
        let _ = self.errands.send(Errand::End);
        let _ = self.archivist.send(Work::End);
        let _ = self.finder.send(Find::End);
        let _ = self.desk.send(Job::End);
        self.shared.context.lock();
        self.shared.copies.wait(TAKE_BACK_WITHIN);
        // Each thread drops its sender as it ends; nobody ever sends.
        let _ = self.ended.recv_timeout(END_WITHIN);
    }
}

//! The thread that has the vault.

use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

pub(super) use self::destroying::lines_behind;
use super::errands::Errand;
use super::finder::Find;
use super::notes::Notes;
use super::player::Play;
use super::watch::Watch;
use super::{Answer, Request, Shared};
use crate::command::{self, edit, init, tag};
use crate::crypto::Passphrase;
use crate::error::{Exit, Failure};
use crate::recording::RecordingId;
use crate::tui::engine::Access;
use crate::tui::engine::Vault as Found;
use crate::tui::secret::Secret;
use crate::vault::{OpenVault, Placement, Vault};
use crate::worker::transcriber::Transcriber;

mod destroying;
mod transcribing;

/// Something for the desk.
pub(super) enum Job {
    /// The interface asks.
    Ask(Request),
    /// The inbox may hold something new.
    Inbox,
    /// A recording has another transcript, or failed to get one.
    Transcribed(RecordingId),
    /// There may be work for the transcriber.
    Nudge,
    /// The end.
    End,
}

pub(super) struct Desk {
    pub(super) shared: Shared,
    back: Sender<Job>,
    finder: Sender<Find>,
    errands: Sender<Errand>,
    player: Sender<Play>,
    given: Option<Passphrase>,
    open: Option<Arc<OpenVault>>,
    transcriber: Option<Transcriber>,
    watch: Option<Watch>,
    /// The store as it was when it was last listed.
    revision: Option<u64>,
}

impl Desk {
    pub(super) fn new(
        shared: Shared,
        back: Sender<Job>,
        finder: Sender<Find>,
        errands: Sender<Errand>,
        player: Sender<Play>,
        given: Option<Passphrase>,
    ) -> Self {
        Self {
            shared,
            back,
            finder,
            errands,
            player,
            given,
            open: None,
            transcriber: None,
            watch: None,
            revision: None,
        }
    }

    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let done = match job {
                Job::End => return self.lock(),
                Job::Ask(request) => self.answer(request),
                Job::Inbox => match self.look_into_inbox() {
                    // Whoever has the vault now is not done; its end wakes again.
                    Err(failure) if failure.exit == Exit::Busy => Ok(()),
                    done => done,
                },
                Job::Transcribed(id) => self.transcribed(id),
                Job::Nudge => {
                    if let Some(transcriber) = &self.transcriber {
                        transcriber.nudge();
                    }
                    Ok(())
                }
            };
            if let Err(failure) = done {
                self.shared.complain(failure);
            }
        }
    }

    fn answer(&mut self, request: Request) -> Result<(), Failure> {
        match request {
            Request::Look => self.look(),
            Request::Create(secret) => {
                self.create(&secret);
                Ok(())
            }
            Request::Unlock(secret) => {
                self.unlock(&passphrase(&secret));
                Ok(())
            }
            Request::Lock => {
                self.lock();
                Ok(())
            }
            Request::List => self.list(),
            Request::Read(id) => self.read(id),
            Request::Shred(ids) => {
                let done = self.shred(&ids);
                self.destroyed(done)
            }
            Request::Redact { id, span_ms } => {
                let done = self.redact(id, &span_ms);
                self.destroyed(done)
            }
            Request::Edit {
                id,
                title,
                tags,
                note,
            } => self.edit(id, title, tags, note),
            Request::Retention => self.retention(),
            Request::Backups => self.backups(),
            Request::ClockIsRight => {
                let done = self.sweep();
                self.destroyed(done)
            }
            // The others have threads of their own.
            _ => Ok(()),
        }
    }

    /// Sends somebody who works beside the desk.
    pub(super) fn errands(&self, errand: Errand) {
        let _ = self.errands.send(errand);
    }

    pub(super) fn open(&self) -> Result<&Arc<OpenVault>, Failure> {
        self.open
            .as_ref()
            .ok_or_else(|| Failure::new(Exit::Locked, "can't read the vault", "it is locked"))
    }

    /// How the vault stands; opens it where the passphrase was given already.
    fn look(&mut self) -> Result<(), Failure> {
        let place = &self.shared.context.paths.vault;
        if !Vault::exists(place) {
            self.shared.tell(Answer::Vault(Found::Missing {
                place: at_home(place),
            }));
            return Ok(());
        }
        self.watch_inbox();
        if let Some(passphrase) = self.given.take() {
            self.unlock(&passphrase);
            return Ok(());
        }
        if let Some(open) = self.shared.context.already_open() {
            self.opened(Ok(open), Notes::default());
            return Ok(());
        }
        let vault = self.shared.context.vault()?;
        self.tell_access(&vault);
        let waiting = vault.inbox()?.iter().filter(|entry| !entry.running).count();
        let notices = vault.notices().iter().map(ToString::to_string).collect();
        self.shared
            .tell(Answer::Vault(Found::Locked { waiting, notices }));
        Ok(())
    }

    fn tell_access(&self, vault: &Vault) -> Access {
        let access = match vault.may_write() {
            Ok(()) => Access::Full,
            Err(_) => Access::ReadOnly,
        };
        self.shared.tell(Answer::Access(access));
        access
    }

    fn watch_inbox(&mut self) {
        if self.watch.is_none() {
            // Without it recordings of other processes come in a little later.
            self.watch = Watch::start(&self.shared.context.paths.vault, self.back.clone()).ok();
        }
    }

    fn create(&mut self, secret: &Secret) {
        let args = init::Args {
            passphrase: passphrase(secret),
            placement: Placement::default(),
            recovery_out: None,
        };
        let notes = Notes::default();
        let made = init::run(&self.shared.context, args, &notes);
        self.opened(made.and_then(|_| self.shared.context.unlocked()), notes);
        self.watch_inbox();
    }

    fn unlock(&mut self, passphrase: &Passphrase) {
        let opened = self.shared.context.unlock_with(passphrase);
        self.opened(opened, Notes::default());
    }

    fn opened(&mut self, opened: Result<Arc<OpenVault>, Failure>, notes: Notes) {
        // A full disk must not keep the owner from shredding: what waits stays
        // in the inbox until there is room.
        let opened = opened.and_then(|open| match command::merge_quietly(&open, &notes) {
            Err(failure) if failure.exit == Exit::Locked => Err(failure),
            merged => Ok((open, merged)),
        });
        match opened {
            Ok((open, merged)) => {
                self.open = Some(Arc::clone(&open));
                self.shared.tell(Answer::Unlocked {
                    notices: notes.take(),
                });
                self.ask_about_clock(&notes);
                // What can't be kept is not even begun.
                let has_flaw = matches!(open.store_flaw(), Ok(Some(_)));
                if self.tell_access(open.vault()) == Access::Full && !has_flaw {
                    self.start_transcriber(open);
                }
                if let Err(failure) = merged {
                    self.shared.complain(failure);
                }
            }
            Err(failure) => {
                self.shared.context.lock();
                self.shared.tell(Answer::StaysLocked(failure));
            }
        }
    }

    /// Forgets keys and text; waits until the transcriber has let go of them.
    fn lock(&mut self) {
        let _ = self.player.send(Play::Stop);
        let _ = self.finder.send(Find::Forget);
        let _ = self.errands.send(Errand::Forget);
        self.transcriber = None;
        self.open = None;
        self.revision = None;
        self.shared.context.lock();
    }

    pub(super) fn list(&mut self) -> Result<(), Failure> {
        let open = Arc::clone(self.open()?);
        // Read first: a change in between is noticed the next time.
        self.revision = Some(open.revision()?);
        let recordings = Arc::new(open.recordings()?);
        let _ = self.finder.send(Find::Build {
            open,
            recordings: Arc::clone(&recordings),
        });
        let today = self.shared.context.clock.now().date();
        self.shared.tell(Answer::Listed { recordings, today });
        Ok(())
    }

    /// Lists again where another process changed something.
    fn list_if_changed(&mut self) -> Result<(), Failure> {
        let now = self.open()?.revision()?;
        if self.revision.is_some_and(|known| known != now) {
            self.list()?;
        }
        Ok(())
    }

    fn look_into_inbox(&mut self) -> Result<(), Failure> {
        let Some(open) = &self.open else {
            return self.look();
        };
        let notes = Notes::default();
        command::merge_quietly(open, &notes)?;
        for note in notes.take() {
            self.shared.tell(Answer::Notice(note));
        }
        self.list_if_changed()?;
        if let Some(transcriber) = &self.transcriber {
            transcriber.nudge();
        }
        Ok(())
    }

    fn read(&mut self, id: RecordingId) -> Result<(), Failure> {
        self.list_if_changed()?;
        let open = self.open()?;
        let newest = open
            .recording(id)?
            .versions
            .last()
            .map(|version| version.number);
        let transcript = newest
            .map(|number| open.transcript(id, number))
            .transpose()?;
        self.shared.tell(Answer::Read { id, transcript });
        Ok(())
    }

    fn transcribed(&mut self, id: RecordingId) -> Result<(), Failure> {
        let open = Arc::clone(self.open()?);
        let recording = open.recording(id)?;
        let newest = recording.versions.last().map(|version| version.number);
        let transcript = newest
            .map(|number| open.transcript(id, number))
            .transpose()?;
        self.revision = Some(open.revision()?);
        let _ = self.finder.send(Find::Update {
            recording: Box::new(recording.clone()),
            transcript,
        });
        self.shared.tell(Answer::Changed(Box::new(recording)));
        Ok(())
    }

    fn edit(
        &mut self,
        id: RecordingId,
        title: String,
        tags: Vec<String>,
        note: String,
    ) -> Result<(), Failure> {
        let open = self.open()?;
        let known = open.recording(id)?.card.tags;
        for tag in tags.iter().filter(|tag| !known.contains(tag)) {
            tag::check_tag(tag)?;
        }
        // All off and the new ones on, so that they stand in the order given.
        let off = known.into_iter().map(tag::TagChange::Remove);
        let changes = off
            .chain(tags.into_iter().map(tag::TagChange::Add))
            .collect();
        let args = edit::Args {
            id: id.to_string(),
            title: Some(title),
            tags: changes,
            note: Some(note),
            pinned: None,
            revisions: edit::Revisions::Leave,
        };
        edit::run(&self.shared.context, &args, &Notes::default())?;
        self.transcribed(id)
    }
}

/// A passphrase from what was typed; neither leaves a copy behind.
fn passphrase(secret: &Secret) -> Passphrase {
    let mut typed = String::with_capacity(secret.expose().len());
    typed.push_str(secret.expose());
    Passphrase::new(mem::take(&mut typed))
}

/// A path as people write it: `~` for their home.
fn at_home(path: &Path) -> String {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let rest = home.as_ref().and_then(|home| path.strip_prefix(home).ok());
    rest.map_or_else(
        || path.display().to_string(),
        |rest| format!("~/{}", rest.display()),
    )
}

//! The thread that writes and reads backups, which may take hours: nothing else waits
//! for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::desk::{Desk, Job};
use super::errands::typed_path;
use super::halt::Leave;
use super::{Answer, Shared};
use crate::backup::write::STREAM;
use crate::command::{Progress, Unit, backup, backup_verify};
use crate::crypto::asker::Nobody;
use crate::error::{Failure, plain};
use crate::recording::Moment;
use crate::tui::engine::{Archive, Archived, Archiving, BackupEntry, BackupShape, Backups, Chosen};
use crate::vault::Covered;
use crate::vault::bag::KnownBackup;

/// Work on a backup.
pub(super) enum Work {
    /// What it is, and for how long it may go on.
    Do(Task, Leaves),
    /// Look whether the backups are there. A folder on a server that is gone may keep
    /// who looks for long, so the desk does not.
    Look(Leave),
    /// The end.
    End,
}

/// What is to be done to a backup.
pub(super) enum Task {
    /// Write it.
    BackUp {
        /// As it was typed or is remembered.
        folder: String,
        /// Which of the two.
        chosen: Chosen,
    },
    /// Read every byte of it.
    Verify {
        /// As it is remembered.
        folder: String,
    },
}

/// Until when the work may go on.
pub(super) struct Leaves {
    /// Withdrawn by locking.
    pub(super) keys: Leave,
    /// Withdrawn by whoever stops it.
    pub(super) asked: Leave,
}

impl Leaves {
    fn are_over(&self) -> bool {
        self.keys.is_over() || self.asked.is_over()
    }
}

pub(super) fn run(shared: &Shared, desk: &Sender<Job>, works: &Receiver<Work>) {
    while let Ok(work) = works.recv() {
        let (task, leaves) = match work {
            Work::Do(task, leaves) => (task, leaves),
            Work::Look(leave) => {
                look(shared, &leave);
                continue;
            }
            Work::End => return,
        };
        let work = match &task {
            Task::BackUp { .. } => Archive::BackUp,
            Task::Verify { .. } => Archive::Verify,
        };
        let done = match leaves.are_over() {
            true => Ok(Archived::Stopped(work)),
            false => match &task {
                Task::BackUp { folder, chosen } => back_up(shared, folder, *chosen, &leaves),
                Task::Verify { folder } => verify(shared, folder, &leaves),
            },
        };
        if leaves.keys.is_over() {
            // Whoever locked knows why it ended, but may not have thought of it.
            if work == Archive::BackUp && done.is_err() {
                let said = "locking stopped the backup; the next one goes on behind what is whole";
                shared.tell(Answer::Notice(said.to_owned()));
            }
            continue;
        }
        shared.tell(Answer::Archived(match done {
            Ok(archived) => archived,
            Err(_) if leaves.asked.is_over() => Archived::Stopped(work),
            Err(failure) => Archived::Failed(failure),
        }));
        // What waited in the inbox was taken in before.
        let _ = desk.send(Job::Inbox);
    }
}

/// Tells which of the backups are not there. What can't be known is not told.
fn look(shared: &Shared, leave: &Leave) {
    let Some(open) = shared.context.already_open() else {
        return;
    };
    let Ok(settings) = open.settings() else {
        return;
    };
    drop(open);
    let is_gone = |known: &KnownBackup| {
        known.path != STREAM && known.end.is_some() && !backup::is_there(Path::new(&known.path))
    };
    let gone = settings.backups.into_iter().filter(is_gone);
    let gone = gone.map(|known| known.path).collect();
    if !leave.is_over() {
        shared.tell(Answer::BackupsNotThere(gone));
    }
}

fn back_up(
    shared: &Shared,
    folder: &str,
    chosen: Chosen,
    leaves: &Leaves,
) -> Result<Archived, Failure> {
    let dir = match chosen {
        Chosen::Typed => typed_path(folder),
        Chosen::Remembered => {
            let dir = PathBuf::from(folder);
            backup::require_there(&shared.context, &dir)?;
            dir
        }
    };
    let watching = Watching::new(shared, Archive::BackUp, &dir, leaves);
    let args = backup::Args {
        to: backup::Target::Folder(dir),
        recipients: Vec::new(),
        recipient_files: Vec::new(),
    };
    let outcome = backup::run(&shared.context, args, &watching)?;
    Ok(Archived::BackedUp {
        folder: outcome.path,
        recordings: outcome.recordings,
        holds: outcome.holds,
        damage: watching.refused(),
    })
}

fn verify(shared: &Shared, folder: &str, leaves: &Leaves) -> Result<Archived, Failure> {
    let args = backup_verify::Args {
        at: PathBuf::from(folder),
        from_identity: None,
        asker: Arc::new(Nobody),
    };
    let watching = Watching::new(shared, Archive::Verify, &args.at, leaves);
    let verified = backup_verify::run(&shared.context, &args, &watching)?;
    Ok(Archived::Verified {
        folder: folder.to_owned(),
        recordings: verified.recordings,
        damage: verified.damage.len(),
    })
}

/// Tells the screen how far it is: once for each hundredth, so that nothing is sent for
/// what nobody would see.
struct Watching<'a> {
    shared: &'a Shared,
    work: Archive,
    folder: String,
    leaves: &'a Leaves,
    /// 0 while nothing has begun.
    of_bytes: AtomicU64,
    said_percent: AtomicU64,
    refused: Mutex<Vec<String>>,
}

impl<'a> Watching<'a> {
    fn new(shared: &'a Shared, work: Archive, folder: &Path, leaves: &'a Leaves) -> Self {
        Self {
            shared,
            work,
            folder: folder.display().to_string(),
            leaves,
            of_bytes: AtomicU64::new(0),
            said_percent: AtomicU64::new(u64::MAX),
            refused: Mutex::default(),
        }
    }

    /// What could not be read, a line each.
    fn refused(&self) -> Vec<String> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut refused)
    }

    fn tell(&self, done_bytes: u64) {
        let of_bytes = self.of_bytes.load(Ordering::Relaxed);
        let Some(percent) = done_bytes
            .min(of_bytes)
            .saturating_mul(100)
            .checked_div(of_bytes)
        else {
            return;
        };
        let before = self.said_percent.swap(percent, Ordering::Relaxed);
        if before != percent && !self.leaves.are_over() {
            self.shared.tell(Answer::Archiving(Archiving {
                work: self.work,
                folder: self.folder.clone(),
                done_bytes,
                of_bytes,
            }));
        }
    }
}

impl Progress for Watching<'_> {
    fn begin(&self, _what: &str, total: Option<u64>, unit: Unit) {
        // What is merged before is counted otherwise.
        let of_bytes = total.filter(|_| matches!(unit, Unit::Bytes)).unwrap_or(0);
        self.of_bytes.store(of_bytes, Ordering::Relaxed);
        self.tell(0);
    }

    fn advance(&self, done: u64) {
        self.tell(done);
    }

    fn end(&self) {}

    fn note(&self, message: &str) {
        if !self.leaves.keys.is_over() {
            self.shared.tell(Answer::Notice(message.to_owned()));
        }
    }

    fn refuse(&self, failure: &Failure) {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(plain(&failure.to_string()));
    }

    fn deliver(&self, _line: &str) {}

    fn cancelled(&self) -> bool {
        self.leaves.are_over()
    }
}

impl Desk {
    /// The backups and what they hold, as the vault remembers them.
    pub(super) fn backups(&self) -> Result<(), Failure> {
        let coverage = self.open()?.coverage()?;
        self.shared.tell(Answer::Backups(Backups {
            entries: coverage.backups.iter().map(|one| self.entry(one)).collect(),
            recordings: coverage.recordings,
            in_none: coverage.in_none,
        }));
        Ok(())
    }

    fn entry(&self, covered: &Covered) -> BackupEntry {
        let backup = &covered.backup;
        let zone = self.shared.context.clock.now().time_zone().clone();
        let at = Timestamp::from_millisecond(backup.made_at_ms);
        BackupEntry {
            path: backup.path.clone(),
            shape: match backup.end {
                _ if backup.path == STREAM => BackupShape::Stream,
                Some(end) => BackupShape::Folder(end.segments),
                None if backup.is_source_only() => BackupShape::Source,
                None => BackupShape::Unfinished,
            },
            at: at.map_or(
                Moment {
                    unix_ms: backup.made_at_ms,
                    offset_s: 0,
                },
                |at| Moment::from_zoned(&at.to_zoned(zone)),
            ),
            holds: covered.holds,
            lacks: covered.lacks,
            destroyed: backup.destroyed,
        }
    }
}

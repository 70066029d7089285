//! Writes encrypted backups, and says which ones there are and what they hold.

use std::cell::Cell;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Context, Progress, Unit, merge_quietly};
use crate::backup::write::{self, Order, Outcome, Watch};
use crate::backup::{Error, Source};
use crate::crypto::Recipient;
use crate::crypto::asker::{Asker, Nobody};
use crate::error::{Exit, Failure};
use crate::vault::bag::KnownBackup;
use crate::vault::{Coverage, REPAIR_HINT};

/// More than this is no list of recipients.
const MOST_FILE_BYTES: u64 = 1 << 20;

/// Where a backup goes.
pub enum Target<'a> {
    /// Into a folder, where only what is new is added.
    Folder(PathBuf),
    /// Out of a stream, whole.
    Stream(&'a mut dyn Write),
}

/// What to back up, and to whom.
pub struct Args<'a> {
    /// Where to.
    pub to: Target<'a>,
    /// Others who can open it: `age1…`, `ssh-ed25519 …`.
    pub recipients: Vec<String>,
    /// Files that list such recipients, one a line.
    pub recipient_files: Vec<PathBuf>,
}

/// Writes it.
///
/// # Errors
/// When the vault can't be unlocked, a recipient is none, the folder is not the place
/// for it, or it can't be written. What is whole by then stays, and the next run goes
/// on behind it.
pub fn run(context: &Context, args: Args<'_>, progress: &dyn Progress) -> Result<Outcome, Failure> {
    let recipients = recipients(&args.recipients, &args.recipient_files)?;
    let vault = context.unlocked()?;
    merge_quietly(&vault, progress)?;
    let now = || vault.now();
    let mut order = Order::at(&now);
    let asker: Arc<dyn Asker> = Arc::new(Nobody);
    for recipient in &recipients {
        order.add(recipient, &asker)?;
    }
    let watching = Watching::new(progress);
    let written = match args.to {
        Target::Folder(dir) => write::to_folder(&vault, &dir, order, &watching),
        Target::Stream(out) => write::to_stream(&vault, out, order, &watching),
    };
    progress.end();
    Ok(written?)
}

/// The backups that the vault knows, the newest first.
///
/// # Errors
/// When the vault can't be unlocked.
pub fn list(context: &Context) -> Result<Vec<KnownBackup>, Failure> {
    let mut known = context.unlocked()?.settings()?.backups;
    known.sort_by_key(|known| std::cmp::Reverse(known.made_at_ms));
    Ok(known)
}

/// Which recordings are in which backups.
///
/// # Errors
/// When the vault can't be unlocked.
pub fn coverage(context: &Context) -> Result<Coverage, Failure> {
    Ok(context.unlocked()?.coverage()?)
}

/// Whether segments of a backup lie there.
#[must_use]
pub fn is_there(folder: &Path) -> bool {
    Source::find(folder).is_ok()
}

/// Makes sure that a backup which the vault remembers lies where it was written: the
/// place of a disk that is not connected must not be taken for a new folder.
///
/// # Errors
/// When nothing of it lies there.
pub fn require_there(context: &Context, folder: &Path) -> Result<(), Failure> {
    let known = list(context)?;
    let was_finished = known
        .iter()
        .any(|one| Path::new(&one.path) == folder && one.end.is_some());
    let is_there = match was_finished {
        true => is_there(folder),
        false => folder.is_dir(),
    };
    match is_there {
        true => Ok(()),
        false => {
            let why = "nothing of it lies there now";
            Err(Failure::new(Exit::NotFound, "can't back up again", why)
                .about(folder.display())
                .hint("connect its disk, or back up to another folder"))
        }
    }
}

/// All that were given, one by one or in files.
pub(super) fn recipients(texts: &[String], files: &[PathBuf]) -> Result<Vec<Recipient>, Failure> {
    let mut recipients = Vec::new();
    for text in texts {
        recipients.push(recipient(text, "-r")?);
    }
    for file in files {
        listed(file, &mut recipients)?;
    }
    Ok(recipients)
}

fn recipient(text: &str, place: &str) -> Result<Recipient, Failure> {
    text.parse().map_err(|error| {
        let failure = Failure::from(error);
        Failure {
            exit: Exit::Usage,
            ..failure.about(place)
        }
    })
}

/// The recipients of a file, one a line; `#` begins a comment.
fn listed(file: &Path, all: &mut Vec<Recipient>) -> Result<(), Failure> {
    let unreadable = |why: String| {
        Failure::new(Exit::Usage, "can't read the recipients", why).about(file.display())
    };
    let mut text = String::new();
    // A pipe or a device has no length to be asked for.
    std::fs::File::open(file)
        .and_then(|opened| opened.take(MOST_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > MOST_FILE_BYTES {
        return Err(unreadable("it is too long for a list of recipients".into()));
    }
    let before = all.len();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            let place = format!("{}, line {}", file.display(), at + 1);
            all.push(recipient(line, &place)?);
        }
    }
    match all.len() > before {
        true => Ok(()),
        false => Err(unreadable("there is no recipient in it".into())),
    }
}

/// Whoever listens to a command, listening to a backup.
pub(super) struct Watching<'a> {
    progress: &'a dyn Progress,
    begun: Cell<bool>,
}

impl<'a> Watching<'a> {
    pub(super) fn new(progress: &'a dyn Progress) -> Self {
        Self {
            progress,
            begun: Cell::new(false),
        }
    }
}

impl Watch for Watching<'_> {
    fn done(&self, bytes: u64, of_bytes: u64) {
        if !self.begun.replace(true) {
            self.progress
                .begin("backing up", Some(of_bytes), Unit::Bytes);
        }
        self.progress.advance(bytes);
    }

    fn damaged(&self, error: Error) {
        let is_ours = matches!(error, Error::Vault(_));
        let failure = Failure::from(error);
        self.progress.refuse(&match is_ours {
            true => failure.hint(REPAIR_HINT),
            false => failure,
        });
    }

    fn note(&self, message: &str) {
        self.progress.note(message);
    }

    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}

//! The inbox: recordings in progress, and those that wait to be merged.
//!
//! ```text
//! inbox/<id>.rec   keys frame, sealed to the inbox key
//!                  draft of the card
//!                  sound frames; a draft of the card every few seconds
//!                  card
//! ```
//!
//! Frames stand one after the other and are only ever added. A file whose last
//! frame is no card is an interrupted recording. Whoever gets the flock on a
//! file knows that its recorder is gone.
//!
//! `inbox/<id>.open` is empty and lies beside a recording that has not come to its end:
//! what lies there without it was acknowledged, however it ends.
//!
//! `inbox/<id>.gone` is one of which nothing is to be kept, on its way to be
//! overwritten: half of it under its old name would look like damage.

pub(super) mod content;
mod holes;
pub(super) mod incoming;
pub(super) mod intake;
pub(super) mod merge;
pub(super) mod recorder;
mod report;
pub(super) mod sectors;
pub(super) mod running;
pub(super) mod unmerged;
mod words;

use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use self::intake::{First, Frames};
use self::sectors::{Gone, past_bad};
use crate::crypto::{ClipKeys, InboxIdentity};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{self, Access, Disk, DiskFile, Hold};
use crate::vault::sealed::frame::{self, Facts, HEADER_BYTES, Kind};

/// The directory in the vault.
pub(crate) const DIR: &str = "inbox";

const EXTENSION: &str = ".rec";

/// The mark of a recording that has not come to its end.
const UNENDED: &str = ".open";

/// What a file is called once nothing of it is to be kept.
const GONE: &str = ".gone";

/// What the inbox tells without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEntry {
    /// The recording.
    pub id: RecordingId,
    /// Somebody is still recording it.
    pub running: bool,
    /// When its file was made, where the file system knows that; otherwise when
    /// it was last written.
    pub started: SystemTime,
    /// Whole segments of sound.
    pub segments: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// The file of a recording.
pub(crate) fn path(dir: &Path, id: RecordingId) -> PathBuf {
    dir.join(DIR).join(format!("{id}{EXTENSION}"))
}

/// The mark beside the file of a recording, until that has come to its end. It stands
/// apart: whatever part of the file is lost, it tells a recording that was acknowledged
/// from one whose recorder died.
pub(crate) fn mark(dir: &Path, id: RecordingId) -> PathBuf {
    dir.join(DIR).join(format!("{id}{UNENDED}"))
}

/// Takes the mark away; fine if there is none. The directory is synced by the caller.
pub(crate) fn unmark(disk: &dyn Disk, dir: &Path, id: RecordingId) -> Result<()> {
    let mark = mark(dir, id);
    match disk.unlink(&mark) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        unlinked => unlinked.map_err(Error::io("remove", &mark)),
    }
}

/// What lies in the inbox: recordings, and names that are none.
pub(crate) struct Names {
    /// Recordings, by their ids.
    pub recordings: Vec<RecordingId>,
    /// Recordings that are marked as not ended, whether or not they are there.
    pub unended: Vec<RecordingId>,
    /// Names of files that are to be overwritten and removed.
    pub gone: Vec<String>,
    /// Other names; nobody touches them.
    pub strangers: Vec<String>,
}

/// The names in the inbox. One that is not there is an empty one.
pub(crate) fn names(disk: &dyn Disk, dir: &Path) -> Result<Names> {
    let inbox = dir.join(DIR);
    let listed = match disk.list(&inbox) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => match disk.exists(&inbox) {
            Ok(false) => Vec::new(),
            // A link that leads nowhere hides what lies where it should lead.
            _ => return Err(Error::io("list", &inbox)(leads_nowhere())),
        },
        Err(error) => return Err(Error::io("list", &inbox)(error)),
    };
    let mut names = Names {
        recordings: Vec::new(),
        unended: Vec::new(),
        gone: Vec::new(),
        strangers: Vec::new(),
    };
    for name in listed {
        if is_gone(&name) {
            names.gone.push(name);
            continue;
        }
        match (id_of(&name, EXTENSION), id_of(&name, UNENDED)) {
            (Some(id), _) => names.recordings.push(id),
            (_, Some(id)) => names.unended.push(id),
            (None, None) => names.strangers.push(name),
        }
    }
    Ok(names)
}

fn leads_nowhere() -> io::Error {
    io::Error::other("it is a symbolic link that leads nowhere; what waits there is out of reach")
}

/// A file of the inbox, opened by somebody who is not its recorder.
pub(crate) enum Claim {
    /// The recorder is gone; its flock is held as long as the file is open.
    Left(Box<dyn DiskFile>),
    /// It is still being written.
    Running,
    /// It is not there.
    Absent,
}

/// Tries to take over a file whose recorder is gone.
///
/// While a recorder starts, its file is there and not locked yet; who acts on
/// what a claim says holds the gate alone.
pub(crate) fn claim(disk: &dyn Disk, dir: &Path, id: RecordingId, hold: Hold) -> Result<Claim> {
    let path = path(dir, id);
    let file = match disk.open(&path, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Claim::Absent),
        Err(error) => return Err(Error::io("open", &path)(error)),
    };
    match file.try_lock(hold).map_err(Error::io("lock", &path))? {
        true => Ok(Claim::Left(file)),
        false => Ok(Claim::Running),
    }
}

/// Whether this is the name of a file of the inbox.
pub(crate) fn is_own(name: &str) -> bool {
    is_gone(name) || id_of(name, EXTENSION).is_some() || is_mark(name)
}

/// Whether this is the name of the mark of a recording.
pub(crate) fn is_mark(name: &str) -> bool {
    id_of(name, UNENDED).is_some()
}

/// The recording of this name. Only the spelling that we write: another would be
/// another file.
fn id_of(name: &str, extension: &str) -> Option<RecordingId> {
    let id: RecordingId = name.strip_suffix(extension)?.parse().ok()?;
    (*name == format!("{id}{extension}")).then_some(id)
}

/// Whether this is the name of a file of which nothing is to be kept.
pub(crate) fn is_gone(name: &str) -> bool {
    let id = name.strip_suffix(GONE);
    id.is_some_and(|id| id.parse::<RecordingId>().is_ok())
}

/// Overwrites and removes files of which nothing is to be kept and that no bag and
/// no tombstone knows: a power cut must not leave half of one for damage. So they
/// lose their names first. All of them are tried; answers with what failed.
pub(crate) fn discard(
    disk: &dyn Disk,
    dir: &Path,
    ids: impl IntoIterator<Item = RecordingId>,
) -> Vec<Error> {
    let inbox = dir.join(DIR);
    let (mut gone, mut renamed_ids, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for id in ids {
        let (from, name) = (path(dir, id), format!("{id}{GONE}"));
        match disk.rename(&from, &inbox.join(&name)) {
            Ok(()) => {
                gone.push(name);
                renamed_ids.push(id);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => failed.push(Error::io("rename", &from)(error)),
        }
    }
    if gone.is_empty() {
        return failed;
    }
    if let Err(error) = disk.sync_dir(&inbox) {
        failed.push(Error::io("sync", &inbox)(error));
        return failed;
    }
    // Only now: a recording without its mark passes for one that was acknowledged.
    let unmarked = renamed_ids.into_iter().map(|id| unmark(disk, dir, id));
    let unmarked: Vec<Result<()>> = unmarked.collect();
    failed.extend(sweep(disk, dir, &gone));
    failed.extend(unmarked.into_iter().filter_map(Result::err));
    failed
}

/// Takes marks away whose recording is not there. The gate has to be held alone: a
/// recorder that is just starting has a mark and no file yet.
pub(crate) fn sweep_marks(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let Names {
        recordings,
        unended,
        ..
    } = names(disk, dir)?;
    let inbox = dir.join(DIR);
    let sync = || disk.sync_dir(&inbox).map_err(Error::io("sync", &inbox));
    // Who gave up a recording renames its file, and may not have made that durable.
    sync()?;
    let alone = |id: &RecordingId| recordings.binary_search(id).is_err();
    let alone = unended.into_iter().filter(alone);
    let unmarked = alone
        .map(|id| unmark(disk, dir, id))
        .fold(Ok(()), Result::and);
    sync().and(unmarked)
}

/// Overwrites and removes what has lost its name already. All of it is tried; answers
/// with what failed.
pub(crate) fn sweep(disk: &dyn Disk, dir: &Path, gone: &[String]) -> Vec<Error> {
    let inbox = dir.join(DIR);
    let erase = |name: &String| {
        let path = inbox.join(name);
        disk::erase(disk, &path).map_err(Error::io("erase", &path))
    };
    let mut failed: Vec<Error> = gone.iter().filter_map(|name| erase(name).err()).collect();
    failed.extend(sync_after(disk, &inbox, !gone.is_empty()));
    failed
}

/// Overwrites files of the inbox and removes them, durably. For what the bag or a
/// tombstone knows: half of one is finished by the next merge. All of them are tried;
/// answers with what failed.
pub(crate) fn destroy(
    disk: &dyn Disk,
    dir: &Path,
    ids: impl IntoIterator<Item = RecordingId>,
) -> Vec<Error> {
    let (mut any, mut failed) = (false, Vec::new());
    for id in ids {
        any = true;
        let path = path(dir, id);
        let erased = disk::erase(disk, &path).map_err(Error::io("erase", &path));
        // A power cut may have brought the mark back.
        failed.extend(erased.and_then(|()| unmark(disk, dir, id)).err());
    }
    failed.extend(sync_after(disk, &dir.join(DIR), any));
    failed
}

fn sync_after(disk: &dyn Disk, inbox: &Path, any: bool) -> Option<Error> {
    let sync = || disk.sync_dir(inbox).map_err(Error::io("sync", inbox));
    any.then(sync)?.err()
}

/// A recording of the inbox whose keys open with the inbox key of the vault.
pub struct Adoptable {
    /// The recording.
    pub id: RecordingId,
    /// Its keys.
    pub keys: ClipKeys,
}

/// What a rotation finds in the inbox.
#[derive(Default)]
pub struct ToAdopt {
    /// Recordings whose keys open.
    pub adoptable: Vec<Adoptable>,
    /// Files that can't be read now and perhaps can later. Passing one over would
    /// destroy it, because its only other key is about to be forgotten.
    pub unreadable: Vec<Unreadable>,
}

/// A recording of the inbox whose beginning can't be read.
pub struct Unreadable {
    /// The recording.
    pub id: RecordingId,
    /// Its file.
    pub path: PathBuf,
    /// What the system answered.
    pub source: io::Error,
}

/// The keys of every recording in the inbox that this inbox key opens, running
/// ones too, except those that are `known`. What it does not open is not ours, or
/// damaged; the merge tells which. Called by the rotation while it holds the gate.
///
/// # Errors
/// [`Error::Io`] if the inbox can't be listed.
pub fn adoptable(
    disk: &dyn Disk,
    dir: &Path,
    inbox: &InboxIdentity,
    known: &dyn Fn(RecordingId) -> bool,
) -> Result<ToAdopt> {
    let mut found = ToAdopt::default();
    for id in names(disk, dir)?.recordings {
        if known(id) {
            continue;
        }
        let path = path(dir, id);
        let file = match disk.open(&path, Access::Read) {
            Ok(file) => file,
            // A recorder may discard its file at any time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if disk::is_no_file(&error) => continue,
            Err(source) => {
                found.unreadable.push(Unreadable { id, path, source });
                continue;
            }
        };
        // More is read than the first frame, and only that has to be there.
        let gone = Gone::default();
        let mut frames = Frames::new(Sequential::new(past_bad(file, gone.clone())));
        let first = intake::first(&mut frames, id, |error| Error::io("read", &path)(error));
        match first {
            Ok(First::Sealed(sealed)) => {
                if let Ok(keys) = intake::open_keys(id, &sealed, inbox) {
                    found.adoptable.push(Adoptable { id, keys });
                }
            }
            Err(Error::Io { source, .. }) => found.unreadable.push(Unreadable { id, path, source }),
            // Damaged, or not to be read.
            Ok(First::Torn) | Err(_) => {
                let unreadable = |source| Unreadable { id, path, source };
                found.unreadable.extend(gone.into_error().map(unreadable));
            }
        }
    }
    Ok(found)
}

/// What the inbox holds, as far as it shows without a key.
pub(crate) fn entries(disk: &dyn Disk, dir: &Path) -> Result<Vec<InboxEntry>> {
    let mut entries = Vec::new();
    for id in names(disk, dir)?.recordings {
        let path = path(dir, id);
        // What can't be read costs its own line only; the merge names it.
        let (running, file) = match claim(disk, dir, id, Hold::Shared) {
            Ok(Claim::Left(file)) => (false, file),
            Ok(Claim::Running) => match disk.open(&path, Access::Read) {
                Ok(file) => (true, file),
                Err(_) => continue,
            },
            Ok(Claim::Absent) | Err(_) => continue,
        };
        let counted = file
            .len()
            .and_then(|bytes| Ok((bytes, count_segments(&*file, bytes)?)));
        let Ok((bytes, segments)) = counted else {
            continue;
        };
        let started = std::fs::metadata(&path)
            .and_then(|times| times.created().or_else(|_| times.modified()))
            .unwrap_or(SystemTime::UNIX_EPOCH);
        entries.push(InboxEntry {
            id,
            running,
            started,
            segments,
            bytes,
        });
    }
    Ok(entries)
}

fn count_segments(file: &dyn DiskFile, bytes: u64) -> io::Result<u64> {
    let mut segments = 0;
    walk(file, bytes, &mut |facts, _, _| {
        segments += u64::from(facts.kind == Kind::Sound);
    })?;
    Ok(segments)
}

/// Tells of every frame that is whole within so many bytes, by the headers alone:
/// what it is, where it begins, and its length.
pub(crate) fn walk(
    file: &dyn DiskFile,
    bytes: u64,
    each: &mut dyn FnMut(Facts, u64, usize),
) -> io::Result<()> {
    let mut at = 0;
    let mut header = [0; HEADER_BYTES];
    while at + HEADER_BYTES as u64 <= bytes {
        file.read_at(at, &mut header)?;
        let (Some(facts), Ok(body)) = (frame::facts_of(&header), frame::body_bytes(&header)) else {
            break;
        };
        let length = HEADER_BYTES + body;
        if at + length as u64 <= bytes {
            each(facts, at, length);
        }
        at += length as u64;
    }
    Ok(())
}

/// A file read from its start on, in large pieces.
pub(crate) struct Sequential {
    file: Box<dyn DiskFile>,
    at: u64,
    piece: Vec<u8>,
    taken: usize,
}

impl Sequential {
    const PIECE_BYTES: u64 = 64 * 1024;

    pub(crate) fn new(file: Box<dyn DiskFile>) -> Self {
        Self {
            file,
            at: 0,
            piece: Vec::new(),
            taken: 0,
        }
    }
}

impl Seek for Sequential {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let here = self.at - (self.piece.len() - self.taken) as u64;
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => here.checked_add_signed(by),
            SeekFrom::End(by) => self.file.len()?.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        self.piece.clear();
        self.taken = 0;
        Ok(self.at)
    }
}

impl Read for Sequential {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() {
            // A recorder may be adding to the file: its length is asked each time.
            let left = self
                .file
                .len()?
                .saturating_sub(self.at)
                .min(Self::PIECE_BYTES);
            self.piece.resize(left as usize, 0);
            self.file.read_at(self.at, &mut self.piece)?;
            self.at += left;
            self.taken = 0;
        }
        let read = out.len().min(self.piece.len() - self.taken);
        out[..read].copy_from_slice(&self.piece[self.taken..self.taken + read]);
        self.taken += read;
        Ok(read)
    }
}

//! What the inbox tells without a key, by the names of its files and the headers in them.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::{Claim, claim, names, path};
use crate::recording::RecordingId;
use crate::vault::error::Result;
use crate::vault::ground::disk::{Access, Disk, DiskFile, Hold};
use crate::vault::sealed::frame::{self, Facts, HEADER_BYTES, Kind};

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

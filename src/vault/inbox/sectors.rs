//! Reads a file of the inbox past sectors that the disk does not give.
//!
//! Zeros stand for them. What is sealed over them does not open, as where a sector is
//! damaged, so that they cost what lies in them and no more. Only a repair keeps what was
//! read so: an error of a disk may pass.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::vault::ground::disk::{DiskFile, Hold, is_bad_sector};

/// How much is read at a time where more can't be read.
const BLOCK_BYTES: u64 = 4096;

/// How a file of the inbox is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum Reading {
    /// Whole, or not at all.
    Whole,
    /// Past sectors that the disk does not give.
    PastBadSectors,
}

/// What could not be read of a file.
#[derive(Debug, Clone, Default)]
pub(in crate::vault) struct Gone(Arc<Mutex<Blocks>>);

#[derive(Debug, Default)]
struct Blocks {
    /// Where the blocks begin.
    starts: BTreeSet<u64>,
    /// What the system answered first.
    why: Option<io::Error>,
}

impl Gone {
    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all that was asked for could be read.
    pub(in crate::vault) fn is_nothing(&self) -> bool {
        self.blocks().starts.is_empty()
    }

    /// What the system answered, for a person; `None` if nothing is gone.
    pub(in crate::vault) fn told(&self) -> Option<String> {
        let blocks = self.blocks();
        let why = blocks.why.as_ref()?;
        Some(match blocks.starts.len() {
            1 => format!("a block of it can't be read: {why}"),
            many => format!("{many} blocks of it can't be read: {why}"),
        })
    }

    /// What the system answered first.
    pub(in crate::vault) fn into_error(self) -> Option<io::Error> {
        self.blocks().why.take()
    }

    fn note(&self, start: u64, error: io::Error) {
        let mut blocks = self.blocks();
        blocks.starts.insert(start);
        blocks.why.get_or_insert(error);
    }
}

/// The same file, read past what can't be read; that is noted.
pub(in crate::vault) fn past_bad(file: Box<dyn DiskFile>, gone: Gone) -> Box<dyn DiskFile> {
    Box::new(PastBad { file, gone })
}

#[derive(Debug)]
struct PastBad {
    file: Box<dyn DiskFile>,
    gone: Gone,
}

impl DiskFile for PastBad {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        match self.file.read_at(offset, bytes) {
            Err(error) if is_bad_sector(&error) => {}
            read => return read,
        }
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let start = at - at % BLOCK_BYTES;
            let length = (start + BLOCK_BYTES - at).min(rest.len() as u64);
            let (block, behind) = rest.split_at_mut(length as usize);
            match self.file.read_at(at, block) {
                Err(error) if is_bad_sector(&error) => {
                    block.fill(0);
                    self.gone.note(start, error);
                }
                read => read?,
            }
            (at, rest) = (at + length, behind);
        }
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn try_lock(&self, hold: Hold) -> io::Result<bool> {
        self.file.try_lock(hold)
    }
}

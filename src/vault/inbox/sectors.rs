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

    /// Whether something is gone of these bytes.
    fn touches(&self, offset: u64, length: usize) -> bool {
        let from = offset - offset % BLOCK_BYTES;
        let to = offset.saturating_add(length as u64);
        self.blocks()
            .starts
            .range(from..to.max(from))
            .next()
            .is_some()
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
        // What was gone once stays gone, so that whoever reads again reads the same.
        if !self.gone.touches(offset, bytes.len()) {
            match self.file.read_at(offset, bytes) {
                Err(error) if is_bad_sector(&error) => {}
                read => return read,
            }
        }
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let start = at - at % BLOCK_BYTES;
            let length = (start + BLOCK_BYTES - at).min(rest.len() as u64);
            let (block, behind) = rest.split_at_mut(length as usize);
            match self.gone.touches(at, block.len()) {
                true => block.fill(0),
                false => match self.file.read_at(at, block) {
                    Err(error) if is_bad_sector(&error) => {
                        block.fill(0);
                        self.gone.note(start, error);
                    }
                    read => read?,
                },
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustix::io::Errno;

    use super::*;

    /// A file of sevens of which the second block fails some times, and then does not.
    #[derive(Debug)]
    struct Passing(AtomicUsize);

    impl DiskFile for Passing {
        fn len(&self) -> io::Result<u64> {
            Ok(4 * BLOCK_BYTES)
        }

        fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
            let end = offset + bytes.len() as u64;
            let is_bad = offset < 2 * BLOCK_BYTES && end > BLOCK_BYTES;
            let fails = |left: usize| left.checked_sub(1);
            if is_bad
                && self
                    .0
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fails)
                    .is_ok()
            {
                return Err(Errno::IO.into());
            }
            bytes.fill(7);
            Ok(())
        }

        fn write_at(&self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
            Err(Errno::IO.into())
        }

        fn set_len(&self, _length: u64) -> io::Result<()> {
            Err(Errno::IO.into())
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn try_lock(&self, _hold: Hold) -> io::Result<bool> {
            Ok(true)
        }
    }

    #[test]
    fn what_was_gone_at_first_stays_gone_for_who_reads_again() {
        let gone = Gone::default();
        let read = |fails: usize| {
            let file = past_bad(Box::new(Passing(AtomicUsize::new(fails))), gone.clone());
            let mut bytes = vec![1; 3 * BLOCK_BYTES as usize];
            file.read_at(100, &mut bytes).unwrap();
            bytes
        };
        let first = read(2);
        assert!(!gone.is_nothing());
        let hole = BLOCK_BYTES as usize - 100..2 * BLOCK_BYTES as usize - 100;
        for (at, byte) in first.iter().enumerate() {
            assert_eq!(*byte, if hole.contains(&at) { 0 } else { 7 }, "byte {at}");
        }
        assert_eq!(read(0), first);
    }
}

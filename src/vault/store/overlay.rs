//! A file that is only read. What redb writes in order to open it after a crash
//! stays in memory, and is gone with it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::opening::{BadSectors, Unread};
use crate::vault::ground::disk::DiskFile;

const BLOCK: usize = 4096;

/// The file and what was written over it.
#[derive(Debug)]
pub(super) struct Overlay {
    file: Box<dyn DiskFile>,
    unread: Unread,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    len: u64,
    /// How much of the file still counts: what was cut off is zeros from then on.
    from_file: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    pub(super) fn over(file: Box<dyn DiskFile>, unread: &Unread) -> io::Result<Self> {
        let len = file.len()?;
        let written = Mutex::new(Written {
            len,
            from_file: len,
            blocks: BTreeMap::new(),
        });
        let unread = unread.clone();
        Ok(Self {
            file,
            unread,
            written,
        })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block as the file has it.
    fn of_file(&self, number: u64, from_file: u64) -> io::Result<Vec<u8>> {
        let mut block = vec![0; BLOCK];
        let start = number * BLOCK as u64;
        let there = from_file.saturating_sub(start).min(BLOCK as u64) as usize;
        if there > 0 {
            let there = &mut block[..there];
            BadSectors::Damage.read(&*self.file, start, there, &self.unread)?;
        }
        Ok(block)
    }
}

/// The blocks that a range touches: number, from and to within the block.
fn touched(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let (block, end) = (BLOCK as u64, offset + length as u64);
    (offset / block..end.div_ceil(block)).map(move |number| {
        let start = number * block;
        let from = offset.max(start) - start;
        let to = end.min(start + block) - start;
        (number, from as usize, to as usize)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        if offset + out.len() as u64 > written.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut rest = &mut *out;
        for (number, from, to) in touched(offset, rest.len()) {
            let (now, later) = rest.split_at_mut(to - from);
            match written.blocks.get(&number) {
                Some(block) => now.copy_from_slice(&block[from..to]),
                None => {
                    now.copy_from_slice(&self.of_file(number, written.from_file)?[from..to]);
                }
            }
            rest = later;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written();
        if len < written.len {
            written.from_file = written.from_file.min(len);
            let first = len.div_ceil(BLOCK as u64);
            written.blocks.retain(|number, _| *number < first);
            let within = (len % BLOCK as u64) as usize;
            if let Some(block) = written.blocks.get_mut(&(len / BLOCK as u64)) {
                block[within..].fill(0);
            }
        }
        written.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let mut rest = data;
        for (number, from, to) in touched(offset, data.len()) {
            let (now, later) = rest.split_at(to - from);
            if !written.blocks.contains_key(&number) {
                let block = self.of_file(number, written.from_file)?;
                written.blocks.insert(number, block);
            }
            if let Some(block) = written.blocks.get_mut(&number) {
                block[from..to].copy_from_slice(now);
            }
            rest = later;
        }
        written.len = written.len.max(offset + data.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;

    use super::*;
    use crate::vault::ground::disk::{Access, Disk, RealDisk};

    #[test]
    fn it_reads_what_was_written_over_it_and_the_file_stays_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let before: Vec<u8> = (0..10_000_u32).map(|byte| byte as u8).collect();
        fs::write(&path, &before).unwrap();
        let file = RealDisk.open(&path, Access::Read).unwrap();
        let overlay = Overlay::over(file, &Unread::default()).unwrap();
        let mut model = before.clone();
        let mut state = 7_u64;
        let mut dice = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for round in 0..2_000 {
            let offset = dice(14_000);
            match dice(4) {
                0 => {
                    overlay.set_len(offset).unwrap();
                    model.resize(offset as usize, 0);
                }
                1 => {
                    let data = vec![round as u8; dice(9_000) as usize];
                    overlay.write(offset, &data).unwrap();
                    let end = offset as usize + data.len();
                    if model.len() < end {
                        model.resize(end, 0);
                    }
                    model[offset as usize..end].copy_from_slice(&data);
                }
                _ => {
                    let from = offset.min(model.len() as u64);
                    let mut out = vec![0; dice(model.len() as u64 - from + 1) as usize];
                    overlay.read(from, &mut out).unwrap();
                    let from = from as usize;
                    assert_eq!(out, model[from..from + out.len()], "round {round}");
                }
            }
            assert_eq!(overlay.len().unwrap(), model.len() as u64);
        }
        assert!(overlay.read(model.len() as u64, &mut [0]).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

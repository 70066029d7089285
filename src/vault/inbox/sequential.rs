//! Reads a file that may still grow, in large pieces.

use std::io::{self, Read, Seek, SeekFrom};

use crate::vault::ground::disk::DiskFile;

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

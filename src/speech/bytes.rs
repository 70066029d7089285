//! Reads little-endian numbers from foreign files, counting where it stands.
//!
//! Nothing is allocated on the word of the file alone: whoever asks for bytes
//! says how many, after having judged the number.

use std::io::{self, BufRead, Read, Seek};

use super::Fault;

/// A reader that knows its offset.
pub(super) struct Bytes<R> {
    inner: R,
    at: u64,
}

impl<R: Read> Bytes<R> {
    /// Starts counting at 0.
    pub(super) const fn new(inner: R) -> Self {
        Self { inner, at: 0 }
    }

    /// Bytes read or jumped over so far.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    /// Fills `into`, or says where the file ends.
    pub(super) fn fill(&mut self, into: &mut [u8]) -> Result<(), Fault> {
        self.inner
            .read_exact(into)
            .map_err(|error| self.fault(error))?;
        self.at += into.len() as u64;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Fault> {
        self.array().map(i32::from_le_bytes)
    }

    /// Reads `count` bytes in stretches and hands each on.
    pub(super) fn stream(
        &mut self,
        count: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        // A multiple of every element's size, so that no number is torn.
        let mut stretch = [0; 1 << 14];
        let mut left = count;
        while left > 0 {
            let now = left.min(stretch.len() as u64) as usize;
            self.fill(&mut stretch[..now])?;
            each(&stretch[..now])?;
            left -= now as u64;
        }
        Ok(())
    }

    /// Reads `count` bytes and forgets them.
    pub(super) fn skip(&mut self, count: u64) -> Result<(), Fault> {
        self.stream(count, &mut |_| Ok(()))
    }

    /// Whether nothing is left to read.
    pub(super) fn ended(&mut self) -> Result<bool, Fault> {
        let mut one = [0];
        match self.inner.read(&mut one) {
            Ok(0) => Ok(true),
            Ok(_) => Ok(false),
            Err(error) => Err(Fault::Read(error)),
        }
    }

    fn fault(&self, error: io::Error) -> Fault {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Fault::Truncated { after: self.at }
        } else {
            Fault::Read(error)
        }
    }
}

impl<R: BufRead + Seek> Bytes<R> {
    /// Jumps over `count` bytes of a file that is `length` bytes long.
    pub(super) fn jump(&mut self, count: u64, length: u64) -> Result<(), Fault> {
        let to = self.at.checked_add(count).filter(|to| *to <= length);
        let Some(to) = to else {
            return Err(Fault::Truncated { after: length });
        };
        let forward = i64::try_from(count).map_err(|_| Fault::Truncated { after: length })?;
        self.inner.seek_relative(forward).map_err(Fault::Read)?;
        self.at = to;
        Ok(())
    }
}

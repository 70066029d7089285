//! A segment's tar, from its start to its end, one file after the other.
//!
//! Takes what a backup consists of and nothing else: plain files, by the paths that
//! `layout` knows. An absolute path, one with `..`, a link, a device, an extension
//! header or a size beyond all reason ends the walk with a reason; nothing is ever
//! made of a path. Memory does not depend on what a header says.

use std::io::{self, Read};

use tar::{EntryType, Header};

use super::trouble::{CUT_OFF, trouble};
use crate::backup::error::{Error, Result};
use crate::backup::layout::Member;
use crate::backup::{manifest, meta};

/// Bytes of a block: headers take one, and files fill up their last.
pub(in crate::backup) const BLOCK: u64 = 512;

/// Sound of two years; the vault's segments are numbered with 32 bits.
const MOST_AUDIO_BYTES: u64 = 1 << 38;

/// What may stand behind the last file: `tar` fills up to 10 KiB.
const MOST_TRAILER_BYTES: u64 = 20 * BLOCK;

/// A file in the tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backup) struct Head {
    pub member: Member,
    pub bytes: u64,
    /// Where its header begins.
    pub at: u64,
}

/// The header of a file.
///
/// # Errors
/// Why it is not one that a backup has.
pub(in crate::backup) fn head(block: &[u8; BLOCK as usize], at: u64) -> Result<Head, String> {
    let header = Header::from_byte_slice(block);
    let summed = block[..148].iter().chain(&block[156..]);
    let sum = summed.map(|byte| u32::from(*byte)).sum::<u32>() + 8 * u32::from(b' ');
    if header.cksum().ok() != Some(sum) {
        return Err(format!("no file begins at byte {at}"));
    }
    let path = header.path_bytes();
    let shown = String::from_utf8_lossy(&path).into_owned();
    if !matches!(header.entry_type(), EntryType::Regular) {
        return Err(format!("{shown:?} is not a plain file"));
    }
    let member =
        Member::parse(&shown).ok_or_else(|| format!("{shown:?} is no file of a backup"))?;
    let bytes = header
        .size()
        .map_err(|_| format!("{member} has a size that is none"))?;
    let most = match member {
        Member::Audio(_) | Member::Stretch(..) => MOST_AUDIO_BYTES,
        Member::Manifest => manifest::MOST_BYTES,
        Member::Meta(_) | Member::Text(_) | Member::Subtitles(_) => meta::MOST_BYTES,
    };
    match bytes <= most {
        true => Ok(Head { member, bytes, at }),
        false => Err(format!("{member} says that it has {bytes} bytes")),
    }
}

/// So many bytes with what fills up the last block.
pub(in crate::backup) fn padded(bytes: u64) -> u64 {
    bytes.next_multiple_of(BLOCK)
}

/// A tar that is being read. Reading it gives the bytes of the file that came last.
pub(in crate::backup) struct Walk<R> {
    from: R,
    which: String,
    /// Where in the tar the next byte stands.
    at: u64,
    /// Bytes of the file that were not read yet, and what fills up its last block.
    left: u64,
    fill: u64,
}

impl<R: Read> Walk<R> {
    pub(in crate::backup) fn new(which: &str, from: R) -> Self {
        Self {
            from,
            which: which.to_owned(),
            at: 0,
            left: 0,
            fill: 0,
        }
    }

    /// The next file; what was not read of the one before is passed over. `None`
    /// once everything was read to the end, and nothing stood behind it.
    ///
    /// # Errors
    /// [`Error::Damaged`] if something else comes.
    pub(in crate::backup) fn next(&mut self) -> Result<Option<Head>> {
        let rest = self.left + self.fill;
        self.pass(rest)?;
        (self.left, self.fill) = (0, 0);
        let at = self.at;
        let mut block = [0; BLOCK as usize];
        self.fill_block(&mut block)?;
        if block == [0; BLOCK as usize] {
            return self.trailer().map(|()| None);
        }
        let head = head(&block, at).map_err(|why| Error::damaged(&self.which, why))?;
        self.left = head.bytes;
        self.fill = padded(head.bytes) - head.bytes;
        Ok(Some(head))
    }

    /// The whole file that came last, which `next` has found to be of a reasonable
    /// size. The memory grows with what is there.
    pub(in crate::backup) fn whole(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let which = self.which.clone();
        let due = self.left;
        self.read_to_end(&mut bytes)
            .map_err(|error| trouble(&which, error))?;
        match bytes.len() as u64 == due {
            true => Ok(bytes),
            false => Err(Error::damaged(which, CUT_OFF)),
        }
    }

    fn pass(&mut self, bytes: u64) -> Result<()> {
        let passed = io::copy(&mut (&mut self.from).take(bytes), &mut io::sink());
        let passed = passed.map_err(|error| trouble(&self.which, error))?;
        self.at += passed;
        match passed == bytes {
            true => Ok(()),
            false => Err(Error::damaged(&self.which, CUT_OFF)),
        }
    }

    fn fill_block(&mut self, block: &mut [u8; BLOCK as usize]) -> Result<()> {
        let read = self.from.read_exact(block);
        read.map_err(|error| trouble(&self.which, error))?;
        self.at += BLOCK;
        Ok(())
    }

    /// Behind the last file are zeros, and then nothing.
    fn trailer(&mut self) -> Result<()> {
        let mut block = [0; BLOCK as usize];
        self.fill_block(&mut block)?;
        let mut rest = Vec::new();
        let most = (&mut self.from).take(MOST_TRAILER_BYTES);
        let read = most.chain(&[][..]).read_to_end(&mut rest);
        read.map_err(|error| trouble(&self.which, error))?;
        let zeros = block.iter().chain(&rest).all(|byte| *byte == 0);
        match zeros && (rest.len() as u64) < MOST_TRAILER_BYTES {
            true => Ok(()),
            false => Err(Error::damaged(&self.which, "something lies behind its end")),
        }
    }
}

impl<R: Read> Read for Walk<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(out.len(), |left| left.min(out.len()));
        if most == 0 {
            return Ok(0);
        }
        let read = self.from.read(&mut out[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        self.at += read as u64;
        Ok(read)
    }
}

//! Files of a segment that lies in a file, each from where it lies.
//!
//! The manifest says where. So one damaged place costs what lies there, not what lies
//! behind it.

use std::borrow::BorrowMut;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};

use super::trouble::trouble;
use super::walk::{BLOCK, head, padded};
use super::{Keys, SegmentFile};
use crate::backup::error::{Error, Result};
use crate::backup::layout::Member;
use crate::backup::manifest::{FileEntry, Signed};
use crate::backup::plain;
use crate::backup::segment::{self, Plain};
use crate::backup::written::Hash;

/// Where a file lies in a segment, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backup) struct Place {
    /// Where its header begins.
    pub(in crate::backup) at: u64,
    pub(in crate::backup) bytes: u64,
    sha256: Hash,
}

/// Where each file of a segment lies, by its manifest. What a forged one says is
/// looked at where it is read.
pub(in crate::backup) fn places(files: &[FileEntry]) -> impl Iterator<Item = (Member, Place)> {
    let mut at = 0_u64;
    files.iter().filter_map(move |file| {
        let place = Place {
            at,
            bytes: file.bytes,
            sha256: file.sha256,
        };
        let most = file.bytes.min(u64::MAX / 2);
        at = at.saturating_add(BLOCK).saturating_add(padded(most));
        Some((Member::parse(&file.path)?, place))
    })
}

/// Where one file of it lies.
pub(in crate::backup) fn find(files: &[FileEntry], member: Member) -> Option<Place> {
    let mut all = places(files);
    all.find(|(one, _)| *one == member).map(|(_, place)| place)
}

/// The manifest of a segment, the signature of which holds.
///
/// # Errors
/// [`Error::Damaged`] if it can't be found or read, [`Error::Newer`], [`Error::Locked`].
pub(in crate::backup) fn manifest(file: &SegmentFile, keys: &Keys<'_>) -> Result<Signed> {
    let opened = plain::open(&file.which, &file.path)?;
    segment::manifest(&file.which, opened, keys.each())
}

/// A segment in a file.
pub(in crate::backup) struct Segment<'k> {
    file: SegmentFile,
    keys: &'k Keys<'k>,
    reader: Plain<File>,
    /// age's reader does not go on behind damage.
    is_broken: bool,
}

impl<'k> Segment<'k> {
    /// Opens it.
    ///
    /// # Errors
    /// As [`segment::open`].
    pub(in crate::backup) fn open(file: &SegmentFile, keys: &'k Keys<'k>) -> Result<Self> {
        Ok(Self {
            file: file.clone(),
            keys,
            reader: reader(file, keys)?,
            is_broken: false,
        })
    }

    /// A file in it, from its start. Reading it to the end tells whether it is the one
    /// that was written.
    ///
    /// # Errors
    /// [`Error::Damaged`] if something else lies there.
    pub(in crate::backup) fn part(
        &mut self,
        member: Member,
        place: &Place,
    ) -> Result<Part<&mut Self>> {
        self.seek(member, place)?;
        Ok(Part::new(self, place))
    }

    /// The same, for who wants nothing else of this segment.
    ///
    /// # Errors
    /// As [`part`](Self::part).
    pub(in crate::backup) fn into_part(
        mut self,
        member: Member,
        place: &Place,
    ) -> Result<Part<Self>> {
        self.seek(member, place)?;
        Ok(Part::new(self, place))
    }

    /// To the first byte of a file.
    fn seek(&mut self, member: Member, place: &Place) -> Result<()> {
        if self.is_broken {
            self.reader = reader(&self.file, self.keys)?;
        }
        // Until it was read to its end, which the part says.
        self.is_broken = true;
        let which = &self.file.which;
        let mut block = [0; BLOCK as usize];
        let read = self.reader.seek(SeekFrom::Start(place.at));
        let read = read.and_then(|_| self.reader.read_exact(&mut block));
        read.map_err(|error| trouble(&segment::place(which, &member), error))?;
        let found = head(&block, place.at).map_err(|why| Error::damaged(which, why))?;
        if (found.member, found.bytes) != (member, place.bytes) {
            let why = format!("{} lies in the place of {member}", found.member);
            return Err(Error::damaged(which, why));
        }
        Ok(())
    }

    /// A small file in it, whole.
    ///
    /// # Errors
    /// As [`part`](Self::part), and if it is not the one that was written.
    pub(in crate::backup) fn whole(&mut self, member: Member, place: &Place) -> Result<Vec<u8>> {
        let which = segment::place(&self.file.which, &member);
        let mut bytes = Vec::new();
        let read = self.part(member, place)?.read_to_end(&mut bytes);
        read.map_err(|error| trouble(&which, error))?;
        Ok(bytes)
    }
}

fn reader(file: &SegmentFile, keys: &Keys<'_>) -> Result<Plain<File>> {
    let opened = plain::open(&file.which, &file.path)?;
    segment::open(&file.which, opened, keys.each())
}

/// A file of a segment, which is checked while it is read: its end is an error if it
/// is not the one that was written.
pub(in crate::backup) struct Part<S> {
    segment: S,
    left: u64,
    due: Hash,
    digest: Sha256,
}

impl<S> Part<S> {
    fn new(segment: S, place: &Place) -> Self {
        Self {
            segment,
            left: place.bytes,
            due: place.sha256,
            digest: Sha256::new(),
        }
    }
}

impl<'k, S: BorrowMut<Segment<'k>>> Read for Part<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            self.segment.borrow_mut().is_broken = false;
            let hash: [u8; 32] = self.digest.clone().finalize().into();
            return match hash == self.due.0 {
                true => Ok(0),
                false => Err(io::ErrorKind::InvalidData.into()),
            };
        }
        let most = usize::try_from(self.left).map_or(out.len(), |left| left.min(out.len()));
        let read = self.segment.borrow_mut().reader.read(&mut out[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.digest.update(&out[..read]);
        self.left -= read as u64;
        Ok(read)
    }
}

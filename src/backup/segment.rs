//! Opens a segment: an age file with tar inside, whose last file is the manifest.
//!
//! The manifest alone can be read without the rest, since an age file can be opened
//! anywhere. What comes before it is not looked at then, and may be damaged.

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

use age::stream::StreamReader;
use age::{DecryptError, Decryptor, Identity};

use super::error::{Error, Result};
use super::layout::{MANIFEST, Member};
use super::manifest::{self, Signed};
use super::read::trouble::trouble;

/// A longer header is not given to age: a crafted one of 100 KB keeps its parser
/// busy for seconds.
pub const MOST_HEADER_BYTES: usize = 16 * 1024;

/// How every age file begins.
const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";

/// Tar has everything in blocks of this length.
const BLOCK: usize = 512;

/// age seals so much at a time: a damaged byte costs all of it.
const CHUNK_BYTES: u64 = 64 << 10;

/// A segment's plaintext, with as much of the source as was read to see its header.
pub type Plain<R> = StreamReader<Headed<R>>;

/// Opens a segment from its start. `which` names it in what is said of it.
///
/// What is read is provisional until the end was read without an error.
///
/// # Errors
/// [`Error::Damaged`] if it is no age file or ends within its header, [`Error::Locked`] if none of the
/// identities opens it.
pub fn open<'i, R: Read>(
    which: &str,
    source: R,
    identities: impl Iterator<Item = &'i dyn Identity>,
) -> Result<Plain<R>> {
    let headed = Headed::read(source).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => Error::damaged(which, "it is no age file"),
        _ => trouble(which, error),
    })?;
    let refused = |error| match error {
        DecryptError::NoMatchingKeys
        | DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed => Error::Locked {
            which: which.to_owned(),
        },
        // It ends within the header, or before anything that is sealed.
        DecryptError::Io(source) => trouble(which, source),
        _ => Error::damaged(which, "its header is damaged"),
    };
    let decryptor = Decryptor::new_buffered(headed).map_err(refused)?;
    decryptor.decrypt(identities).map_err(refused)
}

/// Reads the manifest of a segment, and nothing else of it.
///
/// # Errors
/// As [`open`], and [`Error::Damaged`] if there is no manifest at its end or its
/// signature does not hold.
pub fn manifest<'i, R: Read + Seek>(
    which: &str,
    source: R,
    identities: impl Iterator<Item = &'i dyn Identity>,
) -> Result<Signed> {
    let mut plain = open(which, source, identities)?;
    let no_end = |_| Error::damaged(which, "its end is missing or damaged");
    let length = plain.seek(SeekFrom::End(0)).map_err(no_end)?;
    // Chunk by chunk from the last one on: what is damaged before the manifest is none
    // of its concern.
    let mut from = length.saturating_sub(1) / CHUNK_BYTES * CHUNK_BYTES;
    let (mut to, mut step) = (length, CHUNK_BYTES);
    let mut tail = Vec::new();
    loop {
        plain.seek(SeekFrom::Start(from)).map_err(no_end)?;
        let mut piece = Vec::new();
        let read = plain.by_ref().take(to - from).read_to_end(&mut piece);
        read.map_err(no_end)?;
        piece.append(&mut tail);
        tail = piece;
        if let Some(body) = last_manifest(&tail) {
            return Signed::read(which, body);
        }
        if from == 0 || length - from > manifest::MOST_BYTES {
            return Err(Error::damaged(which, "it has no manifest"));
        }
        to = from;
        from = from.saturating_sub(step);
        step *= 2;
    }
}

/// The manifest that ends these bytes, which begin at a block. Its header has zeros
/// in it and JSON has none, so that nothing in a manifest looks like one.
fn last_manifest(tail: &[u8]) -> Option<&[u8]> {
    let (blocks, _) = tail.as_chunks::<BLOCK>();
    for (at, block) in blocks.iter().enumerate().rev() {
        if !block.starts_with(MANIFEST.as_bytes()) {
            continue;
        }
        let header = tar::Header::from_byte_slice(block);
        let is_it = header.path_bytes().as_ref() == MANIFEST.as_bytes();
        let (true, Ok(size)) = (is_it, header.entry_size()) else {
            continue;
        };
        let body = tail.get((at + 1) * BLOCK..)?;
        return body.get(..usize::try_from(size).ok()?);
    }
    None
}

/// A source whose age header has been seen to end early enough.
pub struct Headed<R> {
    /// What was read to see it.
    head: Cursor<Vec<u8>>,
    rest: BufReader<R>,
}

impl<R: Read> Headed<R> {
    fn read(mut source: R) -> io::Result<Self> {
        let mut head = Vec::with_capacity(MOST_HEADER_BYTES);
        source
            .by_ref()
            .take(MOST_HEADER_BYTES as u64)
            .read_to_end(&mut head)?;
        let ends = head.windows(5).any(|window| window == b"\n--- ");
        let is_short = head.len() < MOST_HEADER_BYTES;
        let begins = head.starts_with(FIRST_LINE) || FIRST_LINE.starts_with(&head);
        match ends {
            false if is_short && begins => Err(io::ErrorKind::UnexpectedEof.into()),
            true => Ok(Self {
                head: Cursor::new(head),
                rest: BufReader::with_capacity(1 << 17, source),
            }),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn in_head(&self) -> bool {
        self.head.position() < self.head.get_ref().len() as u64
    }
}

impl<R: Read> Read for Headed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.in_head() {
            true => self.head.read(bytes),
            false => self.rest.read(bytes),
        }
    }
}

impl<R: Read> BufRead for Headed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.in_head() {
            true => self.head.fill_buf(),
            false => self.rest.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self.in_head() {
            true => self.head.consume(amount),
            false => self.rest.consume(amount),
        }
    }
}

/// Places are those of the source.
impl<R: Read + Seek> Seek for Headed<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let head = self.head.get_ref().len() as u64;
        let to = match to {
            SeekFrom::Current(by) => {
                let now = match self.in_head() {
                    true => self.head.position(),
                    false => self.rest.stream_position()?,
                };
                let to = now.checked_add_signed(by);
                SeekFrom::Start(to.ok_or(io::ErrorKind::InvalidInput)?)
            }
            to => to,
        };
        // What was read ahead of the header is not read again.
        let at = self.rest.seek(to)?;
        self.head.set_position(at.min(head));
        if at < head {
            self.rest.seek(SeekFrom::Start(head))?;
        }
        Ok(at)
    }
}

/// Where in the file of a segment something is, for what is said of it.
#[must_use]
pub fn place(segment: &str, member: &Member) -> String {
    format!("{segment}, {member}")
}

//! Which of the last two states of the store counts.
//!
//! redb keeps the roots of its last two commits in its header, each with a checksum and a
//! number that counts up, and says in one byte, which no checksum covers, which of the two
//! is in force. Every commit here has two phases: pages and roots are durable before that
//! byte is written, and closing ends with such a commit. So in a store that was closed the
//! later state counts; a byte that says otherwise was changed since, and would take back the
//! last change without a word. In one that was not closed, the later state may be a commit
//! that was cut off, whose pages may not be there; which it is can't be told.

use std::io;
use std::ops::Range;

use redb::StorageBackend;

use super::overlay::Overlay;
use super::{Store, builder};
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, DiskFile};
use crate::vault::ground::lock::Lock;

/// What redb's files begin with.
const MAGIC: &[u8; 9] = b"redb\x1a\x0a\xa9\x0d\x0a";

/// Where the byte stands that says which state is in force.
const FLAGS_AT: usize = MAGIC.len();

/// In it: the second of the two is in force.
const SECOND: u8 = 1;

/// In it: the store was not closed.
const NOT_CLOSED: u8 = 2;

/// In it: the state in force was committed in two phases. Of others redb takes the later
/// one by itself.
const TWO_PHASES: u8 = 4;

/// Where each of the two states begins; in it whether it has rows, the root of their tree, and
/// its number.
const STATES_AT: [usize; 2] = [64, 192];
const HAS_ROWS_AT: usize = 1;
const ROWS_AT: Range<usize> = 8..40;
const NUMBER_AT: usize = 104;

const HEADER_BYTES: usize = 320;

const PIECE_BYTES: usize = 1 << 20;

/// What was found about the state that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum Newest {
    /// It is the later one, or redb finds it damaged.
    InForce,
    /// It was the earlier one, and is the later one now.
    PutInForce,
    /// It is the earlier one: the later one was not finished, or can't be told from that.
    Unfinished,
}

impl Store {
    /// Puts the later state in force where the store was closed with it.
    ///
    /// # Errors
    /// [`Error::Io`] if the file can't be read or written.
    pub(in crate::vault) fn put_newest_in_force(&self, lock: &Lock) -> Result<Newest> {
        let file = self.open_file(lock, Access::Read)?;
        let Some(flags) = earlier_in_force(&*file).map_err(Error::io("read", &self.path))? else {
            return Ok(Newest::InForce);
        };
        let put = flags ^ SECOND;
        if flags & NOT_CLOSED != 0 {
            return Ok(Newest::Unfinished);
        }
        // Its number is what tells the earlier one, and it may be the number that is damaged.
        if !self.is_whole_with(file, flags) {
            return Ok(Newest::InForce);
        }
        if !self.is_whole_with(self.open_file(lock, Access::Read)?, put) {
            return Ok(Newest::Unfinished);
        }
        let file = self.open_file(lock, Access::Write)?;
        write_anew(&*file)
            .and_then(|()| file.write_at(FLAGS_AT as u64, &[put]))
            .and_then(|()| file.sync())
            .map_err(Error::io("write", &self.path))?;
        Ok(Newest::PutInForce)
    }

    /// Whether redb finds all of the file in order with these flags. Changes nothing.
    fn is_whole_with(&self, file: Box<dyn DiskFile>, flags: u8) -> bool {
        let opened = self.fenced(|| {
            let aside = Overlay::over(file, &self.unread).map_err(Error::io("open", &self.path))?;
            aside
                .write(FLAGS_AT as u64, &[flags])
                .map_err(Error::io("open", &self.path))?;
            builder()
                .set_check_integrity_on_open(true)
                .create_with_backend(aside)
                .map_err(|error| self.trouble(error))
        });
        opened.is_ok()
    }
}

/// Writes everything over itself, and makes it durable: what was read may be in memory only
/// and count as written, where a sync failed before.
fn write_anew(file: &dyn DiskFile) -> io::Result<()> {
    let (end, mut at) = (file.len()?, 0);
    let mut piece = vec![0; PIECE_BYTES];
    while at < end {
        piece.resize((end - at).min(PIECE_BYTES as u64) as usize, 0);
        file.read_at(at, &mut piece)?;
        file.write_at(at, &piece)?;
        at += piece.len() as u64;
    }
    file.sync()
}

/// The flags of a store whose earlier state is in force, where the later one has other rows.
fn earlier_in_force(file: &dyn DiskFile) -> io::Result<Option<u8>> {
    if file.len()? < HEADER_BYTES as u64 {
        return Ok(None);
    }
    let mut header = [0; HEADER_BYTES];
    file.read_at(0, &mut header)?;
    let number = |at: usize| {
        let bytes = header[at + NUMBER_AT..].first_chunk();
        bytes.map(|bytes| u64::from_le_bytes(*bytes))
    };
    let [first, second] = STATES_AT.map(number);
    let flags = header[FLAGS_AT];
    let is_earlier = match flags & SECOND {
        0 => first < second,
        _ => second < first,
    };
    // redb's check of the whole file ends with a commit that changes no row.
    let rows = |at: usize| {
        let root = header[at..][ROWS_AT].to_vec();
        (header[at + HAS_ROWS_AT], root)
    };
    let [first, second] = STATES_AT.map(rows);
    let counts = header.starts_with(MAGIC) && flags & TWO_PHASES != 0;
    Ok((counts && is_earlier && first != second).then_some(flags))
}

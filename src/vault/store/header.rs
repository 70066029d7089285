//! Whether redb's header names the newest state of the store.
//!
//! redb keeps the last two states of a file, and a bit in its header says which
//! one counts. No checksum covers that bit: changed by an accident, it would put
//! the state before the last change in force, and nobody would be told.

use std::io;

use crate::vault::ground::disk::DiskFile;

/// Behind redb's magic: which of the two states counts, and whether the last one
/// to write has closed the file.
const FLAGS_AT: usize = 9;
const SECOND_COUNTS: u8 = 1;
const NOT_CLOSED: u8 = 2;

/// Where the states stand, and in each of them the number of its transaction.
const STATES_AT: [usize; 2] = [64, 192];
const NUMBER_AT: usize = 104;
const HEADER_BYTES: usize = 320;

/// Whether the file was closed, and the state that is not in force is newer than
/// the one that is. Where it was not closed, redb itself looks for the newest.
pub(super) fn names_an_older_state(file: &dyn DiskFile) -> io::Result<bool> {
    let mut header = [0; HEADER_BYTES];
    if file.len()? < HEADER_BYTES as u64 {
        // redb says what it thinks of that.
        return Ok(false);
    }
    file.read_at(0, &mut header)?;
    if header[FLAGS_AT] & NOT_CLOSED != 0 {
        return Ok(false);
    }
    let [first, second] = STATES_AT.map(|at| {
        let mut number = [0; 8];
        number.copy_from_slice(&header[at + NUMBER_AT..at + NUMBER_AT + 8]);
        u64::from_le_bytes(number)
    });
    Ok(match header[FLAGS_AT] & SECOND_COUNTS {
        0 => second > first,
        _ => first > second,
    })
}

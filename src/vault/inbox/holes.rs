//! Tells a file that never got to the disk whole from one that was damaged there.
//!
//! What a power cut kept from being written reads as zeros, wherever in the file it
//! is: it need not be the last. A sector may have got to the disk earlier, with less
//! in it, so a hole begins anywhere and reaches to the end of its sector. Nothing that
//! is sealed, nor any header, holds so many zeros in a row.

use std::io;

use crate::vault::ground::disk::DiskFile;

/// The least that a disk writes at a time.
const SECTOR_BYTES: usize = 512;

/// More zeros than a header has in a row, which are twelve.
const ZEROS: usize = 16;

/// Sectors that are read in one go.
const SECTORS: usize = 128;

/// Whether some sector of a file, or the start of its last one, ends with zeros.
pub(super) fn any(file: &dyn DiskFile) -> io::Result<bool> {
    let (end, mut at) = (file.len()?, 0);
    let mut piece = vec![0; SECTOR_BYTES * SECTORS];
    while at < end {
        piece.resize((end - at).min(piece.len() as u64) as usize, 0);
        file.read_at(at, &mut piece)?;
        let is_hole = |sector: &[u8]| {
            let tail = &sector[sector.len().saturating_sub(ZEROS)..];
            tail.iter().all(|byte| *byte == 0)
        };
        if piece.chunks(SECTOR_BYTES).any(is_hole) {
            return Ok(true);
        }
        at += piece.len() as u64;
    }
    Ok(false)
}

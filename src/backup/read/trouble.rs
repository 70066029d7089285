//! What went wrong while something sealed was read: age says with kinds of I/O errors
//! what no disk said.

use std::io;
use std::path::Path;

use crate::backup::error::Error;

/// What is said of a file that ends before its end.
pub(in crate::backup) const CUT_OFF: &str = "it is cut off";

/// As damage of what was read, or as a file that can't be.
pub(in crate::backup) fn trouble(which: &str, source: io::Error) -> Error {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    if source.raw_os_error().is_some() {
        return Error::io("read", Path::new(which))(source);
    }
    match source.kind() {
        UnexpectedEof => Error::damaged(which, CUT_OFF),
        InvalidData | InvalidInput | Other => Error::damaged(which, "it was altered, or cut off"),
        _ => Error::io("read", Path::new(which))(source),
    }
}

//! What one sealed record looks like: its frame in the clear, what is inside, and
//! how frames are found in any bytes.

pub mod frame;
pub(super) mod record;
pub mod scan;

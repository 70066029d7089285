//! Destroying for good, and saying what is out of reach. All of it is a rotation of
//! the keys; the rest is tidiness.

pub(super) mod forget;
pub(super) mod receipt;
pub(super) mod redact;
pub(super) mod scrub;
pub(super) mod shred;

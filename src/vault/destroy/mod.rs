//! Destroying for good, and saying what is out of reach: recordings and what their
//! cards said before, by a rotation of the keys; or, without a key, the whole vault.

mod complete;
pub(super) mod forget;
mod reach;
pub(super) mod receipt;
pub(super) mod redact;
pub(super) mod scrub;
pub(super) mod shred;
pub(super) mod strangers;
pub(super) mod sweep;
mod tally;
pub(super) mod wipe;

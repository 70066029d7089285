//! The log: what was done with the recordings, so that their owner can look it up.
//!
//! An entry is sealed with the log key and binds the hash of the one before, so a
//! change by somebody without a key is found. The bag names the newest entry at every
//! rotation; what came since then is called unanchored. Recordings are named by their
//! ids only: nothing of what is shredded later stands in here.
//!
//! There are two ways in, and each leaves no deed without an entry:
//!
//! - what takes no rotation (playing, exporting) is logged as *begun*, durably, before
//!   it begins: [`book::write`];
//! - what is a rotation (shredding, redacting, new keys) carries its entry in the bag
//!   that it commits: the deed is in force if and only if the entry is
//!   ([`book::Anchor`]). Such an entry goes into the store with the next rows that are
//!   written, and stays in the bag until it is there.
//!
//! Reading and checking it is in [`chain`]. What is worth an entry is not judged here.

pub(super) mod book;
pub(super) mod chain;
pub(super) mod entry;
#[cfg(test)]
mod tests;

pub use chain::{Lapse, Log};
pub use entry::{Deed, Draft, Entry, Stage};

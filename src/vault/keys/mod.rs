//! Which keys are in force, and how they are replaced so that the old ones are gone.
//!
//! `bag` is every recording's keys, `root` says which bag counts; `recover` reads
//! both without a key and `verdict` with it; `keyslots` are the files of the ways in,
//! `trying` tries a key on them and `settle` puts them in order; `keyring` is what an unlocked vault keeps in memory;
//! `rotation` is the one way in which any of it changes, and `ways` are those that
//! change the ways in, and the master key as well.

pub mod bag;
pub(super) mod keyring;
pub(super) mod keyslots;
pub(super) mod recover;
pub(super) mod reserve;
pub(super) mod root;
pub(super) mod rotation;
pub(super) mod seen;
pub(super) mod settle;
pub(super) mod slot_copies;
#[cfg(test)]
mod tests;
pub(super) mod trying;
pub(super) mod verdict;
pub(super) mod ways;

//! What the vault stands on: files, flocks, the kind of disk, and where a vault is.
//!
//! Nothing here knows what is in a file.

pub mod disk;
pub(super) mod file_system;
pub mod lock;
pub mod medium;
pub(super) mod nocow;
#[cfg(test)]
pub(crate) mod sim_disk;
pub mod site;

//! The vault directory: keys, inbox and store, and what may be done with them.
//!
//! [`Vault`] is what anybody can do who has no key: open it, record into it.
//! [`OpenVault`] is what its owner can do: merge, list, read, add, shred. In
//! reading order:
//!
//! - `disk`, `lock`, `site`: what the vault asks of the machine;
//! - `bag`, `root`, `recover`, `keyslots`, `keyring`, `rotation`: which keys are
//!   in force, and how they are replaced so that the old ones are gone;
//! - `frame`, `record`, `scan`: what one sealed record looks like;
//! - `recorder`, `inbox`, `intake`, `merge`: from the microphone to the store;
//! - `rows`, `store`, `library`, `sound`, `running`: reading it again;
//! - `rescue`: building a damaged store anew;
//! - `shred`, `forget`, `medium`: destroying it or what its card said before, and
//!   saying what is out of reach.
//!
//! Nothing of age or redb shows outside. What was said is never judged here, and
//! nothing here plays, transcribes or searches.

pub mod bag;
mod closed;
pub mod disk;
pub mod error;
mod file_system;
mod forget;
pub mod frame;
mod inbox;
mod incoming;
mod init;
mod intake;
mod keyring;
#[cfg(test)]
mod keys_tests;
mod keyslots;
mod library;
pub mod lock;
pub mod medium;
mod merge;
pub mod notice;
mod open;
mod passwd;
mod record;
mod recorder;
mod recover;
mod rescue;
mod reserve;
mod root;
mod rotation;
mod rows;
mod running;
pub mod scan;
mod seen;
mod session;
mod shred;
#[cfg(test)]
mod sim_disk;
pub mod site;
mod sound;
mod store;
mod verdict;
#[cfg(test)]
mod tests;

pub use closed::Vault;
pub use error::{Error, Result};
pub use inbox::InboxEntry;
pub use init::{InitOptions, Placement};
pub use library::{Damage, Listing};
pub use merge::{Duplicate, MergeReport, Refused};
pub use notice::Notice;
pub use open::OpenVault;
pub use record::SoundSegment;
pub use recorder::RecordingWriter;
pub use rescue::Rescued;
pub use shred::{Backup, NotErased, Receipt, ShredScope, Shredded};
pub use sound::SoundReader;

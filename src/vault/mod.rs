//! The vault directory: keys, inbox and store, and what may be done with them.
//!
//! [`Vault`] is what anybody can do who has no key: open it, record into it.
//! [`OpenVault`] is what its owner can do: merge, list, read, add, shred. In
//! reading order:
//!
//! - `ground`: what the vault asks of the machine;
//! - `keys`: which keys are in force, and how they are replaced so that the old
//!   ones are gone;
//! - `sealed`: what one sealed record looks like;
//! - `inbox`: from the microphone to the store;
//! - `store`: the records of everything that came in, reading them, and building a
//!   damaged store anew;
//! - `restore`: putting recordings back that a backup held;
//! - `log`: what was done with it all;
//! - `destroy`: destroying a recording or what its card said before, and saying what
//!   is out of reach;
//! - `verify`: reading every byte, saying what is damaged, putting it in order;
//! - `copying`: what a backup takes out;
//! - `coverage`: which recordings are in which backups;
//! - `fitness`: what is wrong with a vault as far as that shows without a key;
//! - `closed`, `open`, `session`, `init`: the doors to all that.
//!
//! Nothing of age or redb shows outside. What was said is never judged here, and
//! nothing here plays, transcribes or searches.

/// What to do about a damaged store or recording.
pub(crate) const REPAIR_HINT: &str = "voxvault verify --repair";

mod closed;
pub mod copying;
mod coverage;
mod destroy;
pub mod error;
mod fitness;
mod ground;
mod inbox;
mod init;
mod keys;
mod log;
pub mod notice;
mod open;
mod restore;
mod sealed;
mod session;
mod store;
mod verify;
mod ways;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torture;

pub use closed::Vault;
pub use coverage::{Coverage, Covered};
pub use destroy::receipt::{Backup, NotErased, Receipt, Shredded};
pub use destroy::redact::{Redacted, Redaction};
pub use destroy::scrub::Scrubbed;
pub use destroy::shred::ShredScope;
pub use destroy::sweep::{Doubt, Expiry, Outlook, Sweep, Swept};
pub use destroy::wipe::{require, wipe};
pub use error::{Error, Result};
pub use fitness::Unfit;
#[cfg(test)]
pub(crate) use ground::sim_disk;
pub use ground::{disk, lock, medium, site};
pub use inbox::InboxEntry;
pub use inbox::merge::{Duplicate, MergeReport, Redated, Refused};
pub use inbox::recorder::RecordingWriter;
pub use inbox::unmerged::Unmerged;
pub use init::{FirstWays, InitOptions, Placement};
pub use keys::bag;
pub use keys::slot_copies::SlotFile;
pub use log::{Deed, Draft, Entry, Lapse, Log, Stage};
pub use notice::Notice;
pub use open::{BackupKeys, OpenVault};
pub use restore::{
    Fate, Holding, Mending, Restored, Restoring, Returned, ReturnedSound, Returning, lost_segments,
    segments_outside,
};
pub use sealed::record::SoundSegment;
pub use sealed::{frame, scan};
pub(crate) use store::FILE as STORE_FILE;
pub use store::library::{Damage, Listing};
pub use store::rescue::Rescued;
pub use store::sound::SoundReader;
pub use verify::{Flaw, Verified};
pub use ways::{NewWay, Rekeying, check_name};

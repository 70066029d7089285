//! Backups: a folder of age files with tar inside, which open without this program.
//!
//! In reading order:
//!
//! - `layout`: what the files are called, in the folder and in the tar;
//! - `meta`: `meta.json`, all that the vault knows of one recording;
//! - `manifest`: the last file of each segment, signed: what is in it, what came
//!   before it, and what must not come back;
//! - `segment`: opens one, or its manifest only;
//! - `state`: whether a backup is of the state that a vault is in;
//! - `start`: whether a stream opens, before the rest of it was read;
//! - `write`: adds to a backup what is new, and rids it of what was destroyed;
//! - `read`: where segments lie, which keys open them, what they hold together;
//! - `verify`: every byte of a backup, and what segments say of each other;
//! - `restore`: recordings back into a vault.
//!
//! Nothing decrypted touches the disk. The vault decides what is read and what is
//! taken in; nothing here asks a person or prints.

pub mod error;
pub mod layout;
pub mod manifest;
pub mod meta;
mod plain;
mod read;
pub mod restore;
pub mod segment;
mod start;
mod state;
pub mod verify;
pub mod write;
mod written;

#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use layout::{Found, Member};
pub use manifest::{Dropped, Entry, FileEntry, Manifest, Signed, SoundAt};
pub use meta::Meta;
pub use plain::open;
pub use read::{Keys, Source, Trust, opens};
pub use start::Started;
pub use written::{BackupId, Digits, Hash, Mark};

//! Keys and sealing: secrets that wipe themselves, records sealed as age files,
//! the key slots through which a passphrase reaches the master key, and the
//! signatures of backups.
//!
//! Nothing here touches the disk, and nothing outside knows that age does the
//! work. No cryptography of our own: age files, scrypt, HKDF and HMAC, put
//! together.

mod age_file;
pub mod asker;
mod backup_identity;
pub mod error;
pub mod identity;
pub mod inbox_key;
pub mod passphrase;
pub mod recipient;
pub mod recovery;
pub mod root_seal;
pub mod seal;
pub mod secret;
pub mod signature;
pub mod slot;
mod vault_id;
pub mod words;

pub use asker::{Asker, Nobody};
pub use backup_identity::BackupIdentity;
pub use error::CryptoError;
pub use identity::Identities;
pub use inbox_key::{InboxIdentity, InboxPublic};
pub use passphrase::Passphrase;
pub use recipient::{Recipient, RecipientKind};
pub use recovery::RecoveryKey;
pub use seal::{RecordKey, open, seal, sealed_len};
pub use secret::{
    BagKey, ClipKey, ClipKeys, LogKey, MasterKey, SigningSeed, fill_noise, fill_random,
};
pub use signature::{Signature, SignerKey};
pub use slot::{Key, Opener, SlotSecrets, WayKey, WorkFactor};
pub use vault_id::VaultId;

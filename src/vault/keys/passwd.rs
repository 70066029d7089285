//! A new passphrase with a new master key, so that the old passphrase opens
//! nothing in the directory any more.
//!
//! The new slot lies beside the old one, durable, before the root commits to
//! its master key; the old slot is overwritten after. Before the commit the old
//! passphrase is in force, after it the new one, and never neither.

use super::bag::Bag;
use super::keyring::KeyRing;
use super::keyslots;
use super::rotation::{Leftover, Rotated, Successor};
use crate::crypto::{BackupIdentity, CryptoError, MasterKey, Passphrase, SlotSecrets, WorkFactor};
use crate::vault::error::{Error, Result};
use crate::vault::ground::lock::Lock;
use crate::vault::ground::site::Site;
use crate::vault::notice::Notice;

impl KeyRing {
    /// Replaces passphrase, master key and backup identity. The identity before
    /// stays in the bag: it opens the backups that were made with it. `edit` changes
    /// the bag beside.
    ///
    /// # Errors
    /// If it fails, the old passphrase stays in force. What could not be
    /// overwritten is told in [`Rotated::leftovers`].
    pub fn change_passphrase(
        &mut self,
        site: &Site,
        lock: &Lock,
        new: &Passphrase,
        work: WorkFactor,
        edit: &mut dyn FnMut(&mut Bag) -> Result<()>,
    ) -> Result<Rotated> {
        let sealing = |error: CryptoError| Error::Seal {
            which: "the key slot".into(),
            why: error.to_string(),
        };
        let before = std::iter::once(&self.backup).chain(self.bag.former_backups.iter().rev());
        let secrets = SlotSecrets {
            vault: self.facts.vault,
            master: MasterKey::generate().map_err(sealing)?,
            backup: BackupIdentity::generate(),
            former: before.map(BackupIdentity::duplicate).collect(),
            signer: self.bag.signing.public(),
        };
        let fingerprint = secrets.master.fingerprint().map_err(sealing)?;
        let sealed = secrets.seal(new, work).map_err(sealing)?;
        keyslots::prepare(site, &self.slot, &fingerprint, &sealed)?;

        let former = self.backup.duplicate();
        let mut keep_former = |bag: &mut Bag| {
            bag.former_backups.push(former.duplicate());
            edit(bag)
        };
        let SlotSecrets { master, backup, .. } = secrets;
        let successor = Successor { master, backup };
        let mut rotated = self.rotate_to(site, lock, &mut keep_former, Some(successor))?;
        for notice in keyslots::settle(site, &fingerprint) {
            if let Notice::NotDone { path, why } = notice {
                let source = std::io::Error::other(why);
                let why = Error::NotFinal { path, source };
                rotated.leftovers.push(Leftover { why });
            }
        }
        Ok(rotated)
    }
}

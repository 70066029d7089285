//! Changes of the ways in: one more, or a new master key for those that stay.
//!
//! A new slot lies beside the old one, durable, before the bag commits to its hash;
//! the old slot is overwritten after. So before the commit the old ways in are in
//! force, after it the new ones, and never neither. What was taken away opens
//! nothing from the commit on, and is overwritten before success is reported.

use std::collections::BTreeMap;

use super::bag::{Bag, MOST_RETIRED, Retired, Way};
use super::keyring::KeyRing;
use super::keyslots::Fingerprint;
use super::recover::Survey;
use super::root::Copy;
use super::rotation::{Leftover, Rotated, Successor};
use super::verdict::{Verdict, judge};
use super::{keyslots, settle};
use crate::crypto::{BackupIdentity, CryptoError, MasterKey, SlotSecrets};
use crate::vault::error::{Error, Result};
use crate::vault::ground::lock::Lock;
use crate::vault::ground::site::Site;
use crate::vault::notice::Notice;

/// A slot that is ready to be written.
pub(in crate::vault) struct Sealed {
    /// Its name.
    pub name: String,
    /// What the bag is to know of it.
    pub way: Way,
    /// The file.
    pub bytes: Vec<u8>,
}

impl KeyRing {
    /// What every slot in force holds.
    pub(in crate::vault) fn secrets(&self) -> SlotSecrets {
        let former = self.bag.former_backups.iter().rev();
        SlotSecrets {
            vault: self.facts.vault,
            master: self.master.duplicate(),
            backup: self.backup.duplicate(),
            former: former.map(BackupIdentity::duplicate).collect(),
            signer: self.bag.signing.public(),
        }
    }

    /// What every slot holds once the master key is replaced. The backup identity
    /// is another one then: who lost his way in opens no backup that is made later.
    pub(in crate::vault) fn next_secrets(&self) -> Result<SlotSecrets, CryptoError> {
        let SlotSecrets {
            vault,
            backup,
            mut former,
            signer,
            ..
        } = self.secrets();
        former.insert(0, backup);
        Ok(SlotSecrets {
            vault,
            master: MasterKey::generate()?,
            backup: BackupIdentity::generate(),
            former,
            signer,
        })
    }

    /// Adds a way in that was sealed to what [`secrets`](Self::secrets) answered.
    /// `edit` changes the bag beside.
    ///
    /// # Errors
    /// [`Error::KeysReplaced`] if the master key is another one by now,
    /// [`Error::WayExists`] if the name is taken; then nothing is changed.
    pub(in crate::vault) fn add_way(
        &mut self,
        site: &Site,
        lock: &Lock,
        secrets: &SlotSecrets,
        new: Sealed,
        edit: &mut dyn FnMut(&mut Bag) -> Result<()>,
    ) -> Result<Rotated> {
        if secrets.master.expose() != self.master.expose() {
            return Err(Error::KeysReplaced {
                dir: site.dir.clone(),
            });
        }
        let is_known = self.bag.settings.ways.contains_key(&new.name);
        if is_known || keyslots::is_taken(site, &new.name)? {
            return Err(Error::WayExists { name: new.name });
        }
        let fingerprint = self.facts.fingerprint;
        let slots = [new];
        let mut insert = |bag: &mut Bag| {
            for slot in &slots {
                let ways = &mut bag.settings.ways;
                ways.insert(slot.name.clone(), slot.way.clone());
            }
            edit(bag)
        };
        let prepared = keyslots::prepare(site, &fingerprint, &slots);
        let rotated = prepared.and_then(|()| self.rotate_to(site, lock, &mut insert, None));
        self.concluded(site, &fingerprint, &slots, rotated)
    }

    /// Replaces the master key. These are the ways in from then on; what is not
    /// among them is none. `edit` changes the bag beside.
    ///
    /// # Errors
    /// [`Error::KeysReplaced`] if the master key or the ways in are not those any
    /// more that `before` says. If it fails, everything stays in force as it was.
    pub(in crate::vault) fn replace_master(
        &mut self,
        site: &Site,
        lock: &Lock,
        before: &BTreeMap<String, Way>,
        secrets: SlotSecrets,
        slots: &[Sealed],
        edit: &mut dyn FnMut(&mut Bag) -> Result<()>,
    ) -> Result<Rotated> {
        let expected = self
            .next_former()
            .eq(secrets.former.iter().map(BackupIdentity::recipient));
        if self.bag.settings.ways != *before || !expected {
            return Err(Error::KeysReplaced {
                dir: site.dir.clone(),
            });
        }
        let fingerprint = secrets.master.fingerprint().map_err(sealing)?;
        let former = self.backup.duplicate();
        let mut replace = |bag: &mut Bag| {
            let settings = &mut bag.settings;
            for (name, way) in std::mem::take(&mut settings.ways) {
                settings.retired.push(Retired {
                    name,
                    hash: way.hash,
                });
            }
            let too_many = settings.retired.len().saturating_sub(MOST_RETIRED);
            settings.retired.drain(..too_many);
            for slot in slots {
                settings.ways.insert(slot.name.clone(), slot.way.clone());
            }
            bag.former_backups.push(former.duplicate());
            edit(bag)
        };
        let SlotSecrets { master, backup, .. } = secrets;
        let successor = Successor { master, backup };
        let prepared = keyslots::prepare(site, &fingerprint, slots);
        let rotated =
            prepared.and_then(|()| self.rotate_to(site, lock, &mut replace, Some(successor)));
        let rotated = self.concluded(site, &fingerprint, slots, rotated)?;
        if !slots.iter().any(|slot| slot.name == self.slot) {
            // Whoever goes on working here came in by a way that is gone.
            self.slot = slots
                .first()
                .map(|slot| slot.name.clone())
                .unwrap_or_default();
        }
        Ok(rotated)
    }

    /// The backup identities that a successor's slots would call former.
    fn next_former(&self) -> impl Iterator<Item = String> {
        let newest = std::iter::once(&self.backup);
        let all = newest.chain(self.bag.former_backups.iter().rev());
        all.map(BackupIdentity::recipient)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Puts the files in their places, or takes away what was prepared in vain: the
    /// key to it opens all that the keys in it open.
    fn concluded(
        &self,
        site: &Site,
        fingerprint: &Fingerprint,
        slots: &[Sealed],
        rotated: Result<Rotated>,
    ) -> Result<Rotated> {
        match rotated {
            Ok(rotated) => Ok(self.settled(site, rotated)),
            Err(error) => {
                self.take_back(site, fingerprint, slots);
                Err(error)
            }
        }
    }

    /// Overwrites prepared slots that the bag in force does not know. Where that is not
    /// known for sure, they stay: they may be the only ways in. The next unlocking
    /// decides then, and opens with none that its bag does not know.
    fn take_back(&self, site: &Site, fingerprint: &Fingerprint, slots: &[Sealed]) {
        let next = self.facts.generation + 1;
        let is_left = Copy::BOTH.map(|copy| site.disk.exists(&copy.bag_file(&site.dir, next)));
        let survey = Survey::read(&*site.disk, &site.dir);
        let verdict =
            survey.and_then(|survey| judge(site, &survey, &self.master, self.facts.vault));
        let Ok(Verdict::InForce(facts, bag)) = verdict else {
            return;
        };
        // Half a commit whose bag stays could come into force after a power cut.
        let is_undone = is_left.iter().all(|left| matches!(left, Ok(false)));
        if facts.generation != self.facts.generation
            || !is_undone
            || site.disk.sync_dir(&site.dir).is_err()
        {
            return;
        }
        let is_known = |slot: &&Sealed| {
            let way = bag.settings.ways.get(&slot.name);
            way.is_some_and(|way| way.hash == slot.way.hash)
        };
        let vain = slots.iter().filter(|slot| !is_known(slot));
        keyslots::discard(site, fingerprint, vain);
    }

    fn settled(&self, site: &Site, mut rotated: Rotated) -> Rotated {
        for notice in settle::settle(site, &self.bag.settings) {
            let (path, source) = match notice {
                Notice::NotDone { path, why } | Notice::NotMended { path, why } => {
                    (path, std::io::Error::other(why))
                }
                // What was under this name before is still there, then.
                Notice::WayLost { name } => {
                    let path = site.path(keyslots::DIR).join(format!("{name}.age"));
                    (path, std::io::Error::other("its new file is lost"))
                }
                _ => continue,
            };
            let why = Error::NotFinal { path, source };
            rotated.leftovers.push(Leftover { why });
        }
        rotated
    }
}

pub(in crate::vault) fn sealing(error: CryptoError) -> Error {
    match error {
        CryptoError::Damaged(why) => Error::Seal {
            which: "the key slot".into(),
            why: why.to_owned(),
        },
        other => Error::Key(other),
    }
}

//! What an unlocked vault keeps in memory: the master key and the bag, and
//! which generation they are of.

use super::bag::{Bag, Settings};
use super::keyslots::{self, Opened};
use super::recover::Survey;
use super::root::{Position, RootFacts};
use super::seen;
use super::trying::{self, Fit};
use super::verdict::{Verdict, judge, put_in_order};
use crate::crypto::{BackupIdentity, MasterKey, Opener, VaultId};
use crate::vault::error::{Error, Result};
use crate::vault::ground::lock::Lock;
use crate::vault::ground::site::Site;
use crate::vault::notice::Notice;

/// Hash and MAC of the four slots: differs when anything in the root does.
type Stamp = [[u8; 64]; 4];

/// The keys of an unlocked vault. Wiped when it goes.
pub struct KeyRing {
    pub(in crate::vault) slot: String,
    pub(in crate::vault) master: MasterKey,
    pub(in crate::vault) backup: BackupIdentity,
    pub(in crate::vault) facts: RootFacts,
    pub(in crate::vault) bag: Bag,
    /// The hash of the bag before the one in force, if it was replaced by this process.
    pub(in crate::vault) former_bag: Option<[u8; 32]>,
    stamp: Stamp,
}

/// Whether another process changed the bag since it was last looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing changed.
    Same,
    /// The bag was read again.
    Changed,
}

impl KeyRing {
    /// Opens the vault with a key: about a second for each slot under a passphrase.
    /// What another rotation left unfinished is finished.
    ///
    /// # Errors
    /// [`Error::WrongPassphrase`], [`Error::WrongIdentity`] or [`Error::Key`] if no
    /// slot in force opens with it, [`Error::Damaged`] if no bag is left or the only slot
    /// that opens is of another vault, [`Error::Busy`], also if others replace the ways in
    /// faster than they can be tried.
    pub fn unlock(site: &Site, key: &dyn Opener) -> Result<(Self, Vec<Notice>)> {
        // A directory without a root is told before a key is tried.
        if Survey::read(&*site.disk, &site.dir)?
            .newest(&site.dir)
            .is_err()
        {
            // Another process may be in the middle of a rotation: its slots were
            // read before and behind the commit. Under the lock nobody is.
            let _lock = Lock::take(&*site.disk, &site.dir)?;
            Survey::read(&*site.disk, &site.dir)?.newest(&site.dir)?;
        }
        let mut foreign = None;
        let unlocked = trying::open(site, key, |opened| {
            let fit = Self::with_slot(site, opened)?;
            if let Fit::Not(opened) = &fit
                && is_foreign(site, opened)?
            {
                let file = format!("{}{}", opened.name, keyslots::ENDINGS[0]);
                foreign.get_or_insert(file);
            }
            Ok(fit)
        });
        match (unlocked, foreign) {
            // The key is right, and what it opened is not.
            (Err(Error::WrongPassphrase { .. } | Error::WrongIdentity { .. }), Some(file)) => {
                let path = site.path(keyslots::DIR).join(file);
                let why = "it is a way in of another vault";
                Err(Error::damaged(path.display(), why))
            }
            (unlocked, _) => unlocked,
        }
    }

    fn with_slot(site: &Site, opened: Opened) -> Result<Fit<(Self, Vec<Notice>)>> {
        let lock = Lock::take(&*site.disk, &site.dir)?;
        let survey = Survey::read(&*site.disk, &site.dir)?;
        let vault = opened.secrets.vault;
        let Verdict::InForce(facts, bag) = judge(site, &survey, &opened.secrets.master, vault)?
        else {
            return Ok(Fit::Not(opened));
        };
        let Some(slot) = way_of(site, &opened, &bag.settings)? else {
            return Ok(Fit::Not(opened));
        };
        let mut notices: Vec<Notice> = seen::compare(site, vault, facts.generation)
            .into_iter()
            .collect();
        let master = &opened.secrets.master;
        notices.extend(put_in_order(site, &lock, &survey, master, &facts, &bag)?);
        seen::note(site, vault, facts.generation);
        let secrets = opened.secrets;
        let stamp = stamp(site);
        let ring = Self {
            slot,
            master: secrets.master,
            backup: secrets.backup,
            facts,
            bag: *bag,
            former_bag: None,
            stamp,
        };
        Ok(Fit::Taken((ring, notices)))
    }

    /// The vault's keys as they are after `init`.
    pub(in crate::vault) fn fresh(
        site: &Site,
        master: MasterKey,
        backup: BackupIdentity,
        facts: RootFacts,
        bag: Bag,
    ) -> Self {
        let slot = keyslots::PASSPHRASE.to_owned();
        Self {
            slot,
            master,
            backup,
            facts,
            bag,
            former_bag: None,
            stamp: stamp(site),
        }
    }

    /// Looks whether another process changed the bag, and reads it again if so.
    /// To be asked under the lock before every operation.
    ///
    /// # Errors
    /// [`Error::KeysReplaced`] if the master key is another one now.
    pub fn refresh(&mut self, site: &Site, lock: &Lock) -> Result<(Freshness, Vec<Notice>)> {
        if stamp(site) == self.stamp {
            return Ok((Freshness::Same, Vec::new()));
        }
        let survey = Survey::read(&*site.disk, &site.dir)?;
        match judge(site, &survey, &self.master, self.facts.vault)? {
            Verdict::InForce(facts, bag) => {
                let notices = put_in_order(site, lock, &survey, &self.master, &facts, &bag)?;
                seen::note(site, facts.vault, facts.generation);
                (self.facts, self.bag, self.stamp) = (facts, *bag, stamp(site));
                Ok((Freshness::Changed, notices))
            }
            Verdict::Replaced | Verdict::Strange => Err(Error::KeysReplaced {
                dir: site.dir.clone(),
            }),
        }
    }

    /// Takes what a rotation has just committed.
    pub(in crate::vault) fn adopt(&mut self, site: &Site, facts: RootFacts, bag: Bag) {
        self.former_bag = Some(self.facts.bag_hash);
        (self.facts, self.bag, self.stamp) = (facts, bag, stamp(site));
    }

    /// The bag, as of the last [`refresh`](Self::refresh).
    #[must_use]
    pub fn bag(&self) -> &Bag {
        &self.bag
    }

    /// The generation in force, as of the last [`refresh`](Self::refresh).
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.facts.generation
    }

    /// The vault's name for good.
    #[must_use]
    pub fn vault_id(&self) -> VaultId {
        self.facts.vault
    }

    /// What backups are sealed to.
    #[must_use]
    pub fn backup_identity(&self) -> &BackupIdentity {
        &self.backup
    }
}

/// Whether what was in a slot is of a vault that no root here speaks of.
fn is_foreign(site: &Site, opened: &Opened) -> Result<bool> {
    let survey = Survey::read(&*site.disk, &site.dir)?;
    let mut vaults = survey.whole().map(|(_, slot)| slot.facts().vault);
    Ok(!vaults.any(|vault| vault == opened.secrets.vault))
}

/// The way in that a slot is of; `None` if it is of none. The right master key is in
/// every slot that was ever sealed to it, also in one for a change that was refused.
fn way_of(site: &Site, opened: &Opened, settings: &Settings) -> Result<Option<String>> {
    let ways = &settings.ways;
    // Under whatever name: it may wait for its place, or be a copy.
    if let Some((name, _)) = ways.iter().find(|(_, way)| way.hash == opened.hash) {
        return Ok(Some(name.clone()));
    }
    let (false, Some(way)) = (opened.waits, ways.get(&opened.name)) else {
        return Ok(None);
    };
    // One that is damaged where its key does not mind is better than none; but where
    // a whole file of that way in is left, that is the one to open.
    let mut files = keyslots::files(site)?.into_iter();
    let is_whole = files.any(|file| file.slot == opened.name && file.hash == Some(way.hash));
    Ok((!is_whole).then(|| opened.name.clone()))
}

fn stamp(site: &Site) -> Stamp {
    // What can't be read counts as zeros: it differs as soon as it can.
    Position::ALL.map(|position| {
        position
            .read_stamp(&*site.disk, &site.dir)
            .unwrap_or([0; 64])
    })
}

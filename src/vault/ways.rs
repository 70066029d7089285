//! The ways into an unlocked vault: what they are, one more of them, and a new
//! master key for those that are to stay.
//!
//! Sealing takes a second for each passphrase, and a plugin may wait for a person.
//! So it is done without the vault's lock, from what was in force before; if the
//! keys were replaced meanwhile, nothing is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::destroy::strangers;
use super::error::{Error, Result};
use super::keys::bag::{Way, WayKind};
use super::keys::keyslots;
use super::keys::ways::{Sealed, sealing};
use super::log::{Deed, Draft};
use super::open::OpenVault;
use crate::crypto::{
    Asker, CryptoError, Nobody, Opener, Passphrase, Recipient, SlotSecrets, WayKey, WorkFactor,
};

/// The longest name of a way in.
const MOST_NAME: usize = 32;

/// A way in that is to be added.
pub struct NewWay<'a> {
    /// Its name, which everybody can see who sees the directory.
    pub name: &'a str,
    /// What opens it.
    pub kind: WayKind,
    /// What it is sealed with.
    pub key: WayKey<'a>,
    /// The time it is, milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
}

/// What becomes of the ways in when the master key is replaced. Public recipients
/// are sealed to anew from what the bag knows of them.
pub struct Rekeying<'a> {
    /// The passphrases of ways in, by their names.
    pub passphrases: BTreeMap<String, &'a Passphrase>,
    /// Those whose passphrase is another one than before.
    pub renewed: BTreeSet<String>,
    /// Those that are none any more.
    pub dropped: BTreeSet<String>,
    /// Whom plugins ask.
    pub asker: Arc<dyn Asker>,
    /// What a guess at a passphrase costs.
    pub work: WorkFactor,
    /// The time it is, milliseconds since 1970-01-01T00:00:00Z; 0 where it is not
    /// known.
    pub now_ms: i64,
}

impl Default for Rekeying<'_> {
    fn default() -> Self {
        Self {
            passphrases: BTreeMap::new(),
            renewed: BTreeSet::new(),
            dropped: BTreeSet::new(),
            asker: Arc::new(Nobody),
            work: WorkFactor::STANDARD,
            now_ms: 0,
        }
    }
}

/// Whether this can be the name of a way in.
///
/// # Errors
/// [`Error::BadWayName`].
pub fn check_name(name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    match !name.is_empty() && name.len() <= MOST_NAME && name.chars().all(fits) {
        true => Ok(()),
        false => Err(Error::BadWayName {
            name: name.chars().take(MOST_NAME).collect(),
        }),
    }
}

impl OpenVault {
    /// The ways in, by their names.
    pub fn ways(&self) -> Result<BTreeMap<String, Way>> {
        self.session()
            .with(|held| Ok(held.bag().settings.ways.clone()))
    }

    /// The name of the way in by which it was opened.
    pub fn own_way(&self) -> Result<String> {
        self.session().with(|held| Ok(held.ring().slot.clone()))
    }

    /// Whether this key opens this way in.
    ///
    /// # Errors
    /// [`Error::NoWay`]; [`Error::Damaged`] if neither of its files is whole.
    pub fn way_opens(&self, name: &str, key: &dyn Opener) -> Result<bool> {
        let sealed = self.session().with(|held| {
            let way = held.bag().settings.ways.get(name);
            let way = way.ok_or_else(|| Error::NoWay { name: name.into() })?;
            let mut files = keyslots::files(held.site())?.into_iter();
            let whole = files.find(|file| file.slot == name && file.hash == Some(way.hash));
            whole.and_then(|file| file.bytes).ok_or_else(|| {
                let which = held.dir().join(keyslots::DIR).join(format!("{name}.age"));
                Error::damaged(which.display(), "both files of the way in are damaged")
            })
        })?;
        match key.open_slot(&sealed) {
            Ok(_) => Ok(true),
            Err(CryptoError::WrongKey | CryptoError::OtherKind) => Ok(false),
            Err(why) => Err(Error::Key(why)),
        }
    }

    /// Adds a way in: one small file and its twin, and a rotation that tells the bag
    /// of it.
    ///
    /// # Errors
    /// [`Error::WayExists`], [`Error::Key`]; then nothing is changed.
    pub fn add_way(&self, new: &NewWay<'_>) -> Result<()> {
        check_name(new.name)?;
        let (secrets, known) = self.session().with(|held| {
            let ways = &held.bag().settings.ways;
            Ok((held.ring().secrets(), ways.contains_key(new.name)))
        })?;
        if known {
            // Before somebody is asked to touch a key for nothing.
            return Err(Error::WayExists {
                name: new.name.into(),
            });
        }
        let way = |hash| Way {
            kind: new.kind,
            recipient: match &new.key {
                WayKey::Passphrase(..) => None,
                WayKey::Recipient(recipient, _) => Some(recipient.to_string()),
            },
            made_at_ms: new.now_ms,
            hash,
        };
        let bytes = secrets.seal_for(&new.key).map_err(sealing)?;
        let sealed = Sealed {
            name: new.name.to_owned(),
            way: way(keyslots::hash(&bytes)),
            bytes,
        };
        let draft = Draft::done(Deed::Key, &[]).detail(format!("added {}", new.name));
        // What could not be overwritten is an older generation with the same keys.
        self.session()
            .with(|held| held.add_way(draft, &secrets, sealed).map(drop))
    }

    /// Replaces the master key, and with it every way in. Once this returned, a way
    /// in that was dropped opens nothing in the directory, and neither does a
    /// passphrase that was replaced.
    ///
    /// # Errors
    /// [`Error::NeedsPassphrase`], [`Error::LastWay`], [`Error::NoWay`],
    /// [`Error::Key`]: nothing is changed. [`Error::NotFinal`] if it is in force and
    /// the old ones could not be overwritten.
    pub fn rekey(&self, plan: &Rekeying<'_>) -> Result<()> {
        let (before, secrets) = self.session().with(|held| {
            let secrets = held.ring().next_secrets().map_err(sealing)?;
            Ok((held.bag().settings.ways.clone(), secrets))
        })?;
        let named = plan.dropped.iter().chain(plan.passphrases.keys());
        if let Some(name) = named.into_iter().find(|name| !before.contains_key(*name)) {
            return Err(Error::NoWay { name: name.clone() });
        }
        let stays = |name: &String| !plan.dropped.contains(name);
        if let Some(last) = plan.dropped.last()
            && !before.keys().any(stays)
        {
            return Err(Error::LastWay { name: last.clone() });
        }
        // All that can be refused is refused before the first second is spent.
        let staying = before
            .iter()
            .filter(|(name, _)| stays(name))
            .map(|(name, way)| Ok((name, way, plan.sealer(name, way)?)))
            .collect::<Result<Vec<_>>>()?;
        let mut slots = Vec::with_capacity(staying.len());
        for (name, way, sealer) in &staying {
            slots.push(plan.seal(&secrets, name, way, sealer)?);
        }
        self.session().with(|held| {
            let mut rotated = held.replace_master(plan.draft(), &before, secrets, &slots)?;
            strangers::overwrite(held, &mut rotated);
            rotated.finally().map(drop)
        })
    }

    /// Replaces the passphrase by which the vault was opened, or its only one, and
    /// the master key. Once this returned, the old passphrase opens nothing in the
    /// directory.
    ///
    /// # Errors
    /// As [`rekey`](Self::rekey).
    pub fn change_passphrase(&self, new: &Passphrase) -> Result<()> {
        self.change_passphrase_with(new, WorkFactor::STANDARD)
    }

    /// The same, with this much work for a guess at the new passphrase.
    pub fn change_passphrase_with(&self, new: &Passphrase, work: WorkFactor) -> Result<()> {
        let name = self.passphrase_way()?;
        self.rekey(&Rekeying {
            passphrases: BTreeMap::from([(name.clone(), new)]),
            renewed: BTreeSet::from([name]),
            work,
            ..Rekeying::default()
        })
    }

    /// The way in that a new passphrase replaces: the one by which the vault was
    /// opened if it is under one, otherwise the first that is.
    ///
    /// # Errors
    /// [`Error::NoWay`] if there is none.
    pub fn passphrase_way(&self) -> Result<String> {
        let (ways, own) = (self.ways()?, self.own_way()?);
        let is_one = |name: &String| {
            let way = ways.get(name);
            way.is_some_and(|way| way.kind == WayKind::Passphrase)
        };
        let first = || ways.keys().find(|name| is_one(name)).cloned();
        Some(own)
            .filter(is_one)
            .or_else(first)
            .ok_or_else(|| Error::NoWay {
                name: keyslots::PASSPHRASE.to_owned(),
            })
    }
}

/// What a way in that stays is sealed with anew.
enum Sealer<'a> {
    Passphrase(&'a Passphrase),
    Recipient(Box<Recipient>),
}

impl<'a> Rekeying<'a> {
    /// What the log is to say of it.
    fn draft(&self) -> Draft {
        let list = |names: &BTreeSet<String>| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.join(", ")
        };
        let (deed, mut said) = match self.renewed.is_empty() {
            true => (Deed::Key, "a new master key".to_owned()),
            false => (Deed::Passwd, format!("of {}", list(&self.renewed))),
        };
        if !self.dropped.is_empty() {
            said = format!("{said}; removed {}", list(&self.dropped));
        }
        Draft::done(deed, &[]).detail(said)
    }

    fn sealer(&self, name: &str, way: &Way) -> Result<Sealer<'a>> {
        if let Some(passphrase) = self.passphrases.get(name) {
            return Ok(Sealer::Passphrase(passphrase));
        }
        let Some(recipient) = &way.recipient else {
            return Err(Error::NeedsPassphrase { name: name.into() });
        };
        let recipient: Recipient = recipient.parse().map_err(Error::Key)?;
        // Whether its plugin is there is seen before anything is sealed.
        recipient.to_age(&self.asker).map_err(Error::Key)?;
        Ok(Sealer::Recipient(Box::new(recipient)))
    }

    fn seal(
        &self,
        secrets: &SlotSecrets,
        name: &str,
        way: &Way,
        sealer: &Sealer<'_>,
    ) -> Result<Sealed> {
        let key = match sealer {
            Sealer::Passphrase(passphrase) => WayKey::Passphrase(passphrase, self.work),
            Sealer::Recipient(recipient) => WayKey::Recipient(recipient, &self.asker),
        };
        let bytes = secrets.seal_for(&key).map_err(sealing)?;
        let made_at_ms = match self.renewed.contains(name) && self.now_ms != 0 {
            true => self.now_ms,
            false => way.made_at_ms,
        };
        Ok(Sealed {
            name: name.to_owned(),
            way: Way {
                hash: keyslots::hash(&bytes),
                made_at_ms,
                ..way.clone()
            },
            bytes,
        })
    }
}

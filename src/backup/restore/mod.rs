//! Brings recordings back from a backup into a vault.
//!
//! All manifests are read first: they say of each recording where its newest state
//! lies, and what must not come back, whichever segment holds it. Only then is
//! anything written. A recording that is damaged costs itself, and where an earlier
//! segment has an earlier state of it, that one comes back. The vault does the rest:
//! see [`Restoring`]. What the vault holds and has lost a part of is mended in its place.
//! Where one segment is given, only its recordings come, and of those beside it the
//! manifests are read as well.
//!
//! A stream can be read once, and its manifest stands at its end: what comes before
//! it is sealed into the vault, and gets its keys only once the manifest was read.

mod choice;
mod folder;
mod heal;
mod kin;
mod recording;
mod shelf;
mod siblings;
mod stream;
mod work;

use std::collections::BTreeSet;

pub use self::folder::from_folder;
pub use self::stream::from_stream;

use super::error::{Error, Result};
use super::manifest::Signed;
use super::read::Trust;
use super::verify::Damage;
use super::written::BackupId;
use crate::crypto::{SignerKey, VaultId};
use crate::recording::{Moment, RecordingId};
use crate::vault::OpenVault;
use crate::vault::Restoring;
use crate::vault::bag::KnownBackup;

/// What is wanted of a backup.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Whose it has to be.
    pub trust: &'a Trust,
    /// One that comes back under a new id, whether or not it was destroyed.
    pub resurrect: Option<RecordingId>,
}

impl Damage {
    /// Whether it is of the vault, and not of the backup.
    #[must_use]
    pub fn is_of_vault(&self) -> bool {
        self.place == heal::THE_VAULT
    }
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Recordings that are in the vault now and were not before.
    pub restored: Vec<RecordingId>,
    /// The new id of the one that was wanted under another.
    pub resurrected: Option<RecordingId>,
    /// Recordings that the vault held, and of which it has again what it had lost.
    pub mended: Vec<RecordingId>,
    /// Recordings that the vault held already, whole.
    pub there: u64,
    /// Recordings that were destroyed, and did not come back.
    pub destroyed: u64,
    /// Recordings that the vault holds although the backup says that they were
    /// destroyed.
    pub kept: Vec<RecordingId>,
    /// What could not be read.
    pub damage: Vec<Damage>,
    /// What its owner should know and is no damage.
    pub notes: Vec<String>,
    /// The vault that it is of, and who signed it.
    pub origin: Option<(VaultId, SignerKey)>,
    /// Its own name, and when the newest segment of it was written that is believed.
    pub backup: Option<(BackupId, Moment)>,
}

/// Hears of recordings done and recordings in all, and may call the work off.
pub type Tell<'a> = &'a dyn Fn(u64, u64) -> Result<()>;

impl Outcome {
    /// Takes a commit of the vault in.
    fn take(&mut self, done: crate::vault::Restored) {
        self.restored.extend(done.restored);
        // What came back in parts is not mended.
        let mended = done.mended.into_iter();
        self.mended
            .extend(mended.filter(|id| !self.restored.contains(id)));
        self.there += done.there.len() as u64;
        self.destroyed += done.destroyed.len() as u64;
        for id in done.disturbed {
            let what = "the store was written anew meanwhile: restore it again";
            let damage = Damage::new(super::verify::Kind::Missing, heal::THE_VAULT, what);
            self.damage.push(damage.of(Some(id)));
        }
    }

    /// Notes what is wrong with a recording in the backup, once.
    ///
    /// # Errors
    /// The error, if it is no damage.
    fn damaged(&mut self, id: RecordingId, error: Error) -> Result<()> {
        let damage = Damage::from_error(error)?.of(Some(id));
        let is_said = |one: &Damage| {
            let same = one.id == damage.id && one.place == damage.place;
            same && one.what.starts_with(&damage.what)
        };
        if !self.damage.iter().any(is_said) {
            self.damage.push(damage);
        }
        Ok(())
    }

    /// Notes that one that was wanted under a new id is there as itself.
    fn note_alive(&mut self, id: RecordingId) {
        let what = match self.restored.contains(&id) {
            true => "it came back under its own id, and no second time under a new one",
            false => "the vault holds it",
        };
        self.notes
            .push(format!("{}: it was not destroyed: {what}", id.short()));
    }

    /// Whether this manifest is of the vault whose backup it is; the first one that is
    /// believed says which that is.
    fn accept(&mut self, trust: &Trust, signed: &Signed) -> Result<(), &'static str> {
        trust.accepts(signed)?;
        let this = (signed.manifest.vault, signed.signer);
        match *self.origin.get_or_insert(this) == this {
            true => {
                self.backup = Some((signed.manifest.backup, signed.manifest.made_at));
                Ok(())
            }
            false => Err("it is of another vault than those before it"),
        }
    }
}

/// Has the vault remember where recordings are about to come from, before the first of them
/// does: receipts name it then. Of what came into the vault behind `generation` it holds
/// nothing, and one of another vault has only what is restored from it.
fn remember(
    vault: &OpenVault,
    id: BackupId,
    path: &str,
    made_at: Moment,
    generation: u64,
) -> Result<()> {
    let is_known = |one: &KnownBackup| one.id == id.0;
    if vault.settings()?.backups.iter().any(is_known) {
        return Ok(());
    }
    vault.change_settings(&mut |settings| {
        settings.backups.push(KnownBackup {
            id: id.0,
            path: path.to_owned(),
            made_at_ms: made_at.unix_ms,
            generation,
            finished: 0,
            destroyed: 0,
            end: None,
            slots: Vec::new(),
        });
    })?;
    Ok(())
}

/// More than a million are no vault's, and would stay in the bag for good.
const MOST_TOMBSTONES: usize = 1 << 20;

/// Has the vault take over what was destroyed elsewhere; what it holds all the same.
fn forbid(restoring: &mut Restoring, destroyed: &Tombstones) -> Result<Vec<RecordingId>> {
    if destroyed.len() > MOST_TOMBSTONES {
        let why = "more was destroyed than any vault ever held";
        return Err(Error::damaged("the backup", why));
    }
    Ok(restoring.forbid(destroyed)?)
}

/// Tombstones that a vault takes over.
type Tombstones = BTreeSet<crate::vault::bag::Tombstone>;

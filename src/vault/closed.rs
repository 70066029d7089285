//! A vault as anybody sees it who has no key: it can be opened, recorded into,
//! and unlocked.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::error::{Error, Result};
use super::ground::disk::{Disk, RealDisk};
use super::ground::lock::Lock;
use super::ground::site::Site;
use super::inbox::recorder::{Durability, RecordingWriter};
use super::inbox::{self, InboxEntry};
use super::init::{self, FirstWays, InitOptions};
use super::keys::keyring::KeyRing;
use super::keys::recover;
use super::keys::root::Copy;
use super::keys::slot_copies::{self, SlotFile};
use super::notice::Notice;
use super::open::OpenVault;
use super::session::Session;
use super::store::Store;
use crate::crypto::{Opener, Passphrase};
use crate::recording::Card;

/// How often a key is tried that opened the vault and was replaced before it could be used.
const MOST_TRIES: u32 = 8;

/// A vault directory, without a key.
#[derive(Debug, Clone)]
pub struct Vault {
    site: Site,
    notices: Vec<Notice>,
}

impl Vault {
    /// Whether there is a vault in the directory, whole or damaged.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        recover::exists(&RealDisk, dir).unwrap_or(false)
    }

    /// Opens the vault in this directory; see [`open_at`](Self::open_at).
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_at(Site::new(dir, None))
    }

    /// Reads the roots and mends what needs no key. On a file system that can't
    /// be written it only reads.
    ///
    /// # Errors
    /// [`Error::NoVault`], [`Error::Newer`], or [`Error::Damaged`] if nothing whole is left of
    /// the roots.
    pub fn open_at(site: Site) -> Result<Self> {
        let (_, notices) = recover::open(&*site.disk, &site.dir)?;
        Ok(Self { site, notices })
    }

    /// Makes a vault in this directory; see [`init_at`](Self::init_at).
    pub fn init(dir: &Path, passphrase: &Passphrase, options: InitOptions) -> Result<OpenVault> {
        Self::init_at(Site::new(dir, None), passphrase, options)
    }

    /// Makes a vault with one way in, this passphrase, and opens it.
    ///
    /// # Errors
    /// [`Error::CannotInit`] if there is a vault or
    /// what is left of one, or if the file system is not fit for it.
    pub fn init_at(site: Site, passphrase: &Passphrase, options: InitOptions) -> Result<OpenVault> {
        Self::init_with(site, &FirstWays::of(passphrase), options)
    }

    /// Makes a vault with these ways in, and opens it.
    ///
    /// # Errors
    /// As [`init_at`](Self::init_at).
    pub fn init_with(site: Site, first: &FirstWays<'_>, options: InitOptions) -> Result<OpenVault> {
        let store = Store::new(Arc::clone(&site.disk), &site.dir);
        let ring = init::init(&site, first, options, &mut |lock| {
            store.make(lock).map(drop)
        })?;
        let session = Session::begin(&site, ring, Vec::new())?;
        Ok(OpenVault::new(
            Self {
                site,
                notices: Vec::new(),
            },
            session,
        ))
    }

    /// Unlocks it; costs about a second and 256 MiB for each way in that is under a
    /// passphrase. What an interrupted rotation left is brought to its end.
    ///
    /// # Errors
    /// [`Error::WrongPassphrase`], [`Error::WrongIdentity`] or [`Error::Key`] if the
    /// key opens none of the ways in, [`Error::KeysReplaced`] if others replace the master
    /// key each time that it did.
    pub fn unlock(&self, key: &dyn Opener) -> Result<OpenVault> {
        let mut tries = 1;
        loop {
            let (ring, notices) = KeyRing::unlock(&self.site, key)?;
            match Session::begin(&self.site, ring, notices) {
                // Between the two; the key may be a way in to the new one as well.
                Err(Error::KeysReplaced { .. }) if tries < MOST_TRIES => tries += 1,
                session => return Ok(OpenVault::new(self.clone(), session?)),
            }
        }
    }

    /// A copy of each way in, sorted by name: sealed, so no key is needed.
    pub fn slot_files(&self) -> Result<Vec<SlotFile>> {
        let lock = Lock::take(&*self.site.disk, &self.site.dir)?;
        slot_copies::copies(&*self.site.disk, &self.site.dir, &lock)
    }

    /// When its keys were changed last, as its file system tells it; no key is needed.
    #[must_use]
    pub fn changed_at(&self) -> Option<SystemTime> {
        let roots = Copy::BOTH.map(|copy| copy.root_file(self.dir()));
        let changed = |path: &PathBuf| fs::metadata(path).and_then(|found| found.modified());
        roots.iter().filter_map(|path| changed(path).ok()).max()
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.site.disk
    }

    /// Where it lies.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.site.dir
    }

    /// The directory's name.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self
            .site
            .dir
            .file_name()
            .unwrap_or(self.site.dir.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// What opening found that the owner should know.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Begins a recording. Works while locked: only the public half of the inbox
    /// key is needed. The card says what is known by now.
    pub fn begin(&self, card: &Card) -> Result<RecordingWriter> {
        RecordingWriter::begin(
            &self.site.disk,
            &self.site.dir,
            card,
            Durability::EachSegment,
        )
    }

    /// Begins to take in a file, which is durable once it is finished. Without
    /// an end the next merge drops it: a file is taken whole or not at all.
    pub fn begin_copy(&self, card: &Card) -> Result<RecordingWriter> {
        RecordingWriter::begin(&self.site.disk, &self.site.dir, card, Durability::AtEnd)
    }

    /// Bytes that may still be written where it lies; `None` where that can't be
    /// told.
    #[must_use]
    pub fn space(&self) -> Option<u64> {
        self.site.disk.space(&self.site.dir).ok()
    }

    /// Whether it may be written, without writing.
    ///
    /// # Errors
    /// [`Error::Io`], where the file system is read-only or this user may not
    /// write there.
    pub fn may_write(&self) -> Result<()> {
        let allowed = self.site.disk.may_write(&self.site.dir);
        allowed.map_err(Error::io("write", &self.site.dir))
    }

    /// What lies in the inbox: recordings in progress and not yet merged.
    pub fn inbox(&self) -> Result<Vec<InboxEntry>> {
        inbox::entries(&*self.site.disk, &self.site.dir)
    }
}

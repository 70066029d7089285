//! A vault as anybody sees it who has no key: it can be opened, recorded into,
//! and unlocked.

use std::path::Path;

use super::disk::RealDisk;
use super::error::Result;
use super::inbox::{self, InboxEntry};
use super::init::{self, InitOptions};
use super::lock::Lock;
use super::notice::Notice;
use super::open::OpenVault;
use super::recorder::RecordingWriter;
use super::recover;
use super::session::Session;
use super::site::Site;
use crate::crypto::Passphrase;
use crate::recording::Card;

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
    /// [`Error::NoVault`](super::Error::NoVault), [`Error::Newer`](super::Error::Newer),
    /// or [`Error::Damaged`](super::Error::Damaged) if nothing whole is left of
    /// the roots.
    pub fn open_at(site: Site) -> Result<Self> {
        let (_, notices) = recover::open(&*site.disk, &site.dir)?;
        Ok(Self { site, notices })
    }

    /// Where it lies.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.site.dir
    }

    /// The directory's name.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.site.dir.file_name().unwrap_or(self.site.dir.as_os_str());
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
        RecordingWriter::begin(&self.site.disk, &self.site.dir, card)
    }

    /// What lies in the inbox: recordings in progress and not yet merged.
    pub fn inbox(&self) -> Result<Vec<InboxEntry>> {
        inbox::entries(&*self.site.disk, &self.site.dir)
    }
}

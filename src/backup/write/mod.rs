//! Writes a backup: into a folder, where only what is new is added, or as one stream.
//!
//! In reading order: `plan` says what has to be written, a `task` at a time, `supply`
//! fetches and opens it, `fill` puts it into a segment, `tarball` seals that as it comes,
//! `folder` and `found` know the place; `run` and `stream` bring them together, and `note`
//! has the vault remember it. The vault's lock is held only while rows are fetched. What is
//! shredded meanwhile is left out: the segment is begun anew without it.

mod fill;
mod folder;
mod found;
mod note;
mod plan;
mod probe;
mod repack;
mod run;
mod stream;
mod supply;
mod tarball;
mod task;

use age::Recipient;

use self::fill::Filled;
pub use self::repack::{Repacked, repack};
pub use self::run::to_folder;
pub use self::stream::to_stream;
use self::task::{Sound, Stretch, Task};
use super::error::{Error, Result};
use super::layout::Lengths;
use super::manifest::{FORMAT, FileEntry, Lacking, Logged, Manifest, Tombstone};
use super::written::{BackupId, Digits, Hash};
use crate::crypto::asker::Asker;
use crate::crypto::{CryptoError, Recipient as PublicKey, VaultId, fill_random};
use crate::recording::Moment;
use crate::vault::copying::{Standing, Stock};
use crate::vault::{self, OpenVault};

/// Bytes of a sealed segment of sound, about.
const SEALED_SEGMENT_BYTES: u64 = 2_949;

/// What the card and the words of a recording are counted as.
const HEAD_BYTES: u64 = 4_096;

/// The path under which streams are noted.
pub const STREAM: &str = "-";

/// Hears how a backup goes.
pub trait Watch {
    /// So much of what has to be written is done, of so much.
    fn done(&self, bytes: u64, of_bytes: u64);

    /// Something of what should be in the backup can't be read, or something in it
    /// can't. The backup goes on without it.
    fn damaged(&self, error: Error);

    /// Something that a person should know.
    fn note(&self, message: &str);

    /// Whether to end at the next good moment.
    fn cancelled(&self) -> bool;
}

impl dyn Watch + '_ {
    /// Tells of damage, which costs only itself.
    fn go_on(&self, done: Result<()>) -> Result<()> {
        match done {
            Err(error @ Error::Damaged { .. }) => {
                self.damaged(error);
                Ok(())
            }
            done => done,
        }
    }
}

/// How a backup is written.
pub struct Order<'a> {
    /// Who can open it, beside the vault's own keys.
    pub recipients: Vec<Box<dyn Recipient + Send>>,
    /// Tells the time.
    pub now: &'a dyn Fn() -> Moment,
    /// How long sound is laid out in a folder; a stream has all of it in one piece.
    pub lengths: Lengths,
}

/// What came of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Where it is.
    pub path: String,
    /// The segments that were added; a stream is one.
    pub added: Vec<Added>,
    /// Recordings that are new in it, or of which something is.
    pub recordings: usize,
    /// Recordings that it holds now.
    pub holds: usize,
}

/// A segment that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its number.
    pub segment: u32,
    /// Its length.
    pub bytes: u64,
}

impl<'a> Order<'a> {
    /// For the vault's own keys, and as long as segments are meant to be.
    #[must_use]
    pub fn at(now: &'a dyn Fn() -> Moment) -> Self {
        Self {
            recipients: Vec::new(),
            now,
            lengths: Lengths::default(),
        }
    }
}

impl Order<'_> {
    /// Takes one more recipient. A plugin that is run for it may ask.
    ///
    /// # Errors
    /// [`Error::Key`] if its plugin is not there.
    pub fn add(&mut self, recipient: &PublicKey, asker: &std::sync::Arc<dyn Asker>) -> Result<()> {
        let sealing = recipient.to_age(asker).map_err(Error::key(recipient))?;
        self.recipients.push(sealing);
        Ok(())
    }

    /// All of them, the vault's own first.
    fn with_own(self, vault: &OpenVault) -> Result<Vec<Box<dyn Recipient + Send>>> {
        let own = vault.backup_identity()?.recipient();
        let own: age::x25519::Recipient = own.parse().map_err(|_| Error::Key {
            which: "the vault's own recipient".into(),
            source: CryptoError::Damaged("not an age recipient"),
        })?;
        let mut all: Vec<Box<dyn Recipient + Send>> = vec![Box::new(own)];
        all.extend(self.recipients);
        tarball::check(tarball::each(&all))?;
        Ok(all)
    }
}

fn new_id() -> Result<BackupId> {
    let mut id = [0; 16];
    fill_random(&mut id).map_err(Error::key("a backup's name"))?;
    Ok(Digits(id))
}

/// Sealed sound of a stretch, about.
fn sound_bytes(stretch: Stretch) -> u64 {
    (stretch.to - stretch.from).saturating_mul(SEALED_SEGMENT_BYTES)
}

/// What a task is counted as.
fn weight(task: &Task) -> u64 {
    match task.sound {
        Sound::Here(stretch) => HEAD_BYTES + sound_bytes(stretch),
        Sound::At(_) | Sound::Gone | Sound::Lost => HEAD_BYTES,
    }
}

fn tell_of_missing(stock: &Stock, watch: &dyn Watch) {
    for missing in &stock.damaged {
        let damage = vault::Error::damaged(missing.id, &missing.why);
        watch.damaged(damage.into());
    }
}

/// What a manifest says beside what is in its segment.
struct About {
    id: BackupId,
    vault: VaultId,
    segment: u32,
    before: Option<Hash>,
    at: Moment,
}

impl About {
    fn manifest(
        &self,
        files: Vec<FileEntry>,
        filled: Filled,
        standing: &Standing,
        lacking: Vec<Lacking>,
    ) -> Manifest {
        let tombstones = standing.tombstones.iter();
        Manifest {
            format: FORMAT,
            vault: self.vault,
            backup: self.id,
            generation: standing.generation,
            log: standing.log_head.map(Logged::from),
            made_at: self.at,
            segment: self.segment,
            before: self.before,
            files,
            recordings: filled.entries,
            stretches: filled.stretches,
            dropped: Vec::new(),
            tombstones: tombstones.map(|one| Tombstone::from(*one)).collect(),
            lacking,
        }
    }
}

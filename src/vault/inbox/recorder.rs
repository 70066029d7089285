//! Writes one recording into the inbox, segment by segment.
//!
//! It needs neither the store nor a key that opens anything: the clip keys are
//! made here, sealed to the inbox key first of all, and forgotten with the
//! writer. What [`RecordingWriter::push`] returned from is durable.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::intake::{FIRST_EPOCH, keys_facts};
use crate::crypto::{ClipKeys, InboxPublic, fill_random};
use crate::recording::{Card, RecordingId};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, Disk, DiskFile, Hold};
use crate::vault::ground::lock::Gate;
use crate::vault::inbox;
use crate::vault::keys::recover;
use crate::vault::sealed::frame::{Facts, HEADER_BYTES, Kind};
use crate::vault::sealed::record;

/// One recording in progress. Whoever holds one holds the flock on its file; a
/// writer dropped without [`finish`](Self::finish) leaves an interrupted
/// recording, which the next merge takes in.
#[derive(Debug)]
pub struct RecordingWriter {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    id: RecordingId,
    keys: Keys,
    /// Bytes of the file that are whole and durable.
    bytes: u64,
    segments: u32,
    transcripts: u32,
    revision: u32,
    durability: Durability,
}

/// When what is pushed must be on the disk for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum Durability {
    /// When `push` returns: what is spoken can't be spoken again.
    EachSegment,
    /// When `finish` returns: the source is a file that is still there.
    AtEnd,
}

/// Keeps the keys out of `Debug`.
struct Keys(ClipKeys);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl RecordingWriter {
    /// Begins a recording, sealed to the inbox key of the newest generation. The
    /// gate is held from reading that key until the first frame is durable, so
    /// that no rotation passes between.
    pub(in crate::vault) fn begin(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        card: &Card,
        durability: Durability,
    ) -> Result<Self> {
        let keys = ClipKeys::generate().map_err(random)?;
        let mut id = [0; 16];
        fill_random(&mut id).map_err(random)?;
        let id = RecordingId::from_bytes(id);
        let inbox_dir = dir.join(inbox::DIR);
        let path = inbox::path(dir, id);

        let gate = Gate::share(&**disk, dir)?;
        let inbox_key = recover::inbox_key(&**disk, dir, &gate)?;
        disk.create_dir(&inbox_dir)
            .map_err(Error::io("make", &inbox_dir))?;
        // Where this was its first recording, its own name has to last as well.
        disk.sync_dir(dir).map_err(Error::io("sync", dir))?;
        let file = marked(&**disk, &inbox_dir, &inbox::mark(dir, id)).and_then(|()| {
            disk.open(&path, Access::Create)
                .map_err(Error::io("create", &path))
        });
        let file = file.inspect_err(|_| {
            let _ = inbox::unmark(&**disk, dir, id);
        })?;
        lock_own(&*file, &path)?;
        let disk = Arc::clone(disk);
        let keys = Keys(keys);
        let mut writer = Self {
            disk,
            path,
            file,
            id,
            keys,
            bytes: 0,
            segments: 0,
            transcripts: 0,
            revision: 0,
            durability: Durability::EachSegment,
        };
        let begun = writer.write_keys(&inbox_key).and_then(|()| {
            writer
                .disk
                .sync_dir(&inbox_dir)
                .map_err(Error::io("sync", &inbox_dir))
        });
        drop(gate);
        match begun.and_then(|()| writer.checkpoint(card)) {
            Ok(()) => {
                writer.durability = durability;
                Ok(writer)
            }
            Err(error) => {
                // Nothing was recorded yet; what could not begin leaves no file.
                let _ = writer.discard();
                Err(error)
            }
        }
    }

    /// Its name for good.
    #[must_use]
    pub fn id(&self) -> RecordingId {
        self.id
    }

    /// How many segments it has.
    #[must_use]
    pub fn segments(&self) -> u32 {
        self.segments
    }

    /// How many bytes of its file are whole.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Seals one segment, of whose samples (mono, 48 kHz) so many count. It is
    /// durable when this returns, unless it is a file that is being taken in.
    ///
    /// # Errors
    /// [`Error::Io`]; everything pushed before stays, and pushing can be tried
    /// again once there is space.
    pub fn push(&mut self, packets: &[u8], samples: u32) -> Result<()> {
        let facts = self.facts(Kind::Sound, 0);
        let frame = record::seal_sound(&self.keys.0.sound, &facts, packets, samples)?;
        match self.durability {
            Durability::EachSegment => self.append(&frame)?,
            Durability::AtEnd => self.put(&frame)?,
        }
        self.segments += 1;
        Ok(())
    }

    /// Adds a transcript that came with the sound, behind the last segment. It stands
    /// in the vault after the next merge, as the first version or behind those that
    /// were added before. Durable when [`finish`](Self::finish) returns.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Seal`] where it is too long for a record.
    pub fn add_transcript(&mut self, transcript: &Transcript) -> Result<()> {
        let facts = self.facts(Kind::Words, self.transcripts);
        let frame = record::seal_text(&self.keys.0.words, &facts, transcript)?;
        self.put(&frame)?;
        self.transcripts += 1;
        Ok(())
    }

    /// Puts down what is known so far, for the case that the recording is
    /// interrupted. Durable when this returns.
    pub fn checkpoint(&mut self, card: &Card) -> Result<()> {
        self.write_card(Kind::Draft, card)
    }

    /// Ends the recording. The card stands in the vault after the next merge.
    ///
    /// # Errors
    /// [`Error::Io`]; the recording then counts as interrupted.
    pub fn finish(mut self, card: &Card) -> Result<RecordingId> {
        if self.durability == Durability::AtEnd {
            // Who finds the card must find all that it is about.
            self.file
                .sync()
                .map_err(Error::io("record into", &self.path))?;
        }
        self.write_card(Kind::Card, card)?;
        // From here on no damage can make it a recording that was cut off.
        inbox::unmark(&*self.disk, self.vault_dir(), self.id)?;
        let inbox = self.vault_dir().join(inbox::DIR);
        self.disk
            .sync_dir(&inbox)
            .map_err(Error::io("sync", &inbox))?;
        Ok(self.id)
    }

    /// Destroys the recording instead of ending it.
    pub fn discard(self) -> Result<()> {
        let failed = inbox::discard(&*self.disk, self.vault_dir(), [self.id]);
        failed.into_iter().next().map_or(Ok(()), Err)
    }

    fn vault_dir(&self) -> &Path {
        let dir = self.path.parent().and_then(Path::parent);
        dir.unwrap_or(&self.path)
    }

    fn write_keys(&mut self, inbox_key: &InboxPublic) -> Result<()> {
        let facts = keys_facts(self.id);
        let mut plain = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + ClipKeys::LEN));
        plain.extend_from_slice(&facts.to_bytes());
        plain.extend_from_slice(&self.keys.0.to_bytes());
        let sealed = inbox_key.seal(&plain).map_err(|error| Error::Seal {
            which: record::place(&facts),
            why: error.to_string(),
        })?;
        self.append(&record::frame_of(&facts, &sealed)?)
    }

    fn write_card(&mut self, kind: Kind, card: &Card) -> Result<()> {
        let facts = self.facts(kind, self.revision);
        let frame = record::seal_text(&self.keys.0.card, &facts, card)?;
        self.append(&frame)?;
        self.revision += 1;
        Ok(())
    }

    fn facts(&self, kind: Kind, revision: u32) -> Facts {
        Facts {
            kind,
            id: self.id,
            epoch: FIRST_EPOCH,
            number: self.segments,
            revision,
        }
    }

    /// Writes behind the last whole frame, over what an earlier failure may
    /// have left there.
    fn append(&mut self, frame: &[u8]) -> Result<()> {
        let before = self.bytes;
        self.put(frame)?;
        self.file.sync().map_err(|source| {
            self.bytes = before;
            let _ = self.file.set_len(before);
            Error::io("record into", &self.path)(source)
        })
    }

    fn put(&mut self, frame: &[u8]) -> Result<()> {
        // What is written into a file without a name is lost: whoever takes the name
        // away while it is recorded has destroyed the vault.
        if matches!(self.disk.exists(&self.path), Ok(false)) {
            return Err(Error::TakenAway { id: self.id });
        }
        if let Err(source) = self.file.write_at(self.bytes, frame) {
            // Half a frame would be dropped as torn anyway; cutting it off is
            // tidier and may fail as the write did.
            let _ = self.file.set_len(self.bytes);
            return Err(Error::io("record into", &self.path)(source));
        }
        self.bytes += frame.len() as u64;
        Ok(())
    }
}

/// Makes the mark of a recording, durable before its file is there: a power cut leaves no
/// file that looks acknowledged and is not.
fn marked(disk: &dyn Disk, inbox: &Path, mark: &Path) -> Result<()> {
    let made = disk.open(mark, Access::Create);
    made.map_err(Error::io("create", mark))?;
    disk.sync_dir(inbox).map_err(Error::io("sync", inbox))
}

/// Nobody but who lists the inbox can hold the flock of a new file, and that
/// for a moment only.
fn lock_own(file: &dyn DiskFile, path: &Path) -> Result<()> {
    for _ in 0..200 {
        if file
            .try_lock(Hold::Exclusive)
            .map_err(Error::io("lock", path))?
        {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err(Error::Busy {
        path: path.to_owned(),
    })
}

fn random(error: crate::crypto::CryptoError) -> Error {
    Error::Seal {
        which: "a new recording".into(),
        why: error.to_string(),
    }
}

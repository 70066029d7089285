//! The manifest: the last file of every segment.
//!
//! It says what is in the segment and what came before it, and what must not come
//! back whatever older segments hold. It is signed, since whoever knows the
//! recipient can seal a segment, and only the vault can sign one.
//!
//! ```text
//! {"manifest":{…},
//! "signer":"<64 hexadecimal digits>",
//! "signature":"<128 hexadecimal digits>"}
//! ```
//!
//! Three lines. What is signed are the bytes of the first one, without
//! `{"manifest":` before them and the comma behind them.

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::layout::Member;
use super::written::{self, BackupId, Hash, Mark};
use crate::crypto::{Signature, SignerKey, SigningSeed, VaultId};
use crate::recording::{Moment, RecordingId};
use crate::vault::bag::{self, LogHead};
use crate::vault::copying;

/// The format that this version writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// A manifest longer than this is not read: a million recordings take less.
pub const MOST_BYTES: u64 = 1 << 30;

const BEFORE: &str = "{\"manifest\":";
const SIGNER: &str = ",\n\"signer\":\"";
const SIGNATURE: &str = "\",\n\"signature\":\"";
const BEHIND: &str = "\"}\n";

/// What a segment says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The vault it is of.
    #[serde(with = "written::vault_id")]
    pub vault: VaultId,
    /// The backup it is of: random, the same in all segments of one folder, and
    /// another one in each stream.
    pub backup: BackupId,
    /// The generation of the vault when the segment was written.
    pub generation: u64,
    /// The newest entry of the vault's log when the keys were last changed before that:
    /// a vault whose log has another one there is not the one that wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Logged>,
    /// When it was written.
    #[serde(with = "written::moment")]
    pub made_at: Moment,
    /// Its number, from 1; a stream is the first and only one.
    pub segment: u32,
    /// The hash of the file of the segment before it, sealed as it lies there;
    /// nothing before the first, and where no file lies in its place.
    pub before: Option<Hash>,
    /// The other files of the segment, in their order.
    pub files: Vec<FileEntry>,
    /// The recordings that are new here, or of which something is.
    pub recordings: Vec<Entry>,
    /// Stretches of long recordings, of which a later segment holds the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stretches: Vec<Stretch>,
    /// Segments that are gone by right: what of them still counts was written anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
    /// Everything that was shredded or redacted by then: none of it may come back,
    /// whatever this segment or another holds.
    pub tombstones: Vec<Tombstone>,
    /// Recordings of which sound or words were destroyed since a segment before this one
    /// was written, which two segments say: these must not come back either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<Lacking>,
}

/// An entry of the vault's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// Its number.
    pub number: u32,
    /// The hash of it as it was sealed, which binds all before it.
    pub sha256: Hash,
}

impl From<LogHead> for Logged {
    fn from(LogHead { number, hash }: LogHead) -> Self {
        let sha256 = written::Digits(hash);
        Self { number, sha256 }
    }
}

impl From<Logged> for LogHead {
    fn from(Logged { number, sha256 }: Logged) -> Self {
        let hash = sha256.0;
        Self { number, hash }
    }
}

/// A file of the segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its path in the tar; see [`Member`].
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its hash.
    pub sha256: Hash,
}

/// A segment that a repack took away because something in it was destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Its number.
    pub segment: u32,
    /// The hash of its file, which the one behind it names.
    pub sha256: Hash,
}

/// A recording, of which this segment holds `meta.json` and the text, and the sound
/// where it is new. The newest entry of a recording counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name for good.
    #[serde(with = "written::id")]
    pub id: RecordingId,
    /// How often its keys had been replaced.
    pub epoch: u32,
    /// How often its card had been rewritten.
    pub revision: u32,
    /// The checksum of its card as it was sealed: another one means that something of
    /// the recording changed.
    pub card: Mark,
    /// The numbers of its transcripts.
    pub versions: Vec<u32>,
    /// The highest number that a transcript of it was ever given, where a later one than
    /// these had it: one that was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbered: Option<u32>,
    /// Where its sound is.
    pub sound: SoundAt,
    /// Where its sound is here and parted, the segments in which the stretches before
    /// this one lie, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stretches: Vec<u32>,
    /// Where its sound is here, the segments of it (0.8 s each) that the vault had noted as
    /// lost by then, from the first to behind the last; silence stands in for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<(u64, u64)>,
    /// Whether the card was one that the vault had made anew, in the place of one that could
    /// not be read any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovered: bool,
    /// Segments of its sound (0.8 s each) that could not be read, from the first to
    /// behind the last; silence stands in for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<(u64, u64)>,
    /// The segment that it was written in, if that is not this one: a repack carried it over
    /// for what the newest entry has not. It is as old as if it lay there still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<u32>,
}

impl Entry {
    /// What holds its sound, where that is here: all of it or the last stretch.
    #[must_use]
    pub fn audio(&self) -> Member {
        Member::stretch(self.id, number_behind(&self.stretches))
    }

    /// The highest number that a transcript of it is known to have had; 0 if there is none.
    #[must_use]
    pub fn highest(&self) -> u32 {
        let all = self.versions.iter().copied().chain(self.numbered);
        all.max().unwrap_or(0)
    }
}

/// The number of the stretch behind these.
pub(super) fn number_behind(stretches: &[u32]) -> u32 {
    let before = u32::try_from(stretches.len()).unwrap_or(u32::MAX);
    before.saturating_add(1)
}

/// A stretch of the sound of a recording that is too long for one segment. The last
/// stretch lies beside the words, where the [`Entry`] is that names all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The recording.
    #[serde(with = "written::id")]
    pub id: RecordingId,
    /// The epoch.
    pub epoch: u32,
    /// Its number, from 1.
    pub number: u32,
    /// The segments of sound in it (0.8 s each), from the first to behind the last.
    pub span: (u64, u64),
    /// Those of them that the vault had noted as lost by then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<(u64, u64)>,
    /// Those of them that could not be read; silence stands in for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<(u64, u64)>,
}

/// Where the sound of a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SoundAt {
    /// In this segment.
    Here,
    /// In the segment of this number: only card or text changed since.
    Segment(u32),
    /// Nowhere: it was shredded.
    Gone,
    /// Nowhere: the vault had lost it, and no segment had it.
    Lost,
}

/// What must not come back: this epoch of a recording, and every one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tombstone {
    /// The recording.
    #[serde(with = "written::id")]
    pub id: RecordingId,
    /// The epoch.
    pub epoch: u32,
}

impl From<bag::Tombstone> for Tombstone {
    fn from(bag::Tombstone { id, epoch }: bag::Tombstone) -> Self {
        Self { id, epoch }
    }
}

impl From<Tombstone> for bag::Tombstone {
    fn from(Tombstone { id, epoch }: Tombstone) -> Self {
        Self { id, epoch }
    }
}

/// What must not come back of a recording whose other parts may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lacking {
    /// The recording.
    #[serde(with = "written::id")]
    pub id: RecordingId,
    /// The epoch.
    pub epoch: u32,
    /// Its sound.
    pub sound: bool,
    /// Its transcripts.
    pub words: bool,
}

impl From<copying::Lacking> for Lacking {
    fn from(lacking: copying::Lacking) -> Self {
        let copying::Lacking {
            id,
            epoch,
            sound,
            words,
        } = lacking;
        Self {
            id,
            epoch,
            sound,
            words,
        }
    }
}

/// A manifest whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub manifest: Manifest,
    /// Whose it is; whether that is the vault, who reads it must know.
    pub signer: SignerKey,
}

impl Manifest {
    /// The manifest as it is written, signed.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it can't be written as JSON, which none is.
    pub fn sign(&self, seed: &SigningSeed) -> Result<Vec<u8>> {
        let body =
            serde_json::to_string(self).map_err(|error| Error::damaged(Member::Manifest, error))?;
        let (signer, signature) = (seed.public(), seed.sign(body.as_bytes()));
        let text = format!("{BEFORE}{body}{SIGNER}{signer}{SIGNATURE}{signature}{BEHIND}");
        Ok(text.into_bytes())
    }
}

impl Signed {
    /// Reads a manifest and checks its signature. `which` is the segment, for what
    /// is said of it.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is no manifest or not what was signed,
    /// [`Error::Newer`] if this version does not know its format.
    pub fn read(which: &str, bytes: &[u8]) -> Result<Self> {
        let damaged = |why: &dyn ToString| {
            Error::damaged(format!("{which}, {}", Member::Manifest), why.to_string())
        };
        let text = std::str::from_utf8(bytes).map_err(|error| damaged(&error))?;
        let (body, signer, signature) =
            parted(text).ok_or_else(|| damaged(&"it is no manifest"))?;
        let signer: SignerKey = signer.parse().map_err(|error| damaged(&error))?;
        let signature: Signature = signature.parse().map_err(|error| damaged(&error))?;
        signer
            .verify(body.as_bytes(), &signature)
            .map_err(|error| damaged(&error))?;
        let Format { format } = serde_json::from_str(body).map_err(|error| damaged(&error))?;
        if format != FORMAT {
            return Err(Error::Newer {
                which: which.to_owned(),
                format,
            });
        }
        let manifest = serde_json::from_str(body).map_err(|error| damaged(&error))?;
        Ok(Self { manifest, signer })
    }
}

/// What is signed, by whom, and the signature.
fn parted(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.strip_prefix(BEFORE)?.strip_suffix(BEHIND)?;
    let (text, signature) = text.rsplit_once(SIGNATURE)?;
    let (body, signer) = text.rsplit_once(SIGNER)?;
    Some((body, signer, signature))
}

/// What is read of a manifest before anything else.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[cfg(test)]
pub(super) mod tests;

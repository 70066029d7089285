//! One entry: what it says, and how it is sealed.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chain::Lapse;
use crate::crypto::LogKey;
use crate::recording::{Moment, RecordingId};
use crate::vault::error::Result;
use crate::vault::keys::bag::{Bag, LogHead};
use crate::vault::sealed::frame::{self, Facts, Kind};
use crate::vault::sealed::record;

/// Entries are padded to multiples of this, so that their sizes don't tell what was
/// done.
const PAD_STEP_BYTES: usize = 256;

/// What was done. New ones go to the end: an entry holds their place in this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Sound was played.
    Play,
    /// A decrypted copy was written.
    Export,
    /// A backup was written.
    Backup,
    /// Recordings came back from a backup.
    Restore,
    /// Recordings were destroyed because somebody said so.
    Shred,
    /// Recordings were destroyed by a rule.
    Sweep,
    /// A span was taken out of a recording.
    Redact,
    /// What a card said before was destroyed.
    Forget,
    /// The store was written anew, and the old file overwritten.
    Scrub,
    /// A way in was added or removed, or the master key replaced.
    Key,
    /// The passphrase was replaced.
    Passwd,
    /// The vault was put in order.
    Repair,
    /// A backup was rid of what was destroyed.
    Repack,
}

impl Deed {
    /// Its name, for people and programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Play => "play",
            Self::Export => "export",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Shred => "shred",
            Self::Sweep => "sweep",
            Self::Redact => "redact",
            Self::Forget => "forget",
            Self::Scrub => "scrub",
            Self::Key => "key",
            Self::Passwd => "passwd",
            Self::Repair => "repair",
            Self::Repack => "repack",
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How far it had come when the entry was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It was about to begin, and may have been cut short.
    Begun,
    /// It came into force together with this entry.
    Done,
}

impl Stage {
    /// Its name, for people and programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
        }
    }
}

/// What an entry is to say.
#[derive(Debug, Clone)]
pub struct Draft {
    deed: Deed,
    stage: Stage,
    ids: Vec<RecordingId>,
    detail: String,
    lost: Vec<(u32, u32)>,
}

impl Draft {
    /// Of something that is about to begin.
    #[must_use]
    pub fn begun(deed: Deed, ids: &[RecordingId]) -> Self {
        Self::new(deed, Stage::Begun, ids)
    }

    /// Of something that comes into force together with the entry.
    #[must_use]
    pub fn done(deed: Deed, ids: &[RecordingId]) -> Self {
        Self::new(deed, Stage::Done, ids)
    }

    fn new(deed: Deed, stage: Stage, ids: &[RecordingId]) -> Self {
        Self {
            deed,
            stage,
            ids: ids.to_vec(),
            detail: String::new(),
            lost: Vec::new(),
        }
    }

    /// What else there is to say, in a few words: as what, whereto, by which rule.
    /// Never a title, a tag, a note, a word that was said, or the name of a file made
    /// of them: whoever shreds a recording relies on that.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }

    /// Entries that are gone, and are not missed from now on.
    #[must_use]
    pub(in crate::vault) fn lost(self, lapses: &[Lapse]) -> Self {
        let lost = lapses.iter().map(|lapse| (lapse.first, lapse.last));
        Self {
            lost: lost.collect(),
            ..self
        }
    }

    /// The entry of this number behind that one, as a frame; and what the next one
    /// binds.
    pub(in crate::vault) fn seal(
        &self,
        key: &LogKey,
        at: Moment,
        number: u32,
        before: Option<LogHead>,
    ) -> Result<(Vec<u8>, LogHead)> {
        let body = Body {
            at,
            deed: self.deed,
            stage: self.stage,
            ids: self.ids.clone(),
            detail: self.detail.clone(),
            before,
            lost: self.lost.clone(),
        };
        let frame = record::seal_padded(key, &facts(number), &body, PAD_STEP_BYTES)?;
        let head = LogHead {
            number,
            hash: hash(&frame),
        };
        Ok((frame, head))
    }
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number. They rise; one may be left out where the log could not be read
    /// when the next one was written.
    pub number: u32,
    /// When it was written, by the clock of that machine.
    pub at: Moment,
    /// What was done.
    pub deed: Deed,
    /// How far it had come.
    pub stage: Stage,
    /// To which recordings, if to any.
    pub ids: Vec<RecordingId>,
    /// What else there is to say.
    pub detail: String,
    /// The entry that it follows.
    pub(super) before: Option<LogHead>,
    /// Entries that were gone, and noted to be: first and last numbers.
    pub(super) lost: Vec<(u32, u32)>,
    /// Its own hash.
    pub(super) hash: [u8; 32],
}

impl Entry {
    /// What the next one binds.
    pub(in crate::vault) fn head(&self) -> LogHead {
        LogHead {
            number: self.number,
            hash: self.hash,
        }
    }
}

/// An entry as it is sealed.
#[derive(Serialize, Deserialize)]
struct Body {
    at: Moment,
    deed: Deed,
    stage: Stage,
    ids: Vec<RecordingId>,
    detail: String,
    before: Option<LogHead>,
    lost: Vec<(u32, u32)>,
}

/// Opens an entry: one whole frame and nothing else. A log key that was replaced opens
/// only those that were there by then.
///
/// # Errors
/// [`Error::Damaged`](crate::vault::Error::Damaged) if it is anything else than what
/// [`Draft::seal`] made with one of these keys. Its number is the one sealed inside.
pub(in crate::vault) fn open(bag: &Bag, bytes: &[u8]) -> Result<Entry> {
    let unfit = |why: &str| crate::vault::Error::damaged("log", why);
    let frame = frame::parse(bytes).map_err(|why| unfit(&why.to_string()))?;
    if frame.facts != facts(frame.facts.number) {
        return Err(unfit("it is no entry of a log"));
    }
    if frame.bytes.len() != bytes.len() {
        return Err(unfit("bytes follow that are no entry"));
    }
    let number = frame.facts.number;
    let former = bag.former_logs.iter().filter(|one| number <= one.last);
    let mut keys = [&bag.log]
        .into_iter()
        .chain(former.rev().map(|one| &one.key));
    let opened = keys.find_map(|key| record::open_text::<Body>(key, &frame).ok());
    let body = opened.ok_or_else(|| unfit("nothing opens it"))?;
    Ok(Entry {
        number,
        at: body.at,
        deed: body.deed,
        stage: body.stage,
        ids: body.ids,
        detail: body.detail,
        before: body.before,
        lost: body.lost,
        hash: hash(bytes),
    })
}

/// What an entry says of itself in the clear: its number, and of no recording.
fn facts(number: u32) -> Facts {
    Facts {
        kind: Kind::Log,
        id: RecordingId::from_bytes([0; 16]),
        epoch: 0,
        number,
        revision: 0,
    }
}

fn hash(frame: &[u8]) -> [u8; 32] {
    Sha256::digest(frame).into()
}

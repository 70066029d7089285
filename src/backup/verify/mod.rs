//! Reads a backup to its last byte, and says what is not as it was written.
//!
//! Every segment is unsealed and walked from its start to its end, several at a time;
//! then what they say of each other is compared: the chain, what came before what,
//! whose they are, and whether all that one says another holds is there; and the copies
//! of the ways in that lie beside them. Nothing is changed, and nothing decrypted is kept.

mod beside;
mod chain;
mod cost;
mod segment;

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

pub use self::beside::{Beside, beside};
use self::segment::Checked;
use super::error::{Error, Result};
use super::read::trouble;
use super::read::{Keys, SegmentFile, Source, Trust};
use crate::crypto::{BackupIdentity, Identities, SignerKey, VaultId};
use crate::recording::RecordingId;
use crate::vault::OpenVault;
use crate::vault::bag::Settings;

/// More would wait for each other at the disk.
const MOST_THREADS: usize = 4;

/// What a damage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is not there.
    Missing,
    /// It ends before its end.
    Truncated,
    /// It is not what was written.
    Altered,
    /// It is more than was written, or another's.
    Added,
    /// The backup is an older one than was made here.
    RolledBack,
    /// No key that was given opens it.
    Closed,
}

impl Kind {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Truncated => "truncated",
            Self::Altered => "altered",
            Self::Added => "added",
            Self::RolledBack => "rolled back",
            Self::Closed => "closed",
        }
    }
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Of which kind.
    pub kind: Kind,
    /// The file, and the place in it.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
    /// The recording it concerns, where that is known.
    pub id: Option<RecordingId>,
}

impl Damage {
    /// Of this kind, at this place.
    pub fn new(kind: Kind, place: impl ToString, what: impl ToString) -> Self {
        Self {
            kind,
            place: place.to_string(),
            what: what.to_string(),
            id: None,
        }
    }

    pub(super) fn of(self, id: Option<RecordingId>) -> Self {
        Self { id, ..self }
    }

    /// Damage of what was read; other errors are no damage, and end the work.
    ///
    /// # Errors
    /// What is no damage.
    pub(super) fn from_error(error: Error) -> Result<Self> {
        match error {
            Error::Damaged { which, why } if why == trouble::CUT_OFF => {
                Ok(Self::new(Kind::Truncated, which, why))
            }
            Error::Damaged { which, why } => Ok(Self::new(Kind::Altered, which, why)),
            Error::Locked { which } => {
                let why = "no key that was given opens it";
                Ok(Self::new(Kind::Closed, which, why))
            }
            // A file that can't be read is as good as gone, and the others are not.
            Error::Io { path, source, .. } => Ok(Self::new(Kind::Missing, path.display(), source)),
            Error::Sound(error) => Ok(Self::new(Kind::Altered, "audio.opus", error)),
            other => Err(other),
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Recordings that can be brought back.
    pub recordings: u64,
    /// Files inside of segments.
    pub files: u64,
    /// Bytes of all segments, as they lie there.
    pub bytes: u64,
    /// What is not as it was written.
    pub damage: Vec<Damage>,
    /// What its owner should know and is no damage.
    pub notes: Vec<String>,
    /// Who signed it, where one did.
    pub signer: Option<SignerKey>,
    /// Whether the vault remembers a later end of it: it is an older copy, or lacks some.
    pub lags_behind: bool,
}

/// What is known of a backup beside what lies in it.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Whose signature counts.
    pub trust: &'a Trust,
    /// What the vault at hand knows, where one is open.
    pub own: Option<&'a Own>,
    /// The copy of a way in from which the keys came.
    pub opened: Option<&'a str>,
}

/// What a vault knows of its own backups.
pub struct Own {
    /// Its name.
    pub vault: VaultId,
    /// What opens them, the newest first.
    pub identities: Vec<BackupIdentity>,
    /// Its ways in, and what it remembers of each backup.
    pub settings: Settings,
}

impl Own {
    /// Of this vault.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn of(vault: &OpenVault) -> Result<Self> {
        let keys = vault.backup_keys()?;
        Ok(Self {
            vault: keys.vault,
            identities: keys.identities,
            settings: vault.settings()?,
        })
    }
}

/// What opens a backup.
#[derive(Clone, Copy)]
pub enum Opener<'a> {
    /// The keys of its vault, the newest first.
    Vault(&'a [BackupIdentity]),
    /// Those that somebody gave. They may have to ask something, and are used by one
    /// thread only.
    Given(&'a Identities),
}

/// Verifies a folder or a file. `tell` hears of bytes read and bytes in all.
///
/// # Errors
/// If there is no backup, a newer version wrote it, or nothing of it opens with these
/// keys. Damage is no error: it is in what was found.
pub fn verify(
    at: &Path,
    opener: Opener<'_>,
    known: Known<'_>,
    tell: &(dyn Fn(u64, u64) + Sync),
) -> Result<Verified> {
    verify_until(at, opener, known, tell, &|| false)
}

/// The same, until it is called off: between two segments.
///
/// # Errors
/// As [`verify`], and [`Error::Cancelled`].
pub fn verify_until(
    at: &Path,
    opener: Opener<'_>,
    known: Known<'_>,
    tell: &(dyn Fn(u64, u64) + Sync),
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Verified> {
    let source = Source::find(at)?;
    let mut verified = Verified::default();
    verified.notes.extend(source.notes());
    let all: u64 = source.segments().iter().map(|one| one.bytes).sum();
    tell(0, all);
    let done = AtomicU64::new(0);
    let advance = |bytes: u64| tell(done.fetch_add(bytes, Ordering::Relaxed) + bytes, all);
    let checked = match opener {
        Opener::Vault(identities) => {
            let check = |file: &SegmentFile, keys: &Keys<'_>| match cancelled() {
                true => Err(Error::Cancelled),
                false => segment::check(file, keys, known.trust, &advance),
            };
            in_parallel(source.segments(), identities, &check)?
        }
        Opener::Given(identities) => {
            let keys = Keys::given(identities)?;
            let files = source.segments().iter();
            files
                .map(|file| match cancelled() {
                    true => Err(Error::Cancelled),
                    false => segment::check(file, &keys, known.trust, &advance),
                })
                .collect::<Result<_>>()?
        }
    };
    if let Some(error) = nothing_opens(&checked) {
        return Err(error);
    }
    chain::compare(&source, &checked, known, &mut verified);
    let Beside { damage, notes } = beside::look(&source, opener, known)?;
    verified.damage.extend(damage);
    verified.notes.extend(notes);
    for one in checked {
        verified.bytes += one.bytes;
        verified.files += one.files;
        verified.damage.extend(one.damage);
    }
    Ok(verified)
}

/// Where no segment opens, the keys are wrong, and that is no damage.
fn nothing_opens(checked: &[Checked]) -> Option<Error> {
    let is_closed = |one: &&Checked| one.damage.iter().any(|damage| damage.kind == Kind::Closed);
    let first = checked.first()?;
    let closed = checked.iter().filter(is_closed).count();
    (closed > 0 && closed == checked.len()).then(|| Error::Locked {
        which: first.which.clone(),
    })
}

/// Checks segments on a few threads, each with keys of its own.
fn in_parallel(
    files: &[SegmentFile],
    identities: &[BackupIdentity],
    check: &(dyn Fn(&SegmentFile, &Keys<'_>) -> Result<Checked> + Sync),
) -> Result<Vec<Checked>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let run = || -> Result<()> {
        let keys = Keys::of_backups(identities);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(number) else {
                return Ok(());
            };
            let checked = check(file, &keys)?;
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((number, checked));
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = threads.min(MOST_THREADS).min(files.len());
    thread::scope(|scope| {
        let started: Vec<_> = (1..threads)
            .filter_map(|_| {
                let thread = thread::Builder::new().name("segments".into());
                // One thread less is only slower.
                thread.spawn_scoped(scope, run).ok()
            })
            .collect();
        let own = run();
        let others = started.into_iter().map(|thread| {
            let panicked = || Error::damaged("a segment", "reading it failed");
            thread.join().unwrap_or_else(|_| Err(panicked()))
        });
        others.fold(own, Result::and)
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, checked)| checked).collect())
}

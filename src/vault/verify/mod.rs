//! Reads every byte of a vault and says what of it is damaged.
//!
//! Nothing is changed by looking. [`mod@repair`] mends what has a second copy, builds
//! the store anew, and notes what is gone for good, so that it is said once and
//! not for ever. What is damage, and what only lies beside it, stands in
//! `docs/FORMAT.md`. In reading order:
//!
//! - `keys`, `roots`: what is kept twice;
//! - `waiting`: the inbox;
//! - `tree`: the store, through redb or, where redb refuses it, past it;
//! - `recording`: whether the records of one recording are all there and right;
//! - `beside`: bytes that hold nothing, and names that are not ours;
//! - `repair`, `settle`, `kept`: putting it in order.

mod beside;
mod keys;
mod kept;
mod recording;
mod repair;
mod roots;
mod settle;
#[cfg(test)]
mod tests;
mod tree;
mod waiting;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{NOT_A_FILE, Result};
use super::keys::keyslots;
use super::log::{Lapse, Log};
use super::notice::Notice;
use super::session::Held;
use super::store;
use super::store::replace::OLD_FILE;
use crate::error::Failure;
use crate::recording::RecordingId;

pub(super) use repair::repair;

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Recordings, those that wait in the inbox included.
    pub recordings: u64,
    /// Sealed records that were opened.
    pub records: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// How many of them hold nothing: what is kept free, and what was overwritten
    /// or deleted. Whatever stands there is as good.
    pub idle_bytes: u64,
    /// What is damaged.
    pub flaws: Vec<Flaw>,
    /// What is no damage and may be of interest: strange names, leftovers.
    pub notes: Vec<String>,
    /// What a repair could not do, and what is no damage.
    pub undone: Vec<Failure>,
}

impl Verified {
    /// Whether something else than a file has the name of the store: no repair helps then.
    #[must_use]
    pub fn is_store_no_file(&self) -> bool {
        let is_store = |flaw: &Flaw| Path::new(&flaw.place).ends_with(store::FILE);
        let mut flaws = self.flaws.iter();
        flaws.any(|flaw| is_store(flaw) && flaw.what.starts_with(NOT_A_FILE))
    }

    /// Whether something else than a file has the name of one: no repair takes it away.
    #[must_use]
    pub fn is_any_no_file(&self) -> bool {
        let mut flaws = self.flaws.iter();
        flaws.any(|flaw| !flaw.mended && flaw.what.starts_with(NOT_A_FILE))
    }

    /// The way in that lost both of its files, where nothing else is left to be mended: no
    /// repair brings it back.
    #[must_use]
    pub fn lost_way(&self) -> Option<String> {
        let left = self.flaws.iter().filter(|flaw| !flaw.mended);
        let ways: Vec<String> = left.map(keys::way_of).collect::<Option<_>>()?;
        let files = ways.iter().filter(|way| Some(*way) == ways.first());
        let is_lost = files.count() == keyslots::ENDINGS.len();
        ways.first().filter(|_| is_lost).cloned()
    }
}

/// Something that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub what: String,
    /// The file, and the place in it where that makes sense.
    pub place: String,
    /// The recording it costs something, if it is only one.
    pub id: Option<RecordingId>,
    /// Whether all is as it was again.
    pub mended: bool,
}

impl Flaw {
    fn new(place: impl ToString, what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            place: place.to_string(),
            id: None,
            mended: false,
        }
    }

    fn of(self, id: RecordingId) -> Self {
        Self {
            id: Some(id),
            ..self
        }
    }

    fn mended(self) -> Self {
        Self {
            mended: true,
            ..self
        }
    }

    /// The same damage, whether or not it was mended meanwhile.
    fn is(&self, other: &Self) -> bool {
        (&self.what, &self.place, self.id) == (&other.what, &other.place, other.id)
    }
}

/// Who hears how many bytes of how many were looked at. Threads tell it.
pub(super) struct Meter<'a> {
    done: AtomicU64,
    total: AtomicU64,
    tell: &'a (dyn Fn(u64, u64) + Sync),
}

impl<'a> Meter<'a> {
    pub(super) fn new(tell: &'a (dyn Fn(u64, u64) + Sync)) -> Self {
        Self {
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            tell,
        }
    }

    fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let total = self.total.load(Ordering::Relaxed);
        (self.tell)(done.min(total), total);
    }
}

/// A look at everything.
struct Look {
    found: Verified,
    /// What is wrong with the store, which is not in `found`.
    store: Vec<Flaw>,
    /// The log, whose lapses are not in `found`.
    log: Log,
}

/// Looks at everything and changes nothing. `notices` is what opening the vault
/// has found and mended already.
pub(super) fn verify(
    held: &Held<'_>,
    notices: &[Notice],
    tell: &(dyn Fn(u64, u64) + Sync),
) -> Result<Verified> {
    let Look {
        mut found,
        store,
        log,
    } = look(held, notices, &Meter::new(tell))?;
    found.flaws.extend(store);
    found
        .flaws
        .extend(log.lapses.iter().map(|one| flaw_of_log(held, one)));
    Ok(found)
}

/// What is wrong with the log, which is a part of the store.
fn flaw_of_log(held: &Held<'_>, lapse: &Lapse) -> Flaw {
    let path = held.dir().join(store::FILE);
    Flaw::new(path.display(), format!("log, {lapse}"))
}

fn look(held: &Held<'_>, notices: &[Notice], meter: &Meter<'_>) -> Result<Look> {
    let mut found = Verified::default();
    beside::measure(held, &mut found, meter);
    found.flaws.extend(notices.iter().filter_map(flaw_of));
    found.notes.extend(notices.iter().filter_map(note_of));
    keys::look(held, &mut found);
    roots::look(held, &mut found)?;
    waiting::look(held, &mut found)?;
    let tree::Store { flaws, log, .. } = tree::look(held, &mut found, meter)?;
    beside::look(held, &mut found)?;
    Ok(Look {
        found,
        store: flaws,
        log,
    })
}

/// What opening has found that is damage. What is still there is found again.
fn flaw_of(notice: &Notice) -> Option<Flaw> {
    match notice {
        Notice::Mended { path } => {
            let what = "it was damaged or never finished; made anew from its copy";
            Some(Flaw::new(path.display(), what).mended())
        }
        Notice::PutInForce { path } => {
            let what = "the state before its last change was in force; the last one is again";
            Some(Flaw::new(path.display(), what).mended())
        }
        // That no file has the store's name is told where the store is looked at.
        Notice::EarlierInForce { why, .. } if why.contains(NOT_A_FILE) => None,
        Notice::EarlierInForce { path, why } => Some(Flaw::new(
            path.display(),
            format!("the state before its last change is in force: {why}"),
        )),
        Notice::StoreMissing { path } => {
            let what = "it was missing; an empty one was made in its place";
            Some(Flaw::new(path.display(), what))
        }
        // It costs nothing, and lies beside the rest.
        Notice::NotDone { path, .. } if path.ends_with(OLD_FILE) => None,
        Notice::NotDone { path, why } => Some(Flaw::new(
            path.display(),
            format!("it could not be put in order: {why}"),
        )),
        Notice::NotMended { path, why } => Some(Flaw::new(
            path.display(),
            format!("it is damaged, and could not be made anew from its copy: {why}"),
        )),
        // What is wrong in `keys/` is looked at by itself.
        Notice::WayLost { .. } | Notice::StrangeWay { .. } => None,
        Notice::Unfinished { .. } => None,
        Notice::Forged { .. } | Notice::FellBack { .. } | Notice::Older { .. } => None,
    }
}

fn note_of(notice: &Notice) -> Option<String> {
    match notice {
        Notice::Older { .. } | Notice::Unfinished { .. } => Some(notice.to_string()),
        _ => None,
    }
}

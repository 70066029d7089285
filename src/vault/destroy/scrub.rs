//! Writes the store anew from what is in it, and overwrites the old file.
//!
//! What was shredded, redacted or edited has left sealed bytes in the free pages
//! of the store. No key opens what was shredded, but the bytes show how much it
//! was; and an edited card's older revisions still open. Only rows that the bag
//! has keys for go over. Whether overwriting reaches the old bytes is up to the
//! file system and what lies below it, and the receipt says so.
//!
//! The old file is the only one with what could not be read from it, so a scrub is
//! refused where anything is missing that is not noted as gone.

use super::complete::Found;
use super::receipt::{NotErased, Receipt};
use crate::error::{Exit, Failure};
use crate::vault::error::{Error, Result};
use crate::vault::inbox;
use crate::vault::keys::bag::Clip;
use crate::vault::log::chain::Checker;
use crate::vault::log::{Deed, Draft, book};
use crate::vault::session::Held;
use crate::vault::store::rows::{ClipId, Reading, Writing};
use crate::vault::store::{self, Changes};

/// Bytes of rows that go into one transaction.
const BYTES_PER_COMMIT: u64 = 16 << 20;

/// Rows read at once.
const ROWS_AT_ONCE: usize = 16;

/// What a store takes with so many bytes of rows: half-filled pages, and some to begin with.
const fn with_pages(row_bytes: u64) -> u64 {
    row_bytes + row_bytes / 4 + (256 << 10)
}

/// What a scrub did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scrubbed {
    /// Bytes that the store had.
    pub before_bytes: u64,
    /// Bytes that it has now.
    pub after_bytes: u64,
    /// What was erased, and what is out of reach.
    pub receipt: Receipt,
    /// Why the old file was not overwritten, if it was not. It is tried again
    /// whenever the vault is opened.
    pub not_overwritten: Option<String>,
}

impl Scrubbed {
    /// The failure to end with, if the old file is still there.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let why = self.not_overwritten.as_ref()?;
        let what = "the old store is not overwritten";
        Some(
            Failure::new(Exit::Failed, what, why.clone())
                .hint("run `voxvault scrub` again: that starts by finishing this"),
        )
    }
}

/// Writes the store anew. `progress` hears of bytes done and bytes in all, once
/// for copying and once for overwriting them.
pub(crate) fn scrub(held: &Held<'_>, progress: &mut dyn FnMut(u64, u64)) -> Result<Scrubbed> {
    let may_write = held.disk().may_write(held.dir());
    may_write.map_err(Error::io("write", held.dir()))?;
    let (store, lock) = (held.store(), held.lock());
    store.finish(lock, &mut |_| ())?;
    let before_bytes = store.bytes(lock)?;
    let total = before_bytes.saturating_mul(2);
    progress(0, total);
    check_room(held, before_bytes)?;

    store.read(lock, |old| {
        let old = old.begin()?;
        old.refuse_strange_tables()?;
        let mut copied = 0;
        store.write_beside(lock, |new| {
            copy(held, &old, new, &mut |bytes| {
                copied += bytes;
                progress(copied.min(before_bytes), total);
            })
        })
    })?;
    store.exchange(lock)?;
    let after_bytes = store.bytes(lock)?;
    let wiped = store.finish(lock, &mut |done| progress(before_bytes + done, total));

    let mut receipt = Receipt {
        backups_still_holding: Vec::new(),
        ..Receipt::begin(held, "bytes of the old store")
    };
    match &wiped {
        Ok(()) => receipt.erased.push(format!(
            "the old {} of {before_bytes} bytes: overwritten and removed",
            store::FILE
        )),
        Err(error) => receipt.not_erased.push(NotErased {
            what: "the old store".into(),
            where_: held.dir().display().to_string(),
            why: error.to_string(),
        }),
    }
    Ok(Scrubbed {
        before_bytes,
        after_bytes,
        receipt,
        not_overwritten: wiped.err().map(|error| error.to_string()),
    })
}

/// Refuses where a second copy does not fit.
fn check_room(held: &Held<'_>, store_bytes: u64) -> Result<()> {
    // Where that can't be told, a write that fails tells it.
    let Ok(free_bytes) = held.disk().space(held.dir()) else {
        return Ok(());
    };
    if free_bytes >= with_pages(store_bytes) {
        return Ok(());
    }
    // Much of it may be dead: only now is it worth counting what is not.
    let needed_bytes = held.store().read(held.lock(), |old| {
        let (old, mut bytes) = (old.begin()?, 0);
        for (at, clip) in live(held) {
            each_row(&old, at, clip, &mut |_, row| {
                bytes += row.len() as u64;
                Ok(())
            })?;
        }
        old.each_log(|_, row| bytes += row.len() as u64)?;
        Ok(with_pages(bytes))
    })?;
    match needed_bytes <= free_bytes {
        true => Ok(()),
        false => Err(Error::NoRoom {
            dir: held.dir().to_owned(),
            needed_bytes,
            free_bytes,
        }),
    }
}

/// Everything that is in the store by right.
fn live<'a>(held: &'a Held<'_>) -> impl Iterator<Item = (ClipId, &'a Clip)> {
    let clips = held.bag().clips.iter();
    clips
        .filter(|(_, clip)| clip.extent.is_some())
        .map(|(id, clip)| {
            let at = ClipId {
                id: *id,
                epoch: clip.epoch,
            };
            (at, clip)
        })
}

/// Which table a row goes into.
#[derive(Clone, Copy)]
enum Place {
    Sound(u32),
    Words(u32),
    Card,
}

/// Tells of every row of a recording that its keys open, the card last.
fn each_row(
    old: &Reading,
    at: ClipId,
    clip: &Clip,
    each: &mut dyn FnMut(Place, Vec<u8>) -> Result<()>,
) -> Result<()> {
    let mut from = clip.sound.is_some().then_some(0);
    while let Some(first) = from {
        let rows = old.sound(at, first, ROWS_AT_ONCE)?;
        from = rows.last().and_then(|(last, _)| last.checked_add(1));
        for (number, row) in rows {
            each(Place::Sound(number), row)?;
        }
    }
    let mut from = clip.words.is_some().then_some(0);
    while let Some(first) = from {
        let rows = old.words_from(at, first, 1)?;
        from = rows.last().and_then(|(last, _)| last.checked_add(1));
        for (number, row) in rows {
            each(Place::Words(number), row)?;
        }
    }
    match old.card(at)? {
        Some(row) => each(Place::Card, row),
        None => Ok(()),
    }
}

fn copy(
    held: &Held<'_>,
    old: &Reading,
    new: &Changes<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    let waiting = inbox::names(held.disk(), held.dir())?.recordings;
    for (at, clip) in live(held) {
        let mut found = Found::default();
        each_row(old, at, clip, &mut |place, row| {
            match place {
                Place::Sound(number) => found.sound.push(number),
                Place::Words(number) => found.words.push(number),
                Place::Card => found.card = Some(row.clone()),
            }
            bytes += row.len() as u64;
            rows.push((at, place, row));
            if bytes >= BYTES_PER_COMMIT {
                new.commit(|writing| put(writing, &rows))?;
                progress(bytes);
                (rows, bytes) = (Vec::new(), 0);
            }
            Ok(())
        })?;
        // The rows of one that waits are still to come.
        if found.card.is_some() || !waiting.contains(&at.id) {
            let path = held.dir().join(store::FILE);
            let checked = found.check(at, clip);
            checked.map_err(|error| Error::store_damaged(&path, error))?;
        }
    }
    new.commit(|writing| put(writing, &rows))?;
    progress(bytes);
    new.commit(|writing| copy_log(held, old, writing))
}

/// Takes the log over, with an entry that says that this was done: it is in force if and
/// only if the new store is.
fn copy_log(held: &Held<'_>, old: &Reading, new: &Writing) -> Result<()> {
    let (mut checker, mut rows) = (Checker::new(held.bag()), Vec::new());
    old.each_log(|number, row| {
        checker.row(number, row);
        rows.push((number, row.to_vec()));
    })?;
    if let Some(lapse) = checker.finish().lapses.first() {
        let path = held.dir().join(store::FILE);
        return Err(Error::store_damaged(&path, format!("log, {lapse}")));
    }
    for (number, row) in rows {
        new.add_log(number, &row)?;
    }
    book::write_into(held, new, &Draft::done(Deed::Scrub, &[]))
}

fn put(writing: &Writing, rows: &[(ClipId, Place, Vec<u8>)]) -> Result<()> {
    for (at, place, row) in rows {
        match place {
            Place::Sound(number) => writing.add_sound(*at, *number, row).map(drop),
            Place::Words(number) => writing.add_words(*at, *number, row).map(drop),
            Place::Card => writing.put_card(*at, row),
        }?;
    }
    Ok(())
}

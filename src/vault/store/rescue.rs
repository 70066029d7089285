//! Builds the store anew from the records that can be found in it.
//!
//! For a store whose tree or rows are damaged. Of the records that [`finding`] finds
//! in its bytes the newest revision of each goes into a new file, which takes the
//! old one's name once it is durable; then the old one is overwritten, unless records
//! that the bag knows nothing of were in it, or the disk did not give all of it: that one is
//! kept under another name. What was shredded has no key and does not come back.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use super::finding::{self, Found, Records};
use super::rows::{ClipId, SEGMENTS_PER_ROW, Writing};
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, DiskFile};
use crate::vault::log::chain::Checker;
use crate::vault::log::{Deed, Draft, book};
use crate::vault::sealed::frame::Kind;
use crate::vault::session::Held;
use crate::vault::store;

/// Rows that go into one transaction.
const ROWS_PER_COMMIT: usize = 2048;

/// What a rescue found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescued {
    /// Records that are in the new store.
    pub records: u64,
    /// Bytes that were looked through.
    pub bytes: u64,
    /// Why the damaged file could not be overwritten, if it could not; the next
    /// unlock tries again.
    pub not_erased: Option<String>,
    /// Where the damaged file is kept, if there were records in it of recordings that
    /// the keys know nothing of (another vault's, or newer than the keys are), or the disk
    /// did not give all of it.
    pub kept: Option<PathBuf>,
    /// How many blocks it did not give.
    pub unread: u64,
    /// Where an earlier store is kept that a scrub or a repair had not yet
    /// overwritten: there may be more in it.
    pub earlier: Option<PathBuf>,
}

/// Builds the store anew and puts it in the place of the old one. `progress`
/// hears how many bytes of the old one were looked through.
///
/// # Errors
/// If the new one can't be written, a full disk for one; then nothing is changed. Nor is it
/// where something else than a file has the store's name: a link says where the store may
/// be, and nothing of it is lost yet.
pub(crate) fn rebuild(held: &Held<'_>, progress: &(dyn Fn(u64) + Sync)) -> Result<Rescued> {
    let path = held.dir().join(store::FILE);
    let file = held.store().open_file(held.lock(), Access::Read)?;
    let bytes = file.len().map_err(Error::io("read", &path))?;
    let records = finding::find(held.bag(), &*file, progress).map_err(Error::io("read", &path))?;
    let rows = into_rows(&records);
    let (store, lock) = (held.store(), held.lock());
    store.write_beside(lock, |store| {
        for batch in rows.chunks(ROWS_PER_COMMIT) {
            store.commit(|writing| {
                let mut bytes = Vec::new();
                for row in batch {
                    insert(writing, &records, row, &*file, &mut bytes).map_err(
                        |error| match error {
                            Broken::Read(error) => Error::io("read", &path)(error),
                            Broken::Write(error) => error,
                        },
                    )?;
                }
                Ok(())
            })?;
        }
        store.commit(|writing| rebuild_log(held, writing, &records, &*file))
    })?;
    drop(file);
    let earlier = store.set_aside()?;
    let mut kept = None;
    let mut not_erased = None;
    if records.strange || records.unread > 0 {
        kept = Some(store.exchange_aside(lock)?);
    } else {
        store.exchange(lock)?;
        let erased = store.finish(lock, &mut |_| ());
        not_erased = erased.err().map(|error| error.to_string());
    }
    Ok(Rescued {
        records: (records.found.len() + records.log.len()) as u64,
        bytes,
        not_erased,
        kept,
        unread: records.unread,
        earlier,
    })
}

/// The entries of the log that were found, and one that says what was done here and
/// which are gone.
fn rebuild_log(
    held: &Held<'_>,
    writing: &Writing,
    records: &Records,
    file: &dyn DiskFile,
) -> Result<()> {
    let path = held.dir().join(store::FILE);
    let mut checker = Checker::new(held.bag());
    let mut bytes = Vec::new();
    for (entry, at) in &records.log {
        bytes.clear();
        finding::read_at(file, *at, &mut bytes).map_err(Error::io("read", &path))?;
        writing.add_log(entry.number, &bytes)?;
        checker.entry(entry.clone());
    }
    let draft = Draft::done(Deed::Repair, &[]).detail("the store was built anew");
    let lost = checker.finish().lapses;
    book::write_into(held, writing, &draft.lost(&lost))
}

/// A row of the new store and the records that go into it.
struct Row {
    clip: ClipId,
    kind: Kind,
    number: u32,
    records: Range<usize>,
}

fn into_rows(records: &Records) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (at, found) in records.found.iter().enumerate() {
        let clip = records.clip(found);
        let number = match found.kind {
            Kind::Sound => found.number / SEGMENTS_PER_ROW,
            _ => found.number,
        };
        match rows.last_mut() {
            Some(row) if (row.clip, row.kind, row.number) == (clip, found.kind, number) => {
                row.records.end = at + 1;
            }
            _ => rows.push(Row {
                clip,
                kind: found.kind,
                number,
                records: at..at + 1,
            }),
        }
    }
    rows
}

enum Broken {
    Read(io::Error),
    Write(Error),
}

fn insert(
    writing: &Writing,
    records: &Records,
    row: &Row,
    file: &dyn DiskFile,
    bytes: &mut Vec<u8>,
) -> Result<(), Broken> {
    bytes.clear();
    let found: &[Found] = &records.found[row.records.clone()];
    for one in found {
        finding::read(file, one, bytes).map_err(Broken::Read)?;
    }
    match row.kind {
        Kind::Sound => writing.add_sound(row.clip, row.number, bytes).map(drop),
        Kind::Words => writing.add_words(row.clip, row.number, bytes).map(drop),
        _ => writing.put_card(row.clip, bytes),
    }
    .map_err(Broken::Write)
}

//! Builds the store anew from the records that can be found in it.
//!
//! For a store whose tree is damaged. Every frame in the file is looked at,
//! wherever it lies; of those that the bag's keys open, the newest revision of
//! each is kept. What was shredded has no key and does not come back.

use std::collections::BTreeMap;

use super::rows::{ClipId, SEGMENTS_PER_ROW, Writing};
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, DiskFile};
use crate::vault::sealed::frame::{self, Facts, Frame, HEADER_BYTES, Kind, Unreadable};
use crate::vault::sealed::record::{self, CardRecord};
use crate::vault::sealed::scan::{self, What};
use crate::vault::session::Held;
use crate::vault::store;

/// Bytes of the store that are looked at in one go.
const WINDOW_BYTES: u64 = 8 << 20;

/// Rows that go into one transaction.
const ROWS_PER_COMMIT: usize = 512;

/// What a rescue found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rescued {
    /// Records that are in the new store.
    pub records: u64,
}

/// Where the newest revision of a record lies in the damaged file.
struct Place {
    revision: u32,
    at: u64,
    bytes: usize,
}

/// Recording, kind, and number; that of a card does not tell cards apart.
type Records = BTreeMap<(ClipId, Kind, u32), Place>;

/// Builds the store anew and puts it in the place of the old one.
pub(crate) fn rebuild(held: &Held<'_>) -> Result<Rescued> {
    let path = held.dir().join(store::FILE);
    let file = held
        .disk()
        .open(&path, Access::Read)
        .map_err(Error::io("open", &path))?;
    let records = find(held, &*file).map_err(Error::io("read", &path))?;
    let rows = into_rows(&records);
    held.store().build(held.lock(), |store| {
        for batch in rows.chunks(ROWS_PER_COMMIT) {
            store.commit(|writing| {
                for row in batch {
                    insert(writing, row, &*file).map_err(|error| match error {
                        Broken::Read(error) => Error::io("read", &path)(error),
                        Broken::Write(error) => error,
                    })?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(Rescued {
        records: records.len() as u64,
    })
}

fn find(held: &Held<'_>, file: &dyn DiskFile) -> std::io::Result<Records> {
    let (mut records, mut at) = (Records::new(), 0);
    let end = file.len()?;
    let mut window = Vec::new();
    while at < end {
        // A little more than a window, so that a header at its edge is whole.
        let bytes = (end - at).min(WINDOW_BYTES + HEADER_BYTES as u64);
        window.resize(bytes as usize, 0);
        file.read_at(at, &mut window)?;
        for found in scan::scan(&window) {
            let place = at + found.at as u64;
            match found.what {
                What::Frame(frame) => consider(held, &mut records, place, &frame),
                What::Remains {
                    why: Unreadable::Torn,
                    ..
                } => {
                    let Ok(body) = frame::body_bytes(&window[found.at..]) else {
                        continue;
                    };
                    let mut whole = vec![0; HEADER_BYTES + body];
                    if place + whole.len() as u64 > end {
                        continue;
                    }
                    file.read_at(place, &mut whole)?;
                    if let Ok(frame) = frame::parse(&whole) {
                        consider(held, &mut records, place, &frame);
                    }
                }
                What::Remains { .. } | What::Age(_) => {}
            }
        }
        at += WINDOW_BYTES;
    }
    Ok(records)
}

fn consider(held: &Held<'_>, records: &mut Records, at: u64, frame: &Frame<'_>) {
    let Facts {
        kind,
        id,
        epoch,
        number,
        revision,
    } = frame.facts;
    let number = if kind == Kind::Card { 0 } else { number };
    let name = (ClipId { id, epoch }, kind, number);
    let is_older = |known: &Place| known.revision >= revision;
    if records.get(&name).is_some_and(is_older) || !opens(held, frame) {
        return;
    }
    records.insert(
        name,
        Place {
            revision,
            at,
            bytes: frame.bytes.len(),
        },
    );
}

fn opens(held: &Held<'_>, frame: &Frame<'_>) -> bool {
    let Ok((at, clip)) = held.clip(frame.facts.id) else {
        return false;
    };
    if at.epoch != frame.facts.epoch {
        return false;
    }
    match (frame.facts.kind, &clip.sound, &clip.words) {
        (Kind::Sound, Some(key), _) => record::open_sound(key, frame).is_ok(),
        (Kind::Words, _, Some(key)) => record::open_text::<Transcript>(key, frame).is_ok(),
        (Kind::Card, ..) => record::open_text::<CardRecord>(&clip.card, frame).is_ok(),
        _ => false,
    }
}

/// A row of the new store and the frames that go into it.
struct Row<'a> {
    clip: ClipId,
    kind: Kind,
    number: u32,
    frames: Vec<&'a Place>,
}

fn into_rows(records: &Records) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for ((clip, kind, number), place) in records {
        let number = if *kind == Kind::Sound {
            number / SEGMENTS_PER_ROW
        } else {
            *number
        };
        match rows.last_mut() {
            Some(row) if (row.clip, row.kind, row.number) == (*clip, *kind, number) => {
                row.frames.push(place);
            }
            _ => rows.push(Row {
                clip: *clip,
                kind: *kind,
                number,
                frames: vec![place],
            }),
        }
    }
    rows
}

enum Broken {
    Read(std::io::Error),
    Write(Error),
}

fn insert(writing: &Writing, row: &Row<'_>, file: &dyn DiskFile) -> Result<(), Broken> {
    let mut bytes = Vec::new();
    for place in &row.frames {
        let start = bytes.len();
        bytes.resize(start + place.bytes, 0);
        file.read_at(place.at, &mut bytes[start..])
            .map_err(Broken::Read)?;
    }
    match row.kind {
        Kind::Sound => writing.add_sound(row.clip, row.number, &bytes).map(drop),
        Kind::Words => writing.add_words(row.clip, row.number, &bytes).map(drop),
        _ => writing.put_card(row.clip, &bytes),
    }
    .map_err(Broken::Write)
}

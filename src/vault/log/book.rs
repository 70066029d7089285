//! Writing the log: an entry of its own, or one that comes with a rotation.

use super::chain::Checker;
use super::entry::{self, Draft};
use crate::recording::Moment;
use crate::vault::error::{Error, Result};
use crate::vault::ground::lock::Lock;
use crate::vault::keys::bag::{Bag, LogHead};
use crate::vault::session::Held;
use crate::vault::store::Store;
use crate::vault::store::log::{LogRows, Next};
use crate::vault::store::rows::{Added, Writing};

/// What is left free behind the last entry that the bag names, where the store can't be
/// read: as many may stand in it that are not anchored yet, and come back when it is
/// built anew.
const UNSEEN: u32 = 1_000_000;

/// Writes an entry. It is durable when this returns.
pub(crate) fn write(held: &Held<'_>, draft: &Draft) -> Result<()> {
    let lock = held.lock();
    held.store()
        .write_aside(lock, |rows| write_into(held, rows, draft))
}

/// Writes an entry with other rows: it is in force if and only if they are. They may be
/// those of a store that is about to take the place of this one, and has all of its log.
pub(crate) fn write_into(held: &Held<'_>, rows: &Writing, draft: &Draft) -> Result<()> {
    put_carried(rows, held.bag())?;
    let (number, frame) = Place::find(rows, held.bag())?.seal(draft, held)?;
    rows.add_log(number, &frame).map(drop)
}

/// Puts the log in order where it lies: what is no entry goes, what stands in the place
/// of another goes to its own, and what is gone is noted in an entry like this one.
pub(crate) fn mend(held: &Held<'_>, draft: Draft) -> Result<()> {
    let bag = held.bag();
    held.store().write(held.lock(), |rows| {
        put_carried(rows, bag)?;
        let (mut checker, mut wrong) = (Checker::new(bag), Vec::new());
        rows.log_from_end(&mut |number, row| {
            match entry::open(bag, row) {
                Ok(entry) if entry.number == number => checker.entry(entry),
                other => wrong.push((number, other.ok().map(|entry| (entry, row.to_vec())))),
            }
            Next::GoOn
        })?;
        for (number, _) in &wrong {
            rows.remove_log(*number)?;
        }
        for (entry, frame) in wrong.into_iter().filter_map(|(_, moved)| moved) {
            if rows.add_log(entry.number, &frame)? == Added::Now {
                checker.entry(entry);
            }
        }
        let lost = checker.finish().lapses;
        write_into(held, rows, &draft.lost(&lost))
    })
}

/// Puts the entries that came with a rotation where the others are. To be called in
/// transactions that there are anyway; until then the bag keeps them.
pub(crate) fn put_carried(rows: &Writing, bag: &Bag) -> Result<()> {
    for frame in &bag.settings.log_carried {
        let entry = entry::open(bag, frame)?;
        match rows.log_row(entry.number)? {
            None => rows.add_log(entry.number, frame).map(drop)?,
            // Somebody without a key put something there.
            Some(other) if entry::open(bag, &other).is_err() => {
                rows.replace_log(entry.number, frame)?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// What the log says of an entry that is named elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recalled {
    /// It has this one.
    Same,
    /// It has another one of this number, or has not come that far.
    Another,
    /// Nothing can be read there any more.
    Lost,
}

/// Whether this log has an entry.
pub(crate) fn recall(rows: &impl LogRows, bag: &Bag, named: LogHead) -> Result<Recalled> {
    let mut carried = bag.settings.log_carried.iter();
    let known = carried.find_map(|frame| {
        let entry = entry::open(bag, frame).ok()?;
        (entry.number == named.number).then(|| entry.head())
    });
    let head = bag
        .settings
        .log_head
        .filter(|head| head.number == named.number);
    let there = match known.or(head) {
        Some(known) => Some(known),
        None => rows.log_row(named.number)?.and_then(|row| {
            let entry = entry::open(bag, &row).ok()?;
            (entry.number == named.number).then(|| entry.head())
        }),
    };
    Ok(match there {
        Some(there) if there == named => Recalled::Same,
        Some(_) => Recalled::Another,
        None => match Place::find(rows, bag)?.before {
            Some(newest) if newest.number >= named.number => Recalled::Lost,
            Some(_) | None => Recalled::Another,
        },
    })
}

/// Where the next entry goes.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Behind this one.
    before: Option<LogHead>,
    number: u32,
}

impl Place {
    fn find(rows: &impl LogRows, bag: &Bag) -> Result<Self> {
        let (mut before, mut taken) = (bag.settings.log_head, Vec::new());
        rows.log_from_end(&mut |number, row| match entry::open(bag, row) {
            Ok(entry) if entry.number == number => {
                if before.is_none_or(|known| known.number < number) {
                    before = Some(entry.head());
                }
                Next::Stop
            }
            // No entry; it must not keep one from being written.
            _ => {
                taken.push(number);
                Next::GoOn
            }
        })?;
        let mut number = after(before, 1)?;
        while taken.contains(&number) {
            number = number.checked_add(1).ok_or_else(full)?;
        }
        Ok(Self { before, number })
    }

    /// Where the store can't be read.
    fn unseen(bag: &Bag) -> Result<Self> {
        let before = bag.settings.log_head;
        let number = after(before, 1 + UNSEEN)?;
        Ok(Self { before, number })
    }

    fn seal(self, draft: &Draft, held: &Held<'_>) -> Result<(u32, Vec<u8>)> {
        let key = &held.bag().log;
        let (frame, head) = draft.seal(key, held.now(), self.number, self.before)?;
        Ok((head.number, frame))
    }
}

fn after(head: Option<LogHead>, step: u32) -> Result<u32> {
    let last = head.map_or(0, |head| head.number);
    last.checked_add(step).ok_or_else(full)
}

fn full() -> Error {
    Error::damaged("log", "no number is left for another entry")
}

/// What a rotation does to the log: the bag names the newest entry, and brings the one
/// that the rotation is for.
pub(crate) struct Anchor {
    place: Place,
    /// Entries that came with a rotation and are not in the store yet.
    carried: Vec<Vec<u8>>,
    draft: Option<Draft>,
    clock: Moment,
}

impl Anchor {
    /// Looks where the log ends, and makes sure that it does so on the disk: whatever the
    /// bag names has to be there after a power cut. A store that can't be read keeps
    /// nobody from rotating: then the bag goes on naming what it named.
    pub(crate) fn look(
        store: &Store,
        lock: &Lock,
        bag: &Bag,
        draft: Option<Draft>,
        clock: Moment,
    ) -> Result<Self> {
        let carried = &bag.settings.log_carried;
        let seen = store.read(lock, |store| {
            let rows = store.begin()?;
            let mut waiting = Vec::new();
            for frame in carried {
                let number = entry::open(bag, frame)?.number;
                if rows.log_row(number)?.as_ref() != Some(frame) {
                    waiting.push(frame.clone());
                }
            }
            Ok((Place::find(&rows, bag)?, waiting))
        });
        let seen = seen.and_then(|(place, waiting)| {
            let newest = place.before.map_or(0, |head| head.number);
            let is_known = place.before == bag.settings.log_head;
            if !is_known || waiting.len() < carried.len() {
                store.keep_log(lock, newest)?;
            }
            Ok((place, waiting))
        });
        let (place, carried) = match seen {
            Ok(seen) => seen,
            Err(_) => (Place::unseen(bag)?, carried.clone()),
        };
        Ok(Self {
            place,
            carried,
            draft,
            clock,
        })
    }

    /// Puts it into the bag that is about to be committed.
    pub(crate) fn put(&mut self, bag: &mut Bag) -> Result<()> {
        let Place { before, number } = self.place;
        let mut head = before;
        bag.settings.log_carried = std::mem::take(&mut self.carried);
        if let Some(draft) = self.draft.take() {
            let (frame, new) =
                draft.seal(&bag.log, bag.settings.dated(self.clock), number, before)?;
            bag.settings.log_carried.push(frame);
            head = Some(new);
        }
        bag.settings.log_head = head;
        Ok(())
    }
}

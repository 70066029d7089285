//! The store: redb's own check of all of it, then every row. Where redb refuses
//! it, its bytes are looked through for records, which says what can be rescued.

use std::collections::BTreeMap;

use super::recording::{Condition, Seen, State};
use super::waiting::removal;
use super::{Flaw, Meter, Verified};
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::{Access, DiskFile, is_bad_sector, is_no_file};
use crate::vault::inbox;
use crate::vault::inbox::intake::FIRST_EPOCH;
use crate::vault::keys::bag::Bag;
use crate::vault::log::Log;
use crate::vault::log::chain::Checker;
use crate::vault::sealed::frame::Kind;
use crate::vault::session::Held;
use crate::vault::store;
use crate::vault::store::Snapshots;
use crate::vault::store::finding;
use crate::vault::store::library::on_threads;
use crate::vault::store::rows::{ClipId, Share};

/// What was found in the store.
#[derive(Default)]
pub(super) struct Store {
    pub recordings: u64,
    pub records: u64,
    pub flaws: Vec<Flaw>,
    pub conditions: Vec<Condition>,
    /// The log in it.
    pub log: Log,
    /// Rows that no key opens.
    leftovers: u64,
    /// Recordings of which there is a file in the inbox all the same.
    twice: Vec<RecordingId>,
}

/// What every look at the store needs.
#[derive(Clone, Copy)]
struct Looked<'a> {
    bag: &'a Bag,
    /// What has a file in the inbox that may come in, sorted.
    waiting: &'a [RecordingId],
    place: &'a str,
    meter: &'a Meter<'a>,
}

impl Store {
    /// Takes what came of every recording. One that has a file in the inbox and no
    /// card is on its way in: a merge was cut short, and the next one goes on.
    fn finish(&mut self, states: BTreeMap<RecordingId, State<'_>>, look: &Looked<'_>) {
        for (id, state) in states {
            let waits = look.waiting.binary_search(&id).is_ok();
            match (waits, state.has_card_row) {
                (true, false) => continue,
                (true, true) => self.twice.push(id),
                _ => {}
            }
            self.take(state.finish(look.place));
        }
    }

    fn take(&mut self, seen: Seen) {
        self.recordings += 1;
        self.records += seen.records;
        self.flaws.extend(seen.flaws);
        self.conditions.extend(seen.condition);
    }

    fn add(&mut self, other: Self) {
        self.recordings += other.recordings;
        self.records += other.records;
        self.flaws.extend(other.flaws);
        self.conditions.extend(other.conditions);
        self.leftovers += other.leftovers;
        self.twice.extend(other.twice);
    }
}

pub(super) fn look(held: &Held<'_>, found: &mut Verified, meter: &Meter<'_>) -> Result<Store> {
    let path = held.dir().join(store::FILE);
    let place = path.display().to_string();
    let mut waiting = inbox::names(held.disk(), held.dir())?.recordings;
    // What is left of one from before it was redacted is not on its way in.
    waiting.retain(|id| !held.bag().is_tombstoned(*id, FIRST_EPOCH));
    let looked = Looked {
        bag: held.bag(),
        waiting: &waiting,
        place: &place,
        meter,
    };
    let examined = held
        .store()
        .examine(held.lock(), &|bytes| meter.advance(bytes), |store| {
            let parts = on_threads(|share| of_share(store, looked, share))?;
            let mut log = Checker::new(held.bag());
            store.begin()?.each_log(|number, row| {
                meter.advance(row.len() as u64);
                log.row(number, row);
            })?;
            Ok((parts, log.finish(), store.idle_bytes()?))
        });
    let mut all = Store::default();
    match examined {
        Ok((parts, log, idle_bytes)) => {
            found.idle_bytes += idle_bytes;
            all.log = log;
            parts.into_iter().for_each(|part| all.add(part));
        }
        Err(error) if is_damage(&error) => {
            let why = match error {
                Error::StoreDamaged { why, .. } => why,
                other => other.to_string(),
            };
            all.flaws.push(Flaw::new(&place, why));
            match held.disk().open(&path, Access::Read) {
                Ok(file) => {
                    past_the_tree(looked, &*file, &mut all).map_err(Error::io("read", &path))?;
                }
                Err(error) if is_no_file(&error) => nothing_is_there(looked, &mut all),
                Err(error) => all.flaws.push(Flaw::new(&place, error.to_string())),
            }
        }
        Err(error) => return Err(error),
    }
    if all.leftovers > 0 {
        found.notes.push(format!(
            "{place}: {} rows that nothing opens, of what was shredded or replaced",
            all.leftovers
        ));
    }
    for id in &all.twice {
        let path = inbox::path(held.dir(), *id);
        found.notes.push(format!(
            "{}: it is in the store already; {}",
            path.display(),
            removal(held, &[path.clone(), inbox::mark(held.dir(), *id)])
        ));
    }
    // They were counted in the inbox.
    found.recordings += all.recordings - all.twice.len() as u64;
    found.records += all.records + all.log.entries.len() as u64;
    let noted = all.log.noted.iter();
    found
        .notes
        .extend(noted.map(|lapse| format!("{place}: log, {lapse}")));
    Ok(all)
}

/// A bad sector is damage; that the file may not be read is not.
fn is_damage(error: &Error) -> bool {
    match error {
        Error::StoreDamaged { .. } | Error::Damaged { .. } => true,
        Error::Io { source, .. } => is_bad_sector(source),
        _ => false,
    }
}

/// The recordings of a share that were merged, by their ids.
fn states(bag: &Bag, share: Option<Share>) -> BTreeMap<RecordingId, State<'_>> {
    bag.clips
        .iter()
        .filter(|(id, _)| share.is_none_or(|share| share.holds(id)))
        .filter_map(|(id, clip)| {
            let epoch = clip.epoch;
            let at = ClipId { id: *id, epoch };
            Some((*id, State::new(at, clip, clip.extent?)))
        })
        .collect()
}

/// Looks at every row of a share of the ids.
fn of_share(store: &Snapshots<'_>, looked: Looked<'_>, share: Share) -> Result<Store> {
    let Looked { bag, meter, .. } = looked;
    let mut states = states(bag, Some(share));
    let mut all = Store::default();
    let rows = store.begin()?;
    let counts = |at: ClipId| {
        let clip = bag.clips.get(&at.id)?;
        (clip.epoch == at.epoch && clip.extent.is_some()).then_some(clip)
    };
    let mut leftovers = 0;
    rows.each_card(share, |at, row| {
        meter.advance(row.len() as u64);
        match counts(at).and_then(|_| states.get_mut(&at.id)) {
            Some(state) => state.card(row),
            None => leftovers += 1,
        }
        Ok(())
    })?;
    rows.each_words(share, |at, number, row| {
        meter.advance(row.len() as u64);
        match counts(at).filter(|clip| clip.words.is_some()) {
            Some(_) => {
                if let Some(state) = states.get_mut(&at.id) {
                    state.words(number, row);
                }
            }
            None => leftovers += 1,
        }
        Ok(())
    })?;
    rows.each_sound(share, |at, number, row| {
        meter.advance(row.len() as u64);
        match counts(at).filter(|clip| clip.sound.is_some()) {
            Some(_) => {
                if let Some(state) = states.get_mut(&at.id) {
                    state.sound_row(number, row);
                }
            }
            None => leftovers += 1,
        }
        Ok(())
    })?;
    all.finish(states, &looked);
    all.leftovers = leftovers;
    Ok(all)
}

/// Of all that should be in the store nothing can be found. That is said once: what is
/// missing of each recording, nobody has to be told.
fn nothing_is_there(looked: Looked<'_>, all: &mut Store) {
    let waits = |id: &RecordingId| looked.waiting.binary_search(id).is_ok();
    let states = states(looked.bag, None);
    let many = states.keys().filter(|id| !waits(id)).count();
    all.recordings += many as u64;
    let recordings = if many == 1 { "recording" } else { "recordings" };
    if let Some(flaw) = all.flaws.last_mut() {
        let missing = format!("; all of the store is missing: {many} {recordings} and the log");
        flaw.what.push_str(&missing);
    }
}

/// Looks at what a rescue would find.
fn past_the_tree(looked: Looked<'_>, file: &dyn DiskFile, all: &mut Store) -> std::io::Result<()> {
    let Looked { bag, meter, .. } = looked;
    let records = finding::find(bag, file, &|_| ())?;
    let mut log = Checker::new(bag);
    for (entry, _) in &records.log {
        log.entry(entry.clone());
    }
    all.log = log.finish();
    let mut states = states(bag, None);
    let mut bytes = Vec::new();
    let (cards, others): (Vec<_>, Vec<_>) = records
        .found
        .iter()
        .partition(|found| found.kind == Kind::Card);
    for found in cards.into_iter().chain(others) {
        bytes.clear();
        if finding::read(file, found, &mut bytes).is_err() {
            continue;
        }
        meter.advance(bytes.len() as u64);
        let Some(state) = states.get_mut(&records.clip(found).id) else {
            continue;
        };
        match found.kind {
            Kind::Sound => state.segment(&bytes),
            Kind::Words => state.words(found.number, &bytes),
            _ => state.card(&bytes),
        }
    }
    for at in records.older_cards() {
        if let Some(state) = states.get_mut(&at.id) {
            state.card_is_older();
        }
    }
    all.finish(states, &looked);
    Ok(())
}
